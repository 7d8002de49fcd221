//! Whether Exact can work with a pair.

use std::collections::BTreeMap;

use mapping::{Constant, FileProblem, Lines, Pair, Place, Property, WrittenTo};
use model::{Content, EntityName, System};

use super::{Access, Fact, Need};
use crate::{Entity, Parts};

/// The entities that these pairs keep in Exact; or all that is wrong with what the pairs say of them. A pair may be among
/// them in both of its readings, and what is wrong in both is told once.
pub fn kept(pairs: &[Pair]) -> Result<BTreeMap<EntityName, Entity>, Vec<FileProblem>> {
    let mut kept = BTreeMap::new();
    let mut problems: Vec<FileProblem> = Vec::new();
    for pair in pairs {
        let name = &pair.entities.exactonline;
        let found = if let Some(entity) = Entity::named(name.as_str()) {
            kept.insert(name.clone(), entity);
            entity.unfit(pair)
        } else {
            let known = Entity::names().collect::<Vec<_>>().join(", ");
            let problem =
                format!("Exact has no entity {:?} that is kept: name one of {known}", name.as_str());
            vec![Place::START.problem(&pair.file, problem)]
        };
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() { Ok(kept) } else { Err(problems) }
}

impl Entity {
    /// What of a pair can't work with this entity.
    pub(crate) fn unfit(&self, pair: &Pair) -> Vec<FileProblem> {
        let mut fitting = Fitting { entity: self, own: Kind::own(self), pair, problems: Vec::new() };
        fitting.rows();
        fitting.constants();
        fitting.admission();
        fitting.lines();
        fitting.needs();
        fitting.problems
    }
}

/// A pair being held against what is known of its entity.
struct Fitting<'a> {
    entity: &'a Entity,
    own: Kind,
    pair: &'a Pair,
    problems: Vec<FileProblem>,
}

impl<'a> Fitting<'a> {
    fn rows(&mut self) {
        for row in &self.pair.properties {
            self.tell(row.place, self.own.unfit(row));
        }
    }

    fn constants(&mut self) {
        for constant in self.given() {
            let is_lines = self.entity.lines_name() == Some(constant.name.as_str());
            let problem =
                if is_lines { self.unfit_lines(constant) } else { self.own.unfit_constant(&constant.name) };
            self.tell(constant.place, problem);
        }
    }

    /// A constant may give every new document its lines.
    fn unfit_lines(&self, constant: &Constant) -> Option<String> {
        let kind = Kind::lines(self.entity, self.entity.parts?);
        let Content::List(list) = &constant.content else {
            return Some(format!("{} is a list of lines: write [{{ ... }}]", constant.name));
        };
        list.iter().find_map(|line| match line {
            Content::Object(line) => line.keys().find_map(|name| kind.unfit_constant(name)).or_else(|| {
                kind.missing(|name| line.contains_key(name)).map(|missing| format!("{missing}: add it"))
            }),
            other => Some(format!("a line is an object, not {}: write {{ ... }}", other.kind())),
        })
    }

    /// What tells which records get a partner must be there to be read.
    fn admission(&mut self) {
        for name in self.pair.admissions.exactonline.names() {
            let problem = self.own.known(name).err().map(|problem| format!("`admits`: {problem}"));
            self.tell(Place::START, problem);
        }
    }

    fn lines(&mut self) {
        let Some(lines) = &self.pair.lines else { return };
        let Some((name, parts)) = self.entity.lines_name().zip(self.entity.parts) else {
            let problem = format!("Exact's {} have no lines: leave [lines] out", self.entity.name);
            self.tell(lines.place, Some(problem));
            return;
        };
        for problem in unfit_list(name, parts, lines) {
            self.tell(lines.place, Some(problem));
        }
        let kind = Kind::lines(self.entity, parts);
        for row in &lines.properties {
            self.tell(row.place, kind.unfit(row));
        }
        if lines.flow.reaches(System::ExactOnline) {
            let missing = kind.missing(|name| lines.properties.iter().any(|row| writes(row, name)));
            let remedy = "add a row that writes it, or set direction = \"to-crm\" for the lines";
            self.tell(lines.place, missing.map(|missing| format!("{missing}: {remedy}")));
        }
    }

    /// What a record can't be without must be written by the pair that makes it.
    fn needs(&mut self) {
        if !self.pair.creates.exactonline {
            return;
        }
        let lines = self.pair.lines.as_ref().filter(|lines| lines.flow.reaches(System::ExactOnline));
        let missing = self.own.missing(|name| {
            self.pair.properties.iter().any(|row| writes(row, name))
                || self.given().any(|constant| constant.name == name)
                || lines.is_some_and(|lines| lines.names.exactonline == name)
        });
        let remedy = "add a row that writes it, or set `create = false` for exactonline";
        self.tell(Place::START, missing.map(|missing| format!("{missing}: {remedy}")));
    }

    /// The constants that Exact's new records are given.
    fn given(&self) -> impl Iterator<Item = &'a Constant> + use<'a> {
        self.pair.constants.iter().filter(|constant| constant.system == System::ExactOnline)
    }

    fn tell(&mut self, place: Place, problem: Option<String>) {
        self.problems.extend(problem.map(|problem| place.problem(&self.pair.file, problem)));
    }
}

