//! A writer: claims through the store, makes sure of what it is about to write over, sends, and reports.

use std::sync::Arc;

use link::{Event, Link, Pending, Policy, Write};
use model::System;

use crate::account::WRITTEN_OVER;
use crate::bounds::{Bounds, Safeguard};
use crate::remote::Record;
use crate::state::{Answer, Order, Outcome, Reader, Sending, Stage, State, Task, put};
use crate::words::Property;

/// Whether a message to a writer is handled at once. A create in flight is repeated only when what was sent before
/// would show by now: nobody may send it any more, and searches show whatever was made.
pub(crate) fn may_claim(state: &State, bounds: &Bounds, system: System) -> bool {
    let creates =
        matches!(&state.link.pending[system], Pending::InFlight { write: Write::Create { .. }, .. });
    let may_appear = state.sending.iter().any(Sending::may_create)
        || state.records[system].iter().any(|record| !record.shows);
    !(creates && may_appear && bounds.has(Safeguard::Wait))
}

/// Whether a record that is to be updated is known at a version, or the feed shows it.
pub(crate) fn shows_or_is_seen(state: &State, sending: &Sending) -> bool {
    match sending.order {
        Order::Create(_) | Order::Update(_, Some(_), _) => true,
        Order::Update(place, None, _) => state.records[sending.system][usize::from(place)].shows,
    }
}

impl State {
    /// Stores the claim of a writer that has read the link, or reads again if somebody was faster.
    pub(crate) fn claim(&mut self, reader: Reader, policy: &Policy, bounds: &Bounds) {
        let Task::Claim(system) = reader.task else { return };
        let again = |link: &Arc<Link>| Reader { read: Some(Arc::clone(link)), ..reader };
        let Some(read) = &reader.read else {
            self.readers.push(again(&self.link));
            return;
        };
        if read.pending[system] == Pending::None {
            return;
        }
        let next = self.step(read, Event::Claimed { system }, policy, true);
        if bounds.has(Safeguard::StoredClaim) {
            self.commit(next.link.clone(), bounds);
        }
        self.enqueue(&next.effects, Some(system));
        match &next.link.pending[system] {
            Pending::InFlight { write, claim, attempt, .. } => {
                self.account.credit += i8::from(*attempt > 1);
                let order = Order::of(write);
                self.vouches_lapse(system);
                self.sending.push(Sending { system, claim: *claim, order, stage: Stage::Claimed });
            }
            // What was edited since is queued in its place, and this message serves it.
            Pending::Queued { .. } if bounds.has(Safeguard::StoredClaim) => {
                self.readers.push(again(&self.link));
            }
            Pending::Queued { .. } | Pending::None => {}
        }
    }

    /// A read of the feed vouches for two seconds, which is less than the way from one claim of a record to the next:
    /// whoever has read before this claim reads again.
    fn vouches_lapse(&mut self, system: System) {
        for sending in self.sending.iter_mut().filter(|sending| sending.system == system) {
            if matches!(sending.stage, Stage::Vouched(_)) {
                sending.stage = Stage::Claimed;
            }
        }
    }

    /// Looks for a record like the one that is to be made.
    pub(crate) fn search(&mut self, mut sending: Sending) {
        let system = sending.system;
        let found: Vec<_> = (0..)
            .zip(&self.records[system])
            .filter(|(_, record)| record.shows && !record.is_deleted)
            .collect();
        sending.stage = match found.as_slice() {
            [] => Stage::Searched,
            [(place, record)] => Stage::Answered(Answer::Adopted(record.seen(system, *place))),
            several => {
                Stage::Answered(Answer::FoundSeveral(u8::try_from(several.len()).expect("few are made")))
            }
        };
        self.sending.push(sending);
    }

    /// Reads the feed before an update: nothing that it shows is written over.
    pub(crate) fn vouch(&mut self, mut sending: Sending) {
        let Order::Update(place, seen_at, _) = sending.order else { return };
        let record = &self.records[sending.system][usize::from(place)];
        let is_later = record.shows && Some(record.version) > seen_at;
        sending.stage = if is_later {
            Stage::Answered(Answer::Stale(record.seen(sending.system, place)))
        } else {
            Stage::Vouched(record.version)
        };
        self.sending.push(sending);
    }

    /// Sends a write.
    pub(crate) fn send(&mut self, mut sending: Sending, bounds: &Bounds) {
        sending.stage = match sending.order {
            Order::Create(given) => {
                self.account.credit -= 1;
                let record = Record::made(sending.system, given);
                let place = u8::try_from(self.records[sending.system].len()).expect("few are made");
                let mut after = record.seen(sending.system, place);
                after.version = None;
                self.records[sending.system].push(record);
                Stage::Answered(Answer::Applied(place, Some(after)))
            }
            Order::Update(place, seen_at, _) => self.update(&sending, place, seen_at, bounds),
        };
        self.sending.push(sending);
    }

    fn update(&mut self, sending: &Sending, place: u8, seen_at: Option<u8>, bounds: &Bounds) -> Stage {
        let system = sending.system;
        let record = &mut self.records[system][usize::from(place)];
        if record.is_deleted {
            return Stage::Answered(Answer::Gone);
        }
        let compares = system == System::CustomCrm && bounds.has(Safeguard::VersionCheck);
        if compares && Some(record.version) != seen_at {
            return Stage::Answered(Answer::Stale(record.seen(system, place)));
        }
        for property in Property::BOTH {
            let place = property as usize;
            let Some(word) = sending.order.given()[place] else { continue };
            match sending.stage {
                _ if seen_at.is_none_or(|seen| record.edited[place] <= seen) => {}
                Stage::Vouched(looked) if record.edited[place] > looked => {
                    self.account.blind[place] = Some(word);
                    self.account.credit += 1;
                }
                _ => self.account.broken = self.account.broken.or(Some(WRITTEN_OVER)),
            }
        }
        record.write(system, sending.order.given());
        self.account.credit -= 1;
        match system {
            System::CustomCrm => Stage::Answered(Answer::Applied(place, Some(record.seen(system, place)))),
            System::ExactOnline => Stage::CarriedOut(place),
        }
    }

    /// Publishes what became of a write; what Exact Online has carried out is looked up now.
    pub(crate) fn report(&mut self, sending: Sending, is_read: bool) {
        let Sending { system, claim, stage, .. } = sending;
        let result = match stage {
            Stage::Answered(answer) => answer,
            Stage::CarriedOut(place) => {
                let record = &self.records[system][usize::from(place)];
                Answer::Applied(place, is_read.then(|| record.seen(system, place)))
            }
            Stage::Claimed | Stage::Searched | Stage::Vouched(_) => return,
        };
        put(&mut self.outcomes, Outcome { system, claim, result });
    }
}
