//! Records that Exact serves in parts: documents with their lines, and items with their prices. Pure.
//!
//! Header and lines come by feeds of their own, in no common order, and a part may come twice. A [`Document`] keeps of
//! each part the newest that was seen, a deletion among them, so that the same parts make the same document in whatever
//! order and however often they come. What it is as a whole is its [`Document::record`].

mod json;
mod price;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use model::{Content, Presence, Properties, Record, RecordId, UserId, Version};
use rust_decimal::Decimal;

pub use self::json::InvalidDocument;
pub(crate) use self::price::{PRICE, currencies, is_general, price_in_force};
use crate::{Entity, PartKind, numbering::Numbering, selection::LINE_NUMBER};

#[cfg(test)]
mod tests;

/// A record in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The record.
    pub id: RecordId,
    header: Option<Part>,
    parts: BTreeMap<RecordId, Part>,
    late: Option<Late>,
    /// The version at which it was told last.
    told: Option<Version>,
}

/// One part at its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    version: Version,
    by: Option<UserId>,
    at: Option<Timestamp>,
    /// `None` when it is gone.
    properties: Option<Properties>,
}

/// What was read from the record itself when the document was at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Late {
    version: Version,
    properties: Properties,
}

impl Document {
    /// Nothing is known of it yet.
    pub fn new(id: RecordId) -> Self {
        Self { id, header: None, parts: BTreeMap::new(), late: None, told: None }
    }

    /// Takes in the record itself as its feed shows it, or its deletion. Without a version it says nothing.
    pub fn take_header(&mut self, record: Record) {
        if let Some(part) = Part::of(record)
            && self.header.as_ref().is_none_or(|known| known.version <= part.version)
        {
            self.header = Some(part);
        }
    }

    /// Takes in a line or a price, or its deletion. Without a version it says nothing.
    pub fn take_part(&mut self, record: Record) {
        let id = record.id.clone();
        if let Some(part) = Part::of(record)
            && self.parts.get(&id).is_none_or(|known| known.version <= part.version)
        {
            self.parts.insert(id, part);
        }
    }

    /// Takes in what the record itself shows of its late properties, read when the document was at this version.
    pub fn take_late(&mut self, version: Version, properties: Properties) {
        if self.late.as_ref().is_none_or(|known| known.version <= version) {
            self.late = Some(Late { version, properties });
        }
    }

    /// Marks it as told at this version: who changed it last is from then on asked of what changed after it.
    pub fn was_told(&mut self, version: Option<Version>) {
        self.told = self.told.max(version);
    }

    /// Takes in all that another reader has seen of the same document.
    pub fn merge(&mut self, other: &Self) {
        let newer =
            |known: Option<&Part>, part: &Part| known.is_none_or(|known| known.version < part.version);
        if let Some(header) = other.header.as_ref().filter(|header| newer(self.header.as_ref(), header)) {
            self.header = Some(header.clone());
        }
        for (id, part) in &other.parts {
            if newer(self.parts.get(id), part) {
                self.parts.insert(id.clone(), part.clone());
            }
        }
        if let Some(late) = &other.late {
            self.take_late(late.version, late.properties.clone());
        }
        self.was_told(other.told);
    }

    /// The highest row version of its parts: row versions are one rising sequence for all tables of a division, so it
    /// rises whatever changes. `None` while nothing is known.
    pub fn version(&self) -> Option<Version> {
        self.newest().map(|part| part.version)
    }

    /// The row version of the header, gone or not.
    pub fn header_version(&self) -> Option<Version> {
        self.header.as_ref().map(|header| header.version)
    }

    /// The row version of a part, gone or not.
    pub fn part_version(&self, part: &RecordId) -> Option<Version> {
        self.parts.get(part).map(|part| part.version)
    }

    /// Whether this part was seen and is not gone.
    pub fn holds(&self, part: &RecordId) -> bool {
        self.there().any(|(there, _)| there == part)
    }

    /// What an item's price holds, as far as this price was seen and is not gone.
    pub fn price(&self, part: &RecordId) -> Option<&Content> {
        self.parts.get(part)?.properties.as_ref()?.get(PRICE)
    }

