//! Transforms as lenses: `get` reads the canonical value out of a vendor's content, `put` writes it back.
//!
//! Each obeys, up to the canonical form that it declares: what is put is what is got, and putting back what
//! was got changes nothing. Content that no canonical value stands for is a [`LensProblem`].

mod describe;
mod flags;
pub mod labelled;
mod lists;
mod numbers;
mod problem;
mod references;
mod texts;
mod times;
mod words;

#[cfg(test)]
mod tests;

use model::{Content, PairName, RecordId, Reference, System, Value};
use rust_decimal::Decimal;

pub use self::{
    labelled::{InvalidLabel, Label},
    lists::{Holds, List},
    problem::LensProblem,
    texts::Over,
    words::{InvalidWords, Word, Words},
};
use crate::{Lookups, country};

/// How one property is read and written. A length is counted in characters and is what Exact holds.
///
/// Null and a blank text are the empty value, and the empty value is written as null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lens {
    /// Free text. Canonical: without blanks at its ends, line ends as `\n`.
    Text {
        /// The longest that fits.
        max: Option<usize>,
        /// What becomes of a longer one.
        over: Over,
    },
    /// A code. Canonical: without blanks at its ends, upper case and without inner blanks where the row says so.
    Code {
        /// Upper case.
        upper: bool,
        /// Blanks, dots and hyphens inside are left out.
        compact: bool,
        /// Exact stores a code of digits padded on the left with blanks to this width.
        pad: Option<u8>,
        /// The longest that fits.
        max: Option<usize>,
    },
    /// An e-mail address. Canonical: without blanks at its ends.
    Email {
        /// The longest that fits.
        max: Option<usize>,
    },
    /// A phone number. Canonical: without blanks at its ends, one blank for several inside; otherwise as written.
    Phone {
        /// The longest that fits.
        max: Option<usize>,
    },
    /// A country. Canonical: the ISO 3166 code of two letters in upper case; a known name is looked up.
    Country,
    /// A language. Canonical: its code of two or three letters in upper case, with or without a region: `NL-BE`.
    Language,
    /// A currency. Canonical: its code of three letters in upper case.
    Currency,
    /// A word of a closed list. Canonical: CustomCRM's word.
    Enum {
        /// The words of both systems.
        words: Words,
    },
    /// A number. Canonical: CustomCRM's, rounded half away from zero; Exact holds it multiplied by `factor` (a
    /// percentage as a fraction: 0.01).
    Decimal {
        /// What Exact's number is of CustomCRM's; not zero.
        factor: Decimal,
        /// Decimal places of the canonical number.
        places: u32,
    },
    /// A whole number. Canonical: a number without decimal places.
    Integer {
        /// CustomCRM holds it as a text.
        text: bool,
    },
    /// Yes or no. Canonical: CustomCRM's. A number, 1 or 0, is read as well on both sides.
    Boolean {
        /// Exact holds the opposite.
        inverted: bool,
        /// Exact holds the number 1 or 0 (`Edm.Byte`).
        byte: bool,
    },
    /// A day of the calendar, of the years 1 to 9999. Canonical: a date, which no time zone moves. CustomCRM holds
    /// `2026-01-31`; Exact gives `/Date(ms)/`, the midnight of a clock in UTC, and takes `2026-01-31T00:00:00`. A
    /// time of day in Exact is left out.
    Date,
    /// A moment, of the years 1 to 9999. Canonical: to the millisecond. CustomCRM holds RFC 3339; Exact gives
    /// `/Date(ms)/` and takes the time of a clock in UTC, without a zone.
    Timestamp,
    /// Whether a record is in use; Exact holds its last day of use. Canonical: a boolean: no when that day is past,
    /// yes when it is today, to come, or not set.
    ///
    /// Exact has no form for the empty value: it is written as no last day, and read back as yes.
    ActiveUntil,
    /// Another record of a linked pair. Canonical: the link.
    Reference {
        /// The pair whose links tie the two records.
        pair: PairName,
    },
    /// A user, by the user directory. Canonical: the e-mail address in lower case.
    Person,
    /// A code of one of Exact's lists. Canonical: the code, without blanks at its ends.
    Lookup {
        /// The list.
        list: List,
        /// What Exact's record holds of the entry.
        holds: Holds,
    },
    /// A text that is a line `label: text` of a longer text in Exact. Canonical: one line, without blanks at its ends.
    ///
    /// Written alone it makes a text of one line; [`labelled::write`] makes one of several rows and of the rest.
    Labelled {
        /// What the line begins with.
        label: Label,
    },
}

