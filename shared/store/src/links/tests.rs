//! What `Links` promises over any store, held on the one in memory.
#![allow(clippy::unwrap_used)]

mod claims;
mod committing;
mod documents;
mod gate;
mod looking_up;
mod outbox;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::ReadPart;
use jiff::{SignedDuration, Timestamp};
use link::{Link, Pending, Side, Status};
use mapping::{Pair, Reading};
use model::{
    ConnectionName, LinkId, PairName, Presence, PropertyName, RecordId, System, Value, Version, View,
};
use uuid::Uuid;

use super::{Commit, LinkChange, Links, OutboxMessage, Stored};
use crate::{Check, Embedded};

const CRM: System = System::CustomCrm;
const EXACT: System = System::ExactOnline;
const PAIR_FILE: &str = include_str!("../../../../deploy/pairs/customer-account.toml");

/// The links of one connection and pair, in memory.
struct Desk {
    links: Links<Embedded>,
    connection: ConnectionName,
    pair: Pair,
}

/// Where match keys lead.
struct Led {
    partners: BTreeSet<LinkId>,
    others: BTreeSet<LinkId>,
    checks: Vec<Check>,
}

/// What a commit does beside changing links.
#[derive(Default)]
struct Besides {
    checks: Vec<Check>,
    outbox: Vec<OutboxMessage>,
    notes: Vec<(LinkId, String)>,
    part: Option<ReadPart>,
}

/// A pair of this file, beside others of a document's kind.
fn pair(file: &str) -> Pair {
    let kept = ["customer-account", "quote-quotation", "order-quotation", "user-quotation"];
    let kept = kept.map(|name| PairName::parse(name).unwrap()).into();
    Pair::parse("pair.toml", file, Reading::Practical, &kept).unwrap()
}

impl Desk {
    /// The links of another pair, of the same connection.
    fn beside(&self, file: &str) -> Self {
        let (links, connection) = (self.links.clone(), self.connection.clone());
        Self { links, connection, pair: pair(file) }
    }

    fn new() -> Self {
        let name = PairName::parse("customer-account").unwrap();
        Self {
            links: Links::new(Embedded::in_memory().unwrap(), "test"),
            connection: ConnectionName::parse("acme").unwrap(),
            pair: Pair::parse(
                "customer-account.toml",
                PAIR_FILE,
                Reading::Practical,
                &BTreeSet::from([name]),
            )
            .unwrap(),
        }
    }

    fn name(&self) -> &PairName {
        &self.pair.name
    }

    /// A link that begins with this record.
    fn half(&self, system: System, id: &str, values: &[(&str, &str)]) -> Link {
        Link::begin(self.connection.clone(), self.name().clone(), system, side(id, values))
    }

    /// A link of these two records.
    fn whole(&self, crm: &str, exact: &str, values: &[(&str, &str)]) -> Link {
        let mut link = self.half(CRM, crm, values);
        link.sides[EXACT] = Some(side(exact, values));
        link.status = Status::Linked;
        link
    }

    async fn commit(&self, links: Vec<LinkChange>, besides: Besides) -> bool {
        let Besides { checks, outbox, notes, part } = besides;
        let (pair, connection, now) = (&self.pair, &self.connection, at(0));
        let commit = Commit { pair, connection, links, checks, outbox, notes, part, now };
        self.links.commit(commit).await.unwrap()
    }

    async fn change(&self, before: Option<&Stored>, after: Option<&Link>) -> bool {
        self.commit(vec![change(before, after)], Besides::default()).await
    }

    /// Stores a new link.
    async fn add(&self, link: &Link) -> Stored {
        assert!(self.change(None, Some(link)).await);
        self.stored(&link.id).await.unwrap()
    }

    async fn stored(&self, id: &LinkId) -> Option<Stored> {
        self.links.find(&self.connection, self.name(), id).await.unwrap()
    }

    async fn link_of(&self, system: System, id: &str) -> Option<LinkId> {
        self.links.link_of(&self.connection, self.name(), system, &record(id)).await.unwrap()
    }

    async fn unmatched(&self) -> BTreeSet<LinkId> {
        self.links.unmatched(&self.connection, self.name()).await.unwrap()
    }

    async fn pending(&self) -> BTreeSet<LinkId> {
        self.links.pending(&self.connection, self.name()).await.unwrap()
    }

    async fn all(&self) -> BTreeSet<LinkId> {
        self.links.all(&self.connection, self.name()).await.unwrap()
    }

    /// Where the match keys of a record with these values lead, for a link that is not stored.
    async fn candidates(&self, system: System, values: &[(&str, &str)]) -> Led {
        self.led(system, &side("own", values)).await
    }

    /// The same of a whole side.
    async fn led(&self, system: System, side: &Side) -> Led {
        let own = LinkId::begun_by(system, &record("own"));
        let found = self.links.candidates(&self.connection, &self.pair, system, side, &own).await.unwrap();
        Led { partners: found.partners.into_keys().collect(), others: found.others, checks: found.checks }
    }

    async fn history(&self, id: &LinkId) -> Vec<String> {
        self.links.history(&self.connection, self.name(), id, 10).await.unwrap()
    }

    async fn outbox(&self, until: Timestamp) -> Vec<OutboxMessage> {
        self.links.outbox(&self.connection, until, 10).await.unwrap()
    }

    async fn both_read(&self) -> bool {
        self.links.both_read(&self.connection, self.name()).await.unwrap()
    }

    async fn read_completed(&self, system: System, pages: &[(Uuid, u32)]) {
        let read = Uuid::now_v7();
        self.links.read_completed(&self.connection, self.name(), system, read, pages.to_vec()).await.unwrap();
    }
}

fn change(before: Option<&Stored>, after: Option<&Link>) -> LinkChange {
    LinkChange { before: before.cloned(), after: after.cloned().map(Arc::new) }
}

fn record(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

fn view(values: &[(&str, &str)]) -> View {
    values
        .iter()
        .map(|(name, value)| (PropertyName::parse(name).unwrap(), Value::Text((*value).to_owned())))
        .collect()
}

fn side(id: &str, values: &[(&str, &str)]) -> Side {
    Side {
        record: record(id),
        version: Some(Version(1)),
        modified_at: None,
        view: view(values),
        presence: Presence::Present,
        admitted: true,
        stand_in: None,
    }
}

/// A moment of the past, plus so many seconds.
fn at(seconds: i64) -> Timestamp {
    "2025-03-01T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn message(seconds: i64) -> OutboxMessage {
    OutboxMessage {
        id: Uuid::now_v7(),
        exchange: String::new(),
        routing_key: "queue".to_owned(),
        headers: BTreeMap::from([("traceparent".to_owned(), "00-1-2-01".to_owned())]),
        at: at(seconds),
        body: format!("message of second {seconds}"),
    }
}

fn queued(link: &Link, system: System) -> Link {
    let mut link = link.clone();
    link.pending[system] = Pending::Queued { since: at(0) };
    link
}

fn ids<const N: usize>(links: [&Link; N]) -> BTreeSet<LinkId> {
    links.into_iter().map(|link| link.id.clone()).collect()
}
