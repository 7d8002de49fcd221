//! Pairs that meet in one record, or go through one another.

use std::collections::BTreeSet;

use model::{PairName, System};

use super::pair_name;
use crate::{Pair, Reading, meet, writers};

/// A pair file in short: what tells it from the others, and its rows.
struct File {
    name: &'static str,
    entities: (&'static str, &'static str),
    head: &'static str,
    rows: &'static str,
}

const QUOTE: File = File { name: "quote-quotation", entities: ("quotes", "quotations"), head: "", rows: "" };
const ORDER: File = File { name: "order-quotation", entities: ("orders", "quotations"), ..QUOTE };
const USER: File = File { name: "user-quotation", entities: ("users", "quotations"), ..QUOTE };
const SALES: File = File { name: "order-salesorder", entities: ("orders", "salesorders"), ..QUOTE };

fn text(file: &File) -> String {
    let File { name, entities: (customcrm, exactonline), head, rows } = file;
    format!(
        r#"pair = "{name}"
{head}
conflict = "crm"
match_keys = []
search_own = "Name"
customcrm = {{ entity = "{customcrm}", create = false }}
exactonline = {{ entity = "{exactonline}", create = false }}
[[property]]
customcrm = "Name"
exactonline = "Description"
edm = "Edm.String"
kind = "text"
{rows}"#
    )
}

fn pairs(files: &[File]) -> Vec<Pair> {
    let kept: BTreeSet<PairName> = files.iter().map(|file| pair_name(file.name)).collect();
    let parse = |file: &File| {
        Pair::parse(&format!("{}.toml", file.name), &text(file), Reading::Practical, &kept).unwrap()
    };
    files.iter().map(parse).collect()
}

#[track_caller]
fn problems(files: &[File]) -> Vec<String> {
    meet(&pairs(files)).iter().map(ToString::to_string).collect()
}

#[test]
fn pairs_of_one_entity_of_exact_say_which_writes_first() {
    assert_eq!(
        problems(&[QUOTE, ORDER]),
        [
            "order-quotation.toml:7:26: quote-quotation and order-quotation both keep Exact's quotations, and neither yields: add \"quote-quotation\" to yields_to here, or \"order-quotation\" in quote-quotation.toml"
        ]
    );
    let after_quote = "yields_to = [\"quote-quotation\"]";
    assert!(problems(&[QUOTE, File { head: after_quote, ..ORDER }]).is_empty());
    assert!(problems(&[File { head: after_quote, ..ORDER }, QUOTE]).is_empty());
    assert!(problems(&[SALES, ORDER]).is_empty(), "they meet in no record of Exact");
    let each_other =
        [File { head: "yields_to = [\"order-quotation\"]", ..QUOTE }, File { head: after_quote, ..ORDER }];
    assert_eq!(
        problems(&each_other),
        [
            "order-quotation.toml:2:14: quote-quotation and order-quotation yield to each other: leave quote-quotation out of yields_to here, or order-quotation in quote-quotation.toml"
        ]
    );
}

#[test]
fn pairs_that_yield_in_a_ring_are_told() {
    let ring = [
        File { head: "yields_to = [\"user-quotation\"]", ..QUOTE },
        File { head: "yields_to = [\"quote-quotation\"]", ..ORDER },
        File { head: "yields_to = [\"order-quotation\"]", ..USER },
    ];
    assert_eq!(
        problems(&ring),
        [
            "user-quotation.toml:2:14: quote-quotation, order-quotation, user-quotation yield to one another in a ring, so none writes first: leave one of them out of yields_to of another"
        ]
    );
}

const STATUS: &str = "[[property]]
customcrm = \"Status\"
exactonline = \"Status\"
edm = \"Edm.String\"
kind = \"text\"
direction = \"to-crm\"
";

const STATUS_FOLLOWS: &str = "[[property]]
customcrm = \"Status\"
exactonline = \"Status\"
edm = \"Edm.String\"
kind = \"text\"
direction = \"to-crm\"
follow = true
";

