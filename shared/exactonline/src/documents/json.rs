//! A document as it is kept: one JSON object, with every number exact.

use contract::json::{JsonError, read_properties, write_properties};
use jiff::Timestamp;
use model::{Content, Properties, RecordId, UserId, Version};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

use super::{Document, Late, Part};

const VERSION: &str = "version";
const TOLD: &str = "told";
const PROPERTIES: &str = "properties";

/// The text is none that a document was written as.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDocument {
    /// It is no JSON object.
    #[error("this is no document that was kept")]
    Json(#[source] JsonError),
    /// It is one, of another form.
    #[error("this is no document that was kept: {what} is missing or of another kind")]
    Form {
        /// What.
        what: &'static str,
    },
}

impl Document {
    /// The document as text.
    pub fn write(&self) -> String {
        let mut object = Properties::from([("id".to_owned(), Content::from(self.id.as_str()))]);
        object.extend(self.header.as_ref().map(|header| ("header".to_owned(), header.write())));
        let parts = self.parts.iter().map(|(id, part)| (id.as_str().to_owned(), part.write()));
        object.insert("parts".to_owned(), Content::Object(parts.collect()));
        object.extend(self.late.as_ref().map(|late| {
            let late =
                [number(late.version), (PROPERTIES.to_owned(), Content::Object(late.properties.clone()))];
            ("late".to_owned(), Content::Object(late.into()))
        }));
        object.extend(self.told.map(|told| (TOLD.to_owned(), Content::Number(Decimal::from(told.0)))));
        write_properties(&object)
    }

    /// Reads what [`Document::write`] wrote.
    pub fn read(text: &str) -> Result<Self, InvalidDocument> {
        let mut object = read_properties(text).map_err(InvalidDocument::Json)?;
        let mut document = Self::new(id(text_in(&object, "id"), "id")?);
        document.header = object.remove("header").map(Part::read).transpose()?;
        for (part, content) in properties(object.remove("parts"), "parts")? {
            document.parts.insert(id(Some(&part), "a part's id")?, Part::read(content)?);
        }
        if object.contains_key(TOLD) {
            document.told = Some(version_in(&object, TOLD)?);
        }
        if let Some(late) = object.remove("late") {
            let mut late = properties(Some(late), "late")?;
            let version = version_in(&late, VERSION)?;
            document.late =
                Some(Late { version, properties: properties(late.remove(PROPERTIES), PROPERTIES)? });
        }
        Ok(document)
    }
}

impl Part {
    fn write(&self) -> Content {
        let mut object = Properties::from([number(self.version)]);
        object.extend(self.by.as_ref().map(|by| ("by".to_owned(), Content::from(by.as_str()))));
        object.extend(self.at.map(|at| ("at".to_owned(), Content::Text(at.to_string()))));
        let properties =
            self.properties.clone().map(|properties| (PROPERTIES.to_owned(), Content::Object(properties)));
        object.extend(properties);
        Content::Object(object)
    }

    fn read(content: Content) -> Result<Self, InvalidDocument> {
        let mut object = properties(Some(content), "a part")?;
        Ok(Self {
            version: version_in(&object, VERSION)?,
            by: text_in(&object, "by").and_then(|by| UserId::parse(by).ok()),
            at: text_in(&object, "at").and_then(|at| at.parse::<Timestamp>().ok()),
            properties: match object.remove(PROPERTIES) {
                None => None,
                some => Some(properties(some, PROPERTIES)?),
            },
        })
    }
}

fn number(version: Version) -> (String, Content) {
    (VERSION.to_owned(), Content::Number(Decimal::from(version.0)))
}

fn version_in(object: &Properties, what: &'static str) -> Result<Version, InvalidDocument> {
    match object.get(what) {
        Some(Content::Number(number)) => number.to_u64().map(Version),
        _ => None,
    }
    .ok_or(InvalidDocument::Form { what })
}

fn properties(content: Option<Content>, what: &'static str) -> Result<Properties, InvalidDocument> {
    match content {
        Some(Content::Object(properties)) => Ok(properties),
        _ => Err(InvalidDocument::Form { what }),
    }
}

fn id(text: Option<&str>, what: &'static str) -> Result<RecordId, InvalidDocument> {
    text.and_then(|text| RecordId::parse(text).ok()).ok_or(InvalidDocument::Form { what })
}

fn text_in<'a>(object: &'a Properties, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Content::as_text)
}
