//! A pair: its rows, and a record seen and written through them.

use std::collections::{BTreeMap, BTreeSet};

use link::{ConflictPolicy, DeletePolicy, Flow, Policy, Rule};
use model::{EntityName, PairName, Properties, PropertyName, System, SystemPair, Value, View};

use crate::{Lens, LensProblem, Lookups, Place, ReferenceNeed};

/// Two entities and what ties their properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Its name.
    pub name: PairName,
    /// The file that it was read from, for messages.
    pub file: String,
    /// The entity on each side.
    pub entities: SystemPair<EntityName>,
    /// Its rows, in the order of the file.
    pub properties: Vec<Property>,
    /// The properties by which an unlinked record finds its partner, the strongest first.
    pub match_keys: Vec<PropertyName>,
    /// The property by which a record that our own user made, and that carries no match key, is found again
    /// after an uncertain create.
    pub search_own: PropertyName,
    /// Whether a missing partner may be created in each system.
    pub creates: SystemPair<bool>,
    /// What marks a record as no longer in use, in each system; `None` where a deletion of its partner ends the
    /// link and leaves the record as it is.
    pub archives: SystemPair<Option<Archive>>,
    /// Rows that rest because the pair that they refer to is not kept by this deployment.
    pub resting: Vec<PropertyName>,
}

/// The property and value that mark a record as no longer in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The property.
    pub property: PropertyName,
    /// Its value.
    pub value: Value,
}

/// One row of a pair's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Where the row stands in its file.
    pub place: Place,
    /// The row's name.
    pub name: PropertyName,
    /// What the property is called on each side.
    pub names: SystemPair<String>,
    /// Its type in Exact's reference.
    pub edm: String,
    /// How it is read and written.
    pub lens: Lens,
    /// Which way it flows.
    pub flow: Flow,
    /// What happens when both sides changed it.
    pub conflict: ConflictPolicy,
    /// Whether a record can't be without it.
    pub required: bool,
    /// Whether emptying it is undone rather than carried over.
    pub keep_filled: bool,
}

/// A record seen through a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What could be read.
    pub view: View,
    /// What could not, and why.
    pub problems: Vec<Problem>,
}

/// A property that does not fit. Names the property, never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{property} {problem}")]
pub struct Problem {
    /// The property, under its vendor's name.
    pub property: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A normalised value by which a partner is looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MatchKey {
    /// The row.
    pub property: PropertyName,
    /// Its value, in the form that is compared: lower case, without blanks and punctuation of codes.
    pub value: String,
}

impl Pair {
    /// The records that must be looked up before this record can be read.
    pub fn needs(&self, system: System, properties: &Properties) -> BTreeSet<ReferenceNeed> {
        self.properties.iter().filter_map(|row| row.lens.need(properties.get(&row.names[system])?)).collect()
    }

    /// Reads a record. A property that the record does not hold is absent from the view; one that can't be
    /// read is absent too, and told as a problem.
    pub fn view(&self, system: System, properties: &Properties, lookups: &Lookups) -> Seen {
        let mut seen = Seen::default();
        for row in &self.properties {
            let Some(content) = properties.get(&row.names[system]) else { continue };
            match row.lens.get(system, content, lookups) {
                Ok(value) => {
                    seen.view.insert(row.name.clone(), value);
                }
                Err(problem) => seen.problems.push(row.problem(system, &problem)),
            }
        }
        seen
    }

    /// Writes these values as the system's own properties.
    ///
    /// All that does not fit is told at once, and then nothing is to be sent: a value that is too long, a
    /// required property emptied, or, for a create, left out.
    pub fn put(
        &self,
        system: System,
        values: &View,
        creating: bool,
        lookups: &Lookups,
    ) -> Result<Properties, Vec<Problem>> {
        let mut properties = Properties::new();
        let mut problems = Vec::new();
        for row in &self.properties {
            let value = values.get(&row.name);
            let missing = value.map_or(creating, Value::is_empty);
            if row.required && missing {
                problems.push(Problem {
                    property: row.names[system].clone(),
                    problem: "is mandatory and is empty: fill it in".to_owned(),
                });
                continue;
            }
            let Some(value) = value else { continue };
            match row.lens.put(system, value, lookups) {
                Ok(content) => {
                    properties.insert(row.names[system].clone(), content);
                }
                Err(problem) => problems.push(row.problem(system, &problem)),
            }
        }
        if problems.is_empty() { Ok(properties) } else { Err(problems) }
    }

    /// The match keys that a view carries, the strongest first.
    pub fn match_keys(&self, view: &View) -> Vec<MatchKey> {
        self.match_keys
            .iter()
            .filter_map(|property| match view.get(property)? {
                Value::Text(text) => normal(text).map(|value| MatchKey { property: property.clone(), value }),
                _ => None,
            })
            .collect()
    }

    /// The row of this name.
    pub fn property(&self, name: &PropertyName) -> Option<&Property> {
        self.properties.iter().find(|row| row.name == *name)
    }

    /// The names of all mapped properties in a system: what a read has to select.
    pub fn names(&self, system: System) -> Vec<&str> {
        self.properties.iter().map(|row| row.names[system].as_str()).collect()
    }

    /// The rules that the link state machine follows.
    pub fn policy(&self) -> Policy {
        let rule =
            |row: &Property| Rule { flow: row.flow, conflict: row.conflict, keep_filled: row.keep_filled };
        let delete = |archive: &Option<Archive>| match archive {
            Some(archive) => DeletePolicy::Archive(archive.property.clone(), archive.value.clone()),
            None => DeletePolicy::Unlink,
        };
        Policy {
            rules: self
                .properties
                .iter()
                .map(|row| (row.name.clone(), rule(row)))
                .collect::<BTreeMap<_, _>>(),
            creates: self.creates,
            deletes: SystemPair {
                customcrm: delete(&self.archives.customcrm),
                exactonline: delete(&self.archives.exactonline),
            },
        }
    }
}

impl Property {
    fn problem(&self, system: System, problem: &LensProblem) -> Problem {
        Problem { property: self.names[system].clone(), problem: problem.to_string() }
    }
}

/// The form in which two keys are compared; `None` when nothing is left to compare.
fn normal(text: &str) -> Option<String> {
    let is_address = text.contains('@');
    let kept: String = text
        .chars()
        .filter(|c| if is_address { !c.is_whitespace() } else { c.is_alphanumeric() })
        .flat_map(char::to_lowercase)
        .collect();
    (!kept.is_empty()).then_some(kept)
}