const LINE_AMOUNT: &str = "[lines]
customcrm = \"Lines\"
exactonline = \"ExactLines\"
edm = \"Collection(ExactLines)\"
id = { customcrm = \"LineId\", exactonline = \"ID\" }
match_by = [\"Amount\"]
[[lines.property]]
customcrm = \"Amount\"
exactonline = \"AmountFC\"
edm = \"Edm.Double\"
kind = \"money\"
direction = \"to-crm\"
";

#[test]
fn a_property_of_the_crm_is_set_from_exact_by_one_pair() {
    let set_by_both = [File { rows: STATUS, ..ORDER }, File { rows: STATUS, ..SALES }];
    assert_eq!(
        problems(&set_by_both),
        [
            "order-salesorder.toml:13:1: order-quotation sets \"Status\" of CustomCRM's orders too (order-quotation.toml:13), and the two would undo one another: write follow = true here"
        ]
    );
    assert!(problems(&[File { rows: STATUS, ..ORDER }, File { rows: STATUS_FOLLOWS, ..SALES }]).is_empty());
    let of_others = [File { rows: STATUS, ..SALES }, File { rows: STATUS, ..QUOTE }];
    assert!(problems(&of_others).is_empty(), "an order's status is not a quote's");
    let lines = problems(&[File { rows: LINE_AMOUNT, ..ORDER }, File { rows: LINE_AMOUNT, ..SALES }]);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("order-salesorder.toml:19:1:") && lines[0].contains("\"Lines.Amount\""),
        "{lines:?}"
    );
}

#[test]
fn of_pairs_that_set_one_property_the_one_that_yields_is_to_follow() {
    let yields = File {
        head: "yields_to = [\"order-quotation\"]",
        entities: ("orders", "quotations"),
        rows: STATUS,
        ..USER
    };
    let told = problems(&[yields, File { rows: STATUS, ..ORDER }]);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("user-quotation.toml:13:1: order-quotation sets"), "{told:?}");
}

#[test]
fn a_pair_takes_over_only_records_of_its_own_entity() {
    let adopts = File {
        head: "yields_to = [\"quote-quotation\"]\nadopts = { reference = \"QuoteId\", pair = \"quote-quotation\" }",
        ..ORDER
    };
    assert!(problems(&[QUOTE, adopts]).is_empty());
    let adopts = File { head: "adopts = { reference = \"QuoteId\", pair = \"quote-quotation\" }", ..SALES };
    assert_eq!(
        problems(&[QUOTE, adopts]),
        [
            "order-salesorder.toml:2:10: quote-quotation keeps Exact's quotations, and a record of those can't be taken over as one of salesorders: name a pair of salesorders"
        ]
    );
}

#[test]
fn a_stand_in_is_taken_over_from_a_row_that_the_other_pair_writes() {
    let through = |from| File { head: from, ..SALES };
    let name = "stand_in = { property = \"Name\", from = [\"Id\"], through = { reference = \"QuoteId\", pair = \"quote-quotation\" } }";
    assert!(problems(&[QUOTE, through(name)]).is_empty());
    let status = File {
        head: "stand_in = { property = \"Reference\", from = [\"Id\"], through = { reference = \"QuoteId\", pair = \"quote-quotation\" } }",
        rows: "[[property]]\ncustomcrm = \"Reference\"\nexactonline = \"YourRef\"\nedm = \"Edm.String\"\nkind = \"text\"\n",
        ..SALES
    };
    assert_eq!(
        problems(&[QUOTE, status]),
        [
            "order-salesorder.toml:2:63: quote-quotation has no row \"Reference\" that writes to Exact: name one that it has"
        ]
    );
}

const CUSTOMER: &str = "[[property]]
customcrm = \"CustomerId\"
exactonline = \"OrderedBy\"
edm = \"Edm.Guid\"
kind = \"reference\"
pair = \"customer-account\"
";

