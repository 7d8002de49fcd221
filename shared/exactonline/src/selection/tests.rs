#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use mapping::{List, Pair, Reading};
use model::PairName;

use super::{Selection, lists};
use crate::Entity;

fn pair(exact: &str, rows: &[(&str, &str, &str)], rest: &str) -> Pair {
    let rows = rows.iter().map(|(name, edm, kind)| {
        format!(
            "[[property]]\ncustomcrm = \"Crm{name}\"\nexactonline = \"{name}\"\nedm = \"{edm}\"\n{kind}\n"
        )
    });
    let first = "[[property]]\ncustomcrm = \"Name\"\nexactonline = \"Description\"\nedm = \"Edm.String\"\nkind = \"text\"\n";
    let text = format!(
        "pair = \"{exact}\"\ntitle = \"x\"\nsummary = \"x\"\nconflict = \"crm\"\nmatch_keys = [\"Name\"]\nsearch_own = \"Name\"\n\
         [customcrm]\nentity = \"quotes\"\ncreate = true\n[exactonline]\nentity = \"{exact}\"\ncreate = false\n\
         {first}{}{rest}",
        rows.collect::<String>()
    );
    let kept = BTreeSet::from([PairName::parse(exact).unwrap()]);
    Pair::parse("pair.toml", &text, Reading::Practical, &kept).unwrap()
}

fn selected(exact: &str, pairs: &[Pair]) -> Selection {
    Selection::of(&Entity::named(exact).unwrap(), pairs)
}

const MONEY: &str = "kind = \"money\"\ndirection = \"to-crm\"";

const LINES: &str = "[lines]\ncustomcrm = \"Lines\"\nexactonline = \"QuotationLines\"\nedm = \"Collection(QuotationLines)\"\n\
    id = { customcrm = \"LineId\", exactonline = \"ID\" }\nmatch_by = [\"Notes\"]\n\
    [[lines.property]]\ncustomcrm = \"Notes\"\nexactonline = \"Notes\"\nedm = \"Edm.String\"\nkind = \"text\"\n";

#[test]
fn a_plain_entity_is_read_from_its_feed_alone() {
    let other = pair("accounts", &[("City", "Edm.String", "kind = \"text\"")], "");
    let pairs = [pair("items", &[("Notes", "Edm.String", "kind = \"text\"")], ""), other];
    let selection = selected("items", &pairs);
    assert_eq!(selection.own, ["Description", "Modified", "Notes"]);
    assert_eq!((selection.parts, selection.late.len()), (None, 0));
}

#[test]
fn a_price_is_read_from_its_feed_and_not_from_the_items() {
    let selection = selected("items", &[pair("items", &[("StandardSalesPrice", "Edm.Double", MONEY)], "")]);
    assert_eq!(selection.own, ["Description", "Modified"]);
    let parts = selection.parts.clone().unwrap();
    for name in ["Account", "Price", "Quantity", "StartDate", "EndDate", "Modified"] {
        assert!(parts.iter().any(|part| part == name), "{name}");
    }
    assert!(selection.records.iter().any(|name| name == "StandardSalesPrice"));
}

#[test]
fn a_document_is_read_with_its_lines_and_what_its_header_feed_lacks_from_itself() {
    let amounts = [("VATAmountFC", "Edm.Double", MONEY), ("AmountFC", "Edm.Double", MONEY)];
    let selection = selected("quotations", &[pair("quotations", &amounts, LINES)]);
    assert_eq!(selection.own, ["AmountFC", "Description", "Modified"]);
    assert_eq!(selection.late, ["AmountFC", "VATAmountFC"]);
    assert_eq!(selection.parts.as_deref().unwrap(), ["ID", "LineNumber", "Modified", "Notes"]);
    assert_eq!(selection.single_parts(), ["ID", "LineNumber", "Notes"]);
    assert_eq!(selection.records, ["AmountFC", "Description", "Modified", "VATAmountFC"]);
}

#[test]
fn lines_are_not_read_for_pairs_that_know_none_and_need_no_total() {
    assert_eq!(selected("quotations", &[pair("quotations", &[], "")]).parts, None);
    let total = pair("quotations", &[("AmountFC", "Edm.Double", MONEY)], "");
    assert!(selected("quotations", &[total]).parts.is_some());
}

#[test]
fn the_lists_of_all_rows_are_known_those_of_lines_too() {
    let lookup = |list: &str| format!("kind = \"lookup\"\nlist = \"{list}\"");
    let conditions = lookup("payment-conditions");
    let line = format!(
        "{LINES}[[lines.property]]\ncustomcrm = \"Unit\"\nexactonline = \"UnitCode\"\nedm = \"Edm.String\"\n{}\n",
        lookup("units")
    );
    let pair = pair("quotations", &[("PaymentCondition", "Edm.String", &conditions)], &line);
    assert_eq!(lists(&[pair]), BTreeSet::from([List::PaymentConditions, List::Units]));
}
