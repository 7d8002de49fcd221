//! One writer to Exact at a bench: the tests play the mapper, who queues writes and takes outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Delivery, InProcess, InProcessSubscription, Settlement, Subscription};
use contract::{Lane, Message, Names, Outcome, PairEntities, Topology, WriteQueued};
use jiff::{SignedDuration, Timestamp, Zoned};
use link::{Event, Link, Observation, Pending, Side, Status, step};
use mapping::{Pair, Reading};
use model::{Content, LinkId, PairName, Presence, System, SystemPair, Version, View};
use service::{Given, Health, UnknownConnections};
use store::{Commit, Embedded, LinkChange, Links};
use telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use super::fakes::Scripted;
use super::{CRM, EXACT, connection, record, view};
use crate::connections::Connections;
use crate::given::GivenRecords;
use crate::telling::Telling;
use crate::work::{Handled, Kept, Refusals, Work};

const PAIR_FILE: &str = include_str!("../../../../deploy/pairs/customer-account.toml");

/// The pair of customers.
pub(super) fn pair() -> Pair {
    let kept = BTreeSet::from([PairName::parse("customer-account").unwrap()]);
    Pair::parse("customer-account.toml", PAIR_FILE, Reading::Practical, &kept).unwrap()
}

pub(super) struct Bench {
    /// The pair whose writes are tried.
    pub(super) pair: Pair,
    /// The pairs that its references go through.
    pub(super) others: Vec<Pair>,
    /// What the connection gives.
    pub(super) given: Vec<Given>,
    pub(super) broker: InProcess,
    pub(super) store: Embedded,
    pub(super) links: Links<Embedded>,
    pub(super) target: Scripted,
    pub(super) topology: Topology,
    pub(super) health: Health,
    outcomes: tokio::sync::Mutex<InProcessSubscription>,
}

impl Bench {
    /// One for customers.
    pub(super) async fn new() -> Self {
        Self::of(pair(), Vec::new()).await
    }

    pub(super) async fn of(pair: Pair, others: Vec<Pair>) -> Self {
        let (broker, store) = (InProcess::new(), Embedded::in_memory().unwrap());
        let entities = PairEntities {
            pair: pair.name.clone(),
            customcrm: pair.entities.customcrm.clone(),
            exactonline: pair.entities.exactonline.clone(),
        };
        let names = Names::new("test");
        let topology = Topology::new(names.clone(), &[entities]);
        broker.declare(&topology).await.unwrap();
        let outcomes = broker.subscribe(&names.pair(&pair.name), 1).await.unwrap();
        let links = Links::new(store.clone(), "test");
        let target = Scripted::new(links.clone(), pair.name.clone());
        let given = Vec::new();
        let (health, outcomes) = (Health::new(), outcomes.into());
        Self { pair, others, given, broker, store, links, target, topology, health, outcomes }
    }

    /// A customer with these values whose account is to be created.
    pub(super) async fn to_be_created(&self, id: &str, values: &[(&str, &str)]) -> LinkId {
        let link = Link::begin(connection(), self.pair.name.clone(), CRM, side(id, view(values)));
        let now = Timestamp::now();
        let queued = step(link, Event::Released, &self.pair.policy(Zoned::now().date()), true, now).link;
        assert!(matches!(queued.pending[EXACT], Pending::Queued { .. }));
        self.put(None, queued).await
    }

    /// A customer and an account, both with these values, at rest.
    pub(super) async fn linked(&self, customer: &str, account: &str, values: &[(&str, &str)]) -> LinkId {
        let values = view(values);
        let mut link = Link::begin(connection(), self.pair.name.clone(), CRM, side(customer, values.clone()));
        link.sides[EXACT] = Some(side(account, values.clone()));
        link.status = Status::Linked;
        let both = |value: &model::Value| SystemPair { customcrm: value.clone(), exactonline: value.clone() };
        link.agreed = values.iter().map(|(property, value)| (property.clone(), both(value))).collect();
        self.put(None, link).await
    }

    /// Stores a link whose account or customer is of these values and has no partner.
    pub(super) async fn single(&self, system: System, id: &str, values: &[(&str, &str)]) -> LinkId {
        let link = Link::begin(connection(), self.pair.name.clone(), system, side(id, view(values)));
        self.put(None, link).await
    }

    /// Stores a link of any of the pairs.
    pub(super) async fn put(&self, before: Option<store::Stored>, after: Link) -> LinkId {
        let id = after.id.clone();
        let mut pairs = self.others.iter().chain([&self.pair]);
        let commit = Commit {
            pair: pairs.find(|pair| pair.name == after.pair).unwrap(),
            connection: &after.connection.clone(),
            links: vec![LinkChange { before, after: Some(Arc::new(after)) }],
            checks: Vec::new(),
            outbox: Vec::new(),
            notes: Vec::new(),
            part: None,
            now: Timestamp::now(),
        };
        assert!(self.links.commit(commit).await.unwrap());
        id
    }

