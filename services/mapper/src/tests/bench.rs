//! One handler at a bench: what it wants published is delivered at once, and writes are laid aside for the test.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use contract::{Message, Names, Observed, Outcome, OutcomeResult, ReadCompleted, ReadPart, Sighting};
use jiff::Timestamp;
use link::{Event, Link, Pending, Status, Write, step};
use mapping::{Lookups, Onto, Pair, Reading};
use model::{Content, EntityName, LinkId, PairName, PropertyName, System, Value};
use store::{Commit, LinkChange, Links, OutboxMessage, Stored};
use telemetry::Metrics;
use uuid::Uuid;

use super::fakes::Pausing;
use super::{CRM, EXACT, connection, entity, ours, record, sighting};
use crate::handler::{Handled, Handler};

const PAIR_FILE: &str = include_str!("../../../../deploy/pairs/customer-account.toml");

pub(super) fn pair() -> Pair {
    let kept = BTreeSet::from([PairName::parse("customer-account").unwrap()]);
    Pair::parse("customer-account.toml", PAIR_FILE, Reading::Practical, &kept).unwrap()
}

pub(super) struct Bench {
    pub(super) handler: Handler<Pausing>,
    /// The writes that were queued, in the order in which they were.
    writes: Mutex<Vec<(LinkId, System)>>,
}

impl Bench {
    /// An empty store that knows the users of both systems.
    pub(super) async fn new() -> Self {
        Self::with_store(Pausing::new(None)).await
    }

    /// A bench whose pair may create.
    pub(super) async fn released() -> Self {
        let bench = Self::new().await;
        bench.read_both(&[], &[]).await;
        bench
    }

    /// A released bench where handlers that run at once meet as the seed says.
    pub(super) async fn racing(seed: u64) -> Self {
        let bench = Self::with_store(Pausing::new(Some(seed))).await;
        bench.read_both(&[], &[]).await;
        bench
    }

    /// A bench on this store, which learns the users of both systems.
    pub(super) async fn with_store(store: Pausing) -> Self {
        let bench = Self::on(store);
        for system in System::BOTH {
            bench.handler.links.set_people(&connection(), system, &BTreeMap::new()).await.unwrap();
        }
        bench
    }

    /// A bench whose collectors have not read the users yet.
    pub(super) fn without_users() -> Self {
        Self::on(Pausing::new(None))
    }

    fn on(store: Pausing) -> Self {
        let pair = pair();
        let handler = Handler {
            links: Links::new(store, "test"),
            names: Names::new("test"),
            policy: pair.policy(),
            pair: Arc::new(pair),
            connections: Arc::new(BTreeSet::from([connection()])),
            metrics: Arc::new(Metrics::new("mapper")),
        };
        Self { handler, writes: Mutex::default() }
    }

    pub(super) async fn handle(&self, message: &Message, attempt: u32) -> Handled {
        let body = message.write(Uuid::now_v7(), "test", Timestamp::now());
        self.handler.handle(&Message::read(&body).unwrap(), attempt).await.unwrap()
    }

    /// Has the message handled, and all that follows from it.
    pub(super) async fn tell(&self, message: Message) {
        self.deliver(&message, 1).await;
    }

    /// The same for a message that has been tried before.
    pub(super) async fn tell_again(&self, message: Message, attempt: u32) {
        self.deliver(&message, attempt).await;
    }

    async fn deliver(&self, message: &Message, mut attempt: u32) {
        let mut queue = VecDeque::from([message.clone()]);
        while let Some(message) = queue.pop_front() {
            match self.handle(&message, attempt).await {
                Handled::Done(outbox) => queue.extend(self.publish(&outbox).await),
                other => panic!("{message:?} became {other:?}"),
            }
            attempt = 1;
        }
    }

    /// Lays writes aside, and gives back what comes to the mapper itself.
    pub(super) async fn publish(&self, outbox: &[OutboxMessage]) -> Vec<Message> {
        let ids: Vec<Uuid> = outbox.iter().map(|message| message.id).collect();
        self.handler.links.published(&connection(), &ids).await.unwrap();
        let mut own = Vec::new();
        for message in outbox {
            match Message::read(message.body.as_bytes()).unwrap() {
                Message::WriteQueued(queued) => {
                    self.writes.lock().unwrap().push((queued.link, queued.system));
                }
                message => own.push(message),
            }
        }
        own
    }

    /// The writes that were queued since this was asked last.
    pub(super) fn writes(&self) -> Vec<(LinkId, System)> {
        std::mem::take(&mut *self.writes.lock().unwrap())
    }

    /// A collector reads a system in full.
    pub(super) async fn read(&self, system: System, sightings: &[Sighting]) {
        for message in full_read(system, sightings) {
            self.tell(message).await;
        }
    }

    pub(super) async fn read_both(&self, customers: &[Sighting], accounts: &[Sighting]) {
        self.read(CRM, customers).await;
        self.read(EXACT, accounts).await;
    }

    pub(super) async fn stored(&self, id: &LinkId) -> Option<Stored> {
        self.handler.links.find(&connection(), &self.handler.pair.name, id).await.unwrap()
    }

    pub(super) async fn link(&self, id: &LinkId) -> Link {
        self.stored(id).await.expect("the link is there").link
    }

