#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use model::EntityName;
use serde::Deserialize;

use super::{Webhooks, WebhooksDeclaration};
use crate::Declaration;

pub(in crate::webhooks) const STANDARD: &str = r#"
[webhooks]
scheme = "standard"
type = "type"
id = "data.id"
[webhooks.types]
"customer.*" = "customers"
"contact.*" = "contacts"
"product.*" = "products"
"order.*" = "orders"
"quote.*" = "quotes"
"user.*" = "users"
"#;

/// As much of a declaration as is about webhooks.
#[derive(Deserialize)]
struct File {
    webhooks: WebhooksDeclaration,
}

pub(in crate::webhooks) fn written(text: &str) -> WebhooksDeclaration {
    toml::from_str::<File>(text).unwrap().webhooks
}

pub(in crate::webhooks) fn collections() -> BTreeSet<EntityName> {
    let names = ["customers", "contacts", "products", "orders", "quotes", "users"];
    names.map(|name| EntityName::parse(name).unwrap()).into()
}

fn meant(text: &str) -> Webhooks {
    written(text).meant(&collections()).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let problems = written(text).meant(&collections()).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_default_api_declares_standard_webhooks_by_type() {
    assert_eq!(Some(meant(STANDARD)), Declaration::default_api().webhooks);
}

#[test]
fn an_hmac_of_the_body_needs_a_header_and_an_encoding_and_may_do_without_the_rest() {
    let plain = meant("[webhooks]\nscheme = \"hmac\"\nheader = \"X-Signature\"\nencoding = \"base64\"");
    let prefixed = meant(
        "[webhooks]\nscheme = \"hmac\"\nheader = \"x-signature\"\nencoding = \"base64\"\nprefix = \"\"",
    );
    assert_eq!(plain, prefixed, "names of headers have no case");
}

#[test]
fn unknown_keys_schemes_and_encodings_are_no_declaration() {
    let hmac = "[webhooks]\nscheme = \"hmac\"\nheader = \"X-Signature\"\n";
    for text in [
        "[webhooks]\nscheme = \"none\"".to_owned(),
        "[webhooks]\nscheme = \"standard\"\nsecret = \"x\"".to_owned(),
        "[webhooks]\ntype = \"type\"".to_owned(),
        format!("{hmac}encoding = \"base32\""),
    ] {
        assert!(toml::from_str::<File>(&text).is_err(), "{text}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_key_and_remedy() {
    let told = problems(
        r#"
[webhooks]
scheme = "standard"
header = "X-Signature"
encoding = "hex"
prefix = "sha256="
type = "event..name"
id = ""
[webhooks.types]
"" = "orders"
"*.made" = "orders"
"lead.*" = "leads"
"#,
    );
    let expected = [
        r#"webhooks.header: says what Standard Webhooks lays down; remove it, or write scheme = "hmac""#,
        r#"webhooks.encoding: says what Standard Webhooks lays down; remove it, or write scheme = "hmac""#,
        r#"webhooks.prefix: says what Standard Webhooks lays down; remove it, or write scheme = "hmac""#,
        r#"webhooks.types."": is no type; write a whole type, or its beginning and one * at the end"#,
        r#"webhooks.types."*.made": is no type; write a whole type, or its beginning and one * at the end"#,
        r#"webhooks.types."lead.*": tells of "leads", which is no collection of this CRM; write one of contacts, customers, orders, products, quotes, users"#,
        r#"webhooks.type: is no path into the body; write it as type = "data.type""#,
        r#"webhooks.id: is no path into the body; write it as id = "data.id""#,
    ];
    assert_eq!(told, expected);

    let told = problems("[webhooks]\nscheme = \"hmac\"\nprefix = \"\u{e9}\"");
    let expected = [
        "webhooks.header: is missing, and scheme = \"hmac\" needs it; write the name of the header that holds the signature, as header = \"X-Signature\"",
        "webhooks.encoding: is missing, and scheme = \"hmac\" needs it; write encoding = \"hex\" or encoding = \"base64\"",
        "webhooks.prefix: is nothing that a header can hold; write it as \"sha256=\"",
    ];
    assert_eq!(told, expected);
    let told = problems("[webhooks]\nscheme = \"hmac\"\nheader = \"X Signature\"\nencoding = \"hex\"");
    assert!(told[0].starts_with("webhooks.header: is no name of a header; "), "{told:?}");
}

#[test]
fn types_and_where_the_type_stands_go_together() {
    let told = problems("[webhooks]\nscheme = \"standard\"\ntype = \"type\"");
    let expected = "webhooks.types: is missing, so that no type tells of anything; write which type tells of which collection, as \"customer.*\" = \"customers\", or remove type";
    assert_eq!(told, [expected]);
    let told = problems("[webhooks]\nscheme = \"standard\"\n[webhooks.types]\n\"*\" = \"orders\"");
    let expected = "webhooks.type: is missing, and there is a section [webhooks.types]; write where the body holds the type, as type = \"type\"";
    assert_eq!(told, [expected]);
    let told = problems("[webhooks]\nscheme = \"standard\"\ndeletions = [\"*.deleted\"]");
    let expected = "webhooks.deletions: are told by types, and the key \"type\" is missing; write where the body holds the type, as type = \"type\"";
    assert_eq!(told, [expected]);
}

#[test]
fn a_deletion_is_told_by_a_type_or_its_beginning_or_its_end() {
    let told = problems(
        r#"
[webhooks]
scheme = "standard"
type = "type"
deletions = ["*", "", "*.x.*", "a*b"]
types = { "*" = "orders" }
"#,
    );
    let expected = ["*", "", "*.x.*", "a*b"].map(|written| {
        format!(
            "webhooks.deletions.\"{written}\": is no type; write a whole type, or its beginning or end and one * in the place of the rest"
        )
    });
    assert_eq!(told, expected);
}

#[test]
fn the_schema_tells_the_writer_of_a_declaration_which_keys_there_are() {
    let schema = schemars::schema_for!(WebhooksDeclaration).to_value();
    let keys: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["deletions", "encoding", "header", "id", "prefix", "scheme", "type", "types"].into());
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], serde_json::json!(["scheme"]));
    assert!(schema["properties"]["types"]["description"].as_str().unwrap().contains('*'));
}
