//! The shipped pair of customers and accounts: records seen and written through it.

use model::{Content, LinkId, RecordId, Reference, System, UserId, Value, View};

use super::{number, pair_name, properties, put_known, put_new, row};
use crate::{Lookups, Pair, Reading};

const CUSTOMER_ACCOUNT: &str = include_str!("../../../../deploy/pairs/customer-account.toml");

fn shipped() -> Pair {
    let kept = [pair_name("customer-account")].into();
    Pair::parse("customer-account.toml", CUSTOMER_ACCOUNT, Reading::Practical, &kept).unwrap()
}

#[track_caller]
fn view_of<const N: usize>(pair: &Pair, system: System, record: [(&str, Content); N]) -> View {
    super::seen(pair, system, &properties(record), &Lookups::default())
}

#[test]
fn both_systems_forms_of_one_customer_are_one_view() {
    let pair = shipped();
    let crm = view_of(
        &pair,
        System::CustomCrm,
        [
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
        [
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
        [
            ("Name", "Janssen".into()),
            ("CustomerNumber", "25".into()),
            ("Status", "Prospect".into()),
            ("DiscountPercent", number("5.5")),
            ("IsActive", Content::Boolean(false)),
            ("Email", Content::Null),
        ],
    );
    let written = put_new(&pair, System::ExactOnline, &view, &Lookups::default()).unwrap().properties;
    assert_eq!(written["Code"], Content::from("                25"));
    assert_eq!(written["Status"], Content::from("P"));
    assert_eq!(written["DiscountSales"], number("0.055"));
    assert_eq!(written["Blocked"], Content::Boolean(true));
    assert_eq!(written["Email"], Content::Null);
}

#[test]
fn what_does_not_fit_is_told_before_a_call_is_spent() {
    let (pair, lookups) = (shipped(), Lookups::default());
    let long = "x".repeat(51);
    let view = view_of(&pair, System::CustomCrm, [("Name", long.as_str().into())]);
    let problems = put_new(&pair, System::ExactOnline, &view, &lookups).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].to_string(), "Name is 51 characters long; at most 50 fit: shorten it");

    let nameless = view_of(&pair, System::CustomCrm, [("City", "Gent".into())]);
    let problems = put_new(&pair, System::ExactOnline, &nameless, &lookups).unwrap_err();
    assert_eq!(problems[0].to_string(), "Name is mandatory and is empty: fill it in");
    assert!(put_known(&pair, System::ExactOnline, &nameless, &View::new(), &lookups).is_ok());
}

#[test]
fn content_that_can_not_be_read_is_a_problem_with_its_property_and_without_its_value() {
    let record = properties([
        ("Name", "Janssen".into()),
        ("Country", "Atlantis".into()),
        ("CreditLimit", "a lot".into()),
    ]);
    let seen = shipped().view(System::CustomCrm, &record, &Lookups::default());
    assert_eq!(seen.view.len(), 1);
    let told = seen.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert!(told.contains("Country ") && told.contains("CreditLimit "), "{told}");
    assert!(!told.contains("Atlantis") && !told.contains("a lot"), "{told}");
}

#[test]
fn a_reference_is_the_link_that_both_sides_share_and_unresolved_until_there_is_one() {
    let pair = shipped();
    let parent = RecordId::parse("c5").unwrap();
    let record = properties([("ParentId", "c5".into())]);
    let needs = pair.needs(System::CustomCrm, &record);
    assert_eq!(needs.iter().map(|need| need.record.as_str()).collect::<Vec<_>>(), ["c5"]);

    let unresolved = pair.view(System::CustomCrm, &record, &Lookups::default()).view;
    assert!(unresolved[&row("ParentId")].is_unresolved());

    let link = LinkId::begun_by(System::CustomCrm, &parent);
    let mut lookups = Lookups::default();
    lookups.links.insert((pair.name.clone(), System::CustomCrm, parent), link.clone());
    let guid = RecordId::parse("71b9c1d2").unwrap();
    lookups.records.insert((pair.name.clone(), link.clone(), System::ExactOnline), guid);
    let view = pair.view(System::CustomCrm, &record, &lookups).view;
    assert_eq!(view[&row("ParentId")], Value::Reference(Reference::Linked(link)));
    let written = put_known(&pair, System::ExactOnline, &view, &View::new(), &lookups).unwrap();
    assert_eq!(written.properties["Parent"], Content::from("71b9c1d2"));
}

#[test]
fn a_user_is_the_same_person_on_both_sides_by_email() {
    let pair = shipped();
    let mut lookups = Lookups::default();
    lookups.people.customcrm.insert(UserId::parse("u3").unwrap(), "eva@example.com".to_owned());
    let record = properties([("OwnerId", "u3".into())]);
    assert!(pair.view(System::CustomCrm, &record, &lookups).view[&row("OwnerId")].is_unresolved());

    lookups.people.exactonline.insert(UserId::parse("guid-7").unwrap(), "eva@example.com".to_owned());
    let view = pair.view(System::CustomCrm, &record, &lookups).view;
    let written = put_known(&pair, System::ExactOnline, &view, &View::new(), &lookups).unwrap();
    assert_eq!(written.properties["AccountManager"], Content::from("guid-7"));
}

#[test]
fn match_keys_compare_without_case_blanks_or_punctuation_and_strongest_first() {
    let pair = shipped();
    let view = view_of(
        &pair,
        System::CustomCrm,
        [
            ("Email", "Info@Example.com".into()),
            ("VatNumber", "NL 001234567 B01".into()),
            ("CustomerNumber", " ".into()),
        ],
    );
    let keys = pair.match_keys(&view, None);
    let told: Vec<_> = keys.iter().map(|key| (key.name(), key.value.as_str())).collect();
    assert_eq!(told, [("VatNumber".to_owned(), "nl001234567b01"), ("Email".to_owned(), "info@example.com")]);
}
