//! Each key of the format does what it says.

use jiff::civil::date;
use link::{ConflictPolicy, DeleteConflict, DeletePolicy, Flow};
use model::{Content, PropertyName, System, Value};

use super::{ORDER, kept, number, order, pair_name, parse, properties, row, today};
use crate::{
    Admission, Archive, Holds, Label, Lens, Lookups, Mark, OnDelete, Over, Pair, Property, Reading, Wanted,
    WrittenTo,
};

fn literal() -> Pair {
    parse(ORDER, Reading::Literal).unwrap()
}

#[track_caller]
fn practical(text: &str) -> Pair {
    parse(text, Reading::Practical).unwrap()
}

#[track_caller]
fn property(pair: &Pair, name: &str) -> Property {
    pair.property(&row(name)).unwrap_or_else(|| panic!("no row {name}")).clone()
}

fn key_names(pair: &Pair) -> Vec<String> {
    pair.match_keys.iter().map(crate::KeyRows::name).collect()
}

#[test]
fn the_pair_is_called_and_told_of_as_written() {
    let pair = order();
    assert_eq!((pair.name.as_str(), pair.file.as_str()), ("order-salesorder", "pair.toml"));
    assert_eq!(pair.about.title, "Orders and sales orders");
    assert_eq!(pair.about.summary, "Every order and its sales order.");
    assert_eq!(Pair::name_in(ORDER), Some(pair_name("order-salesorder")));
    assert_eq!(Pair::name_in("pair = "), None);
}

#[test]
fn the_sides_say_which_entities_are_kept_created_and_archived() {
    let pair = order();
    assert_eq!(pair.entities.customcrm.as_str(), "orders");
    assert_eq!(pair.entities.exactonline.as_str(), "salesorders");
    assert_eq!((pair.creates.customcrm, pair.creates.exactonline), (true, false));
    let mark = Mark::Value(Value::Boolean(false));
    assert_eq!(pair.deletes.customcrm, OnDelete::Archive(Archive { property: row("IsOpen"), mark }));
    assert_eq!(pair.deletes.exactonline, OnDelete::Unlink);
    assert_eq!(pair.delete_conflict, DeleteConflict::Ask);
}

#[test]
fn a_row_is_written_where_the_file_says_and_flows_both_ways() {
    let budget = property(&order(), "Budget");
    assert_eq!((budget.written_to, budget.flow), (Some(WrittenTo::SalesItemPrices), Flow::Both));
    let elsewhere = order().rows().filter(|row| row.written_to.is_some()).count();
    assert_eq!(elsewhere, 1);
}

#[test]
fn a_deletion_is_carried_over_as_the_file_says() {
    let archive = "archive = { property = \"IsOpen\", value = false }";
    for (delete, policy) in [
        ("delete = \"propagate\"", DeletePolicy::Propagate),
        ("delete = \"unlink\"", DeletePolicy::Unlink),
        ("delete = \"ignore\"", DeletePolicy::Ignore),
        ("", DeletePolicy::Unlink),
        (
            "archive = { property = \"OrderDate\", value = \"yesterday\" }",
            DeletePolicy::Archive(row("OrderDate"), Value::Date(date(2026, 2, 28))),
        ),
    ] {
        let policy_read = practical(&ORDER.replacen(archive, delete, 1)).policy(date(2026, 3, 1));
        assert_eq!(policy_read.deletes.customcrm, policy, "{delete}");
    }
    for (word, conflict) in [
        ("ask", DeleteConflict::Ask),
        ("delete", DeleteConflict::Delete),
        ("recreate", DeleteConflict::Recreate),
    ] {
        let file = ORDER.replacen("delete_conflict = \"ask\"", &format!("delete_conflict = \"{word}\""), 1);
        assert_eq!(practical(&file).policy(today()).delete_conflict, conflict, "{word}");
    }
}

