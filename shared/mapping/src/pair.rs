//! A pair: its rows, and a record seen and written through them.

mod keys;
mod put;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use link::{ConflictPolicy, DeleteConflict, DeletePolicy, Flow, LinesPolicy, Policy, Rule};
use model::{Content, EntityName, PairName, PropertyName, System, SystemPair, Value, View};

pub use self::{
    keys::{KeyRows, MatchKey},
    put::{LinePut, Onto, Put},
};
use crate::{Admission, Lens, LensProblem, Place};

/// Two entities and what ties their properties.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Its name.
    pub name: PairName,
    /// The file that it was read from, for messages.
    pub file: String,
    /// Where it says which other pairs write before it or, without that, its entity in Exact.
    pub place: Place,
    /// What it keeps in agreement, for the dataflow document.
    pub about: About,
    /// The entity on each side.
    pub entities: SystemPair<EntityName>,
    /// Its rows, in the order of the file; those of lines are in [`Self::lines`].
    pub properties: Vec<Property>,
    /// The lines of a document; `None` for a pair of plain records.
    pub lines: Option<Lines>,
    /// What every record that the pair makes is given.
    pub constants: Vec<Constant>,
    /// The rows by which an unlinked record finds its partner, the strongest first.
    pub match_keys: Vec<KeyRows>,
    /// The property by which a record that our own user made, and that carries no match key, is found again
    /// after an uncertain create.
    pub search_own: PropertyName,
    /// Whether a missing partner may be created in each system.
    pub creates: SystemPair<bool>,
    /// Which records of each system may get a partner.
    pub admissions: SystemPair<Admission>,
    /// What becomes of a record in each system when its partner is deleted.
    pub deletes: SystemPair<OnDelete>,
    /// What happens when a record is deleted whose partner holds an edit that it never received.
    pub delete_conflict: DeleteConflict,
    /// The pairs that write before this one where several meet in one record of Exact.
    pub yields_to: Vec<PairName>,
    /// Where a record of CustomCRM takes over another pair's partner instead of getting its own.
    pub adopts: Option<Through>,
    /// What Exact's new record is given where the CRM's own property is empty.
    pub stand_in: Option<StandIn>,
    /// What a record that this pair refers to must hold in Exact before a record is made there.
    pub raises: Option<Raise>,
    /// How Exact numbers the versions of one document, for entities that have such.
    pub versions: Option<Versions>,
    /// Whether a record of CustomCRM may belong to many links: the pair only tells which records are whose, and
    /// writes nothing.
    pub is_membership: bool,
    /// Rows that rest because the pair that they refer to is not kept by this deployment.
    pub resting: Vec<PropertyName>,
}

/// What people read about a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Its heading, such as "Customers and accounts".
    pub title: String,
    /// What is synchronised, in a sentence or a few.
    pub summary: String,
}

/// What becomes of a record when its partner is deleted; the meaning of each is that of [`DeletePolicy`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnDelete {
    /// It is marked as no longer in use.
    Archive(Archive),
    /// It is deleted too.
    Propagate,
    /// It stays, and the link ends.
    Unlink,
    /// It stays, and the link waits for the deleted record to come back.
    Ignore,
}

/// The property and value that mark a record as no longer in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The property.
    pub property: PropertyName,
    /// Its value.
    pub mark: Mark,
}

/// The value that marks a record as no longer in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// This one.
    Value(Value),
    /// The day before: the record was valid until then.
    Yesterday,
}

impl OnDelete {
    fn policy(&self, today: Date) -> DeletePolicy {
        match self {
            Self::Archive(Archive { property, mark }) => DeletePolicy::Archive(
                property.clone(),
                match mark {
                    Mark::Value(value) => value.clone(),
                    Mark::Yesterday => Value::Date(today.yesterday().unwrap_or(today)),
                },
            ),
            Self::Propagate => DeletePolicy::Propagate,
            Self::Unlink => DeletePolicy::Unlink,
            Self::Ignore => DeletePolicy::Ignore,
        }
    }
}