    pub(super) async fn change(&self, id: &LinkId, change: impl FnOnce(&mut Link)) {
        let stored = self.links.find(&connection(), &self.pair.name, id).await.unwrap().unwrap();
        let mut link = Link::clone(&stored.link);
        change(&mut link);
        self.put(Some(stored), link).await;
    }

    /// A record is seen with these values changed.
    pub(super) async fn seen(&self, id: &LinkId, system: System, by_us: bool, values: &[(&str, &str)]) {
        let policy = self.pair.policy(Zoned::now().date());
        self.change(id, |link| {
            let side = link.sides[system].clone().unwrap();
            let version = side.version.map(|version| Version(version.0 + 1));
            let (record, presence) = (side.record, Presence::Present);
            let observation = Observation {
                record,
                version,
                modified_at: None,
                by_us,
                presence,
                view: view(values),
                whole_lines: false,
                admitted: true,
                stand_in: None,
            };
            let event = Event::Observed { system, observation };
            *link = step(link.clone(), event, &policy, true, Timestamp::now()).link;
        })
        .await;
    }

    /// A person edits the customer.
    pub(super) async fn edit(&self, id: &LinkId, values: &[(&str, &str)]) {
        self.seen(id, CRM, false, values).await;
    }

    /// The write in flight becomes as old as this.
    pub(super) async fn age(&self, id: &LinkId, age: SignedDuration) {
        self.change(id, |link| match &mut link.pending[EXACT] {
            Pending::InFlight { since, .. } => *since = Timestamp::now() - age,
            other => panic!("not in flight: {other:?}"),
        })
        .await;
    }

    pub(super) async fn pending(&self, id: &LinkId) -> Pending {
        let stored = self.links.find(&connection(), &self.pair.name, id).await.unwrap().unwrap();
        stored.link.pending[EXACT].clone()
    }

    pub(super) fn queued(&self, link: &LinkId) -> WriteQueued {
        let (connection, pair) = (connection(), self.pair.name.clone());
        WriteQueued { connection, pair, link: link.clone(), system: EXACT }
    }

    /// The writer takes the message of this link's write.
    pub(super) async fn handle(&self, link: &LinkId) -> Handled {
        self.handle_attempt(link, 1).await
    }

    /// A writer as it starts.
    pub(super) fn work(&self) -> Work<InProcess, Embedded, Scripted> {
        let pairs = self.others.iter().chain([&self.pair]);
        let given =
            self.given.iter().map(|given| (given.name.to_owned(), Content::from(given.record.as_str())));
        let kept = Kept::new(
            self.target.clone(),
            pairs.map(|pair| (pair.name.clone(), pair.clone())).collect(),
            given.collect(),
            GivenRecords::new(connection(), self.given.clone()),
        );
        Work {
            links: self.links.clone(),
            broker: self.broker.clone(),
            names: self.topology.names.clone(),
            system: EXACT,
            connections: Connections::new(BTreeMap::from([(connection(), kept)])),
            unknown: UnknownConnections::new(Arc::new(Metrics::new("writer"))),
            refusals: Refusals::new(EXACT, self.health.clone()),
            telling: Telling::default(),
            metrics: Arc::new(Metrics::new("writer")),
            stop: CancellationToken::new(),
        }
    }

    pub(super) async fn handle_attempt(&self, link: &LinkId, attempt: u32) -> Handled {
        self.handle_by(&self.work(), link, attempt).await
    }

    pub(super) async fn handle_by(
        &self,
        work: &Work<InProcess, Embedded, Scripted>,
        link: &LinkId,
        attempt: u32,
    ) -> Handled {
        work.handle(&self.queued(link), Lane::Live, attempt).await.unwrap()
    }

    /// The next outcome; `None` when there is none.
    pub(super) async fn outcome(&self) -> Option<Outcome> {
        self.outcome_within(Duration::from_millis(50)).await
    }

    pub(super) async fn outcome_within(&self, patience: Duration) -> Option<Outcome> {
        let mut outcomes = self.outcomes.lock().await;
        let delivery = tokio::time::timeout(patience, outcomes.next()).await.ok()?.unwrap();
        let message = Message::read(delivery.body()).unwrap();
        delivery.settle(Settlement::Acknowledge).await.unwrap();
        let Message::Outcome(outcome) = message else { panic!("no writer says {message:?}") };
        Some(outcome)
    }
}

pub(super) fn side(id: &str, view: View) -> Side {
    let version = Some(Version(1));
    Side {
        record: record(id),
        version,
        modified_at: None,
        view,
        presence: Presence::Present,
        admitted: true,
        stand_in: None,
    }
}
