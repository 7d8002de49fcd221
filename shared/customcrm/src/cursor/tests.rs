#![allow(clippy::unwrap_used)]

use jiff::{SignedDuration, Timestamp};
use model::{Presence, Properties, Record, RecordId, Version};

use super::{ChangesCursor, RECENT_MAX};

const OVERLAP: SignedDuration = SignedDuration::from_secs(2);

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

fn record(id: &str, version: u64, milliseconds: i64) -> Record {
    Record {
        id: RecordId::parse(id).unwrap(),
        version: Some(Version(version)),
        modified_by: None,
        modified_at: Some(at(milliseconds)),
        presence: Presence::Present,
        properties: Properties::new(),
    }
}

fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[test]
fn a_round_keeps_its_start_until_its_last_page() {
    let (_, middle) = ChangesCursor::start().after(vec![record("a", 1, 0)], Some("p2".to_owned()), OVERLAP);
    assert_eq!((middle.since(), middle.page()), (None, Some("p2")));
    let (_, end) = middle.after(vec![record("b", 1, 5_000)], None, OVERLAP);
    assert_eq!((end.since(), end.page()), (Some(at(3_000)), None));
    assert_eq!(middle.first_page().page(), None);
}

#[test]
fn what_the_overlap_shows_again_is_left_out_and_what_is_new_in_it_is_not() {
    let (_, cursor) =
        ChangesCursor::start().after(vec![record("a", 1, 0), record("b", 4, 100)], None, OVERLAP);
    let again = vec![record("late", 1, 50), record("a", 2, 100), record("b", 4, 100)];
    let (fresh, _) = cursor.after(again, None, OVERLAP);
    assert_eq!(names(&fresh), ["late", "a"]);
}

#[test]
fn a_page_without_records_moves_nothing() {
    let (_, cursor) = ChangesCursor::start().after(vec![record("a", 1, 0)], None, OVERLAP);
    let (fresh, after) = cursor.after(Vec::new(), None, OVERLAP);
    assert!(fresh.is_empty());
    assert_eq!(after, cursor);
    assert_eq!(ChangesCursor::start().after(Vec::new(), None, OVERLAP).1, ChangesCursor::start());
}

#[test]
fn a_cursor_reads_back_and_stays_bounded() {
    let many = (0..2_000).map(|number| record(&format!("c{number}"), 1, number)).collect();
    let (_, cursor) = ChangesCursor::start().after(many, Some("p".to_owned()), OVERLAP);
    assert_eq!(cursor.0.recent.len(), RECENT_MAX);
    assert!(cursor.0.recent.contains_key("c1999"));
    assert_eq!(cursor.to_string().parse::<ChangesCursor>().unwrap(), cursor);
    assert!("{".parse::<ChangesCursor>().is_err());
}
