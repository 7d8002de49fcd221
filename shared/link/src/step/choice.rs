//! What a person decides that the link could not.

use model::{PropertyName, System, SystemPair, Value};

use super::Stepping;
use crate::{
    Choice, DeletePolicy, Pending, Status,
    decide::{delete_policy, deleted_side},
    lines::GONE,
};

impl Stepping<'_> {
    /// Does what a person has decided; where the link has moved on and the choice does not fit it any more, it says
    /// so and nothing else happens.
    pub(super) fn resolved(&mut self, choice: Choice) {
        let is_done = match choice {
            Choice::Take { property, from } => self.take(property, from),
            Choice::Accept { property } => self.accept(property),
            Choice::Delete => self.delete_anyway(),
            Choice::Recreate => self.recreate_by_choice(),
            Choice::Unlink => self.unlink(),
            Choice::Relink => self.relink(),
        };
        if is_done {
            self.reconcile();
        } else {
            self.note("a person's choice does not fit the link any more: nothing was changed".to_owned());
        }
    }

    /// The other side's value counts as what was agreed on last: this side's is then the edit of it.
    fn take(&mut self, property: PropertyName, from: System) -> bool {
        let Some(held) = self.differing(&property) else { return false };
        self.note(format!("a person decided: {property} is as {from} has it"));
        let before = held[from.other()].clone();
        let agreed = SystemPair { customcrm: before.clone(), exactonline: before };
        self.link.agreed.insert(property.clone(), agreed);
        self.let_go(&property);
        if held[from] == GONE {
            self.give_up_line(&property, from.other());
        }
        true
    }

    fn accept(&mut self, property: PropertyName) -> bool {
        let Some(held) = self.differing(&property) else { return false };
        self.note(format!("a person decided: {property} may differ as it does"));
        self.let_go(&property);
        self.link.agreed.insert(property, held);
        true
    }

    /// What both sides hold of a property, or of a line's being there, where they differ.
    fn differing(&self, property: &PropertyName) -> Option<SystemPair<Value>> {
        let (crm, exact) = (self.link.sides.customcrm.as_ref()?, self.link.sides.exactonline.as_ref()?);
        let is_line = self.is_presence(property);
        let held = |view: &model::View| match view.get(property) {
            None if is_line => Some(GONE.clone()),
            held => held.cloned(),
        };
        let held = SystemPair { customcrm: held(&crm.view)?, exactonline: held(&exact.view)? };
        let is_linked = self.link.status == Status::Linked && self.both_present();
        (is_linked && held.customcrm != held.exactonline).then_some(held)
    }

    fn let_go(&mut self, property: &PropertyName) {
        self.link.conflicts.remove(property);
        self.link.turns.remove(property);
    }

    /// What was edited in a line that goes, by a person's word, does not stand against that.
    fn give_up_line(&mut self, presence: &PropertyName, has: System) {
        let (Some(line), Some(side)) = (presence.line(), &self.link.sides[has]) else { return };
        for (name, agreed) in &mut self.link.agreed {
            if name != presence
                && name.line().as_ref() == Some(&line)
                && let Some(held) = side.view.get(name)
            {
                agreed[has] = held.clone();
            }
        }
    }

    fn delete_anyway(&mut self) -> bool {
        let Some(gone) = self.gone().filter(|_| self.link.status == Status::DeletedAgainstEdit) else {
            return false;
        };
        self.note("a person decided: the deletion stands".to_owned());
        let edits = self.edits_unknown_to(gone);
        self.give_up(&edits);
        self.link.status = match delete_policy(&self.link, self.policy, gone.other()) {
            DeletePolicy::Archive(..) | DeletePolicy::Propagate => Status::Linked,
            DeletePolicy::Unlink | DeletePolicy::Ignore => Status::Ended,
        };
        true
    }

    fn recreate_by_choice(&mut self) -> bool {
        let Some(gone) = self.gone().filter(|gone| self.may_be_made(*gone)) else { return false };
        self.note(format!("a person decided: the record is made anew in {gone}"));
        self.recreate(gone);
        true
    }

    /// The side whose record is gone while its partner is there, in a link that a person has not taken apart.
    fn gone(&self) -> Option<System> {
        let gone = deleted_side(&self.link).filter(|gone| self.link.is_present(gone.other()));
        gone.filter(|_| self.link.status != Status::Unlinked)
    }

    fn unlink(&mut self) -> bool {
        if !self.link.has_both() || self.link.status == Status::Unlinked {
            return false;
        }
        self.note("a person decided: the two records have nothing to do with one another".to_owned());
        self.link.status = Status::Unlinked;
        for system in System::BOTH {
            if matches!(self.link.pending[system], Pending::Queued { .. }) {
                self.link.pending[system] = Pending::None;
            }
        }
        true
    }

    fn relink(&mut self) -> bool {
        if !self.both_present() || self.link.status == Status::Linked {
            return false;
        }
        self.note("a person decided: the two records belong together".to_owned());
        self.link.status = Status::Linked;
        true
    }
}
