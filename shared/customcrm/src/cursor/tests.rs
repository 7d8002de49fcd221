#![allow(clippy::unwrap_used)]

use jiff::{SignedDuration, Timestamp};
use model::{Presence, Properties, Record, RecordId, Version};

use proptest::prelude::*;

use super::{ChangesCursor, Page, RECENT_MAX, RECENT_WRITTEN, Rules, SETTLES_AFTER};

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

const TOLD: Rules = Rules { overlap: OVERLAP, is_counted: false, settles: None };

fn read(cursor: &ChangesCursor, records: Vec<Record>, next: Option<String>) -> (Vec<Record>, ChangesCursor) {
    let (fresh, cursor, _) = cursor.after(Page { records, next }, TOLD);
    (fresh, cursor)
}

fn names(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

#[test]
fn a_round_keeps_its_start_until_its_last_page() {
    let (_, middle) = read(&ChangesCursor::start(), vec![record("a", 1, 0)], Some("p2".to_owned()));
    assert_eq!((middle.since(), middle.page()), (None, Some("p2")));
    let (_, end) = read(&middle, vec![record("b", 1, 5_000)], None);
    assert_eq!((end.since(), end.page()), (Some(at(3_000)), None));
    assert_eq!(middle.first_page().page(), None);
}

#[test]
fn what_the_overlap_shows_again_is_left_out_and_what_is_new_in_it_is_not() {
    let (_, cursor) = read(&ChangesCursor::start(), vec![record("a", 1, 0), record("b", 4, 100)], None);
    let again = vec![record("late", 1, 50), record("a", 2, 100), record("b", 4, 100)];
    let (fresh, _) = read(&cursor, again, None);
    assert_eq!(names(&fresh), ["late", "a"]);
}

#[test]
fn a_page_without_records_moves_nothing() {
    let (_, cursor) = read(&ChangesCursor::start(), vec![record("a", 1, 0)], None);
    let (fresh, after) = read(&cursor, Vec::new(), None);
    assert!(fresh.is_empty());
    assert_eq!(after, cursor);
    assert_eq!(read(&ChangesCursor::start(), Vec::new(), None).1, ChangesCursor::start());
}

#[test]
fn a_cursor_stays_bounded_and_its_text_more_so() {
    let several = 3 * RECENT_MAX / 2;
    let within = |number: usize| i64::try_from(number / 20).unwrap();
    let many = (0..several).map(|number| record(&format!("c{number}"), 1, within(number)));
    let (_, cursor) = read(&ChangesCursor::start(), many.collect(), Some("p".to_owned()));
    assert_eq!(cursor.0.recent.len(), RECENT_MAX);
    let newest = format!("c{}", several - 1);
    assert!(cursor.0.recent.contains_key(&newest));
    let read_back: ChangesCursor = cursor.to_string().parse().unwrap();
    assert_eq!(read_back.0.recent.len(), RECENT_WRITTEN);
    assert!(read_back.0.recent.contains_key(&newest));
    assert_eq!((read_back.since(), read_back.page()), (cursor.since(), cursor.page()));
    assert!("{".parse::<ChangesCursor>().is_err());
}

/// Whoever failed to take in what was shown goes back to the text before it, which must not be taken for this one.
#[test]
fn a_cursor_that_has_shown_more_has_another_text() {
    let all = |version| (0..3 * RECENT_WRITTEN).map(move |number| record(&format!("c{number}"), version, 0));
    let (_, cursor) = read(&ChangesCursor::start(), all(1).collect(), None);
    let (fresh, after) = read(&cursor, all(1).collect(), None);
    assert!(fresh.is_empty());
    assert_eq!(after.to_string(), cursor.to_string());
    let changed = all(1).skip(1).chain([record("c0", 2, 0)]);
    let (fresh, after) = read(&cursor, changed.collect(), None);
    assert_eq!(names(&fresh), ["c0"]);
    assert_ne!(after.to_string(), cursor.to_string());
}

#[test]
fn without_versions_a_change_is_told_again_once_it_has_settled_and_then_no_more() {
    let rules = |seconds: i64| Rules { settles: Some(at(seconds * 1_000)), ..TOLD };
    let page = |records: Vec<Record>| Page { records, next: None };
    let settled = SETTLES_AFTER.as_secs();
    let (fresh, cursor, _) = ChangesCursor::start().after(page(vec![record("a", 1, 0)]), rules(0));
    assert_eq!(names(&fresh), ["a"]);
    // Another change, long after: the first one is read all the same until it has been told again.
    let both = || vec![record("a", 2, 0), record("b", 3, 60_000)];
    let (fresh, cursor, _) = cursor.after(page(both()), rules(settled - 1));
    assert_eq!(names(&fresh), ["b"]);
    assert_eq!(cursor.since(), Some(at(0)));
    let (fresh, cursor, _) = cursor.after(page(both()), rules(settled));
    assert_eq!(names(&fresh), ["a"]);
    let (fresh, cursor, _) = cursor.after(page(vec![record("b", 3, 60_000)]), rules(2 * settled));
    assert_eq!(names(&fresh), ["b"]);
    let (fresh, cursor, _) = cursor.after(page(vec![record("b", 3, 60_000)]), rules(3 * settled));
    assert_eq!((names(&fresh), cursor.since()), (vec![], Some(at(58_000))));
}

/// A CRM that counts pages and tells records changed at or after a time, in the order of their changes.
#[derive(Default)]
struct Counted {
    records: Vec<Record>,
    now: i64,
}

impl Counted {
    fn change(&mut self, id: usize, passes: i64) {
        self.now += passes;
        let name = format!("c{id}");
        let version = self
            .records
            .iter()
            .find(|record| record.id.as_str() == name)
            .map_or(1, |record| record.version.unwrap().0 + 1);
        self.records.retain(|record| record.id.as_str() != name);
        self.records.push(record(&name, version, self.now));
        self.records.sort_by_key(|record| (record.modified_at, record.id.clone()));
    }

    fn page(&self, cursor: &ChangesCursor, size: usize) -> Page {
        let skipped: usize = cursor.page().map_or(0, |page| page.parse().unwrap());
        let changed = |record: &&Record| cursor.since().is_none_or(|since| record.modified_at >= Some(since));
        let records: Vec<Record> =
            self.records.iter().filter(changed).skip(skipped).take(size).cloned().collect();
        let next = (records.len() == size).then(|| (skipped + size).to_string());
        Page { records, next }
    }
}

proptest! {
    /// Changes between any two pages, many of them in one moment: nothing is passed over.
    #[test]
    fn where_pages_are_counted_nothing_is_passed_over(
        steps in prop::collection::vec((0_usize..12, prop_oneof![4 => Just(0_i64), 1 => 1_i64..5_000]), 1..60),
        reads in prop::collection::vec(0_usize..4, 60),
        size in 1_usize..5,
    ) {
        let rules = Rules { is_counted: true, ..TOLD };
        let (mut crm, mut cursor) = (Counted::default(), ChangesCursor::start());
        let mut seen = std::collections::BTreeMap::new();
        let mut take = |crm: &Counted, cursor: &mut ChangesCursor| {
            let (fresh, next, more) = cursor.after(crm.page(cursor, size), rules);
            seen.extend(fresh.into_iter().map(|record| (record.id, record.version)));
            *cursor = next.to_string().parse().unwrap();
            more
        };
        for ((id, passes), reads) in steps.into_iter().zip(reads) {
            crm.change(id, passes);
            for _ in 0..reads {
                take(&crm, &mut cursor);
            }
        }
        // What nobody changes any more is read to its end, twice.
        for _ in 0..2 {
            let mut pages = 0;
            while take(&crm, &mut cursor) {
                pages += 1;
                prop_assert!(pages < 500, "a round never ends");
            }
        }
        for record in &crm.records {
            prop_assert_eq!(seen.get(&record.id), Some(&record.version), "{}", record.id);
        }
    }
}
