#![allow(clippy::unwrap_used)]

use model::{RecordId, Version};

use super::FeedCursor;
use crate::{Selection, Source};

fn selection(parts: bool) -> Selection {
    let parts = parts.then(Vec::new);
    Selection { own: Vec::new(), parts, late: Vec::new(), records: Vec::new() }
}

#[test]
fn a_cursor_reads_back_as_it_was() {
    let selection = selection(true);
    let mut cursor = FeedCursor::start(&selection);
    cursor.parts = r#"{"after":5,"highest":500}"#.parse().ok();
    cursor.published = vec![RecordId::parse("71b9c4a0-0f4b-4d0c-8b6d-0123456789ab").unwrap()];
    assert_eq!(FeedCursor::read(&cursor.write(), &selection), Some(cursor.clone()));
    assert_eq!(cursor.highest(), Version(500));
    assert_eq!(cursor.first_pages().published, Vec::new());
}

#[test]
fn a_cursor_of_before_there_were_parts_goes_on_where_none_are_read_and_begins_anew_where_some_are() {
    let changes = r#"{\"after\":5,\"highest\":7}"#;
    let old = format!(r#"{{"changes":"{changes}","deleted":"{changes}"}}"#);
    let read = FeedCursor::read(&old, &selection(false)).unwrap();
    assert_eq!((read.highest(), read.parts), (Version(7), None));
    assert_eq!(FeedCursor::read(&old, &selection(true)), None);
    assert_eq!(FeedCursor::read("5", &selection(false)), None);
}

#[test]
fn a_round_in_the_middle_of_a_feed_is_known() {
    let selection = selection(true);
    let mut cursor = FeedCursor::start(&selection);
    assert_eq!(cursor.unfinished(), None);
    let inside = r#"{"after":5,"highest":7,"page":"https://exact.example/next"}"#;
    cursor.changes = inside.parse().unwrap();
    assert_eq!(cursor.unfinished(), Some(Source::Own));
    cursor.parts = inside.parse().ok();
    assert_eq!(cursor.unfinished(), Some(Source::Parts));
    assert_eq!(cursor.first_pages().unfinished(), None);
}
