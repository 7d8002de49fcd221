//! Pairs: files refused, records seen and written through them.

use std::collections::{BTreeMap, BTreeSet};

use model::{Content, LinkId, PairName, Properties, RecordId, Reference, System, UserId, Value, View};
use proptest::prelude::*;

use crate::{Lens, Lookups, MatchKey, Onto, Pair, Problem, Reading};

const CUSTOMER_ACCOUNT: &str = include_str!("../../../deploy/pairs/customer-account.toml");

fn kept() -> BTreeSet<PairName> {
    BTreeSet::from([PairName::parse("customer-account").unwrap()])
}

fn shipped() -> Pair {
    Pair::parse("customer-account.toml", CUSTOMER_ACCOUNT, Reading::Practical, &kept()).unwrap()
}

#[track_caller]
fn refused(change: impl Fn(&str) -> String, expected: &[&str]) {
    let text = change(CUSTOMER_ACCOUNT);
    assert_ne!(text, CUSTOMER_ACCOUNT, "the change of this case changes nothing");
    let problems = Pair::parse("pair.toml", &text, Reading::Practical, &kept()).unwrap_err();
    let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    for part in expected {
        assert!(told.contains(part), "{part:?} is missing in:\n{told}");
    }
    for problem in &problems {
        assert!(problem.line > 1 && problem.file == "pair.toml", "{problem}");
    }
}

fn view_of(pair: &Pair, system: System, properties: &[(&str, Content)]) -> View {
    let properties: Properties =
        properties.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
    let seen = pair.view(system, &properties, &Lookups::default());
    assert_eq!(seen.problems, []);
    seen.view
}

fn put_new(pair: &Pair, values: &View) -> Result<Properties, Vec<Problem>> {
    let onto = Onto::New { source: values };
    pair.put(System::ExactOnline, values, onto, &Lookups::default()).map(|put| put.properties)
}

fn put_known(pair: &Pair, values: &View, lookups: &Lookups) -> Result<Properties, Vec<Problem>> {
    let onto = Onto::Known { source: values, view: &View::new(), lines: &BTreeMap::new() };
    pair.put(System::ExactOnline, values, onto, lookups).map(|put| put.properties)
}

#[test]
fn the_shipped_pair_has_every_row_and_rests_only_the_contact() {
    let pair = shipped();
    assert_eq!(pair.properties.len(), 25);
    assert_eq!(pair.resting.iter().map(ToString::to_string).collect::<Vec<_>>(), ["MainContactId"]);
}

#[test]
fn both_systems_forms_of_one_customer_are_one_view() {
    let pair = shipped();
    let number = |text: &str| Content::Number(text.parse().unwrap());
    let crm = view_of(
        &pair,
        System::CustomCrm,
        &[
            ("Name", "Bäckerei Müßig".into()),
            ("CustomerNumber", "25".into()),
            ("VatNumber", "nl 0012.34567-B01".into()),
            ("Country", "Nederland".into()),
            ("Status", "Customer".into()),
            ("DiscountPercent", number("5.50")),
            ("Fax", Content::Null),
            ("IsActive", Content::Boolean(true)),
        ],
    );
    let exact = view_of(
        &pair,
        System::ExactOnline,
        &[
            ("Name", " Bäckerei Müßig ".into()),
            ("Code", "                25".into()),
            ("VATNumber", "NL001234567B01".into()),
            ("Country", "NL".into()),
            ("Status", "C".into()),
            ("DiscountSales", number("0.055")),
            ("Fax", "  ".into()),
            ("Blocked", Content::Boolean(false)),
        ],
    );
    assert_eq!(crm, exact);
}

#[test]
fn exact_is_given_its_own_forms() {
    let pair = shipped();
    let view = view_of(
        &pair,
        System::CustomCrm,
        &[
            ("Name", "Janssen".into()),
            ("CustomerNumber", "25".into()),
            ("Status", "Prospect".into()),
            ("DiscountPercent", Content::Number("5.5".parse().unwrap())),
            ("IsActive", Content::Boolean(false)),
            ("Email", Content::Null),
        ],
    );
    let written = put_new(&pair, &view).unwrap();
    assert_eq!(written["Code"], Content::from("                25"));
    assert_eq!(written["Status"], Content::from("P"));
    assert_eq!(written["DiscountSales"], Content::Number("0.055".parse().unwrap()));
    assert_eq!(written["Blocked"], Content::Boolean(true));
    assert_eq!(written["Email"], Content::Null);
}

