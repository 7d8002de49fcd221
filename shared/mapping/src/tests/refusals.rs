//! A file that can't work is refused: where, what, and what to write instead.

use super::{ORDER, kept, pair_name, parse};
use crate::{Pair, Reading};

/// Where the text of a change has this mark, its problem must be told.
const HERE: char = '¶';

/// The place of the mark, and the text without it.
fn place(text: &str) -> (String, String) {
    let before = text.split(HERE).next().unwrap_or_default();
    let line = before.lines().count() + usize::from(before.ends_with('\n') || before.is_empty());
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (format!("pair.toml:{line}:{column}"), text.replacen(HERE, "", 1))
}

/// In this reading, one change makes one problem, at the mark.
#[track_caller]
fn refused_in(reading: Reading, from: &str, to: &str, problem: &str) {
    assert!(ORDER.contains(from), "{from:?} is not in the file");
    let (place, text) = place(&ORDER.replacen(from, to, 1));
    let problems = parse(&text, reading).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("{place}: {problem}")]);
}

#[track_caller]
fn refused(from: &str, to: &str, problem: &str) {
    refused_in(Reading::Practical, from, to, problem);
}

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
        "the key \"keepfilled\" is unknown here: did you mean \"keep_filled\"? Known here: compact, conflict, create_only, customcrm, direction, edm, exactonline, factor, follow, holds, inverted, keep_filled, kind, label, list, max, name, note, optional, over, pad, pair, places, reading, required, set, text, upper, words",
    );
    refused(
        "archive = {",
        "¶arxive = {",
        "the key \"arxive\" is unknown here: did you mean \"archive\"? Known here: admits, archive, create, entity",
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
        "the key \"value\" is missing: add it (Its value then, in CustomCRM's form)",
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

#[test]
fn a_value_that_no_lens_can_work_with_is_told() {
    let factor = |factor: &str| {
        format!(
            "{factor:?} is no number that a value can be multiplied by: write it as a text, such as \"0.01\""
        )
    };
    refused("factor = \"0.01\"", "factor = ¶\"0\"", &factor("0"));
    refused("factor = \"0.01\"", "factor = ¶\"1%\"", &factor("1%"));
    refused(
        "label = \"Web\"",
        "label = ¶\"Web:\"",
        "a label has neither a colon nor a line end in it nor blanks at its ends, and is not empty",
    );
    refused(
        "words = { Low = \"L\", High = \"H\" }",
        "words = { Low = ¶\"L\", High = \"L\" }",
        "two of CustomCRM's words stand for Exact's \"L\", so it could not be read back: give each its own",
    );
    refused(
        "words = { Low = \"L\", High = \"H\" }",
        "words = { Low = ¶\"L\", High = 7 }",
        "some of Exact's words are texts and some are numbers: a property holds the one or the other",
    );
    refused(
        "words = { Low = \"L\", High = \"H\" }",
        "words = { Low = \"L\", High = ¶[\"H\", \"X\"] }",
        "\"High\" stands for several words of Exact, and only one could be written: name one, or write direction = \"to-crm\"",
    );
    refused(
        "value = { Code =",
        "value = ¶{ Day = 2026-01-31, Code =",
        "2026-01-31 is no value that a record holds: write it as a text in quotes",
    );
    refused(
        "value = { Code =",
        "value = ¶{ Much = 1e40, Code =",
        "10000000000000000000000000000000000000000.0 is no value that a record holds: write it as a text in quotes",
    );
    refused(
        "Score = [1, 2.5]",
        "Score = [1, ¶nan]",
        "nan is no value that a record holds: write it as a text in quotes",
    );
}

#[test]
fn a_type_of_exact_that_does_not_fit_the_kind_is_told() {
    refused(
        "edm = \"Edm.Int32\"\nkind = \"integer\"\ntext",
        "edm = ¶\"Edm.String\"\nkind = \"integer\"\ntext",
        "Edm.String can't hold a property of kind \"integer\": it needs Edm.Int16 or Edm.Int32 or Edm.Int64 or Edm.Byte",
    );
    refused(
        "edm = \"Edm.Byte\"",
        "edm = ¶\"Edm.Int16\"",
        "Edm.Int16 can't hold a property of kind \"boolean\": it needs Edm.Boolean",
    );
    refused(
        "edm = \"Edm.Int16\"",
        "edm = ¶\"Edm.String\"",
        "Edm.String can't hold a property of kind \"enum\": it needs Edm.Int16 or Edm.Int32 or Edm.Int64 or Edm.Byte",
    );
    refused(
        "edm = \"Edm.Guid\"\nkind = \"lookup\"",
        "edm = ¶\"Edm.String\"\nkind = \"lookup\"",
        "Edm.String can't hold a property of kind \"lookup\": it needs Edm.Guid",
    );
}

#[test]
fn a_row_that_ties_nothing_or_only_reads_one_side_is_told_what_it_can_not_have() {
    let row = "[[property]]\nexactonline = \"VersionNumber\"\nedm = \"Edm.Int32\"\nkind = \"integer\"\n";
    let no_name = ORDER.replacen("version = \"VersionNumber\"", "version = \"Number\"", 2).replacen(
        "number = \"VersionNumber\"",
        "number = \"Number\"",
        1,
    );
    let (at, text) = place(&no_name.replacen(row, "¶[[property]]\nkind = \"integer\"\n", 1));
    let problems = parse(&text, Reading::Practical).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("{at}: the row ties nothing: write customcrm, exactonline, or both")]);
    refused(
        row,
        &row.replacen("edm = \"Edm.Int32\"\n", "", 1).replacen('[', "¶[", 1),
        "the type of \"VersionNumber\" is missing: add edm, as Exact's reference has it",
    );
    for key in [
        "direction = \"to-crm\"",
        "follow = false",
        "conflict = \"crm\"",
        "required = true",
        "keep_filled = true",
        "create_only = true",
    ] {
        let name = key.split(' ').next().unwrap();
        // Of what a key says, the value stands at the place.
        let written = key.replacen("= ", "= ¶", 1);
        refused(
            row,
            &format!("{row}{written}\n"),
            &format!("a row with a property on one side only is only read: leave {name} out"),
        );
    }
    refused(
        "[[property]]\ncustomcrm = \"Country\"\nexactonline = \"DeliveryCountry\"\nedm = \"Edm.String\"",
        "[[property]]\ncustomcrm = \"Country\"\nedm = ¶\"Edm.String\"",
        "the row has no property of Exact, so it has no type: leave edm out",
    );
}