/// Another pair's link, found through a property that refers to one of its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// Where it stands in the file.
    pub place: Place,
    /// The property of CustomCRM that holds the other record's id, such as `QuoteId`.
    pub reference: String,
    /// The pair whose link the other record belongs to.
    pub pair: PairName,
}

/// What stands in for an empty property when a record is made in Exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// The row.
    pub property: PropertyName,
    /// The properties of CustomCRM that it is taken from: the first that is filled.
    pub from: Vec<String>,
    /// Whose stand-in is taken over instead, where there is such a link: what Exact holds in the same row there.
    pub inherits: Option<Through>,
}

/// What a record that is referred to must hold in Exact before a record that refers to it is made there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// Where it stands in the file.
    pub place: Place,
    /// The row that refers to it.
    pub reference: PropertyName,
    /// Its property, a row of the pair that the reference goes through.
    pub property: PropertyName,
    /// The value that it must hold.
    pub value: Value,
}

/// The rows that tell the versions of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// The number that all versions share.
    pub number: PropertyName,
    /// Which version it is, from 1.
    pub version: PropertyName,
}

/// A value that every new record of a system is given, whatever its partner holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// Where it stands in its file.
    pub place: Place,
    /// Whose record.
    pub system: System,
    /// The property.
    pub name: String,
    /// Its value; a text `$name` stands for what the connection gives under this name.
    pub content: Content,
}

/// One row of a pair's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Where the row stands in its file.
    pub place: Place,
    /// The row's name; of a line's property `Lines.Quantity`, after the row of the lines.
    pub name: PropertyName,
    /// What the property is called on each side; `None` where it is known on the other side only.
    pub names: SystemPair<Option<String>>,
    /// Properties of CustomCRM that are read where the first one is empty, in this order.
    pub fallbacks: Vec<String>,
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
    /// Whether Exact takes it when a record is made, and never after.
    pub create_only: bool,
    /// Where Exact keeps it, when it can only be read in the record itself.
    pub written_to: Option<WrittenTo>,
    /// Whether it belongs to the least that a working sync carries.
    pub is_core: bool,
    /// What people should know about the row, for the dataflow document.
    pub note: Option<String>,
    /// For a row that writes a line with a label into a text of Exact: the name under which a view holds the rest of
    /// that text. Rows of one text have it in common.
    pub rest: Option<PropertyName>,
}

/// Records of Exact that hold what can only be read in the record of the pair, and are written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenTo {
    /// `Logistics/SalesItemPrices`: a new item comes with one such record, without an account, whose `Price` is the
    /// item's `StandardSalesPrice` (facts of the API).
    SalesItemPrices,
}

impl WrittenTo {
    /// Its name in pair files and in Exact's reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SalesItemPrices => "SalesItemPrices",
        }
    }
}

/// The lines of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// Where they stand in the file.
    pub place: Place,
    /// The row's name, such as `Lines`.
    pub name: PropertyName,
    /// What the list is called on each side.
    pub names: SystemPair<String>,
    /// Their type in Exact's reference.
    pub edm: String,
    /// What a line's own id is called on each side.
    pub ids: SystemPair<String>,
    /// Which way lines flow.
    pub flow: Flow,
    /// What happens when one side removed a line that the other edited.
    pub conflict: ConflictPolicy,
    /// The rows of a line.
    pub properties: Vec<Property>,
    /// The rows by which a line finds its partner at first, the strongest first.
    pub match_by: Vec<PropertyName>,
    /// The row, a number, that tells a line's place in its document.
    pub order: Option<PropertyName>,
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

impl Pair {
    /// The row of this name, a line's among them: `Lines.Quantity` for any `Lines[key].Quantity`.
    pub fn property(&self, name: &PropertyName) -> Option<&Property> {
        let row = name.row();
        self.rows().find(|property| property.name == row)
    }

