//! The world as the model checker goes through it.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use link::{Event, Policy};
use model::System;
use stateright::{Checker, HasDiscoveries, Model, Property as Promise};

use crate::action::{Action, Delivery, possible};
use crate::bounds::{Bounds, Safeguard, Start};
use crate::promises;
use crate::remote::Record;
use crate::state::{Message, Reader, Sending, State, Task, put, take};
use crate::words::{Property, Word, policy};

/// A world within its bounds.
#[derive(Debug, Clone)]
pub struct Check {
    bounds: Bounds,
    policy: Policy,
}

/// What a check came to.
#[derive(Debug)]
pub struct Report {
    /// States reached, however often.
    pub states: usize,
    /// Different ones.
    pub unique: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// How long it took.
    pub took: Duration,
    /// Whether every state within the bounds was seen.
    pub is_exhausted: bool,
    /// Each promise that was broken, with the shortest way there.
    pub broken: Vec<(&'static str, String)>,
    /// What was to be reached and was not.
    pub unreached: Vec<&'static str>,
}

impl Report {
    /// Whether all of the world was seen, no promise was broken, and all was reached that was to be.
    pub fn is_good(&self) -> bool {
        self.is_exhausted && self.broken.is_empty() && self.unreached.is_empty()
    }

    /// What was broken and how, and what was not reached, each on lines of its own.
    pub fn told(&self) -> String {
        let broken = self.broken.iter().map(|(promise, path)| format!("\nbroken: {promise}\n{path}"));
        let unreached = self.unreached.iter().map(|name| format!("\nnot reached: {name}"));
        broken.chain(unreached).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, unique, depth, took, is_exhausted, .. } = self;
        let end = if *is_exhausted { "all of it" } else { "not all of it" };
        write!(f, "{states} states, {unique} different, depth {depth}, {:.1} s, {end}", took.as_secs_f64())
    }
}

impl Check {
    /// A world within these bounds.
    pub fn of(bounds: Bounds) -> Self {
        Self { bounds, policy: policy() }
    }

