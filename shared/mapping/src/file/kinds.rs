//! The kinds of rows: which keys each has, and the lens that it makes.

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde_json::{Value, json};

use model::PairName;

use files::{At, Report};

use super::format::{ExactWord, ExactWords, HoldsWord, ListWord, OverWord, Row};
use crate::lens::{Holds, Label, Lens, List, Over, Word, Words};

/// How a property is carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// A free text.
    Text,
    /// A code, compared without the blanks around it.
    Code,
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A country: an ISO 3166 code of two letters, or a common name of it.
    Country,
    /// A language code.
    Language,
    /// A currency code.
    Currency,
    /// A word of a closed list.
    Enum,
    /// A number.
    Decimal,
    /// An amount of money.
    Money,
    /// A quantity.
    Quantity,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
    /// A day, without a time zone.
    Date,
    /// A moment.
    Timestamp,
    /// Yes or no in CustomCRM, the last day of use in Exact.
    ActiveUntil,
    /// A record of a linked pair.
    Reference,
    /// A user, by e-mail address in the user directory.
    Person,
    /// A code of one of Exact's lists.
    Lookup,
    /// A line with a label in one of Exact's texts. Several rows may share one text; the rest of it is kept.
    Labelled,
}

/// The keys that a kind has of its own: those that it may have, and those that it can't be without.
const KEYS: [(Kind, &str, &[&str], &[&str]); 20] = [
    (Kind::Text, "text", &["max", "over"], &[]),
    (Kind::Code, "code", &["max", "pad", "upper", "compact"], &[]),
    (Kind::Email, "email", &["max"], &[]),
    (Kind::Phone, "phone", &["max"], &[]),
    (Kind::Country, "country", &[], &[]),
    (Kind::Language, "language", &[], &[]),
    (Kind::Currency, "currency", &[], &[]),
    (Kind::Enum, "enum", &[], &["words"]),
    (Kind::Decimal, "decimal", &["factor", "places"], &[]),
    (Kind::Money, "money", &["places"], &[]),
    (Kind::Quantity, "quantity", &["places"], &[]),
    (Kind::Integer, "integer", &["text"], &[]),
    (Kind::Boolean, "boolean", &["inverted"], &[]),
    (Kind::Date, "date", &[], &[]),
    (Kind::Timestamp, "timestamp", &[], &[]),
    (Kind::ActiveUntil, "active-until", &[], &[]),
    (Kind::Reference, "reference", &["optional"], &["pair"]),
    (Kind::Person, "person", &[], &[]),
    (Kind::Lookup, "lookup", &["holds"], &["list"]),
    (Kind::Labelled, "labelled", &[], &["label"]),
];

impl Kind {
    /// The word in a pair file.
    pub(super) fn name(self) -> &'static str {
        KEYS.iter()
            .find(|(kind, ..)| *kind == self)
            .map(|(_, name, ..)| *name)
            .expect("every kind has its keys")
    }
}

/// Says in the schema of a row which keys go with which kind.
pub(super) fn tell_keys(schema: &mut Schema) {
    let rules: Vec<Value> = KEYS
        .iter()
        .map(|(_, name, may, must)| {
            let others = KEYS.iter().flat_map(|(_, _, may, must)| may.iter().chain(*must));
            let others = others.filter(|key| !may.contains(key) && !must.contains(key));
            let refused: serde_json::Map<String, Value> =
                others.map(|key| ((*key).to_owned(), Value::Bool(false))).collect();
            json!({
                "if": { "properties": { "kind": { "const": name } }, "required": ["kind"] },
                "then": { "properties": refused, "required": must },
            })
        })
        .collect();
    schema.insert("allOf".to_owned(), Value::Array(rules));
}

