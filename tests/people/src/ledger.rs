//! What people did, and what must have become of it. Pure.
//!
//! Of each cell, a row of a thing or of one of its lines, the ledger keeps the *words* that may stand at the end. Who
//! edits a cell and sees the last word in it has the last word alone. Who edits without having seen what the other
//! side said last contradicts it: then either may stand, by the pair's policy, and nothing else. While nothing is
//! agreed because all links were lost, what CustomCRM shows is a word of its own, for by policy it wins.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use model::{System, Value};

use crate::things::{Kind, Thing};

#[cfg(test)]
mod tests;

/// A row of a thing, or of the line that bears this mark.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The thing.
    pub thing: Thing,
    /// The mark of the line; `None` for the thing itself.
    pub line: Option<String>,
    /// The name of the row.
    pub row: String,
}

/// What somebody said of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it was said.
    pub system: System,
    /// What was said.
    pub value: Value,
}

/// What each side showed in a cell when somebody edited it; `None` where it was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Where it was edited.
    pub here: Option<Value>,
    /// On the other side.
    pub there: Option<Value>,
}

/// What is known of a thing.
#[derive(Debug, Clone, Default)]
pub struct Story {
    /// What people did with it, in order.
    pub told: Vec<(Duration, String)>,
    /// Its lines by their marks.
    pub lines: BTreeMap<String, Line>,
    /// Where it was deleted.
    pub deleted: Option<System>,
    /// Whether the links were lost after something was deleted: the partner that was left looks for a new one.
    pub may_be_back: bool,
    /// Whether nobody edits it any more.
    pub closed: bool,
    /// How many things refer to it.
    pub referred: u32,
    /// A [`Kind::Draft`] that was confirmed: it has a sales order beside its quotation.
    pub confirmed: bool,
    /// Whether Exact has a newer version of it that the CRM may not know yet.
    pub is_under_review: bool,
    /// Since when all links are lost that it had, as far as people know.
    pub unlinked: bool,
}

/// A line of a document.
#[derive(Debug, Clone)]
pub struct Line {
    /// What is sold on it.
    pub article: Thing,
    /// Where alone it was while no link knew of it, or while the other side alone had one that sells the same.
    pub alone: Option<System>,
    /// Whether it was taken for another one before all links were lost.
    pub taken: bool,
    /// Whether it was removed.
    pub removed: bool,
    /// As of a thing.
    pub may_be_back: bool,
    /// As of a thing.
    pub unlinked: bool,
}

impl Line {
    /// A line that is sold for the first time.
    pub fn of(article: Thing) -> Self {
        Self { article, alone: None, taken: false, removed: false, may_be_back: false, unlinked: false }
    }
}

impl Story {
    /// Whether a line may have been taken for one that the CRM alone had: two lines that sell the same, each on one side
    /// alone, are one line, and the CRM's words stand.
    pub fn may_be_taken_for_another(&self, line: &Line) -> bool {
        let is_of_crm =
            |other: &Line| other.alone == Some(System::CustomCrm) && other.article == line.article;
        line.taken || line.alone == Some(System::ExactOnline) && self.lines.values().any(is_of_crm)
    }
}

/// All that people did.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Each thing and what is known of it.
    pub things: BTreeMap<Thing, Story>,
    /// What may stand in each cell at the end.
    pub words: BTreeMap<Cell, Vec<Word>>,
    /// What was done, by what it was.
    pub counts: BTreeMap<&'static str, u32>,
    /// What a system's own rules refused.
    pub refused: Vec<String>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some(line) => write!(f, "{} of line \"{line}\" of {}", self.row, self.thing),
            None => write!(f, "{} of {}", self.row, self.thing),
        }
    }
}

impl Ledger {
    /// Everything that people did.
    pub fn edits(&self) -> u32 {
        self.counts.values().sum()
    }

    /// Notes what was done with a thing.
    pub fn tell(&mut self, at: Duration, thing: &Thing, what: &'static str, words: String) {
        *self.counts.entry(what).or_default() += 1;
        self.things.entry(thing.clone()).or_default().told.push((at, words));
    }