    /// How many parts it has that are not gone.
    pub fn count(&self) -> usize {
        self.there().count()
    }

    /// Whether its late properties must be read from the record before it can be told in full: a part is newer than the
    /// header, or the header's feed lacks one of them.
    pub fn wants_late(&self, late: &[String]) -> bool {
        let (Some(header), Some(version)) = (&self.header, self.version()) else { return false };
        let Some(properties) = &header.properties else { return false };
        let is_read = self.late.as_ref().is_some_and(|late| late.version >= version);
        let is_shown = header.version >= version && late.iter().all(|name| properties.contains_key(name));
        !late.is_empty() && !is_read && !is_shown
    }

    /// The record as a whole; `None` until its header was seen. `late` names its late properties, which are left out where
    /// they are not known for this version; `today` tells which price is in force.
    pub fn record(&self, entity: &Entity, late: &[String], today: Date) -> Option<Record> {
        let (header, newest) = (self.header.as_ref()?, self.newest()?);
        let mut record = Record {
            id: self.id.clone(),
            version: Some(newest.version),
            modified_by: self.author(newest),
            modified_at: newest.at,
            presence: Presence::Deleted,
            properties: Properties::new(),
        };
        if let Some(properties) = &header.properties {
            record.presence = Presence::Present;
            record.properties = properties.clone();
            self.put_late(&mut record.properties, late, header.version >= newest.version);
            match entity.parts.map(|parts| parts.kind) {
                Some(PartKind::Lines(name)) => {
                    record.properties.insert(name.to_owned(), self.lines());
                }
                Some(PartKind::Prices(name)) => {
                    let price = price_in_force(self.there().map(|(_, price)| price), today)
                        .and_then(|price| price.get(PRICE));
                    record.properties.insert(name.to_owned(), price.cloned().unwrap_or(Content::Null));
                }
                None => {}
            }
        }
        Some(record)
    }

    /// Who changed what changed since it was told last. `None` when several did, for then it is nobody's change.
    fn author(&self, newest: &Part) -> Option<UserId> {
        let changed = self.all().filter(|part| Some(part.version) > self.told);
        if changed.clone().all(|part| part.by == newest.by) { newest.by.clone() } else { None }
    }

    fn put_late(&self, properties: &mut Properties, names: &[String], is_header_newest: bool) {
        match &self.late {
            Some(late) if Some(late.version) >= self.version() => {
                for name in names {
                    properties.remove(name);
                }
                let named = late.properties.iter().filter(|(name, _)| names.contains(name));
                properties.extend(named.map(|(name, content)| (name.clone(), content.clone())));
            }
            _ if is_header_newest => {}
            _ => properties.retain(|name, _| !names.contains(name)),
        }
    }

    /// The lines by their numbers; those of equal ones, and those without, by their ids.
    fn lines(&self) -> Content {
        let mut lines: Vec<(&RecordId, &Properties)> = self.there().collect();
        lines.sort_by_key(|(_, line)| match line.get(LINE_NUMBER) {
            Some(Content::Number(number)) => (false, *number),
            _ => (true, Decimal::ZERO),
        });
        Content::List(lines.into_iter().map(|(_, line)| Content::Object(line.clone())).collect())
    }

    /// The parts that are not gone. One that has no version of the newest numbering did not show when everything was read
    /// again: it is gone, and nobody has told so.
    fn there(&self) -> impl Iterator<Item = (&RecordId, &Properties)> {
        let numbering = self.version().map(Numbering::of);
        let shown = self.parts.iter().filter(move |(_, part)| Some(Numbering::of(part.version)) == numbering);
        shown.filter_map(|(id, part)| Some((id, part.properties.as_ref()?)))
    }

    fn newest(&self) -> Option<&Part> {
        self.all().max_by_key(|part| part.version)
    }

    fn all(&self) -> impl Iterator<Item = &Part> + Clone {
        self.header.iter().chain(self.parts.values())
    }
}

impl Part {
    fn of(record: Record) -> Option<Self> {
        Some(Self {
            version: record.version?,
            by: record.modified_by,
            at: record.modified_at,
            properties: (record.presence == Presence::Present).then_some(record.properties),
        })
    }
}
