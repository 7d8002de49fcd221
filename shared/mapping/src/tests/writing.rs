//! Documents: keys of several rows, stand-ins, lines, texts that rows share, properties that stand in for one another.

use model::{Content, LineKey, LinkId, PropertyName, RecordId, Reference, System, Value, View};

use super::{
    line_key, number, order, pair_name, properties, put_known, put_new, row, seen, text, ties, today,
    with_rows,
};
use crate::{LinePut, Lookups, Onto, Pair};

const REMARKS: &str = r#"
[[property]]
customcrm = "Email"
exactonline = "Remarks"
edm = "Edm.String"
kind = "labelled"
label = "E-mail"
[[property]]
customcrm = "Phone"
exactonline = "Remarks"
edm = "Edm.String"
kind = "labelled"
label = "Phone"
[[property]]
customcrm = "Web"
exactonline = "Remarks"
edm = "Edm.String"
kind = "labelled"
label = "Web"
direction = "to-crm"
"#;

fn remarks(view: &View) -> Option<&Value> {
    view.get(&row("Remarks (rest)"))
}

fn exact_text(pair: &Pair, values: &View, view: &View) -> Content {
    let put = put_known(pair, System::ExactOnline, values, view, &Lookups::default()).unwrap();
    put.properties.get("Remarks").cloned().unwrap_or_else(|| "not written".into())
}

#[test]
fn rows_that_share_a_text_of_exact_each_read_their_line_and_the_rest_is_known() {
    let pair = with_rows(REMARKS);
    let record = properties([("Remarks", "Call first\nphone : 06-1\r\nE-MAIL: a@b.nl\nWeb: x.nl\n".into())]);
    let view = seen(&pair, System::ExactOnline, &record, &Lookups::default());
    assert_eq!(view[&row("Email")], text("a@b.nl"));
    assert_eq!(view[&row("Phone")], text("06-1"));
    assert_eq!(view[&row("Web")], text("x.nl"));
    // A line that no row writes belongs to the rest, so that writing keeps it.
    assert_eq!(remarks(&view), Some(&text("Call first\nWeb: x.nl")));
    assert!(!pair.policy(today()).rules.contains_key(&row("Remarks (rest)")));

    let of_crm = seen(&pair, System::CustomCrm, &record, &Lookups::default());
    assert_eq!(remarks(&of_crm), None);
    let null =
        seen(&pair, System::ExactOnline, &properties([("Remarks", Content::Null)]), &Lookups::default());
    assert_eq!((&null[&row("Email")], remarks(&null)), (&Value::Empty, Some(&Value::Empty)));
    assert_eq!(remarks(&seen(&pair, System::ExactOnline, &properties([]), &Lookups::default())), None);
}

#[test]
fn a_shared_text_that_is_no_text_is_told_and_has_no_rest() {
    let pair = with_rows(REMARKS);
    let seen = pair.view(System::ExactOnline, &properties([("Remarks", number("7"))]), &Lookups::default());
    assert_eq!(seen.problems.len(), 3);
    assert_eq!(seen.view, View::new());
}

#[test]
fn writing_one_row_of_a_shared_text_keeps_the_others_and_the_rest() {
    let pair = with_rows(REMARKS);
    let record = properties([("Remarks", "Call first\nPhone: 06-1\nWeb: x.nl".into())]);
    let known = seen(&pair, System::ExactOnline, &record, &Lookups::default());
    let values = View::from([(row("Email"), text("a@b.nl"))]);
    let whole = "E-mail: a@b.nl\nPhone: 06-1\nCall first\nWeb: x.nl";
    assert_eq!(exact_text(&pair, &values, &known), Content::from(whole));
    let emptied = View::from([(row("Phone"), Value::Empty)]);
    assert_eq!(exact_text(&pair, &emptied, &known), Content::from("Call first\nWeb: x.nl"));
    assert_eq!(exact_text(&pair, &emptied, &View::new()), Content::Null);
    let other = View::from([(row("Name"), text("Janssen"))]);
    assert_eq!(exact_text(&pair, &other, &known), Content::from("not written"));
    let new = put_new(&pair, System::ExactOnline, &values, &Lookups::default()).unwrap();
    assert_eq!(new.properties["Remarks"], Content::from("E-mail: a@b.nl"));
    let crm = put_known(&pair, System::CustomCrm, &values, &known, &Lookups::default()).unwrap();
    assert_eq!(crm.properties, properties([("Email", "a@b.nl".into())]));
}

