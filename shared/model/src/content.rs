//! What a vendor's record holds, property by property, before any mapping.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// A record's properties under the vendor's own names.
pub type Properties = BTreeMap<String, Content>;

/// One value as a vendor's JSON holds it. Numbers are decimals: an amount never passes through a float.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// JSON `null`.
    Null,
    /// JSON `true` or `false`.
    Boolean(bool),
    /// A JSON number, exact.
    Number(Decimal),
    /// A JSON string.
    Text(String),
    /// A JSON array.
    List(Vec<Content>),
    /// A JSON object.
    Object(Properties),
}

impl Content {
    /// The word for this kind of content in messages to people.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text, when this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Boolean(_) | Self::Number(_) | Self::List(_) | Self::Object(_) => None,
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
