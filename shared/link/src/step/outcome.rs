//! What the outcome of a write makes of a link.

use model::{Presence, PropertyName, RecordId, System, SystemPair, Value, View};

use super::{Stepping, rows};
use crate::{
    Effect, Failure, Observation, Pending, Rejection, Side, Status, Write,
    lines::ties::{self, Found},
};

impl Stepping<'_> {
    pub(super) fn applied(
        &mut self,
        system: System,
        claim: u64,
        record: RecordId,
        after: Option<Observation>,
    ) {
        let Some((write, _)) = self.landed(system, claim) else {
            self.applied_late(system, record, after);
            return;
        };
        if self.went_elsewhere(system, &write) {
            return;
        }
        if matches!(write, Write::Delete { .. }) {
            self.link.rejected[system] = None;
            self.deleted_by_us(system);
            return;
        }
        self.carried_out(system, write, record, after);
    }

    /// A record was made or changed.
    fn carried_out(&mut self, system: System, write: Write, record: RecordId, after: Option<Observation>) {
        self.link.rejected[system] = None;
        let created = self.link.sides[system].is_none();
        let mut after = after.filter(|observation| may_show(&write, observation));
        let write = self.without_lost(system, write);
        let properties = rows(write.values().keys());
        let write = self.without_undecided(system, write, after.as_ref());
        let found = self.see_answer(system, &write, after.as_mut());
        let assumed = self.not_shown(system, &write, after.as_ref());
        self.agree_on(system, write.values(), after.as_ref(), &found);
        let mut known = after.unwrap_or_else(|| self.nothing_of(system, record, Presence::Present));
        let deletion = (known.presence == Presence::Deleted).then(|| known.clone());
        if self.is_news(system, &known) {
            known.whole_lines &= !self.is_any_added(&assumed);
            known.view.extend(assumed);
            self.take_in(system, known);
        }
        if created {
            self.link.status = Status::Linked;
            self.effects.push(Effect::Wake);
            self.note(format!("created in {system} with {properties}"));
        } else {
            self.note(format!("written to {system}: {properties}"));
        }
        match deletion {
            Some(deletion) => self.deleted(system, &deletion),
            None => self.reconcile(),
        }
    }

    /// Takes the write that this claim carried out of flight, with its attempt; `None` when another claim, or
    /// none, is in flight.
    fn landed(&mut self, system: System, claimed: u64) -> Option<(Write, u32)> {
        match &self.link.pending[system] {
            Pending::InFlight { claim, .. } if *claim == claimed => {}
            Pending::InFlight { .. } | Pending::Queued { .. } | Pending::None => return None,
        }
        match std::mem::replace(&mut self.link.pending[system], Pending::None) {
            Pending::InFlight { write, attempt, .. } => Some((write, attempt)),
            Pending::Queued { .. } | Pending::None => None,
        }
    }

    /// Whether a write went to a record which is not this side's any more, because a newer version of the document has
    /// taken its place: what became of it there says nothing about this one.
    fn went_elsewhere(&mut self, system: System, write: &Write) -> bool {
        let Some(record) = write.record() else { return false };
        if self.link.record(system) == Some(record) {
            return false;
        }
        self.tie_lines(system, Some(write.values()));
        self.reconcile();
        true
    }

    /// The write without what it said of lines that are lost here since: another line may take the place of one, and
    /// what became of the change says nothing about that.
    fn without_lost(&self, system: System, mut write: Write) -> Write {
        let (Some(lines), Some(side)) = (&self.lines, &self.link.sides[system]) else { return write };
        if let Write::Update { values, .. } = &mut write {
            let all = values.clone();
            values.retain(|name, _| {
                name.line()
                    .is_none_or(|line| all.contains_key(&lines.there(&line)) || lines.has(&side.view, &line))
            });
        }
        write
    }

    /// The write without what nobody can tell of: a property that the two have never agreed on, that the answer does not
    /// show, and that may have been edited while the write was in flight. What was seen of it stands, and is merged.
    fn without_undecided(&self, system: System, mut write: Write, after: Option<&Observation>) -> Write {
        let known = self.link.sides[system].as_ref().and_then(|side| side.version);
        if let Write::Update { values, version, .. } = &mut write
            && *version != known
        {
            values.retain(|name, _| {
                let is_shown = after.is_some_and(|shown| shown.view.contains_key(name));
                is_shown || name.line().is_some() || self.link.agreed.contains_key(name)
            });
        }
        write
    }

    /// Brings the lines of an answer under the keys of their ties, those that the write has added among them.
    fn see_answer(&mut self, system: System, write: &Write, after: Option<&mut Observation>) -> Found {
        let sent = Some(write.values());
        match after {
            Some(observation) if self.is_news(system, observation) => {
                self.see_lines(system, observation, sent)
            }
            Some(observation) => {
                let Some(lines) = &self.lines else { return Found::default() };
                let whole = observation.whole_lines && observation.presence == Presence::Present;
                let found = ties::take_old(&mut self.link, lines, system, &mut observation.view, whole, sent);
                self.note_found(system, &found);
                found
            }
            None => {
                self.tie_lines(system, sent);
                Found::default()
            }
        }
    }

    /// Whether a line is taken to be there that no answer has shown.
    fn is_any_added(&self, assumed: &View) -> bool {
        let Some(lines) = &self.lines else { return false };
        self.link.lines.keys().any(|line| lines.has(assumed, line))
    }

    /// An observation that shows nothing but the record's presence.
    fn nothing_of(&self, system: System, record: RecordId, presence: Presence) -> Observation {
        let side = self.link.sides[system].as_ref();
        Observation {
            record,
            version: None,
            modified_at: None,
            by_us: true,
            presence,
            view: View::new(),
            whole_lines: false,
            admitted: side.is_none_or(|side| side.admitted),
            stand_in: side.and_then(|side| side.stand_in.clone()),
        }
    }

    /// What the written properties are taken to hold where the answer does not show them: what was sent, unless
    /// the record was seen to hold something else while the write was in flight.
    fn not_shown(&self, system: System, write: &Write, after: Option<&Observation>) -> View {
        let side = self.link.sides[system].as_ref();
        let seen_since = match write {
            Write::Update { version, .. } => side.is_some_and(|side| side.version != *version),
            Write::Create { .. } | Write::Delete { .. } => false,
        };
        let untouched = |property: &PropertyName| {
            let known = side.and_then(|side| side.view.get(property));
            self.link.agreed.get(property).is_none_or(|agreed| known == Some(&agreed[system]))
        };
        write
            .values()
            .iter()
            .filter(|(property, _)| after.is_none_or(|shown| !shown.view.contains_key(*property)))
            .filter(|(property, _)| !seen_since || untouched(property))
            .map(|(property, value)| (property.clone(), held(value)))
            .collect()
    }

    /// An outcome whose claim is not in flight any more: what it shows is an observation like any other, and the
    /// record that it made is the partner if none is known.
    fn applied_late(&mut self, system: System, record: RecordId, after: Option<Observation>) {
        match (self.link.record(system), after) {
            // An answer without a version can't be newer than what has been seen of the record since.
            (Some(known), Some(observation)) if *known == record && observation.version.is_some() => {
                self.observed(system, observation);
            }
            (Some(known), _) if *known == record => {}
            (Some(known), _) => {
                let text = format!("{system} holds {record} beside {known}: made twice, a person decides");
                self.note(text);
            }
            // A create that is claimed again says what it said before.
            (None, after) => match self.create_in_flight(system) {
                Some(values) => {
                    self.link.pending[system] = Pending::None;
                    self.carried_out(system, Write::Create { values }, record, after);
                }
                None => self.made_unasked(system, record, after),
            },
        }
    }

    /// The partner was made under a claim that is not known any more.
    fn made_unasked(&mut self, system: System, record: RecordId, after: Option<Observation>) {
        let mut after = after.unwrap_or_else(|| self.nothing_of(system, record, Presence::Present));
        self.see_lines(system, &mut after, None);
        self.link.awaits_lines[system] = self.lines.is_some() && !after.whole_lines;
        let side = Side {
            record: after.record,
            version: after.version,
            modified_at: after.modified_at,
            view: after.view,
            presence: Presence::Present,
            admitted: after.admitted,
            stand_in: after.stand_in,
        };
        self.has_joined(system, side, "created by an earlier attempt");
    }

    /// The written side's agreed value is its own rendition, but only if nobody else touched the record since, and if it
    /// is certain which line it is of. That a line is there has no rendition.
    fn agree_on(&mut self, system: System, values: &View, after: Option<&Observation>, found: &Found) {
        for (property, value) in values {
            let is_presence = self.is_presence(property);
            let rendition = after
                .filter(|observation| observation.by_us && !is_presence && !found.doubtful.contains(property))
                .and_then(|observation| observation.view.get(property))
                .cloned()
                .unwrap_or_else(|| held(value));
            let source = stood_for(value);
            let mut agreed = SystemPair { customcrm: source.clone(), exactonline: source };
            agreed[system] = rendition;
            self.agree(property.clone(), agreed);
            self.link.conflicts.remove(property);
        }
    }

    /// An observation while a write is in flight may show it before its outcome does, or instead of it: a
    /// property that holds what was sent, or that our own user has changed, is no edit of this side, and so
    /// nothing that a later edit of the other side could lose against. It is agreed on as it was seen, for what
    /// our user wrote may also be left from an earlier claim: then the other side differs, and is written again.
    pub(super) fn recognise(&mut self, system: System, write: &Write, observation: &Observation) {
        for (property, value) in write.values() {
            let known = self.link.sides[system].as_ref().and_then(|side| side.view.get(property));
            let Some(seen) = observation.view.get(property) else { continue };
            if seen == value || (observation.by_us && known != Some(seen)) {
                self.agree_as_seen(property, seen);
            }
        }
    }

    /// A partner that turns up while its create is in flight agrees where it holds what was sent. One that an earlier
    /// attempt has made may have been edited since by whoever saw it: it agrees on all that was sent, so that what differs
    /// is an edit of that side.
    pub(super) fn agree_where_as_sent(
        &mut self,
        system: System,
        sent: &View,
        found: &View,
        is_of_our_making: bool,
    ) {
        let agrees = |property: &PropertyName, value: &Value| {
            found
                .get(property)
                .is_some_and(|shown| *shown == held(value) || is_of_our_making && property.line().is_none())
        };
        let agreed = sent.iter().filter(|(property, value)| agrees(property, value));
        let agreed: View = agreed.map(|(property, value)| (property.clone(), value.clone())).collect();
        self.agree_on(system, &agreed, None, &Found::default());
    }

    fn agree_as_seen(&mut self, property: &PropertyName, value: &Value) {
        let agreed = SystemPair { customcrm: value.clone(), exactonline: value.clone() };
        self.agree(property.clone(), agreed);
        self.link.conflicts.remove(property);
    }

    pub(super) fn adopted(&mut self, system: System, claim: u64, side: Side) {
        if self.link.sides[system].is_none() {
            // A search may tell of the record alone.
            let whole = side.view.keys().any(|name| name.line().is_some());
            self.joined(system, side, whole, "found there before creating");
        } else if self.landed(system, claim).is_some() {
            self.reconcile();
        }
    }

    pub(super) fn failed(&mut self, system: System, claim: u64, failure: Failure) {
        let Some((write, attempt)) = self.landed(system, claim) else { return };
        if self.went_elsewhere(system, &write) {
            return;
        }
        match failure {
            Failure::Rejected { words } => {
                self.note(format!("{system} refused the write: {words}"));
                self.link.rejected[system] =
                    Some(Rejection { words, values: write.values().clone(), at: self.now });
                self.tie_lines(system, Some(write.values()));
                self.reconcile();
            }
            Failure::Stale { now } => {
                self.note(format!("{system} had changed meanwhile: read again"));
                // This attempt wrote nothing, but an earlier one may be what the record shows.
                let earlier = (attempt > 1).then_some(write.values());
                match now.filter(|observation| self.is_news(system, observation)) {
                    Some(observation) if observation.presence == Presence::Deleted => {
                        self.deleted(system, &observation);
                    }
                    Some(mut observation) => {
                        self.see_lines(system, &mut observation, earlier);
                        if earlier.is_some() {
                            self.recognise(system, &write, &observation);
                        }
                        self.take_in(system, observation);
                        self.reconcile();
                    }
                    None => {
                        self.tie_lines(system, earlier);
                        self.reconcile();
                    }
                }
            }
            Failure::Gone => {
                let Some(record) = self.link.record(system).cloned() else { return };
                let observation = self.nothing_of(system, record, Presence::Deleted);
                self.deleted(system, &observation);
            }
            Failure::FoundSeveral { candidates } => self.found_several(candidates),
        }
    }
}

/// Whether an answer may show what was written: one that is no newer than what the claim knew was read too early.
fn may_show(write: &Write, after: &Observation) -> bool {
    match (write, after.version) {
        (Write::Update { version: Some(known), .. }, Some(seen)) => seen > *known,
        (Write::Update { .. } | Write::Create { .. } | Write::Delete { .. }, _) => true,
    }
}

/// What a side holds that was given a value: what stands in for an emptiness is a text like any other there.
fn held(value: &Value) -> Value {
    match value {
        Value::StandIn(text) => Value::Text(text.clone()),
        value => value.clone(),
    }
}

/// What the other side holds: what stands in does so for nothing.
fn stood_for(value: &Value) -> Value {
    match value {
        Value::StandIn(_) => Value::Empty,
        value => value.clone(),
    }
}
