//! What follows from how the two sides look.

use jiff::SignedDuration;
use model::{PropertyName, System, SystemPair, Value, View};

use super::Stepping;
use crate::{
    Decision, Effect, Pending, Status, Turn,
    decide::{decide, deletion_due},
};

/// Turns of a property's direction within this time count towards the oscillation breaker.
const TURN_WINDOW: SignedDuration = SignedDuration::from_secs(60);

impl Stepping<'_> {
    /// Compares the two sides, keeps agreements and conflicts, and queues what must be written.
    pub(super) fn reconcile(&mut self) {
        // What happened may tell of other lines too which of them is whose: none that is known is added.
        for system in System::BOTH {
            self.tie_lines(system, None);
        }
        self.forget_lines();
        let deletes = deletion_due(&self.link, self.policy);
        if let Some(survivor) = deletes {
            let edits = self.edits_unknown_to(survivor.other());
            if !edits.is_empty() {
                self.deleted_against(survivor.other(), &edits);
                return;
            }
        }
        let mut wanted = SystemPair { customcrm: View::new(), exactonline: View::new() };
        for (property, decision) in decide(&self.link, self.policy, None) {
            match decision {
                Decision::Agree(values) => {
                    self.link.conflicts.remove(&property);
                    self.link.turns.remove(&property);
                    self.agree(property, values);
                }
                Decision::Write { to, value, why } => {
                    self.link.conflicts.remove(&property);
                    self.turn(&property, to, why);
                    wanted[to].insert(property, value);
                }
                Decision::WithLine { to, value } => {
                    wanted[to].insert(property, value);
                }
                Decision::Conflict => self.hold(property, "both sides changed it"),
                Decision::TooLate => {
                    self.hold(property, "Exact Online takes it only when the record is made");
                }
                Decision::Frozen => self.hold(property, "it keeps turning"),
            }
        }
        let nothing = wanted == SystemPair::default() && deletes.is_none();
        let ended = self.link.has_both() && !self.both_present() && nothing;
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
            let wants = !wanted[system].is_empty() || deletes == Some(system);
            if wants && self.link.pending[system] == Pending::None && !refused {
                self.enqueue(system);
            }
        }
    }

    /// Both sides agree on a property, each on what it holds.
    pub(super) fn agree(&mut self, property: PropertyName, values: SystemPair<Value>) {
        for system in System::BOTH {
            self.link.edited[system].remove(&property);
        }
        self.link.agreed.insert(property, values);
    }

    fn hold(&mut self, property: PropertyName, why: &str) {
        if !self.link.conflicts.contains(&property) {
            self.note(format!("{property} is held for a person: {why}"));
            self.link.conflicts.insert(property);
        }
    }

    /// Counts a property's changes of direction; a direction that was already chosen counts once. A line that comes
    /// may be one that went, under another id.
    fn turn(&mut self, property: &PropertyName, to: System, why: &'static str) {
        let own = self.link.turns.get(property);
        if own.is_some_and(|last| last.to == to) {
            return;
        }
        let gone = self.lines.as_ref().filter(|lines| property.row() == *lines.row);
        let last = own.or_else(|| self.link.turns.get(gone?.row));
        let count = match last {
            Some(last) if self.now.duration_since(last.at) <= TURN_WINDOW => {
                last.count.saturating_add(u8::from(last.to != to))
            }
            _ => 0,
        };
        self.link.turns.insert(property.clone(), Turn { to, at: self.now, count });
        self.note(format!("{property} goes to {to}: {why}"));
    }

    pub(super) fn enqueue(&mut self, system: System) {
        self.link.pending[system] = Pending::Queued { since: self.now };
        self.effects.push(Effect::Enqueue(system));
    }
}
