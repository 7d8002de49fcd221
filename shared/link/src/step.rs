//! One step of a link: what is seen, and what follows. Claims are in [`claim`], outcomes in [`outcome`].

mod claim;
mod outcome;
mod reconcile;

use jiff::Timestamp;
use model::{Presence, RecordId, System, View};

use crate::{
    DeletePolicy, Effect, Event, Link, Observation, Pending, Policy, Side, Status, Step, Write,
    decide::{decide, delete_policy},
    lines::{Lines, ties},
};

/// Decides what an event makes of a link. Pure and total: the same arguments give the same step.
///
/// `released` tells whether the link's pair may create partners; `now` is the time of the decision.
pub fn step(link: &Link, event: Event, policy: &Policy, released: bool, now: Timestamp) -> Step {
    let mut next =
        Stepping { link: link.clone(), effects: Vec::new(), policy, lines: Lines::of(policy), now };
    match event {
        Event::Observed { system, observation } => next.observed(system, observation, released),
        Event::Joined { system, side } => next.joined(system, side, true, "matched by key"),
        Event::FoundSeveral { candidates } => next.found_several(candidates),
        Event::Released => next.create_when_missing(released),
        Event::Claimed { system } => next.claimed(system),
        Event::Applied { system, claim, record, after } => next.applied(system, claim, record, after),
        Event::Adopted { system, claim, side } => next.adopted(system, claim, side),
        Event::Failed { system, claim, failure } => next.failed(system, claim, failure),
        Event::Superseded { system, side } => next.superseded(system, side),
        Event::ReferenceLinked { system, property, value } => {
            // Had the property been edited since, the edit is what counts.
            let waiting = next.link.sides[system].as_mut().and_then(|side| side.view.get_mut(&property));
            if let Some(reference) = waiting.filter(|known| known.is_unresolved()) {
                *reference = value;
                next.tie_lines(system, None);
            }
            next.reconcile();
        }
    }
    Step { link: next.link, effects: next.effects }
}

struct Stepping<'a> {
    link: Link,
    effects: Vec<Effect>,
    policy: &'a Policy,
    /// The rows of lines, for a pair of documents.
    lines: Option<Lines<'a>>,
    now: Timestamp,
}