#[test]
fn a_line_end_in_a_labelled_text_makes_no_line_of_its_own() {
    let pair = with_rows(REMARKS);
    let record = properties([("Email", "a@b.nl\nPhone: 999\r\u{202e}x 🦀".into())]);
    let values = seen(&pair, System::CustomCrm, &record, &Lookups::default());
    let written = exact_text(&pair, &values, &View::new());
    let back = seen(&pair, System::ExactOnline, &properties([("Remarks", written)]), &Lookups::default());
    assert_eq!(back[&row("Phone")], Value::Empty);
    assert_eq!(back[&row("Email")], values[&row("Email")]);
}

#[test]
fn of_several_properties_the_first_that_is_filled_is_read_and_the_first_is_written() {
    let pair = with_rows(
        "[[property]]\ncustomcrm = [\"Phone\", \"Mobile\", \"Home\"]\nexactonline = \"Phone\"\nedm = \"Edm.String\"\nkind = \"phone\"\n",
    );
    let read = |record| seen(&pair, System::CustomCrm, &record, &Lookups::default()).remove(&row("Phone"));
    let both = properties([("Phone", " ".into()), ("Mobile", "06 1".into()), ("Home", "5".into())]);
    assert_eq!(read(both), Some(text("06 1")));
    assert_eq!(read(properties([("Phone", "020".into()), ("Mobile", "06".into())])), Some(text("020")));
    assert_eq!(read(properties([("Mobile", Content::Null)])), Some(Value::Empty));
    assert_eq!(read(properties([("Name", "Janssen".into())])), None);
    let exact = seen(&pair, System::ExactOnline, &properties([("Mobile", "06".into())]), &Lookups::default());
    assert_eq!(exact, View::new());

    let put = |value: Value| {
        let values = View::from([(row("Phone"), value)]);
        put_known(&pair, System::CustomCrm, &values, &View::new(), &Lookups::default()).unwrap().properties
    };
    assert_eq!(put(text("020")), properties([("Phone", "020".into())]));
    // An emptied property must not be read again from the next one.
    let nothing = || Content::Null;
    assert_eq!(
        put(Value::Empty),
        properties([("Phone", nothing()), ("Mobile", nothing()), ("Home", nothing())])
    );
    let values = View::from([(row("Phone"), Value::Empty)]);
    let exact = put_known(&pair, System::ExactOnline, &values, &View::new(), &Lookups::default()).unwrap();
    assert_eq!(exact.properties, properties([("Phone", Content::Null)]));
}

#[test]
fn a_reference_that_stands_in_for_another_is_looked_up_too() {
    let pair = with_rows(
        "[[property]]\ncustomcrm = [\"ParentId\", \"OtherId\"]\nexactonline = \"Parent\"\nedm = \"Edm.Guid\"\nkind = \"reference\"\npair = \"customer-account\"\n",
    );
    let record = properties([("ParentId", Content::Null), ("OtherId", "c9".into())]);
    let needs = pair.needs(System::CustomCrm, &record);
    assert_eq!(needs.iter().map(|need| need.record.as_str()).collect::<Vec<_>>(), ["c9"]);
}

fn linked() -> (LinkId, Lookups) {
    let record = RecordId::parse("p1").unwrap();
    let link = LinkId::begun_by(System::CustomCrm, &record);
    let mut lookups = Lookups::default();
    for (system, id) in [(System::CustomCrm, "p1"), (System::ExactOnline, "71b9")] {
        let id = RecordId::parse(id).unwrap();
        lookups.links.insert((pair_name("product-item"), system, id.clone()), link.clone());
        lookups.records.insert((pair_name("product-item"), link.clone(), system), id);
    }
    (link, lookups)
}

fn cell(key: &LineKey, name: &str) -> PropertyName {
    PropertyName::in_line(key, &row(name))
}

fn there(key: &LineKey) -> PropertyName {
    PropertyName::of_line(&row("Lines"), key)
}

fn line<const N: usize>(cells: [(&str, Content); N]) -> Content {
    Content::Object(properties(cells))
}

