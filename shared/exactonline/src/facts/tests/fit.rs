use std::collections::BTreeSet;
use std::path::Path;

use mapping::{Pair, Reading};
use model::{EntityName, PairName};

use crate::kept;

const ACCOUNTS: &str = include_str!("../../../../../deploy/pairs/customer-account.toml");

const ITEMS: &str = include_str!("../../../../../deploy/pairs/product-item.toml");

const ORDERS: &str = r#"
pair = "order-salesorder"
title = "Orders"
summary = "Orders."
conflict = "crm"
match_keys = ["CustomerReference"]
search_own = "CustomerReference"

[customcrm]
entity = "orders"
create = true

[exactonline]
entity = "salesorders"
create = true
admits = [{ Status = [12] }]

[[property]]
customcrm = "CustomerId"
exactonline = "OrderedBy"
edm = "Edm.Guid"
kind = "reference"
pair = "customer-account"
required = true
create_only = true

[[property]]
customcrm = "CustomerReference"
exactonline = "YourRef"
edm = "Edm.String"
kind = "text"

[[property]]
customcrm = "Total"
exactonline = "AmountFC"
edm = "Edm.Double"
kind = "money"
direction = "to-crm"

[lines]
customcrm = "Lines"
exactonline = "SalesOrderLines"
edm = "Collection(SalesOrderLines)"
id = { customcrm = "LineId", exactonline = "ID" }
match_by = ["ProductId"]
order = "LineNumber"

[[lines.property]]
customcrm = "ProductId"
exactonline = "Item"
edm = "Edm.Guid"
kind = "reference"
pair = "product-item"
required = true

[[lines.property]]
customcrm = "Quantity"
exactonline = "Quantity"
edm = "Edm.Double"
kind = "quantity"

[[lines.property]]
customcrm = "LineNumber"
exactonline = "LineNumber"
edm = "Edm.Int32"
kind = "integer"
direction = "to-crm"
"#;

fn parsed(text: &str, reading: Reading) -> Pair {
    let kept = ["customer-account", "contact-contact", "product-item", "order-salesorder", "quote-quotation"];
    let kept: BTreeSet<PairName> = kept.into_iter().map(|pair| PairName::parse(pair).unwrap()).collect();
    Pair::parse("pair.toml", text, reading, &kept).unwrap()
}

fn told(text: &str) -> String {
    match kept(&[parsed(text, Reading::Practical)]) {
        Ok(_) => String::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

#[track_caller]
fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    let changed = changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "the change of {from:?} changes nothing");
        text.replacen(from, to, 1)
    });
    told(&changed)
}

#[test]
fn every_shipped_pair_fits_in_both_readings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let names: BTreeSet<PairName> = texts.iter().map(|text| Pair::name_in(text).unwrap()).collect();
    assert!(!names.is_empty());
    for (text, reading) in texts.iter().flat_map(|text| Reading::ALL.map(|reading| (text, reading))) {
        let pair = Pair::parse(Pair::name_in(text).unwrap().as_str(), text, reading, &names).unwrap();
        let told = kept(&[pair]).err().unwrap_or_default();
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, Vec::<String>::new(), "{reading}");
    }
    assert_eq!(told(ORDERS), "");
}

