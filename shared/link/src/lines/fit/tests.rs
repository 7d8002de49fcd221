//! Each reason for which one line fits better than another, by itself; and what of a pair is uncertain.
#![allow(clippy::unwrap_used)]

use model::{LineKey, System, Value};

use super::{Pair, pairs};
use crate::{
    lines::{
        Lines,
        partners::{Come, Hope, Lack},
    },
    tests::document::{key, papers},
};

/// What is known of a line, or of a tie, beside its cells.
#[derive(Clone, Copy)]
struct Known {
    hope: Hope,
    agreed: bool,
    removed: bool,
    goes: bool,
    gone: bool,
    undecided: bool,
}

const NEW: Known =
    Known { hope: Hope::Match, agreed: false, removed: false, goes: false, gone: false, undecided: false };
const SENT: Known = Known { hope: Hope::Sent, ..NEW };
const IN_FLIGHT: Known = Known { hope: Hope::InFlight, ..NEW };
const LOST: Known = Known { agreed: true, ..NEW };
const REMOVED: Known = Known { removed: true, ..NEW };
const GONE: Known = Known { gone: true, ..NEW };
const UNDECIDED: Known = Known { undecided: true, ..NEW };

/// An id, then product, quantity, price, note and number; `-` is empty.
type Line = (&'static str, Known);

struct Given {
    key: LineKey,
    cells: Vec<Option<Value>>,
    known: Known,
}

impl Given {
    fn of(lines: &Lines<'_>, given: &[Line]) -> Vec<Self> {
        let line = |(words, known): &Line| {
            let mut words = words.split(' ');
            let key = key(words.next().unwrap());
            let names = ["Product", "Quantity", "Price", "Note", "Number"];
            let cells: Vec<(&str, &str)> = names.into_iter().zip(words).collect();
            let cell = |row: &super::super::Row<'_>| {
                let (_, word) = cells.iter().find(|(name, _)| *name == row.cell)?;
                Some(if *word == "-" { Value::Empty } else { Value::Text((*word).to_owned()) })
            };
            Self { key, cells: lines.rows.iter().map(cell).collect(), known: *known }
        };
        given.iter().map(line).collect()
    }

    fn cells(&self) -> Vec<Option<&Value>> {
        self.cells.iter().map(Option::as_ref).collect()
    }
}

/// Which of these lines of Exact Online belong to which ties, as `L1=X2`; uncertain rows follow.
fn paired(ties: &[Line], come: &[Line]) -> Vec<String> {
    let policy = papers();
    let lines = Lines::of(&policy).unwrap();
    let (ties, come) = (Given::of(&lines, ties), Given::of(&lines, come));
    let come: Vec<Come<'_>> = come
        .iter()
        .map(|line| {
            let Known { agreed, gone, undecided, .. } = line.known;
            Come { key: &line.key, cells: line.cells(), undecided, agreed, gone }
        })
        .collect();
    let lack: Vec<Lack<'_>> = ties
        .iter()
        .map(|tie| {
            let Known { hope, agreed, removed, goes, .. } = tie.known;
            Lack { key: &tie.key, cells: tie.cells(), hope, agreed, removed, goes }
        })
        .collect();
    let words = |Pair { line, tie, doubtful }: Pair| {
        let id = |key: &LineKey| key.as_str().split_once(':').unwrap().1.to_owned();
        let rows = doubtful.iter().map(|place| format!(" {}", lines.rows[*place].cell));
        format!("{}={}{}", id(&tie), id(&line), rows.collect::<String>())
    };
    pairs(&lines, System::ExactOnline, &come, &lack).into_iter().map(words).collect()
}

/// They come in this order, and nothing else tells them apart.
#[track_caller]
fn check_in_order(sentence: &str, ties: &[Line], come: &[Line], expected: &[&str]) {
    assert_eq!(paired(ties, come), expected, "{sentence}");
}

