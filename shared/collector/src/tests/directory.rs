//! What records refer to by name is read before them, and again now and then.

use std::time::Duration;

use model::FailureClass;

use super::bench::{Bench, POLL, ids, pass};
use super::fakes::{Call, Changes};
use super::{other_entity, records, user};

const TEN_MINUTES: Duration = Duration::from_mins(10);

#[tokio::test(start_paused = true)]
async fn users_and_lists_are_read_before_any_record_and_again_after_ten_minutes() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    source.list_unit("pc", "1");
    source.fail_people(&[FailureClass::Transient]);
    let running = bench.start(&source);
    let (_, ends) = bench.said().await;
    assert_eq!(ends.len(), 1);
    let begun = source.calls();
    assert_eq!(begun[..3], [Call::Ourselves, Call::People, Call::Ourselves], "nothing is read without them");
    assert_eq!(begun[3..6], [Call::People, Call::Lists, Call::Page(None)]);
    let people = bench.people().await.unwrap();
    assert_eq!(people, [(user("somebody"), "somebody@example.com".to_owned())].into());
    assert_eq!(bench.units().await.unwrap(), [("pc".to_owned(), "1".to_owned())].into());
    source.list_unit("box", "2");
    pass(Duration::from_mins(9)).await;
    assert_eq!((source.count(&Call::People), source.count(&Call::Lists)), (2, 1));
    pass(Duration::from_mins(2)).await;
    assert_eq!((source.count(&Call::People), source.count(&Call::Lists)), (3, 2));
    assert_eq!(
        bench.units().await.unwrap(),
        [("box".to_owned(), "2".to_owned())].into(),
        "what went is gone"
    );
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_before_lists_that_fail_for_now() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    source.fail_lists(&[FailureClass::Transient]);
    let running = bench.start(&source);
    bench.said().await;
    let begun = source.calls();
    assert_eq!(begun[..3], [Call::Ourselves, Call::People, Call::Lists]);
    assert_eq!(begun[3..6], [Call::Ourselves, Call::People, Call::Lists], "they are asked for again");
    assert_eq!(begun[6], Call::Page(None));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_collector_of_a_connection_reads_the_directory_for_all() {
    let bench = Bench::new().await;
    let (customers, contacts) = (Changes::of(records(&["a"])), Changes::of(records(&["k"])));
    let first = bench.start(&customers);
    pass(Duration::from_secs(1)).await;
    let second = bench.start_of(other_entity(), &contacts);
    pass(TEN_MINUTES * 3).await;
    assert!(contacts.pages().len() > 20, "it reads its own records");
    let reads = customers.count(&Call::People) + contacts.count(&Call::People);
    assert!((3..=4).contains(&reads), "{reads} reads in half an hour");
    first.stop().await;
    // Who is left goes on.
    let before = contacts.count(&Call::People);
    pass(TEN_MINUTES * 3).await;
    assert!(contacts.count(&Call::People) >= before + 2);
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_another_failed_to_read_is_read_by_the_next() {
    let bench = Bench::new().await;
    let (customers, contacts) = (Changes::of(records(&["a"])), Changes::of(records(&["k"])));
    customers.fail_people(&[FailureClass::Transient; 100]);
    let first = bench.start(&customers);
    let second = bench.start_of(other_entity(), &contacts);
    pass(POLL).await;
    assert!(bench.people().await.is_some());
    assert_eq!(bench.cursor().await.as_deref(), Some("1"), "and the first one goes on with it");
    first.stop().await;
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_may_not_be_read_is_told_and_records_are_read_all_the_same() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    source.fail_people(&[FailureClass::Auth]);
    let running = bench.start(&source);
    let (seen, ends) = bench.said().await;
    assert_eq!((ids(&seen), ends.len()), (vec!["a"], 1));
    assert_eq!(bench.health.rests()["acme customcrm users"], "the system says no");
    assert_eq!(bench.health.waits_for(), [].into(), "the others go on");
    assert_eq!(bench.people().await, None, "nobody is taken for unknown");
    assert!(bench.units().await.is_some(), "the lists are another right");
    pass(TEN_MINUTES + POLL).await;
    assert!(bench.people().await.is_some(), "the right was given meanwhile");
    assert_eq!((bench.health.waits_for(), bench.health.rests()), ([].into(), [].into()));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn lists_that_may_not_be_read_are_told_and_what_was_read_before_is_kept() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    source.list_unit("pc", "1");
    let running = bench.start(&source);
    bench.said().await;
    source.fail_lists(&[FailureClass::Auth]);
    pass(TEN_MINUTES + POLL).await;
    assert_eq!(bench.health.rests()["acme customcrm lists"], "the system says no");
    assert!(bench.units().await.is_some());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_refused_as_a_whole_reads_its_directory_once_it_is_repaired() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    let running = bench.start(&source);
    pass(Duration::from_mins(9)).await;
    assert_eq!(source.count(&Call::People), 1);
    // Refused for three minutes, in the midst of which the directory would be read again.
    source.fail_people(&[FailureClass::Auth]);
    source.fail(&[FailureClass::Auth; 6]);
    pass(POLL * 5).await;
    assert!(source.count(&Call::People) > 2, "it does not wait for another ten minutes");
    assert_eq!((bench.health.waits_for(), bench.health.rests()), ([].into(), [].into()));
    running.stop().await;
}