#[test]
fn a_record_is_admitted_by_any_case_of_which_all_holds() {
    let pair = order();
    let text = |text: &str| Content::from(text);
    for (record, admitted) in [
        (vec![("QuoteId", text("q1"))], true),
        (vec![("QuoteId", text("q1")), ("Status", text(" "))], true),
        (vec![("QuoteId", text("q1")), ("Status", text("Shipped"))], false),
        (vec![("Status", text("Open")), ("IsBig", Content::Boolean(true)), ("Score", number("2.50"))], true),
        (vec![("Status", text("Open")), ("IsBig", Content::Boolean(true)), ("Score", number("2"))], false),
        (vec![("Status", text("Open")), ("IsBig", Content::Boolean(false)), ("Score", number("1"))], false),
        (vec![], false),
    ] {
        let record = record.into_iter().map(|(name, content)| (name.to_owned(), content)).collect();
        assert_eq!(pair.admits(System::CustomCrm, &record), admitted, "{record:?}");
    }
    assert_eq!(pair.admissions.exactonline, Admission::default());
    assert!(pair.admits(System::ExactOnline, &properties([])));
    let wanted = &pair.admissions.customcrm.cases[0];
    assert_eq!(wanted["QuoteId"], [Wanted::Filled]);
    assert_eq!(wanted["Status"], [Wanted::Empty]);
}

#[test]
fn the_pair_finds_partners_and_passes_by_others_as_written() {
    let pair = order();
    assert_eq!(key_names(&pair), ["CustomerId+CustomerReference", "Reference"]);
    assert_eq!(pair.search_own, row("CustomerReference"));
    assert_eq!(pair.yields_to, [pair_name("quote-salesorder")]);
    let adopts = pair.adopts.unwrap();
    assert_eq!((adopts.reference.as_str(), adopts.pair.as_str()), ("QuoteId", "quote-salesorder"));
    let stand_in = pair.stand_in.unwrap();
    assert_eq!(stand_in.property, row("CustomerReference"));
    assert_eq!(stand_in.from, ["OrderNumber", "Id"]);
    assert_eq!(stand_in.inherits.unwrap().reference, "QuoteId");
    let raises = pair.raises.unwrap();
    assert_eq!((raises.reference, raises.property), (row("CustomerId"), row("Status")));
    assert_eq!(raises.value, Value::Text("Customer".to_owned()));
    let versions = pair.versions.unwrap();
    assert_eq!((versions.number, versions.version), (row("Number"), row("VersionNumber")));
    assert!(!pair.is_membership);
}

#[test]
fn the_literal_reading_replaces_each_key_that_it_names() {
    let pair = literal();
    assert_eq!(key_names(&pair), ["Reference"]);
    assert_eq!(pair.search_own, row("Reference"));
    assert_eq!(pair.yields_to, []);
    let stand_in = pair.stand_in.unwrap();
    assert_eq!((stand_in.property, stand_in.inherits), (row("Reference"), None));
    assert_eq!(pair.adopts.unwrap().reference, "OtherId");
    assert_eq!(pair.raises.unwrap().value, Value::Text("Prospect".to_owned()));
    assert_eq!(pair.versions.unwrap().number, row("VersionNumber"));
    assert_eq!(pair.entities.customcrm.as_str(), "quotes");
    assert_eq!(pair.entities.exactonline.as_str(), "quotations");
    assert_eq!((pair.creates.customcrm, pair.creates.exactonline), (false, true));
    assert_eq!((pair.deletes.customcrm, pair.admissions.customcrm), (OnDelete::Unlink, Admission::default()));
    let membership = ORDER.replacen("membership = false", "membership = true", 1).replacen(
        "create = true",
        "create = false",
        1,
    );
    assert!(parse(&membership, Reading::Practical).unwrap().is_membership);
    assert!(!parse(&membership, Reading::Literal).unwrap().is_membership);
    // What it does not name is as in the practical reading.
    assert_eq!(pair.about, order().about);
}

