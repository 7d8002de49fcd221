//! A mapper: takes a message in by the link's own step, and commits what becomes of the link if nobody was faster.

use std::sync::Arc;

use link::promises::{Taken, broken};
use link::{Effect, Event, Failure, Link, Policy, Step, step};
use model::System;

use crate::account::OF_EVERY_STEP;
use crate::bounds::{Bounds, Recognised, Safeguard};
use crate::clock;
use crate::remote::{Sighting, id};
use crate::state::{Answer, Message, Outcome, Reader, State, Task};

/// Whether a sighting waits for the outcome of a create: no key leads from its record to the link, and it is called as
/// what is being made.
pub(crate) fn waits(sighting: Sighting, state: &State, bounds: &Bounds) -> bool {
    bounds.recognised == Recognised::ByName && state.link.sides[sighting.system].is_none()
}

impl State {
    /// Commits what becomes of the link that a mapper has read, or reads again if somebody was faster.
    pub(crate) fn take_in(&mut self, reader: Reader, policy: &Policy, bounds: &Bounds, publishes: bool) {
        let Task::TakeIn(message) = reader.task else { return };
        let Some(read) = reader.read else {
            self.readers.push(Reader { read: Some(Arc::clone(&self.link)), ..reader });
            return;
        };
        let (link, effects) = taken_in(&read, message, policy, self);
        self.commit(link, bounds);
        if publishes {
            self.enqueue(&effects, None);
        }
    }

    /// The link becomes this; whoever has read what it was is too late.
    pub(crate) fn commit(&mut self, link: Link, bounds: &Bounds) {
        if link == *self.link {
            return;
        }
        self.link = Arc::new(link);
        if bounds.has(Safeguard::Comparison) {
            for reader in &mut self.readers {
                reader.read = None;
            }
        }
    }

    /// Publishes that writes wait, but for those that are served already.
    pub(crate) fn enqueue(&mut self, effects: &[Effect], served: Option<System>) {
        for effect in effects {
            if let Effect::Enqueue(system) = effect
                && Some(*system) != served
            {
                self.writes[*system] += 1;
            }
        }
    }

    /// One step of the link, looked at for what must hold of every step.
    pub(crate) fn step(&mut self, link: &Link, event: Event, policy: &Policy, released: bool) -> Step {
        let mut next = step(link.clone(), event.clone(), policy, released, clock::NOW);
        if broken(&Taken { before: link, event: &event, step: &next, policy }).next().is_some() {
            self.account.broken = Some(OF_EVERY_STEP);
        }
        clock::forget(&mut next.link);
        self.account.looks_at(link, &event, &next.link);
        next
    }
}

fn taken_in(link: &Link, message: Message, policy: &Policy, state: &mut State) -> (Link, Vec<Effect>) {
    let event = match message {
        Message::Seen(sighting) => seen(link, sighting),
        Message::Outcome(outcome) => Some(event_of(outcome)),
    };
    let Some(event) = event else { return (link.clone(), Vec::new()) };
    // A record without a partner gets one made when none is found: here there is none to be found.
    let is_alone = matches!(message, Message::Seen(_)) && !link.has_both();
    let mut next = state.step(link, event, policy, !is_alone);
    if is_alone && !next.link.has_both() && next.link.is_at_rest() {
        let released = state.step(&next.link, Event::Released, policy, true);
        next.effects.extend(released.effects);
        next.link = released.link;
    }
    (next.link, next.effects)
}

/// What a sighting is for the link: nothing, when it is of another record than the link's.
fn seen(link: &Link, sighting: Sighting) -> Option<Event> {
    let system = sighting.system;
    match link.record(system) {
        Some(known) if *known == id(system, sighting.record) => {
            Some(Event::Observed { system, observation: sighting.observation() })
        }
        Some(_) => None,
        None => (!sighting.is_gone).then(|| Event::Joined { system, side: sighting.side() }),
    }
}

fn event_of(Outcome { system, claim, result }: Outcome) -> Event {
    let failed = |failure| Event::Failed { system, claim, failure };
    match result {
        Answer::Applied(record, after) => Event::Applied {
            system,
            claim,
            record: id(system, record),
            after: after.map(Sighting::observation),
        },
        Answer::Adopted(found) => Event::Adopted { system, claim, side: found.side() },
        Answer::FoundSeveral(records) => failed(Failure::FoundSeveral {
            candidates: (0..records).map(|record| id(system, record)).collect(),
        }),
        Answer::Stale(now) => failed(Failure::Stale { now: Some(now.observation()) }),
        Answer::Gone => failed(Failure::Gone),
    }
}