    /// Its bounds.
    pub(crate) const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Goes through all of it, or to the first broken promise.
    pub fn run(self, threads: usize) -> Report {
        let began = Instant::now();
        let promises = self.properties();
        let checker = self.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
        let checker = checker.spawn_bfs().join();
        let found = checker.discoveries();
        let (failures, reached): (Vec<_>, Vec<_>) =
            promises.iter().partition(|promise| promise.expectation.discovery_is_failure());
        let broken: Vec<(&'static str, String)> = failures
            .iter()
            .filter_map(|promise| Some((promise.name, told(found.get(promise.name)?.clone().into_vec()))))
            .collect();
        Report {
            states: checker.state_count(),
            unique: checker.unique_state_count(),
            depth: checker.max_depth(),
            took: began.elapsed(),
            is_exhausted: broken.is_empty() && checker.is_done(),
            broken,
            unreached: reached
                .iter()
                .map(|promise| promise.name)
                .filter(|name| !found.contains_key(name))
                .collect(),
        }
    }

    /// Whether anything goes on by itself.
    pub(crate) fn goes_on(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        possible(state, &self.bounds, &mut actions);
        actions.into_iter().any(|action| !action.is_a_persons())
    }

    fn act(&self, state: &mut State, action: Action) {
        match action {
            Action::PersonEdits(system, property, word) => person_edits(state, system, property, word),
            Action::PersonDeletes(system) => {
                state.left.deletes[system] -= 1;
                state.account.credit += 1;
                state.records[system][0].delete();
            }
            Action::CollectorPublishes(system, place) => {
                let record = &mut state.records[system][usize::from(place)];
                record.is_untold = false;
                let seen = record.seen(system, place);
                put(&mut state.sightings, seen);
            }
            Action::RecordShows(place) => {
                state.records.exactonline[usize::from(place)].shows = true;
            }
            Action::MapperTakes(message, delivery) => {
                match (&message, is_used_up(state, delivery)) {
                    (Message::Seen(sighting), true) => take(&mut state.sightings, sighting),
                    (Message::Outcome(outcome), true) => take(&mut state.outcomes, outcome),
                    (_, false) => {}
                }
                self.reads(state, Task::TakeIn(message));
            }
            Action::WriterTakes(system, delivery) => {
                if is_used_up(state, delivery) {
                    state.writes[system] -= 1;
                }
                self.reads(state, Task::Claim(system));
            }
            Action::MapperCommits(place) | Action::WriterClaims(place) => {
                let reader = state.readers.remove(place);
                self.commits(state, reader, true);
            }
            Action::MapperCrashesAfterItsCommit(place) => {
                state.left.crashes -= 1;
                let reader = state.readers.remove(place);
                if let Task::TakeIn(message) = reader.task {
                    give_back(state, message);
                }
                self.commits(state, reader, false);
            }
            Action::MapperCrashes(place) | Action::WriterCrashesBeforeItsClaim(place) => {
                state.left.crashes -= 1;
                match state.readers.remove(place).task {
                    Task::TakeIn(message) if self.bounds.has(Safeguard::LateAcknowledgement) => {
                        give_back(state, message);
                    }
                    Task::TakeIn(_) => {}
                    Task::Claim(system) => state.writes[system] += 1,
                }
            }
            Action::WriterSearches(place) => {
                let sending = state.sending.remove(place);
                state.search(sending);
            }
            Action::WriterReadsTheFeed(place) => {
                let sending = state.sending.remove(place);
                state.vouch(sending);
            }
            Action::WriterSends(place) => {
                let sending = state.sending.remove(place);
                state.send(sending, &self.bounds);
            }
            Action::WriterReports(place) => {
                let sending = state.sending.remove(place);
                state.report(sending, true);
            }
            Action::WriterReportsUnread(place) => {
                state.left.unread -= 1;
                let sending = state.sending.remove(place);
                state.report(sending, false);
            }
            Action::AnswerIsLost(place) => {
                state.left.lost_answers -= 1;
                comes_again(state, place);
            }
            Action::WriterCrashes(place) => {
                state.left.crashes -= 1;
                comes_again(state, place);
            }
        }
        state.readers.sort_by_key(|reader| (reader.task, reader.read.is_none()));
        state.sending.sort_unstable();
        state.settle();
    }

    /// Reads the link for this; where reading and committing are one moment, commits too.
    fn reads(&self, state: &mut State, task: Task) {
        let reader = Reader { task, read: Some(Arc::clone(&state.link)) };
        if self.bounds.apart {
            state.readers.push(reader);
            return;
        }
        self.commits(state, reader, true);
        // A writer whose message serves another write than it came for claims that one at once.
        while let Some(reader) = state.readers.pop() {
            self.commits(state, reader, true);
        }
    }

    fn commits(&self, state: &mut State, reader: Reader, publishes: bool) {
        match reader.task {
            Task::TakeIn(_) => state.take_in(reader, &self.policy, &self.bounds, publishes),
            Task::Claim(_) => state.claim(reader, &self.policy, &self.bounds),
        }
    }

    /// The link finds its partner, or may get one made.
    fn begins(&self, mut state: State) -> State {
        let link = Arc::clone(&state.link);
        let event = match self.bounds.start {
            Start::Alone => Event::Released,
            Start::Linked => {
                let words = Property::BOTH.map(|property| {
                    property.stored(System::ExactOnline, state.records.customcrm[0].words[property as usize])
                });
                let record = Record::entered(words);
                let side = record.seen(System::ExactOnline, 0).side();
                state.records.exactonline.push(record);
                Event::Joined { system: System::ExactOnline, side }
            }
        };
        let next = state.step(&link, event, &self.policy, true);
        state.link = Arc::new(next.link);
        state.enqueue(&next.effects, None);
        state.account.broken = None;
        state.settle();
        state
    }
}

/// The message of a write in hand comes again.
fn comes_again(state: &mut State, place: usize) {
    let Sending { system, .. } = state.sending.remove(place);
    state.writes[system] += 1;
}

fn person_edits(state: &mut State, system: System, property: Property, word: Word) {
    let word = property.stored(system, word);
    state.left.edits[system] -= 1;
    state.account.credit += 1;
    state.account.entered[property as usize][system] = Some(word);
    state.records[system][0].edit(property, word);
}

/// Whether a message is gone once it was delivered so; it is used up otherwise.
fn is_used_up(state: &mut State, delivery: Delivery) -> bool {
    if delivery == Delivery::AndAgain {
        state.left.repeats -= 1;
    }
    delivery == Delivery::Once
}

fn give_back(state: &mut State, message: Message) {
    match message {
        Message::Seen(sighting) => put(&mut state.sightings, sighting),
        Message::Outcome(outcome) => put(&mut state.outcomes, outcome),
    }
}

/// A way through the world, one happening a line, and where it ends.
fn told(path: Vec<(State, Option<Action>)>) -> String {
    let mut text = String::new();
    let end = path.last().map(|(state, _)| state.clone());
    for action in path.into_iter().filter_map(|(_, action)| action) {
        writeln!(text, "  {action:?}").expect("a text takes whatever is written");
    }
    if let Some(end) = end {
        write!(text, "{end:?}").expect("a text takes whatever is written");
    }
    text
}

impl Model for Check {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begins(State::begin(&self.bounds))]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        possible(state, &self.bounds, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.act(&mut next, action);
        Some(next)
    }

    fn properties(&self) -> Vec<Promise<Self>> {
        promises::all(self)
    }
}