#[test]
fn what_does_not_fit_is_told_before_a_call_is_spent() {
    let pair = shipped();
    let long = "x".repeat(51);
    let view = view_of(&pair, System::CustomCrm, &[("Name", long.as_str().into())]);
    let problems = put_new(&pair, &view).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].to_string(), "Name is 51 characters long; at most 50 fit: shorten it");

    let nameless = view_of(&pair, System::CustomCrm, &[("City", "Gent".into())]);
    let problems = put_new(&pair, &nameless).unwrap_err();
    assert_eq!(problems[0].to_string(), "Name is mandatory and is empty: fill it in");
    assert!(put_known(&pair, &nameless, &Lookups::default()).is_ok());
}

#[test]
fn content_that_can_not_be_read_is_a_problem_with_its_property_and_without_its_value() {
    let pair = shipped();
    let properties = Properties::from([
        ("Name".to_owned(), "Janssen".into()),
        ("Country".to_owned(), "Atlantis".into()),
        ("CreditLimit".to_owned(), "a lot".into()),
    ]);
    let seen = pair.view(System::CustomCrm, &properties, &Lookups::default());
    assert_eq!(seen.view.len(), 1);
    let told = seen.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert!(told.contains("Country ") && told.contains("CreditLimit "), "{told}");
    assert!(!told.contains("Atlantis") && !told.contains("a lot"), "{told}");
}

#[test]
fn a_reference_is_the_link_that_both_sides_share_and_unresolved_until_there_is_one() {
    let pair = shipped();
    let parent = RecordId::parse("c5").unwrap();
    let properties = Properties::from([("ParentId".to_owned(), Content::from("c5"))]);
    let needs = pair.needs(System::CustomCrm, &properties);
    assert_eq!(needs.iter().map(|need| need.record.as_str()).collect::<Vec<_>>(), ["c5"]);

    let unresolved = pair.view(System::CustomCrm, &properties, &Lookups::default()).view;
    assert!(unresolved.values().all(Value::is_unresolved));

    let link = LinkId::begun_by(System::CustomCrm, &parent);
    let mut lookups = Lookups::default();
    lookups.links.insert((pair.name.clone(), System::CustomCrm, parent), link.clone());
    let guid = RecordId::parse("71b9c1d2").unwrap();
    lookups.records.insert((pair.name.clone(), link.clone(), System::ExactOnline), guid);
    let view = pair.view(System::CustomCrm, &properties, &lookups).view;
    assert_eq!(view.values().next(), Some(&Value::Reference(Reference::Linked(link))));
    let written = put_known(&pair, &view, &lookups).unwrap();
    assert_eq!(written["Parent"], Content::from("71b9c1d2"));
}

#[test]
fn a_user_is_the_same_person_on_both_sides_by_email() {
    let pair = shipped();
    let mut lookups = Lookups::default();
    lookups.people.customcrm.insert(UserId::parse("u3").unwrap(), "eva@example.com".to_owned());
    let properties = Properties::from([("OwnerId".to_owned(), Content::from("u3"))]);
    assert!(pair.view(System::CustomCrm, &properties, &lookups).view.values().all(Value::is_unresolved));

    lookups.people.exactonline.insert(UserId::parse("guid-7").unwrap(), "eva@example.com".to_owned());
    let view = pair.view(System::CustomCrm, &properties, &lookups).view;
    let written = put_known(&pair, &view, &lookups).unwrap();
    assert_eq!(written["AccountManager"], Content::from("guid-7"));
}

#[test]
fn match_keys_compare_without_case_blanks_or_punctuation_and_strongest_first() {
    let pair = shipped();
    let view = view_of(
        &pair,
        System::CustomCrm,
        &[
            ("Email", "Info@Example.com".into()),
            ("VatNumber", "NL 001234567 B01".into()),
            ("CustomerNumber", " ".into()),
        ],
    );
    let keys: Vec<MatchKey> = pair.match_keys(&view, None);
    let told: Vec<_> = keys.iter().map(|key| (key.name(), key.value.as_str())).collect();
    assert_eq!(told, [("VatNumber".to_owned(), "nl001234567b01"), ("Email".to_owned(), "info@example.com")]);
}

