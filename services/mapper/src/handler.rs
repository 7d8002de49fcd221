//! One message in, one commit out.

mod commit;
mod outcome;
mod woken;

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::{Lane, Message, Names, Observed, ReadPart, RetryTier, Sighting};
use jiff::Timestamp;
use link::{Effect, Event, Link, Observation, Pending, Policy, Side, Status, Write, step};
use mapping::Pair;
use model::{ConnectionName, LinkId, Presence, Record, RecordId, System};
use store::{Check, LinkChange, Links, OutboxMessage, Store, Stored};
use telemetry::Metrics;

use crate::error::{BadMessage, MapperError};
use crate::lookups::gather;

/// Two mappers may meet at one link; the one who is late reads again, at most this often in a row.
const COLLISIONS_MAX: u32 = 20;

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Handled {
    /// It is committed; these messages follow from it and are to be published.
    Done(Vec<OutboxMessage>),
    /// It has to wait.
    Later(RetryTier, &'static str),
    /// It can never be handled.
    Bad(BadMessage),
}

/// Handles the messages of one pair.
pub(crate) struct Handler<S> {
    pub(crate) links: Links<S>,
    pub(crate) names: Names,
    pub(crate) pair: Arc<Pair>,
    pub(crate) policy: Policy,
    pub(crate) connections: Arc<BTreeSet<ConnectionName>>,
    pub(crate) metrics: Arc<Metrics>,
}

/// What is decided about one link, ready to be committed.
struct Decided {
    links: Vec<LinkChange>,
    checks: Vec<Check>,
    effects: Vec<Effect>,
    link: Link,
}

/// What a handling is about.
struct Case<'a> {
    connection: &'a ConnectionName,
    lane: Lane,
    part: Option<&'a ReadPart>,
    now: Timestamp,
}

impl<S: Store> Handler<S> {
    /// Handles one message: reads, decides, commits, and does it again when somebody else was faster.
    pub(crate) async fn handle(&self, message: &Message, attempt: u32) -> Result<Handled, MapperError> {
        if let Some(bad) = self.misfit(message) {
            return Ok(Handled::Bad(bad));
        }
        for _ in 0..COLLISIONS_MAX {
            let handled = match message {
                Message::Observed(observed) => self.observed(observed, attempt).await?,
                Message::ReadCompleted(completed) => Some(self.read_completed(completed).await?),
                Message::Woken(woken) => self.woken(woken).await?,
                Message::Outcome(outcome) => self.outcome(outcome).await?,
                Message::WriteQueued(_) => Some(Handled::Bad(BadMessage::Misplaced)),
            };
            if let Some(handled) = handled {
                return Ok(handled);
            }
        }
        Ok(Handled::Later(RetryTier::Seconds5, "others changed the link again and again"))
    }

    fn misfit(&self, message: &Message) -> Option<BadMessage> {
        let connection = message.connection();
        let place = match message {
            Message::Observed(observed) => Some((observed.system, &observed.entity)),
            Message::ReadCompleted(completed) => Some((completed.system, &completed.entity)),
            Message::Woken(_) | Message::Outcome(_) | Message::WriteQueued(_) => None,
        };
        if !self.connections.contains(connection) {
            return Some(BadMessage::UnknownConnection(connection.to_string()));
        }
        place.filter(|(system, entity)| self.pair.entities[*system] != **entity).map(|(system, entity)| {
            BadMessage::UnknownEntity { pair: self.pair.name.clone(), entity: entity.clone(), system }
        })
    }

