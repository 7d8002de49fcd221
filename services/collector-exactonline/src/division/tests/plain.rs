use std::collections::BTreeSet;

use collector::{Hint, Source as _};
use exactonline::{Error, Selection};
use model::Presence;
use simulator_exactonline::{Fault, FaultKind, Limits, Switches};
use uuid::Uuid;

use super::bench::{Bench, Reader, items};

#[tokio::test]
async fn a_plain_entity_is_told_as_its_feed_shows_it() {
    let bench = Bench::start().await;
    let mut reader = bench.reader("items", items(false), None);
    let read = reader.poll().await;
    assert_eq!((read.len(), read[0].id.as_str()), (1, bench.item.to_string().as_str()));
    assert_eq!(bench.calls_of("GET sync/logistics/salesitemprices"), 0);
    assert_eq!(reader.poll().await, []);
    bench.change("logistics/Items", bench.item, r#"{"Description":"Nut"}"#);
    assert_eq!(reader.poll().await.len(), 1);
}

#[tokio::test]
async fn a_contact_is_told_and_its_deletion_too() {
    let bench = Bench::start().await;
    let own = vec!["LastName".to_owned(), "Account".to_owned()];
    let selection = Selection { own: own.clone(), parts: None, late: Vec::new(), records: own };
    let mut reader = bench.reader("contacts", selection, None);
    let body = format!(r#"{{"Account":"{}","LastName":"X"}}"#, bench.customer);
    let contact = bench.by_person("crm/Contacts", &body);
    assert_eq!(reader.poll().await.len(), 1);
    bench.delete("crm/Contacts", contact);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(reader.poll().await);
    }
    assert_eq!((told.len(), told[0].presence), (1, Presence::Deleted));
}

/// A reader of accounts, of which one was made and deleted after the first poll.
async fn deleted() -> (Bench, Reader, Uuid) {
    let bench = Bench::start().await;
    let own = vec!["Name".to_owned()];
    let selection = Selection { own: own.clone(), parts: None, late: Vec::new(), records: own };
    let mut reader = bench.reader("accounts", selection, None);
    reader.poll().await;
    let gone = bench.control().create_account(r#"{"Name":"Lonely"}"#).unwrap();
    bench.control().delete_account(gone).unwrap();
    (bench, reader, gone)
}

#[tokio::test]
async fn a_deletion_is_told_within_ten_polls() {
    let (_bench, mut reader, gone) = deleted().await;
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(reader.poll().await);
    }
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].presence, told[0].id.as_str()), (Presence::Deleted, gone.to_string().as_str()));
}

#[tokio::test]
async fn what_the_user_may_not_read_is_an_error_and_no_empty_list() {
    let bench = Bench::start().await;
    let rights = |missing: &[&str]| {
        let missing_rights = missing.iter().map(|path| (*path).to_owned()).collect();
        bench.control().set_switches(Switches { missing_rights, ..bench.control().switches() });
    };
    rights(&["logistics/SalesItemPrices"]);
    let refused = |error: Error| assert!(error.to_string().contains("logistics/SalesItemPrices"), "{error}");
    let mut priced = bench.reader("items", items(true), None);
    refused(priced.page().await.unwrap_err());
    let calls = bench.calls();
    refused(priced.page().await.unwrap_err());
    assert_eq!(bench.calls(), calls, "it is not asked at every turn");
    assert_eq!(bench.reader("items", items(false), None).poll().await.len(), 1, "prices are not read");
    rights(&[]);
    assert_eq!(bench.reader("items", items(true), None).poll().await.len(), 1);
}

#[tokio::test]
async fn the_rights_are_asked_for_once_and_before_every_read_of_everything() {
    let bench = Bench::start().await;
    let mut reader = bench.reader("items", items(true), None);
    reader.poll().await;
    reader.poll().await;
    assert_eq!(bench.calls_of("GET users/userhasrights"), 2, "of the items and their prices");
    reader.cursor = None;
    reader.poll().await;
    assert_eq!(bench.calls_of("GET users/userhasrights"), 4);
}

#[tokio::test]
async fn a_deletion_that_was_hinted_at_is_read_with_the_next_poll_even_after_one_that_failed() {
    let (bench, mut reader, _) = deleted().await;
    assert_eq!(reader.poll().await, [], "it is not the deletions' turn");
    reader.division.hinted(Hint::Deleted);
    let path_contains = Some("sync/Deleted".to_owned());
    let away = Fault::next(FaultKind::FailBefore { status: 503 });
    bench.control().add_fault(Fault { path_contains, ..away });
    assert!(reader.page().await.is_err());
    assert_eq!(reader.poll().await.len(), 1);
}

#[tokio::test]
async fn a_page_that_fails_in_the_middle_of_a_read_loses_and_doubles_nothing() {
    let bench = Bench::start().await;
    bench.control().set_limits(Limits { per_minute: 10_000, large_page_size: 10, ..Limits::default() });
    let bodies: Vec<String> = (0..39).map(|number| format!(r#"{{"Name":"N{number}"}}"#)).collect();
    bench.control().seed_accounts(&bodies).unwrap();
    let own = vec!["Name".to_owned()];
    let selection = Selection { own: own.clone(), parts: None, late: Vec::new(), records: own };
    for kind in [FaultKind::FailBefore { status: 503 }, FaultKind::LoseAnswer, FaultKind::Throttle] {
        let mut reader = bench.reader("accounts", selection.clone(), None);
        let (mut seen, mut failed, mut more) = (Vec::new(), 0, true);
        let path_contains = Some("skiptoken".to_owned());
        bench.control().add_fault(Fault { path_contains, ..Fault::next(kind.clone()) });
        while more {
            match reader.page().await {
                Ok((page, goes_on)) => {
                    seen.extend(page.into_iter().map(|record| record.id));
                    more = goes_on;
                }
                Err(_) => {
                    failed += 1;
                    // To the next minute, where it was one call too many.
                    bench.control().advance_clock(60);
                }
            }
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len(), failed), (40, 40, 1), "{kind:?}");
    }
}
