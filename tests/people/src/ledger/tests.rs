use super::*;

const CRM: System = System::CustomCrm;
const EXACT: System = System::ExactOnline;

fn value(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn cell() -> Cell {
    let thing = Thing { kind: Kind::Company, mark: "Firma 1".to_owned() };
    Cell { thing, line: None, row: "City".to_owned() }
}

/// What may stand in the cell after these edits: who said what, and what that side and the other one showed before.
fn stands(edits: &[(System, &str, &str, &str)]) -> Vec<String> {
    let mut ledger = Ledger::default();
    for (system, said, here, there) in edits {
        let shown = Shown { here: Some(value(here)), there: Some(value(there)) };
        ledger.says(cell(), Word { system: *system, value: value(said) }, &shown, true);
    }
    ledger.words[&cell()].iter().map(|word| word.value.to_string()).collect()
}

#[test]
fn who_sees_the_last_word_has_the_last_word_alone() {
    assert_eq!(stands(&[(CRM, "a", "", ""), (EXACT, "b", "a", "a")]), ["b"]);
    assert_eq!(stands(&[(CRM, "a", "", ""), (CRM, "b", "a", ""), (CRM, "c", "b", "a")]), ["c"]);
}

#[test]
fn of_words_that_contradict_each_other_either_may_stand() {
    assert_eq!(stands(&[(CRM, "a", "", ""), (EXACT, "b", "", "a")]), ["a", "b"]);
    assert_eq!(stands(&[(CRM, "a", "", ""), (EXACT, "b", "", "a"), (EXACT, "c", "b", "a")]), ["a", "c"]);
}

#[test]
fn a_contradiction_ends_when_somebody_edits_what_both_sides_show() {
    let contradiction = [(CRM, "a", "", ""), (EXACT, "b", "", "a")];
    assert_eq!(stands(&[contradiction[0], contradiction[1], (EXACT, "c", "a", "a")]), ["c"]);
}

#[test]
fn what_both_sides_show_must_be_a_word_that_may_stand() {
    let words = [Word { system: CRM, value: value("a") }, Word { system: EXACT, value: value("b") }];
    let (a, b, c) = (value("a"), value("b"), value("c"));
    assert_eq!(is_kept(&words, Some(&a), Some(&a)), Ok(()));
    assert_eq!(is_kept(&words, Some(&b), Some(&b)), Ok(()));
    assert!(is_kept(&words, Some(&a), Some(&b)).unwrap_err().contains("CustomCRM shows \"a\", Exact \"b\""));
    assert!(is_kept(&words, Some(&c), Some(&c)).unwrap_err().contains("the edit is lost"));
    assert!(is_kept(&words, Some(&a), None).unwrap_err().contains("Exact nothing"));
}

#[test]
fn when_all_links_are_lost_customcrm_may_win_over_what_had_not_arrived_there() {
    let mut ledger = Ledger::default();
    let shown = Shown { here: Some(value("old")), there: Some(value("old")) };
    ledger.says(cell(), Word { system: EXACT, value: value("new") }, &shown, true);
    ledger.links_lost(|_, system| Some(value(if system == CRM { "old" } else { "new" })));
    let stands: Vec<&Value> = ledger.words[&cell()].iter().map(|word| &word.value).collect();
    assert_eq!(stands, [&value("new"), &value("old")]);
}

#[test]
fn while_nothing_is_agreed_an_edit_in_exact_contradicts_what_customcrm_shows() {
    let mut ledger = Ledger::default();
    let shown = Shown { here: Some(value("old")), there: Some(value("old")) };
    ledger.says(cell(), Word { system: EXACT, value: value("new") }, &shown, false);
    assert_eq!(ledger.words[&cell()].len(), 2);
    ledger.says(cell(), Word { system: CRM, value: value("newest") }, &shown, false);
    let stands: Vec<&Value> = ledger.words[&cell()].iter().map(|word| &word.value).collect();
    assert_eq!(stands, [&value("newest")], "both sides showed what one of the words was");
}

#[test]
fn where_all_links_were_lost_a_line_may_be_taken_for_one_of_the_crm_that_sells_the_same() {
    let article = |mark: &str| Thing { kind: Kind::Article, mark: mark.to_owned() };
    let order = Thing { kind: Kind::Order, mark: "Bestelling 1".to_owned() };
    let mut ledger = Ledger::default();
    let lines = [("crm's", "a"), ("exact's", "a"), ("both's", "a"), ("other", "b")];
    let lines = lines.map(|(mark, sold)| (mark.to_owned(), Line::of(article(sold))));
    ledger.things.entry(order.clone()).or_default().lines.extend(lines);
    let taken = |ledger: &Ledger| -> Vec<String> {
        let story = &ledger.things[&order];
        let lines = story.lines.iter().filter(|(_, line)| story.may_be_taken_for_another(line));
        lines.map(|(mark, _)| mark.clone()).collect()
    };
    assert!(taken(&ledger).is_empty());
    ledger.links_lost(|cell, system| {
        let line = cell.line.as_deref()?;
        let there = line == "both's" || (line == "crm's") == (system == CRM);
        there.then(|| value("1"))
    });
    assert_eq!(taken(&ledger), ["exact's"], "another article is another line, and the CRM's words stand");
}

#[test]
fn what_is_said_at_one_moment_may_stand_though_it_is_what_the_other_side_showed_before() {
    let mut ledger = Ledger::default();
    let words = [Word { system: CRM, value: value("a") }, Word { system: EXACT, value: value("b") }];
    let shown = [("x", "a"), ("a", "a")]
        .map(|(here, there)| Shown { here: Some(value(here)), there: Some(value(there)) });
    for (word, shown) in words.iter().zip(&shown) {
        ledger.says(cell(), word.clone(), shown, true);
    }
    assert_eq!(ledger.words[&cell()], words[1..], "as if the second had seen the first");
    ledger.either_may_stand(cell(), words.to_vec());
    assert!(words.iter().all(|word| ledger.words[&cell()].contains(word)));
}