/// A kind of record or line, and what is known of its properties.
struct Kind {
    /// What its many are called in messages.
    name: String,
    facts: Vec<Fact>,
    /// Properties that Exact fills or that Tandem fills itself: no row may write them, and none is missed.
    ours: Vec<&'static str>,
    /// Whether what the feed lacks is read from the records themselves.
    reads_records: bool,
    /// What the feed lacks and another feed has.
    price: Option<&'static str>,
}

impl Kind {
    fn own(entity: &Entity) -> Self {
        let reads_records = entity.has_lines();
        let name = format!("Exact's {}", entity.name);
        Self {
            name,
            facts: entity.facts().collect(),
            ours: Vec::new(),
            reads_records,
            price: entity.price_name(),
        }
    }

    fn lines(entity: &Entity, parts: Parts) -> Self {
        let name = format!("the lines of Exact's {}", entity.name);
        Self {
            name,
            facts: parts.facts().collect(),
            ours: vec![parts.parent],
            reads_records: false,
            price: None,
        }
    }

    /// The fact of this name, or what is wrong with the name.
    fn known(&self, name: &str) -> Result<Fact, String> {
        if let Some(fact) = self.facts.iter().find(|fact| fact.name == name) {
            return Ok(*fact);
        }
        let likeness = |fact: &Fact| strsim::jaro_winkler(fact.name, name);
        let nearest = self.facts.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let nearest = nearest.map_or("", |fact| fact.name);
        Err(format!("{} have no property {name:?}: did you mean {nearest:?}?", self.name))
    }

    fn unfit(&self, row: &Property) -> Option<String> {
        let name = row.names.exactonline.as_deref()?;
        let fact = match self.known(name) {
            Ok(fact) => fact,
            Err(problem) => return Some(problem),
        };
        let writes = row.flow.reaches(System::ExactOnline);
        let is_had = fact.fed || self.reads_records || self.price == Some(name);
        if row.edm != fact.edm {
            Some(format!(
                "{name} of {} is of type {}, not {}: write edm = {:?}",
                self.name, fact.edm, row.edm, fact.edm
            ))
        } else if !is_had {
            Some(format!("the sync feed of {} does not show {name}: leave the row out", self.name))
        } else if writes && self.ours.contains(&name) {
            Some(format!("{name} names the document of a line and is filled in: leave the row out"))
        } else if let Some(written_to) = row.written_to.filter(|_| self.price != Some(name)) {
            let written_to = written_to.name();
            Some(format!("{name} of {} is not in {written_to}: leave written_to out", self.name))
        } else if writes && fact.access == Access::ReadOnly && row.written_to.is_none() {
            let apart = WrittenTo::SalesItemPrices.name();
            let apart =
                if self.price == Some(name) { format!(", or written_to = {apart:?}") } else { String::new() };
            Some(format!("{name} of {} can only be read: write direction = \"to-crm\"{apart}", self.name))
        } else if writes && fact.access == Access::CreateOnly && !row.create_only {
            Some(format!(
                "{name} of {} can't be changed once it is there: write create_only = true",
                self.name
            ))
        } else if writes && fact.need == Need::Mandatory && !row.required {
            Some(format!("{name} of {} is mandatory: write required = true", self.name))
        } else {
            None
        }
    }

    fn unfit_constant(&self, name: &str) -> Option<String> {
        match self.known(name) {
            Err(problem) => Some(problem),
            Ok(fact) if fact.access == Access::ReadOnly || self.ours.contains(&name) => {
                Some(format!("{name} of {} can't be given: leave the constant out", self.name))
            }
            Ok(_) => None,
        }
    }

    /// What nothing is made without, where it is not written.
    fn missing(&self, written: impl Fn(&str) -> bool) -> Option<String> {
        let lacks = |fact: &&Fact| !self.ours.contains(&fact.name) && !written(fact.name);
        let of_need = |need: Need| self.facts.iter().filter(move |fact| fact.need == need);
        let mut missing: Vec<String> =
            of_need(Need::Mandatory).filter(lacks).map(|fact| fact.name.to_owned()).collect();
        if of_need(Need::OneOf).all(|fact| lacks(&fact)) {
            let names: Vec<&str> = of_need(Need::OneOf).map(|fact| fact.name).collect();
            missing.extend((!names.is_empty()).then(|| names.join(" or ")));
        }
        (!missing.is_empty())
            .then(|| format!("none of {} is made without {}", self.name, missing.join(" and ")))
    }
}

fn writes(row: &Property, name: &str) -> bool {
    row.names.exactonline.as_deref() == Some(name) && row.flow.reaches(System::ExactOnline)
}

/// What the lines of a pair say of the list itself.
fn unfit_list(name: &str, parts: Parts, lines: &Lines) -> Vec<String> {
    let edm = format!("Collection({name})");
    let expected = [
        ("exactonline", lines.names.exactonline.as_str(), name),
        ("edm", lines.edm.as_str(), &edm),
        ("id, exactonline", lines.ids.exactonline.as_str(), parts.resource.key),
    ];
    let wrong = expected.into_iter().filter(|(_, written, right)| written != right);
    wrong
        .map(|(key, written, right)| {
            format!("[lines] {key} is {written:?} and must be {right:?}: write that")
        })
        .collect()
}
