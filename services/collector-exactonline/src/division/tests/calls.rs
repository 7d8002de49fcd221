//! What reading costs.

use exactonline::Selection;
use model::FailureClass;
use simulator_exactonline::Limits;

use super::bench::{Bench, Reader, items};

fn accounts(bench: &Bench) -> Reader {
    let own = vec!["Name".to_owned()];
    bench.reader(
        "accounts",
        Selection { own: own.clone(), parts: None, late: Vec::new(), records: own },
        None,
    )
}

fn seed(bench: &Bench, count: usize) -> Vec<uuid::Uuid> {
    let bodies: Vec<String> = (0..count).map(|number| format!(r#"{{"Name":"N{number}"}}"#)).collect();
    bench.control().seed_accounts(&bodies).unwrap()
}

#[tokio::test]
async fn a_thousand_changed_accounts_are_read_by_one_call() {
    let bench = Bench::start().await;
    let ids = seed(&bench, 1_000);
    let mut reader = accounts(&bench);
    reader.poll().await;
    for id in ids {
        bench.control().change_account(id, r#"{"City":"Gent"}"#).unwrap();
    }
    let before = bench.calls();
    let (changed, _) = reader.page().await.unwrap();
    assert_eq!((changed.len(), bench.calls() - before), (1_000, 1));
}

/// The long form is that of a hundred thousand accounts.
#[tokio::test]
async fn a_first_load_takes_a_call_for_each_thousand_accounts_and_ten_at_most_besides() {
    let thousands = std::env::var("TANDEM_FIRST_LOAD").map_or(5, |thousands| thousands.parse().unwrap());
    let bench = Bench::start().await;
    // One is there already.
    seed(&bench, thousands * 1_000 - 1);
    let read = accounts(&bench).poll().await.len();
    let calls = bench.calls();
    println!("a first load of {read} accounts: {calls} calls");
    assert_eq!(read, thousands * 1_000);
    assert!(calls <= thousands + 10, "{calls}");
}

#[tokio::test]
async fn a_first_load_leaves_most_of_what_is_left_of_a_day_to_other_reads() {
    let bench = Bench::start().await;
    seed(&bench, 90);
    bench.control().set_limits(Limits {
        per_minute: 10_000,
        per_day: 100,
        large_page_size: 1,
        ..Limits::default()
    });
    let mut reader = accounts(&bench);
    let mut pages = 0;
    let spent = loop {
        match reader.page().await {
            Ok((_, more)) => assert!(more, "all is read after {pages} pages"),
            Err(error) => break error,
        }
        pages += 1;
    };
    assert!(matches!(spent.class(), FailureClass::Throttled { .. }), "{spent}");
    assert!((30..70).contains(&pages), "{pages}");
    assert_eq!(bench.reader("items", items(false), None).poll().await.len(), 1);
}