/// The lens of a row; `None` where a problem was reported.
pub(super) fn lens(row: &Row, report: &mut Report<'_>) -> Option<Lens> {
    let decimal = |places: u32| Lens::Decimal { factor: Decimal::ONE, places: row.places.unwrap_or(places) };
    Some(match *row.kind {
        Kind::Text => Lens::Text { max: row.max, over: over(row.over) },
        Kind::Code => Lens::Code { upper: row.upper, compact: row.compact, pad: row.pad, max: row.max },
        Kind::Email => Lens::Email { max: row.max },
        Kind::Phone => Lens::Phone { max: row.max },
        Kind::Country => Lens::Country,
        Kind::Language => Lens::Language,
        Kind::Currency => Lens::Currency,
        Kind::Enum => return words(row, report),
        Kind::Decimal => Lens::Decimal { factor: factor(row, report)?, places: row.places.unwrap_or(10) },
        Kind::Money => decimal(2),
        Kind::Quantity => decimal(4),
        Kind::Integer => Lens::Integer { text: row.text },
        Kind::Boolean => {
            let byte = row.edm.as_ref().is_some_and(|edm| edm.as_str() == "Edm.Byte");
            Lens::Boolean { inverted: row.inverted, byte }
        }
        Kind::Date => Lens::Date,
        Kind::Timestamp => Lens::Timestamp,
        Kind::ActiveUntil => Lens::ActiveUntil,
        Kind::Reference => Lens::Reference { pair: named(row.pair.as_ref()?, PairName::parse, report)? },
        Kind::Person => Lens::Person,
        Kind::Lookup => Lens::Lookup { list: list(row.list?), holds: holds(row.holds) },
        Kind::Labelled => Lens::Labelled { label: named(row.label.as_ref()?, Label::parse, report)? },
    })
}

/// What a text names, or a problem with it.
pub(super) fn named<T, E: std::fmt::Display>(
    text: &At<String>,
    parse: impl Fn(&str) -> Result<T, E>,
    report: &mut Report<'_>,
) -> Option<T> {
    parse(text).map_err(|error| report.refuse(text.at(), error.to_string())).ok()
}

fn words(row: &Row, report: &mut Report<'_>) -> Option<Lens> {
    let written = row.words.as_ref()?;
    // A table comes in the order of its keys; people read it in the order of the file.
    let mut rows: Vec<_> = written.iter().collect();
    rows.sort_by_key(|(_, exact)| exact.at());
    let rows = rows.into_iter().map(|(word, exact)| (word.clone(), exact_words(exact))).collect();
    match Words::new(rows) {
        Ok(words) => Some(Lens::Enum { words }),
        Err(error) => {
            let at = written.values().map(At::at).min().unwrap_or(row.kind.at());
            report.refuse(at, error.to_string());
            None
        }
    }
}

fn exact_words(words: &ExactWords) -> Vec<Word> {
    match words {
        ExactWords::Text(text) => vec![Word::Text(text.clone())],
        ExactWords::Number(number) => vec![Word::Number(*number)],
        ExactWords::Many(words) => words
            .iter()
            .map(|word| match word {
                ExactWord::Text(text) => Word::Text(text.clone()),
                ExactWord::Number(number) => Word::Number(*number),
            })
            .collect(),
    }
}

fn factor(row: &Row, report: &mut Report<'_>) -> Option<Decimal> {
    let Some(written) = &row.factor else { return Some(Decimal::ONE) };
    match written.parse::<Decimal>() {
        Ok(factor) if !factor.is_zero() => Some(factor),
        _ => {
            report.refuse(written.at(), format!(
                "{:?} is no number that a value can be multiplied by: write it as a text, such as \"0.01\"",
                written.as_str()
            ));
            None
        }
    }
}

const fn over(word: Option<OverWord>) -> Over {
    match word {
        None | Some(OverWord::Refuse) => Over::Refuse,
        Some(OverWord::Cut) => Over::Cut,
    }
}

const fn list(word: ListWord) -> List {
    match word {
        ListWord::PaymentConditions => List::PaymentConditions,
        ListWord::VatCodes => List::VatCodes,
        ListWord::Units => List::Units,
        ListWord::ItemGroups => List::ItemGroups,
    }
}

const fn holds(word: Option<HoldsWord>) -> Holds {
    match word {
        None | Some(HoldsWord::Code) => Holds::Code,
        Some(HoldsWord::Id) => Holds::Id,
    }
}