    /// `None`: somebody was faster.
    async fn observed(&self, observed: &Observed, attempt: u32) -> Result<Option<Handled>, MapperError> {
        let (connection, system) = (&observed.connection, observed.system);
        let now = Timestamp::now();
        let lane = if observed.part.is_some() { Lane::Backfill } else { Lane::Live };
        let Some((observation, mut checks)) =
            self.observation(connection, system, &observed.sighting).await?
        else {
            return Ok(Some(Handled::Later(RetryTier::Seconds5, "the user directory has not been read yet")));
        };
        let (released, held) = self.links.released(connection, &self.pair.name).await?;
        checks.extend(held);
        // Once the pair may create, nobody counts what has been taken in any more.
        let part = observed.part.as_ref().filter(|_| !released);
        let case = Case { connection, lane, part, now };
        let known = self.links.link_of(connection, &self.pair.name, system, &observation.record).await?;
        let decided = match known {
            Some(id) => {
                let Some(stored) = self.links.find(connection, &self.pair.name, &id).await? else {
                    return Ok(None);
                };
                self.seen_again(system, stored, observation, released, now).await?
            }
            None if observation.presence == Presence::Deleted => self.gone(connection, system, observation),
            None => {
                if self.is_unknown(connection, system, &observation).await?
                    && self.may_be_ours(connection, system, &observation).await?
                {
                    let tier = RetryTier::after_attempt(attempt);
                    return Ok(Some(Handled::Later(
                        tier,
                        "a create of ours may have made the record: its outcome is due",
                    )));
                }
                let side = side_of(observation);
                let link = Link::begin(connection.clone(), self.pair.name.clone(), system, side);
                self.match_and_step(system, None, link, Vec::new(), released, now).await?
            }
        };
        self.commit(&case, decided, checks).await
    }

    /// Whether no key of the record leads to a link.
    async fn is_unknown(
        &self,
        connection: &ConnectionName,
        system: System,
        observation: &Observation,
    ) -> Result<bool, MapperError> {
        let keys = self.pair.match_keys(&observation.view, observation.stand_in.as_deref());
        let own = LinkId::begun_by(system, &observation.record);
        let found = self.links.candidates(connection, &self.pair, system.other(), &keys, &own).await?;
        let partners = self.links.candidates(connection, &self.pair, system, &keys, &own).await?;
        Ok(found.others.is_empty() && partners.partners.is_empty())
    }