#[test]
fn a_pair_that_exact_can_not_work_with_is_told_with_its_place_and_the_remedy() {
    let told = changed(ACCOUNTS, &[("exactonline = \"Website\"", "exactonline = \"WebSite\"")]);
    assert!(told.starts_with("pair.toml:") && told.contains("did you mean \"Website\"?"), "{told}");
    let told = changed(ACCOUNTS, &[("exactonline = \"City\"", "exactonline = \"CountryName\"")]);
    assert!(told.contains("can only be read: write direction = \"to-crm\""), "{told}");
    let told = changed(ACCOUNTS, &[("exactonline = \"Blocked\"", "exactonline = \"IsMailing\"")]);
    assert!(told.contains("is of type Edm.Byte, not Edm.Boolean"), "{told}");
    let told = changed(ACCOUNTS, &[("required = true\n", "")]);
    assert!(told.contains("is mandatory: write required = true"), "{told}");
    let told = changed(ACCOUNTS, &[("exactonline = \"Name\"", "exactonline = \"TradeName\"")]);
    assert!(told.contains("is made without Name: add a row that writes it"), "{told}");
    let told = changed(ORDERS, &[("create_only = true\n", "")]);
    assert!(told.contains("OrderedBy of Exact's salesorders can't be changed once it is there"), "{told}");
    let mut pair = parsed(ORDERS, Reading::Practical);
    pair.entities.exactonline = EntityName::parse("salesorder").unwrap();
    let told = kept(&[pair]).unwrap_err().remove(0).to_string();
    assert!(told.contains("name one of accounts, contacts, items, salesorders, quotations"), "{told}");
    let told = changed(ORDERS, &[("Status = [12]", "State = [12]")]);
    assert!(told.contains("`admits`: Exact's salesorders have no property \"State\""), "{told}");
}

#[test]
fn the_sales_price_of_an_item_is_written_in_its_own_record_or_not_at_all() {
    let read = "direction = \"to-crm\"\n# written_to = \"SalesItemPrices\"\n";
    let written = (read, "written_to = \"SalesItemPrices\"\n");
    assert_eq!(changed(ITEMS, &[written]), "");
    let told = changed(ITEMS, &[(read, "")]);
    assert!(
        told.ends_with(
            "StandardSalesPrice of Exact's items can only be read: write direction = \"to-crm\", or written_to = \
             \"SalesItemPrices\""
        ),
        "{told}"
    );
    let stock = "exactonline = \"Stock\"\nedm = \"Edm.Double\"\nkind = \"quantity\"\n";
    let told = changed(
        ITEMS,
        &[(
            &format!("{stock}direction = \"to-crm\"\n"),
            &format!("{stock}written_to = \"SalesItemPrices\"\n"),
        )],
    );
    assert!(
        told.ends_with("Stock of Exact's items is not in SalesItemPrices: leave written_to out"),
        "{told}"
    );
    assert!(told.starts_with("pair.toml:"), "{told}");
    let weight = "exactonline = \"NetWeight\"\n";
    let told = changed(ITEMS, &[(weight, &format!("{weight}written_to = \"SalesItemPrices\"\n"))]);
    assert!(
        told.ends_with("NetWeight of Exact's items is not in SalesItemPrices: leave written_to out"),
        "{told}"
    );
}

