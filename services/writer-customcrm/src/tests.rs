//! What CustomCRM is sent.
#![allow(clippy::unwrap_used)]

use contract::Lane;
use link::{ConflictPolicy, Flow};
use mapping::{LinePut, Lines, Place, Put};
use model::{Content, EntityName, Properties, PropertyName, RecordId, SystemPair};
use rust_decimal::Decimal;
use writer::{Aim, SearchKey};

use super::{conditions, merged};

fn order_lines() -> Lines {
    let both = |customcrm: &str, exactonline: &str| SystemPair {
        customcrm: customcrm.to_owned(),
        exactonline: exactonline.to_owned(),
    };
    Lines {
        place: Place::START,
        name: PropertyName::parse("Lines").unwrap(),
        names: both("Lines", "SalesOrderLines"),
        edm: "Collection(SalesOrderLines)".to_owned(),
        ids: both("LineId", "ID"),
        flow: Flow::Both,
        conflict: ConflictPolicy::Ask,
        properties: Vec::new(),
        match_by: Vec::new(),
        order: None,
    }
}

fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), Content::from(*text))).collect()
}

fn id(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

/// The patch of an order.
fn patched(put: &Put) -> Properties {
    let (entity, lines) = (EntityName::parse("orders").unwrap(), order_lines());
    merged(Aim { entity: &entity, lines: Some(&lines), lane: Lane::Live }, put)
}

#[test]
fn a_patch_changes_lines_by_their_id_adds_those_without_and_marks_those_that_go() {
    let put = Put {
        properties: properties(&[("Notes", "\u{202e}now \u{1f600}")]),
        lines: vec![
            LinePut::Change { id: id("L1"), properties: properties(&[("Description", "")]) },
            LinePut::Add(properties(&[("ProductId", "p2")])),
            LinePut::Remove { id: id("L3") },
        ],
    };
    let line = |pairs: &[(&str, &str)]| Content::Object(properties(pairs));
    let mut gone = properties(&[("LineId", "L3")]);
    gone.insert("Deleted".to_owned(), Content::Boolean(true));
    let mut expected = properties(&[("Notes", "\u{202e}now \u{1f600}")]);
    let lines = vec![
        line(&[("Description", ""), ("LineId", "L1")]),
        line(&[("ProductId", "p2")]),
        Content::Object(gone),
    ];
    expected.insert("Lines".to_owned(), Content::List(lines));
    assert_eq!(patched(&put), expected);
}

#[test]
fn a_patch_that_changes_no_line_does_not_speak_of_lines() {
    let put = Put { properties: properties(&[("Notes", "x")]), lines: Vec::new() };
    assert_eq!(patched(&put), put.properties);
}

/// The conditions of a search for these.
fn searched(contents: &[(&str, Content)]) -> Option<Vec<(String, String)>> {
    let all = contents.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
    conditions(&SearchKey { conditions: all, only_ours: false })
}

#[test]
fn a_search_states_each_condition_as_text() {
    let found = searched(&[
        ("CustomerId", Content::from("c1")),
        ("VersionNumber", Content::Number(Decimal::new(200, 2))),
        ("IsActive", Content::Boolean(false)),
    ]);
    let expected = [("CustomerId", "c1"), ("VersionNumber", "2"), ("IsActive", "false")];
    assert_eq!(found.unwrap(), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

#[test]
fn what_has_no_text_is_not_searched_for_by_the_conditions_that_are_left() {
    for content in [Content::Null, Content::List(Vec::new())] {
        assert_eq!(searched(&[("Name", Content::from("Acme")), ("Tags", content)]), None);
    }
}
