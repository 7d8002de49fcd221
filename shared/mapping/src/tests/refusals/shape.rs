//! What is not written as the format asks.

use super::refused;
use crate::{
    Reading,
    tests::{ORDER, parse},
};

#[test]
fn what_is_not_toml_is_told_alone() {
    let problems = parse("pair = \"x\"\nconflict = = 3\n[[property]\n", Reading::Practical).unwrap_err();
    assert!(!problems.is_empty());
    assert_eq!((problems[0].line, problems[0].column), (2, 12), "{problems:?}");
    let twice = parse("pair = \"x\"\npair = \"y\"", Reading::Practical).unwrap_err();
    assert_eq!((twice.len(), twice[0].line), (1, 2), "{twice:?}");
}

#[test]
fn an_empty_file_is_told_all_that_it_lacks() {
    let problems = parse("", Reading::Practical).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 7, "{told:?}");
    assert!(told.iter().all(|problem| problem.starts_with("pair.toml:1:1: the key ")), "{told:?}");
    assert!(told[0].contains("is missing: add it ("), "{told:?}");
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_known_one() {
    refused(
        "keep_filled = true",
        "¶keepfilled = true",
        "the key \"keepfilled\" is unknown here: did you mean \"keep_filled\"? Known here: compact, conflict, create_only, customcrm, direction, edm, exactonline, factor, follow, holds, inverted, keep_filled, kind, label, list, max, name, note, optional, over, pad, pair, places, reading, required, set, text, upper, words, written_to",
    );
    refused(
        "archive = {",
        "¶arxive = {",
        "the key \"arxive\" is unknown here: did you mean \"archive\"? Known here: admits, archive, create, delete, entity",
    );
    refused(
        "{ number = \"Number\"",
        "{ ¶zzz = 3, number = \"Number\"",
        "the key \"zzz\" is unknown here: write one of number, version",
    );
    refused(
        "[literal]\n",
        "[literal]\n¶adobts = 3\n",
        "the key \"adobts\" is unknown here: did you mean \"adopts\"? Known here: adopts, customcrm, exactonline, match_keys, membership, raises, search_own, stand_in, versions, yields_to",
    );
    refused(
        "order = \"LineNumber\"",
        "¶ordre = \"LineNumber\"",
        "the key \"ordre\" is unknown here: did you mean \"order\"? Known here: conflict, customcrm, direction, edm, exactonline, id, match_by, order, property",
    );
}

#[test]
fn an_unknown_word_is_told_with_the_nearest_known_one() {
    refused(
        "kind = \"person\"",
        "kind = ¶\"persoon\"",
        "the kind \"persoon\" is unknown: did you mean \"person\"? Known here: text, code, email, phone, country, language, currency, enum, decimal, money, quantity, integer, boolean, date, timestamp, active-until, reference, person, lookup, labelled",
    );
    refused("over = \"cut\"", "over = ¶\"trim\"", "the over \"trim\" is unknown: write one of refuse, cut");
    refused(
        "direction = \"to-crm\"",
        "direction = ¶\"to-cmr\"",
        "the direction \"to-cmr\" is unknown: did you mean \"to-crm\"? Known here: both, to-exact, to-crm",
    );
    refused(
        "conflict = \"newest\"",
        "conflict = ¶\"me\"",
        "the conflict \"me\" is unknown: write one of crm, exact, newest, ask",
    );
    refused(
        "list = \"item-groups\"",
        "list = ¶\"item-group\"",
        "the list \"item-group\" is unknown: did you mean \"item-groups\"? Known here: payment-conditions, vat-codes, units, item-groups",
    );
    refused("holds = \"id\"", "holds = ¶\"guid\"", "the holds \"guid\" is unknown: write one of code, id");
    refused("set = \"core\"", "set = ¶\"care\"", "the set \"care\" is unknown: did you mean \"core\"?");
    refused(
        "reading = \"literal\"",
        "reading = ¶\"verbatim\"",
        "the reading \"verbatim\" is unknown: write one of practical, literal",
    );
    refused(
        "entity = \"salesorders\"",
        "entity = ¶\"salesorder\"",
        "the entity \"salesorder\" is unknown: did you mean \"salesorders\"? Known here: accounts, contacts, items, salesorders, quotations",
    );
    refused(
        "entity = \"orders\"",
        "entity = ¶\"order\"",
        "the entity \"order\" is unknown: did you mean \"orders\"? Known here: customers, contacts, products, orders, quotes, users",
    );
    refused(
        "edm = \"Edm.Int32\"",
        "edm = ¶\"Edm.int32\"",
        "the edm \"Edm.int32\" is unknown: did you mean \"Edm.Int32\"? Known here: Edm.String, Edm.Double, Edm.Decimal, Edm.Int16, Edm.Int32, Edm.Int64, Edm.Byte, Edm.Boolean, Edm.DateTime, Edm.Guid",
    );
}