    /// All rows, those of lines last.
    pub fn rows(&self) -> impl Iterator<Item = &Property> {
        self.properties.iter().chain(self.lines.iter().flat_map(|lines| &lines.properties))
    }

    /// The names of a record's own mapped properties in a system, and of those that its admission, stand-in and
    /// adoption look at, each once: what a read has to select.
    pub fn names(&self, system: System) -> Vec<&str> {
        let rows = self.properties.iter().flat_map(|row| row.paths(system));
        let mut names: Vec<&str> = rows.chain(self.admissions[system].names()).collect();
        if system == System::CustomCrm {
            names.extend(self.adopts.iter().map(|adopts| adopts.reference.as_str()));
            if let Some(stand_in) = &self.stand_in {
                names.extend(stand_in.from.iter().map(String::as_str));
                names.extend(stand_in.inherits.iter().map(|through| through.reference.as_str()));
            }
        }
        each_once(names)
    }

    /// The names of a line's mapped properties in a system, its id among them, each once.
    pub fn line_names(&self, system: System) -> Vec<&str> {
        let Some(lines) = &self.lines else { return Vec::new() };
        let mut names = vec![lines.ids[system].as_str()];
        names.extend(lines.properties.iter().flat_map(|row| row.paths(system)));
        each_once(names)
    }

    /// What the connection must give for this pair, by name, such as `literal.account`.
    pub fn given_names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for constant in &self.constants {
            given_names(&constant.content, &mut names);
        }
        names
    }

    /// The rules that the link state machine follows on a day. A row that one side does not have has none: it is only
    /// read.
    pub fn policy(&self, today: Date) -> Policy {
        let tied =
            self.rows().filter(|row| System::BOTH.into_iter().all(|system| row.names[system].is_some()));
        let mut rules: BTreeMap<PropertyName, Rule> =
            tied.map(|row| (row.name.clone(), self.rule(row))).collect();
        if let Some(lines) = &self.lines {
            let rule = Rule { flow: lines.flow, conflict: lines.conflict, ..Rule::default() };
            rules.insert(lines.name.clone(), rule);
        }
        Policy {
            rules,
            creates: self.creates,
            deletes: SystemPair {
                customcrm: self.deletes.customcrm.policy(today),
                exactonline: self.deletes.exactonline.policy(today),
            },
            delete_conflict: self.delete_conflict,
            lines: self
                .lines
                .as_ref()
                .map(|lines| LinesPolicy { row: lines.name.clone(), match_by: lines.match_by.clone() }),
        }
    }

    fn rule(&self, row: &Property) -> Rule {
        Rule {
            flow: row.flow,
            conflict: row.conflict,
            keep_filled: row.keep_filled,
            required: row.required,
            create_only: row.create_only,
            stand_in: self.stand_in.as_ref().is_some_and(|stand_in| stand_in.property == row.name),
        }
    }
}

fn each_once(mut names: Vec<&str>) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    names
}

fn given_names<'c>(content: &'c Content, names: &mut BTreeSet<&'c str>) {
    match content {
        Content::Text(text) => names.extend(text.strip_prefix('$')),
        Content::List(list) => list.iter().for_each(|item| given_names(item, names)),
        Content::Object(object) => object.values().for_each(|item| given_names(item, names)),
        Content::Null | Content::Boolean(_) | Content::Number(_) => {}
    }
}

impl Property {
    /// The vendor's properties that it is read from, in this order.
    pub(crate) fn paths(&self, system: System) -> impl Iterator<Item = &str> {
        let fallbacks = self.fallbacks.iter().filter(move |_| system == System::CustomCrm);
        self.names[system].iter().chain(fallbacks).map(String::as_str)
    }

    pub(crate) fn problem(&self, system: System, problem: &LensProblem) -> Problem {
        let name = self.names[system].as_deref().unwrap_or(self.name.as_str());
        Problem { property: name.to_owned(), problem: problem.to_string() }
    }
}