#[track_caller]
fn check(sentence: &str, ties: &[Line], come: &[Line], expected: &[&str]) {
    assert_eq!(paired(ties, come), expected, "{sentence}");
    let backwards = |lines: &[Line]| lines.iter().rev().copied().collect::<Vec<Line>>();
    let mut turned = paired(&backwards(ties), &backwards(come));
    turned.sort();
    assert_eq!(turned, expected, "{sentence}, in whatever order they come");
}

#[test]
fn what_was_sent_comes_before_what_is_on_its_way_and_that_before_the_other_sides_own() {
    check("sent", &[("L1 p 1 1 n", NEW), ("L2 p 1 1", SENT)], &[("X1 p 1 1", NEW)], &["L2=X1"]);
    check("on its way", &[("L1 p 1 1 n", NEW), ("L2 p 1 1", IN_FLIGHT)], &[("X1 p 1 1", NEW)], &["L2=X1"]);
}

#[test]
fn what_is_on_its_way_is_only_what_looks_in_all_as_it_was_sent() {
    let flies = [("L1 p 1 1 n 7", IN_FLIGHT)];
    check("alike", &flies, &[("X1 p 1 1 n 7", NEW)], &["L1=X1"]);
    check("another quantity", &flies, &[("X1 p 2 1 n 7", NEW)], &[]);
    check("another note", &flies, &[("X1 p 1 1 m 7", NEW)], &[]);
    check("what Exact computes by itself is not sent", &flies, &[("X1 p 1 1 n 8", NEW)], &["L1=X1"]);
    check("a line that both sides have had is none that is added", &flies, &[("X1 p 1 1 n 7", LOST)], &[]);
}

#[test]
fn what_may_not_be_one_is_not_paired() {
    check("another product", &[("L1 p 1 1", NEW)], &[("X1 q 1 1", NEW)], &[]);
    check("it may be one on its way", &[("L1 p 1 1", NEW)], &[("X1 p 1 1", UNDECIDED)], &[]);
    check("each is an edit of its side", &[("L1 p 1 1", LOST)], &[("X1 p 1 1", LOST)], &[]);
    check("one of them is", &[("L1 p 1 1", LOST)], &[("X1 p 1 1", NEW)], &["L1=X1"]);
    check("the other one is", &[("L1 p 1 1", NEW)], &[("X1 p 1 1", LOST)], &["L1=X1"]);
}

#[test]
fn what_is_left_is_rather_a_line_that_we_are_not_removing() {
    let goes = Known { goes: true, ..SENT };
    let ties = [("L1 p 1 1 n", goes), ("L2 p 1 2 m", SENT)];
    check("one is left", &ties, &[("X1 p 1 1 n", NEW)], &["L2=X1 Note Price"]);
    check("both are", &ties, &[("X1 p 1 1 n", NEW), ("X2 p 1 2 m", NEW)], &["L1=X1", "L2=X2"]);
}

#[test]
fn more_match_rows_count_more_than_anything_else_that_is_alike() {
    let come = [("X1 p 1 2 n 7", NEW), ("X2 p 2 1 m 8", NEW)];
    check("the quantity", &[("L1 p 1 1 m 8", NEW)], &come, &["L1=X1"]);
}

#[test]
fn a_line_that_is_back_goes_before_a_new_one() {
    let new_and_lost = [("L1 p 1 1 n", NEW), ("L2 p 1 1 m", LOST)];
    check("the tie was lost", &new_and_lost, &[("X1 p 1 1 n", NEW)], &["L2=X1"]);
    let come = [("X1 p 1 1 n", NEW), ("X2 p 1 1 m", LOST)];
    check("the line was lost", &[("L1 p 1 1 n", NEW)], &come, &["L1=X2"]);
    let given_up = [("L1 p 1 1 n", NEW), ("L2 p 1 1 m", Known { removed: true, ..LOST })];
    check("who removed it does not wait for it", &given_up, &[("X1 p 1 1 n", NEW)], &["L1=X1"]);
}

