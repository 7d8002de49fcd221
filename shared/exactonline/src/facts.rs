//! What Exact's reference says of each property; whether a pair can work with it ([`kept`]), and whether a value fits
//! ([`Entity::check`]).

mod check;
mod fit;

use std::ops::RangeInclusive;

use crate::{Entity, Parts, documents::PRICE};

pub use self::fit::kept;

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
    /// Whether a record can be made without it.
    pub need: Need,
    /// Whether the sync feed shows it too.
    pub fed: bool,
    /// The longest text that it takes, in characters, where that is known. The reference gives few lengths; the others
    /// are of a published data model of the same tables.
    pub max: Option<usize>,
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

/// Whether a record can be made without a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It can.
    Free,
    /// It can, as long as one of the properties of this need is there: a contact has a first or a last name.
    OneOf,
    /// It can't.
    Mandatory,
}

impl Entity {
    /// What is known of the entity's own properties.
    pub fn facts(&self) -> impl Iterator<Item = Fact> + use<> {
        facts(self.table)
    }

    /// What is known of the entity's own properties as they are written: an item's sales price is that of its record of
    /// prices.
    fn written_facts(&self) -> impl Iterator<Item = Fact> + use<> {
        let price = self.price_name().zip(self.parts);
        let price = price.and_then(|(name, prices)| {
            Some(Fact { name, ..prices.facts().find(|fact| fact.name == PRICE)? })
        });
        self.facts().map(move |fact| price.filter(|price| price.name == fact.name).unwrap_or(fact))
    }

    /// What is known of one property; `None` when the entity has none of this name.
    pub fn fact(&self, name: &str) -> Option<Fact> {
        self.facts().find(|fact| fact.name == name)
    }
}

impl Parts {
    /// What is known of the properties of a line, or of a price.
    pub fn facts(&self) -> impl Iterator<Item = Fact> + use<> {
        facts(self.table)
    }
}

impl Fact {
    /// The whole numbers that its type holds; `None` for a type of other values.
    fn range(self) -> Option<RangeInclusive<i64>> {
        match self.edm {
            "Edm.Byte" => Some(0..=i64::from(u8::MAX)),
            "Edm.Int16" => Some(i64::from(i16::MIN)..=i64::from(i16::MAX)),
            "Edm.Int32" => Some(i64::from(i32::MIN)..=i64::from(i32::MAX)),
            _ => None,
        }
    }
}

/// A line of a table: name, type, access, need, whether it is fed, and the longest text. What is usual is left out.
fn facts(table: &'static str) -> impl Iterator<Item = Fact> {
    table.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (name, edm, access) = (fields.next()?, fields.next()?, fields.next()?);
        let access = match access {
            "read-write" => Access::ReadWrite,
            "create-only" => Access::CreateOnly,
            _ => Access::ReadOnly,
        };
        let need = match fields.next() {
            Some("mandatory") => Need::Mandatory,
            Some("one-of") => Need::OneOf,
            _ => Need::Free,
        };
        let fed = fields.next() != Some("unfed");
        let max = fields.next().and_then(|max| max.parse().ok());
        Some(Fact { name, edm, access, need, fed, max })
    })
}
