#![allow(clippy::unwrap_used)]

use std::time::Duration;

use telemetry::LogFilter;
use tokio_util::sync::CancellationToken;

use super::data::Book;
use super::play::play;
use super::screen::Screen;
use super::{DemoError, started};
use crate::arguments::DemoOptions;

fn options(lasts: Duration) -> DemoOptions {
    DemoOptions { lasts: Some(lasts), data: None, seed: 7, edits_per_minute: 240, log: "error".to_owned() }
}

/// Convergence, no lost edit and no duplicate, of the whole product in one process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_edits_stop_both_sides_agree_and_every_edit_has_arrived() {
    let (book, stop) = (Book::load(None).unwrap(), CancellationToken::new());
    let filter = LogFilter::parse("error").unwrap();
    // A machine that is busy with other work gives the human longer, not less to do.
    for seconds in [8, 30, 90] {
        let options = options(Duration::from_secs(seconds));
        let summary = play(&book, &options, filter.clone(), &stop, &mut Screen::Nowhere).await.unwrap();
        assert!(summary.agrees() && summary.settled.is_some(), "{summary}");
        assert_eq!(summary.lags.len(), summary.edits, "{summary}");
        assert!(summary.created.0 > 10 && summary.created.1 > 10, "{summary}");
        assert_eq!(summary.conflicts, 0, "{summary}");
        if summary.edits > 3 {
            return;
        }
    }
    panic!("the human never had time to edit");
}

#[test]
fn data_that_a_system_refuses_is_told_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("users.csv", "System,Email\ncustomcrm,a@a.example\nexactonline,b@a.example\n");
    file("customers.csv", "Name\nAcme\n");
    file("accounts.csv", "Code,Name,Country,State\n7,Acme,NL,NH\nX,Bolt,,\n8,Cork,NL,ZZ\n");
    let data = Some(folder.path().to_owned());
    let error = started(&DemoOptions { data, ..options(Duration::ZERO) }).unwrap_err();
    let DemoError::Data(problems) = &error else { panic!("{error}") };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("accounts.csv:3: ") && told[0].contains("Code"), "{told:#?}");
    assert!(told[1].contains("accounts.csv:4: ") && told[1].contains("State"), "{told:#?}");
}
