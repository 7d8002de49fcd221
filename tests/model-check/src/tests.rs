//! Every small world holds every promise, and a protocol that lacks a safeguard breaks one.

use model::SystemPair;

use crate::account::WRITTEN_OVER;
use crate::bounds::{Bounds, Recognised, Safeguard, Start};
use crate::check::{Check, Report};
use crate::worlds::{World, deleting, editing, making, quiet};

/// Goes through all of these worlds: each is seen to its end.
fn hold(worlds: Vec<World>) {
    for (name, bounds) in worlds {
        let report = Check::of(bounds).run(2);
        println!("{name}: {report}");
        assert!(report.is_good(), "{name}: {report}{}", report.told());
    }
}

#[test]
fn every_promise_holds_while_a_partner_is_made() {
    hold(making());
}

#[test]
fn every_promise_holds_while_both_records_are_edited() {
    hold(editing());
}

#[test]
fn every_promise_holds_while_records_are_deleted() {
    hold(deleting());
}

/// What goes wrong first in a world whose protocol lacks this.
fn lacking(safeguard: Safeguard, bounds: Bounds) -> String {
    let Report { broken, .. } = Check::of(Bounds { without: Some(safeguard), ..bounds }).run(1);
    broken
        .first()
        .map_or_else(|| panic!("nothing goes wrong without {safeguard:?}"), |broken| broken.0.to_owned())
}

fn alone() -> Bounds {
    quiet(Start::Alone, Recognised::ByName)
}

fn edited(bounds: Bounds) -> Bounds {
    Bounds { edits: SystemPair { customcrm: 1, exactonline: 1 }, ..bounds }
}

fn linked() -> Bounds {
    quiet(Start::Linked, Recognised::ByKey)
}

#[test]
fn without_a_stored_claim_a_partner_is_made_twice() {
    let broken = lacking(Safeguard::StoredClaim, Bounds { repeats: 1, ..alone() });
    assert!(broken.starts_with("no duplicate"), "{broken}");
}

#[test]
fn without_a_search_a_partner_is_made_twice() {
    let broken = lacking(Safeguard::Search, Bounds { lost_answers: 1, ..alone() });
    assert!(broken.starts_with("no duplicate"), "{broken}");
}

#[test]
fn without_the_wait_for_what_was_sent_a_partner_is_made_twice() {
    let broken = lacking(Safeguard::Wait, Bounds { lost_answers: 1, ..alone() });
    assert!(broken.starts_with("no duplicate"), "{broken}");
}

#[test]
fn without_the_comparison_at_the_commit_one_overwrites_the_other() {
    lacking(Safeguard::Comparison, Bounds { mappers: 2, apart: true, ..edited(linked()) });
}

#[test]
fn without_the_check_of_versions_an_edit_is_lost() {
    assert_eq!(lacking(Safeguard::VersionCheck, edited(linked())), WRITTEN_OVER);
}

#[test]
fn a_message_that_is_acknowledged_before_its_commit_is_lost_in_a_crash() {
    let bounds = Bounds { crashes: 1, apart: true, ..edited(linked()) };
    let broken = lacking(Safeguard::LateAcknowledgement, bounds);
    assert!(broken.starts_with("convergence") || broken.starts_with("no write waits"), "{broken}");
}

#[test]
fn without_the_outbox_a_write_waits_for_nobody_after_a_crash() {
    let bounds = Bounds { crashes: 1, apart: true, ..edited(linked()) };
    assert_eq!(lacking(Safeguard::Outbox, bounds), "no write waits for nobody");
}