#[test]
fn a_line_is_seen_under_its_own_key_with_its_cells_and_needs() {
    let (pair, (link, lookups)) = (order(), linked());
    let lines = vec![
        line([("LineId", "L1".into()), ("ProductId", "p1".into()), ("Quantity", number("2"))]),
        line([("LineId", "L]2[.x".into()), ("Notes", Content::Null), ("Comment", "fragile".into())]),
    ];
    let record = properties([("Lines", Content::List(lines))]);
    let needs = pair.needs(System::CustomCrm, &record);
    assert_eq!(needs.iter().map(|need| need.record.as_str()).collect::<Vec<_>>(), ["p1"]);
    let view = seen(&pair, System::CustomCrm, &record, &lookups);
    let (first, second) = (line_key(System::CustomCrm, "L1"), line_key(System::CustomCrm, "L]2[.x"));
    let expected = View::from([
        (there(&first), Value::Boolean(true)),
        (cell(&first, "Lines.ProductId"), Value::Reference(Reference::Linked(link))),
        (cell(&first, "Lines.Quantity"), Value::Decimal(2.into())),
        (there(&second), Value::Boolean(true)),
        (cell(&second, "Lines.Notes"), text("fragile")),
    ]);
    assert_eq!(view, expected);
}

#[test]
fn a_line_without_an_id_is_told_and_not_seen() {
    let pair = order();
    let lines = Content::List(vec![
        line([("Quantity", number("2"))]),
        "no line".into(),
        line([("LineId", "".into())]),
    ]);
    let seen = pair.view(System::CustomCrm, &properties([("Lines", lines)]), &Lookups::default());
    assert_eq!(seen.view, View::new());
    let told: Vec<String> = seen.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["Lines.LineId holds no usable id", "Lines.LineId holds no usable id"]);
    let null = pair.view(System::CustomCrm, &properties([("Lines", Content::Null)]), &Lookups::default());
    assert_eq!((null.view, null.problems), (View::new(), vec![]));
}

#[test]
fn new_lines_come_in_the_order_of_their_source() {
    let (pair, (link, lookups)) = (order(), linked());
    let mut source = View::new();
    for (id, place) in [("L1", Some(10)), ("L2", Some(9)), ("L30", None), ("L4", Some(2)), ("L5", None)] {
        let key = line_key(System::CustomCrm, id);
        source.insert(there(&key), Value::Boolean(true));
        source.insert(cell(&key, "Lines.ProductId"), Value::Reference(Reference::Linked(link.clone())));
        source.insert(cell(&key, "Lines.Notes"), text(id));
        source.extend(place.map(|place| (cell(&key, "Lines.LineNumber"), Value::Decimal(place.into()))));
    }
    let is_written = |name: &PropertyName| name.row() != row("Lines.LineNumber");
    let values: View = source.clone().into_iter().filter(|(name, _)| is_written(name)).collect();
    let record = [(row("CustomerId"), Value::Empty)];
    let values: View = values.into_iter().chain(record).collect();
    let onto = Onto::Known { source: &source, view: &View::new(), lines: &[].into() };
    let pair = Pair { properties: Vec::new(), constants: Vec::new(), ..pair };
    for onto in [onto, Onto::New { source: &source }] {
        let put = pair.put(System::ExactOnline, &values, onto, &lookups).unwrap();
        let notes: Vec<&str> = put.added().map(|line| line["Notes"].as_text().unwrap()).collect();
        assert_eq!(notes, ["Note: L4", "Note: L2", "Note: L1", "Note: L5", "Note: L30"]);
        assert_eq!(put.lines.len(), 5);
    }
}

#[test]
fn a_line_is_written_whole_though_another_stands_between_its_cells_in_the_view() {
    let (pair, (link, lookups)) = (order(), linked());
    let pair = Pair { properties: Vec::new(), constants: Vec::new(), ..pair };
    let mut values = View::new();
    for id in ["L1", "L1].N"] {
        let key = line_key(System::CustomCrm, id);
        values.insert(there(&key), Value::Boolean(true));
        values.insert(cell(&key, "Lines.ProductId"), Value::Reference(Reference::Linked(link.clone())));
        values.insert(cell(&key, "Lines.Notes"), text(id));
        values.insert(cell(&key, "Lines.Quantity"), Value::Decimal(2.into()));
    }
    let lines: Vec<_> = values.keys().filter_map(PropertyName::line).collect();
    assert!(!lines.is_sorted(), "the cells of the one stand between those of the other");
    let put = put_new(&pair, System::ExactOnline, &values, &lookups).unwrap();
    let added = |id: &str| {
        LinePut::Add(properties([
            ("Item", "71b9".into()),
            ("Notes", format!("Note: {id}").as_str().into()),
            ("Quantity", number("2")),
        ]))
    };
    assert_eq!(put.lines, [added("L1"), added("L1].N")]);
}