impl Lens {
    /// The Edm types that it can be written to, as Exact's reference names them.
    pub fn edm_types(&self) -> &'static [&'static str] {
        const TEXT: &[&str] = &["Edm.String"];
        const WHOLE: &[&str] = &["Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Byte"];
        const ID: &[&str] = &["Edm.Guid"];
        match self {
            Self::Enum { words } if words.are_numbers() => WHOLE,
            Self::Text { .. }
            | Self::Code { .. }
            | Self::Email { .. }
            | Self::Phone { .. }
            | Self::Country
            | Self::Language
            | Self::Currency
            | Self::Enum { .. }
            | Self::Lookup { holds: Holds::Code, .. }
            | Self::Labelled { .. } => TEXT,
            Self::Decimal { .. } => &["Edm.Double", "Edm.Decimal"],
            Self::Integer { .. } => WHOLE,
            Self::Boolean { byte: false, .. } => &["Edm.Boolean"],
            Self::Boolean { byte: true, .. } => &["Edm.Byte"],
            Self::Date | Self::Timestamp | Self::ActiveUntil => &["Edm.DateTime"],
            Self::Reference { .. } | Self::Person | Self::Lookup { holds: Holds::Id, .. } => ID,
        }
    }

    /// The record that the content refers to, whose link must be looked up before [`Lens::get`].
    pub fn need(&self, content: &Content) -> Option<crate::ReferenceNeed> {
        match (self, content) {
            (Self::Reference { pair }, Content::Text(id)) => {
                RecordId::parse(id).ok().map(|record| crate::ReferenceNeed { pair: pair.clone(), record })
            }
            _ => None,
        }
    }

    /// Reads the canonical value.
    ///
    /// # Errors
    /// The content is of another kind, or nothing that the canonical form has a value for.
    pub fn get(&self, system: System, content: &Content, lookups: &Lookups) -> Result<Value, LensProblem> {
        match (self, content) {
            (Self::ActiveUntil, _) => flags::get_active(system, content, lookups.today),
            (_, Content::Null) => Ok(Value::Empty),
            (Self::Decimal { factor, places }, _) => numbers::get(system, content, *factor, *places),
            (Self::Integer { .. }, _) => numbers::get_whole(content),
            (Self::Boolean { inverted, .. }, _) => flags::get(system, content, *inverted),
            (Self::Enum { words }, _) if system == System::ExactOnline => words.get(content),
            (_, Content::Text(text)) if texts::is_blank(text) => Ok(Value::Empty),
            (_, Content::Text(text)) => self.get_text(system, text, lookups),
            _ => Err(LensProblem::Kind { expected: self.expects(), found: content.kind() }),
        }
    }

    fn get_text(&self, system: System, text: &str, lookups: &Lookups) -> Result<Value, LensProblem> {
        match (self, system) {
            (Self::Date, _) => times::get_date(system, text).map(Value::Date),
            (Self::Timestamp, _) => times::get_moment(system, text).map(Value::Timestamp),
            (Self::Reference { pair }, _) => references::get(system, text, pair, lookups),
            (Self::Person, _) => references::get_person(system, text, lookups),
            (Self::Lookup { list, holds: Holds::Id }, System::ExactOnline) => {
                list.code_of(text, lookups).map(Value::Text)
            }
            (Self::Labelled { label }, System::ExactOnline) => Ok(filled(labelled::read(text, label))),
            _ => self.canonical(text).map(filled),
        }
    }

    /// Writes the content that holds this value in this system. What stands in for an empty value is written as a
    /// text is.
    ///
    /// # Errors
    /// The value is of another kind, the system has no form for it, or what it refers to is not known there.
    pub fn put(&self, system: System, value: &Value, lookups: &Lookups) -> Result<Content, LensProblem> {
        match (self, value) {
            (_, Value::Empty) => Ok(Content::Null),
            (_, Value::Text(text) | Value::StandIn(text)) => self.put_text(system, text, lookups),
            (Self::Decimal { factor, places }, Value::Decimal(number)) => {
                numbers::put(system, *number, *factor, *places)
            }
            (Self::Integer { text }, Value::Decimal(number)) => numbers::put_whole(system, *number, *text),
            (Self::Boolean { inverted, byte }, Value::Boolean(yes)) => {
                Ok(flags::put(system, *yes, *inverted, *byte))
            }
            (Self::ActiveUntil, Value::Boolean(yes)) => flags::put_active(system, *yes, lookups.today),
            (Self::Date, Value::Date(date)) => times::put_date(system, *date),
            (Self::Timestamp, Value::Timestamp(moment)) => times::put_moment(system, *moment),
            (Self::Reference { pair }, Value::Reference(Reference::Linked(link))) => {
                references::put(system, link, pair, lookups)
            }
            (Self::Person, Value::Reference(Reference::Person(email))) => {
                references::put_person(system, email, lookups)
            }
            (Self::Reference { .. }, Value::Reference(Reference::Unlinked { .. })) => {
                Err(LensProblem::Unresolved)
            }
            (Self::Person, Value::Reference(Reference::UnknownPerson { .. })) => {
                Err(LensProblem::UnknownPerson)
            }
            _ => Err(LensProblem::Kind { expected: self.expects(), found: "another kind of value" }),
        }
    }

    fn put_text(&self, system: System, text: &str, lookups: &Lookups) -> Result<Content, LensProblem> {
        if texts::is_blank(text) {
            return Ok(Content::Null);
        }
        let text = self.canonical(text)?;
        if text.is_empty() || system == System::CustomCrm {
            return Ok(content(text));
        }
        let text = match self {
            Self::Text { max, over } => texts::fitting(text, *max, *over)?,
            Self::Email { max } | Self::Phone { max } => texts::fitting(text, *max, Over::Refuse)?,
            Self::Code { pad, max, .. } => texts::padded(texts::fitting(text, *max, Over::Refuse)?, *pad),
            Self::Lookup { list, holds } => list.written(text, *holds, lookups)?,
            Self::Labelled { label } => labelled::write(&[(label, text.as_str())], ""),
            Self::Enum { words } => return words.put(&text),
            _ => text,
        };
        Ok(content(text))
    }

    /// The canonical form of a text of CustomCRM that is not blank.
    fn canonical(&self, text: &str) -> Result<String, LensProblem> {
        match self {
            Self::Text { .. } => Ok(texts::plain(text)),
            Self::Code { upper, compact, .. } => Ok(texts::code(text, *upper, *compact)),
            Self::Email { .. } | Self::Lookup { .. } => Ok(text.trim().to_owned()),
            Self::Phone { .. } => Ok(texts::phone(text)),
            Self::Labelled { .. } => Ok(labelled::one_line(text)),
            Self::Enum { words } => words.known(text.trim()).map(str::to_owned),
            Self::Country => country::code(text.trim()).ok_or(LensProblem::UnknownCountry),
            Self::Language => texts::language(text).ok_or(LensProblem::Language),
            Self::Currency => texts::currency(text).ok_or(LensProblem::Currency),
            _ => Err(LensProblem::Kind { expected: self.expects(), found: "a text" }),
        }
    }

    const fn expects(&self) -> &'static str {
        match self {
            Self::Text { .. }
            | Self::Code { .. }
            | Self::Email { .. }
            | Self::Phone { .. }
            | Self::Country
            | Self::Language
            | Self::Currency
            | Self::Enum { .. }
            | Self::Lookup { .. }
            | Self::Labelled { .. } => "a text",
            Self::Decimal { .. } => "a number",
            Self::Integer { .. } => "a whole number",
            Self::Boolean { .. } => "a boolean",
            Self::Date => "a date",
            Self::Timestamp => "a moment",
            Self::ActiveUntil => "a boolean, or a date in Exact",
            Self::Reference { .. } => "a reference",
            Self::Person => "a user",
        }
    }
}

fn filled(text: String) -> Value {
    if text.is_empty() { Value::Empty } else { Value::Text(text) }
}

fn content(text: String) -> Content {
    if text.is_empty() { Content::Null } else { Content::Text(text) }
}
