//! What may happen next.

use model::System;

use crate::bounds::{Bounds, Safeguard};
use crate::remote::Sighting;
use crate::state::{Message, Order, Sending, Stage, State, Task};
use crate::words::{Property, Word};
use crate::{mapper, writer};

/// One thing that happens. Those who are at work are named by their places in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A person enters another value.
    PersonEdits(System, Property, Word),
    /// A person deletes the record.
    PersonDeletes(System),
    /// A collector publishes how a changed record looks.
    CollectorPublishes(System, u8),
    /// A new record shows in searches and feeds from now on.
    RecordShows(u8),
    /// A mapper takes a message and reads the link.
    MapperTakes(Message, Delivery),
    /// It commits, publishes what follows and acknowledges; if somebody was faster, it reads again.
    MapperCommits(usize),
    /// It crashes; its message comes again.
    MapperCrashes(usize),
    /// It crashes after its commit, before anything is published.
    MapperCrashesAfterItsCommit(usize),
    /// A writer takes a message and reads the link.
    WriterTakes(System, Delivery),
    /// It stores its claim; if somebody was faster, it reads again.
    WriterClaims(usize),
    /// It crashes before it has claimed; its message comes again.
    WriterCrashesBeforeItsClaim(usize),
    /// It searches before a create.
    WriterSearches(usize),
    /// It reads the feed before an update.
    WriterReadsTheFeed(usize),
    /// It sends the write, and the system answers.
    WriterSends(usize),
    /// It publishes the outcome and acknowledges its message.
    WriterReports(usize),
    /// It can't read how the record looks after its write, and reports without.
    WriterReportsUnread(usize),
    /// The answer does not arrive: the message comes again.
    AnswerIsLost(usize),
    /// It crashes with its claim, sent or not; its message comes again. Or it has come too late to send it.
    WriterCrashes(usize),
}

/// How a message is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// Once.
    Once,
    /// And once more, at whatever moment after.
    AndAgain,
}

impl Action {
    /// Whether it is a person's: the others go on by themselves.
    pub const fn is_a_persons(self) -> bool {
        matches!(self, Self::PersonEdits(..) | Self::PersonDeletes(_))
    }
}

/// All that may happen next.
pub fn possible(state: &State, bounds: &Bounds, actions: &mut Vec<Action>) {
    by_people(state, bounds, actions);
    by_collectors(state, actions);
    by_mappers(state, bounds, actions);
    by_writers(state, bounds, actions);
}

fn by_people(state: &State, bounds: &Bounds, actions: &mut Vec<Action>) {
    for system in System::BOTH {
        let Some(record) = state.record(system).filter(|record| !record.is_deleted) else { continue };
        if state.left.edits[system] > 0 {
            let differs = |(property, word): &&(Property, Word)| {
                property.stored(system, *word) != record.words[*property as usize]
            };
            let edits = bounds.entries[system].iter().filter(differs);
            actions.extend(edits.map(|(property, word)| Action::PersonEdits(system, *property, *word)));
        }
        if state.left.deletes[system] > 0 {
            actions.push(Action::PersonDeletes(system));
        }
    }
}

fn by_collectors(state: &State, actions: &mut Vec<Action>) {
    for system in System::BOTH {
        for (place, record) in (0..).zip(&state.records[system]) {
            if !record.shows {
                actions.push(Action::RecordShows(place));
            } else if record.is_untold {
                actions.push(Action::CollectorPublishes(system, place));
            }
        }
    }
}

fn by_mappers(state: &State, bounds: &Bounds, actions: &mut Vec<Action>) {
    if state.mappers_at_work() < bounds.mappers {
        let seen = taken_in_now(state, bounds).map(Message::Seen);
        let outcomes = state.outcomes.keys().copied().map(Message::Outcome);
        for message in seen.chain(outcomes) {
            actions.extend(deliveries(state).map(|delivery| Action::MapperTakes(message, delivery)));
        }
    }
    for (place, reader) in state.readers.iter().enumerate() {
        if !matches!(reader.task, Task::TakeIn(_)) {
            continue;
        }
        actions.push(Action::MapperCommits(place));
        if state.left.crashes > 0 {
            actions.push(Action::MapperCrashes(place));
            if !bounds.has(Safeguard::Outbox) {
                actions.push(Action::MapperCrashesAfterItsCommit(place));
            }
        }
    }
}

/// The sightings that can be taken in.
fn taken_in_now<'a>(state: &'a State, bounds: &'a Bounds) -> impl Iterator<Item = Sighting> + 'a {
    state.sightings.keys().copied().filter(|sighting| !mapper::waits(*sighting, state, bounds))
}

fn deliveries(state: &State) -> impl Iterator<Item = Delivery> + use<> {
    let again = (state.left.repeats > 0).then_some(Delivery::AndAgain);
    std::iter::once(Delivery::Once).chain(again)
}

fn by_writers(state: &State, bounds: &Bounds, actions: &mut Vec<Action>) {
    for system in System::BOTH {
        let is_free = state.writers_at_work() < bounds.writers;
        if is_free && state.writes[system] > 0 && writer::may_claim(state, bounds, system) {
            actions.extend(deliveries(state).map(|delivery| Action::WriterTakes(system, delivery)));
        }
    }
    for (place, reader) in state.readers.iter().enumerate() {
        if matches!(reader.task, Task::Claim(_)) {
            actions.push(Action::WriterClaims(place));
            if state.left.crashes > 0 {
                actions.push(Action::WriterCrashesBeforeItsClaim(place));
            }
        }
    }
    for (place, sending) in state.sending.iter().enumerate() {
        by_one_writer(place, sending, state, bounds, actions);
    }
}

fn by_one_writer(place: usize, sending: &Sending, state: &State, bounds: &Bounds, actions: &mut Vec<Action>) {
    match (sending.stage, sending.order) {
        (Stage::Claimed, Order::Create(_)) if bounds.has(Safeguard::Search) => {
            actions.push(Action::WriterSearches(place));
        }
        (Stage::Claimed, Order::Update(..))
            if sending.system == System::ExactOnline && bounds.has(Safeguard::VersionCheck) =>
        {
            if writer::shows_or_is_seen(state, sending) {
                actions.push(Action::WriterReadsTheFeed(place));
            }
        }
        (Stage::Claimed | Stage::Searched | Stage::Vouched(_), _) => actions.push(Action::WriterSends(place)),
        (Stage::Answered(_), _) => actions.push(Action::WriterReports(place)),
        (Stage::CarriedOut(_), _) => {
            actions.push(Action::WriterReports(place));
            if state.left.unread > 0 {
                actions.push(Action::WriterReportsUnread(place));
            }
        }
    }
    if matches!(sending.stage, Stage::Answered(_) | Stage::CarriedOut(_)) && state.left.lost_answers > 0 {
        actions.push(Action::AnswerIsLost(place));
    }
    if state.left.crashes > 0 {
        actions.push(Action::WriterCrashes(place));
    }
}
