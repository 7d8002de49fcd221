//! One message in, one commit out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::{
    Lane, Message, Names, Observed, Outcome, OutcomeResult, ReadCompleted, ReadPart, RetryTier, Sighting,
    Woken, WriteQueued,
};
use jiff::Timestamp;
use link::{Effect, Event, Failure, Link, Observation, Policy, Side, Status, step};
use mapping::{Lookups, Pair};
use model::{ConnectionName, LinkId, Presence, Record, RecordId, Reference, System, Value};
use store::{Check, Commit, LinkChange, Links, OutboxMessage, Store, Stored};
use telemetry::{Direction, Metrics};
use uuid::Uuid;

use crate::error::{BadMessage, MapperError};
use crate::lookups::gather;

/// Two mappers may meet at one link; the one who is late reads again, at most this often in a row.
const COLLISIONS_MAX: u32 = 20;

/// A record that our own user made is given this many deliveries for its write's outcome to arrive first.
const OUTCOME_FIRST: u32 = 5;

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
    pub(crate) async fn handle(&self, body: &[u8], attempt: u32) -> Result<Handled, MapperError> {
        let message = match Message::read(body) {
            Ok(message) => message,
            Err(error) => return Ok(Handled::Bad(BadMessage::Unreadable(error))),
        };
        if let Some(bad) = self.misfit(&message) {
            return Ok(Handled::Bad(bad));
        }
        for _ in 0..COLLISIONS_MAX {
            let handled = match &message {
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
        let (connection, place) = match message {
            Message::Observed(observed) => (&observed.connection, Some((observed.system, &observed.entity))),
            Message::ReadCompleted(completed) => {
                (&completed.connection, Some((completed.system, &completed.entity)))
            }
            Message::Woken(woken) => (&woken.connection, None),
            Message::Outcome(outcome) => (&outcome.connection, None),
            Message::WriteQueued(queued) => (&queued.connection, None),
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
        let case = Case { connection, lane, part: observed.part.as_ref(), now };
        let Some((observation, mut checks)) =
            self.observation(connection, system, &observed.sighting).await?
        else {
            return Ok(Some(Handled::Later(RetryTier::Seconds5, "the user directory has not been read yet")));
        };
        let (released, held) = self.links.released(connection, &self.pair.name).await?;
        checks.extend(held);
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
                let ours = observed.sighting.by_us && released && observed.part.is_none();
                if ours
                    && attempt <= OUTCOME_FIRST
                    && self.is_unknown(connection, system, &observation).await?
                {
                    let tier = RetryTier::after_attempt(attempt);
                    return Ok(Some(Handled::Later(
                        tier,
                        "our own user made the record: its write's outcome is due",
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
        let keys = self.pair.match_keys(&observation.view);
        let own = LinkId::begun_by(system, &observation.record);
        let found = self.links.candidates(connection, &self.pair, system.other(), &keys, &own).await?;
        let partners = self.links.candidates(connection, &self.pair, system, &keys, &own).await?;
        Ok(found.others.is_empty() && partners.partners.is_empty())
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
        let keys = self.pair.match_keys(&side.view);
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

    async fn read_completed(&self, completed: &ReadCompleted) -> Result<Handled, MapperError> {
        let ReadCompleted { connection, system, read, pages, .. } = completed;
        self.links.read_completed(connection, &self.pair.name, *system, *read, pages.clone()).await?;
        let case = Case { connection, lane: Lane::Backfill, part: None, now: Timestamp::now() };
        self.release_when_read(&case).await.map(Handled::Done)
    }

    /// Lets the pair create as soon as both systems have been read in full, and wakes the links that waited for it.
    async fn release_when_read(&self, case: &Case<'_>) -> Result<Vec<OutboxMessage>, MapperError> {
        let (connection, pair) = (case.connection, &self.pair.name);
        loop {
            if self.links.released(connection, pair).await?.0
                || !self.links.both_read(connection, pair).await?
            {
                return Ok(Vec::new());
            }
            let unmatched = self.links.unmatched(connection, pair).await?;
            let wakes: Vec<OutboxMessage> = unmatched
                .iter()
                .map(|link| self.wake(connection, &self.pair.name, link.clone(), case.now))
                .collect();
            // Refused when another link has come to wait, or when another mapper has released the pair: both end.
            if self.links.release(connection, pair, &unmatched, &wakes, case.now).await? {
                tracing::info!(%connection, %pair, unmatched = wakes.len(), "both systems are read in full: partners may be created");
                return Ok(wakes);
            }
        }
    }

    async fn woken(&self, woken: &Woken) -> Result<Option<Handled>, MapperError> {
        let now = Timestamp::now();
        let case = Case { connection: &woken.connection, lane: Lane::Backfill, part: None, now };
        let Some(stored) = self.links.find(&woken.connection, &self.pair.name, &woken.link).await? else {
            return Ok(Some(Handled::Done(Vec::new())));
        };
        let (released, held) = self.links.released(&woken.connection, &self.pair.name).await?;
        let mut checks: Vec<Check> = held.into_iter().collect();
        let (mut link, mut effects) = (stored.link.clone(), Vec::new());
        for (event, event_checks) in self.resolved(&woken.connection, &stored.link).await? {
            checks.extend(event_checks);
            if let Some(event) = event {
                let next = step(&link, event, &self.policy, released, now);
                link = next.link;
                effects.extend(next.effects);
            }
        }
        let missing = System::BOTH.into_iter().find(|system| link.sides[*system].is_none());
        let decided = match missing {
            Some(missing) => {
                let system = missing.other();
                self.match_and_step(system, Some(stored), link, effects, released, now).await?
            }
            None => Decided { links: vec![change(Some(stored), &link)], checks: Vec::new(), effects, link },
        };
        self.commit(&case, decided, checks).await
    }

    /// The references of a link that can be resolved by now, as events; and the checks for those that can't.
    async fn resolved(
        &self,
        connection: &ConnectionName,
        link: &Link,
    ) -> Result<Vec<(Option<Event>, Vec<Check>)>, MapperError> {
        let mut resolved = Vec::new();
        for system in System::BOTH {
            let Some(side) = &link.sides[system] else { continue };
            for (property, value) in &side.view {
                let Value::Reference(Reference::Unlinked { pair, record, .. }) = value else { continue };
                let need = mapping::ReferenceNeed { pair: pair.clone(), record: record.clone() };
                let mut lookups = Lookups::default();
                let needs = BTreeSet::from([need]);
                let checks = self.links.look_up_links(connection, system, &needs, &mut lookups).await?;
                let event = lookups.links.into_values().next().map(|linked| Event::ReferenceLinked {
                    system,
                    property: property.clone(),
                    value: Value::Reference(Reference::Linked(linked)),
                });
                resolved.push((event, checks));
            }
        }
        Ok(resolved)
    }

    async fn outcome(&self, outcome: &Outcome) -> Result<Option<Handled>, MapperError> {
        let Outcome { connection, system, claim, .. } = outcome;
        let now = Timestamp::now();
        let case = Case { connection, lane: Lane::Live, part: None, now };
        let Some(stored) = self.links.find(connection, &self.pair.name, &outcome.link).await? else {
            // The store was emptied, or the link was joined with another: what was written will be seen and matched.
            tracing::info!(%connection, link = %outcome.link, "an outcome's link is not there any more");
            return Ok(Some(Handled::Done(Vec::new())));
        };
        let (released, held) = self.links.released(connection, &self.pair.name).await?;
        let mut checks: Vec<Check> = held.into_iter().collect();
        let (system, claim) = (*system, *claim);
        let record = match &outcome.result {
            OutcomeResult::Applied { record, .. } => Some(record),
            OutcomeResult::Adopted { found } => Some(&found.record.id),
            _ => None,
        };
        let other = match record {
            Some(record) => self.other_link(connection, system, record, &stored).await?,
            None => None,
        };
        let event = match (record, &other) {
            (Some(record), Some(other)) if other.link.has_both() => {
                // It has a partner already: a person decides.
                let failure = Failure::FoundSeveral { candidates: vec![record.clone()] };
                Event::Failed { system, claim, failure }
            }
            _ => {
                let Some((event, seen)) = self.event_of(outcome).await? else {
                    return Ok(Some(Handled::Later(
                        RetryTier::Seconds5,
                        "the user directory has not been read yet",
                    )));
                };
                checks.extend(seen);
                event
            }
        };
        let mut decided = self.decide(stored, event, released, now);
        if let Some(other) = other.filter(|other| !other.link.has_both()) {
            self.absorb(&mut decided, system, other, released, now);
        }
        let handled = self.commit(&case, decided, checks).await?;
        if handled.is_some() && matches!(outcome.result, OutcomeResult::Applied { .. }) {
            let direction = match system {
                System::CustomCrm => Direction::ToCrm,
                System::ExactOnline => Direction::ToExact,
            };
            let lag = now.duration_since(outcome.queued_at).as_secs_f64().max(0.0);
            self.metrics.observe_lag(self.pair.name.as_str(), direction, lag);
        }
        Ok(handled)
    }

    /// What an outcome says, seen through the pair; `None` until the user directories are there.
    async fn event_of(&self, outcome: &Outcome) -> Result<Option<(Event, Vec<Check>)>, MapperError> {
        let Outcome { connection, system, claim, result, .. } = outcome;
        let (system, claim) = (*system, *claim);
        let shown = match result {
            OutcomeResult::Applied { after, .. } => after.as_ref(),
            OutcomeResult::Adopted { found } => Some(found),
            OutcomeResult::Stale { now } => now.as_ref(),
            OutcomeResult::Rejected { .. } | OutcomeResult::Gone | OutcomeResult::FoundSeveral { .. } => None,
        };
        let (seen, checks) = match shown {
            Some(sighting) => match self.observation(connection, system, sighting).await? {
                Some((observation, checks)) => (Some(observation), checks),
                None => return Ok(None),
            },
            None => (None, Vec::new()),
        };
        let failed = |failure| Event::Failed { system, claim, failure };
        let event = match (result, seen) {
            (OutcomeResult::Applied { record, .. }, after) => {
                Event::Applied { system, claim, record: record.clone(), after }
            }
            (OutcomeResult::Adopted { .. }, Some(found)) => {
                Event::Adopted { system, claim, side: side_of(found) }
            }
            (OutcomeResult::Stale { .. }, now) => failed(Failure::Stale { now }),
            (OutcomeResult::Rejected { words }, _) => failed(Failure::Rejected { words: words.clone() }),
            (OutcomeResult::FoundSeveral { candidates }, _) => {
                failed(Failure::FoundSeveral { candidates: candidates.clone() })
            }
            (OutcomeResult::Gone | OutcomeResult::Adopted { .. }, _) => failed(Failure::Gone),
        };
        Ok(Some((event, checks)))
    }

    /// The link that this record belongs to, if it is another one.
    async fn other_link(
        &self,
        connection: &ConnectionName,
        system: System,
        record: &RecordId,
        own: &Stored,
    ) -> Result<Option<Stored>, MapperError> {
        let Some(id) = self.links.link_of(connection, &self.pair.name, system, record).await? else {
            return Ok(None);
        };
        if id == own.link.id {
            return Ok(None);
        }
        Ok(self.links.find(connection, &self.pair.name, &id).await?)
    }

    /// Takes over a link that holds just the record which this link has got: it was seen before the outcome arrived,
    /// and perhaps at a newer version. A link whose record this one has not got stays.
    fn absorb(&self, decided: &mut Decided, system: System, other: Stored, released: bool, now: Timestamp) {
        let Some(side) = other.link.sides[system].clone() else { return };
        if decided.link.record(system) != Some(&side.record) {
            return;
        }
        let event = Event::Observed { system, observation: observation_of(side) };
        let next = step(&decided.link, event, &self.policy, released, now);
        decided.effects.extend(next.effects);
        decided.link = next.link.clone();
        for change in &mut decided.links {
            change.after = Some(next.link.clone());
        }
        decided.links.push(LinkChange { before: Some(other), after: None });
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

    /// Commits what was decided with all that follows from it. `None`: somebody was faster.
    async fn commit(
        &self,
        case: &Case<'_>,
        mut decided: Decided,
        mut checks: Vec<Check>,
    ) -> Result<Option<Handled>, MapperError> {
        checks.append(&mut decided.checks);
        let mut outbox = Vec::new();
        let mut notes = Vec::new();
        for effect in &decided.effects {
            match effect {
                Effect::Enqueue(system) => outbox.push(self.enqueue(case, &decided.link, *system)),
                Effect::Wake => outbox.extend(self.wake_waiting(case, &decided.link, &mut checks).await?),
                Effect::Note(note) => notes.push((decided.link.id.clone(), note.clone())),
                Effect::Echo(_) => {}
            }
        }
        let moved = decided.links.iter().any(|change| change.after.is_none());
        if moved && !decided.link.waits_for().is_empty() {
            // A wake that is under way may look for the record at the link that it leaves.
            outbox.push(self.wake(case.connection, &self.pair.name, decided.link.id.clone(), case.now));
        }
        if !outbox.is_empty() {
            // The trace of the edit goes with the link, so that the write that folds several edits can name it.
            let trace = telemetry::current_traceparent();
            if let Some(link) = decided.links.iter_mut().find_map(|change| change.after.as_mut()) {
                link.trace = trace;
            }
        }
        let unchanged = decided
            .links
            .iter()
            .all(|change| change.before.as_ref().map(|stored| &stored.link) == change.after.as_ref());
        let commit = Commit {
            pair: &self.pair,
            connection: case.connection,
            links: if unchanged { Vec::new() } else { decided.links },
            checks: if unchanged { Vec::new() } else { checks },
            outbox: outbox.clone(),
            notes,
            part: case.part.cloned(),
            now: case.now,
        };
        let idle = commit.links.is_empty() && commit.notes.is_empty() && commit.part.is_none();
        if !idle && !self.links.commit(commit).await? {
            return Ok(None);
        }
        self.count(&decided.effects, &decided.link);
        if case.part.is_some() {
            outbox.extend(self.release_when_read(case).await?);
        }
        Ok(Some(Handled::Done(outbox)))
    }

    fn count(&self, effects: &[Effect], link: &Link) {
        for effect in effects {
            if let Effect::Echo(system) = effect {
                self.metrics.count_echo(self.pair.name.as_str(), system.name());
            }
        }
        if matches!(link.status, Status::Ambiguous(_)) || !link.conflicts.is_empty() {
            self.metrics.count_conflict(self.pair.name.as_str());
        }
    }

    async fn wake_waiting(
        &self,
        case: &Case<'_>,
        link: &Link,
        checks: &mut Vec<Check>,
    ) -> Result<Vec<OutboxMessage>, MapperError> {
        let mut wakes = Vec::new();
        for system in System::BOTH {
            let Some(record) = link.record(system) else { continue };
            let (waiting, check) =
                self.links.waiting_for(case.connection, &self.pair.name, system, record).await?;
            checks.push(check);
            for (pair, waiter) in waiting {
                wakes.push(self.wake(case.connection, &pair, waiter, case.now));
            }
        }
        Ok(wakes)
    }

    fn enqueue(&self, case: &Case<'_>, link: &Link, system: System) -> OutboxMessage {
        let queued = WriteQueued {
            connection: case.connection.clone(),
            pair: self.pair.name.clone(),
            link: link.id.clone(),
            system,
        };
        message(self.names.writes(system, case.lane), &Message::WriteQueued(queued), case.now)
    }

    fn wake(
        &self,
        connection: &ConnectionName,
        pair: &model::PairName,
        link: LinkId,
        now: Timestamp,
    ) -> OutboxMessage {
        let woken = Woken { connection: connection.clone(), pair: pair.clone(), link };
        message(self.names.pair(pair), &Message::Woken(woken), now)
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

/// A message straight to a queue, on the trace of what is being handled.
fn message(queue: String, message: &Message, now: Timestamp) -> OutboxMessage {
    let id = Uuid::now_v7();
    let mut headers = BTreeMap::new();
    telemetry::inject(&mut headers);
    let body =
        String::from_utf8(message.write(id, "mapper", now)).expect("a message is written as JSON text");
    OutboxMessage { id, exchange: String::new(), routing_key: queue, headers, at: now, body }
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
    }
}

fn side_of(observation: Observation) -> Side {
    Side {
        record: observation.record,
        version: observation.version,
        modified_at: observation.modified_at,
        view: observation.view,
        presence: observation.presence,
    }
}
