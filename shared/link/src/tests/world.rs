//! A small world around one link: two systems with rules of their own, people who edit them, collectors and
//! writers that are late, repeat themselves and crash.
//!
//! CustomCRM refuses a write on an old version and answers with the record as it then is. Exact Online writes
//! whatever comes, and tells the record only when its feed is read afterwards. A writer that crashed sends nothing any more: its message is delivered to another one.

mod promises;

use std::collections::BTreeMap;

use model::{ConnectionName, PairName, Presence, PropertyName, System, SystemPair, Value, Version, View};

use super::{
    fixture::{BOTH_WAYS, CRM, EXACT, kept, policy, property, value},
    remote::{Row, common, id, side_at, stored},
};
use crate::{
    ConflictPolicy, Effect, Event, Failure, Link, Observation, Pending, Policy, Rule, Side, Status, Write,
};

/// The properties, with the side that wins where one does.
const PROPERTIES: [&str; 6] = ["crm-wins", "exact-wins", "newest", "asked", "trimmed", "shouted"];
const VALUES: [&str; 6] = ["", " x", "x", "y ", "Y", "w"];

/// One thing that happens; where it can't happen, nothing does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// A person changes a property.
    Edit(System, usize, usize),
    /// A collector reads how the record looks.
    Poll(System),
    /// A reading arrives, at this place counted from the newest; it may be kept, to arrive again.
    Deliver(System, usize, bool),
    /// A writer takes the next message, be it a repeated one.
    Claim(System),
    /// It sends what it has claimed.
    Send(System),
    /// Its outcome arrives.
    Answer(System),
    /// The writer crashes, and its message is delivered again; had it sent the write, the outcome is lost or late.
    Crash(System, bool),
    /// An outcome of a writer that was given up arrives all the same.
    Late(usize),
    /// Edits and faults stop until the world is at rest.
    Rest,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Start {
    Linked,
    Alone(System),
}

struct Work {
    claim: u64,
    attempt: u32,
    write: Write,
    sent: Option<Sent>,
}

enum Sent {
    Outcome(Event),
    /// Exact Online has carried it out: the feed tells how the record looks.
    ReadAfterwards,
}

pub(super) struct World {
    pub(super) link: Link,
    policy: Policy,
    rows: SystemPair<Option<Row>>,
    readings: SystemPair<Vec<Observation>>,
    messages: SystemPair<usize>,
    work: SystemPair<Option<Work>>,
    late: Vec<Event>,
    /// All that ever reached the link, to reach it again.
    history: Vec<Event>,
    /// Whether Exact Online's writer reads the feed before it writes, and so refuses to write over the unseen.
    vouches: bool,
    /// What may stand in the end: for each property what each side's people entered last since it was settled.
    entered: BTreeMap<PropertyName, SystemPair<Option<Value>>>,
    /// And what was written over an edit that nobody could have seen.
    blind: BTreeMap<PropertyName, Value>,
    settled: View,
    pub(super) remote_writes: usize,
    created: usize,
    now: i64,
}

fn policies() -> Policy {
    let wins = |system| Rule { conflict: ConflictPolicy::Wins(system), ..BOTH_WAYS };
    policy(&[
        ("crm-wins", wins(CRM)),
        ("exact-wins", wins(EXACT)),
        ("newest", Rule { conflict: ConflictPolicy::Newest, ..BOTH_WAYS }),
        ("asked", Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS }),
        // An answer that shows another person's edit can't tell our rendition from an edit; so the side that
        // keeps what was entered wins.
        ("trimmed", wins(CRM)),
        ("shouted", wins(EXACT)),
    ])
}

impl World {
    pub(super) fn new(start: Start, vouches: bool, values: &[usize]) -> Self {
        let begun = match start {
            Start::Linked => CRM,
            Start::Alone(system) => system,
        };
        let values: View = PROPERTIES
            .iter()
            .zip(values)
            .map(|(name, index)| {
                (property(name), common(&property(name), &value(VALUES[index % VALUES.len()])))
            })
            .collect();
        let connection = ConnectionName::parse("acme").unwrap();
        let pair = PairName::parse("customer-account").unwrap();
        let mut world = Self {
            link: Link::begin(connection, pair, begun, side_at(begun, 1, &values)),
            policy: policies(),
            rows: SystemPair { customcrm: None, exactonline: None },
            readings: SystemPair::default(),
            messages: SystemPair::default(),
            work: SystemPair { customcrm: None, exactonline: None },
            late: Vec::new(),
            history: Vec::new(),
            vouches,
            entered: BTreeMap::new(),
            blind: BTreeMap::new(),
            settled: values.clone(),
            remote_writes: 0,
            created: 0,
            now: 0,
        };
        world.rows[begun] = Some(Row::new(values.clone()));
        if matches!(start, Start::Linked) {
            world.rows[begun.other()] = Some(Row::new(values.clone()));
            let side = side_at(begun.other(), 1, &values);
            world.happens(Event::Joined { system: begun.other(), side });
        } else {
            // Until the partner is known, what it is created with was entered here as any edit is.
            for (name, value) in values {
                world.entered.entry(name).or_default()[begun] = Some(value);
            }
            world.happens(Event::Released);
        }
        world
    }

