//! Rows, lines and constants that can't work.

use super::{place, refused};
use crate::{
    Reading,
    tests::{ORDER, parse},
};

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
        "words = { Low = \"L\", High = \"H\" }",
        "words = { Low = \"L\", High = ¶[] }",
        "\"High\" stands for no word of Exact, and could not be written: name one, or write direction = \"to-crm\"",
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
        "written_to = \"SalesItemPrices\"",
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
fn a_row_says_where_it_is_written_only_if_it_is_a_record_s_own_and_flows_to_exact() {
    let budget = "kind = \"money\"\nwritten_to = ";
    refused(
        budget,
        "kind = \"money\"\ndirection = \"to-crm\"\nwritten_to = ¶",
        "the row never reaches Exact, so nothing is written there: leave direction = \"to-crm\" out, or written_to",
    );
    refused(
        "exactonline = \"Quantity\"\n",
        "exactonline = \"Quantity\"\nwritten_to = ¶\"SalesItemPrices\"\n",
        "a line is written as it is and has no record beside it: leave written_to out",
    );
    refused(
        "written_to = \"SalesItemPrices\"",
        "written_to = ¶\"SalesPrices\"",
        "the written_to \"SalesPrices\" is unknown: did you mean \"SalesItemPrices\"?",
    );
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
