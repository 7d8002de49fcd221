//! Two systems with a document each, people who edit both, collectors and writers that are late, repeat themselves
//! and crash in the middle.
//!
//! Both systems refuse a write on an old version, or to a line that they have not. Exact Online takes a write call by call, and what a writer says of
//! the record afterwards may leave out its lines.

use std::collections::{BTreeMap, BTreeSet};

use model::{LineKey, PropertyName, Reference, System, SystemPair, Value, Version, View};

use super::paper::{CELLS, Paper};
use crate::{
    ConflictPolicy, Effect, Event, Failure, Link, Observation, Pending, Policy, Rule, Side, Status, Write,
    tests::{
        document::{papers, with},
        fixture::{BOTH_WAYS, CRM, EXACT, alone, kept, property, value},
    },
};

/// One thing that happens; where it can't happen, nothing does.
#[derive(Debug, Clone)]
pub(super) enum Action {
    /// A person adds a line: of which product, where products are shared, and whether it is linked yet.
    Add(System, usize, bool),
    /// A person changes a cell of a line.
    Edit(System, usize, usize, usize),
    /// A person removes a line.
    Remove(System, usize),
    /// A line gets a new id, as systems do that write a document anew when it is saved.
    Renew(System, usize),
    /// The lines change their order.
    Reorder(System),
    /// The document in Exact Online is reviewed: the newer version has ids of its own.
    Review,
    /// Products become known to both systems.
    Resolve,
    /// A collector reads how the document looks.
    Poll(System),
    /// A reading arrives, at this place counted from the newest; it may be kept, to arrive again.
    Deliver(System, usize, bool),
    /// A writer takes the next message, be it a repeated one.
    Claim(System),
    /// It sends what it has claimed; with a number, it crashes after so many calls.
    Send(System, Option<usize>),
    /// Its outcome arrives.
    Answer(System),
    /// The writer crashes, and its message is delivered again; had it sent the write, the outcome is lost or late.
    Crash(System, bool),
    /// An outcome of a writer that was given up arrives all the same.
    Late(usize),
    /// Edits and faults stop until the world is at rest.
    Rest,
}

/// What the world is like.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The side that begins alone, or none.
    pub(super) alone: Option<System>,
    /// How many lines there are.
    pub(super) lines: usize,
    /// Whether people use the same few products, so that lines can't be told by them.
    pub(super) shared: bool,
    /// Whether Exact Online's writer tells the lines afterwards.
    pub(super) tells_lines: bool,
    /// Whether people enter what every system stores as it is.
    pub(super) plain: bool,
    /// Who wins where a line was removed and edited.
    pub(super) removals: ConflictPolicy,
}

pub(super) struct Work {
    claim: u64,
    attempt: u32,
    pub(super) write: Write,
    ties: BTreeMap<LineKey, SystemPair<Option<LineKey>>>,
    sent: Option<Event>,
}

