//! One step of a link: what is seen, and what follows. Claims are in [`claim`], outcomes in [`outcome`], what follows
//! from how the two sides look in [`reconcile`], from a deletion in [`deletion`], from a person's word in [`choice`].

mod choice;
mod claim;
mod deletion;
mod outcome;
mod reconcile;

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{Presence, PropertyName, RecordId, System, Value, View};

use crate::{
    Effect, Event, Link, Observation, Pending, Policy, Side, Status, Step, Write,
    lines::{
        Lines,
        ties::{self, Found},
    },
};

/// Decides what an event makes of a link. Pure and total: the same arguments give the same step.
///
/// `released` tells whether the link's pair may create partners; `now` is the time of the decision.
pub fn step(link: Link, event: Event, policy: &Policy, released: bool, now: Timestamp) -> Step {
    let (effects, lines) = (Vec::new(), Lines::of(policy));
    let mut next = Stepping { link, effects, policy, lines, released, now };
    match event {
        Event::Observed { system, observation } => next.observed(system, observation),
        Event::Joined { system, side } => next.joined(system, side, true, "matched by key"),
        Event::FoundSeveral { candidates } => next.found_several(candidates),
        Event::Released => next.create_when_missing(),
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
        Event::Resolved(choice) => next.resolved(choice),
    }
    Step { link: next.link, effects: next.effects }
}

/// What a sighting may add to, beside the values and ties.
#[derive(PartialEq)]
struct Known {
    presence: Presence,
    /// Lines are not written while no version is known.
    has_version: bool,
    awaits_lines: bool,
    /// Two of them become one when a line finds its partner.
    ties: usize,
}

struct Stepping<'a> {
    link: Link,
    effects: Vec<Effect>,
    policy: &'a Policy,
    /// The rows of lines, for a pair of documents.
    lines: Option<Lines<'a>>,
    /// Whether partners may be created.
    released: bool,
    now: Timestamp,
}

