#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use model::RecordId;
use url::Url;

use super::{Repair, Subscription};

const OURS: &str = "63824703-aaaa-0000-0000-000000000000";

fn subscription(id: &str, topic: &str, callback: &str, client: Option<&str>) -> Subscription {
    Subscription {
        id: RecordId::parse(id).unwrap(),
        topic: topic.to_owned(),
        callback: callback.to_owned(),
        client: client.map(str::to_owned),
    }
}

/// What is to be ended and begun so that we are told of accounts and items at `https://here.example/hook`.
#[track_caller]
fn check(present: &[Subscription], end: &[&str], begin: &[&'static str]) {
    let callback = Url::parse("https://here.example/hook").unwrap();
    let repair = Repair::of(present, &BTreeSet::from(["Accounts", "Items"]), &callback, OURS);
    let end = end.iter().map(|id| RecordId::parse(id).unwrap()).collect();
    assert_eq!(repair, Repair { end, begin: begin.to_vec() });
    assert_eq!(repair.is_empty(), repair == Repair::default());
}

const HERE: &str = "https://here.example/hook";
const ELSEWHERE: &str = "https://old.example/hook";

#[test]
fn what_is_missing_is_begun() {
    check(&[], &[], &["Accounts", "Items"]);
    check(&[subscription("a", "Accounts", HERE, Some(OURS))], &[], &["Items"]);
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    let capitals = OURS.to_ascii_uppercase();
    check(
        &[
            subscription("a", "Accounts", "https://HERE.example:443/hook", Some(&capitals)),
            subscription("b", "Items", HERE, None),
        ],
        &[],
        &[],
    );
}

#[test]
fn one_of_ours_that_points_elsewhere_is_ended_and_begun_anew() {
    let items = subscription("b", "Items", HERE, Some(OURS));
    check(&[subscription("a", "Accounts", ELSEWHERE, Some(OURS)), items.clone()], &["a"], &["Accounts"]);
    check(&[subscription("a", "Accounts", "no address", Some(OURS)), items], &["a"], &["Accounts"]);
}

#[test]
fn the_second_of_a_topic_and_one_of_no_use_are_ended() {
    check(
        &[
            subscription("a", "Accounts", HERE, Some(OURS)),
            subscription("b", "Accounts", HERE, Some(OURS)),
            subscription("c", "Items", HERE, Some(OURS)),
            subscription("d", "Contacts", HERE, Some(OURS)),
        ],
        &["b", "d"],
        &[],
    );
}

#[test]
fn what_belongs_to_others_is_left_alone() {
    check(
        &[
            subscription("a", "Accounts", ELSEWHERE, Some("another app")),
            subscription("b", "Items", HERE, Some("another app")),
            // Ours, and of a topic that some other service of the app may want.
            subscription("c", "StockPositions", ELSEWHERE, Some(OURS)),
        ],
        &[],
        &["Accounts", "Items"],
    );
}