    /// Whether a create in flight may have made this record: our own user changed it last, or it is called as what
    /// is being created. A record is there only after its create was claimed, so one of these is seen in time.
    async fn may_be_ours(
        &self,
        connection: &ConnectionName,
        system: System,
        observation: &Observation,
    ) -> Result<bool, MapperError> {
        let called = observation.view.get(&self.pair.search_own);
        for id in self.links.pending(connection, &self.pair.name).await? {
            let stored = self.links.find(connection, &self.pair.name, &id).await?;
            let Some(stored) = stored else { continue };
            if let Pending::InFlight { write: Write::Create { values }, .. } = &stored.link.pending[system]
                && (observation.by_us || values.get(&self.pair.search_own) == called)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A record that is gone before it was ever linked is remembered, so that an older sighting which comes after
    /// this one does not bring it back.
    fn gone(&self, connection: &ConnectionName, system: System, observation: Observation) -> Decided {
        let side = side_of(observation);
        let mut link = Link::begin(connection.clone(), self.pair.name.clone(), system, side);
        link.status = Status::Ended;
        Decided { links: vec![change(None, &link)], checks: Vec::new(), effects: Vec::new(), link }
    }

    async fn seen_again(
        &self,
        system: System,
        stored: Stored,
        observation: Observation,
        released: bool,
        now: Timestamp,
    ) -> Result<Decided, MapperError> {
        let event = Event::Observed { system, observation };
        if stored.link.has_both() {
            return Ok(self.decide(stored, event, released, now));
        }
        // Its match keys may have changed: the partner is looked for before one is made.
        let seen = step(&stored.link, event, &self.policy, false, now);
        self.match_and_step(system, Some(stored), seen.link, seen.effects, released, now).await
    }

    /// Looks for the partner of a one-sided link, and lets it create one where there is none.
    async fn match_and_step(
        &self,
        system: System,
        before: Option<Stored>,
        link: Link,
        mut effects: Vec<Effect>,
        released: bool,
        now: Timestamp,
    ) -> Result<Decided, MapperError> {
        let connection = &link.connection.clone();
        let alone = link.status == Status::Unmatched && link.is_at_rest();
        let present = link.sides[system].as_ref().filter(|side| side.presence == Presence::Present);
        let Some(side) = present.filter(|_| alone) else {
            return Ok(Decided { links: vec![change(before, &link)], checks: Vec::new(), effects, link });
        };
        let keys = self.pair.match_keys(&side.view, side.stand_in.as_deref());
        let found = self.links.candidates(connection, &self.pair, system, &keys, &link.id).await?;
        let partners: Vec<&LinkId> = found.partners.iter().collect();
        if let [partner] = partners.as_slice()
            && let Some(stored) = self.links.find(connection, &self.pair.name, partner).await?
        {
            let joined =
                step(&stored.link, Event::Joined { system, side: side.clone() }, &self.policy, released, now);
            effects.extend(joined.effects);
            let mut links = vec![LinkChange { before: Some(stored), after: Some(joined.link.clone()) }];
            links.extend(before.map(|stored| LinkChange { before: Some(stored), after: None }));
            return Ok(Decided { links, checks: found.checks, effects, link: joined.link });
        }
        let event = if found.partners.is_empty() && found.others.is_empty() {
            Event::Released
        } else {
            let candidates = found.partners.union(&found.others);
            Event::FoundSeveral { candidates: self.records_of(connection, system, candidates).await? }
        };
        let next = step(&link, event, &self.policy, released, now);
        effects.extend(next.effects);
        Ok(Decided {
            links: vec![change(before, &next.link)],
            checks: found.checks,
            effects,
            link: next.link,
        })
    }

    /// The records that a person has to choose from: the other side's where there is one.
    async fn records_of(
        &self,
        connection: &ConnectionName,
        system: System,
        links: impl Iterator<Item = &LinkId>,
    ) -> Result<Vec<RecordId>, MapperError> {
        let mut records = Vec::new();
        for id in links {
            if let Some(stored) = self.links.find(connection, &self.pair.name, id).await? {
                let link = stored.link;
                records.extend(link.record(system.other()).or(link.record(system)).cloned());
            }
        }
        Ok(records)
    }

    /// A sighting seen through the pair; `None` until the user directories are there.
    async fn observation(
        &self,
        connection: &ConnectionName,
        system: System,
        sighting: &Sighting,
    ) -> Result<Option<(Observation, Vec<Check>)>, MapperError> {
        let Record { id, version, modified_at, presence, properties, .. } = &sighting.record;
        let needs = self.pair.needs(system, properties);
        let Some((lookups, checks)) = gather(&self.links, connection, system, &needs).await? else {
            return Ok(None);
        };
        let seen = self.pair.view(system, properties, &lookups);
        for problem in &seen.problems {
            tracing::warn!(%connection, %system, record = %id, %problem, "a property can't be read and stays as it is");
        }
        let observation = Observation {
            record: id.clone(),
            version: *version,
            modified_at: *modified_at,
            by_us: sighting.by_us,
            presence: *presence,
            view: seen.view,
            whole_lines: *presence == Presence::Present,
            admitted: self.pair.admits(system, properties),
            stand_in: self.pair.stand_in(system, properties),
        };
        Ok(Some((observation, checks)))
    }

    fn decide(&self, stored: Stored, event: Event, released: bool, now: Timestamp) -> Decided {
        let next = step(&stored.link, event, &self.policy, released, now);
        Decided {
            links: vec![change(Some(stored), &next.link)],
            checks: Vec::new(),
            effects: next.effects,
            link: next.link,
        }
    }

    /// Messages for everything that may have been lost with a broker that keeps nothing: pending writes and
    /// links that wait.
    pub(crate) async fn lost(&self, connection: &ConnectionName) -> Result<Vec<OutboxMessage>, MapperError> {
        let now = Timestamp::now();
        let mut messages = Vec::new();
        for id in self.links.all(connection, &self.pair.name).await? {
            let Some(stored) = self.links.find(connection, &self.pair.name, &id).await? else { continue };
            let case = Case { connection, lane: Lane::Backfill, part: None, now };
            for system in System::BOTH {
                if stored.link.pending[system] != link::Pending::None {
                    messages.push(self.enqueue(&case, &stored.link, system));
                }
            }
            if !stored.link.has_both() || !stored.link.waits_for().is_empty() {
                messages.push(self.wake(connection, &self.pair.name, id, now));
            }
        }
        Ok(messages)
    }
}

fn change(before: Option<Stored>, after: &Link) -> LinkChange {
    LinkChange { before, after: Some(after.clone()) }
}

fn observation_of(side: Side) -> Observation {
    Observation {
        record: side.record,
        version: side.version,
        modified_at: side.modified_at,
        by_us: false,
        presence: side.presence,
        view: side.view,
        whole_lines: true,
        admitted: side.admitted,
        stand_in: side.stand_in,
    }
}

fn side_of(observation: Observation) -> Side {
    Side {
        record: observation.record,
        version: observation.version,
        modified_at: observation.modified_at,
        view: observation.view,
        presence: observation.presence,
        admitted: observation.admitted,
        stand_in: observation.stand_in,
    }
}