#[test]
fn rows_and_constants_of_a_reading_are_there_in_it_alone() {
    assert!(order().property(&row("Campaign")).is_none());
    assert!(literal().property(&row("Campaign")).is_some());
    let names = |pair: &Pair| pair.constants.iter().map(|constant| constant.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&order()), ["WarehouseCode"]);
    assert_eq!(names(&literal()), ["WarehouseCode", "Origin"]);
    assert_eq!(literal().constants[1].system, System::CustomCrm);
    let practical = ORDER.replacen("reading = \"literal\"", "reading = \"practical\"", 1);
    assert!(parse(&practical, Reading::Practical).unwrap().property(&row("Campaign")).is_some());
    assert!(parse(&practical, Reading::Literal).unwrap().property(&row("Campaign")).is_none());
}

#[test]
fn a_reading_is_read_back_by_its_name() {
    for reading in Reading::ALL {
        assert_eq!(Reading::from_name(reading.name()), Some(reading));
    }
    assert_eq!(Reading::from_name("Literal"), None);
    assert_eq!(Reading::default(), Reading::Practical);
}

#[test]
fn a_constant_is_given_to_new_records_alone_with_what_the_connection_gives() {
    let pair = order();
    let object = |code: Content| {
        let numbers = vec![number("1"), number("2.5"), Content::Boolean(true), Content::from("x")];
        Content::Object(properties([("Code", code), ("Numbers", Content::List(numbers))]))
    };
    assert_eq!(pair.constants[0].content, object(Content::from("$literal.account")));
    assert_eq!(pair.given_names().into_iter().collect::<Vec<_>>(), ["literal.account"]);
    assert_eq!(literal().given_names().into_iter().collect::<Vec<_>>(), ["literal.account", "literal.item"]);

    let pair = Pair { properties: Vec::new(), lines: None, ..pair };
    let mut lookups = Lookups::default();
    let problems = super::put_new(&pair, System::ExactOnline, &model::View::new(), &lookups).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "WarehouseCode needs literal.account, which the connection does not give: configure it"
    );
    lookups.given.insert("literal.account".to_owned(), Content::from("71b9"));
    let put = super::put_new(&pair, System::ExactOnline, &model::View::new(), &lookups).unwrap();
    assert_eq!(put.properties["WarehouseCode"], object(Content::from("71b9")));
    let nothing = model::View::new();
    let put = super::put_known(&pair, System::ExactOnline, &nothing, &nothing, &lookups).unwrap();
    assert_eq!(put.properties, properties([]));
    assert_eq!(
        super::put_new(&pair, System::CustomCrm, &nothing, &lookups).unwrap().properties,
        properties([])
    );
}

#[test]
fn a_row_flows_settles_and_holds_as_its_keys_say() {
    let pair = order();
    let flow = |name: &str| property(&pair, name).flow;
    assert_eq!(flow("OrderDate"), Flow::Both);
    assert_eq!(flow("Weight"), Flow::To(System::ExactOnline));
    assert_eq!(flow("Number"), Flow::To(System::CustomCrm));
    assert_eq!(flow("Status"), Flow::Follow(System::CustomCrm));
    assert_eq!(property(&pair, "Name").conflict, ConflictPolicy::Ask);
    assert_eq!(property(&pair, "Reference").conflict, ConflictPolicy::Newest);
    let rules = pair.policy(today()).rules;
    let customer = rules[&row("CustomerId")];
    assert!(customer.required && customer.create_only && !customer.keep_filled && !customer.stand_in);
    let reference = rules[&row("CustomerReference")];
    assert!(reference.keep_filled && reference.stand_in && !reference.required && !reference.create_only);
    assert!(property(&pair, "Number").is_core && !property(&pair, "Name").is_core);
    assert_eq!(property(&pair, "CustomerId").note.as_deref(), Some("A later change can't be written."));
    assert_eq!(property(&pair, "CustomerId").edm, "Edm.Guid");
    let place = property(&pair, "Number").place;
    let line = ORDER.lines().position(|line| line == "[[property]]").unwrap() + 1;
    assert_eq!((place.line, place.column), (line, 1));
}