#[test]
fn a_row_that_flows_otherwise_than_its_keys_need_is_told() {
    refused(
        "direction = \"to-exact\"\n\n",
        "direction = \"to-exact\"\nfollow = ¶true\n\n",
        "only what flows to the CRM can follow: write direction = \"to-crm\" too",
    );
    refused(
        "kind = \"timestamp\"",
        "kind = \"timestamp\"\nfollow = ¶true",
        "only what flows to the CRM can follow: write direction = \"to-crm\" too",
    );
    refused(
        "set = \"core\"",
        "create_only = ¶true",
        "the row never reaches Exact, so no record is created with it: leave create_only out",
    );
}

#[test]
fn what_two_write_in_one_system_is_told_at_the_second() {
    let lines: Vec<&str> = ORDER.lines().collect();
    let line = |wanted: &str| lines.iter().position(|line| line.contains(wanted)).unwrap();
    let writes = |what: &str, wanted: &str, path: &str, header: &str| {
        let at = (0..=line(wanted)).rev().find(|at| lines[*at] == header).unwrap() + 1;
        format!(
            "the {what} in line {at} writes {path} already: remove one of them, or let one row only read it"
        )
    };
    let added = |row: &str| format!("\n¶{row}\n[lines]\n");
    let text = |customcrm: &str, exactonline: &str| {
        format!(
            "[[property]]\nname = \"New\"\ncustomcrm = {customcrm}\nexactonline = \"{exactonline}\"\nedm = \"Edm.String\"\nkind = \"text\"\n"
        )
    };
    let row = |wanted: &str, path: &str| writes("row", wanted, path, "[[property]]");
    refused(
        "\n[lines]\n",
        &added(&text("\"New\"", "YourRef")),
        &row("\"YourRef\"", "exactonline's \"YourRef\""),
    );
    refused(
        "\n[lines]\n",
        &added(&text("\"CustomerReference\"", "New")),
        &row("\"YourRef\"", "customcrm's \"CustomerReference\""),
    );
    // Emptying a row empties the properties that stand in for it, too.
    refused("\n[lines]\n", &added(&text("\"Mobile\"", "New")), &row("\"Mobile\"", "customcrm's \"Mobile\""));
    refused(
        "\n[lines]\n",
        &added(&text("[\"New\", \"Name\"]", "New")),
        &row("\"Description\"", "customcrm's \"Name\""),
    );
    // A row that takes a whole text would undo the lines that others write into it.
    refused(
        "\n[lines]\n",
        &added(&text("\"New\"", "Remarks")),
        &row("\"E-mail\"", "exactonline's \"Remarks\""),
    );
    refused(
        "label = \"Web\"",
        "label = \"Web\"\n\n¶[[property]]\ncustomcrm = \"New\"\nexactonline = \"Remarks\"\nedm = \"Edm.String\"\nkind = \"labelled\"\nlabel = \"e-MAIL\"",
        &row("\"E-mail\"", "exactonline's \"Remarks\""),
    );
    refused(
        "[[constant]]\nexactonline = \"WarehouseCode\"",
        "¶[[constant]]\nexactonline = \"YourRef\"",
        &row("\"YourRef\"", "exactonline's \"YourRef\""),
    );
    refused(
        "[[constant]]\nexactonline = \"WarehouseCode\"",
        "¶[[constant]]\nexactonline = \"SalesOrderLines\"",
        &writes("row", "customcrm = \"Lines\"", "exactonline's \"SalesOrderLines\"", "[lines]"),
    );
    refused(
        "[[constant]]\ncustomcrm = \"Origin\"",
        "¶[[constant]]\nexactonline = \"WarehouseCode\"\nvalue = 3\n\n[[constant]]\ncustomcrm = \"Origin\"",
        &writes("constant", "\"WarehouseCode\"", "exactonline's \"WarehouseCode\"", "[[constant]]"),
    );
    refused(
        "[[lines.property]]\ncustomcrm = [\"Notes\"",
        "¶[[lines.property]]\ncustomcrm = \"More\"\nexactonline = \"Quantity\"\nedm = \"Edm.Double\"\nkind = \"money\"\n\n[[lines.property]]\ncustomcrm = [\"Notes\"",
        &writes("row", "exactonline = \"Quantity\"", "exactonline's \"Quantity\"", "[[lines.property]]"),
    );
}

