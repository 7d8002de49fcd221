//! That exactly those lines are looked at of which something may follow.
#![allow(clippy::unwrap_used)]

use model::{System, Value};

use crate::{
    Link,
    lines::Lines,
    tests::document::{cell, key, linked_paper, papers, there},
};

/// Three lines that both sides hold as they have agreed on them.
fn settled() -> Link {
    linked_paper(&["L1 p 1 1 n", "L2 q 2 2 m", "L3 r 3 3 o"])
}

/// Which lines are looked at once this has happened to the link.
#[track_caller]
fn looked_at(sentence: &str, happens: impl Fn(&mut Link), expected: &[&str]) {
    let (mut link, policy) = (settled(), papers());
    happens(&mut link);
    let lines = Lines::of(&policy).unwrap();
    let open: Vec<String> = lines.unsettled(&link).iter().map(ToString::to_string).collect();
    let expected: Vec<String> = expected.iter().map(|id| key(id).to_string()).collect();
    assert_eq!(open, expected, "{sentence}");
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn of_a_settled_document_no_line_is_looked_at() {
    looked_at("all is agreed on", |_| {}, &[]);
}

#[test]
fn a_line_that_differs_from_what_was_agreed_on_is_looked_at() {
    for system in System::BOTH {
        let edited = |link: &mut Link| {
            link.sides[system].as_mut().unwrap().view.insert(cell("L2", "Price"), text("9"));
        };
        looked_at("edited on one side", edited, &["L2"]);
    }
    let never_agreed = |link: &mut Link| drop(link.agreed.remove(&cell("L2", "Price")));
    looked_at("never agreed on", never_agreed, &["L2"]);
}

#[test]
fn a_line_that_is_not_on_both_sides_is_looked_at() {
    for system in System::BOTH {
        let lacks = |link: &mut Link| link.lines.get_mut(&key("L2")).unwrap()[system] = None;
        looked_at("it has no line there", lacks, &["L2"]);
        let not_there = |link: &mut Link| {
            link.sides[system].as_mut().unwrap().view.remove(&there("L2"));
        };
        looked_at("it is not seen there", not_there, &["L2"]);
        let unknown = |link: &mut Link| link.awaits_lines[system] = true;
        looked_at("nobody knows how the lines look", unknown, &["L1", "L2", "L3"]);
        let alone = |link: &mut Link| link.sides[system] = None;
        looked_at("there is no partner", alone, &["L1", "L2", "L3"]);
    }
}

#[test]
fn what_one_side_alone_shows_of_a_line_or_what_is_left_of_one_is_only_read() {
    for system in System::BOTH {
        let read = |link: &mut Link| {
            link.sides[system].as_mut().unwrap().view.insert(cell("L2", "Number"), text("2"));
        };
        looked_at("a cell that the other side has not", read, &[]);
    }
    let left = |link: &mut Link| {
        for system in System::BOTH {
            link.sides[system].as_mut().unwrap().view.remove(&there("L2"));
        }
    };
    looked_at("an agreement on a line that is gone", left, &[]);
}

#[test]
fn a_line_that_is_held_or_turns_or_is_being_written_is_looked_at() {
    looked_at("held", |link| link.conflicts.extend([cell("L2", "Price")]), &["L2"]);
    let turn = crate::Turn { to: System::CustomCrm, at: crate::tests::fixture::at(0), count: 1 };
    looked_at("it turns", |link| link.turns.extend([(cell("L3", "Price"), turn)]), &["L3"]);
    let sent = |link: &mut Link| {
        let values = [(cell("L1", "Price"), text("9"))].into();
        let record = link.sides.exactonline.as_ref().unwrap().record.clone();
        link.pending.exactonline = crate::Pending::InFlight {
            write: crate::Write::Update { record, version: None, values },
            claim: 1,
            attempt: 1,
            since: crate::tests::fixture::at(0),
        };
    };
    looked_at("it is being written", sent, &["L1"]);
}