#[test]
fn the_word_of_a_conflict_names_who_wins() {
    for (word, policy) in [
        ("crm", ConflictPolicy::Wins(System::CustomCrm)),
        ("exact", ConflictPolicy::Wins(System::ExactOnline)),
        ("newest", ConflictPolicy::Newest),
        ("ask", ConflictPolicy::Ask),
    ] {
        let text = ORDER.replacen("conflict = \"newest\"", &format!("conflict = {word:?}"), 1);
        assert_eq!(property(&parse(&text, Reading::Practical).unwrap(), "Reference").conflict, policy);
    }
}

#[test]
fn a_row_of_one_side_is_read_and_never_decided_on() {
    let pair = order();
    let version = property(&pair, "VersionNumber");
    assert_eq!(version.names.customcrm, None);
    assert!(!version.flow.reaches(System::ExactOnline));
    assert!(!pair.policy(today()).rules.contains_key(&row("VersionNumber")));
    let view = pair
        .view(System::ExactOnline, &properties([("VersionNumber", number("3"))]), &Lookups::default())
        .view;
    assert_eq!(view, [(row("VersionNumber"), Value::Decimal(3.into()))].into());
}

#[test]
fn a_row_rests_where_the_pair_that_it_refers_to_is_not_kept() {
    let pair = order();
    assert_eq!(pair.resting, [row("ContactId")]);
    let kept = kept().into_iter().chain([pair_name("contact-contact")]).collect();
    let pair = Pair::parse("pair.toml", ORDER, Reading::Practical, &kept).unwrap();
    assert_eq!(pair.resting, []);
    assert!(pair.property(&row("ContactId")).is_some());
}

#[test]
fn what_goes_through_a_pair_that_is_not_kept_is_left_out_where_the_file_says_so() {
    let text =
        ORDER.replace("pair = \"quote-salesorder\" }", "pair = \"quote-salesorder\", optional = true }");
    let kept = kept().into_iter().filter(|pair| pair.as_str() != "quote-salesorder").collect();
    let pair = Pair::parse("pair.toml", &text, Reading::Practical, &kept).unwrap();
    assert_eq!(pair.adopts, None);
    assert_eq!(pair.stand_in.unwrap().inherits, None);
    assert_eq!(pair.yields_to, []);
}

#[test]
fn each_kind_makes_its_lens() {
    let pair = order();
    let lens = |name: &str| property(&pair, name).lens;
    assert_eq!(lens("Number"), Lens::Integer { text: true });
    assert_eq!(lens("Lines.LineNumber"), Lens::Integer { text: false });
    assert_eq!(lens("CustomerId"), Lens::Reference { pair: pair_name("customer-account") });
    assert_eq!(lens("OwnerId"), Lens::Person);
    assert_eq!(lens("Name"), Lens::Text { max: Some(60), over: Over::Cut });
    assert_eq!(lens("CustomerReference"), Lens::Text { max: Some(40), over: Over::Refuse });
    assert_eq!(lens("Reference"), Lens::Code { upper: true, compact: true, pad: Some(18), max: Some(18) });
    assert_eq!(lens("Country"), Lens::Country);
    assert_eq!(lens("Language"), Lens::Language);
    assert_eq!(lens("Currency"), Lens::Currency);
    assert_eq!(lens("Phone"), Lens::Phone { max: Some(25) });
    assert_eq!(lens("BillingEmail"), Lens::Email { max: Some(128) });
    assert_eq!(lens("DiscountPercent"), Lens::Decimal { factor: "0.01".parse().unwrap(), places: 6 });
    assert_eq!(lens("Budget"), Lens::Decimal { factor: 1.into(), places: 2 });
    assert_eq!(lens("Weight"), Lens::Decimal { factor: 1.into(), places: 4 });
    assert_eq!(lens("IsOpen"), Lens::Boolean { inverted: true, byte: false });
    assert_eq!(lens("IsUrgent"), Lens::Boolean { inverted: false, byte: true });
    assert_eq!(lens("OrderDate"), Lens::Date);
    assert_eq!(lens("ApprovedAt"), Lens::Timestamp);
    assert_eq!(lens("IsActive"), Lens::ActiveUntil);
    assert_eq!(
        lens("PaymentTerms"),
        Lens::Lookup { list: crate::List::PaymentConditions, holds: Holds::Code }
    );
    assert_eq!(lens("Category"), Lens::Lookup { list: crate::List::ItemGroups, holds: Holds::Id });
    assert_eq!(lens("Email"), Lens::Labelled { label: Label::parse("E-mail").unwrap() });
    let Lens::Enum { words } = lens("Status") else { panic!("an enum") };
    let words: Vec<String> = words.rows().iter().map(|(word, exact)| format!("{word} {exact:?}")).collect();
    assert_eq!(words, ["Open [Number(12), Number(20)]", "Complete [Number(21)]", "Cancelled [Number(45)]"]);
    let every = ORDER.matches("kind = ").count();
    let names: std::collections::BTreeSet<&str> =
        ORDER.lines().filter_map(|line| line.strip_prefix("kind = ")).collect();
    assert_eq!((every, names.len()), (32, 20), "the pair of these tests has every kind");
}

