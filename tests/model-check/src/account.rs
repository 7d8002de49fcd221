//! What people entered and what was written: the promises are held against it. Nothing of the protocol reads it.

use link::{Event, Failure, Link, Pending};
use model::{Presence, System, SystemPair, Value};

use crate::state::State;
use crate::words::{Property, Word, Words};

/// The account of a world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// What stood in each property when it was settled last.
    pub settled: Words,
    /// What people have entered since, last, on either side.
    pub entered: [SystemPair<Option<Word>>; 2],
    /// What we have written since over an edit that was made between the look and the write, which nothing can see.
    pub blind: [Option<Word>; 2],
    /// How many writes may still be carried out: each edit is good for one, and so is each claim that is repeated because
    /// nobody knows what became of the one before, each edit that was written over unseen, and each rendition of what
    /// was written that no answer of ours tells: it can't be told from an edit.
    pub credit: i8,
    /// The rule that was broken first, of those that are looked at when something happens.
    pub broken: Option<&'static str>,
}

/// A step that broke one of the promises by which production judges its steps too.
pub const OF_EVERY_STEP: &str = "each step keeps the promises of every step, L-1 and on";

/// A step that moved what was agreed without a write that was carried out, and without equal values.
pub const AGREED_MOVED: &str = "agreed moves only after an applied write or equal values";

/// A step that ended a write in flight by anything but its own outcome.
pub const WRITE_ENDED: &str = "a write in flight ends with its own outcome";

/// A write over an edit that the writer could have known of.
pub const WRITTEN_OVER: &str = "nothing is written over an edit that could be seen";

impl Account {
    /// Of a world in which CustomCRM's record holds this, and may be about to get a partner.
    pub fn begin(words: Words, is_alone: bool) -> Self {
        let entered = |word: Word| SystemPair { customcrm: is_alone.then_some(word), exactonline: None };
        Self {
            settled: words,
            entered: words.map(entered),
            blind: [None; 2],
            credit: i8::from(is_alone),
            broken: None,
        }
    }

    /// Looks at a step of the link.
    pub fn looks_at(&mut self, before: &Link, event: &Event, after: &Link) {
        let broken = if !agreed_moves_well(before, event, after) {
            Some(AGREED_MOVED)
        } else if System::BOTH.into_iter().any(|system| is_cut_off(before, event, after, system)) {
            Some(WRITE_ENDED)
        } else {
            None
        };
        self.broken = self.broken.or(broken);
        self.credit += i8::from(is_untold_rendition(before, event));
    }
}

/// Whether an event shows, or leaves to be seen later, another rendition of what was written than what was written, and
/// does not tell that it is ours.
fn is_untold_rendition(before: &Link, event: &Event) -> bool {
    let system = match event {
        Event::Joined { system, .. } | Event::Adopted { system, .. } => *system,
        Event::Applied { system, after, .. } if after.as_ref().is_none_or(|after| !after.by_us) => *system,
        _ => return false,
    };
    let Pending::InFlight { write, .. } = &before.pending[system] else { return false };
    Property::BOTH.into_iter().any(|property| {
        let sent = property.of(write.values()).and_then(Word::of);
        sent.is_some_and(|word| property.stored(system, word) != word)
    })
}

/// What a side's properties say that the two have agreed on.
type Agreed<'a> = Option<&'a SystemPair<Value>>;

fn agreed_moves_well(before: &Link, event: &Event, after: &Link) -> bool {
    let is_outcome = matches!(event, Event::Applied { .. } | Event::Adopted { .. } | Event::Joined { .. });
    Property::BOTH.into_iter().all(|property| {
        let (old, new): (Agreed<'_>, Agreed<'_>) = (property.of(&before.agreed), property.of(&after.agreed));
        let Some(new) = new.filter(|new| old != Some(*new)) else { return old.is_none() || new.is_some() };
        let holds = |system: System| after.sides[system].as_ref().and_then(|side| property.of(&side.view));
        if is_outcome {
            let words = (Word::of(&new.customcrm), Word::of(&new.exactonline));
            matches!(words, (Some(crm), Some(exact)) if property.alike(crm, exact))
        } else {
            new.customcrm == new.exactonline
                && System::BOTH.into_iter().any(|system| holds(system) == Some(&new.customcrm))
        }
    })
}

/// Whether a step took a write out of flight that nothing was learnt of.
fn is_cut_off(before: &Link, event: &Event, after: &Link, of: System) -> bool {
    let Pending::InFlight { claim: flying, .. } = &before.pending[of] else { return false };
    if after.pending[of] == before.pending[of] || is_deletion(event) {
        return false;
    }
    match event {
        Event::Claimed { system } | Event::Joined { system, .. } => *system != of,
        // The record that an earlier attempt has made is the one that this one is to make.
        Event::Applied { system, claim, .. } | Event::Adopted { system, claim, .. } => {
            *system != of || (claim != flying && before.sides[of].is_some())
        }
        Event::Failed { system, claim, .. } => *system != of || claim != flying,
        _ => true,
    }
}

fn is_deletion(event: &Event) -> bool {
    match event {
        Event::Observed { observation, .. }
        | Event::Applied { after: Some(observation), .. }
        | Event::Failed { failure: Failure::Stale { now: Some(observation) }, .. } => {
            observation.presence == Presence::Deleted
        }
        Event::Failed { failure: Failure::Gone, .. } => true,
        _ => false,
    }
}

impl State {
    /// Settles every property on which both records, the link and all that is under way agree: what was entered
    /// before has then arrived, and a later edit stands alone.
    pub fn settle(&mut self) {
        for property in Property::BOTH {
            if let Some(word) = self.settled(property) {
                let place = property as usize;
                self.account.settled[place] = word;
                self.account.entered[place] = SystemPair::default();
                self.account.blind[place] = None;
            }
        }
    }

    fn settled(&self, property: Property) -> Option<Word> {
        let (crm, exact) = (self.record(System::CustomCrm)?, self.record(System::ExactOnline)?);
        let place = property as usize;
        let held = SystemPair { customcrm: crm.words[place], exactonline: exact.words[place] };
        let is_known = |system: System| {
            let side = self.link.sides[system].as_ref();
            let known = side.and_then(|side| property.of(&side.view)).and_then(Word::of);
            let agreed = property.of(&self.link.agreed).and_then(|agreed| Word::of(&agreed[system]));
            (known, agreed) == (Some(held[system]), Some(held[system]))
        };
        let flies = |system: System| match &self.link.pending[system] {
            Pending::InFlight { write, .. } => property.of(write.values()).is_some(),
            Pending::Queued { .. } | Pending::None => false,
        };
        let is_quiet = System::BOTH.into_iter().all(|system| is_known(system) && !flies(system))
            && !self.sending.iter().any(|sending| sending.order.sets(property));
        (is_quiet && property.alike(held.customcrm, held.exactonline)).then_some(held.customcrm)
    }
}
