//! The commit of what was decided, with the messages that follow from it.

use std::collections::BTreeMap;

use contract::{Lane, Message, Names, Woken, WriteQueued};
use jiff::{SignedDuration, Timestamp};
use link::{Effect, Link, Pending, Status, mass_change::Change};
use model::{LinkId, PairName, System};
use store::{Check, Commit, OutboxMessage, Store};

use super::draft::Draft;
use super::{Case, Keeper};
use crate::error::MapperError;
use crate::handler::Handled;

/// A write that is still queued after this long does not go out with people's edits.
const HURRIED_AFTER: SignedDuration = SignedDuration::from_secs(2);

impl<S: Store> Keeper<S> {
    /// Commits what was decided with all that follows from it. `None`: somebody was faster.
    pub(super) async fn commit(
        &self,
        case: &Case<'_>,
        mut draft: Draft,
        mut checks: Vec<Check>,
    ) -> Result<Option<Handled>, MapperError> {
        checks.append(&mut draft.checks);
        let mut notes = Vec::new();
        let wake = |link| self.wake(&self.pair.name, link, case.wakes, case.now);
        let mut outbox: Vec<OutboxMessage> = draft.wakes.drain(..).map(wake).collect();
        for effect in &draft.effects {
            match effect {
                Effect::Enqueue(system) => outbox.push(self.enqueue(case, &draft.link, *system)),
                Effect::Wake => outbox.extend(self.wake_waiting(case, &draft.link, &mut checks).await?),
                Effect::Note(note) => notes.push((draft.link.id.clone(), note.clone())),
                Effect::Echo(_) => {}
            }
        }
        if !draft.leaves.is_empty() && !draft.link.waits_for().is_empty() {
            // A wake that is under way may look for the record at the link that it leaves.
            outbox.push(wake(draft.link.id.clone()));
        }
        if case.lane == Lane::Live {
            outbox.extend(self.hurry(case, &draft.link).await?);
        }
        let awaits = System::BOTH.iter().any(|system| draft.link.pending[*system] != Pending::None);
        if !outbox.is_empty() || (awaits && !draft.is_unchanged()) {
            // The trace of the edit goes with the link, so that the write that folds several edits can name it.
            draft.link_mut().trace = telemetry::current_traceparent();
        }
        tracing::Span::current().record("link", draft.link.id.as_str());
        let unchanged = draft.is_unchanged();
        let commit = Commit {
            pair: &self.pair,
            connection: &self.connection,
            links: if unchanged { Vec::new() } else { draft.changes() },
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
        self.count(case, &draft);
        let released = case.is_of_read && self.release_when_read(case.now).await?;
        Ok(Some(if released { Handled::Released(outbox) } else { Handled::Done(outbox) }))
    }

    fn count(&self, case: &Case<'_>, draft: &Draft) {
        let Draft { effects, link, broken, .. } = draft;
        debug_assert!(broken.is_empty(), "a step of {} broke {broken:?}", link.id);
        for promise in broken {
            self.metrics.count_broken_promise(self.pair.name.as_str(), promise);
            tracing::error!(
                connection = %self.connection, pair = %self.pair.name, link = %link.id, promise,
                "a step of the link broke a promise: this is an error of Tandem's, report it with the link's history"
            );
        }
        for effect in effects {
            let pair = self.pair.name.as_str();
            match effect {
                Effect::Echo(system) => self.metrics.count_echo(pair, system.name()),
                // What an effect before the last one has queued may be folded into another kind of write since.
                Effect::Enqueue(system) => {
                    if let Some(change) = Change::of(link, &case.policy, *system) {
                        self.metrics.count_queued_write(pair, system.name(), change.name());
                    }
                }
                Effect::Wake | Effect::Note(_) => {}
            }
        }
        let before = draft.before.as_ref().map_or(0, |stored| stored.link.oscillating().count());
        for _ in before..link.oscillating().count() {
            self.metrics.count_oscillation(self.pair.name.as_str());
        }
        if matches!(link.status, Status::Ambiguous(_)) || !link.conflicts.is_empty() {
            self.metrics.count_conflict(self.pair.name.as_str());
            tracing::Span::current().record("conflict", true);
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
                self.links.waiting_for(&self.connection, &self.pair.name, system, record).await?;
            checks.push(check);
            for (pair, waiter) in waiting {
                wakes.push(self.wake(&pair, waiter, case.wakes, case.now));
            }
        }
        let Some(record) = link.record(System::ExactOnline) else { return Ok(wakes) };
        for pair in self.beside.iter().filter(|pair| pair.yields_to.contains(&self.pair.name)) {
            // It may have waited for this pair to claim the record.
            let id = self.links.link_of(&self.connection, &pair.name, System::ExactOnline, record).await?;
            wakes.extend(id.map(|id| self.wake(&pair.name, id, case.wakes, case.now)));
        }
        Ok(wakes)
    }

    pub(super) fn enqueue(&self, case: &Case<'_>, link: &Link, system: System) -> OutboxMessage {
        let queued = WriteQueued {
            connection: self.connection.clone(),
            pair: self.pair.name.clone(),
            link: link.id.clone(),
            system,
        };
        message(self.names.writes(system, case.lane), &Message::WriteQueued(queued), case.now)
    }

    pub(super) fn wake(&self, pair: &PairName, link: LinkId, lane: Lane, now: Timestamp) -> OutboxMessage {
        let woken = Woken { connection: self.connection.clone(), pair: pair.clone(), link, lane };
        wake(&self.names, woken, now)
    }

    /// A link of people's edits that waits for others makes these as urgent as itself: what seems to be queued for them
    /// behind a backfill is queued before it too. A write is made once, whichever message comes first.
    async fn hurry(&self, case: &Case<'_>, link: &Link) -> Result<Vec<OutboxMessage>, MapperError> {
        let mut writes = Vec::new();
        for (pair, system, record) in link.waits_for() {
            let Some(id) = self.links.link_of(&self.connection, &pair, system, &record).await? else {
                continue;
            };
            let Some(stored) = self.links.find(&self.connection, &pair, &id).await? else { continue };
            let queued = |since: Timestamp| case.now.duration_since(since) > HURRIED_AFTER;
            if matches!(stored.link.pending[system.other()], Pending::Queued { since } if queued(since)) {
                let (connection, link, system) = (self.connection.clone(), id, system.other());
                let queued = WriteQueued { connection, pair, link, system };
                let queue = self.names.writes(system, Lane::Live);
                writes.push(message(queue, &Message::WriteQueued(queued), case.now));
            }
        }
        Ok(writes)
    }
}

/// The message that has a link looked at again.
pub(crate) fn wake(names: &Names, woken: Woken, now: Timestamp) -> OutboxMessage {
    message(names.pair(&woken.pair), &Message::Woken(woken), now)
}

/// A message straight to a queue, on the trace of what is being handled.
fn message(queue: String, message: &Message, now: Timestamp) -> OutboxMessage {
    let mut headers = BTreeMap::new();
    telemetry::inject(&mut headers);
    OutboxMessage::to_queue(queue, message, "mapper", headers, now)
}
