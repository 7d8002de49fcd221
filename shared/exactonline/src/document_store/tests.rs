#![allow(clippy::unwrap_used)]

use model::{ConnectionName, Content, Presence, Properties, Record, RecordId, Version};
use store::Embedded;

use super::DocumentStore;
use crate::{Entity, Row};

fn id(text: &str) -> RecordId {
    RecordId::parse(text).unwrap()
}

fn record(name: &str, version: u64) -> Record {
    Record {
        id: id(name),
        version: Some(Version(version)),
        modified_by: None,
        modified_at: None,
        presence: Presence::Present,
        properties: Properties::new(),
    }
}

fn line(of: &str, name: &str, version: u64) -> Row {
    Row::Part { of: id(of), part: record(name, version) }
}

fn gone(name: &str, version: u64) -> Row {
    Row::PartGone(Record { presence: Presence::Deleted, ..record(name, version) })
}

fn documents(store: &Embedded) -> DocumentStore<Embedded> {
    let connection = ConnectionName::parse("acme").unwrap();
    DocumentStore::new(store.clone(), "test", &connection, &Entity::named("salesorders").unwrap())
}

fn empty() -> DocumentStore<Embedded> {
    documents(&Embedded::in_memory().unwrap())
}

const ALL: Version = Version(u64::MAX);

async fn listed(documents: &DocumentStore<Embedded>, until: u64) -> Vec<String> {
    let listed = documents.listed(Version(until), 10).await.unwrap();
    listed.iter().map(ToString::to_string).collect()
}

async fn holds(documents: &DocumentStore<Embedded>, order: &str, line: &str) -> bool {
    let order = documents.load(&[id(order)]).await.unwrap().remove(0).unwrap();
    order.holds(&id(line))
}

#[tokio::test]
async fn a_document_outlives_its_reader_and_the_same_rows_may_come_again() {
    let store = Embedded::in_memory().unwrap();
    documents(&store).take_in(vec![line("order", "a", 11)]).await.unwrap();
    // Another process goes on.
    let documents = documents(&store);
    for _ in 0..2 {
        let rows = vec![Row::Own(record("order", 10)), line("order", "a", 11), line("order", "b", 12)];
        documents.take_in(rows).await.unwrap();
    }
    let order = documents.load(&[id("order"), id("other")]).await.unwrap();
    assert_eq!(order[0].as_ref().unwrap().count(), 2);
    assert_eq!((order[0].as_ref().unwrap().version(), &order[1]), (Some(Version(12)), &None));
}

#[tokio::test]
async fn a_deletion_finds_the_document_of_its_line_and_one_of_a_stranger_says_nothing() {
    let documents = empty();
    documents.take_in(vec![Row::Own(record("order", 10)), line("order", "a", 11)]).await.unwrap();
    documents.published(&[id("order")]).await.unwrap();
    documents.take_in(vec![gone("stranger", 12)]).await.unwrap();
    assert_eq!(listed(&documents, 100).await, Vec::<String>::new());
    documents.take_in(vec![gone("a", 13)]).await.unwrap();
    assert_eq!(listed(&documents, 100).await, ["order"]);
    assert!(!holds(&documents, "order", "a").await);
    // A repeat, also of the line itself, brings nothing back.
    documents.take_in(vec![line("order", "a", 11), gone("a", 13)]).await.unwrap();
    assert!(!holds(&documents, "order", "a").await);
    // Shown and gone within one page.
    documents.take_in(vec![line("order", "b", 14), gone("b", 15)]).await.unwrap();
    assert!(!holds(&documents, "order", "b").await);
}

#[tokio::test]
async fn what_changed_is_listed_by_version_until_it_is_published() {
    let documents = empty();
    let rows = vec![Row::Own(record("late", 30)), Row::Own(record("early", 20)), line("early", "a", 25)];
    documents.take_in(rows).await.unwrap();
    assert_eq!(listed(&documents, 24).await, Vec::<String>::new());
    assert_eq!(listed(&documents, 25).await, ["early"]);
    assert_eq!(documents.listed(ALL, 1).await.unwrap(), [id("early")]);
    documents.published(&[id("early")]).await.unwrap();
    assert_eq!(listed(&documents, 100).await, ["late"]);
    // Whoever reads anew wants all of them, changed or not.
    documents.take_in(vec![Row::Own(record("early", 20))]).await.unwrap();
    assert_eq!(listed(&documents, 100).await, ["early", "late"]);
    // Row versions may be larger than any time is.
    documents.take_in(vec![Row::Own(record("far", 9_007_199_254_740_993_000))]).await.unwrap();
    assert_eq!(documents.listed(ALL, 9).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_readers_at_once_lose_nothing_of_each_other() {
    let documents = empty();
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..8_u64 {
        let documents = documents.clone();
        readers.spawn(async move {
            for turn in 0..10 {
                let version = 1 + reader * 10 + turn;
                documents.take_in(vec![line("order", &format!("line {version}"), version)]).await.unwrap();
            }
        });
    }
    readers.join_all().await;
    let order = documents.load(&[id("order")]).await.unwrap().remove(0).unwrap();
    assert_eq!(order.count(), 80);
}

#[tokio::test]
async fn late_properties_are_kept_with_their_document() {
    let documents = empty();
    documents.take_in(vec![Row::Own(record("order", 10))]).await.unwrap();
    let late = Properties::from([("AmountFC".to_owned(), Content::from("x"))]);
    let shown = [(id("order"), Version(10), late.clone()), (id("stranger"), Version(1), late)];
    documents.take_late(&shown).await.unwrap();
    let order = documents.load(&[id("order"), id("stranger")]).await.unwrap();
    assert!(!order[0].as_ref().unwrap().wants_late(&["AmountFC".to_owned()]));
    assert_eq!(order[1], None);
}

#[tokio::test]
async fn many_documents_are_taken_in_at_once() {
    let documents = empty();
    let rows = (1..=130).map(|version| Row::Own(record(&format!("order {version}"), version))).collect();
    documents.take_in(rows).await.unwrap();
    assert_eq!(documents.listed(ALL, 1_000).await.unwrap().len(), 130);
}
