//! What a writer is given when it claims.

use model::{PropertyName, System, Value, View};

use super::Stepping;
use crate::{
    Decision, Pending, Rule, Side, Status, Write,
    decide::{decide, is_asleep},
    lines::THERE,
};

impl Stepping<'_> {
    pub(super) fn create_when_missing(&mut self) {
        let Some(missing) = System::BOTH.into_iter().find(|system| self.link.sides[*system].is_none()) else {
            return;
        };
        let allowed = self.released && self.policy.creates[missing] && self.link.status == Status::Unmatched;
        if !allowed || self.link.pending[missing] != Pending::None {
            return;
        }
        let Some(values) = self.creation(missing) else { return };
        if self.link.rejected[missing].as_ref().is_some_and(|rejection| rejection.values == values) {
            return;
        }
        self.note(format!("no partner in {missing}: to be created"));
        self.enqueue(missing);
    }

    /// What a new record is given; `None` while its partner may not have one, or something is missing that it, or one
    /// of its lines, can't be without.
    fn creation(&self, missing: System) -> Option<View> {
        let source = self.link.sides[missing.other()].as_ref()?;
        let is_needed = |name: &PropertyName| {
            let is_match_row = self.lines.as_ref().is_some_and(|lines| lines.is_match_cell(name));
            is_match_row || self.rule(name).is_some_and(|rule| rule.required && rule.flow.reaches(missing))
        };
        let waits = source.view.iter().any(|(name, value)| value.is_unresolved() && is_needed(name));
        (source.admitted && !waits).then(|| self.create_values(source, missing))
    }

    /// Everything that flows there, is filled, and can be resolved.
    fn create_values(&self, source: &Side, missing: System) -> View {
        let mut values = View::new();
        for (name, value) in &source.view {
            let Some(rule) = self.rule(name).filter(|rule| rule.flow.reaches(missing)) else { continue };
            match &source.stand_in {
                Some(text) if rule.stand_in && value.is_empty() => {
                    values.insert(name.clone(), Value::StandIn(text.clone()));
                }
                _ if !value.is_empty() && !value.is_unresolved() => {
                    values.insert(name.clone(), value.clone());
                }
                _ => {}
            }
        }
        if let Some(lines) = &self.lines {
            lines.drop_loose_cells(&mut values);
        }
        values
    }

    /// The rule of the row that a property, or a line's cell, is an instance of.
    pub(super) fn rule(&self, name: &PropertyName) -> Option<&Rule> {
        match &self.lines {
            Some(_) => self.policy.rules.get(&name.row()),
            None => self.policy.rules.get(name),
        }
    }

    pub(super) fn claimed(&mut self, system: System) {
        let attempt = match &self.link.pending[system] {
            Pending::None => return,
            Pending::Queued { .. } => 1,
            Pending::InFlight { attempt, .. } => attempt.saturating_add(1),
        };
        let write = if self.link.sides[system].is_none() {
            let values = self.create_in_flight(system).or_else(|| self.creation(system));
            values.map(|values| Write::Create { values })
        } else {
            // The first attempt may be what made a line that looks like one of those sent, in whatever rendition.
            if let Some(values) = self.link.pending[system].sent().cloned() {
                self.tie_lines(system, Some(&values));
            }
            self.deletion(system).or_else(|| self.update(system))
        };
        self.link.pending[system] = match write {
            Some(write) => {
                self.link.claims += 1;
                Pending::InFlight { write, claim: self.link.claims, attempt, since: self.now }
            }
            None => Pending::None,
        };
        // What it leaves out because it has been edited since goes the other way.
        self.reconcile();
    }

    /// What this side is to be given now. A claim that is repeated says again what it said before, and no more:
    /// the first attempt may have been carried out, and only one and the same content can be told apart from an
    /// edit when it is seen. What was edited since follows in a write of its own.
    fn update(&self, system: System) -> Option<Write> {
        let side = self.link.sides[system].as_ref().filter(|_| !is_asleep(&self.link))?;
        let mut decisions = decide(&self.link, self.policy, Some(system));
        let mut seen_at = side.version;
        let values: View = match &self.link.pending[system] {
            Pending::InFlight { write: Write::Update { record, version, values }, .. }
                if self.both_present() && *record == side.record =>
            {
                let said = values.iter().filter(|(name, value)| {
                    // Only what has been seen of this side since may stand against saying it again.
                    let stands = side.version == *version
                        || match decisions.remove(*name) {
                            Some(Decision::Write { to, .. } | Decision::WithLine { to, .. }) => to == system,
                            Some(Decision::Conflict | Decision::TooLate | Decision::Frozen) => false,
                            Some(Decision::Agree(_)) | None => !self.is_nowhere(system, name),
                        };
                    stands && self.rule(name).is_some() && side.view.get(*name) != Some(*value)
                });
                let said = said.map(|(name, value)| (name.clone(), value.clone())).collect();
                let said = self.without_lost_lines(system, said);
                // How its lines look is known from then; the record alone may have been seen since.
                if self.link.awaits_lines[system] && said.keys().any(|name| name.line().is_some()) {
                    seen_at = *version;
                }
                said
            }
            _ => decisions
                .into_iter()
                .filter_map(|(name, decision)| Some((name, decision.given(system)?)))
                .collect(),
        };
        (!values.is_empty()).then(|| Write::Update { record: side.record.clone(), version: seen_at, values })
    }

    /// Whether neither side has a line any more: what one of them had to add is not to be there.
    fn is_nowhere(&self, system: System, name: &PropertyName) -> bool {
        self.is_presence(name)
            && !self.link.awaits_lines[system]
            && System::BOTH.into_iter().all(|system| {
                self.link.sides[system].as_ref().and_then(|side| side.view.get(name)) != Some(&THERE)
            })
    }

    /// Leaves out what can't be said any more of a line that is not there and is not added by this write.
    fn without_lost_lines(&self, system: System, mut values: View) -> View {
        let Some(lines) = &self.lines else { return values };
        let is_lost = |name: &&PropertyName| {
            name.line().is_some_and(|line| {
                let keys = self.link.lines.get(&line);
                keys.is_none_or(|keys| keys[system].is_none()) && !lines.has(&values, &line)
            })
        };
        let lost: Vec<PropertyName> = values.keys().filter(is_lost).cloned().collect();
        for name in lost {
            values.remove(&name);
        }
        values
    }
}
