//! A file that can't work is refused: where, what, and what to write instead.

mod names;
mod rows;
mod shape;

use super::{ORDER, kept, pair_name, parse};
use crate::{Pair, Reading};

/// Where the text of a change has this mark, its problem must be told.
const HERE: char = '¶';

/// The place of the mark, and the text without it.
fn place(text: &str) -> (String, String) {
    let before = text.split(HERE).next().unwrap_or_default();
    let line = before.lines().count() + usize::from(before.ends_with('\n') || before.is_empty());
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (format!("pair.toml:{line}:{column}"), text.replacen(HERE, "", 1))
}

/// In this reading, one change makes one problem, at the mark.
#[track_caller]
fn refused_in(reading: Reading, from: &str, to: &str, problem: &str) {
    assert!(ORDER.contains(from), "{from:?} is not in the file");
    let (place, text) = place(&ORDER.replacen(from, to, 1));
    let problems = parse(&text, reading).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("{place}: {problem}")]);
}

#[track_caller]
fn refused(from: &str, to: &str, problem: &str) {
    refused_in(Reading::Practical, from, to, problem);
}

#[test]
fn all_problems_of_a_file_are_told_at_once_in_its_order() {
    let text = ORDER
        .replacen("archive = {", "arxive = {", 1)
        .replacen("kind = \"person\"", "kind = \"persoon\"", 1)
        .replacen("kind = \"country\"", "kind = \"land\"", 1)
        .replacen("max = 60", "max = 60\npad = 3", 1)
        .replacen("pair = \"contact-contact\"\noptional = true", "pair = \"contact-contact\"", 1)
        .replacen("words = { Low = \"L\", High = \"H\" }", "words = { Low = \"L\", High = \"L\" }", 1)
        .replacen("search_own = \"CustomerReference\"", "search_own = \"Customer\"", 1)
        .replacen("order = \"LineNumber\"", "ordr = \"LineNumber\"", 1)
        .replacen("exactonline = \"WarehouseCode\"", "exactonline = \"Currency\"", 1);
    let problems = parse(&text, Reading::Practical).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 9, "{}", told.join("\n"));
    assert!(
        problems.windows(2).all(|two| (two[0].line, two[0].column) < (two[1].line, two[1].column)),
        "{told:?}"
    );
    for part in [
        "\"Customer\"",
        "\"arxive\"",
        "contact-contact",
        "\"persoon\"",
        "\"pad\"",
        "\"land\"",
        "\"L\"",
        "\"ordr\"",
        "\"Currency\"",
    ] {
        assert_eq!(told.iter().filter(|problem| problem.contains(part)).count(), 1, "{part}: {told:?}");
    }
}

#[test]
fn a_name_of_a_row_that_was_refused_is_not_told_again() {
    let text = ORDER.replacen("kind = \"text\"\nmax = 40", "kind = \"txt\"\nmax = 40", 1);
    let problems = parse(&text, Reading::Practical).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let unkept = kept().into_iter().filter(|pair| *pair != pair_name("customer-account")).collect();
    let problems = Pair::parse("pair.toml", ORDER, Reading::Practical, &unkept).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn hostile_text_is_told_in_place_and_takes_no_effect() {
    refused(
        "conflict = \"newest\"",
        "conflict = ¶\"\u{202e}\\u001b[31m\"",
        "the conflict \"\\u{202e}\\u{1b}[31m\" is unknown: write one of crm, exact, newest, ask",
    );
    refused(
        "archive = { property = \"IsOpen\", value = false }",
        "archive = { value = \"🦀é\u{202e}\", property = ¶\"🦀\" }",
        "no row is called \"🦀\": name a row by its `name`, or by its CustomCRM property",
    );
    refused(
        "max = 60",
        "max = ¶99999999999999999999999999",
        "\"max\" can't be this: write a number from 1 on",
    );
}
