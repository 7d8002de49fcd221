//! What must hold in every state, and what must come about in some.

use link::{Pending, Status};
use model::{System, SystemPair};
use stateright::Property as Promise;

use crate::account::{AGREED_MOVED, OF_EVERY_STEP, WRITE_ENDED, WRITTEN_OVER};
use crate::bounds::Start;
use crate::check::Check;
use crate::state::{Answer, Message, State, Task};
use crate::words::{Property, Word};

/// All of them.
pub(crate) fn all(check: &Check) -> Vec<Promise<Check>> {
    let mut promises = vec![
        Promise::always("no duplicate: one record has at most one partner of our making", no_duplicate),
        Promise::always("no echo: every write has an edit, or an uncertain attempt before it", no_echo),
        Promise::always(OF_EVERY_STEP, |_, state: &State| state.account.broken != Some(OF_EVERY_STEP)),
        Promise::always(AGREED_MOVED, |_, state: &State| state.account.broken != Some(AGREED_MOVED)),
        Promise::always(WRITTEN_OVER, |_, state: &State| state.account.broken != Some(WRITTEN_OVER)),
        Promise::always(WRITE_ENDED, |_, state: &State| state.account.broken != Some(WRITE_ENDED)),
        Promise::always("no write waits for nobody", no_write_waits_for_nobody),
        Promise::always("nothing stalls: what is under way goes on by itself", nothing_stalls),
        Promise::always("convergence: what is at rest agrees, or is held for a person", convergence),
        Promise::always(
            "no lost edit: what stands at rest was entered last, or won by the policy",
            no_lost_edit,
        ),
    ];
    promises.extend(check.reaches().into_iter().map(|reached| Promise::sometimes(reached.0, reached.1)));
    promises
}

fn no_duplicate(_: &Check, state: &State) -> bool {
    System::BOTH
        .into_iter()
        .all(|system| state.records[system].iter().filter(|record| record.made_by_us).count() <= 1)
}

fn no_echo(_: &Check, state: &State) -> bool {
    state.account.credit >= 0
}

fn no_write_waits_for_nobody(_: &Check, state: &State) -> bool {
    System::BOTH.into_iter().all(|system| {
        let claims = state.readers.iter().any(|reader| reader.task == Task::Claim(system));
        let sends = state.sending.iter().any(|sending| sending.system == system);
        let reports =
            |message: &Message| matches!(message, Message::Outcome(outcome) if outcome.system == system);
        let reported = state.outcomes.keys().any(|outcome| outcome.system == system)
            || state
                .readers
                .iter()
                .any(|reader| matches!(&reader.task, Task::TakeIn(message) if reports(message)));
        let is_expected = state.writes[system] > 0 || claims || sends || reported;
        state.link.pending[system] == Pending::None || is_expected
    })
}

fn nothing_stalls(check: &Check, state: &State) -> bool {
    state.is_at_rest() || check.goes_on(state)
}

fn convergence(_: &Check, state: &State) -> bool {
    if !state.is_at_rest() {
        return true;
    }
    let (Some(crm), Some(exact)) = (state.record(System::CustomCrm), state.record(System::ExactOnline))
    else {
        return false;
    };
    if !state.link.is_at_rest() {
        return false;
    }
    if crm.is_deleted || exact.is_deleted {
        return match state.link.status {
            Status::DeletedAgainstEdit => true,
            Status::Ended => {
                let note = Property::Note as usize;
                let is_marked = exact.words[note] == Word::Archived || exact.edited[note] > 1;
                !crm.is_deleted || exact.is_deleted || is_marked
            }
            _ => false,
        };
    }
    let agrees = |property: Property| {
        let place = property as usize;
        property.alike(crm.words[place], exact.words[place]) || property.is_held(&state.link)
    };
    state.link.status == Status::Linked && Property::BOTH.into_iter().all(agrees)
}