impl Stepping<'_> {
    fn observed(&mut self, system: System, mut observation: Observation, released: bool) {
        if !self.is_news(system, &observation) {
            self.effects.push(Effect::Echo(system));
            return;
        }
        if observation.presence == Presence::Deleted {
            self.deleted(system, &observation);
            return;
        }
        let known = self.link.sides[system].as_ref().map(|side| side.view.clone());
        self.see_lines(system, &mut observation, None);
        if let Pending::InFlight { write: write @ Write::Update { record, .. }, .. } =
            &self.link.pending[system]
            && *record == observation.record
        {
            let write = write.clone();
            self.recognise(system, &write, &observation);
        }
        self.take_in(system, observation);
        if self.link.sides[system].as_ref().map(|side| &side.view) == known.as_ref() && known.is_some() {
            self.effects.push(Effect::Echo(system));
        }
        if self.link.has_both() {
            self.reconcile();
        } else {
            if matches!(self.link.status, Status::Ambiguous(_)) {
                self.link.status = Status::Unmatched;
            }
            self.create_when_missing(released);
        }
    }

    /// An observation without a version is taken at its word; else only a newer one says anything, or one that shows
    /// the lines which were not shown at this version; and another record says nothing about this one.
    fn is_news(&self, system: System, observation: &Observation) -> bool {
        let shows_lines = observation.whole_lines && self.link.awaits_lines[system];
        match (&self.link.sides[system], observation.version) {
            (Some(side), _) if side.record != observation.record => false,
            (Some(side), Some(seen)) => {
                side.version.is_none_or(|known| seen > known || (seen == known && shows_lines))
            }
            (Some(_), None) | (None, _) => true,
        }
    }

    /// Brings the lines of what was seen under the keys of their ties.
    fn see_lines(&mut self, system: System, observation: &mut Observation, sent: Option<&View>) {
        let Some(lines) = &self.lines else { return };
        let whole = observation.whole_lines && observation.presence == Presence::Present;
        let assumed = if observation.by_us { ties::assumed(&self.link, lines, system) } else { Vec::new() };
        let tied = ties::take_in(&mut self.link, lines, system, &mut observation.view, whole, sent);
        ties::agree_on_renditions(&mut self.link, system, &observation.view, &assumed);
        self.note_tied(system, tied);
    }

    /// Ties lines that are known; `sent` is what a write has said to this side that is not in flight any more.
    fn tie_lines(&mut self, system: System, sent: Option<&View>) {
        let Some(lines) = self.lines.as_ref().filter(|_| self.link.has_both()) else { return };
        let tied = ties::tie(&mut self.link, lines, system, &mut View::new(), sent);
        self.note_tied(system, tied);
    }

    fn note_tied(&mut self, system: System, tied: usize) {
        if tied > 0 {
            self.note(format!("lines found in {system} for lines of {}: {tied}", system.other()));
        }
    }

    fn take_in(&mut self, system: System, observation: Observation) {
        let is_new = self.link.sides[system].is_none();
        let side = self.link.sides[system].get_or_insert_with(|| Side {
            record: observation.record.clone(),
            version: None,
            modified_at: None,
            view: View::new(),
            presence: Presence::Present,
            admitted: observation.admitted,
            stand_in: None,
        });
        side.admitted = observation.admitted;
        side.stand_in = observation.stand_in;
        side.version = observation.version.or(side.version);
        side.modified_at = observation.modified_at.or(side.modified_at);
        side.view.extend(observation.view);
        if let Some(lines) = &self.lines {
            lines.drop_loose_cells(&mut side.view);
            if observation.whole_lines || observation.version.is_some() || is_new {
                self.link.awaits_lines[system] = !observation.whole_lines;
            }
        }
        if side.presence == Presence::Deleted || self.link.status == Status::Ended {
            side.presence = Presence::Present;
            if !self.link.has_both() {
                self.link.status = Status::Unmatched;
                self.note("it is back".to_owned());
            } else if self.both_present() {
                self.link.status = Status::Linked;
                self.note("it is back".to_owned());
            }
        }
        if let Some(lines) = &self.lines {
            ties::release_gone(&mut self.link, lines, system);
        }
        self.forget_lines();
    }

    fn forget_lines(&mut self) {
        if let Some(lines) = &self.lines {
            ties::forget_gone(&mut self.link, lines);
        }
    }

    fn both_present(&self) -> bool {
        System::BOTH.into_iter().all(|system| {
            self.link.sides[system].as_ref().is_some_and(|side| side.presence == Presence::Present)
        })
    }

    fn deleted(&mut self, system: System, observation: &Observation) {
        let survivor = system.other();
        let edited_meanwhile = decide(&self.link, self.policy, Some(system))
            .into_values()
            .any(|decision| decision.given(system).is_some());
        let Some(side) = &mut self.link.sides[system] else { return };
        side.version = observation.version.or(side.version);
        if std::mem::replace(&mut side.presence, Presence::Deleted) == Presence::Deleted {
            self.effects.push(Effect::Echo(system));
            return;
        }
        self.link.pending[system] = Pending::None;
        self.note(format!("the record was deleted in {system}"));
        if self.link.sides[survivor].is_none() {
            self.link.status = Status::Ended;
            self.link.pending[survivor] = Pending::None;
            return;
        }
        match (delete_policy(&self.link, self.policy, survivor), edited_meanwhile) {
            (DeletePolicy::Archive(..), true) => {
                self.link.status = Status::DeletedAgainstEdit;
                self.note(format!("{survivor} holds an edit that {system} never received: a person decides"));
            }
            (DeletePolicy::Archive(..), false) => self.reconcile(),
            (DeletePolicy::Unlink, _) => {
                self.link.status = Status::Ended;
                self.link.pending[survivor] = Pending::None;
            }
        }
    }

    /// The partner is there; `whole` tells that a line which its view lacks is not there.
    fn joined(&mut self, system: System, mut side: Side, whole: bool, how: &str) {
        let sent = self.create_in_flight(system);
        self.link.pending[system] = Pending::None;
        self.has_new_lines(system, &mut side, whole, sent.as_ref());
        if let Some(sent) = sent {
            self.agree_where_as_sent(system, &sent, &side.view);
        }
        self.has_joined(system, side, how);
    }

    /// The partner is there, and its lines are under the keys of their ties.
    fn has_joined(&mut self, system: System, side: Side, how: &str) {
        self.note(format!("linked with {system} record {}: {how}", side.record));
        self.link.sides[system] = Some(side);
        self.link.pending[system] = Pending::None;
        self.link.rejected[system] = None;
        self.link.status = Status::Linked;
        self.effects.push(Effect::Wake);
        self.tie_lines(system.other(), None);
        self.reconcile();
    }

    /// Another record takes this side's place: none of its lines is one of those that were known here.
    fn has_new_lines(&mut self, system: System, side: &mut Side, whole: bool, sent: Option<&View>) {
        let Some(lines) = &self.lines else { return };
        for keys in self.link.lines.values_mut() {
            keys[system] = None;
        }
        let tied = ties::take_in(&mut self.link, lines, system, &mut side.view, whole, sent);
        lines.drop_loose_cells(&mut side.view);
        self.link.awaits_lines[system] = !whole;
        self.note_tied(system, tied);
    }

    /// The newer version begins from what was agreed with the older one: what differs is an edit of that side.
    fn superseded(&mut self, system: System, mut side: Side) {
        match self.link.record(system) {
            None => return self.joined(system, side, true, "a newer version of the document"),
            Some(known) if *known == side.record => return self.effects.push(Effect::Echo(system)),
            Some(_) => {}
        }
        self.note(format!(
            "{system} record {} is a newer version of the document: the link moves to it",
            side.record
        ));
        self.has_new_lines(system, &mut side, true, None);
        // A write to the older version may have been carried out before the newer one was made from it.
        if let Some(sent) = self.link.pending[system].sent().cloned() {
            self.agree_where_as_sent(system, &sent, &side.view);
        }
        self.link.sides[system] = Some(side);
        self.link.rejected[system] = None;
        if self.both_present() {
            self.link.status = Status::Linked;
        }
        self.reconcile();
    }

    fn found_several(&mut self, candidates: Vec<RecordId>) {
        let list = candidates.iter().map(RecordId::as_str).collect::<Vec<_>>().join(", ");
        self.note(format!("several records could be the partner: {list}"));
        for system in System::BOTH {
            if matches!(self.link.pending[system], Pending::Queued { .. }) {
                self.link.pending[system] = Pending::None;
            }
        }
        self.link.status = Status::Ambiguous(candidates);
    }

    /// What a create that is in flight was claimed with.
    fn create_in_flight(&self, system: System) -> Option<View> {
        match &self.link.pending[system] {
            Pending::InFlight { write: Write::Create { values }, .. } => Some(values.clone()),
            Pending::InFlight { .. } | Pending::Queued { .. } | Pending::None => None,
        }
    }

    fn note(&mut self, text: String) {
        self.effects.push(Effect::Note(text));
    }
}
