//! Names of rows and pairs that mean nothing, or the wrong thing.

use super::{place, refused, refused_in};
use crate::{
    Reading,
    tests::{ORDER, parse},
};

#[test]
fn a_name_that_no_row_has_is_told_wherever_it_stands() {
    let none = |name: &str, nearest: &str| format!("no row is called {name:?}: did you mean {nearest:?}?");
    refused(
        "search_own = \"CustomerReference\"",
        "search_own = ¶\"CustomerReferense\"",
        &none("CustomerReferense", "CustomerReference"),
    );
    refused(
        "\"CustomerReference\"], \"Reference\"]",
        "\"CustomerReference\"], ¶\"Referenze\"]",
        &none("Referenze", "Reference"),
    );
    refused("[[\"CustomerId\", ", "[¶[\"CustomrId\", ", &none("CustomrId", "CustomerId"));
    refused(
        "stand_in = { property = \"CustomerReference\"",
        "stand_in = { property = ¶\"CustomerRef\"",
        &none("CustomerRef", "CustomerReference"),
    );
    refused(
        "raises = { reference = \"CustomerId\"",
        "raises = { reference = ¶\"Customerid\"",
        &none("Customerid", "CustomerId"),
    );
    refused("number = \"Number\"", "number = ¶\"Numbr\"", &none("Numbr", "Number"));
    refused("version = \"VersionNumber\"", "version = ¶\"Version\"", &none("Version", "VersionNumber"));
    refused(
        "archive = { property = \"IsOpen\"",
        "archive = { property = ¶\"IsOpn\"",
        &none("IsOpn", "IsOpen"),
    );
    refused(
        "match_by = [\"ProductId\", ",
        "match_by = [\"ProductId\", ¶\"Lines.Quantity\", ",
        "no row is called \"Lines.Quantity\": name a row by its `name`, or by its CustomCRM property",
    );
    refused("order = \"LineNumber\"", "order = ¶\"LineNumbr\"", &none("LineNumbr", "LineNumber"));
    refused(
        "search_own = \"CustomerReference\"",
        "search_own = ¶\"zzz\"",
        "no row is called \"zzz\": name a row by its `name`, or by its CustomCRM property",
    );
    // A row of the other reading is none in this one.
    refused(
        "search_own = \"CustomerReference\"",
        "search_own = ¶\"Campaign\"",
        "no row is called \"Campaign\": name a row by its `name`, or by its CustomCRM property",
    );
    refused_in(
        Reading::Literal,
        "search_own = \"Reference\"",
        "search_own = ¶\"Referense\"",
        &none("Referense", "Reference"),
    );
}

#[test]
fn a_row_that_can_not_do_what_it_is_named_for_is_told() {
    refused(
        "\"CustomerReference\"], \"Reference\"]",
        "\"CustomerReference\"], ¶\"VersionNumber\"]",
        "\"VersionNumber\" has no property of customcrm, so nothing can be compared by it: name a row that both have",
    );
    refused(
        "search_own = \"CustomerReference\"",
        "search_own = ¶\"ContactId\"",
        "\"ContactId\" rests, so nothing is found by it: name another row",
    );
    refused(
        "stand_in = { property = \"CustomerReference\"",
        "stand_in = { property = ¶\"OrderDate\"",
        "\"OrderDate\" can't hold a number or name of the CRM in Exact: name a row of kind text or code that flows there",
    );
    refused(
        "raises = { reference = \"CustomerId\"",
        "raises = { reference = ¶\"Name\"",
        "\"Name\" refers to no record, so there is nothing to raise: name a row of kind reference",
    );
    refused(
        "version = \"VersionNumber\"",
        "version = ¶\"Name\"",
        "\"Name\" is no number, so no version is greater: name a row of kind integer",
    );
    refused(
        "order = \"LineNumber\"",
        "order = ¶\"Notes\"",
        "\"Notes\" is no number, so it tells no line's place: name a row of kind integer",
    );
    refused(
        "archive = { property = \"IsOpen\", value = false }",
        "archive = { property = ¶\"Weight\", value = 1 }",
        "\"Weight\" does not flow to customcrm: name a row that does",
    );
    refused(
        "archive = { property = \"IsOpen\", value = false }",
        "archive = ¶{ property = \"IsOpen\", value = false }\ndelete = \"unlink\"",
        "a record that is archived is not deleted or left as well: write archive or delete",
    );
    refused(
        "create = false\n\n[literal]",
        "create = false\narchive = { property = \"Priority\", value = ¶\"Gone\" }\n\n[literal]",
        "\"Priority\" can't be given this value: with it the row holds a word that the pair file's table does not list; it lists: Low, High",
    );
    refused(
        "[[constant]]\nexactonline = \"WarehouseCode\"",
        "¶[[constant]]\ncustomcrm = \"Code\"\nexactonline = \"WarehouseCode\"",
        "a constant is a property of one system: write either customcrm or exactonline",
    );
    refused(
        "[[constant]]\nexactonline = \"WarehouseCode\"",
        "¶[[constant]]",
        "a constant is a property of one system: write either customcrm or exactonline",
    );
}

#[test]
fn a_match_key_with_a_row_that_rests_is_left_out_and_not_told() {
    let text =
        ORDER.replacen("[[\"CustomerId\", \"CustomerReference\"], ", "[[\"CustomerId\", \"ContactId\"], ", 1);
    let keys = parse(&text, Reading::Practical).unwrap().match_keys;
    assert_eq!(keys.iter().map(crate::KeyRows::name).collect::<Vec<_>>(), ["Reference"]);
}

#[test]
fn a_pair_that_is_not_kept_or_is_the_pair_itself_is_told() {
    let not_kept = |pair: &str| {
        format!(
            "the pair {pair:?} is not kept by this deployment: add its file, or write `optional = true` so that the row rests without it"
        )
    };
    refused(
        "pair = \"contact-contact\"\noptional = true",
        "pair = ¶\"contact-contact\"",
        &not_kept("contact-contact"),
    );
    refused("pair = \"product-item\"", "pair = ¶\"product-items\"", &not_kept("product-items"));
    refused(
        "pair = \"product-item\"",
        "pair = ¶\"Product Item\"",
        "a pair name may not contain 'P'; use lower-case letters, digits and hyphens",
    );
    refused(
        "adopts = { reference = \"QuoteId\", pair = \"quote-salesorder\" }",
        "adopts = { reference = \"QuoteId\", pair = ¶\"order-salesorder\" }",
        "this is the pair itself: name the pair of the other record",
    );
    refused(
        "pair = \"quote-salesorder\" } }",
        "pair = ¶\"quote\" } }",
        "the pair \"quote\" is not kept by this deployment: add its file, or write `optional = true` beside it",
    );
    refused(
        "yields_to = [\"quote-salesorder\"]",
        "yields_to = [\"quote-salesorder\", ¶\"order-salesorder\"]",
        "a pair can't yield to itself: leave it out",
    );
    refused("yields_to = [\"quote-salesorder\"]", "yields_to = [¶\"\"]", "a pair name may not be empty");
    refused(
        "pair = \"order-salesorder\"",
        "pair = ¶\"Orders\"",
        "a pair name may not contain 'O'; use lower-case letters, digits and hyphens",
    );
}

#[test]
fn a_membership_makes_no_records() {
    let (at, text) = place(&ORDER.replacen("create = true", "create = ¶true", 1));
    let text = text.replacen("membership = false", "membership = true", 1);
    let problems = parse(&text, Reading::Practical).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [format!("{at}: with membership = true the pair makes no records: write create = false")]
    );
}
