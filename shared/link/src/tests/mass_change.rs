//! What links ask of a side, and when that is more than anybody meant.

use jiff::SignedDuration;
use model::{LinkId, System};

use super::{
    document::{linked_paper, papers, seen_paper},
    fixture::{CRM, EXACT, Story, alone, at, gone, linked, plain, property, record, seen, value},
};
use crate::{
    DeletePolicy, Policy,
    mass_change::{Change, Limit, Limits, Tally, Trip},
};

fn asks(story: &Story, system: System) -> Option<Change> {
    Change::of(&story.link, &story.policy, system)
}

/// The same is asked while the write is queued and while it is in flight.
#[track_caller]
fn asks_of_exact(mut story: Story, change: Change) {
    assert_eq!(asks(&story, EXACT), Some(change), "queued");
    assert_eq!(asks(&story, CRM), None);
    story.claims(EXACT);
    assert_eq!(asks(&story, EXACT), Some(change), "in flight");
}

fn edited(values: &[(&str, &str)]) -> Story {
    let mut story = Story::of(linked(&[("a", "A"), ("b", "B"), ("c", "")]), plain());
    story.edited(CRM, 2, values);
    story
}

fn deleted(of_exact: DeletePolicy) -> Story {
    let mut policy = plain();
    policy.deletes.exactonline = of_exact;
    let mut story = Story::of(linked(&[("a", "A"), ("c", "active")]), policy);
    story.sees(CRM, gone(CRM, 2));
    story
}

#[test]
fn a_link_at_rest_asks_nothing() {
    assert_eq!(asks(&Story::of(linked(&[("a", "A")]), plain()), EXACT), None);
}

#[test]
fn a_record_without_a_partner_asks_for_one() {
    let mut story = Story::of(alone(&[("a", "A")]), plain());
    story.sees(CRM, seen(CRM, 2, &[("a", "")]));
    asks_of_exact(story, Change::Create);
}

#[test]
fn an_edit_asks_for_an_update() {
    asks_of_exact(edited(&[("a", "A2")]), Change::Update);
}

#[test]
fn one_property_that_is_emptied_among_others_clears() {
    asks_of_exact(edited(&[("a", ""), ("b", "B2")]), Change::Clear);
}

#[test]
fn a_property_that_is_filled_clears_nothing() {
    asks_of_exact(edited(&[("c", "C")]), Change::Update);
}

#[test]
fn a_line_that_is_removed_clears_and_one_that_is_added_does_not() {
    for (lines, change) in [
        (&["L1 p 2 10"][..], Change::Clear),
        (&["L1 p 2 10", "L2 q 1 5", "L3 q 2 7"], Change::Update),
        (&["L1 p 2 10", "L2 q 9 5"], Change::Update),
    ] {
        let mut story = Story::of(linked_paper(&["L1 p 2 10", "L2 q 1 5"]), papers());
        story.sees(CRM, seen_paper(CRM, 2, lines));
        asks_of_exact(story, change);
    }
}

#[test]
fn the_partner_of_a_deleted_record_is_asked_to_go_whether_deleted_or_archived() {
    asks_of_exact(deleted(DeletePolicy::Propagate), Change::Delete);
    asks_of_exact(deleted(DeletePolicy::Archive(property("c"), value("inactive"))), Change::Delete);
    asks_of_exact(deleted(DeletePolicy::Archive(property("c"), value(""))), Change::Delete);
}

#[test]
fn a_person_who_marks_a_record_as_not_in_use_edits_it() {
    let policy = || Policy {
        deletes: model::SystemPair {
            customcrm: DeletePolicy::Unlink,
            exactonline: DeletePolicy::Archive(property("c"), value("inactive")),
        },
        ..plain()
    };
    let mut story = Story::of(linked(&[("a", "A"), ("c", "active")]), policy());
    story.edited(CRM, 2, &[("a", "A"), ("c", "inactive")]);
    asks_of_exact(story, Change::Update);
}

