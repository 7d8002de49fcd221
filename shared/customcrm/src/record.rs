//! From a CRM's JSON to records, and back, as its declaration says.

use contract::json::write_properties;
use model::{Content, Presence, Properties, Record, RecordId, UserId, Version};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use sha2::{Digest as _, Sha256};

use crate::{
    Error,
    declaration::{Collection, Lines, LinesStyle, RecordKeys, Shape},
};

#[cfg(test)]
mod tests;

/// Reads a record. `seen_at` is the moment of the read, which stands for the version where the CRM tells none.
pub(crate) fn record(
    collection: &Collection,
    mut properties: Properties,
    seen_at: Option<Version>,
) -> Result<Record, Error> {
    let keys = &collection.record;
    let missing = |what: &str| Error::Unexpected { what: format!("has a record without a valid {what}") };
    let id = id(keys, &properties)?;
    let version = match (seen_at, &keys.version) {
        (Some(seen_at), _) => Some(seen_at),
        (None, Some(path)) => {
            Some(version(path.find(&properties)).ok_or_else(|| missing(&path.to_string()))?)
        }
        (None, None) => None,
    };
    let modified_at = match &keys.modified_at {
        Some(path) => {
            let time = path.find(&properties).and_then(|content| keys.times.read(content));
            Some(time.ok_or_else(|| missing(&path.to_string()))?)
        }
        None => None,
    };
    let modified_by = keys.modified_by.as_ref().and_then(|path| name(path.find(&properties)?));
    let modified_by = modified_by.and_then(|user| UserId::parse(&user).ok());
    let deleted = keys.tells_deleted(&properties);
    if !deleted {
        collection.shape.read(&mut properties);
        if let Some(lines) = &collection.lines {
            lines.read(&mut properties);
        }
        collection.complete(&mut properties);
    }
    Ok(Record {
        id,
        version,
        modified_by,
        modified_at,
        presence: if deleted { Presence::Deleted } else { Presence::Present },
        properties: if deleted { Properties::new() } else { properties },
    })
}

/// The id of a record.
pub(crate) fn id(keys: &RecordKeys, properties: &Properties) -> Result<RecordId, Error> {
    let id = keys.id.find(properties).and_then(name).and_then(|text| RecordId::parse(&text).ok());
    id.ok_or_else(|| Error::Unexpected { what: format!("has a record without a valid {}", keys.id) })
}

/// An id, or another name: a text, or a whole number.
pub(crate) fn name(content: &Content) -> Option<String> {
    match content {
        Content::Text(text) => Some(text.clone()),
        Content::Number(number) if number.fract().is_zero() => Some(number.normalize().to_string()),
        _ => None,
    }
}

/// What two states of a record that hold the same have in common.
pub fn fingerprint(record: &Record) -> u64 {
    let deleted = [u8::from(record.presence == Presence::Deleted)];
    let hash =
        Sha256::new().chain_update(deleted).chain_update(write_properties(&record.properties)).finalize();
    hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Whether a value is this one, a text whatever its case, and a number or truth also as a text.
pub(crate) fn same(content: &Content, other: &Content) -> bool {
    match (content, other) {
        (Content::Number(one), Content::Number(other)) => one == other,
        (one, other) => match (written(one), written(other)) {
            (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
            _ => one == other,
        },
    }
}

/// A value as it stands in an address; `None` for what has no text.
pub(crate) fn written(content: &Content) -> Option<String> {
    match content {
        Content::Text(text) => Some(text.clone()),
        Content::Number(number) => Some(number.normalize().to_string()),
        Content::Boolean(yes) => Some(yes.to_string()),
        Content::Null | Content::List(_) | Content::Object(_) => None,
    }
}

pub(crate) fn version(content: Option<&Content>) -> Option<Version> {
    match content? {
        Content::Number(number) => number.to_u64().map(Version),
        Content::Text(text) => text.parse().ok().map(Version),
        _ => None,
    }
}

impl RecordKeys {
    /// Whether a record says that it is deleted.
    pub(crate) fn tells_deleted(&self, properties: &Properties) -> bool {
        let deleted = self.deleted.as_ref();
        deleted.is_some_and(|(path, is)| path.find(properties).is_some_and(|content| same(content, is)))
    }
}

impl Collection {
    /// Puts in what the CRM left out because it is empty.
    fn complete(&self, properties: &mut Properties) {
        self.shape.complete(properties);
        let Some(lines) = self.lines.as_ref().filter(|lines| !lines.shape.left_out.is_empty()) else {
            return;
        };
        let list = properties.entry(lines.property.clone()).or_insert_with(|| Content::List(Vec::new()));
        let Content::List(list) = list else { return };
        for line in list {
            if let Content::Object(line) = line {
                lines.shape.complete(line);
            }
        }
    }
}

impl Shape {
    /// From the CRM's names and ways of writing to ours.
    pub(crate) fn read(&self, properties: &mut Properties) {
        let named: Vec<(&String, Content)> =
            self.names.iter().filter_map(|(name, path)| Some((name, path.take(properties)?))).collect();
        properties.extend(named.into_iter().map(|(name, content)| (name.clone(), content)));
        for name in &self.numbers_as_texts {
            if let Some(content) = properties.get_mut(name)
                && let Content::Text(text) = content
            {
                // What is no number stays what it is, and the mapping tells which property can't be read.
                match text.trim().parse::<Decimal>() {
                    Ok(number) => *content = Content::Number(number),
                    Err(_) if text.is_empty() => *content = Content::Null,
                    Err(_) => {}
                }
            }
        }
    }

    fn complete(&self, properties: &mut Properties) {
        for name in &self.left_out {
            if !properties.contains_key(name) {
                properties.insert(name.clone(), Content::Null);
            }
        }
    }

    /// From ours to the CRM's.
    pub(crate) fn write(&self, properties: &Properties) -> Properties {
        let mut written = Properties::new();
        for (name, content) in properties {
            let content = match content {
                Content::Number(number) if self.numbers_as_texts.contains(name) => {
                    Content::Text(number.normalize().to_string())
                }
                other => other.clone(),
            };
            match self.names.get(name) {
                Some(path) => path.put(&mut written, content),
                None => {
                    written.insert(name.clone(), content);
                }
            }
        }
        written
    }

    /// What a property of ours is called in the CRM.
    pub(crate) fn name(&self, ours: &str) -> String {
        self.names.get(ours).map_or_else(|| ours.to_owned(), ToString::to_string)
    }
}

impl Lines {
    /// From the CRM's names and ways of writing to ours. A line without an id gets one of what it holds.
    pub(crate) fn read(&self, properties: &mut Properties) {
        if matches!(self.style, LinesStyle::Children { .. }) {
            return;
        }
        let Some(Content::List(lines)) = properties.get_mut(&self.property) else { return };
        let mut given = Vec::new();
        for line in lines {
            let Content::Object(line) = line else { continue };
            self.shape.read(line);
            if line.get(&self.id).and_then(name).is_none_or(|id| id.is_empty()) {
                let mark = Sha256::digest(write_properties(line));
                let mark = hex::encode(&mark[..8]);
                let alike = given.iter().filter(|other| **other == mark).count();
                line.insert(self.id.clone(), Content::Text(format!("{mark}-{alike}")));
                given.push(mark);
            }
        }
    }
}

/// A version as it stands in a property.
pub(crate) fn version_content(Version(version): Version) -> Content {
    Content::Number(Decimal::from(version))
}