#[test]
fn what_is_still_there_goes_before_what_is_gone() {
    let come = [("X1 p 1 1", GONE), ("X2 p 1 1", NEW)];
    check("the line", &[("L1 p 1 1", NEW)], &come, &["L1=X2"]);
    check("the tie", &[("L1 p 1 1", REMOVED), ("L2 p 1 1", NEW)], &[("X1 p 1 1", NEW)], &["L2=X1"]);
    check(
        "rather what is alike",
        &[("L1 p 1 1 n", NEW)],
        &[("X1 p 1 1 n", GONE), ("X2 p 1 1 m", NEW)],
        &["L1=X1"],
    );
}

#[test]
fn each_takes_what_the_others_miss_the_least() {
    let ties = [("L1 p 1 10 m", NEW), ("L2 p 1 12 n", NEW)];
    let come = [("X1 p 2 10 n", NEW), ("X2 p 2 11 m", NEW)];
    check("X1 fits both ties and X2 one", &ties, &come, &["L1=X2", "L2=X1"]);
    let ties = [("L1 p 1 11 n", NEW), ("L2 p 1 12 n", NEW)];
    let come = [("X1 p 1 10 n", NEW), ("X2 p 2 11 m", NEW)];
    check("L1 has another line to take", &ties, &come, &["L1=X2", "L2=X1"]);
    let ties = [("L1 p 1 10 n", NEW), ("L2 p 1 11 m", NEW)];
    let come = [("X1 p 2 10 m", NEW), ("X2 p 2 12 n", NEW)];
    check("L1 fits both lines and L2 one", &ties, &come, &["L1=X2", "L2=X1"]);
}

#[test]
fn what_a_system_computes_by_itself_tells_equal_lines_apart() {
    let come = [("X1 p 1 1 - 2", NEW), ("X2 p 1 1 - 1", NEW)];
    check("the number", &[("L1 p 1 1 - 1", NEW), ("L2 p 1 1 - 2", NEW)], &come, &["L1=X2", "L2=X1"]);
    check(
        "rather what is sent",
        &[("L1 p 1 1 n 2", NEW)],
        &[("X1 p 1 1 - 2", NEW), ("X2 p 1 1 n 9", NEW)],
        &["L1=X2"],
    );
}

#[test]
fn what_another_line_holds_otherwise_that_fits_as_well_is_uncertain() {
    let come = [("X1 p 1 1 n", NEW), ("X2 p 1 1 m", NEW)];
    check_in_order("the other one might be it", &[("L1 p 1 1", SENT)], &come, &["L1=X1 Note"]);
    check_in_order("of the other side's own line nothing was sent", &[("L1 p 1 1", NEW)], &come, &["L1=X1"]);
    check("the other one fits worse", &[("L1 p 1 1 n", SENT)], &come, &["L1=X1"]);
    check(
        "and is farther off in what is matched",
        &[("L1 p 1 1", SENT)],
        &[("X1 p 1 1 n", NEW), ("X2 p 2 1 -", NEW)],
        &["L1=X1"],
    );
}

#[test]
fn what_another_tie_was_to_hold_that_fits_as_well_is_uncertain() {
    let come = [("X1 p 1 1 o", NEW)];
    check_in_order(
        "the other one might be it",
        &[("L1 p 1 1 n", SENT), ("L2 p 1 1 m", SENT)],
        &come,
        &["L1=X1 Note"],
    );
    check("the other one fits worse", &[("L1 p 1 1 n", SENT), ("L2 p 2 1 o", SENT)], &come, &["L1=X1"]);
}

#[test]
fn what_two_pairs_might_exchange_is_uncertain() {
    let ties = [("L1 p 1 1 n", SENT), ("L2 p 1 1 m", SENT)];
    let come = [("X1 p 1 1 o", NEW), ("X2 p 1 1 u", NEW)];
    check_in_order("as well", &ties, &come, &["L1=X1 Note", "L2=X2 Note"]);
    let come = [("X1 p 1 1 n", NEW), ("X2 p 1 1 u", NEW)];
    check("not as well", &ties, &come, &["L1=X1", "L2=X2"]);
}
