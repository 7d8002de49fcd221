//! The small words of a pair file.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Value;

use crate::{Reading, WrittenTo};

/// One name or several.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::file) enum OneOrMany {
    /// One.
    One(#[schemars(length(min = 1))] String),
    /// Several.
    Many(#[schemars(length(min = 1), inner(length(min = 1)))] Vec<String>),
}

impl OneOrMany {
    /// The names, the first first.
    pub(in crate::file) fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// What Exact holds for a word of CustomCRM.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::file) enum ExactWords {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Several words that are read as one.
    Many(Vec<ExactWord>),
}

/// One of several words of Exact.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::file) enum ExactWord {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// A text, a boolean or a number.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("type" = ["string", "boolean", "number"]))]
pub(in crate::file) struct Plain(#[schemars(with = "serde_json::Value")] pub(in crate::file) Value);

/// A single value.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::file) enum Scalar {
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

/// Who wins a conflict.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum Conflict {
    /// CustomCRM.
    Crm,
    /// Exact Online.
    Exact,
    /// The later change, by both systems' clocks.
    Newest,
    /// A person; both values are kept until then.
    Ask,
}

/// What becomes of a record when its partner is deleted.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum Delete {
    /// It is deleted too.
    Propagate,
    /// It stays, and the link ends: a record that is entered anew may take the place of the deleted one.
    Unlink,
    /// It stays, and the link waits for that very record to come back.
    Ignore,
}

/// What happens when a record is deleted whose partner holds an edit that it never received.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum AgainstEdit {
    /// A person decides; the partner is kept as it is.
    #[default]
    Ask,
    /// The deletion is carried over all the same.
    Delete,
    /// The edit stands: the deleted record is made anew.
    Recreate,
}

/// Which way a property flows.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum Direction {
    /// Both ways.
    Both,
    /// Only into Exact; an edit made there is set back.
    ToExact,
    /// Only into CustomCRM; an edit made there is set back.
    ToCrm,
}

/// A set of rows.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum Set {
    /// The least that a working sync carries.
    Core,
}

/// A reading of the dataflow.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum ReadingWord {
    /// What a company means by it.
    Practical,
    /// What the words say.
    Literal,
}

impl From<ReadingWord> for Reading {
    fn from(word: ReadingWord) -> Self {
        match word {
            ReadingWord::Practical => Self::Practical,
            ReadingWord::Literal => Self::Literal,
        }
    }
}

/// What becomes of a text that is too long.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum OverWord {
    /// It is refused, so that a person shortens it.
    Refuse,
    /// Its end is left out.
    Cut,
}

/// A list that Exact keeps.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum ListWord {
    /// Payment conditions.
    PaymentConditions,
    /// VAT codes.
    VatCodes,
    /// Units of sale.
    Units,
    /// Groups of items.
    ItemGroups,
}

/// Records of Exact that hold what can only be read in the record of the pair.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
pub(in crate::file) enum WrittenToWord {
    /// The item's own sales price.
    SalesItemPrices,
}

impl From<WrittenToWord> for WrittenTo {
    fn from(word: WrittenToWord) -> Self {
        match word {
            WrittenToWord::SalesItemPrices => Self::SalesItemPrices,
        }
    }
}

/// What Exact's record holds of a list's entry.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::file) enum HoldsWord {
    /// Its code.
    Code,
    /// Its own id.
    Id,
}
