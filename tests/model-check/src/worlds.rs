//! The worlds that are gone through: small ones by the tests, larger ones by the command.

use model::SystemPair;

use crate::bounds::{Bounds, Recognised, Start};
use crate::words::{Property, Word};

/// A world by its name.
pub type World = (&'static str, Bounds);

const fn each<T>(customcrm: T, exactonline: T) -> SystemPair<T> {
    SystemPair { customcrm, exactonline }
}

/// CustomCRM's people enter one note after the other; Exact Online's another name.
fn notes_beside_a_name() -> SystemPair<Vec<(Property, Word)>> {
    each(vec![(Property::Note, Word::B), (Property::Note, Word::C)], vec![(Property::Name, Word::C)])
}

/// One in which nothing happens by itself but what follows from how it begins. People would enter another name.
pub fn quiet(start: Start, recognised: Recognised) -> Bounds {
    Bounds {
        start,
        recognised,
        name: Word::A,
        entries: each(vec![(Property::Name, Word::B)], vec![(Property::Name, Word::C)]),
        edits: each(0, 0),
        deletes: each(0, 0),
        crashes: 0,
        repeats: 0,
        lost_answers: 0,
        unread: 0,
        mappers: 1,
        writers: 2,
        apart: false,
        without: None,
    }
}

/// What people enter in the notes of both sides, about which a person decides where they meet.
fn notes() -> SystemPair<Vec<(Property, Word)>> {
    each(vec![(Property::Note, Word::B)], vec![(Property::Note, Word::C)])
}

/// The worlds of the tests: six hundred thousand states in all.
pub fn small() -> Vec<World> {
    [making(), editing(), deleting()].concat()
}

/// A partner is made.
pub fn making() -> Vec<World> {
    let alone = |recognised| quiet(Start::Alone, recognised);
    vec![
        (
            "a partner is made while answers are lost and writers crash",
            Bounds { crashes: 1, repeats: 1, lost_answers: 1, unread: 1, ..alone(Recognised::ByName) },
        ),
        (
            "a partner is made while its source is edited, and is recognised by a key",
            Bounds { edits: each(1, 0), crashes: 1, lost_answers: 1, unread: 1, ..alone(Recognised::ByKey) },
        ),
        (
            "a partner of a name that is trimmed is seen before its outcome",
            Bounds { name: Word::PaddedA, lost_answers: 1, repeats: 1, ..alone(Recognised::ByKey) },
        ),
        (
            "a partner is made of a name that is trimmed, and both are edited",
            Bounds {
                name: Word::PaddedA,
                edits: each(1, 1),
                crashes: 1,
                lost_answers: 1,
                ..alone(Recognised::ByName)
            },
        ),
        (
            "a partner is made and both notes are edited",
            Bounds {
                entries: notes(),
                edits: each(1, 1),
                lost_answers: 1,
                unread: 1,
                ..alone(Recognised::ByKey)
            },
        ),
        (
            "a partner is made while its note is edited twice and answers are lost",
            Bounds {
                entries: notes_beside_a_name(),
                edits: each(2, 0),
                lost_answers: 1,
                ..alone(Recognised::ByName)
            },
        ),
        (
            "mappers and writers meet at the link while a partner is made",
            Bounds { edits: each(1, 0), crashes: 1, mappers: 2, apart: true, ..alone(Recognised::ByKey) },
        ),
    ]
}

/// Linked records are edited.
pub fn editing() -> Vec<World> {
    let linked = quiet(Start::Linked, Recognised::ByKey);
    let entries = || {
        each(
            vec![(Property::Name, Word::PaddedA), (Property::Note, Word::B)],
            vec![(Property::Note, Word::C)],
        )
    };
    vec![
        (
            "both names are edited twice while a writer crashes",
            Bounds { edits: each(2, 2), crashes: 1, ..linked.clone() },
        ),
        (
            "both names are edited while messages are repeated",
            Bounds { edits: each(1, 1), repeats: 1, lost_answers: 1, ..linked.clone() },
        ),
        (
            "a name that is trimmed and a note are edited against a note",
            Bounds { entries: entries(), edits: each(2, 1), ..linked.clone() },
        ),
        (
            "a note is edited twice beside a name while answers are lost",
            Bounds {
                entries: notes_beside_a_name(),
                edits: each(2, 1),
                writers: 1,
                lost_answers: 1,
                ..linked.clone()
            },
        ),
        (
            "mappers and writers meet at the link",
            Bounds { edits: each(1, 1), crashes: 1, mappers: 2, apart: true, ..linked },
        ),
    ]
}

/// Linked records are deleted.
pub fn deleting() -> Vec<World> {
    let linked = quiet(Start::Linked, Recognised::ByKey);
    vec![
        (
            "either record is deleted while both are edited",
            Bounds { edits: each(1, 1), deletes: each(1, 1), crashes: 1, ..linked.clone() },
        ),
        (
            "a record is deleted while messages are repeated",
            Bounds {
                edits: each(0, 1),
                deletes: each(1, 0),
                repeats: 1,
                lost_answers: 1,
                unread: 1,
                ..linked
            },
        ),
    ]
}

/// The worlds of the command: minutes to hours, by how much of everything there is.
pub fn large() -> Vec<World> {
    let alone = |recognised| quiet(Start::Alone, recognised);
    let linked = quiet(Start::Linked, Recognised::ByKey);
    let faults = |bounds: Bounds| Bounds { crashes: 1, repeats: 1, lost_answers: 1, unread: 1, ..bounds };
    let both = || {
        each(
            vec![(Property::Name, Word::B), (Property::Name, Word::PaddedA), (Property::Note, Word::B)],
            vec![(Property::Name, Word::C), (Property::Note, Word::C)],
        )
    };
    vec![
        (
            "made by name, edited, every fault",
            faults(Bounds { edits: each(1, 1), ..alone(Recognised::ByName) }),
        ),
        (
            "made by key, edited, every fault",
            faults(Bounds { edits: each(1, 1), ..alone(Recognised::ByKey) }),
        ),
        (
            "made by name, notes, every fault",
            faults(Bounds { entries: notes(), edits: each(1, 1), ..alone(Recognised::ByName) }),
        ),
        ("edited, every fault", faults(Bounds { edits: each(1, 1), ..linked.clone() })),
        (
            "edited twice in both properties, crash",
            Bounds { entries: both(), edits: each(2, 2), crashes: 1, ..linked.clone() },
        ),
        (
            "edited twice beside a name, lost answers",
            Bounds { entries: notes_beside_a_name(), edits: each(2, 1), lost_answers: 1, ..linked.clone() },
        ),
        (
            "meeting at the link, every fault",
            faults(Bounds { edits: each(1, 1), mappers: 2, apart: true, ..linked.clone() }),
        ),
        ("deleted, edited, every fault", faults(Bounds { edits: each(1, 1), deletes: each(1, 1), ..linked })),
    ]
}
