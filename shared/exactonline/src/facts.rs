//! What Exact's reference says of each property, and whether a pair can work with it.

use std::collections::BTreeMap;

use mapping::{FileProblem, Pair, Place, Property};
use model::{EntityName, System};

use crate::Entity;

#[cfg(test)]
mod tests;

/// What is known of one property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: &'static str,
    /// Its Edm type.
    pub edm: &'static str,
    /// Whether it may be written.
    pub access: Access,
    /// Whether a record can't be created without it.
    pub mandatory: bool,
}

/// Whether a property may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// At any time.
    ReadWrite,
    /// When the record is created, and never after.
    CreateOnly,
    /// Never: Exact sets it, or derives it from another property.
    ReadOnly,
}

/// The properties of accounts: name, type, access, and whether they are mandatory.
const ACCOUNTS: &str = include_str!("facts/accounts.tsv");

/// The entities that these pairs keep in Exact; or all that is wrong with what the pairs say of them.
pub fn kept(pairs: &[Pair]) -> Result<BTreeMap<EntityName, Entity>, Vec<FileProblem>> {
    let mut kept = BTreeMap::new();
    let mut problems = Vec::new();
    for pair in pairs {
        let name = &pair.entities.exactonline;
        if let Some(entity) = Entity::named(name.as_str()) {
            problems.extend(entity.unfit(pair));
            kept.insert(name.clone(), entity);
        } else {
            let known = Entity::names().collect::<Vec<_>>().join(", ");
            let problem =
                format!("Exact has no entity {:?} that is kept: name one of {known}", name.as_str());
            problems.push(Place::START.problem(&pair.file, problem));
        }
    }
    if problems.is_empty() { Ok(kept) } else { Err(problems) }
}

impl Entity {
    /// What is known of the entity's properties.
    pub fn facts(&self) -> impl Iterator<Item = Fact> {
        let table = if self.name == "accounts" { ACCOUNTS } else { "" };
        table.lines().filter_map(fact)
    }

    /// What is known of one property; `None` when the entity has none of this name.
    pub fn fact(&self, name: &str) -> Option<Fact> {
        self.facts().find(|fact| fact.name == name)
    }

    /// What of a pair can't work with this entity: a property that Exact does not have, or has of another type; a
    /// read-only one that the pair would write; a mandatory one that it does not demand.
    pub(crate) fn unfit(&self, pair: &Pair) -> Vec<FileProblem> {
        let mut problems: Vec<FileProblem> = pair
            .properties
            .iter()
            .filter_map(|row| self.unfit_row(row).map(|problem| row.place.problem(&pair.file, problem)))
            .collect();
        let written = |fact: &Fact| {
            pair.properties
                .iter()
                .any(|row| row.names.exactonline == fact.name && row.flow.reaches(System::ExactOnline))
        };
        if pair.creates.exactonline {
            for fact in self.facts().filter(|fact| fact.mandatory && !written(fact)) {
                let problem = format!(
                    "nothing is created in Exact without {}: add a row that writes it, or set `create = false` for exactonline",
                    fact.name
                );
                problems.push(Place::START.problem(&pair.file, problem));
            }
        }
        problems
    }

    fn unfit_row(&self, row: &Property) -> Option<String> {
        let name = &row.names.exactonline;
        let Some(fact) = self.fact(name) else {
            let nearest = self.facts().max_by(|a, b| {
                strsim::jaro_winkler(a.name, name).total_cmp(&strsim::jaro_winkler(b.name, name))
            })?;
            return Some(format!(
                "Exact's {} have no property {name:?}: did you mean {:?}?",
                self.name, nearest.name
            ));
        };
        let writes = row.flow.reaches(System::ExactOnline);
        if row.edm != fact.edm {
            Some(format!(
                "Exact's {name} is of type {}, not {}: write edm = {:?}",
                fact.edm, row.edm, fact.edm
            ))
        } else if writes && fact.access == Access::ReadOnly {
            Some(format!("Exact's {name} can only be read: write direction = \"to-crm\""))
        } else if writes && fact.mandatory && !row.required {
            Some(format!("Exact's {name} is mandatory: write required = true"))
        } else {
            None
        }
    }
}

fn fact(line: &'static str) -> Option<Fact> {
    let mut fields = line.split('\t');
    let (name, edm, access) = (fields.next()?, fields.next()?, fields.next()?);
    let access = match access {
        "read-write" => Access::ReadWrite,
        "create-only" => Access::CreateOnly,
        _ => Access::ReadOnly,
    };
    Some(Fact { name, edm, access, mandatory: fields.next() == Some("mandatory") })
}
