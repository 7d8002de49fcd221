//! What may be written in a pair file. The comments are what the JSON Schema tells the writer of a file.

mod row;
mod words;

use std::collections::BTreeMap;

use files::At;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Reading;

pub(super) use self::{
    row::{Constant, Lines, Row},
    words::{
        AgainstEdit, Conflict, Delete, Direction, ExactWord, ExactWords, HoldsWord, ListWord, OneOrMany,
        OverWord, Plain, Scalar, WrittenToWord,
    },
};

/// A pair: two entities and what ties their properties.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Pair file")]
pub(super) struct File {
    /// The pair's name: lower-case letters, digits and hyphens, such as customer-account.
    pub(super) pair: At<String>,
    /// Its heading in the dataflow document.
    pub(super) title: Option<String>,
    /// What is kept in agreement, for the dataflow document.
    pub(super) summary: Option<String>,
    /// Who wins where both sides changed one property to different values. A row may say otherwise.
    pub(super) conflict: Conflict,
    /// What happens when a record is deleted whose partner holds an edit that it never received; without this key,
    /// "ask".
    #[serde(default)]
    pub(super) delete_conflict: AgainstEdit,
    /// The rows by which an unlinked record finds its partner, the strongest first. A list in the list is one key made
    /// of several rows.
    pub(super) match_keys: Vec<At<OneOrMany>>,
    /// The row by which a record of our own making that carries no match key is found again after an uncertain create.
    pub(super) search_own: At<String>,
    /// The pairs that write before this one where several meet in one record of Exact.
    #[serde(default)]
    pub(super) yields_to: Vec<At<String>>,
    /// What a new record of Exact is given where CustomCRM's own property is empty. It never becomes the CRM's.
    pub(super) stand_in: Option<At<StandIn>>,
    /// Where a record of CustomCRM takes over another pair's partner instead of getting its own.
    pub(super) adopts: Option<At<Through>>,
    /// What a record that this pair refers to must hold in Exact before a record that refers to it is made there.
    pub(super) raises: Option<At<Raise>>,
    /// How Exact numbers the versions of one document.
    pub(super) versions: Option<At<Versions>>,
    /// The pair only tells which records of Exact belong to which of CustomCRM, many to one, and writes nothing.
    pub(super) membership: Option<At<bool>>,
    /// CustomCRM's side.
    pub(super) customcrm: Side<CrmEntity>,
    /// Exact Online's side.
    pub(super) exactonline: Side<ExactEntity>,
    /// What is otherwise in the literal reading: each key replaces the one of that name.
    #[serde(default)]
    pub(super) literal: Literal,
    /// The rows: which property of the one side is which of the other.
    pub(super) property: Vec<At<Row>>,
    /// The lines of a document.
    pub(super) lines: Option<At<Lines>>,
    /// What every record that the pair makes is given.
    #[serde(default)]
    pub(super) constant: Vec<At<Constant>>,
}

/// What replaces keys of the file in the literal reading.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Literal {
    match_keys: Option<Vec<At<OneOrMany>>>,
    search_own: Option<At<String>>,
    yields_to: Option<Vec<At<String>>>,
    stand_in: Option<At<StandIn>>,
    adopts: Option<At<Through>>,
    raises: Option<At<Raise>>,
    versions: Option<At<Versions>>,
    membership: Option<At<bool>>,
    customcrm: Option<Side<CrmEntity>>,
    exactonline: Option<Side<ExactEntity>>,
}

impl File {
    /// The file as this reading has it.
    pub(super) fn in_reading(self, reading: Reading) -> Self {
        let literal = match reading {
            Reading::Practical => return self,
            Reading::Literal => self.literal,
        };
        Self {
            match_keys: literal.match_keys.unwrap_or(self.match_keys),
            search_own: literal.search_own.unwrap_or(self.search_own),
            yields_to: literal.yields_to.unwrap_or(self.yields_to),
            stand_in: literal.stand_in.or(self.stand_in),
            adopts: literal.adopts.or(self.adopts),
            raises: literal.raises.or(self.raises),
            versions: literal.versions.or(self.versions),
            membership: literal.membership.or(self.membership),
            customcrm: literal.customcrm.unwrap_or(self.customcrm),
            exactonline: literal.exactonline.unwrap_or(self.exactonline),
            literal: Literal::default(),
            ..self
        }
    }
}

/// One system's side of a pair.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SideWith{E}")]
pub(super) struct Side<E> {
    /// The kind of record.
    pub(super) entity: At<E>,
    /// Whether a missing partner is created here.
    pub(super) create: At<bool>,
    /// Which records may get a partner: those to which one case applies; without this key, all. A case holds what its
    /// properties must be, each one of a list: "*" is anything, "" is nothing.
    #[schemars(length(min = 1))]
    pub(super) admits: Option<Vec<At<Case>>>,
    /// What marks a record as no longer in use when its partner is deleted; then `delete` is not said.
    pub(super) archive: Option<At<Archive>>,
    /// What becomes of a record when its partner is deleted, where it is not archived; without this key, "unlink".
    pub(super) delete: Option<At<Delete>>,
}

/// What must hold for a case to apply, by the system's own names.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minProperties" = 1))]
pub(super) struct Case(pub(super) BTreeMap<String, Wanted>);

/// What a property must be: one of these.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Wanted(#[schemars(length(min = 1))] pub(super) Vec<At<Plain>>);

/// An entity of CustomCRM.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("enum" = ["customers", "contacts", "products", "orders", "quotes", "users"]))]
pub(super) struct CrmEntity(String);

impl AsRef<str> for CrmEntity {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// An entity of Exact Online.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("enum" = ["accounts", "contacts", "items", "salesorders", "quotations"]))]
pub(super) struct ExactEntity(String);

impl AsRef<str> for ExactEntity {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A property and the value that marks a record as no longer in use.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Archive {
    /// The row that says whether it is in use.
    pub(super) property: At<String>,
    /// Its value then, in CustomCRM's form; for a date "yesterday".
    pub(super) value: At<Scalar>,
}

/// A stand-in for an empty property.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StandIn {
    /// The row that may be empty.
    pub(super) property: At<String>,
    /// The properties of CustomCRM that it is taken from: the first that is filled.
    #[schemars(length(min = 1))]
    pub(super) from: Vec<String>,
    /// Whose stand-in is taken over instead, where there is such a link.
    pub(super) through: Option<At<Through>>,
}

/// Another pair's link, found through a property that refers to one of its records.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Through {
    /// The property of CustomCRM that holds the other record's id.
    #[schemars(length(min = 1))]
    pub(super) reference: String,
    /// The pair whose link the other record belongs to.
    pub(super) pair: At<String>,
    /// Leave it out where that pair is not kept.
    #[serde(default)]
    pub(super) optional: bool,
}

/// What a record that is referred to must hold in Exact.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raise {
    /// The row that refers to it.
    pub(super) reference: At<String>,
    /// The property: a row of the pair that the reference goes through.
    pub(super) property: At<String>,
    /// The value that it must hold, in CustomCRM's form.
    pub(super) value: At<Scalar>,
}

/// The rows that tell the versions of one document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Versions {
    /// The row of the number that all versions share.
    pub(super) number: At<String>,
    /// The row that tells which version it is.
    pub(super) version: At<String>,
}
