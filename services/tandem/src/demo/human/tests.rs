#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use model::{System, Value, View};

use super::companies::{belgian, dutch, german};
use super::{Edit, Human, Intent, NAME_MAX, edit, property, text};

fn human(seed: u64) -> Human {
    Human::new(seed, vec!["ann@a.example".to_owned(), "bo@a.example".to_owned()])
}

fn company() -> View {
    let company = [
        ("Name", text("Acme B.V.")),
        ("Country", text("DE")),
        ("Fax", text("+49 1")),
        ("IsActive", Value::Boolean(true)),
    ];
    edit("", company).values
}

fn edits(seed: u64) -> Vec<Edit> {
    let mut human = human(seed);
    (0..200).map(|_| human.edits(&company(), &BTreeSet::new()).unwrap()).collect()
}

#[test]
fn the_same_seed_gives_the_same_edits_and_another_seed_others() {
    assert_eq!(edits(7), edits(7));
    assert_ne!(edits(7), edits(8));
    assert_eq!(human(7).founds(), human(7).founds());
}

#[test]
fn an_edit_changes_something_and_leaves_busy_properties_alone() {
    let busy: BTreeSet<_> = ["Phone", "City", "Name"].map(property).into();
    let mut human = human(3);
    for _ in 0..300 {
        let Some(edit) = human.edits(&company(), &busy) else { continue };
        assert!(edit.properties().is_disjoint(&busy), "{edit:?}");
        assert!(edit.values.iter().any(|(name, value)| company().get(name) != Some(value)), "{edit:?}");
    }
}

#[test]
fn every_kind_of_edit_and_every_intent_comes_up() {
    let kinds: BTreeSet<&str> = edits(1).iter().map(|edit| edit.what).collect();
    assert_eq!(kinds.len(), 11, "{kinds:?}");
    let mut human = human(1);
    let intents: Vec<Intent> = (0..200).map(|_| human.intends()).collect();
    for intent in [
        Intent::New(System::CustomCrm),
        Intent::New(System::ExactOnline),
        Intent::One(System::CustomCrm),
        Intent::One(System::ExactOnline),
        Intent::Both,
    ] {
        assert!(intents.contains(&intent), "{intent:?}");
    }
}

#[test]
fn edits_of_both_sides_at_once_touch_different_properties() {
    let mut human = human(5);
    for _ in 0..200 {
        let Some(both) = human.edits_both(&company(), &BTreeSet::new()) else { continue };
        assert!(both.customcrm.properties().is_disjoint(&both.exactonline.properties()), "{both:?}");
    }
}

#[test]
fn a_name_never_outgrows_what_exact_holds() {
    let long = edit("", [("Name", text("N".repeat(NAME_MAX - 3)))]).values;
    let mut human = human(2);
    for _ in 0..100 {
        assert_eq!(human.renames(&long), None);
    }
    for _ in 0..500 {
        let Value::Text(name) = human.founds()[&property("Name")].clone() else { panic!() };
        assert!(name.chars().count() <= NAME_MAX, "{name}");
    }
}

#[test]
fn vat_numbers_pass_their_check_digits() {
    assert_eq!(dutch(12_345_678).as_deref(), Some("NL123456782B01"));
    assert_eq!(dutch(11_122_233).as_deref(), Some("NL111222333B01"));
    assert_eq!(dutch(10_000_006), None, "its remainder is 10: no number has these digits");
    assert_eq!(belgian(4_030_192), "BE0403019261");
    assert_eq!(german(13_669_597), "DE136695976", "the example of the German tax office");
}

#[test]
fn no_two_new_companies_share_a_match_key() {
    let mut human = human(9);
    let companies: Vec<View> = (0..200).map(|_| human.founds()).collect();
    for key in ["Name", "VatNumber", "Email"] {
        let values: BTreeSet<String> =
            companies.iter().map(|company| company[&property(key)].to_string()).collect();
        assert_eq!(values.len(), companies.len(), "{key}");
    }
}