const WINDOW: SignedDuration = SignedDuration::from_mins(60);

fn link(number: usize) -> LinkId {
    LinkId::begun_by(CRM, &record(&format!("c{number}")))
}

/// More than two links and more than a tenth of all may ask for no deletion; twice as many of the rest.
fn limits() -> Limits {
    let of = Change::ALL.into_iter().map(|change| {
        let limit = if change == Change::Delete {
            Limit { links: 2, percent: 10 }
        } else {
            Limit { links: 4, percent: 20 }
        };
        (change, limit)
    });
    Limits { window: WINDOW, of: of.collect() }
}

fn tally(system: System, change: Change, links: usize) -> Tally {
    let mut tally = Tally::default();
    for number in 0..links {
        tally.count(system, &link(number), change, at(0));
    }
    tally
}

#[test]
fn a_wave_trips_when_it_is_more_than_the_count_and_more_than_the_share() {
    for (links, of, trips) in [
        (2, 2, false),  // all of the two links there are
        (3, 29, true),  // more than a tenth
        (3, 30, false), // a tenth
        (10, 100, false),
        (11, 100, true),
    ] {
        let trip = tally(EXACT, Change::Delete, links).trip(&limits(), of, at(0));
        let expected = Trip { system: EXACT, change: Change::Delete, links, of };
        assert_eq!(trip, trips.then_some(expected), "{links} of {of}");
    }
}

#[test]
fn each_kind_of_change_and_each_side_has_a_count_of_its_own() {
    let mut tally = tally(EXACT, Change::Update, 4);
    for number in 0..4 {
        tally.count(EXACT, &link(number), Change::Create, at(0));
        tally.count(CRM, &link(number), Change::Update, at(0));
    }
    assert_eq!(tally.trip(&limits(), 10, at(0)), None);
    assert_eq!(tally.links(EXACT, Change::Update, WINDOW, at(0)), 4);
    assert_eq!(tally.links(CRM, Change::Create, WINDOW, at(0)), 0);
}

#[test]
fn the_gravest_of_several_waves_is_named() {
    let mut tally = tally(EXACT, Change::Update, 5);
    for number in 0..5 {
        tally.count(CRM, &link(number), Change::Clear, at(0));
    }
    let trip = Trip { system: CRM, change: Change::Clear, links: 5, of: 10 };
    assert_eq!(tally.trip(&limits(), 10, at(0)), Some(trip));
}

#[test]
fn a_link_that_asks_again_and_again_counts_once() {
    let mut tally = Tally::default();
    for second in 0..100 {
        tally.count(EXACT, &link(1), Change::Delete, at(second));
    }
    assert_eq!(tally.links(EXACT, Change::Delete, WINDOW, at(100)), 1);
}

#[test]
fn what_was_asked_before_the_window_counts_no_more() {
    let hour = WINDOW.as_secs();
    let mut tally = tally(EXACT, Change::Delete, 3);
    tally.count(EXACT, &link(0), Change::Delete, at(1));
    tally.count(EXACT, &link(0), Change::Delete, at(-1));
    assert!(tally.trip(&limits(), 3, at(hour)).is_some(), "until its end");
    assert_eq!(tally.trip(&limits(), 3, at(hour + 1)), None);
    assert_eq!(tally.links(EXACT, Change::Delete, WINDOW, at(hour + 1)), 1, "asked again within it");
    tally.forget(WINDOW, at(hour + 1));
    assert_eq!(tally.links(EXACT, Change::Delete, WINDOW * 2, at(hour + 1)), 1, "the others are forgotten");
}

#[test]
fn a_kind_of_change_without_a_limit_never_trips() {
    let limits = Limits { window: WINDOW, of: [].into() };
    assert_eq!(tally(EXACT, Change::Delete, 50).trip(&limits, 50, at(0)), None);
}
