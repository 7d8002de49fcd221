//! Which records may get a partner.

use std::collections::BTreeMap;

use model::{Content, Properties, System};

use crate::Pair;

/// The records of an entity that a pair admits: those to which at least one case applies; without a case, all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// The cases. Each holds, by the vendor's own property names, what must be there for it to apply.
    pub cases: Vec<BTreeMap<String, Vec<Wanted>>>,
}

/// What a property must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Anything but nothing.
    Filled,
    /// Nothing: null, an empty text, or no such property.
    Empty,
    /// Just this.
    Is(Content),
}

impl Admission {
    /// The vendor's names of all properties that it looks at.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.cases.iter().flat_map(|case| case.keys()).map(String::as_str)
    }

    fn admits(&self, properties: &Properties) -> bool {
        let holds = |name: &String, wanted: &Vec<Wanted>| {
            wanted.iter().any(|wanted| wanted.is_met_by(properties.get(name)))
        };
        self.cases.is_empty()
            || self.cases.iter().any(|case| case.iter().all(|(name, wanted)| holds(name, wanted)))
    }
}

impl Wanted {
    fn is_met_by(&self, content: Option<&Content>) -> bool {
        let is_empty = match content {
            None | Some(Content::Null) => true,
            Some(Content::Text(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        match self {
            Self::Filled => !is_empty,
            Self::Empty => is_empty,
            Self::Is(wanted) => content == Some(wanted),
        }
    }
}

impl Pair {
    /// Whether a record may get a partner made for it. A record that is not admitted still is the partner of one
    /// that finds it by a match key.
    pub fn admits(&self, system: System, properties: &Properties) -> bool {
        self.admissions[system].admits(properties)
    }
}