    pub(super) fn act(&mut self, action: &Action) {
        match *action {
            Action::Edit(system, property, value) => self.edit(system, property, value),
            Action::Poll(system) => self.poll(system),
            Action::Deliver(system, place, keep) => self.deliver(system, place, keep),
            Action::Claim(system) => self.claim(system),
            Action::Send(system) => self.send(system),
            Action::Answer(system) => self.answer(system),
            Action::Crash(system, late) => self.crash(system, late),
            Action::Late(place) => {
                if !self.late.is_empty() {
                    let event = self.late.remove(place % self.late.len());
                    self.happens(event);
                }
            }
            Action::Rest => self.rest(),
        }
    }

    fn edit(&mut self, system: System, name: usize, text: usize) {
        self.now += 120;
        let name = property(PROPERTIES[name % PROPERTIES.len()]);
        let value = stored(system, &name, &value(VALUES[text % VALUES.len()]));
        let Some(row) = self.rows[system].as_mut().filter(|row| row.values[&name] != value) else { return };
        row.change([(name.clone(), value.clone())], false, self.now);
        row.edited.insert(name.clone(), row.version);
        self.entered.entry(name).or_default()[system] = Some(value);
    }

    fn poll(&mut self, system: System) {
        if let Some(row) = &self.rows[system] {
            self.readings[system].push(row.observed(system));
        }
    }

    fn deliver(&mut self, system: System, place: usize, keep: bool) {
        if self.readings[system].is_empty() {
            return;
        }
        let place = self.readings[system].len() - 1 - place % self.readings[system].len();
        let observation = self.readings[system][place].clone();
        if self.link.sides[system].is_some() {
            self.happens(Event::Observed { system, observation });
        } else if observation.by_us {
            // The mapper recognises what our own user made; anything else waits for the create's outcome.
            let side = Side {
                record: observation.record,
                version: observation.version,
                modified_at: observation.modified_at,
                view: observation.view,
                presence: Presence::Present,
                admitted: observation.admitted,
                stand_in: observation.stand_in,
            };
            self.happens(Event::Joined { system, side });
        } else {
            return;
        }
        if !keep {
            self.readings[system].remove(place);
        }
    }

    fn claim(&mut self, system: System) {
        if self.messages[system] == 0 {
            return;
        }
        self.messages[system] -= 1;
        // Another writer holds the message only if the one before has lost it.
        self.work[system] = None;
        self.happens(Event::Claimed { system });
        if let Pending::InFlight { write, claim, attempt, .. } = &self.link.pending[system] {
            self.work[system] =
                Some(Work { claim: *claim, attempt: *attempt, write: write.clone(), sent: None });
        }
    }

    fn send(&mut self, system: System) {
        let Some(mut work) = self.work[system].take_if(|work| work.sent.is_none()) else { return };
        self.now += 120;
        let claim = work.claim;
        work.sent = Some(match &work.write {
            Write::Create { values } => self.create(system, claim, work.attempt, values),
            Write::Delete { .. } => unreachable!(),
            Write::Update { version, values, .. } => {
                let row = self.rows[system].as_mut().unwrap();
                let unseen = *version != Some(Version(row.version)) && version.is_some();
                if unseen && (system == CRM || self.vouches) {
                    let now = Some(row.observed(system));
                    Sent::Outcome(Event::Failed { system, claim, failure: Failure::Stale { now } })
                } else {
                    for (name, value) in values {
                        if row.edited.get(name).is_some_and(|at| version.is_none_or(|seen| *at > seen.0)) {
                            self.blind.insert(name.clone(), value.clone());
                        }
                    }
                    let values =
                        values.iter().map(|(name, value)| (name.clone(), stored(system, name, value)));
                    row.change(values, true, self.now);
                    self.remote_writes += 1;
                    if system == CRM {
                        Sent::Outcome(row.applied(system, claim))
                    } else {
                        Sent::ReadAfterwards
                    }
                }
            }
        });
        self.work[system] = Some(work);
    }