#[test]
fn what_is_raised_is_a_row_of_the_pair_that_is_referred_to_and_takes_the_value() {
    let account =
        |rows| File { name: "customer-account", entities: ("customers", "accounts"), rows, ..QUOTE };
    let words = "[[property]]\ncustomcrm = \"Status\"\nexactonline = \"Status\"\nedm = \"Edm.String\"\nkind = \"enum\"\nwords = { Customer = \"C\" }\n";
    let order = |head| File { head, rows: CUSTOMER, ..SALES };
    let customer = "raises = { reference = \"CustomerId\", property = \"Status\", value = \"Customer\" }";
    assert!(problems(&[account(words), order(customer)]).is_empty());
    let buyer = "raises = { reference = \"CustomerId\", property = \"Status\", value = \"Buyer\" }";
    let told = problems(&[account(words), order(buyer)]);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].starts_with("order-salesorder.toml:2:10: \"Status\" of customer-account can't be given"),
        "{told:?}"
    );
    assert_eq!(
        problems(&[account(""), order(customer)]),
        [
            "order-salesorder.toml:2:10: customer-account has no row \"Status\" that writes to Exact: name one that it has"
        ]
    );
    assert_eq!(
        problems(&[account(STATUS), order(customer)]),
        [
            "order-salesorder.toml:2:10: customer-account has no row \"Status\" that writes to Exact: name one that it has"
        ]
    );
}

#[test]
fn a_pair_that_another_goes_through_and_that_is_not_there_is_told() {
    let adopts = File {
        head: "yields_to = [\"quote-quotation\"]\nadopts = { reference = \"QuoteId\", pair = \"quote-quotation\" }",
        ..ORDER
    };
    let without_quote = pairs(&[QUOTE, adopts]).split_off(1);
    assert_eq!(
        meet(&without_quote).iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "order-quotation.toml:3:10: the pair \"quote-quotation\" is not kept by this deployment: add its file, or leave this out"
        ]
    );
}

#[test]
fn the_table_tells_who_writes_each_property_and_who_goes_first() {
    let head = "yields_to = [\"quote-quotation\"]";
    let files = [
        File { head, rows: STATUS_FOLLOWS, ..ORDER },
        File { rows: STATUS, ..SALES },
        QUOTE,
        File { head: "membership = true\nyields_to = [\"quote-quotation\", \"order-quotation\"]", ..USER },
    ];
    let told: Vec<String> = writers(&pairs(&files))
        .into_iter()
        .map(|writers| {
            let pairs: Vec<&str> = writers.pairs.iter().map(PairName::as_str).collect();
            let system = if writers.system == System::CustomCrm { "crm" } else { "exact" };
            format!("{system} {} {}: {}", writers.entity, writers.property, pairs.join(", "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "crm orders Name: order-salesorder, order-quotation",
            "crm orders Status: order-salesorder, order-quotation",
            "crm quotes Name: quote-quotation",
            "exact quotations Description: quote-quotation, order-quotation",
            "exact salesorders Description: order-salesorder",
        ]
    );
}

#[test]
fn a_pair_that_follows_comes_after_one_that_sets_whatever_their_order() {
    let files = [File { rows: STATUS_FOLLOWS, ..ORDER }, File { rows: STATUS, ..SALES }];
    let written = writers(&pairs(&files));
    let status = written.iter().find(|writers| writers.property == "Status").unwrap();
    assert_eq!(status.pairs, [pair_name("order-salesorder"), pair_name("order-quotation")]);
}

#[test]
fn rows_of_lines_and_rows_that_share_a_text_are_told_as_one_writer_each() {
    let labelled = "[[property]]\ncustomcrm = \"Email\"\nexactonline = \"Remarks\"\nedm = \"Edm.String\"\nkind = \"labelled\"\nlabel = \"E-mail\"
[[property]]\ncustomcrm = \"Web\"\nexactonline = \"Remarks\"\nedm = \"Edm.String\"\nkind = \"labelled\"\nlabel = \"Web\"\n";
    let written = writers(&pairs(&[File { rows: labelled, ..ORDER }]));
    let remarks = written.iter().find(|writers| writers.property == "Remarks").unwrap();
    assert_eq!(remarks.pairs, [pair_name("order-quotation")]);
    let written = writers(&pairs(&[File { rows: LINE_AMOUNT, ..ORDER }]));
    assert!(
        written
            .iter()
            .any(|writers| writers.system == System::CustomCrm && writers.property == "Lines.Amount")
    );
}
