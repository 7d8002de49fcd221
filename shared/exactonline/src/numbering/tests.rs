//! Versions only ever rise, whatever Exact does to its numbers.
#![allow(clippy::unwrap_used)]

use jiff::SignedDuration;
use model::Content;
use proptest::prelude::*;

use super::*;

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
}

fn dates(moved: Option<&str>, linked: Option<&str>) -> Dates {
    let content = |date: Option<&str>| date.map_or(Content::Null, Content::from);
    Dates::of(&Properties::from([
        ("DivisionMoveDate".to_owned(), content(moved)),
        ("DivisionHRLinkUnlinkDate".to_owned(), content(linked)),
    ]))
}

proptest! {
    #[test]
    fn each_version_of_a_later_numbering_is_above_all_of_an_earlier_one(
        earlier in 0..LAST, low in 0_u64..1 << BITS, high in 0_u64..1 << BITS,
    ) {
        let (earlier, later) = (Numbering(earlier), Numbering(earlier + 1));
        let (before, after) = (earlier.version(high).unwrap(), later.version(low).unwrap());
        prop_assert!(before < after);
        prop_assert_eq!((Numbering::of(before), number(before)), (earlier, high));
        prop_assert_eq!((Numbering::of(after), number(after)), (later, low));
        // What schedules sort by.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let sorted = Version((after.0 as f64) as u64);
        prop_assert_eq!(sorted, after);
    }
}

#[test]
fn the_first_numbering_leaves_exacts_numbers_as_they_are() {
    assert_eq!(Numbering::default().version(31_455_941_095), Some(Version(31_455_941_095)));
    assert_eq!(Numbering::default().start(), Version(1));
}

#[test]
fn a_number_that_would_reach_into_the_numbering_is_none() {
    assert_eq!(Numbering(1).version(1 << BITS), None);
}

#[test]
fn a_division_that_moved_or_was_linked_is_numbered_anew_each_time() {
    let first = Known::after(None, Some(dates(Some("May"), None)), at(0));
    assert_eq!(first.numbering, Numbering(0));
    let moved = Known::after(Some(first), Some(dates(Some("June"), None)), at(1));
    assert_eq!(moved.numbering, Numbering(1));
    let linked = Known::after(Some(moved), Some(dates(Some("June"), Some("July"))), at(2));
    assert_eq!(linked.numbering, Numbering(2));
    let still = Known::after(Some(linked.clone()), Some(dates(Some("June"), Some("July"))), at(3));
    assert_eq!((still.numbering, still.is_due(at(3))), (linked.numbering, false));
}

#[test]
fn a_look_that_tells_nothing_leaves_what_is_known() {
    let known = Known::after(None, Some(dates(Some("May"), None)), at(0));
    let unseen = Known::after(Some(known.clone()), None, at(1));
    let emptied = Known::after(Some(unseen.clone()), Some(dates(None, None)), at(2));
    assert_eq!((unseen.numbering, emptied.numbering), (known.numbering, known.numbering));
    let again = Known::after(Some(emptied), Some(dates(Some("May"), None)), at(3));
    assert_eq!(again.numbering, known.numbering);
}

#[test]
fn it_is_looked_at_again_after_eight_hours_and_when_the_clock_was_wrong() {
    let known = Known::after(None, None, at(100));
    assert!(!known.is_due(at(107)));
    assert!(known.is_due(at(108)));
    assert!(known.is_due(at(50)));
    assert!(!known.may_be_looked_at(at(100) + SignedDuration::from_mins(9)));
    assert!(known.may_be_looked_at(at(100) + SignedDuration::from_mins(10)));
}