#[test]
fn lines_are_held_to_facts_of_their_own() {
    let told = changed(ORDERS, &[("exactonline = \"Quantity\"", "exactonline = \"YourRef\"")]);
    assert!(told.contains("the lines of Exact's salesorders have no property \"YourRef\""), "{told}");
    assert!(told.starts_with("pair.toml:56:"), "{told}");
    let told = changed(ORDERS, &[("kind = \"integer\"\ndirection = \"to-crm\"", "kind = \"integer\"")]);
    assert!(told.contains("LineNumber of the lines of Exact's salesorders can only be read"), "{told}");
    let told = changed(
        ORDERS,
        &[(
            "exactonline = \"Quantity\"\nedm = \"Edm.Double\"\nkind = \"quantity\"",
            "exactonline = \"OrderID\"\nedm = \"Edm.Guid\"\nkind = \"person\"",
        )],
    );
    assert!(told.contains("OrderID names the document of a line and is filled in"), "{told}");
    let told = changed(
        ORDERS,
        &[(
            "exactonline = \"Quantity\"\nedm = \"Edm.Double\"\nkind = \"quantity\"",
            "exactonline = \"OrderStatus\"\nedm = \"Edm.Int16\"\nkind = \"integer\"\ndirection = \"to-crm\"",
        )],
    );
    assert!(
        told.contains("the sync feed of the lines of Exact's salesorders does not show OrderStatus"),
        "{told}"
    );
    let told = changed(
        ORDERS,
        &[
            ("exactonline = \"SalesOrderLines\"", "exactonline = \"Lines\""),
            ("exactonline = \"ID\"", "exactonline = \"LineID\""),
        ],
    );
    assert!(told.contains("exactonline is \"Lines\" and must be \"SalesOrderLines\""), "{told}");
    assert!(told.contains("is \"LineID\" and must be \"ID\""), "{told}");
    let told = changed(ORDERS, &[("exactonline = \"Item\"", "exactonline = \"ItemVersion\"")]);
    assert!(told.contains("none of the lines of Exact's salesorders is made without Item"), "{told}");
    let told = changed(ORDERS, &[("entity = \"salesorders\"", "entity = \"contacts\"")]);
    assert!(told.contains("Exact's contacts have no lines: leave [lines] out"), "{told}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let told = changed(
        ORDERS,
        &[
            ("exactonline = \"YourRef\"", "exactonline = \"YourReff\""),
            ("direction = \"to-crm\"", "direction = \"both\""),
            ("exactonline = \"Quantity\"", "exactonline = \"Quantum\""),
        ],
    );
    assert_eq!(told.lines().count(), 3, "{told}");
    // What is wrong in both readings of a file is told once.
    let text = ORDERS.replace("exactonline = \"YourRef\"", "exactonline = \"YourReff\"");
    let both = Reading::ALL.map(|reading| parsed(&text, reading));
    assert_eq!(kept(&both).unwrap_err().len(), 1);
}

#[test]
fn a_document_needs_lines_and_a_contact_one_of_its_names() {
    let without_lines = ORDERS.split("[lines]").next().unwrap();
    assert!(told(without_lines).contains("none of Exact's salesorders is made without SalesOrderLines"));
    let contacts = |name: &str| {
        let rows = r#"
[[property]]
customcrm = "CustomerId"
exactonline = "Account"
edm = "Edm.Guid"
kind = "reference"
pair = "customer-account"
required = true
create_only = true

[[property]]
customcrm = "Name"
exactonline = "NAME"
edm = "Edm.String"
kind = "text"
"#;
        let head = ORDERS.split("[[property]]").next().unwrap().replace("salesorders", "contacts");
        let head =
            head.replace("admits = [{ Status = [12] }]", "").replace("\"CustomerReference\"", "\"Name\"");
        told(&(head + &rows.replace("NAME", name)))
    };
    assert_eq!(contacts("LastName"), "");
    assert_eq!(contacts("FirstName"), "");
    assert!(
        contacts("MiddleName").contains("is made without FirstName or LastName"),
        "{}",
        contacts("MiddleName")
    );
}

#[test]
fn a_constant_gives_only_what_can_be_given() {
    let with = |constant: &str| {
        let text = ORDERS.split("[lines]").next().unwrap().to_owned();
        told(&(text + "[[constant]]\n" + constant))
    };
    let lines = "exactonline = \"SalesOrderLines\"\nvalue = [{ Item = \"$literal.item\", Quantity = 1 }]\n";
    assert_eq!(with(lines), "");
    assert!(
        with(&lines.replace("Quantity", "LineNumber"))
            .contains("LineNumber of the lines of Exact's salesorders can't be given")
    );
    assert!(with(&lines.replace("Item =", "Notes =")).contains("is made without Item: add it"));
    assert!(with("exactonline = \"SalesOrderLines\"\nvalue = \"x\"\n").contains("is a list of lines"));
    let known = with(&(lines.to_owned() + "[[constant]]\nexactonline = \"AmountFC\"\nvalue = 1\n"));
    assert!(known.contains("AmountFC of Exact's salesorders can't be given"), "{known}");
    let unknown = with(&(lines.to_owned() + "[[constant]]\nexactonline = \"Remark\"\nvalue = \"x\"\n"));
    assert!(unknown.contains("did you mean \"Remarks\"?"), "{unknown}");
}
