//! What the deletion of a record asks of its partner.

use model::{Presence, PropertyName, System, SystemPair, Value};

use super::{Stepping, rows};
use crate::{
    DeleteConflict, DeletePolicy, Effect, Link, Observation, Pending, Status, Write,
    decide::{decide, delete_policy, deletion_due},
};

impl Stepping<'_> {
    pub(super) fn deleted(&mut self, system: System, observation: &Observation) {
        let edits = self.edits_unknown_to(system);
        let Some(side) = &mut self.link.sides[system] else { return };
        side.version = observation.version.or(side.version);
        if std::mem::replace(&mut side.presence, Presence::Deleted) == Presence::Deleted {
            self.effects.push(Effect::Echo(system));
            return;
        }
        self.link.pending[system] = Pending::None;
        self.note(format!("the record was deleted in {system}"));
        let survivor = system.other();
        let survives = self.link.is_present(survivor);
        match delete_policy(&self.link, self.policy, survivor) {
            _ if self.link.status == Status::Unlinked => {}
            _ if !survives => self.ends(survivor, Status::Ended),
            DeletePolicy::Unlink => self.ends(survivor, Status::Ended),
            DeletePolicy::Ignore => self.ends(survivor, Status::Missing),
            DeletePolicy::Archive(..) | DeletePolicy::Propagate if edits.is_empty() => self.reconcile(),
            DeletePolicy::Archive(..) | DeletePolicy::Propagate => self.deleted_against(system, &edits),
        }
    }

    /// Nothing is asked of the record that is left.
    fn ends(&mut self, survivor: System, status: Status) {
        self.link.pending[survivor] = Pending::None;
        self.link.status = status;
    }

    /// Our own deletion was carried out. That the partner is back meanwhile stands against it as an edit does.
    pub(super) fn deleted_by_us(&mut self, system: System) {
        self.note(format!("deleted in {system}"));
        let Some(side) = &mut self.link.sides[system] else { return };
        side.presence = Presence::Deleted;
        if self.link.status == Status::Unlinked {
            return;
        }
        if self.link.is_present(system.other()) {
            self.deleted_against(system, &[]);
        } else {
            self.ends(system.other(), Status::Ended);
        }
    }

    /// A record is gone whose partner holds what it never received: the pair's policy for that.
    pub(super) fn deleted_against(&mut self, gone: System, edits: &[PropertyName]) {
        let survivor = gone.other();
        let what = if edits.is_empty() { "is back".to_owned() } else { format!("holds {}", rows(edits)) };
        let why = format!("{survivor} {what}, which {gone} never received");
        match self.policy.delete_conflict {
            DeleteConflict::Delete => {
                self.note(format!("{why}: the deletion stands"));
                self.give_up(edits);
                self.link.rejected[survivor] = None;
                self.reconcile();
            }
            DeleteConflict::Recreate if self.may_be_made(gone) => {
                self.note(format!("{why}: the record is made anew in {gone}"));
                self.recreate(gone);
            }
            DeleteConflict::Recreate | DeleteConflict::Ask => {
                self.note(format!("{why}: a person decides"));
                self.ends(survivor, Status::DeletedAgainstEdit);
            }
        }
    }

    /// What the deleted record would be given, were it there.
    pub(super) fn edits_unknown_to(&self, gone: System) -> Vec<PropertyName> {
        if !self.link.has_both() {
            return Vec::new();
        }
        let mut link: Link = self.link.clone();
        link.status = Status::Linked;
        for system in System::BOTH {
            if let Some(side) = &mut link.sides[system] {
                side.presence = Presence::Present;
            }
        }
        let decisions = decide(&link, self.policy, Some(gone)).into_iter();
        decisions.filter_map(|(name, decision)| decision.given(gone).map(|_| name)).collect()
    }

    /// What the side that is left holds is agreed on, though the other one never received it.
    pub(super) fn give_up(&mut self, edits: &[PropertyName]) {
        for name in edits {
            let held = |system: System| {
                self.link.sides[system].as_ref().and_then(|side| side.view.get(name)).cloned()
            };
            let agreed = System::BOTH.map(|system| held(system).unwrap_or(Value::Empty));
            let [customcrm, exactonline] = agreed;
            self.agree(name.clone(), SystemPair { customcrm, exactonline });
        }
    }

    /// Whether the pair may make a record in the place of the deleted one.
    pub(super) fn may_be_made(&self, gone: System) -> bool {
        let source = self.link.sides[gone.other()].as_ref();
        self.released
            && self.policy.creates[gone]
            && source.is_some_and(|source| source.admitted && source.presence == Presence::Present)
    }

    /// The record that is left gets a partner as a new one would.
    pub(super) fn recreate(&mut self, gone: System) {
        self.bury(gone);
        for keys in self.link.lines.values_mut() {
            keys[gone] = None;
        }
        self.link.awaits_lines[gone] = false;
        self.forget_lines();
        self.link.status = Status::Unmatched;
        self.create_when_missing();
    }

    /// A side's record makes place for another one: what was agreed with it is forgotten, and what is still heard of
    /// it says nothing.
    pub(super) fn bury(&mut self, system: System) {
        let Some(side) = self.link.sides[system].take() else { return };
        self.link.former[system].insert(side.record, side.version);
        for system in System::BOTH {
            self.link.pending[system] = Pending::None;
            self.link.rejected[system] = None;
            self.link.edited[system].clear();
        }
        self.link.agreed.clear();
        self.link.conflicts.clear();
        self.link.turns.clear();
    }

    /// The deletion that is to be carried over to this side now.
    pub(super) fn deletion(&self, system: System) -> Option<Write> {
        let side = self.link.sides[system].as_ref()?;
        (deletion_due(&self.link, self.policy) == Some(system))
            .then(|| Write::Delete { record: side.record.clone(), version: side.version })
    }

    /// A record that was deleted is there again.
    pub(super) fn is_back(&mut self) {
        if self.link.status == Status::Unlinked {
            return;
        }
        if !self.link.has_both() {
            self.link.status = Status::Unmatched;
        } else if self.both_present() {
            self.link.status = Status::Linked;
        } else {
            return;
        }
        self.note("it is back".to_owned());
    }

    /// A deleted record that was made anew since says nothing more, unless somebody has brought it back.
    pub(super) fn heard_of_former(&mut self, system: System, observation: &Observation) {
        let Some(known) = self.link.former[system].get_mut(&observation.record) else { return };
        if observation.presence == Presence::Present && observation.version > *known {
            *known = observation.version;
            let record = &observation.record;
            self.note(format!(
                "{system} record {record} is back beside the one in its place: a person decides"
            ));
        }
    }
}