fn no_lost_edit(_: &Check, state: &State) -> bool {
    let (Some(crm), Some(exact)) = (state.record(System::CustomCrm), state.record(System::ExactOnline))
    else {
        return true;
    };
    // A deletion is the last word on what was entered into the record that is gone.
    if !state.is_at_rest() || crm.is_deleted || exact.is_deleted {
        return true;
    }
    Property::BOTH.into_iter().all(|property| {
        let place = property as usize;
        let held = SystemPair { customcrm: crm.words[place], exactonline: exact.words[place] };
        let (entered, blind) = (&state.account.entered[place], state.account.blind[place]);
        if property.is_held(&state.link) {
            return System::BOTH
                .into_iter()
                .all(|system| [entered[system], blind].contains(&Some(held[system])));
        }
        let mut may_stand: Vec<Word> = entered.customcrm.into_iter().chain(entered.exactonline).collect();
        if may_stand.is_empty() {
            may_stand.push(state.account.settled[place]);
        }
        may_stand.extend(blind);
        may_stand.into_iter().any(|word| property.alike(word, held.customcrm))
    })
}

/// Something that a check must reach, or it checks less than it says.
pub(crate) type Reached = (&'static str, fn(&Check, &State) -> bool);

impl Check {
    /// What these bounds must reach.
    fn reaches(&self) -> Vec<Reached> {
        let bounds = self.bounds();
        let mut reached: Vec<Reached> = vec![("rest", |_, state| state.is_at_rest())];
        let mut add = |is_there: bool, name, condition| {
            if is_there {
                reached.push((name, condition));
            }
        };
        let is_uncertain = bounds.crashes > 0 || bounds.lost_answers > 0;
        let people = bounds.edits.customcrm > 0 || bounds.edits.exactonline > 0;
        add(
            bounds.start == Start::Alone && is_uncertain,
            "an uncertain create is found and adopted",
            adopted,
        );
        add(bounds.crashes > 0, "a crash between a write and its outcome", crashed_after_sending);
        add(people, "a refusal, because the record has changed since", refused);
        add(bounds.apart, "a reader who was too late", |_, state| {
            state.readers.iter().any(|reader| reader.read.is_none())
        });
        add(bounds.repeats > 0, "a message that is delivered again", delivered_again);
        add(bounds.writers > 1 && bounds.repeats > 0, "two writers with one write", two_writers);
        add(bounds.asks(), "a conflict for a person", |_, state| !state.link.conflicts.is_empty());
        let deletes = bounds.deletes.customcrm > 0;
        add(deletes, "the end of a link", |_, state| state.link.status == Status::Ended);
        add(deletes && bounds.edits.exactonline > 0, "a deletion against an edit", |_, state| {
            state.link.status == Status::DeletedAgainstEdit
        });
        reached
    }
}

fn adopted(_: &Check, state: &State) -> bool {
    state.outcomes.keys().any(|outcome| matches!(outcome.result, Answer::Adopted(found) if found.by_us))
}

fn refused(_: &Check, state: &State) -> bool {
    state.outcomes.keys().any(|outcome| matches!(outcome.result, Answer::Stale(_)))
}

/// A record has been written, the link does not know what became of it, and nobody will say it.
fn crashed_after_sending(_: &Check, state: &State) -> bool {
    System::BOTH.into_iter().any(|system| {
        let known = state.link.sides[system].as_ref().and_then(|side| side.version);
        let written = state.record(system).is_some_and(|record| {
            record.by_us && known.is_none_or(|known| known.0 < u64::from(record.version))
        });
        let flies = matches!(state.link.pending[system], Pending::InFlight { .. });
        let nobody = state.sending.is_empty() && state.outcomes.is_empty() && state.readers.is_empty();
        written && flies && nobody
    })
}

fn delivered_again(check: &Check, state: &State) -> bool {
    state.left.repeats < check.bounds().repeats
}

fn two_writers(_: &Check, state: &State) -> bool {
    let mut sending = state.sending.iter();
    sending.next().is_some_and(|one| sending.any(|other| one.system == other.system))
}