    /// A person has the last word in a cell, or contradicts the other side. `is_agreed` is whether the link knows
    /// what both sides agreed on.
    pub fn says(&mut self, cell: Cell, word: Word, shown: &Shown, is_agreed: bool) {
        let words = self.words.entry(cell).or_default();
        let settled = shown.here.is_some() && shown.here == shown.there;
        let sees = |word: &Word| shown.here.as_ref() == Some(&word.value);
        let has_seen = match words.as_slice() {
            [] => true,
            [last] => sees(last),
            several => settled && several.iter().any(sees),
        };
        if has_seen {
            words.clear();
        } else {
            words.retain(|other| other.system != word.system);
        }
        if !is_agreed
            && word.system == System::ExactOnline
            && let Some(value) = &shown.there
            && *value != word.value
        {
            words.push(Word { system: System::CustomCrm, value: value.clone() });
        }
        words.push(word);
    }

    /// These were said at one moment: nobody can have seen the other's word, though it may be what was there before.
    pub fn either_may_stand(&mut self, cell: Cell, said: Vec<Word>) {
        let words = self.words.entry(cell).or_default();
        for word in said {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }

    /// All links are lost. `shown` gives what a side shows in a cell.
    pub fn links_lost(&mut self, shown: impl Fn(&Cell, System) -> Option<Value>) {
        for (thing, story) in &mut self.things {
            let taken: Vec<bool> =
                story.lines.values().map(|line| story.may_be_taken_for_another(line)).collect();
            for ((mark, line), taken) in
                story.lines.iter_mut().zip(taken).filter(|((_, line), _)| !line.removed)
            {
                let row = "Quantity".to_owned();
                let cell = Cell { thing: thing.clone(), line: Some(mark.clone()), row };
                let is_there = System::BOTH.map(|system| shown(&cell, system).is_some());
                line.taken = taken && is_there == [false, false];
                line.alone = match is_there {
                    [true, false] => Some(System::CustomCrm),
                    [false, true] => Some(System::ExactOnline),
                    [true, true] => None,
                    [false, false] => line.alone,
                };
            }
        }
        for (cell, words) in &mut self.words {
            if let (Some(crm), Some(exact)) =
                (shown(cell, System::CustomCrm), shown(cell, System::ExactOnline))
                && crm != exact
                && words.iter().all(|word| word.value != crm)
            {
                words.push(Word { system: System::CustomCrm, value: crm });
            }
        }
        for story in self.things.values_mut() {
            story.unlinked = true;
            story.may_be_back |= story.deleted.is_some();
            for line in story.lines.values_mut() {
                line.may_be_back |= line.removed;
                line.unlinked = true;
            }
        }
    }

    /// The things of a kind that are there and that anybody may still edit.
    pub fn open(&self, kind: Kind) -> impl Iterator<Item = (&Thing, &Story)> {
        let of_kind = self.things.iter().filter(move |(thing, _)| thing.kind == kind);
        of_kind.filter(|(_, story)| story.deleted.is_none() && !story.closed)
    }
}

/// Whether what both sides show at the end is what people said; else why not. `None` where a side does not have it.
pub fn is_kept(words: &[Word], crm: Option<&Value>, exact: Option<&Value>) -> Result<(), String> {
    let told =
        |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), |value| format!("\"{value}\""));
    let (Some(crm), Some(exact)) = (crm, exact) else {
        return Err(format!("CustomCRM shows {} and Exact {}", told(crm), told(exact)));
    };
    let last: Vec<String> =
        words.iter().map(|word| format!("\"{}\" in {}", word.value, word.system.name())).collect();
    let last = last.join(" or ");
    if crm != exact {
        return Err(format!(
            "CustomCRM shows {}, Exact {}; said was {last}",
            told(Some(crm)),
            told(Some(exact))
        ));
    }
    if words.is_empty() || words.iter().any(|word| word.value == *crm) {
        return Ok(());
    }
    Err(format!("the edit is lost: both show {}, and said was {last}", told(Some(crm))))
}
