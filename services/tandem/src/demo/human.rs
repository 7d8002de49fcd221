//! The scripted human: what a person would change next. Pure but for the seeded generator of random numbers.

mod companies;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use model::{PropertyName, Reference, System, SystemPair, Value, View};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rust_decimal::Decimal;

use companies::Country;

/// The longest name that Exact Online is known to hold.
const NAME_MAX: usize = 50;

/// What a person does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Intent {
    /// A new company on one side.
    New(System),
    /// A change on one side.
    One(System),
    /// Different properties of one company, on both sides at once.
    Both,
}

/// A change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// In a few words.
    pub(crate) what: &'static str,
    /// The new values.
    pub(crate) values: View,
}

impl Edit {
    /// The properties that it changes.
    pub(crate) fn properties(&self) -> BTreeSet<PropertyName> {
        self.values.keys().cloned().collect()
    }
}

/// A person who edits at random, but plausibly.
#[derive(Debug)]
pub(crate) struct Human {
    random: StdRng,
    /// The people whom both systems know, by e-mail: a record can be given to them.
    owners: Vec<String>,
    companies_made: u32,
}

type Habit = fn(&mut Human, &View) -> Option<Edit>;

/// What people do, the more often the more often it is listed.
const HABITS: &[Habit] = &[
    Human::phone,
    Human::phone,
    Human::moves,
    Human::moves,
    Human::street,
    Human::renames,
    Human::notes,
    Human::notes,
    Human::discount,
    Human::credit,
    Human::terms,
    Human::owner,
    Human::fax,
    Human::deactivates,
];

impl Human {
    /// A human whose choices follow from the seed.
    pub(crate) fn new(seed: u64, owners: Vec<String>) -> Self {
        Self { random: StdRng::seed_from_u64(seed), owners, companies_made: 0 }
    }

    /// What to do next.
    pub(crate) fn intends(&mut self) -> Intent {
        match self.random.random_range(0..20) {
            0 => Intent::New(System::CustomCrm),
            1 => Intent::New(System::ExactOnline),
            2 | 3 => Intent::Both,
            choice if choice % 2 == 0 => Intent::One(System::CustomCrm),
            _ => Intent::One(System::ExactOnline),
        }
    }

    /// One of several; `None` of none.
    pub(crate) fn picks<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.choose(&mut self.random)
    }

    /// A change to a company that looks like this, which touches none of the `busy` properties; `None` when nothing
    /// comes to mind.
    pub(crate) fn edits(&mut self, view: &View, busy: &BTreeSet<PropertyName>) -> Option<Edit> {
        for _ in 0..10 {
            let habit = HABITS.choose(&mut self.random)?;
            let edit = habit(self, view);
            let fresh = edit.filter(|edit| {
                edit.properties().is_disjoint(busy)
                    && edit
                        .values
                        .iter()
                        .any(|(name, value)| view.get(name).unwrap_or(&Value::Empty) != value)
            });
            if fresh.is_some() {
                return fresh;
            }
        }
        None
    }

    /// Two changes to one company that touch different properties: one for each side.
    pub(crate) fn edits_both(
        &mut self,
        view: &View,
        busy: &BTreeSet<PropertyName>,
    ) -> Option<SystemPair<Edit>> {
        let customcrm = self.edits(view, busy)?;
        let busy = busy.union(&customcrm.properties()).cloned().collect();
        let exactonline = self.edits(view, &busy)?;
        Some(SystemPair { customcrm, exactonline })
    }

    /// A company that nobody has heard of.
    pub(crate) fn founds(&mut self) -> View {
        self.companies_made += 1;
        let mut company = companies::company(&mut self.random, self.companies_made);
        if let Some(owner) = self.owners.choose(&mut self.random) {
            let person = Value::Reference(Reference::Person(owner.clone()));
            company.insert(property("OwnerId"), person);
        }
        company
    }
}

#[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "all habits have the shape of `Habit`")]
impl Human {
    fn phone(&mut self, view: &View) -> Option<Edit> {
        let phone = Country::of(view).phone(&mut self.random);
        Some(edit("a new phone number", [("Phone", text(phone))]))
    }

    fn moves(&mut self, view: &View) -> Option<Edit> {
        let country = Country::of(view);
        let address = country.address(&mut self.random);
        let changes = [
            ("StreetAddress1", text(address.street)),
            ("ZipCode", text(address.zip_code)),
            ("City", text(address.city)),
            ("State", text(address.state)),
        ];
        Some(edit("a move to another town", changes))
    }

    fn street(&mut self, view: &View) -> Option<Edit> {
        let street = Country::of(view).address(&mut self.random).street;
        Some(edit("a move within town", [("StreetAddress1", text(street))]))
    }

    fn renames(&mut self, view: &View) -> Option<Edit> {
        let Some(Value::Text(name)) = view.get(&property("Name")) else { return None };
        let suffixes = ["Groep", "International", "& Partners", "Nederland", "Europe"];
        let renamed = match suffixes.iter().find_map(|suffix| name.strip_suffix(&format!(" {suffix}"))) {
            Some(former) => former.to_owned(),
            None => format!("{name} {}", suffixes.choose(&mut self.random)?),
        };
        (renamed.chars().count() <= NAME_MAX).then(|| edit("a new name", [("Name", text(renamed))]))
    }

    fn notes(&mut self, view: &View) -> Option<Edit> {
        let note = Country::of(view).note(&mut self.random);
        Some(edit("a new remark", [("Description", text(note.to_owned()))]))
    }

    fn discount(&mut self, _: &View) -> Option<Edit> {
        let percent = Decimal::new(self.random.random_range(2..=60) * 25, 2);
        Some(edit("another discount", [("DiscountPercent", Value::Decimal(percent.normalize()))]))
    }

    fn credit(&mut self, _: &View) -> Option<Edit> {
        let limit = Decimal::from(self.random.random_range(2..=80) * 500);
        Some(edit("another credit limit", [("CreditLimit", Value::Decimal(limit.normalize()))]))
    }

    fn terms(&mut self, _: &View) -> Option<Edit> {
        let terms = ["08", "14", "21", "30", "60"].choose(&mut self.random)?;
        Some(edit("other payment terms", [("PaymentTerms", text((*terms).to_owned()))]))
    }

    fn owner(&mut self, _: &View) -> Option<Edit> {
        let owner = self.owners.choose(&mut self.random)?.clone();
        Some(edit("another owner", [("OwnerId", Value::Reference(Reference::Person(owner)))]))
    }

    fn fax(&mut self, view: &View) -> Option<Edit> {
        let has_one = view.get(&property("Fax")).is_some_and(|fax| !fax.is_empty());
        has_one.then(|| edit("no fax any more", [("Fax", Value::Empty)]))
    }

    fn deactivates(&mut self, view: &View) -> Option<Edit> {
        match view.get(&property("IsActive"))? {
            Value::Boolean(true) => Some(edit("no longer active", [("IsActive", Value::Boolean(false))])),
            Value::Boolean(false) => Some(edit("active again", [("IsActive", Value::Boolean(true))])),
            _ => None,
        }
    }
}

fn edit<const N: usize>(what: &'static str, values: [(&str, Value); N]) -> Edit {
    Edit { what, values: values.into_iter().map(|(name, value)| (property(name), value)).collect() }
}

fn text(text: impl Into<String>) -> Value {
    let text = text.into();
    if text.is_empty() { Value::Empty } else { Value::Text(text) }
}

fn property(name: &str) -> PropertyName {
    PropertyName::parse(name).expect("the demo's literals are property names")
}
