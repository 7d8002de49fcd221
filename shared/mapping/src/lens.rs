//! Transforms as lenses: `get` reads the canonical value out of a vendor's content, `put` writes it back.
//!
//! Each obeys, up to the canonical form that it declares: what is put is what is got, and putting back what
//! was got changes nothing.

use std::collections::BTreeMap;

use model::{Content, LinkId, PairName, RecordId, Reference, System, UserId, Value};
use rust_decimal::Decimal;

use crate::{Lookups, country};

/// How one property is read and written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lens {
    /// Free text. Canonical: without blanks at its ends, line ends as `\n`; a blank text is empty.
    Text {
        /// The longest that the target holds, in characters.
        max: Option<usize>,
    },
    /// A code. Canonical: without blanks at its ends, upper case and without inner blanks where the row says so.
    Code {
        /// Upper case.
        upper: bool,
        /// Blanks, dots and hyphens inside are left out.
        compact: bool,
        /// Exact stores a code of digits padded on the left with blanks to this width.
        pad: Option<usize>,
        /// The longest that the target holds, in characters.
        max: Option<usize>,
    },
    /// An e-mail address. Canonical: without blanks at its ends.
    Email {
        /// The longest that the target holds, in characters.
        max: Option<usize>,
    },
    /// A country. Canonical: the ISO 3166 code of two letters in upper case; a known name is looked up.
    Country,
    /// A word of a closed list; CustomCRM's word is canonical.
    Enum {
        /// CustomCRM's word -> Exact's.
        words: BTreeMap<String, String>,
    },
    /// A number. Canonical: CustomCRM's; Exact holds it multiplied by `factor` (a percentage as a fraction: 0.01).
    Decimal {
        /// What Exact's number is of CustomCRM's.
        factor: Decimal,
        /// Decimal places of the canonical number.
        places: u32,
    },
    /// Yes or no; CustomCRM's is canonical.
    Boolean {
        /// Exact holds the opposite.
        inverted: bool,
    },
    /// Another record of a linked pair. Canonical: the link.
    Reference {
        /// The pair whose links tie the two records.
        pair: PairName,
    },
    /// A user, by the user directory. Canonical: the e-mail address in lower case.
    Person,
}

/// Why content or a value does not fit. Never holds the value itself: it may be personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LensProblem {
    /// The vendor's content is of another kind.
    #[error("holds {found} where {expected} belongs")]
    Kind {
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The text is longer than the target holds.
    #[error("is {length} characters long; at most {max} fit: shorten it")]
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
    /// The word stands in no list.
    #[error("holds a word that the pair file's table does not list; it lists: {known}")]
    UnknownWord {
        /// The words that it lists.
        known: String,
    },
    /// The country is neither a code nor a known name.
    #[error(
        "holds no ISO 3166 country code, nor a country name that is known here: write the code of two letters"
    )]
    UnknownCountry,
    /// The id can't be one.
    #[error("holds no usable id")]
    Id,
    /// The number is beyond what can be held exactly.
    #[error("holds a number that is too large")]
    Number,
    /// The reference can't be written yet.
    #[error("refers to a record that has no partner there yet")]
    Unresolved,
}

impl Lens {
    /// The Edm types that it can be written to, as Exact's reference names them.
    pub fn edm_types(&self) -> &'static [&'static str] {
        match self {
            Self::Text { .. }
            | Self::Code { .. }
            | Self::Email { .. }
            | Self::Country
            | Self::Enum { .. } => &["Edm.String"],
            Self::Decimal { .. } => &["Edm.Double", "Edm.Decimal"],
            Self::Boolean { .. } => &["Edm.Boolean"],
            Self::Reference { .. } | Self::Person => &["Edm.Guid"],
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
    pub fn get(&self, system: System, content: &Content, lookups: &Lookups) -> Result<Value, LensProblem> {
        if *content == Content::Null {
            return Ok(Value::Empty);
        }
        match self {
            Self::Text { .. } => Ok(filled(text(content)?.trim().replace("\r\n", "\n"))),
            Self::Email { .. } => Ok(filled(text(content)?.trim().to_owned())),
            Self::Code { upper, compact, .. } => Ok(filled(code(text(content)?, *upper, *compact))),
            Self::Country => match text(content)?.trim() {
                "" => Ok(Value::Empty),
                name => country::code(name).map(Value::Text).ok_or(LensProblem::UnknownCountry),
            },
            Self::Enum { words } => get_word(system, text(content)?.trim(), words),
            Self::Decimal { factor, places } => get_number(system, content, *factor, *places),
            Self::Boolean { inverted } => match content {
                Content::Boolean(yes) => {
                    Ok(Value::Boolean(*yes ^ (*inverted && system == System::ExactOnline)))
                }
                other => Err(LensProblem::Kind { expected: "a boolean", found: other.kind() }),
            },
            Self::Reference { pair } => match text(content)? {
                "" => Ok(Value::Empty),
                id => get_reference(system, id, pair, lookups),
            },
            Self::Person => match text(content)? {
                "" => Ok(Value::Empty),
                id => get_person(system, id, lookups),
            },
        }
    }

    /// Writes the content that holds this value in this system.
    pub fn put(&self, system: System, value: &Value, lookups: &Lookups) -> Result<Content, LensProblem> {
        match (self, value) {
            (_, Value::Empty) => Ok(Content::Null),
            (Self::Text { max } | Self::Email { max }, Value::Text(text)) => fitting(text.clone(), *max),
            (Self::Code { pad, max, .. }, Value::Text(text)) => {
                let Content::Text(text) = fitting(text.clone(), *max)? else { return Ok(Content::Null) };
                match pad {
                    Some(width)
                        if system == System::ExactOnline && text.chars().all(|c| c.is_ascii_digit()) =>
                    {
                        Ok(Content::Text(format!("{text:>width$}")))
                    }
                    _ => Ok(Content::Text(text)),
                }
            }
            (Self::Country, Value::Text(text)) => Ok(Content::Text(text.clone())),
            (Self::Enum { words }, Value::Text(word)) => put_word(system, word, words),
            (Self::Decimal { factor, .. }, Value::Decimal(number)) => put_number(system, *number, *factor),
            (Self::Boolean { inverted }, Value::Boolean(yes)) => {
                Ok(Content::Boolean(*yes ^ (*inverted && system == System::ExactOnline)))
            }
            (Self::Reference { pair }, Value::Reference(Reference::Linked(link))) => {
                put_reference(system, link, pair, lookups)
            }
            (Self::Person, Value::Reference(Reference::Person(email))) => lookups
                .user(system, email)
                .map(|user| Content::Text(user.to_string()))
                .ok_or(LensProblem::Unresolved),
            (_, Value::Reference(_)) => Err(LensProblem::Unresolved),
            (lens, _) => Err(LensProblem::Kind { expected: lens.expects(), found: "another kind of value" }),
        }
    }

    const fn expects(&self) -> &'static str {
        match self {
            Self::Text { .. }
            | Self::Code { .. }
            | Self::Email { .. }
            | Self::Country
            | Self::Enum { .. } => "a text",
            Self::Decimal { .. } => "a number",
            Self::Boolean { .. } => "a boolean",
            Self::Reference { .. } => "a reference",
            Self::Person => "a user",
        }
    }
}