    /// The link of a record.
    pub(super) async fn link_of(&self, system: System, id: &str) -> Option<Link> {
        let (links, name) = (&self.handler.links, &self.handler.pair.name);
        let id = links.link_of(&connection(), name, system, &record(id)).await.unwrap()?;
        Some(self.link(&id).await)
    }

    pub(super) async fn all(&self) -> Vec<Link> {
        let ids = self.handler.links.all(&connection(), &self.handler.pair.name).await.unwrap();
        let mut links = Vec::new();
        for id in ids {
            links.push(self.link(&id).await);
        }
        links
    }

    pub(super) async fn history(&self, id: &LinkId) -> Vec<String> {
        let (links, name) = (&self.handler.links, &self.handler.pair.name);
        links.history(&connection(), name, id, 100).await.unwrap()
    }

    /// A writer claims the pending write.
    pub(super) async fn claim(&self, id: &LinkId, system: System) -> (u64, Write) {
        let (now, handler) = (Timestamp::now(), &self.handler);
        let stored = self.stored(id).await.expect("a write is claimed of a link");
        let next = step(&stored.link, Event::Claimed { system }, &handler.policy, true, now).link;
        let Pending::InFlight { claim, write, .. } = next.pending[system].clone() else {
            panic!("nothing to write to {system}: {:?}", stored.link.pending);
        };
        let commit = Commit {
            pair: &handler.pair,
            connection: &connection(),
            links: vec![LinkChange { before: Some(stored), after: Some(next) }],
            checks: Vec::new(),
            outbox: Vec::new(),
            notes: Vec::new(),
            part: None,
            now,
        };
        assert!(handler.links.commit(commit).await.unwrap());
        (claim, write)
    }

    /// A writer claims a create and makes the record: the claim, and the record as the system answers with it.
    pub(super) async fn make(&self, link: &LinkId, system: System, id: &str) -> (u64, Sighting) {
        let (claim, write) = self.claim(link, system).await;
        let Write::Create { values } = write else { panic!("{write:?} is no create") };
        let (connection, pair) = (connection(), &self.handler.pair);
        let mut lookups = Lookups::default();
        let looked = self.handler.links.look_up_records(&connection, pair, system, &values, &mut lookups);
        looked.await.unwrap();
        let mut made = ours(sighting(id, 1, &[]));
        let stored = self.link(link).await;
        let source = &stored.sides[system.other()].as_ref().expect("a partner is made for a record").view;
        let put = pair.put(system, &values, Onto::New { source }, &lookups).unwrap();
        made.record.properties = put.properties;
        for name in pair.names(system) {
            made.record.properties.entry(name.to_owned()).or_insert(Content::Null);
        }
        (claim, made)
    }

    /// A writer makes the partner and its outcome arrives.
    pub(super) async fn create(&self, link: &LinkId, system: System, id: &str) {
        let (claim, made) = self.make(link, system, id).await;
        self.tell(applied(link, system, claim, made)).await;
    }

    /// Every record belongs to one link, and the indexes lead to it.
    pub(super) async fn assert_sound(&self) {
        let mut owners = BTreeMap::new();
        for link in self.all().await {
            for system in System::BOTH {
                let Some(id) = link.record(system).cloned() else { continue };
                let before = owners.insert((system, id.clone()), link.id.clone());
                assert_eq!(before, None, "{system} record {id} is in two links");
                let indexed = self.link_of(system, id.as_str()).await.map(|owner| owner.id);
                assert_eq!(indexed.as_ref(), Some(&link.id), "the index of {system} record {id}");
            }
            let linked = link.status == Status::Linked;
            assert!(!linked || link.has_both(), "{} is linked with nothing", link.id);
        }
    }
}

/// What a collector publishes of a full read in pages of two.
pub(super) fn full_read(system: System, sightings: &[Sighting]) -> Vec<Message> {
    let (read, entity) = (Uuid::now_v7(), EntityName::parse(entity(system)).unwrap());
    let mut messages = Vec::new();
    let mut pages = Vec::new();
    for records in sightings.chunks(2) {
        let page = Uuid::now_v7();
        for (index, sighting) in (0..).zip(records) {
            messages.push(Message::Observed(Observed {
                connection: connection(),
                system,
                entity: entity.clone(),
                sighting: sighting.clone(),
                part: Some(ReadPart { read, page, index }),
            }));
        }
        pages.push((page, u32::try_from(records.len()).unwrap()));
    }
    let connection = connection();
    messages.push(Message::ReadCompleted(ReadCompleted { connection, system, entity, read, pages }));
    messages
}

pub(super) fn outcome(link: &LinkId, system: System, claim: u64, result: OutcomeResult) -> Message {
    Message::Outcome(Outcome {
        connection: connection(),
        pair: PairName::parse("customer-account").unwrap(),
        link: link.clone(),
        system,
        claim,
        queued_at: Timestamp::now(),
        result,
    })
}

pub(super) fn applied(link: &LinkId, system: System, claim: u64, after: Sighting) -> Message {
    let record = after.record.id.clone();
    outcome(link, system, claim, OutcomeResult::Applied { record, after: Some(after) })
}

/// What a link knows of a property on one side.
pub(super) fn value(link: &Link, system: System, property: &str) -> Option<Value> {
    let property = PropertyName::parse(property).unwrap();
    link.sides[system].as_ref()?.view.get(&property).cloned()
}
