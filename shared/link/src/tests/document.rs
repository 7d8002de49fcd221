//! Documents in few words: a line is its own id, then product, quantity, price and note. `-` is empty, and a product
//! `@x` is not linked yet.

use model::{LineKey, PropertyName, System, SystemPair, Value, View};

use super::fixture::{BOTH_WAYS, CRM, Story, alone, policy, property, record, seen, side, value};
use crate::{ConflictPolicy, Flow, LinesPolicy, Link, Observation, Policy, Rule, Side, Status};

const CELLS: [&str; 4] = ["Product", "Quantity", "Price", "Note"];

/// A document's rows: a header's `a`, and lines whose number belongs to Exact Online.
pub(crate) fn papers() -> Policy {
    let required = Rule { required: true, ..BOTH_WAYS };
    let mut policy = policy(&[
        ("a", BOTH_WAYS),
        ("Lines", Rule { conflict: ConflictPolicy::Ask, ..BOTH_WAYS }),
        ("Lines.Product", required),
        ("Lines.Quantity", BOTH_WAYS),
        ("Lines.Price", BOTH_WAYS),
        ("Lines.Note", BOTH_WAYS),
        ("Lines.Number", Rule { flow: Flow::To(CRM), ..BOTH_WAYS }),
    ]);
    let match_by = ["Lines.Product", "Lines.Quantity", "Lines.Price"].map(property);
    policy.lines = Some(LinesPolicy { row: property("Lines"), match_by: match_by.to_vec() });
    policy
}

pub(super) fn with(mut policy: Policy, row: &str, rule: Rule) -> Policy {
    policy.rules.insert(property(row), rule);
    policy
}

/// The key of a line by its own id: those of Exact Online begin with `X`.
pub(crate) fn key(id: &str) -> LineKey {
    let system = if id.starts_with('X') { System::ExactOnline } else { System::CustomCrm };
    LineKey::begun_by(system, &record(id))
}

pub(crate) fn there(id: &str) -> PropertyName {
    PropertyName::of_line(&property("Lines"), &key(id))
}

pub(crate) fn cell(id: &str, name: &str) -> PropertyName {
    PropertyName::in_line(&key(id), &property(&format!("Lines.{name}")))
}

/// A document's view, each line under its own key.
pub(crate) fn paper(lines: &[&str]) -> View {
    let mut view = super::fixture::view(&[("a", "A")]);
    for line in lines {
        let mut words = line.split(' ');
        let id = words.next().unwrap();
        view.insert(there(id), Value::Boolean(true));
        for (name, word) in CELLS.iter().zip(words) {
            view.insert(cell(id, name), value(if word == "-" { "" } else { word }));
        }
    }
    view
}

/// The document of a side as a person left it.
pub(super) fn seen_paper(system: System, version: u64, lines: &[&str]) -> Observation {
    Observation { view: paper(lines), ..seen(system, version, &[]) }
}

/// The document of a side as our own write left it.
pub(super) fn our_paper(system: System, version: u64, lines: &[&str]) -> Observation {
    Observation { by_us: true, ..seen_paper(system, version, lines) }
}

/// An answer that tells of the record and not of its lines.
pub(super) fn without_lines(observation: Observation) -> Observation {
    Observation { view: super::fixture::view(&[("a", "A")]), whole_lines: false, ..observation }
}

pub(super) fn paper_side(id: &str, version: u64, lines: &[&str]) -> Side {
    Side { view: paper(lines), ..side(id, version, &[]) }
}

/// The CRM's document alone.
pub(super) fn lone_paper(lines: &[&str]) -> Link {
    let link = alone(&[]);
    Link::begin(link.connection, link.pair, CRM, paper_side("c1", 1, lines))
}

/// Both documents with the same lines, `L1` and `X1`, `L2` and `X2` and so on tied and agreed on.
pub(crate) fn linked_paper(lines: &[&str]) -> Link {
    let mut link = lone_paper(lines);
    link.sides.exactonline = Some(paper_side("e1", 1, lines));
    link.status = Status::Linked;
    let agreed = |(name, value): (&PropertyName, &Value)| {
        (name.clone(), SystemPair { customcrm: value.clone(), exactonline: value.clone() })
    };
    link.agreed = paper(lines).iter().map(agreed).collect();
    for (tie, keys) in &mut link.lines {
        let id = tie.id_in(CRM).unwrap();
        keys.exactonline = Some(key(&id.as_str().replace('L', "X")));
    }
    link
}

/// A view's lines in words: `L1` for one that is there, `no L1` for one that is not any more, and what they hold.
pub(super) fn words(view: &View) -> Vec<String> {
    let line = |(name, value): (&PropertyName, &Value)| {
        let key = name.line()?;
        let id = System::BOTH.into_iter().find_map(|system| key.id_in(system)).unwrap();
        Some(match (name.row().as_str(), value) {
            ("Lines", Value::Empty) => format!("no {id}"),
            ("Lines", _) => id.to_string(),
            (row, value) => format!("{id}.{} = {value}", &row["Lines.".len()..]),
        })
    };
    view.iter().filter_map(line).collect()
}

impl Story {
    /// Two documents that were linked by hand, or by their numbers, before anything of them was agreed on.
    pub(super) fn of_two(crm: &[&str], exact: &[&str], policy: Policy) -> Self {
        let mut story = Self::of(lone_paper(crm), policy);
        let side = paper_side("e1", 1, exact);
        story.then(crate::Event::Joined { system: System::ExactOnline, side });
        story
    }

    /// What is in flight to a side, of lines.
    pub(super) fn said(&self, system: System) -> Vec<String> {
        words(self.write(system).values())
    }

    /// What a side is told when it claims now.
    pub(super) fn told(&mut self, system: System) -> Vec<String> {
        self.claims(system);
        match self.link.pending[system].sent() {
            Some(values) => words(values),
            None => Vec::new(),
        }
    }

    /// How a side's lines look.
    pub(super) fn lines(&self, system: System) -> Vec<String> {
        words(&self.holds(system))
    }

    /// Each side's own id of a line.
    pub(super) fn tie(&self, id: &str) -> (Option<String>, Option<String>) {
        let keys = &self.link.lines[&key(id)];
        let own = |system: System| keys[system].as_ref()?.id_in(system).map(|id| id.to_string());
        (own(System::CustomCrm), own(System::ExactOnline))
    }
}