#[test]
fn a_line_is_added_changed_or_removed_under_its_own_id() {
    let pair = order();
    let key = |id: &str| line_key(System::CustomCrm, id);
    let lines = [("L1", "guid-1"), ("L2", "guid-2"), ("L3", "guid-3"), ("L4", "guid-4")];
    let lines =
        lines.map(|(tie, own)| (key(tie), ties(System::ExactOnline, line_key(System::ExactOnline, own))));
    let known = View::from([(cell(&key("L1"), "Lines.Notes (rest)"), text("by hand"))]);
    let onto = Onto::Known { source: &View::new(), view: &known, lines: &lines.into() };
    let values = View::from([
        (cell(&key("L1"), "Lines.Notes"), text("fragile")),
        (there(&key("L2")), Value::Empty),
        (there(&key("L3")), Value::Boolean(true)),
        (there(&key("L9")), Value::Empty),
    ]);
    let put = pair.put(System::ExactOnline, &values, onto, &Lookups::default()).unwrap();
    let id = |id: &str| RecordId::parse(id).unwrap();
    let notes = properties([("Notes", "Note: fragile\nby hand".into())]);
    assert_eq!(
        put.lines,
        [LinePut::Change { id: id("guid-1"), properties: notes }, LinePut::Remove { id: id("guid-2") }]
    );
    assert_eq!(put.added().count(), 0);

    let new = View::from([(there(&key("L8")), Value::Boolean(true))]);
    let problems = pair.put(System::ExactOnline, &new, onto, &Lookups::default()).unwrap_err();
    assert_eq!(problems[0].to_string(), "Item is mandatory and is empty: fill it in");
}

#[test]
fn a_key_of_several_rows_needs_them_all_and_takes_the_stand_in_for_an_empty_one() {
    let pair = order();
    let customer = Value::Reference(Reference::Linked(linked().0));
    let mut view = View::from([(row("CustomerId"), customer), (row("CustomerReference"), text("PO-7"))]);
    let keys = |view: &View, stand_in: Option<&str>| -> Vec<(String, String)> {
        pair.match_keys(view, stand_in).into_iter().map(|key| (key.name(), key.value)).collect()
    };
    let key = |value: &str| ("CustomerId+CustomerReference".to_owned(), format!("customcrm:p1 {value}"));
    assert_eq!(keys(&view, Some("O-12")), [key("po7")]);
    view.insert(row("CustomerReference"), Value::Empty);
    assert_eq!(keys(&view, Some("O-12")), [key("o12")]);
    assert_eq!(keys(&view, None), []);
    view.insert(row("CustomerReference"), Value::StandIn("O-13".to_owned()));
    assert_eq!(keys(&view, None), [key("o13")]);
    view.insert(row("Reference"), Value::Empty);
    assert_eq!(keys(&view, Some("O-12")), [key("o13")], "a stand-in stands in for its own row alone");
    view.remove(&row("CustomerId"));
    assert_eq!(keys(&view, None), []);
}

#[test]
fn a_number_a_day_and_a_person_can_be_keys_and_differ_where_they_differ() {
    let pair = order();
    let keys = |value: Value| {
        let pair = Pair { match_keys: vec![crate::KeyRows(vec![row("Reference")])], ..pair.clone() };
        pair.match_keys(&View::from([(row("Reference"), value)]), None)
            .into_iter()
            .map(|key| key.value)
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(Value::Decimal("1.50".parse().unwrap())), ["1.5"]);
    assert_eq!(keys(Value::Decimal(15.into())), ["15"]);
    assert_eq!(keys(Value::Date(jiff::civil::date(2026, 1, 31))), ["2026-01-31"]);
    assert_eq!(keys(Value::Reference(Reference::Person("eva@example.com".to_owned()))), ["eva@example.com"]);
    assert!(keys(Value::Boolean(true)).is_empty());
}

#[test]
fn a_record_of_the_crm_stands_in_with_its_first_filled_property() {
    let pair = order();
    let of = |record| pair.stand_in(System::CustomCrm, &record);
    assert_eq!(of(properties([("OrderNumber", " 12 ".into()), ("Id", "o1".into())])).as_deref(), Some("12"));
    assert_eq!(of(properties([("OrderNumber", number("12.0"))])).as_deref(), Some("12"));
    assert_eq!(of(properties([("OrderNumber", "".into()), ("Id", "o1".into())])).as_deref(), Some("o1"));
    assert_eq!(of(properties([("OrderNumber", Content::Null)])), None);
    assert_eq!(pair.stand_in(System::ExactOnline, &properties([("Id", "x".into())])), None);
    let values = View::from([(row("CustomerReference"), Value::StandIn("12".to_owned()))]);
    let put = put_known(&pair, System::ExactOnline, &values, &View::new(), &Lookups::default()).unwrap();
    assert_eq!(put.properties["YourRef"], Content::from("12"));
}
