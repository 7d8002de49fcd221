#![allow(clippy::unwrap_used)]

use model::{Presence, Properties, Record, RecordId, Version};

use super::{ChangesCursor, RECENT_MAX};

fn record(id: &str, version: u64) -> Record {
    Record {
        id: RecordId::parse(id).unwrap(),
        version: Some(Version(version)),
        modified_by: None,
        modified_at: None,
        presence: Presence::Present,
        properties: Properties::new(),
    }
}

fn after(cursor: &ChangesCursor, records: Vec<Record>, page: Option<&str>) -> (Vec<String>, ChangesCursor) {
    let page = page.map(|page| page.parse().unwrap());
    let (fresh, next) = cursor.after(records, |record| record, page, 10);
    (fresh.into_iter().map(|record| record.id.to_string()).collect(), next)
}

#[test]
fn the_highest_row_version_counts_only_after_the_last_page() {
    let start = ChangesCursor::start();
    let (_, middle) = after(&start, vec![record("a", 500)], Some("https://exact.example/next"));
    assert_eq!((middle.above(), middle.highest()), (1, Version(500)));
    let (_, end) = after(&middle, vec![record("b", 600)], None);
    assert_eq!((end.above(), end.page()), (590, None));
    assert_eq!(middle.first_page().page(), None);
}

#[test]
fn what_the_overlap_shows_again_is_left_out_and_what_came_late_is_not() {
    let (_, cursor) = after(&ChangesCursor::start(), vec![record("a", 100), record("b", 103)], None);
    let (fresh, cursor) = after(&cursor, vec![record("a", 100), record("late", 101), record("b", 103)], None);
    assert_eq!(fresh, ["late"]);
    let (fresh, _) = after(&cursor, vec![record("b", 103), record("a", 104)], None);
    assert_eq!(fresh, ["a"]);
}

#[test]
fn a_cursor_reads_back_and_stays_bounded() {
    let many = (0..2_000).map(|number| record(&format!("c{number}"), number + 2)).collect();
    let (_, cursor) = ChangesCursor::start().after(many, |record| record, None, 1_500);
    assert_eq!(cursor.0.recent.len(), RECENT_MAX);
    assert!(cursor.0.recent.contains_key("c1999"));
    assert_eq!(cursor.to_string().parse::<ChangesCursor>().unwrap(), cursor);
    assert!("7".parse::<ChangesCursor>().is_err());
}