#[test]
fn rows_that_only_read_one_property_may_share_it() {
    let rows = "
[[property]]
customcrm = \"ReferenceOfExact\"
exactonline = \"YourRef\"
edm = \"Edm.String\"
kind = \"text\"
direction = \"to-crm\"

[[property]]
customcrm = \"CustomerReference\"
name = \"Other\"
exactonline = \"OtherRef\"
edm = \"Edm.String\"
kind = \"text\"
direction = \"to-exact\"

[lines]
";
    assert!(parse(&ORDER.replacen("\n[lines]\n", rows, 1), Reading::Practical).is_ok());
}

#[test]
fn a_name_that_two_rows_have_or_that_lines_need_is_told() {
    let number = ORDER.lines().position(|line| line == "customcrm = \"OrderNumber\"").unwrap();
    refused(
        "[[property]]\ncustomcrm = \"Budget\"",
        "¶[[property]]\nname = \"Number\"\ncustomcrm = \"Budget\"",
        &format!("the row in line {number} is called \"Number\" too: give one of them another `name`"),
    );
    refused(
        "customcrm = \"Budget\"",
        "customcrm = ¶\"Budget[0]\"",
        "a row can't be called \"Budget[0]\", because lines are named in brackets: give it another `name`",
    );
    refused(
        "customcrm = \"Budget\"",
        "customcrm = ¶\"\\u0007\"",
        "a property name may not contain '\\u{7}'; use lower-case letters, digits and hyphens",
    );
    refused(
        "customcrm = \"Lines\"",
        "customcrm = ¶\"My.Lines\"",
        "lines can't be called \"My.Lines\", because a dot begins the name of their rows",
    );
    refused(
        "[[property]]\ncustomcrm = \"Budget\"",
        "¶[[property]]\nname = \"Remarks (rest)\"\ncustomcrm = \"Budget\"",
        "a view holds the rest of Exact's text under \"Remarks (rest)\": give the row another `name`",
    );
}

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