pub(super) struct World {
    pub(super) link: Link,
    policy: Policy,
    pub(super) setting: Setting,
    pub(super) papers: SystemPair<Option<Paper>>,
    pub(super) unlinked: BTreeSet<String>,
    readings: SystemPair<Vec<Observation>>,
    messages: SystemPair<usize>,
    pub(super) work: SystemPair<Option<Work>>,
    late: Vec<Event>,
    history: Vec<Event>,
    /// Every product that a person has put on a line, and how often.
    pub(super) added: BTreeMap<String, SystemPair<usize>>,
    /// How often a line of it was removed by a person.
    pub(super) removed: BTreeMap<String, usize>,
    /// Lines that people have added, by their own keys.
    pub(super) by_people: BTreeSet<LineKey>,
    /// How many of a product's lines the link saw first in a newer version of the document, though people have added
    /// them: they can't be told from copies of lines that a write to the older one may have removed.
    pub(super) added_to_copy: BTreeMap<String, usize>,
    /// What people did to a product's line since both sides agreed on it last.
    pub(super) removed_since: BTreeMap<String, SystemPair<bool>>,
    pub(super) edited_since: BTreeMap<String, SystemPair<bool>>,
    /// Whose line was removed there before the link had seen it: a write that is repeated adds it again, as if it had
    /// never been carried out.
    pub(super) removed_unseen: BTreeMap<String, SystemPair<bool>>,
    pub(super) entered: BTreeMap<(String, &'static str), SystemPair<Option<Value>>>,
    /// All that they entered since, for lines that are removed before the last of it was read.
    pub(super) entered_since: BTreeMap<(String, &'static str), Vec<Value>>,
    pub(super) settled: BTreeMap<(String, &'static str), Value>,
    pub(super) remote_writes: usize,
    pub(super) created: usize,
    pub(super) now: i64,
}

fn policy(removals: ConflictPolicy) -> Policy {
    // The side that keeps what was entered wins: an answer that shows another person's edit can't tell a rendition.
    let wins = |system| Rule { conflict: ConflictPolicy::Wins(system), ..BOTH_WAYS };
    let policy = with(papers(), "Lines.Quantity", wins(EXACT));
    with(policy, "Lines", Rule { conflict: removals, ..BOTH_WAYS })
}

impl World {
    pub(super) fn new(setting: Setting) -> Self {
        let begun = setting.alone.unwrap_or(CRM);
        let mut papers = SystemPair { customcrm: None, exactonline: None };
        papers[begun] = Some(Paper::new(begun));
        if setting.alone.is_none() {
            papers[begun.other()] = Some(Paper::new(begun.other()));
        }
        let mut world = Self {
            link: alone(&[]),
            policy: policy(setting.removals),
            papers,
            unlinked: BTreeSet::new(),
            readings: SystemPair::default(),
            messages: SystemPair::default(),
            work: SystemPair { customcrm: None, exactonline: None },
            late: Vec::new(),
            history: Vec::new(),
            added: BTreeMap::new(),
            removed: BTreeMap::new(),
            by_people: BTreeSet::new(),
            added_to_copy: BTreeMap::new(),
            removed_since: BTreeMap::new(),
            edited_since: BTreeMap::new(),
            removed_unseen: BTreeMap::new(),
            entered: BTreeMap::new(),
            entered_since: BTreeMap::new(),
            settled: BTreeMap::new(),
            remote_writes: 0,
            created: 0,
            now: 0,
            setting,
        };
        for number in 0..world.setting.lines {
            world.add(begun, number, true);
        }
        let side = world.side(begun);
        let (connection, pair) = (world.link.connection.clone(), world.link.pair.clone());
        world.link = Link::begin(connection, pair, begun, side);
        let partner = world.papers[begun.other()].is_some();
        let event = if partner {
            Event::Joined { system: begun.other(), side: world.side(begun.other()) }
        } else {
            Event::Released
        };
        world.happens(event);
        world
    }

    fn side(&self, system: System) -> Side {
        self.papers[system].as_ref().unwrap().side(&self.unlinked)
    }

    pub(super) fn act(&mut self, action: &Action) {
        match *action {
            Action::Add(system, number, linked) => self.add(system, number, linked),
            Action::Edit(system, line, cell, text) => self.edit(system, line, cell, text),
            Action::Remove(system, line) => self.remove(system, line),
            Action::Renew(system, line) => self.renew(system, line),
            Action::Reorder(system) => self.reorder(system),
            Action::Review => self.review(),
            Action::Resolve => self.resolve(),
            Action::Poll(system) => self.poll(system),
            Action::Deliver(system, place, keep) => self.deliver(system, place, keep),
            Action::Claim(system) => self.claim(system),
            Action::Send(system, calls) => self.send(system, calls),
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

    fn resolve(&mut self) {
        self.unlinked.clear();
        for system in System::BOTH {
            let view = self.link.sides[system].as_ref().map(|side| side.view.clone()).unwrap_or_default();
            for (property, reference) in view {
                if let Value::Reference(Reference::Unlinked { record, .. }) = reference {
                    self.happens(Event::ReferenceLinked { system, property, value: value(record.as_str()) });
                }
            }
        }
        if !self.link.has_both() {
            self.happens(Event::Released);
        }
    }

    fn poll(&mut self, system: System) {
        if let Some(paper) = &self.papers[system] {
            self.readings[system].push(paper.observed(&self.unlinked));
        }
    }

    fn deliver(&mut self, system: System, place: usize, keep: bool) {
        if self.readings[system].is_empty() {
            return;
        }
        let place = self.readings[system].len() - 1 - place % self.readings[system].len();
        let observation = self.readings[system][place].clone();
        let side = |observation: Observation| Side {
            record: observation.record,
            version: observation.version,
            modified_at: observation.modified_at,
            view: observation.view,
            presence: observation.presence,
            admitted: observation.admitted,
            stand_in: observation.stand_in,
        };
        match self.link.record(system) {
            Some(known) if observation.record.as_str().len() > known.as_str().len() => {
                self.happens(Event::Superseded { system, side: side(observation) });
            }
            Some(_) => {
                self.happens(Event::Observed { system, observation });
            }
            // The mapper recognises what our own user made; anything else waits for the create's outcome.
            None if observation.by_us => {
                self.happens(Event::Joined { system, side: side(observation) });
            }
            None => return,
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
        self.work[system] = None;
        self.happens(Event::Claimed { system });
        if let Pending::InFlight { write, claim, attempt, .. } = &self.link.pending[system] {
            let (write, ties) = (write.clone(), self.link.lines.clone());
            self.work[system] = Some(Work { claim: *claim, attempt: *attempt, write, ties, sent: None });
        }
    }

    fn send(&mut self, system: System, calls: Option<usize>) {
        let Some(mut work) = self.work[system].take_if(|work| work.sent.is_none()) else { return };
        self.now += 120;
        let crashes = calls.filter(|_| system == EXACT && matches!(work.write, Write::Update { .. }));
        work.sent = Some(match &work.write {
            Write::Create { values } => self.create(system, &work, values),
            Write::Update { record, version, values } => {
                self.update(system, &work, record, *version, values, crashes)
            }
            Write::Delete { .. } => unreachable!("nobody deletes a document here"),
        });
        self.work[system] = Some(work);
        if crashes.is_some() {
            self.crash(system, false);
        }
    }

    fn update(
        &mut self,
        system: System,
        work: &Work,
        record: &model::RecordId,
        version: Option<Version>,
        values: &View,
        calls: Option<usize>,
    ) -> Event {
        let claim = work.claim;
        let paper = self.papers[system].as_mut().unwrap();
        let failed = |failure| Event::Failed { system, claim, failure };
        if *record != paper.record {
            if work.attempt > 1 {
                self.hides(system, values);
            }
            return failed(Failure::Rejected { words: "it has been reviewed".to_owned() });
        }
        if version.is_some_and(|seen| seen != Version(paper.version)) || paper.lacks(values, &work.ties) {
            return failed(Failure::Stale { now: Some(paper.observed(&self.unlinked)) });
        }
        paper.write(values, &work.ties, calls.unwrap_or(usize::MAX));
        if calls != Some(0) {
            paper.touch(true, self.now);
        }
        self.remote_writes += 1;
        if work.attempt > 1 {
            self.adds_again(system, values);
        }
        let seen = self.tell(system);
        self.papers[system].as_ref().unwrap().applied(claim, Some(seen))
    }

    /// The record as a writer tells it after a write.
    fn tell(&self, system: System) -> Observation {
        let mut seen = self.papers[system].as_ref().unwrap().observed(&self.unlinked);
        if system == EXACT && !self.setting.tells_lines {
            seen.view.retain(|name, _| name.line().is_none());
            seen.whole_lines = false;
        }
        seen
    }

    fn create(&mut self, system: System, work: &Work, values: &View) -> Event {
        let claim = work.claim;
        if self.papers[system].is_some() {
            assert!(work.attempt > 1, "a first attempt met a partner that nobody made");
            let seen = self.tell(system);
            let side = Side { view: seen.view, ..self.side(system) };
            return Event::Adopted { system, claim, side };
        }
        let mut paper = Paper::new(system);
        paper.write(values, &BTreeMap::new(), usize::MAX);
        (paper.by_us, paper.modified_at) = (true, self.now);
        self.remote_writes += 1;
        self.created += 1;
        self.papers[system] = Some(paper);
        let mut after = self.tell(system);
        if system == EXACT {
            after.version = None;
        }
        self.papers[system].as_ref().unwrap().applied(claim, Some(after))
    }

    fn answer(&mut self, system: System) {
        let Some(work) = self.work[system].take_if(|work| work.sent.is_some()) else { return };
        if let Some(event) = work.sent {
            self.happens(event);
        }
    }

    fn crash(&mut self, system: System, late: bool) {
        let Some(work) = self.work[system].take() else { return };
        self.messages[system] += 1;
        self.late.extend(work.sent.filter(|_| late));
    }

    /// One step of the link, with what must hold of every step.
    fn happens(&mut self, mut event: Event) {
        self.now += 120;
        self.resolve_by_now(&mut event);
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
        }
        assert_eq!(self.link.has_both(), self.link.status == Status::Linked);
        self.holds_ties();
        self.settle();
    }

    /// The mapper resolves references when it takes in what was read.
    fn resolve_by_now(&self, event: &mut Event) {
        let seen = match event {
            Event::Observed { observation, .. } => &mut observation.view,
            Event::Joined { side, .. } | Event::Adopted { side, .. } | Event::Superseded { side, .. } => {
                &mut side.view
            }
            Event::Applied { after: Some(observation), .. }
            | Event::Failed { failure: Failure::Stale { now: Some(observation) }, .. } => {
                &mut observation.view
            }
            _ => return,
        };
        for reference in seen.values_mut() {
            if let Value::Reference(Reference::Unlinked { record, .. }) = &reference
                && !self.unlinked.contains(record.as_str())
            {
                *reference = value(record.as_str());
            }
        }
    }

    fn rest(&mut self) {
        self.resolve();
        for round in 0.. {
            assert!(round < 40, "no rest after {round} rounds: {:#?}", self.link);
            let mut moved = false;
            while !self.late.is_empty() {
                self.act(&Action::Late(0));
            }
            for system in System::BOTH {
                moved |= self.messages[system] > 0 || self.work[system].is_some();
                self.answer(system);
                self.claim(system);
                self.send(system, None);
                self.answer(system);
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
        self.holds_its_promises();
    }

    /// All that was ever heard is heard once more, the last first: nothing follows from it.
    pub(super) fn hears_everything_again(&mut self) {
        let writes = self.remote_writes;
        let link = self.link.clone();
        for event in std::mem::take(&mut self.history).into_iter().rev() {
            // Whether a record is new, and which version is the newer, is the mapper's to know.
            if !matches!(event, Event::Joined { .. } | Event::Superseded { .. }) {
                self.happens(event);
                assert_eq!(self.link, link);
            }
        }
        assert_eq!(self.remote_writes, writes);
    }

    /// The name of a cell of a line in the link.
    pub(super) fn name(line: &LineKey, cell: &str) -> PropertyName {
        PropertyName::in_line(line, &property(&format!("Lines.{cell}")))
    }

    /// The cells that people edit, by name.
    pub(super) fn cells() -> [&'static str; 3] {
        CELLS
    }
}
