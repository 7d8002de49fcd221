//! What there is to check: the document's rows, as executable checks. Pure.

use link::Flow;
use mapping::{Lines, Pair, Property};
use model::{PairName, PropertyName, System};

/// What CustomCRM calls a record's own id.
const ID: &str = "Id";

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// The pair.
    pub(crate) pair: PairName,
    /// The row; of a line's property `Lines.Quantity`.
    pub(crate) row: PropertyName,
    /// What of it.
    pub(crate) aspect: Aspect,
}

/// What is checked of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// An edit in the other system arrives in this one, and its undoing too.
    Flows(System),
    /// What Exact alone sets shows in the CRM.
    Shows,
    /// An edit in this system is not carried to the other one.
    StaysIn(System),
    /// A new record's value arrives in this system.
    Made(System),
    /// An edit in the CRM, of what Exact takes with a new record only, is held and not written.
    Held,
}

impl Aspect {
    /// The direction that it is about, in the words of the pair files.
    pub(crate) const fn direction(self) -> &'static str {
        match self {
            Self::Flows(System::ExactOnline) | Self::Made(System::ExactOnline) | Self::Held => "to-exact",
            Self::Flows(System::CustomCrm) | Self::Made(System::CustomCrm) | Self::Shows => "to-crm",
            Self::StaysIn(System::CustomCrm) => "not to-exact",
            Self::StaysIn(System::ExactOnline) => "not to-crm",
        }
    }

    /// What is done, for people.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::Flows(_) => "an edit arrives",
            Self::Shows => "what Exact sets shows",
            Self::StaysIn(_) => "an edit stays where it is made, or is set back",
            Self::Made(_) => "a new record carries it",
            Self::Held => "a later edit is held",
        }
    }
}

/// All checks of these pairs, row by row and direction by direction. `is_set_by_exact` tells whether Exact alone sets
/// a row's property.
pub(crate) fn checks(pairs: &[Pair], is_set_by_exact: impl Fn(&Pair, &Property) -> bool) -> Vec<Check> {
    let mut checks = Vec::new();
    for pair in pairs {
        let mut add = |row: &PropertyName, aspects: Vec<Aspect>| {
            let check = |aspect| Check { pair: pair.name.clone(), row: row.clone(), aspect };
            checks.extend(aspects.into_iter().map(check));
        };
        for row in &pair.properties {
            add(&row.name, aspects(pair, row, is_set_by_exact(pair, row)));
        }
        if let Some(lines) = &pair.lines {
            add(&lines.name, flows(lines));
            for row in &lines.properties {
                add(&row.name, aspects(pair, row, is_set_by_exact(pair, row)));
            }
        }
        for constant in &pair.constants {
            if let Ok(name) = PropertyName::parse(&constant.name) {
                add(&name, vec![Aspect::Made(constant.system)]);
            }
        }
    }
    checks
}

fn flows(lines: &Lines) -> Vec<Aspect> {
    System::BOTH.into_iter().filter(|to| lines.flow.reaches(*to)).map(Aspect::Flows).collect()
}

fn aspects(pair: &Pair, row: &Property, is_set_by_exact: bool) -> Vec<Aspect> {
    if System::BOTH.into_iter().any(|system| row.names[system].is_none()) {
        // Known on one side only: there is nothing to compare.
        return Vec::new();
    }
    if row.create_only {
        let made = System::BOTH.into_iter().filter(|to| pair.creates[*to]).map(Aspect::Made);
        return made.chain([Aspect::Held]).collect();
    }
    match row.flow {
        Flow::Both => vec![Aspect::Flows(System::ExactOnline), Aspect::Flows(System::CustomCrm)],
        Flow::To(System::CustomCrm) | Flow::Follow(System::CustomCrm) => {
            let shows = if is_set_by_exact { Aspect::Shows } else { Aspect::Flows(System::CustomCrm) };
            vec![shows, Aspect::StaysIn(System::CustomCrm)]
        }
        Flow::To(System::ExactOnline) | Flow::Follow(System::ExactOnline) => {
            // Who a record is can't be edited: its partner says it from the beginning.
            let is_identity = row.names.customcrm.as_deref() == Some(ID);
            let arrives = if is_identity { Aspect::Made } else { Aspect::Flows };
            vec![arrives(System::ExactOnline), Aspect::StaysIn(System::ExactOnline)]
        }
    }
}
