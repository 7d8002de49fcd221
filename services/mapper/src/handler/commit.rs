//! The commit of what was decided, with the messages that follow from it.

use std::collections::BTreeMap;

use contract::{Message, Woken, WriteQueued};
use jiff::Timestamp;
use link::{Effect, Link, Status};
use model::{ConnectionName, LinkId, System};
use store::{Check, Commit, OutboxMessage, Store};

use super::{Case, Decided, Handled, Handler};
use crate::error::MapperError;

impl<S: Store> Handler<S> {
    /// Commits what was decided with all that follows from it. `None`: somebody was faster.
    pub(super) async fn commit(
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

    pub(super) fn enqueue(&self, case: &Case<'_>, link: &Link, system: System) -> OutboxMessage {
        let queued = WriteQueued {
            connection: case.connection.clone(),
            pair: self.pair.name.clone(),
            link: link.id.clone(),
            system,
        };
        message(self.names.writes(system, case.lane), &Message::WriteQueued(queued), case.now)
    }

    pub(super) fn wake(
        &self,
        connection: &ConnectionName,
        pair: &model::PairName,
        link: LinkId,
        now: Timestamp,
    ) -> OutboxMessage {
        let woken = Woken { connection: connection.clone(), pair: pair.clone(), link };
        message(self.names.pair(pair), &Message::Woken(woken), now)
    }
}

/// A message straight to a queue, on the trace of what is being handled.
fn message(queue: String, message: &Message, now: Timestamp) -> OutboxMessage {
    let mut headers = BTreeMap::new();
    telemetry::inject(&mut headers);
    OutboxMessage::to_queue(queue, message, "mapper", headers, now)
}