impl Stepping<'_> {
    fn observed(&mut self, system: System, mut observation: Observation) {
        if !self.is_news(system, &observation) {
            self.heard_of_former(system, &observation);
            self.effects.push(Effect::Echo(system));
            return;
        }
        if observation.presence == Presence::Deleted {
            self.deleted(system, &observation);
            return;
        }
        let known = self.known(system);
        let found = self.see_lines(system, &mut observation, None);
        if let Pending::InFlight { write: write @ Write::Update { record, .. }, .. } =
            &self.link.pending[system]
            && *record == observation.record
        {
            let write = write.clone();
            self.recognise(system, &write, &observation);
        }
        let changed = self.take_in(system, observation);
        if self.link.has_both() {
            self.reconcile();
        } else {
            if matches!(self.link.status, Status::Ambiguous(_)) {
                self.link.status = Status::Unmatched;
                self.note("the record was seen again: its partner is looked for anew".to_owned());
            }
            self.create_when_missing();
        }
        if found.lines == 0 && !changed && known.is_some() && known == self.known(system) {
            self.effects.push(Effect::Echo(system));
        }
    }

    fn known(&self, system: System) -> Option<Known> {
        let side = self.link.sides[system].as_ref()?;
        let (has_version, awaits_lines) = (side.version.is_some(), self.link.awaits_lines[system]);
        let ties = self.link.lines.len();
        Some(Known { presence: side.presence, has_version, awaits_lines, ties })
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

    /// Brings the lines of what was seen under the keys of their ties; what has become of those without a partner.
    fn see_lines(&mut self, system: System, observation: &mut Observation, sent: Option<&View>) -> Found {
        let Some(lines) = &self.lines else { return Found::default() };
        let whole = observation.whole_lines && observation.presence == Presence::Present;
        let assumed = if observation.by_us { ties::assumed(&self.link, lines, system) } else { Vec::new() };
        let found = ties::take_in(&mut self.link, lines, system, &mut observation.view, whole, sent);
        ties::agree_on_renditions(&mut self.link, system, &observation.view, &assumed, &found);
        self.note_found(system, &found);
        found
    }

    /// Ties lines that are known; `sent` is what a write has said to this side that is not in flight any more.
    fn tie_lines(&mut self, system: System, sent: Option<&View>) {
        let Some(lines) = self.lines.as_ref().filter(|_| self.link.has_both()) else { return };
        let found = ties::tie(&mut self.link, lines, system, &mut View::new(), sent);
        self.note_found(system, &found);
    }

    fn note_found(&mut self, system: System, found: &Found) {
        if found.lines > 0 {
            self.note(format!("lines found in {system} for lines of {}: {}", system.other(), found.lines));
        }
    }

    /// Takes in how a record looks; whether that changes what was known of its values.
    fn take_in(&mut self, system: System, observation: Observation) -> bool {
        let is_new = self.link.sides[system].is_none();
        if !observation.by_us {
            self.date_values(system);
        }
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
        if !observation.by_us || side.modified_at.is_none() {
            side.modified_at = observation.modified_at.or(side.modified_at);
        }
        let Overlaid { changed, is_any_new } = overlay(&mut side.view, observation.view);
        let is_changed = !changed.is_empty();
        if !is_new {
            self.saw(system, &changed, observation.by_us);
        }
        let Some(side) = &mut self.link.sides[system] else { return is_changed };
        if let Some(lines) = &self.lines {
            if is_any_new || changed.iter().any(|name| lines.is_presence(name)) {
                lines.drop_loose_cells(&mut side.view);
            }
            if observation.whole_lines || observation.version.is_some() || is_new {
                self.link.awaits_lines[system] = !observation.whole_lines;
            }
        }
        let was_gone = std::mem::replace(&mut side.presence, Presence::Present) == Presence::Deleted;
        if was_gone {
            self.is_back();
        }
        self.forget_lines();
        is_changed
    }

    /// What a side shows anew, for the history and for who was the last to edit.
    fn saw(&mut self, system: System, changed: &[PropertyName], by_us: bool) {
        let Some(side) = self.link.sides[system].as_ref().filter(|_| !changed.is_empty()) else { return };
        let edited = &mut self.link.edited[system];
        edited.retain(|name, _| side.view.contains_key(name));
        if let Some(at) = side.modified_at.filter(|_| !by_us) {
            edited.extend(changed.iter().map(|name| (name.clone(), at)));
        }
        let version = side.version.map(|version| format!(" at version {}", version.0)).unwrap_or_default();
        let whose = if by_us { "our own change of " } else { "" };
        self.note(format!("seen in {system}{version}: {whose}{}", rows(changed)));
    }

    fn forget_lines(&mut self) {
        if let Some(lines) = &self.lines {
            ties::forget_gone(&mut self.link, lines);
        }
    }

    /// Whether a name tells that a line of the document is there.
    fn is_presence(&self, name: &PropertyName) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.is_presence(name))
    }

    fn both_present(&self) -> bool {
        System::BOTH.into_iter().all(|system| self.link.is_present(system))
    }

    /// The partner is there; `whole` tells that a line which its view lacks is not there.
    fn joined(&mut self, system: System, mut side: Side, whole: bool, how: &str) {
        let sent = self.create_in_flight(system);
        let is_of_our_making = self.may_have_been_made(system);
        self.link.pending[system] = Pending::None;
        if self.link.record(system).is_some_and(|known| *known != side.record) {
            self.bury(system);
        }
        self.has_new_lines(system, &mut side, whole, sent.as_ref());
        if let Some(sent) = sent {
            self.agree_where_as_sent(system, &sent, &side.view, is_of_our_making);
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
        self.reconcile();
    }

    /// What a side's people hold that is not agreed on is as old as their record is now, whatever they edit in it later.
    fn date_values(&mut self, system: System) {
        if !self.policy.rules.values().any(|rule| rule.goes_by_date()) {
            return;
        }
        let Some(side) = &self.link.sides[system] else { return };
        let Some(at) = side.modified_at else { return };
        let of_lines = self.lines.as_ref().and_then(|lines| self.policy.rules.get(lines.row));
        let goes_by_date = |name: &PropertyName| {
            let line = of_lines.filter(|_| name.line().is_some());
            [line, self.rule(name)].into_iter().flatten().any(|rule| rule.goes_by_date())
        };
        let is_agreed = |name: &PropertyName, value: &Value| {
            self.link.agreed.get(name).is_some_and(|agreed| agreed[system] == *value)
        };
        let held = side.view.iter().filter(|(name, value)| !is_agreed(name, value) && goes_by_date(name));
        let dated: Vec<PropertyName> = held.map(|(name, _)| name.clone()).collect();
        for name in dated {
            self.link.edited[system].entry(name).or_insert(at);
        }
    }

    /// Another record takes this side's place: none of its lines is one of those that were known here.
    fn has_new_lines(&mut self, system: System, side: &mut Side, whole: bool, sent: Option<&View>) {
        let Some(lines) = &self.lines else { return };
        for keys in self.link.lines.values_mut() {
            keys[system] = None;
        }
        let found = ties::take_in(&mut self.link, lines, system, &mut side.view, whole, sent);
        lines.drop_loose_cells(&mut side.view);
        self.link.awaits_lines[system] = !whole;
        self.note_found(system, &found);
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
            self.agree_where_as_sent(system, &sent, &side.view, false);
        }
        self.link.sides[system] = Some(side);
        self.link.rejected[system] = None;
        if self.both_present() && self.link.status != Status::Unlinked {
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

    /// Whether an earlier attempt of the create that is in flight may have been carried out.
    fn may_have_been_made(&self, system: System) -> bool {
        let pending = &self.link.pending[system];
        matches!(pending, Pending::InFlight { write: Write::Create { .. }, attempt, .. } if *attempt > 1)
    }

    fn note(&mut self, text: String) {
        self.effects.push(Effect::Note(text));
    }
}

/// The rows that properties and cells of lines are instances of, for people.
fn rows<'n>(names: impl IntoIterator<Item = &'n PropertyName>) -> String {
    let rows: BTreeSet<PropertyName> = names.into_iter().map(PropertyName::row).collect();
    rows.iter().map(PropertyName::as_str).collect::<Vec<_>>().join(", ")
}

/// What a sighting has changed of what was known.
#[derive(Default)]
struct Overlaid {
    /// The names whose values are others now.
    changed: Vec<PropertyName>,
    /// Whether there are names that were not known.
    is_any_new: bool,
}

/// Lays what was seen over what was known. Both are in the order of their names, and a large document has many: they
/// are gone through side by side.
fn overlay(known: &mut View, seen: View) -> Overlaid {
    let mut overlaid = Overlaid::default();
    let mut new = Vec::new();
    let mut old = known.iter_mut().peekable();
    for (name, value) in seen {
        while old.next_if(|(known, _)| **known < name).is_some() {}
        match old.next_if(|(known, _)| **known == name) {
            Some((_, before)) if *before == value => {}
            Some((_, before)) => {
                *before = value;
                overlaid.changed.push(name);
            }
            None => {
                overlaid.changed.push(name.clone());
                new.push((name, value));
            }
        }
    }
    overlaid.is_any_new = !new.is_empty();
    known.extend(new);
    overlaid
}