    fn create(&mut self, system: System, claim: u64, attempt: u32, values: &View) -> Sent {
        if let Some(row) = &self.rows[system] {
            assert!(attempt > 1, "a first attempt met a partner that nobody made");
            let side = side_at(system, row.version, &row.values);
            return Sent::Outcome(Event::Adopted { system, claim, side });
        }
        let mut row = Row::new(PROPERTIES.iter().map(|name| (property(name), Value::Empty)).collect());
        for (name, value) in values {
            row.values.insert(name.clone(), stored(system, name, value));
        }
        (row.by_us, row.modified_at) = (true, self.now);
        self.remote_writes += 1;
        self.created += 1;
        let mut after = row.observed(system);
        self.rows[system] = Some(row);
        if system == EXACT {
            after.version = None;
        }
        Sent::Outcome(Event::Applied { system, claim, record: id(system), after: Some(after) })
    }

    fn outcome(&self, system: System, work: Work) -> Option<Event> {
        match work.sent? {
            Sent::Outcome(event) => Some(event),
            Sent::ReadAfterwards => Some(self.rows[system].as_ref()?.applied(system, work.claim)),
        }
    }

    fn answer(&mut self, system: System) {
        let Some(work) = self.work[system].take_if(|work| work.sent.is_some()) else { return };
        if let Some(event) = self.outcome(system, work) {
            self.happens(event);
        }
    }

    fn crash(&mut self, system: System, late: bool) {
        let Some(work) = self.work[system].take() else { return };
        self.messages[system] += 1;
        if let Some(event) = self.outcome(system, work).filter(|_| late) {
            self.late.push(event);
        }
    }

    /// One step of the link, with what must hold of every step.
    fn happens(&mut self, event: Event) -> Vec<Effect> {
        self.now += 120;
        let before = self.link.pending.clone();
        let next = kept(&self.link, &event, &self.policy, true, self.now);
        self.history.push(event);
        self.link = next.link;
        for system in System::BOTH {
            let told = next.effects.iter().filter(|effect| **effect == Effect::Enqueue(system)).count();
            let is_queued = matches!(self.link.pending[system], Pending::Queued { .. });
            // A write that is withdrawn may make place for another one, which is queued later.
            let is_new = is_queued && before[system] != self.link.pending[system];
            assert_eq!(told, usize::from(is_new), "a writer is told once of each write");
            self.messages[system] += told;
            let held = self.messages[system] > 0 || self.work[system].is_some();
            let claimed = self.history.last() == Some(&Event::Claimed { system });
            assert!(
                self.link.pending[system] == Pending::None || held || claimed,
                "no write waits for nobody"
            );
        }
        assert_eq!(self.link.has_both(), self.link.status == Status::Linked);
        self.settle();
        next.effects
    }

    fn rest(&mut self) {
        let before = self.remote_writes;
        for round in 0.. {
            assert!(round < 30, "no rest after {round} rounds: {:#?}", self.link);
            let mut moved = false;
            while !self.late.is_empty() {
                self.act(&Action::Late(0));
            }
            for system in System::BOTH {
                for act in [
                    Action::Answer(system),
                    Action::Claim(system),
                    Action::Send(system),
                    Action::Answer(system),
                ] {
                    moved |= self.messages[system] > 0 || self.work[system].is_some();
                    self.act(&act);
                }
                self.poll(system);
                while self.link.sides[system].is_some() && !self.readings[system].is_empty() {
                    self.deliver(system, 0, false);
                }
            }
            moved |= System::BOTH.into_iter().any(|system| self.messages[system] > 0);
            if !moved {
                break;
            }
        }
        let writes = self.remote_writes - before;
        assert!(writes <= 4 * PROPERTIES.len(), "{writes} writes until rest");
        self.holds_its_promises();
    }

    /// All that was ever heard is heard once more, the last first: nothing follows from it.
    pub(super) fn hears_everything_again(&mut self) {
        let writes = self.remote_writes;
        let link = self.link.clone();
        for event in std::mem::take(&mut self.history).into_iter().rev() {
            if matches!(event, Event::Joined { .. }) {
                continue;
            }
            self.happens(event);
            assert_eq!(self.link, link);
        }
        assert_eq!(self.remote_writes, writes);
    }
}