#[test]
fn a_value_of_another_type_is_told_with_what_to_write() {
    refused("create = true", "create = ¶\"yes\"", "\"create\" is a text: write true or false");
    refused("max = 60", "max = ¶\"60\"", "\"max\" is a text: write a whole number");
    refused("max = 60", "max = ¶6.5", "\"max\" is a number: write a whole number");
    refused("max = 60", "max = ¶0", "\"max\" can't be this: write a number from 1 on");
    refused("places = 6", "places = ¶29", "\"places\" can't be this: write a number from 0 to 28");
    refused("pad = 18", "pad = ¶300", "\"pad\" can't be this: write a number from 1 to 255");
    refused(
        "customcrm = [\"Phone\", \"Mobile\"]",
        "customcrm = ¶true",
        "\"customcrm\" is true or false: write a text in quotes, or a list",
    );
    refused(
        "kind = \"person\"",
        "kind = ¶7",
        "\"kind\" is a number: write one of text, code, email, phone, country, language, currency, enum, decimal, money, quantity, integer, boolean, date, timestamp, active-until, reference, person, lookup, labelled, in quotes",
    );
    refused(
        "IsBig = [true]",
        "IsBig = [¶2026-01-31]",
        "\"IsBig\" is a date: write a text in quotes, or true or false, or a number",
    );
    refused("IsBig = [true]", "IsBig = ¶true", "\"IsBig\" is true or false: write a list");
    refused(
        "id = { customcrm = \"LineId\",",
        "id = { customcrm = ¶[\"LineId\"],",
        "\"customcrm\" is a list: write a text in quotes",
    );
    refused("\ntitle = ", "\ntitle = ¶[1] # ", "\"title\" is a list: write a text in quotes");
}

#[test]
fn a_key_that_is_missing_is_told_where_its_table_begins() {
    refused(
        "[lines]\ncustomcrm = \"Lines\"",
        "¶[lines]",
        "the key \"customcrm\" is missing: add it (CustomCRM's list)",
    );
    refused(
        "[[property]]\ncustomcrm = \"OwnerId\"\nexactonline = \"Salesperson\"\nedm = \"Edm.Guid\"\nkind = \"person\"",
        "¶[[property]]\ncustomcrm = \"OwnerId\"\nexactonline = \"Salesperson\"\nedm = \"Edm.Guid\"",
        "the key \"kind\" is missing: add it (How it is carried over)",
    );
    refused(
        "archive = { property = \"IsOpen\", value = false }",
        "archive = ¶{ property = \"IsOpen\" }",
        "the key \"value\" is missing: add it (Its value then, in CustomCRM's form; for a date \"yesterday\")",
    );
    refused(
        "[exactonline]\nentity = \"salesorders\"\ncreate = false",
        "¶[exactonline]\nentity = \"salesorders\"",
        "the key \"create\" is missing: add it (Whether a missing partner is created here)",
    );
}

#[test]
fn an_empty_value_that_says_nothing_is_told() {
    let problem = "nothing stands here: fill it in, or leave out its key";
    refused("admits = [{ QuoteId = [\"*\"], Status = [\"\"] }, ", "admits = [¶{}, ", problem);
    refused("QuoteId = [\"*\"]", "QuoteId = ¶[]", problem);
    refused("words = { Low = \"L\", High = \"H\" }", "words = ¶{}", problem);
    refused("match_by = [\"ProductId\", \"Quantity\"]", "match_by = ¶[]", problem);
    refused("customcrm = [\"Phone\", \"Mobile\"]", "customcrm = ¶[]", problem);
    refused("customcrm = [\"Phone\", \"Mobile\"]", "customcrm = [\"Phone\", ¶\"\"]", problem);
    refused("exactonline = \"Urgent\"", "exactonline = ¶\"\"", problem);
    refused("from = [\"OrderNumber\", \"Id\"]", "from = ¶[]", problem);
}

#[test]
fn a_key_that_the_kind_does_not_have_is_told_and_one_that_it_needs() {
    refused(
        "kind = \"person\"",
        "kind = \"person\"\n¶max = 3",
        "with kind = \"person\" there is no key \"max\": leave it out",
    );
    refused(
        "upper = true\ncompact",
        "upper = true\n¶over = \"cut\"\ncompact",
        "with kind = \"code\" there is no key \"over\": leave it out",
    );
    refused(
        "kind = \"quantity\"",
        "kind = \"quantity\"\n¶factor = \"2\"",
        "with kind = \"quantity\" there is no key \"factor\": leave it out",
    );
    refused(
        "kind = \"country\"",
        "kind = \"country\"\n¶optional = false",
        "with kind = \"country\" there is no key \"optional\": leave it out",
    );
    let at = |name: &str, from: &str, problem: &str| {
        let row = ORDER.split("[[property]]").find(|row| row.contains(name) && row.contains(from)).unwrap();
        let whole = format!("[[property]]{row}");
        refused(&whole, &format!("¶{}", whole.replacen(from, "", 1)), problem);
    };
    at(
        "\"Priority\"",
        "words = { Low = \"L\", High = \"H\" }\n",
        "the key \"words\" is missing: add it (Kind enum: each word of CustomCRM with Exact's)",
    );
    at(
        "\"CustomerId\"",
        "pair = \"customer-account\"\n",
        "the key \"pair\" is missing: add it (Kind reference: the pair whose links it goes through)",
    );
    at(
        "\"PaymentTerms\"",
        "list = \"payment-conditions\"\n",
        "the key \"list\" is missing: add it (Kind lookup: Exact's list)",
    );
    at(
        "\"Website\"",
        "label = \"Web\"\n",
        "the key \"label\" is missing: add it (Kind labelled: what the line in Exact's text begins with)",
    );
}
