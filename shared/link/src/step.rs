//! One step of a link: what is seen, what is claimed, and what follows. Outcomes are in [`outcome`].

mod outcome;

use jiff::{SignedDuration, Timestamp};
use model::{Presence, RecordId, System, SystemPair, View};

use crate::{
    Decision, DeletePolicy, Effect, Event, Link, Observation, Pending, Policy, Side, Status, Step, Turn,
    Write, decide,
};

/// Turns of a property's direction within this time count towards the oscillation breaker.
const TURN_WINDOW: SignedDuration = SignedDuration::from_secs(60);

/// Decides what an event makes of a link. Pure and total: the same arguments give the same step.
///
/// `released` tells whether the link's pair may create partners; `now` is the time of the decision.
pub fn step(link: &Link, event: Event, policy: &Policy, released: bool, now: Timestamp) -> Step {
    let mut next = Stepping { link: link.clone(), effects: Vec::new(), policy, now };
    match event {
        Event::Observed { system, observation } => next.observed(system, observation, released),
        Event::Joined { system, side } => next.joined(system, side, "matched by key"),
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
    now: Timestamp,
}

impl Stepping<'_> {
    fn observed(&mut self, system: System, observation: Observation, released: bool) {
        if !self.is_news(system, &observation) {
            self.effects.push(Effect::Echo(system));
            return;
        }
        if observation.presence == Presence::Deleted {
            self.deleted(system, &observation);
            return;
        }
        if let Pending::InFlight { write: write @ Write::Update { .. }, .. } = &self.link.pending[system] {
            let write = write.clone();
            self.recognise(system, &write, &observation);
        }
        let known = self.link.sides[system].as_ref().map(|side| side.view.clone());
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

    /// An observation without a version is taken at its word; else only a newer one says anything, and another
    /// record says nothing about this one.
    fn is_news(&self, system: System, observation: &Observation) -> bool {
        match (&self.link.sides[system], observation.version) {
            (Some(side), _) if side.record != observation.record => false,
            (Some(side), Some(seen)) => side.version.is_none_or(|known| seen > known),
            (Some(_), None) | (None, _) => true,
        }
    }

    fn take_in(&mut self, system: System, observation: Observation) {
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
            .any(|decision| matches!(decision, Decision::Write { to, .. } if to == system));
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
        match (&self.policy.deletes[survivor], edited_meanwhile) {
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

    fn joined(&mut self, system: System, side: Side, how: &str) {
        self.note(format!("linked with {system} record {}: {how}", side.record));
        if let Some(sent) = self.create_in_flight(system) {
            self.agree_where_as_sent(&sent, &side.view);
        }
        self.link.sides[system] = Some(side);
        self.link.pending[system] = Pending::None;
        self.link.rejected[system] = None;
        self.link.status = Status::Linked;
        self.effects.push(Effect::Wake);
        self.reconcile();
    }

    /// The newer version begins from what was agreed with the older one: what differs is an edit of that side.
    fn superseded(&mut self, system: System, side: Side) {
        self.note(format!(
            "{system} record {} is a newer version of the document: the link moves to it",
            side.record
        ));
        for keys in self.link.lines.values_mut() {
            keys[system] = None;
        }
        self.link.sides[system] = Some(side);
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

    fn create_when_missing(&mut self, released: bool) {
        let Some(missing) = System::BOTH.into_iter().find(|system| self.link.sides[*system].is_none()) else {
            return;
        };
        let allowed = released && self.policy.creates[missing] && self.link.status == Status::Unmatched;
        if !allowed || self.link.pending[missing] != Pending::None {
            return;
        }
        let refused_before = self.link.rejected[missing].as_ref().map(|rejection| &rejection.values);
        if refused_before == Some(&self.create_values(missing)) {
            return;
        }
        self.note(format!("no partner in {missing}: to be created"));
        self.enqueue(missing);
    }

    /// What a new record is given: everything that flows there, is filled, and can be resolved.
    fn create_values(&self, missing: System) -> View {
        let Some(source) = &self.link.sides[missing.other()] else { return View::new() };
        source
            .view
            .iter()
            .filter(|(property, value)| {
                let reaches = self.policy.rules.get(*property).is_some_and(|rule| rule.flow.reaches(missing));
                reaches && !value.is_empty() && !value.is_unresolved()
            })
            .map(|(property, value)| (property.clone(), value.clone()))
            .collect()
    }

    fn claimed(&mut self, system: System) {
        let attempt = match &self.link.pending[system] {
            Pending::None => return,
            Pending::Queued { .. } => 1,
            Pending::InFlight { attempt, .. } => attempt.saturating_add(1),
        };
        let write = if self.link.sides[system].is_none() {
            let values = self.create_in_flight(system).unwrap_or_else(|| self.create_values(system));
            Some(Write::Create { values })
        } else {
            self.update(system)
        };
        self.link.pending[system] = match write {
            Some(write) => {
                self.link.claims += 1;
                Pending::InFlight { write, claim: self.link.claims, attempt, since: self.now }
            }
            None => Pending::None,
        };
        if self.link.pending[system] == Pending::None {
            self.reconcile();
        }
    }

    /// What this side is to be given now. A claim that is repeated says again what it said before, and no more:
    /// the first attempt may have been carried out, and only one and the same content can be told apart from an
    /// edit when it is seen. What was edited since follows in a write of its own.
    fn update(&self, system: System) -> Option<Write> {
        let side = self.link.sides[system].as_ref()?;
        let decisions = decide(&self.link, self.policy, Some(system));
        let values: View = match &self.link.pending[system] {
            Pending::InFlight { write: Write::Update { version, values, .. }, .. } if self.both_present() => {
                values
                    .iter()
                    .filter(|(property, value)| {
                        // Only what has been seen of this side since may stand against saying it again.
                        let stands = side.version == *version
                            || match decisions.get(*property) {
                                Some(Decision::Write { to, .. }) => *to == system,
                                Some(Decision::Conflict | Decision::Frozen) => false,
                                Some(Decision::Agree(_)) | None => true,
                            };
                        let stands = stands && self.policy.rules.contains_key(*property);
                        stands && side.view.get(*property) != Some(*value)
                    })
                    .map(|(property, value)| (property.clone(), value.clone()))
                    .collect()
            }
            _ => decisions
                .into_iter()
                .filter_map(|(property, decision)| match decision {
                    Decision::Write { to, value, .. } if to == system => Some((property, value)),
                    _ => None,
                })
                .collect(),
        };
        (!values.is_empty()).then(|| Write::Update {
            record: side.record.clone(),
            version: side.version,
            values,
        })
    }

    /// What a create that is in flight was claimed with.
    fn create_in_flight(&self, system: System) -> Option<View> {
        match &self.link.pending[system] {
            Pending::InFlight { write: Write::Create { values }, .. } => Some(values.clone()),
            Pending::InFlight { .. } | Pending::Queued { .. } | Pending::None => None,
        }
    }

    /// Compares the two sides, keeps agreements and conflicts, and queues what must be written.
    fn reconcile(&mut self) {
        let mut wanted = SystemPair { customcrm: View::new(), exactonline: View::new() };
        for (property, decision) in decide(&self.link, self.policy, None) {
            match decision {
                Decision::Agree(values) => {
                    self.link.conflicts.remove(&property);
                    self.link.turns.remove(&property);
                    self.link.agreed.insert(property, values);
                }
                Decision::Write { to, value, why } => {
                    self.link.conflicts.remove(&property);
                    self.turn(&property, to, why);
                    wanted[to].insert(property, value);
                }
                Decision::Conflict | Decision::Frozen => {
                    if self.link.conflicts.insert(property.clone()) {
                        let cause = if decision == Decision::Frozen {
                            "it keeps turning"
                        } else {
                            "both sides changed it"
                        };
                        self.note(format!("{property} is held for a person: {cause}"));
                    }
                }
            }
        }
        let ended = self.link.has_both() && !self.both_present() && wanted == SystemPair::default();
        if ended && self.link.status == Status::Linked && self.link.is_at_rest() {
            self.link.status = Status::Ended;
            self.note("the link has ended".to_owned());
        }
        for system in System::BOTH {
            let refused = self.link.rejected[system]
                .as_ref()
                .is_some_and(|rejection| rejection.values == wanted[system]);
            if !refused && self.link.has_both() {
                self.link.rejected[system] = None;
            }
            if !wanted[system].is_empty() && self.link.pending[system] == Pending::None && !refused {
                self.enqueue(system);
            }
        }
    }

    /// Counts a property's changes of direction; a direction that was already chosen counts once.
    fn turn(&mut self, property: &model::PropertyName, to: System, why: &'static str) {
        let turn = match self.link.turns.get(property) {
            Some(last) if last.to == to => return,
            Some(last) if self.now.duration_since(last.at) <= TURN_WINDOW => {
                Turn { to, at: self.now, count: last.count.saturating_add(1) }
            }
            _ => Turn { to, at: self.now, count: 0 },
        };
        self.link.turns.insert(property.clone(), turn);
        self.note(format!("{property} goes to {to}: {why}"));
    }

    fn enqueue(&mut self, system: System) {
        self.link.pending[system] = Pending::Queued { since: self.now };
        self.effects.push(Effect::Enqueue(system));
    }

    fn note(&mut self, text: String) {
        self.effects.push(Effect::Note(text));
    }
}