#[test]
fn lines_are_named_tied_and_ordered_as_written() {
    let lines = order().lines.unwrap();
    assert_eq!(lines.name, row("Lines"));
    assert_eq!(
        (lines.names.customcrm.as_str(), lines.names.exactonline.as_str()),
        ("Lines", "SalesOrderLines")
    );
    assert_eq!((lines.ids.customcrm.as_str(), lines.ids.exactonline.as_str()), ("LineId", "ID"));
    assert_eq!(lines.edm, "Collection(SalesOrderLines)");
    assert_eq!(lines.match_by, [row("Lines.ProductId"), row("Lines.Quantity")]);
    assert_eq!(lines.order, Some(row("Lines.LineNumber")));
    assert_eq!(lines.flow, Flow::To(System::ExactOnline));
    assert_eq!(lines.conflict, ConflictPolicy::Wins(System::ExactOnline));
    let rows: Vec<&str> = lines.properties.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(rows, ["Lines.ProductId", "Lines.Quantity", "Lines.LineNumber", "Lines.Notes"]);
    let policy = order().policy(today());
    assert_eq!(policy.rules[&row("Lines")].flow, Flow::To(System::ExactOnline));
    assert!(policy.rules[&row("Lines.ProductId")].required);
    assert_eq!(policy.lines.unwrap().match_by, lines.match_by);
    let both = ORDER.replacen("direction = \"to-exact\"\nconflict = \"exact\"\n", "", 1);
    let lines = parse(&both, Reading::Practical).unwrap().lines.unwrap();
    assert_eq!((lines.flow, lines.conflict), (Flow::Both, ConflictPolicy::Newest));
}

#[test]
fn a_read_selects_each_property_that_anything_looks_at_once() {
    let pair = order();
    let names = pair.names(System::CustomCrm);
    for name in ["OrderNumber", "CustomerId", "Mobile", "QuoteId", "IsBig", "Score", "Id", "Status"] {
        assert_eq!(names.iter().filter(|known| **known == name).count(), 1, "{name} in {names:?}");
    }
    assert!(!names.contains(&"ContactId") && !names.contains(&"LineId"));
    let exact = pair.names(System::ExactOnline);
    assert_eq!(exact.iter().filter(|name| **name == "Remarks").count(), 1);
    assert!(exact.contains(&"VersionNumber") && !exact.contains(&"QuoteId"));
    assert_eq!(
        pair.line_names(System::CustomCrm),
        ["LineId", "ProductId", "Quantity", "LineNumber", "Notes", "Comment"]
    );
    assert_eq!(pair.line_names(System::ExactOnline), ["ID", "Item", "Quantity", "LineNumber", "Notes"]);
}

#[test]
fn a_row_is_found_by_its_own_name_and_by_that_of_its_cell_in_a_line() {
    let pair = order();
    let cell = PropertyName::in_line(&super::line_key(System::CustomCrm, "L[1].x"), &row("Lines.Quantity"));
    assert_eq!(pair.property(&cell).map(|row| row.name.as_str()), Some("Lines.Quantity"));
    assert!(pair.property(&row("Quantity")).is_none());
}