#[test]
fn all_problems_of_a_file_are_told_at_once_in_its_order() {
    let text = ORDER
        .replacen("archive = {", "arxive = {", 1)
        .replacen("kind = \"person\"", "kind = \"persoon\"", 1)
        .replacen("kind = \"country\"", "kind = \"land\"", 1)
        .replacen("max = 60", "max = 60\npad = 3", 1)
        .replacen("pair = \"contact-contact\"\noptional = true", "pair = \"contact-contact\"", 1)
        .replacen("words = { Low = \"L\", High = \"H\" }", "words = { Low = \"L\", High = \"L\" }", 1)
        .replacen("search_own = \"CustomerReference\"", "search_own = \"Customer\"", 1)
        .replacen("order = \"LineNumber\"", "ordr = \"LineNumber\"", 1)
        .replacen("exactonline = \"WarehouseCode\"", "exactonline = \"Currency\"", 1);
    let problems = parse(&text, Reading::Practical).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 9, "{}", told.join("\n"));
    assert!(
        problems.windows(2).all(|two| (two[0].line, two[0].column) < (two[1].line, two[1].column)),
        "{told:?}"
    );
    for part in [
        "\"Customer\"",
        "\"arxive\"",
        "contact-contact",
        "\"persoon\"",
        "\"pad\"",
        "\"land\"",
        "\"L\"",
        "\"ordr\"",
        "\"Currency\"",
    ] {
        assert_eq!(told.iter().filter(|problem| problem.contains(part)).count(), 1, "{part}: {told:?}");
    }
}

#[test]
fn a_name_of_a_row_that_was_refused_is_not_told_again() {
    let text = ORDER.replacen("kind = \"text\"\nmax = 40", "kind = \"txt\"\nmax = 40", 1);
    let problems = parse(&text, Reading::Practical).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let unkept = kept().into_iter().filter(|pair| *pair != pair_name("customer-account")).collect();
    let problems = Pair::parse("pair.toml", ORDER, Reading::Practical, &unkept).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn hostile_text_is_told_in_place_and_takes_no_effect() {
    refused(
        "conflict = \"newest\"",
        "conflict = ¶\"\u{202e}\\u001b[31m\"",
        "the conflict \"\\u{202e}\\u{1b}[31m\" is unknown: write one of crm, exact, newest, ask",
    );
    refused(
        "archive = { property = \"IsOpen\", value = false }",
        "archive = { value = \"🦀é\u{202e}\", property = ¶\"🦀\" }",
        "no row is called \"🦀\": name a row by its `name`, or by its CustomCRM property",
    );
    refused(
        "max = 60",
        "max = ¶99999999999999999999999999",
        "\"max\" can't be this: write a number from 1 on",
    );
}
