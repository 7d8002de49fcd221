//! The two scripted humans, one on each side: what each does next is drawn from a seed.

mod documents;
mod knowing;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use link::Flow;
use mapping::{Lens, Pair, Property};
use model::{LineKey, PairName, PropertyName, RecordId, Reference, System, Value, View};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};
use rand::{Rng, SeedableRng};
use rust_decimal::Decimal;

use crate::Sides;
use crate::hand::{Hand, Seen, of_lines, refers, row, shows};
use crate::ledger::{Cell, Ledger, Line, Shown, Word};
use crate::things::{Kind, Thing};

/// Rows that people leave alone: what the thing is known by, what it is matched by, and what has a meaning of its own.
const LEFT_ALONE: [&str; 21] = [
    "CustomerNumber",
    "OrganizationNumber",
    "VatNumber",
    "Email",
    "Barcode",
    "Code",
    "LastName",
    "CustomerReference",
    "Status",
    "State",
    "Country",
    "Language",
    "Currency",
    "CostCurrency",
    "IsActive",
    "IsSellable",
    "ValidFrom",
    "ValidTo",
    "Category",
    "VatCode",
    "IsOptional",
];

/// The moment at which a person does something.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The two systems.
    pub sides: &'a Sides,
    /// Since the storm began.
    pub at: Duration,
    /// What the links are known to have agreed on, while links are lost.
    pub agreed: &'a Agreed,
}

/// What a person is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Make,
    Edit,
    Contradict,
    AddLine,
    ChangeLine,
    RemoveLine,
    Delete,
    Confirm,
    Accept,
    Review,
}

/// Both humans.
pub struct People {
    /// Their eyes and hands.
    pub hand: Hand,
    /// What they did.
    pub ledger: Ledger,
    random: [StdRng; 2],
    serial: u32,
    /// Edits that the other side does not show yet: the cell, its value, where it was made, and when.
    outstanding: Vec<(Cell, Value, System, Duration)>,
    /// How long each edit took to show on the other side.
    pub lags: Vec<Duration>,
    /// Of each kind they turn to these many only, the newest: where both are at work at once, they meet.
    pub newest: Option<usize>,
}

/// The records whose links know what both sides agreed on, each with its own keys of the lines of which that holds too.
pub type Agreed = BTreeMap<(PairName, System, RecordId), BTreeSet<LineKey>>;

