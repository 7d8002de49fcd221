//! What is read, and what is said of it.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::ReadPart;
use model::{PairName, Presence, Record, RecordId, Version};
use store::{Links, Told};

use super::bench::{Bench, POLL, ids, pass};
use super::fakes::{Call, Changes};
use super::{SYSTEM, connection, entity, record, records};

/// Who writes on our behalf.
const OURS: &str = "tandem";

#[tokio::test(start_paused = true)]
async fn every_record_of_a_full_read_is_published_with_its_place_and_the_end_tells_the_pages() {
    let bench = Bench::new().await;
    let running = bench.start(&Changes::of(records(&["a", "b", "c"])));
    let (seen, ends) = bench.said().await;
    assert_eq!(ids(&seen), ["a", "b", "c"]);
    assert_eq!(ends.len(), 1, "{ends:?}");
    let end = &ends[0];
    assert_eq!((&end.connection, end.system, &end.entity), (&connection(), SYSTEM, &entity()));
    let sizes: Vec<u32> = end.pages.iter().map(|(_, records)| *records).collect();
    assert_eq!(sizes, [2, 1]);
    let (first, second) = (end.pages[0].0, end.pages[1].0);
    assert_ne!(first, second);
    let part = |page, index| Some(ReadPart { read: end.read, page, index });
    let parts: Vec<_> = seen.iter().map(|observed| observed.part.clone()).collect();
    assert_eq!(parts, [part(first, 0), part(first, 1), part(second, 0)]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_full_read_is_published_after_its_records() {
    let bench = Bench::new().await;
    let running = bench.start(&Changes::of(records(&["a", "b", "c"])));
    let published = bench.published().await;
    assert!(matches!(published.last(), Some(contract::Message::ReadCompleted(_))), "{published:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_system_without_records_is_announced_as_read() {
    let bench = Bench::new().await;
    let running = bench.start(&Changes::default());
    let (seen, ends) = bench.said().await;
    assert_eq!(seen, []);
    assert_eq!(ends.iter().map(|end| end.pages.len()).collect::<Vec<_>>(), [0]);
    pass(POLL * 3).await;
    assert_eq!(bench.said().await, (vec![], vec![]), "once is enough");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_change_after_the_full_read_is_published_at_the_next_poll_and_has_no_part_in_it() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    let running = bench.start(&source);
    bench.said().await;
    source.add(records(&["b", "c", "d"]));
    pass(POLL).await;
    let (seen, ends) = bench.said().await;
    assert_eq!(ids(&seen), ["b", "c", "d"]);
    assert!(seen.iter().all(|observed| observed.part.is_none()), "{seen:?}");
    assert_eq!(ends, []);
    assert_eq!(bench.cursor().await.as_deref(), Some("4"));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn only_what_our_own_user_changed_last_is_marked_as_ours() {
    let bench = Bench::new().await;
    let changes =
        vec![record("own", Some("tandem")), record("a-person's", Some("somebody")), record("?", None)];
    let running = bench.start(&Changes::of(changes));
    let (seen, _) = bench.said().await;
    let ours: Vec<bool> = seen.iter().map(|observed| observed.sighting.by_us).collect();
    assert_eq!(ours, [true, false, false]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_deleted_record_passes_as_it_was_read() {
    let bench = Bench::new().await;
    let mut deleted = record("gone", None);
    deleted.presence = Presence::Deleted;
    deleted.properties.clear();
    let running = bench.start(&Changes::of(vec![deleted.clone()]));
    let (seen, ends) = bench.said().await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].sighting.record, deleted);
    assert_eq!(ends[0].pages[0].1, 1, "it counts as one of its page");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_starts_again_goes_on_where_the_last_one_stood() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a", "b", "c"]));
    bench.start(&source).stop().await;
    let running = bench.start(&source);
    bench.said().await;
    running.stop().await;
    source.add(records(&["d"]));
    let running = bench.start(&source);
    let (seen, ends) = bench.said().await;
    assert_eq!((ids(&seen), ends.len()), (vec!["d"], 0));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_read_that_was_cut_off_ends_with_all_its_pages() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a", "b", "c"]));
    source.hold(Some("2"));
    let running = bench.start(&source);
    pass(Duration::from_secs(1)).await;
    running.kill().await;
    pass(Duration::from_secs(16)).await;
    let running = bench.start(&source);
    let (seen, ends) = bench.said().await;
    assert_eq!(ids(&seen), ["a", "b", "c"], "the first page is not read again");
    let pages: Vec<_> = ends[0].pages.iter().map(|(page, _)| *page).collect();
    let parts: Vec<_> = seen.iter().map(|observed| observed.part.clone().unwrap().page).collect();
    assert_eq!(parts, [pages[0], pages[0], pages[1]]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_cursor_begins_a_full_read_anew() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a", "b", "c"]));
    let running = bench.start(&source);
    let (_, first) = bench.said().await;
    bench.lose_cursor().await;
    pass(POLL).await;
    let (seen, second) = bench.said().await;
    assert_eq!(ids(&seen), ["a", "b", "c"]);
    assert_eq!(second.len(), 1);
    assert_ne!(first[0].read, second[0].read);
    assert_eq!(source.count(&Call::People), 2, "what else was in the store is lost as well");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn each_start_reads_in_full_where_the_broker_forgets() {
    let mut bench = Bench::new().await;
    bench.broker_forgets = true;
    let source = Changes::of(records(&["a", "b", "c"]));
    let mut reads = Vec::new();
    for _ in 0..2 {
        let running = bench.start(&source);
        let (seen, ends) = bench.said().await;
        assert_eq!(ids(&seen), ["a", "b", "c"]);
        reads.extend(ends.iter().map(|end| end.read));
        running.stop().await;
    }
    assert_eq!(reads.len(), 2);
    assert_ne!(reads[0], reads[1]);
}

#[tokio::test(start_paused = true)]
async fn polls_move_apart_while_nobody_changes_anything_and_close_up_after_an_edit() {
    let mut bench = Bench::new().await;
    bench.pace.quiet = POLL * 4;
    let system = Changes::of(records(&["a"]));
    let running = bench.start(&system);
    bench.said().await;
    let reads = async |time: Duration| {
        let before = system.pages().len();
        pass(time).await;
        system.pages().len() - before
    };
    for (polls, next) in [(1, POLL), (1, POLL * 2), (1, POLL * 4), (1, POLL * 4)] {
        assert_eq!(reads(next).await, polls, "{next:?}");
    }
    // What we changed ourselves is no reason to look for more.
    system.add(vec![record("b", Some("tandem"))]);
    assert_eq!(reads(POLL * 4).await, 1);
    assert_eq!(reads(POLL * 2).await, 0);
    system.add(records(&["c"]));
    assert_eq!(reads(POLL * 2).await, 1);
    assert_eq!(reads(POLL).await, 1);
    assert_eq!(reads(POLL * 2).await, 1);
    running.stop().await;
}

/// A person's edit, of this entity or of another pair, would stand behind all of it.
#[tokio::test(start_paused = true)]
async fn a_full_read_goes_no_further_ahead_than_it_is_taken_in() {
    let ids: Vec<String> = (0..1_000).map(|number| format!("r{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let bench = Bench::new().await;
    let running = bench.start(&Changes::of(records(&ids)));
    pass(Duration::from_secs(4)).await;
    let left = bench.left().await;
    assert!((100..=600).contains(&left), "{left}");
    pass(POLL).await;
    assert!((1..100).contains(&(bench.left().await - left)), "a pair that takes nothing holds up the others");
    running.stop().await;

    let running = bench.start(&Changes::of(records(&ids)));
    let mut seen = BTreeSet::new();
    while seen.len() < ids.len() {
        let (some, _) = bench.said().await;
        assert!(!some.is_empty(), "it goes on");
        seen.extend(some.into_iter().map(|observed| observed.sighting.record.id.to_string()));
    }
    running.stop().await;
}

/// A writer has told that it left `c` at version 1; `told` is what it says of it.
async fn writer_told(bench: &Bench, version: u64) {
    let told = Told {
        pair: PairName::parse("customer-account").unwrap(),
        entity: entity(),
        record: RecordId::parse("c").unwrap(),
        version: Version(version),
    };
    Links::new(bench.store.clone(), "test").note_told(&connection(), SYSTEM, &[told]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn our_own_write_that_a_writer_has_told_of_is_not_told_again() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    let running = bench.start(&source);
    bench.said().await;
    writer_told(&bench, 1).await;
    source.add([records(&["b"]), vec![record("c", Some(OURS))], records(&["d"])].concat());
    pass(POLL).await;
    let (seen, _) = bench.said().await;
    assert_eq!(ids(&seen), ["b", "d"]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_person_did_after_the_write_is_told_and_so_is_the_write_where_it_was_told_otherwise() {
    let bench = Bench::new().await;
    let source = Changes::of(records(&["a"]));
    let running = bench.start(&source);
    bench.said().await;
    writer_told(&bench, 1).await;
    let ours = record("c", Some(OURS));
    let edited = Record { version: Some(Version(2)), ..record("c", Some("somebody")) };
    source.add(vec![ours.clone(), edited]);
    pass(POLL).await;
    let (seen, _) = bench.said().await;
    assert_eq!(seen.iter().map(|seen| seen.sighting.record.version).collect::<Vec<_>>(), [Some(Version(2))]);

    writer_told(&bench, 3).await;
    source.add(vec![ours.clone()]);
    pass(POLL).await;
    assert_eq!(ids(&bench.said().await.0), ["c"], "another version was told");

    writer_told(&bench, 1).await;
    bench.leap(Duration::from_mins(5));
    source.add(vec![ours]);
    pass(POLL).await;
    assert_eq!(ids(&bench.said().await.0), ["c"], "it was told long ago");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_read_leaves_nothing_out() {
    let bench = Bench::new().await;
    writer_told(&bench, 1).await;
    let running = bench.start(&Changes::of([records(&["a"]), vec![record("c", Some(OURS))]].concat()));
    let (seen, ends) = bench.said().await;
    assert_eq!((ids(&seen), ends.len()), (vec!["a", "c"], 1));
    running.stop().await;
}
