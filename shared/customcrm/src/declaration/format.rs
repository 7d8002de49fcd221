//! What may be written in a declaration. The comments are what the JSON Schema tells the writer of a file.

mod words;

use std::collections::BTreeMap;

use files::At;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::WebhooksDeclaration;

pub(super) use self::words::{
    ClassWord, CreateMethod, Credentials, LinesStyle, Lock, Lookup, PagingStyle, ResetWord, Scheme,
    UpdateMethod,
};

/// What a CRM's API is like.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "CustomCRM declaration")]
pub(super) struct File {
    /// What the CRM is called, for messages.
    #[schemars(length(min = 1))]
    pub(super) crm: String,
    /// How a call says who calls. The secret itself stands in a file that the connection names.
    pub(super) authentication: At<Authentication>,
    /// Who we are there, so that our own changes are known as ours. Without it they are known by what they hold.
    pub(super) user: Option<At<User>>,
    /// Where records stand in answers, and in what is sent.
    #[serde(default)]
    pub(super) answer: Answer,
    /// What each record tells of itself. A collection may say otherwise.
    pub(super) record: At<RecordKeys>,
    /// How a list comes in parts.
    pub(super) paging: At<Paging>,
    /// How only what changed is read. Without it everything is read at each poll and compared.
    pub(super) incremental: Option<At<Incremental>>,
    /// How records are searched by what they hold.
    pub(super) search: Option<At<Search>>,
    /// How a record is made.
    #[serde(default)]
    pub(super) create: Create,
    /// How a record is changed.
    #[serde(default)]
    pub(super) update: Update,
    /// How a write is kept from writing over what somebody changed meanwhile; without this key, "none": the record is
    /// read and compared right before.
    pub(super) lock: Option<Lock>,
    /// What refusals say, and where.
    #[serde(default)]
    pub(super) errors: Errors,
    /// What the API allows.
    #[serde(default)]
    pub(super) limits: Limits,
    /// How the CRM tells of changes by itself.
    pub(super) webhooks: Option<At<WebhooksDeclaration>>,
    /// The collections, by what the pair files call their entities.
    pub(super) collections: BTreeMap<Entity, At<Collection>>,
}

/// The entities of pair files, and the users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Entity {
    Customers,
    Contacts,
    Products,
    Orders,
    Quotes,
    Users,
}

/// How a call says who calls.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Authentication {
    /// The way.
    pub(super) scheme: Scheme,
    /// With "header": the header that the secret stands in.
    #[schemars(length(min = 1))]
    pub(super) header: Option<At<String>>,
    /// With "header": what stands before the secret.
    pub(super) prefix: Option<At<String>>,
    /// With "client-credentials" and "refresh-token": where tokens are had, below the address or whole.
    #[schemars(length(min = 1))]
    pub(super) token_path: Option<At<String>>,
    /// With these two: where the client's id and secret stand; without this key, "header".
    pub(super) credentials: Option<At<Credentials>>,
    /// With these two: the scope that is asked for.
    pub(super) scope: Option<At<String>>,
}

/// Who we are in the CRM: one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    /// The path of the call that tells who calls.
    #[schemars(length(min = 1))]
    pub(super) path: Option<String>,
    /// Where the user's id stands in its answer.
    #[schemars(length(min = 1))]
    pub(super) id: Option<At<String>>,
    /// The user's id itself, where no call tells.
    #[schemars(length(min = 1))]
    pub(super) is: Option<At<String>>,
}

/// Where records stand in answers, and in what is sent.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// Where the records stand in the answer of a list; without this key the answer is the list.
    pub(super) list: Option<At<String>>,
    /// Where the record stands in an answer about one; without this key the answer is the record.
    pub(super) record: Option<At<String>>,
    /// How one record is looked up; without this key, "address".
    pub(super) lookup: Option<At<Lookup>>,
    /// Where the record stands in what is sent; without this key it is what is sent.
    pub(super) sent: Option<At<String>>,
    /// Whether records come without what is empty in them; without this key, a property that a record does not hold is one
    /// that the CRM does not have, and is never written.
    #[serde(default)]
    pub(super) leaves_out_empty: bool,
}