impl People {
    /// People who do what this seed says.
    pub fn new(seed: u64, hand: Hand) -> Self {
        let random = [1, 2].map(|side: u64| StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(side)));
        Self {
            hand,
            ledger: Ledger::default(),
            random,
            serial: 0,
            outstanding: Vec::new(),
            lags: Vec::new(),
            newest: None,
        }
    }

    fn random(&mut self, system: System) -> &mut StdRng {
        match system {
            System::CustomCrm => &mut self.random[0],
            System::ExactOnline => &mut self.random[1],
        }
    }

    fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Companies, articles and what else a company has from the first.
    pub fn begin(&mut self, sides: &Sides) {
        let now = Moment { sides, at: Duration::ZERO, agreed: &Agreed::new() };
        for system in System::BOTH {
            for _ in 0..3 {
                self.make(now, system, Kind::Company);
                self.make(now, system, Kind::Article);
            }
            for kind in [Kind::Contact, Kind::Quote, Kind::Order] {
                self.make(now, system, kind);
            }
        }
        self.make(now, System::CustomCrm, Kind::Draft);
    }

    /// The human of this side does the next thing.
    pub fn act(&mut self, now: Moment<'_>, system: System) {
        let weights = [
            (Intent::Make, 14),
            (Intent::Edit, 48),
            (Intent::Contradict, 5),
            (Intent::AddLine, 7),
            (Intent::ChangeLine, 12),
            (Intent::RemoveLine, 3),
            (Intent::Delete, 4),
            (Intent::Confirm, 3),
            (Intent::Accept, 2),
            (Intent::Review, 2),
        ];
        let intent = weights.choose_weighted(self.random(system), |(_, weight)| *weight).unwrap().0;
        match intent {
            Intent::Make => {
                let kinds: &[Kind] = match system {
                    System::CustomCrm => &Kind::ALL,
                    System::ExactOnline => {
                        &[Kind::Company, Kind::Contact, Kind::Article, Kind::Quote, Kind::Order]
                    }
                };
                let kind = *kinds.choose(self.random(system)).unwrap();
                self.make(now, system, kind);
            }
            Intent::Edit => self.edit(now, system),
            Intent::Contradict => self.contradict(now, system),
            Intent::AddLine => self.add_line(now, system),
            Intent::ChangeLine => self.change_line(now, system),
            Intent::RemoveLine => self.remove_line(now, system),
            Intent::Delete => self.delete(now, system),
            Intent::Confirm => self.confirm(now),
            Intent::Accept => self.accept(now),
            Intent::Review => self.review(now),
        }
    }

    fn make(&mut self, now: Moment<'_>, system: System, kind: Kind) {
        let serial = self.serial();
        let space = if kind == Kind::Article { "" } else { " " };
        let thing = Thing { kind, mark: format!("{}{space}{serial:05}", kind.word()) };
        let mut view = View::from([(row(kind.mark_row()), Value::Text(thing.mark.clone()))]);
        let mut referred = Vec::new();
        match kind {
            Kind::Company => {
                let status = if system == System::CustomCrm && serial.is_multiple_of(5) {
                    "Prospect"
                } else {
                    "Customer"
                };
                view.insert(row("Status"), text(status));
                view.insert(row("Email"), text(&format!("firma{serial}@example.com")));
            }
            Kind::Contact => {
                view.insert(row("FirstName"), text("Kim"));
                view.insert(row("Email"), text(&format!("kim{serial}@example.com")));
            }
            Kind::Article => {
                view.insert(row("Name"), text(&format!("Artikel {serial}")));
                view.insert(row("IsSellable"), Value::Boolean(true));
            }
            Kind::Quote | Kind::Draft | Kind::Order => {
                view.insert(row("CustomerReference"), text(&format!("ref-{serial}")));
            }
        }
        if kind == Kind::Contact || kind.has_lines() {
            let Some(company) = self.some(now.sides, system, Kind::Company, |seen| is_customer(&seen.view))
            else {
                return;
            };
            view.insert(row("CustomerId"), refers(&company));
            referred.push(company);
        }
        let status = match kind {
            Kind::Order => Some("Confirmed"),
            Kind::Draft => Some("Draft"),
            _ => None,
        };
        if let Some(status) = status.filter(|_| system == System::CustomCrm) {
            view.insert(row("Status"), text(status));
        }
        let mut lines = Vec::new();
        if kind.has_lines() {
            for number in 0..2 {
                let Some((cells, mark, article)) = self.new_line(now.sides, system, number) else { return };
                view.extend(cells);
                lines.push((mark, article.clone()));
                referred.push(article);
            }
        }
        let rows = self.editable(kind);
        for _ in 0..3 {
            let property = rows.choose(self.random(system)).unwrap().clone();
            let value = self.value(system, &property, &Value::Empty);
            view.insert(property.name, value);
        }
        match self.hand.makes(now.sides, &thing, system, &view) {
            Ok(()) => {
                self.ledger.tell(now.at, &thing, "made", format!("made in {}", system.name()));
                for (mark, article) in lines {
                    let story = self.ledger.things.get_mut(&thing).unwrap();
                    story.lines.insert(mark.clone(), Line::of(article));
                    for name in ["Quantity", "UnitPrice"] {
                        self.says_first(&thing, Some(mark.clone()), name, system, &view);
                    }
                }
                for property in rows.iter().filter(|property| view.contains_key(&property.name)) {
                    self.says_first(&thing, None, property.name.as_str(), system, &view);
                }
                for other in referred {
                    self.ledger.things.get_mut(&other).unwrap().referred += 1;
                }
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    fn says_first(&mut self, thing: &Thing, line: Option<String>, name: &str, system: System, view: &View) {
        let cell = Cell { thing: thing.clone(), line, row: name.to_owned() };
        let Some(value) = shows(view, &cell) else { return };
        let shown = Shown { here: None, there: None };
        self.ledger.says(cell, Word { system, value }, &shown, true);
    }

    /// A thing of this kind that this side shows, and shows so.
    fn some(
        &mut self,
        sides: &Sides,
        system: System,
        kind: Kind,
        is_fit: impl Fn(&Seen) -> bool,
    ) -> Option<Thing> {
        let mut open: Vec<Thing> = self.ledger.open(kind).map(|(thing, _)| thing.clone()).collect();
        // They are numbered as they are made.
        let others = self.newest.map_or(0, |newest| open.len().saturating_sub(newest));
        open.drain(..others);
        while !open.is_empty() {
            let at = self.random(system).random_range(0..open.len());
            let thing = open.swap_remove(at);
            if self.hand.sees(sides, &thing, system).is_some_and(|seen| is_fit(&seen)) {
                return Some(thing);
            }
        }
        None
    }

    /// A new line's cells, its mark, and the article that stands on it.
    fn new_line(&mut self, sides: &Sides, system: System, number: u32) -> Option<(View, String, Thing)> {
        let sells = |seen: &Seen| seen.view.get(&row("IsSellable")) == Some(&Value::Boolean(true));
        let article = self.some(sides, system, Kind::Article, sells)?;
        let serial = self.serial();
        let key = LineKey::parse(&format!("new{number}")).unwrap();
        let mark = format!("Regel {serial:05}");
        let cell = |name: &str| PropertyName::in_line(&key, &of_lines(name));
        let quantity = Decimal::from(self.random(system).random_range(1..50));
        let cells = View::from([
            (PropertyName::of_line(&row("Lines"), &key), Value::Boolean(true)),
            (cell("ProductId"), refers(&article)),
            (cell("Description"), text(&mark)),
            (cell("Quantity"), Value::Decimal(quantity)),
            (cell("UnitPrice"), Value::Decimal(Decimal::new(i64::from(serial), 2))),
        ]);
        Some((cells, mark, article))
    }

    /// The rows of a kind that people edit.
    fn editable(&self, kind: Kind) -> Vec<Property> {
        let pair = self.hand.pair(kind);
        let of_pair =
            |property: &&Property| is_editable(property) && property.name.as_str() != kind.mark_row();
        pair.properties.iter().filter(of_pair).cloned().collect()
    }

    fn value(&mut self, system: System, property: &Property, now: &Value) -> Value {
        let serial = self.serial();
        let name = property.name.property().to_owned();
        match &property.lens {
            Lens::Phone { .. } => text(&format!("+31 20 {serial:07}")),
            Lens::Email { .. } => text(&format!("mail{serial}@example.com")),
            Lens::Boolean { .. } => Value::Boolean(*now != Value::Boolean(true)),
            Lens::Date => Value::Date(day(serial)),
            Lens::Decimal { .. } if name.contains("Percent") => {
                Value::Decimal(Decimal::new(i64::from(serial % 9_000) + 1, 2))
            }
            Lens::Decimal { .. } => Value::Decimal(Decimal::new(i64::from(serial) + 100, 2)),
            Lens::Person => {
                let others: Vec<String> = self.hand.colleagues.clone();
                let is_other =
                    |email: &&String| *now != Value::Reference(Reference::Person((**email).clone()));
                let email = others.iter().filter(is_other).choose(self.random(system)).unwrap();
                Value::Reference(Reference::Person(email.clone()))
            }
            Lens::Lookup { list, .. } => {
                let codes: Vec<String> = self.hand.codes(list.name()).into_iter().cloned().collect();
                let other = codes.iter().filter(|code| *now != text(code)).choose(self.random(system));
                other.map_or_else(|| now.clone(), |code| text(code))
            }
            _ => text(&format!("{name} {serial}")),
        }
    }

    /// Edits some rows that are this side's to edit.
    fn edit(&mut self, now: Moment<'_>, system: System) {
        let Some((thing, seen)) = self.editable_thing(now.sides, system) else { return };
        let mut rows = self.editable(thing.kind);
        rows.retain(|property| owner(&thing.mark, property.name.as_str()) == system);
        let count = self.random(system).random_range(1..=3);
        let rows: Vec<Property> = rows.choose_multiple(self.random(system), count).cloned().collect();
        let mut values = View::new();
        for property in rows {
            let held = seen.view.get(&property.name).unwrap_or(&Value::Empty);
            let value = self.value(system, &property, held);
            values.insert(property.name, value);
        }
        self.enter(now, &thing, system, &seen, &values);
    }

    /// A thing of any kind that this side may edit.
    fn editable_thing(&mut self, sides: &Sides, system: System) -> Option<(Thing, Seen)> {
        let kind = *Kind::ALL.choose(self.random(system)).unwrap();
        let confirmed = |people: &Self, thing: &Thing| people.ledger.things[thing].confirmed;
        let thing = self.some(sides, system, kind, |_| true)?;
        if self.is_under_review(sides, &thing) {
            return None;
        }
        // Of a draft that was confirmed, Exact has two records: they are the CRM's to edit.
        if system == System::ExactOnline && confirmed(self, &thing) {
            return None;
        }
        let seen = self.hand.sees(sides, &thing, system)?;
        Some((thing, seen))
    }

    /// Whether the CRM does not show the newest version of a quotation yet.
    fn is_under_review(&mut self, sides: &Sides, thing: &Thing) -> bool {
        if !self.ledger.things[thing].is_under_review {
            return false;
        }
        let version = System::BOTH.map(|system| {
            self.hand
                .sees(sides, thing, system)
                .and_then(|seen| seen.view.get(&row("VersionNumber")).cloned())
        });
        let is_under_review = version[0] != version[1];
        self.ledger.things.get_mut(thing).unwrap().is_under_review = is_under_review;
        is_under_review
    }

    /// Both sides edit one row to different values, neither having seen the other.
    fn contradict(&mut self, now: Moment<'_>, system: System) {
        let Some((thing, _)) = self.editable_thing(now.sides, system) else { return };
        if self.ledger.things[&thing].confirmed {
            return;
        }
        let rows = self.editable(thing.kind);
        let property = rows.choose(self.random(system)).unwrap().clone();
        // A row whose direction turns again and again within a minute is held for a person.
        let turned = format!("contradicted {}", property.name);
        let story = &self.ledger.things[&thing];
        if story.told.iter().any(|(_, told)| told.ends_with(&turned)) {
            return;
        }
        if System::BOTH.iter().any(|system| self.hand.sees(now.sides, &thing, *system).is_none()) {
            return;
        }
        let mut said = Vec::new();
        for side in [system, system.other()] {
            let Some(seen) = self.hand.sees(now.sides, &thing, side) else { return };
            let held = seen.view.get(&property.name).unwrap_or(&Value::Empty).clone();
            said.push((seen, Word { system: side, value: self.value(side, &property, &held) }));
        }
        // Who says the same contradicts nobody: then the one may take it back before anybody has seen it.
        if said[0].1.value == said[1].1.value {
            return;
        }
        let mut said: Vec<Word> = said
            .into_iter()
            .map(|(seen, word)| {
                let values = View::from([(property.name.clone(), word.value.clone())]);
                self.enter(now, &thing, word.system, &seen, &values);
                word
            })
            .collect();
        let cell = Cell { thing: thing.clone(), line: None, row: property.name.to_string() };
        said.retain(|word| {
            let seen = self.hand.sees(now.sides, &thing, word.system);
            seen.and_then(|seen| shows(&seen.view, &cell)).as_ref() == Some(&word.value)
        });
        self.ledger.either_may_stand(cell, said);
        self.ledger.tell(now.at, &thing, "contradicted", turned);
    }

    /// A person enters values, and has the last word in their cells.
    fn enter(&mut self, now: Moment<'_>, thing: &Thing, system: System, seen: &Seen, values: &View) {
        if values.is_empty() {
            return;
        }
        let there = self.hand.sees(now.sides, thing, system.other()).map(|seen| seen.view);
        if let Err(refused) = self.hand.changes(now.sides, thing, system, seen, values) {
            self.ledger.refused.push(format!("{thing}: {refused}"));
            return;
        }
        let mut told = Vec::new();
        for (name, value) in values {
            let cell = cell_of(thing, name, &seen.view);
            let shown = Shown {
                here: shows(&seen.view, &cell),
                there: there.as_ref().and_then(|view| shows(view, &cell)),
            };
            told.push(format!(
                "{}{} = \"{value}\"",
                cell.line.as_deref().map(|line| format!("{line}: ")).unwrap_or_default(),
                cell.row
            ));
            // Whoever speaks last is waited for.
            self.outstanding.retain(|(waiting, ..)| *waiting != cell);
            self.outstanding.push((cell.clone(), value.clone(), system, now.at));
            let line = cell.line.as_deref().map(|line| (line, &seen.view));
            let is_agreed = self.is_agreed(thing, line, now.agreed);
            self.ledger.says(cell, Word { system, value: value.clone() }, &shown, is_agreed);
        }
        self.ledger.tell(
            now.at,
            thing,
            "edited",
            format!("edited in {}: {}", system.name(), told.join(", ")),
        );
    }

    /// Deletes what nothing refers to and both sides agree on: that a deletion meets an edit is another matter.
    fn delete(&mut self, now: Moment<'_>, system: System) {
        let kinds = [Kind::Company, Kind::Contact, Kind::Article, Kind::Quote, Kind::Order];
        let kind = *kinds.choose(self.random(system)).unwrap();
        let Some(thing) = self.some(now.sides, system, kind, |_| true) else { return };
        let story = &self.ledger.things[&thing];
        if story.referred > 0
            || !self.is_settled(now.sides, &thing)
            || !self.is_agreed(&thing, None, now.agreed)
            || system == System::ExactOnline && self.is_newest(now.sides, &thing, kind)
        {
            return;
        }
        let Some(seen) = self.hand.sees(now.sides, &thing, system) else { return };
        match now.sides.deletes(system, kind.place(system), &seen.record) {
            Ok(()) => {
                self.ledger.tell(now.at, &thing, "deleted", format!("deleted in {}", system.name()));
                self.ledger.things.get_mut(&thing).unwrap().deleted = Some(system);
            }
            Err(refused) => self.ledger.refused.push(format!("{thing}: {refused}")),
        }
    }

    /// The pair of a kind.
    pub fn pair(&self, kind: Kind) -> &Pair {
        self.hand.pair(kind)
    }
}

fn is_editable(property: &Property) -> bool {
    let lens = matches!(
        property.lens,
        Lens::Text { .. }
            | Lens::Phone { .. }
            | Lens::Email { .. }
            | Lens::Date
            | Lens::Decimal { .. }
            | Lens::Person
            | Lens::Lookup { .. }
    ) || matches!(property.lens, Lens::Boolean { .. } if property.name.as_str() == "DoNotMail");
    lens && property.flow == Flow::Both
        && !property.create_only
        && property.names.customcrm.is_some()
        && property.names.exactonline.is_some()
        && !LEFT_ALONE.contains(&property.name.property())
}

/// Whose a row of a thing, or of a line, is to edit.
fn owner(mark: &str, row: &str) -> System {
    let sum: u32 = mark.bytes().chain(row.bytes()).map(u32::from).sum();
    System::BOTH[usize::from(sum % 2 == 1)]
}

fn is_customer(view: &View) -> bool {
    view.get(&row("Status")) == Some(&text("Customer"))
}

fn cell_of(thing: &Thing, name: &PropertyName, view: &View) -> Cell {
    let line = name.line().map(|key| {
        let mark = view.get(&PropertyName::in_line(&key, &of_lines("Description")));
        mark.map(ToString::to_string).unwrap_or_default()
    });
    Cell { thing: thing.clone(), line, row: name.property().to_owned() }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn day(serial: u32) -> Date {
    date(2026, 1, 1).checked_add(i64::from(serial % 20_000).days()).unwrap()
}