#[test]
fn a_pair_file_that_can_not_work_is_refused_with_place_and_remedy() {
    refused(
        |text| text.replacen("kind = \"country\"", "kind = \"land\"", 1),
        &["pair.toml:", "\"land\" is unknown", "text, code"],
    );
    refused(
        |text| text.replacen("conflict = \"crm\"", "conflict = \"me\"", 1),
        &["\"me\" is unknown", "newest"],
    );
    refused(
        |text| text.replacen("required = true", "mandatory = true", 1),
        &["\"mandatory\" is unknown here"],
    );
    refused(
        |text| text.replacen("exactonline = \"Fax\"", "exactonline = \"Phone\"", 1),
        &["writes exactonline's \"Phone\""],
    );
    refused(
        |text| text.replacen("Prospect = \"P\"", "Prospect = \"C\"", 1),
        &["two of CustomCRM's words", "\"C\""],
    );
    refused(|text| text.replacen("\"Email\"]", "\"Mail\"]", 1), &["no row is called \"Mail\""]);
    refused(
        |text| text.replacen("optional = true", "max = 3", 1),
        &["contact-contact", "optional = true", "no key \"max\""],
    );
    refused(
        |text| text.replacen("edm = \"Edm.Guid\"", "edm = \"Edm.String\"", 1),
        &["Edm.String can't hold", "needs Edm.Guid"],
    );
    refused(
        |text| text.replacen("property = \"IsActive\"", "property = \"Name\"", 1),
        &["\"Name\" can't be given this value"],
    );
}

#[test]
fn all_problems_of_a_file_are_told_at_once() {
    let text = CUSTOMER_ACCOUNT.replacen("\"country\"", "\"land\"", 1).replacen("\"Email\"]", "\"Mail\"]", 1);
    assert_eq!(Pair::parse("pair.toml", &text, Reading::Practical, &kept()).unwrap_err().len(), 2);
}

fn lenses() -> Vec<Lens> {
    shipped().properties.into_iter().map(|row| row.lens).collect()
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        Just(Content::Null),
        any::<bool>().prop_map(Content::Boolean),
        (any::<i64>(), 0_u32..12).prop_map(|(digits, scale)| {
            Content::Number(rust_decimal::Decimal::from_i128_with_scale(i128::from(digits), scale))
        }),
        any::<String>().prop_map(Content::Text),
        "[ a-zA-Z0-9.@\u{0}\u{202e}🦀-]{0,80}".prop_map(Content::Text),
        prop::sample::select(vec!["A", "S", "Customer", "Prospect", "nl", "Deutschland", "  25 "])
            .prop_map(Content::from),
    ]
}

proptest! {
    #[test]
    fn what_is_put_is_what_is_got_and_reading_never_panics(content in content(), crm: bool) {
        let lookups = Lookups::default();
        let system = if crm { System::CustomCrm } else { System::ExactOnline };
        for lens in lenses() {
            let Ok(value) = lens.get(system, &content, &lookups) else { continue };
            for target in System::BOTH {
                if let Ok(written) = lens.put(target, &value, &lookups) {
                    prop_assert_eq!(lens.get(target, &written, &lookups), Ok(value.clone()), "{:?}", lens);
                }
            }
        }
    }

    #[test]
    fn putting_back_what_was_got_changes_nothing_that_can_be_read(content in content()) {
        let lookups = Lookups::default();
        for (lens, system) in lenses().into_iter().flat_map(|lens| System::BOTH.map(|system| (lens.clone(), system))) {
            let Ok(value) = lens.get(system, &content, &lookups) else { continue };
            let Ok(once) = lens.put(system, &value, &lookups) else { continue };
            let again = lens.get(system, &once, &lookups).and_then(|value| lens.put(system, &value, &lookups));
            prop_assert_eq!(again, Ok(once), "{:?}", lens);
        }
    }
}