/// What a record tells of itself. Each is a path, as in "meta.version".
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordKeys {
    /// Its id.
    pub(super) id: Option<At<String>>,
    /// A whole number that rises with each change.
    pub(super) version: Option<At<String>>,
    /// When it was changed last.
    pub(super) modified_at: Option<At<String>>,
    /// How times are written: rfc3339, epoch-seconds, epoch-milliseconds, or a pattern such as "%Y-%m-%d %H:%M:%S", which
    /// is in UTC unless it has a zone; without this key, rfc3339.
    pub(super) time: Option<At<String>>,
    /// Who changed it last.
    pub(super) modified_by: Option<At<String>>,
    /// What tells that it is deleted or archived.
    pub(super) deleted: Option<At<String>>,
    /// What that holds then; without this key, true.
    pub(super) deleted_is: Option<At<Plain>>,
}

/// A text, a boolean or a number.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("type" = ["string", "boolean", "number"]))]
pub(super) struct Plain(#[schemars(with = "serde_json::Value")] pub(super) toml::Value);

/// How a list comes in parts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// The way.
    pub(super) style: PagingStyle,
    /// With "cursor", "page" and "offset": the parameter.
    #[schemars(length(min = 1))]
    pub(super) parameter: Option<At<String>>,
    /// With "cursor": where the next page's cursor stands in an answer. With "next": where its address stands.
    #[schemars(length(min = 1))]
    pub(super) next: Option<At<String>>,
    /// With "page": the number of the first page; without this key, 1.
    #[schemars(range(min = 0, max = 1))]
    pub(super) first: Option<At<u32>>,
    /// The parameter that tells how many records a page holds.
    #[schemars(length(min = 1))]
    pub(super) size_parameter: Option<At<String>>,
    /// What else is asked for where everything is read, such as an order that stays.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// How many records a page holds at most.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) size: u32,
}

/// How only what changed is read.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Incremental {
    /// The parameter that holds the time.
    #[schemars(length(min = 1))]
    pub(super) parameter: At<String>,
    /// What it says, with {since} for the time and {property} for where it stands; without this key, "{since}".
    #[schemars(length(min = 1))]
    pub(super) value: Option<At<String>>,
    /// What else is asked for then, such as the order.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// Whether records come in the order of their changes, which "page" and "offset" can't do without; without this key,
    /// true.
    pub(super) ordered: Option<At<bool>>,
    /// How far before the latest change seen the next read begins: as much as the CRM's clock may step back, and its
    /// transactions may last; without this key, 2.
    #[schemars(range(min = 0, max = 3_600))]
    pub(super) overlap_seconds: Option<u32>,
    /// How often everything is read and compared all the same where no property tells that a record is deleted, because
    /// only so a deletion is seen; without this key, 300.
    #[schemars(range(min = 1, max = 86_400))]
    pub(super) scan_seconds: Option<u32>,
}

/// How records are searched by what they hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// The parameter of a condition. With {property} in it each condition is a parameter, else all stand in one.
    #[schemars(length(min = 1))]
    pub(super) parameter: At<String>,
    /// What it says, with {property} and {value}; without this key, "{value}".
    #[schemars(length(min = 1))]
    pub(super) value: Option<At<String>>,
    /// What else is asked for with a search, each with {property} where it has a condition of its own.
    #[serde(default)]
    pub(super) query: BTreeMap<String, At<String>>,
    /// What stands between conditions in one parameter; without this key a search has one condition, and the rest is
    /// judged by us.
    pub(super) join: Option<At<String>>,
    /// What is put before a quotation mark or a backslash in a value that stands in quotation marks.
    #[schemars(length(min = 1))]
    pub(super) escape: Option<At<String>>,
}

