//! What was deleted while nobody read it for so long that Exact has forgotten it.

use std::sync::Arc;

use exactonline::Selection;
use jiff::Timestamp;
use link::{Link, Side, Status};
use mapping::{Pair, Reading};
use model::{Presence, Record, RecordId, System, View};
use simulator_exactonline::Switches;
use store::{Commit, LinkChange};
use uuid::Uuid;

use super::bench::{Bench, Reader, quantities};
use crate::tests::shipped;

const EXACT: System = System::ExactOnline;
const DAY: u32 = 86_400;

/// A bench with two accounts that are linked, and a reader that has read them.
struct Linked {
    bench: Bench,
    pair: Pair,
    reader: Reader,
    kept: Uuid,
    gone: Uuid,
}

impl Linked {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let own = vec!["Name".to_owned()];
        let selection = Selection { own: own.clone(), parts: None, late: Vec::new(), records: own };
        let [kept, gone] = ["Kept", "Gone"]
            .map(|name| bench.control().create_account(&format!(r#"{{"Name":"{name}"}}"#)).unwrap());
        let mut reader = bench.reader("accounts", selection, None);
        let pairs = shipped(Reading::Practical);
        let pair = pairs.into_iter().find(|pair| pair.name.as_str() == "customer-account").unwrap();
        let read = reader.poll().await;
        let linked = Self { bench, pair, reader, kept, gone };
        for record in &read {
            linked.take_in(record).await;
        }
        linked
    }

    /// What the mapper does with what was read of a record.
    async fn take_in(&self, record: &Record) {
        let links = self.bench.links();
        let connection = model::ConnectionName::parse("acme").unwrap();
        let known = links.link_of(&connection, &self.pair.name, EXACT, &record.id).await.unwrap();
        let before = match &known {
            Some(id) => links.find(&connection, &self.pair.name, id).await.unwrap(),
            None => None,
        };
        let side = Side {
            record: record.id.clone(),
            version: record.version,
            modified_at: None,
            view: View::new(),
            presence: record.presence,
            admitted: true,
            stand_in: None,
        };
        let mut link = match &before {
            Some(stored) => Link::clone(&stored.link),
            None => Link::begin(connection.clone(), self.pair.name.clone(), EXACT, side.clone()),
        };
        link.status = Status::Linked;
        link.sides[EXACT] = Some(side);
        let commit = Commit {
            pair: &self.pair,
            connection: &connection,
            links: vec![LinkChange { before, after: Some(Arc::new(link)) }],
            checks: Vec::new(),
            outbox: Vec::new(),
            notes: Vec::new(),
            part: None,
            now: Timestamp::now(),
        };
        assert!(links.commit(commit).await.unwrap());
    }

    /// So many days pass in which nothing is read.
    fn sleep(&self, days: u32) {
        self.bench.control().advance_clock(days * DAY);
        self.bench.consent_anew();
    }
}

fn id(uuid: Uuid) -> RecordId {
    RecordId::parse(&uuid.to_string()).unwrap()
}

fn deleted(records: &[Record]) -> Vec<RecordId> {
    let deleted = records.iter().filter(|record| record.presence == Presence::Deleted);
    deleted.map(|record| record.id.clone()).collect()
}

#[tokio::test]
async fn what_was_deleted_in_a_silence_of_more_than_two_months_is_told() {
    let mut linked = Linked::start().await;
    linked.bench.control().delete_account(linked.gone).unwrap();
    linked.sleep(62);
    let read = linked.reader.poll().await;
    assert_eq!(deleted(&read), [id(linked.gone)]);
    assert!(read.iter().any(|record| record.id == id(linked.kept)), "everything is read again");
    // Until the mapper has taken it in it is told again.
    assert_eq!(deleted(&linked.reader.poll().await), [id(linked.gone)]);
    for record in &read {
        linked.take_in(record).await;
    }
    linked.reader.poll().await;
    let calls = linked.bench.calls();
    assert_eq!(linked.reader.poll().await, []);
    assert_eq!(linked.bench.calls() - calls, 1, "nothing is looked for any more");
}

#[tokio::test]
async fn a_shorter_silence_needs_no_second_read_of_everything() {
    let mut linked = Linked::start().await;
    linked.bench.control().delete_account(linked.gone).unwrap();
    linked.sleep(50);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(linked.reader.poll().await);
    }
    assert_eq!((told.len(), deleted(&told)), (1, vec![id(linked.gone)]));
}

#[tokio::test]
async fn a_record_whose_new_version_the_mapper_has_not_taken_in_yet_is_not_gone() {
    let mut linked = Linked::start().await;
    linked.sleep(62);
    for _ in 0..3 {
        assert_eq!(deleted(&linked.reader.poll().await), []);
    }
}

#[tokio::test]
async fn what_the_user_may_no_longer_read_is_not_gone() {
    let mut linked = Linked::start().await;
    linked.sleep(62);
    linked.reader.poll().await;
    let control = linked.bench.control();
    control.set_switches(Switches { missing_rights: vec!["crm/Accounts".to_owned()], ..control.switches() });
    let refused = linked.reader.page().await.unwrap_err();
    assert!(refused.to_string().contains("crm/Accounts"), "{refused}");
}

#[tokio::test]
async fn a_line_that_was_removed_in_the_silence_is_gone_from_its_document() {
    let bench = Bench::start().await;
    let order = bench.order(&[1, 2]);
    let line = bench.line(order, 3);
    let mut reader = bench.orders();
    assert_eq!(quantities(&reader.poll().await[0]), ["1", "2", "3"]);
    bench.delete("salesorder/SalesOrderLines", line);
    bench.control().advance_clock(62 * DAY);
    bench.consent_anew();
    let told = reader.poll().await;
    assert_eq!(told.len(), 1);
    assert_eq!(quantities(&told[0]), ["1", "2"]);
}