fn text(content: &Content) -> Result<&str, LensProblem> {
    content.as_text().ok_or(LensProblem::Kind { expected: "a text", found: content.kind() })
}

fn filled(text: String) -> Value {
    if text.is_empty() { Value::Empty } else { Value::Text(text) }
}

fn code(text: &str, upper: bool, compact: bool) -> String {
    let kept = text.trim().chars().filter(|c| !(compact && (c.is_whitespace() || matches!(c, '.' | '-'))));
    let kept: String = kept.collect();
    if upper { kept.to_uppercase() } else { kept }
}

fn fitting(text: String, max: Option<usize>) -> Result<Content, LensProblem> {
    let length = text.chars().count();
    match max {
        Some(max) if length > max => Err(LensProblem::TooLong { length, max }),
        _ => Ok(Content::Text(text)),
    }
}

fn get_word(system: System, word: &str, words: &BTreeMap<String, String>) -> Result<Value, LensProblem> {
    if word.is_empty() {
        return Ok(Value::Empty);
    }
    let canonical = match system {
        System::CustomCrm => words.keys().find(|known| known.as_str() == word),
        System::ExactOnline => words.iter().find(|(_, exact)| exact.as_str() == word).map(|(crm, _)| crm),
    };
    canonical.map(|known| Value::Text(known.clone())).ok_or_else(|| unknown_word(system, words))
}

fn put_word(system: System, word: &str, words: &BTreeMap<String, String>) -> Result<Content, LensProblem> {
    match (system, words.get(word)) {
        (System::CustomCrm, Some(_)) => Ok(Content::from(word)),
        (System::ExactOnline, Some(exact)) => Ok(Content::from(exact.as_str())),
        (_, None) => Err(unknown_word(System::CustomCrm, words)),
    }
}

fn unknown_word(system: System, words: &BTreeMap<String, String>) -> LensProblem {
    let known: Vec<&str> = match system {
        System::CustomCrm => words.keys().map(String::as_str).collect(),
        System::ExactOnline => words.values().map(String::as_str).collect(),
    };
    LensProblem::UnknownWord { known: known.join(", ") }
}

fn get_number(system: System, content: &Content, factor: Decimal, places: u32) -> Result<Value, LensProblem> {
    let Content::Number(number) = content else {
        return Err(LensProblem::Kind { expected: "a number", found: content.kind() });
    };
    let canonical = match system {
        System::CustomCrm => *number,
        System::ExactOnline => number.checked_div(factor).ok_or(LensProblem::Number)?,
    };
    Ok(Value::Decimal(canonical.round_dp(places).normalize()))
}

fn put_number(system: System, number: Decimal, factor: Decimal) -> Result<Content, LensProblem> {
    let written = match system {
        System::CustomCrm => number,
        System::ExactOnline => number.checked_mul(factor).ok_or(LensProblem::Number)?,
    };
    Ok(Content::Number(written.normalize()))
}

fn get_reference(system: System, id: &str, pair: &PairName, lookups: &Lookups) -> Result<Value, LensProblem> {
    let record = RecordId::parse(id).map_err(|_| LensProblem::Id)?;
    let key = (pair.clone(), system, record);
    let reference = match lookups.links.get(&key) {
        Some(link) => Reference::Linked(link.clone()),
        None => Reference::Unlinked { pair: key.0, system, record: key.2 },
    };
    Ok(Value::Reference(reference))
}

fn put_reference(
    system: System,
    link: &LinkId,
    pair: &PairName,
    lookups: &Lookups,
) -> Result<Content, LensProblem> {
    lookups
        .records
        .get(&(pair.clone(), link.clone(), system))
        .map(|record| Content::Text(record.to_string()))
        .ok_or(LensProblem::Unresolved)
}

fn get_person(system: System, id: &str, lookups: &Lookups) -> Result<Value, LensProblem> {
    let user = UserId::parse(id).map_err(|_| LensProblem::Id)?;
    let reference = match lookups.people[system].get(&user) {
        Some(email) if lookups.is_known_person(email) => Reference::Person(email.clone()),
        _ => Reference::UnknownPerson { system, user: id.to_owned() },
    };
    Ok(Value::Reference(reference))
}