/// How a record is made.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    /// The way; without this key, "post".
    pub(super) method: Option<At<CreateMethod>>,
    /// The header by which the same create is known as the same.
    #[schemars(length(min = 1))]
    pub(super) idempotency_header: Option<At<String>>,
    /// Other headers of a create.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, At<String>>,
}

/// How a record is changed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// The way; without this key, "merge-patch".
    pub(super) method: Option<At<UpdateMethod>>,
    /// The media type that is sent; by itself that of the way.
    #[schemars(length(min = 1))]
    pub(super) content_type: Option<At<String>>,
}

/// What refusals say, and where: each a path, as in "error.message".
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Errors {
    /// What is wrong, in the CRM's own words: the first of these that is there.
    #[serde(default)]
    pub(super) message: Vec<At<String>>,
    /// What is wrong property by property: a list of problems, or a table of them by property.
    pub(super) properties: Option<At<String>>,
    /// In a list: where a problem names its property.
    pub(super) property: Option<At<String>>,
    /// Where a problem says what it is.
    pub(super) text: Option<At<String>>,
    /// The record that already holds a unique value.
    pub(super) duplicate: Option<At<String>>,
    /// Words that tell, wherever they stand in a refusal, that a unique value is taken.
    #[serde(default)]
    pub(super) duplicate_words: Vec<String>,
    /// What a status means where it is not the usual.
    #[serde(default)]
    pub(super) statuses: BTreeMap<String, At<ClassWord>>,
}

/// What the API allows.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// Calls at the same time, at most; without this key, 8.
    #[schemars(range(min = 1, max = 256))]
    pub(super) parallel: Option<u32>,
    /// The header that tells how many calls are left.
    #[schemars(length(min = 1))]
    pub(super) remaining_header: Option<At<String>>,
    /// The header that tells when there are calls again.
    #[schemars(length(min = 1))]
    pub(super) reset_header: Option<At<String>>,
    /// What that header holds; without this key, "seconds".
    pub(super) reset: Option<At<ResetWord>>,
}

/// One collection.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Collection {
    /// Its path below the address.
    #[schemars(length(min = 1))]
    pub(super) path: At<String>,
    /// What is different of its records.
    pub(super) record: Option<At<RecordKeys>>,
    /// Whether what changed in it can be read alone, where [incremental] says how; without this key, true.
    pub(super) incremental: Option<bool>,
    /// What is asked for with every call of it.
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    /// Numbers that the CRM writes as texts.
    #[serde(default)]
    pub(super) numbers_as_texts: Vec<String>,
    /// What properties are called in the CRM: each by the name that the pair files have.
    #[serde(default)]
    pub(super) names: BTreeMap<String, At<String>>,
    /// How a record goes where the API does not delete: the properties that are set. Without it, DELETE.
    #[serde(default)]
    pub(super) archive: BTreeMap<String, Plain>,
    /// The lines of a document.
    pub(super) lines: Option<At<Lines>>,
    /// Of the users: where their e-mail addresses stand.
    #[schemars(length(min = 1))]
    pub(super) email: Option<At<String>>,
}

/// The lines of a document.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    /// How they are written.
    pub(super) style: LinesStyle,
    /// The property that they stand in, as the pair files call it.
    #[schemars(length(min = 1))]
    pub(super) property: String,
    /// A line's own id, as the pair files call it.
    #[schemars(length(min = 1))]
    pub(super) id: String,
    /// What properties of a line are called in the CRM: each by the name that the pair files have.
    #[serde(default)]
    pub(super) names: BTreeMap<String, At<String>>,
    /// With "patched": what marks a line that goes.
    pub(super) removed: Option<At<String>>,
    /// With "children": the path of the collection that they are in.
    pub(super) path: Option<At<String>>,
    /// With "children": where a line names its document.
    pub(super) parent: Option<At<String>>,
    /// Numbers that the CRM writes as texts.
    #[serde(default)]
    pub(super) numbers_as_texts: Vec<String>,
}
