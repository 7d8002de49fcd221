//! Rows, lines and constants as they are written.

use std::collections::BTreeMap;

use files::At;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Value;

use super::{
    Conflict, Direction, ExactWords, HoldsWord, ListWord, OneOrMany, OverWord, WrittenToWord,
    words::{ReadingWord, Set},
};
use crate::file::kinds::{self, Kind};

/// A property of one side that is one of the other.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = kinds::tell_keys)]
pub(in crate::file) struct Row {
    /// The row's name; by itself CustomCRM's property, or Exact's where there is none.
    #[schemars(length(min = 1))]
    pub(in crate::file) name: Option<At<String>>,
    /// CustomCRM's property. Of a list the first that is filled is read, and the first is written.
    pub(in crate::file) customcrm: Option<At<OneOrMany>>,
    /// Exact's property.
    #[schemars(length(min = 1))]
    pub(in crate::file) exactonline: Option<At<String>>,
    /// Its type in Exact's reference.
    #[schemars(extend("enum" = ["Edm.String", "Edm.Double", "Edm.Decimal", "Edm.Int16", "Edm.Int32", "Edm.Int64",
        "Edm.Byte", "Edm.Boolean", "Edm.DateTime", "Edm.Guid"]))]
    pub(in crate::file) edm: Option<At<String>>,
    /// How it is carried over.
    pub(in crate::file) kind: At<Kind>,
    /// Which way it flows; by itself both ways.
    pub(in crate::file) direction: Option<At<Direction>>,
    /// The CRM follows Exact's edits, and its own edits stand until the next: for what another pair writes there too.
    /// Goes with direction = "to-crm".
    pub(in crate::file) follow: Option<At<bool>>,
    /// Who wins where both sides changed it to different values.
    pub(in crate::file) conflict: Option<At<Conflict>>,
    /// Nothing is made in Exact without it.
    pub(in crate::file) required: Option<At<bool>>,
    /// Emptying it is undone rather than carried over.
    pub(in crate::file) keep_filled: Option<At<bool>>,
    /// Exact takes it with a new record, and never after.
    pub(in crate::file) create_only: Option<At<bool>>,
    /// Where Exact keeps what can only be read in the record itself: with it the row writes there. The sales price of an
    /// item is in its own record of SalesItemPrices.
    pub(in crate::file) written_to: Option<At<WrittenToWord>>,
    /// Whether it belongs to the least that a working sync carries.
    pub(in crate::file) set: Option<Set>,
    /// What people should know about it.
    pub(in crate::file) note: Option<String>,
    /// The reading in which it is there; by itself in both.
    pub(in crate::file) reading: Option<ReadingWord>,
    /// Kinds text, code, email and phone: the longest that Exact holds, in characters.
    #[schemars(range(min = 1))]
    pub(in crate::file) max: Option<usize>,
    /// Kind text: what becomes of a longer one; by itself it is refused.
    pub(in crate::file) over: Option<OverWord>,
    /// Kind code: the width to which Exact pads a code of digits with blanks on its left.
    #[schemars(range(min = 1))]
    pub(in crate::file) pad: Option<u8>,
    /// Kind code: in upper case.
    #[serde(default)]
    pub(in crate::file) upper: bool,
    /// Kind code: without blanks, dots and hyphens inside.
    #[serde(default)]
    pub(in crate::file) compact: bool,
    /// Kind enum: each word of CustomCRM with Exact's. A list is read as that word, and only where the row flows to
    /// CustomCRM alone.
    #[schemars(extend("minProperties" = 1))]
    pub(in crate::file) words: Option<BTreeMap<String, At<ExactWords>>>,
    /// Kind decimal: what Exact's number is of CustomCRM's, such as "0.01" for a percentage that Exact holds as a
    /// fraction.
    pub(in crate::file) factor: Option<At<String>>,
    /// Kinds decimal, money and quantity: how many decimal places; by itself 10, 2 and 4.
    #[schemars(range(max = 28))]
    pub(in crate::file) places: Option<u32>,
    /// Kind integer: CustomCRM holds it as a text.
    #[serde(default)]
    pub(in crate::file) text: bool,
    /// Kind boolean: Exact holds the opposite.
    #[serde(default)]
    pub(in crate::file) inverted: bool,
    /// Kind reference: the pair whose links it goes through.
    pub(in crate::file) pair: Option<At<String>>,
    /// Kind reference: the row rests where that pair is not kept.
    #[serde(default)]
    pub(in crate::file) optional: bool,
    /// Kind lookup: Exact's list.
    pub(in crate::file) list: Option<ListWord>,
    /// Kind lookup: what Exact's record holds of the entry; by itself its code.
    pub(in crate::file) holds: Option<HoldsWord>,
    /// Kind labelled: what the line in Exact's text begins with.
    pub(in crate::file) label: Option<At<String>>,
}

/// The lines of a document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Lines {
    /// CustomCRM's list. The rows of lines are named after it.
    #[schemars(length(min = 1))]
    pub(in crate::file) customcrm: At<String>,
    /// Exact's list.
    #[schemars(length(min = 1))]
    pub(in crate::file) exactonline: At<String>,
    /// Its type in Exact's reference, such as Collection(SalesOrderLines).
    #[schemars(regex(pattern = r"^Collection\(\w+\)$"))]
    pub(in crate::file) edm: At<String>,
    /// What a line's own id is called.
    pub(in crate::file) id: Ids,
    /// The rows of lines by which a line finds its partner at first, the strongest first, without what stands before
    /// their dot.
    #[schemars(length(min = 1))]
    pub(in crate::file) match_by: Vec<At<String>>,
    /// The row of lines, a number, that tells a line's place in its document.
    pub(in crate::file) order: Option<At<String>>,
    /// Which way lines flow; by itself both ways.
    pub(in crate::file) direction: Option<At<Direction>>,
    /// Who wins where one side removed a line that the other edited.
    pub(in crate::file) conflict: Option<Conflict>,
    /// The rows of a line.
    #[schemars(length(min = 1))]
    pub(in crate::file) property: Vec<At<Row>>,
}

/// What a line's own id is called on each side.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Ids {
    /// In CustomCRM.
    #[schemars(length(min = 1))]
    pub(in crate::file) customcrm: String,
    /// In Exact Online.
    #[schemars(length(min = 1))]
    pub(in crate::file) exactonline: String,
}

/// A property that every record which the pair makes is given. It names a property of one of the two systems.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::file) struct Constant {
    /// CustomCRM's property.
    #[schemars(length(min = 1))]
    pub(in crate::file) customcrm: Option<String>,
    /// Exact's property.
    #[schemars(length(min = 1))]
    pub(in crate::file) exactonline: Option<String>,
    /// Its value, as the system takes it. A text "$name" stands for what the connection gives under that name.
    #[schemars(with = "serde_json::Value")]
    pub(in crate::file) value: At<Value>,
    /// The reading in which it is there; by itself in both.
    pub(in crate::file) reading: Option<ReadingWord>,
}
