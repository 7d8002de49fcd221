//! What people can see of a thing, and how they enter what they mean.

use std::collections::BTreeMap;

use mapping::{Lookups, Onto, Pair, Shared};
use model::{
    Content, LineKey, LinkId, PairName, Properties, PropertyName, RecordId, Reference, System, SystemPair,
    Value, View,
};

use crate::Sides;
use crate::ledger::Cell;
use crate::sides::Refused;
use crate::things::{Kind, Thing};

/// The eyes and the hands of people. They know what refers to what by marks, and nothing of links.
pub struct Hand {
    /// The pairs that are kept.
    pub pairs: Vec<Pair>,
    /// Each thing that people have seen, as if its mark were its link.
    lookups: Lookups,
    /// By e-mail, those who work in both systems.
    pub colleagues: Vec<String>,
}

/// A record that somebody looks at.
pub struct Seen {
    pub record: RecordId,
    pub view: View,
}

impl Hand {
    /// Eyes that know the users of both systems, and the `lists` of codes that Exact has.
    pub fn new(
        pairs: Vec<Pair>,
        sides: &Sides,
        lists: Shared<BTreeMap<String, BTreeMap<String, String>>>,
    ) -> Self {
        let today = ambient::today();
        let mut lookups = Lookups { lists, today, ..Lookups::default() };
        let text = |properties: &Properties, name: &str| {
            properties.get(name).and_then(Content::as_text).unwrap_or_default().to_owned()
        };
        let users = sides.all(System::CustomCrm, super::things::place(System::CustomCrm, "users"));
        for (user, properties) in users {
            let user = model::UserId::parse(user.as_str()).unwrap();
            lookups.people.customcrm.insert(user, text(&properties, "Email").to_lowercase());
        }
        for person in sides.exact.people() {
            let user = model::UserId::parse(&person.id.to_string()).unwrap();
            lookups.people.exactonline.insert(user, person.email.to_lowercase());
        }
        let there: Vec<&String> = lookups.people.exactonline.values().collect();
        let both = lookups.people.customcrm.values().filter(|email| there.contains(email));
        let colleagues = both.filter(|email| !email.starts_with("integration")).cloned().collect();
        Self { pairs, lookups, colleagues }
    }

    /// The pair that keeps a kind.
    pub fn pair(&self, kind: Kind) -> &Pair {
        self.pairs.iter().find(|pair| pair.name.as_str() == kind.pair()).unwrap()
    }

    /// The codes of one of Exact's lists.
    pub fn codes(&self, list: &str) -> Vec<&String> {
        self.lookups.lists.get(list).into_iter().flat_map(BTreeMap::keys).collect()
    }

    /// A thing as a side shows it; `None` where it is not there yet, or not any more.
    ///
    /// # Panics
    ///
    /// Where it is there twice.
    pub fn sees(&mut self, sides: &Sides, thing: &Thing, system: System) -> Option<Seen> {
        self.sees_as(sides, thing, thing.kind, system)
    }

    /// The same of the record that a thing has as another kind: the sales order of a draft.
    pub fn sees_as(&mut self, sides: &Sides, thing: &Thing, kind: Kind, system: System) -> Option<Seen> {
        let mut found = sides.marked(system, kind, &thing.mark);
        let (record, properties) = found.pop_first()?;
        // What is in force is so on this day, which may be another one than when the people began.
        self.lookups.today = ambient::today();
        self.knows(thing, system, &record);
        let view = self.pair(kind).view(system, &properties, &self.lookups).view;
        Some(Seen { record, view })
    }

    fn knows(&mut self, thing: &Thing, system: System, record: &RecordId) {
        let pair = self.pair(thing.kind).name.clone();
        self.lookups.links.insert((pair.clone(), system, record.clone()), stands_for(thing));
        self.lookups.records.insert((pair, stands_for(thing), system), record.clone());
    }

    /// The records of a thing that people have seen.
    pub fn records_of(&self, thing: &Thing) -> impl Iterator<Item = (PairName, System, RecordId)> {
        let (pair, link) = (&self.pair(thing.kind).name, stands_for(thing));
        System::BOTH.into_iter().filter_map(move |system| {
            let record = self.lookups.records.get(&(pair.clone(), link.clone(), system))?;
            Some((pair.clone(), system, record.clone()))
        })
    }

    /// A person enters a new thing.
    pub fn makes(
        &mut self,
        sides: &Sides,
        thing: &Thing,
        system: System,
        view: &View,
    ) -> Result<(), Refused> {
        let pair = self.pair(thing.kind);
        let put = pair.put(system, view, Onto::New { source: view }, &self.lookups).map_err(words)?;
        let record = sides.makes(system, pair, thing.kind.place(system), &put)?;
        self.knows(thing, system, &record);
        Ok(())
    }

    /// A person changes some values of a thing. The cells of its lines are under the side's own keys.
    pub fn changes(
        &self,
        sides: &Sides,
        thing: &Thing,
        system: System,
        seen: &Seen,
        values: &View,
    ) -> Result<(), Refused> {
        let pair = self.pair(thing.kind);
        let mut lines: BTreeMap<LineKey, SystemPair<Option<LineKey>>> = BTreeMap::new();
        for key in seen.view.keys().filter_map(PropertyName::line) {
            let keys = lines.entry(key.clone()).or_default();
            keys[system] = Some(key);
        }
        let onto = Onto::Known { source: &seen.view, view: &seen.view, lines: &lines };
        let put = pair.put(system, values, onto, &self.lookups).map_err(words)?;
        sides.changes(system, pair, thing.kind.place(system), &seen.record, &put)
    }
}

/// What stands for a thing where it is referred to.
pub(crate) fn refers(thing: &Thing) -> Value {
    Value::Reference(Reference::Linked(stands_for(thing)))
}

fn stands_for(thing: &Thing) -> LinkId {
    let plain: String = thing.mark.chars().filter(char::is_ascii_alphanumeric).collect();
    LinkId::parse(&format!("{:?}-{plain}", thing.kind)).unwrap()
}

fn words(problems: Vec<mapping::Problem>) -> Refused {
    let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
    words.join("; ")
}

/// The name of a row.
pub(crate) fn row(name: &str) -> PropertyName {
    PropertyName::parse(name).unwrap()
}

/// A row of lines.
pub(crate) fn of_lines(name: &str) -> PropertyName {
    row(&format!("Lines.{name}"))
}

/// The keys of the lines that bear this mark.
pub(crate) fn lines_marked(view: &View, mark: &str) -> Vec<LineKey> {
    let description = of_lines("Description");
    let keys = view.keys().filter_map(PropertyName::line);
    let mut keys: Vec<LineKey> = keys
        .filter(|key| {
            view.get(&PropertyName::in_line(key, &description)) == Some(&Value::Text(mark.to_owned()))
        })
        .collect();
    keys.dedup();
    keys
}

/// What a view shows in a cell; `None` where its line is not there.
pub(crate) fn shows(view: &View, cell: &Cell) -> Option<Value> {
    let name = match &cell.line {
        None => row(&cell.row),
        Some(mark) => PropertyName::in_line(lines_marked(view, mark).first()?, &of_lines(&cell.row)),
    };
    Some(view.get(&name).cloned().unwrap_or(Value::Empty))
}
