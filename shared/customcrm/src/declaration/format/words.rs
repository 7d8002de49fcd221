//! The words of a declaration.

use schemars::JsonSchema;
use serde::Deserialize;

/// How a call says who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum Scheme {
    /// It does not.
    None,
    /// The secret is a token in the header Authorization.
    Bearer,
    /// The secret stands in a header of its own.
    Header,
    /// The secret is a password; the connection names the user.
    Basic,
    /// OAuth 2.0: the secret is that of a client, whose id the connection names.
    ClientCredentials,
    /// OAuth 2.0: the secret is a refresh token that stays valid, and the connection names the client.
    RefreshToken,
}

/// Where a client's id and secret stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum Credentials {
    /// In the header Authorization.
    Header,
    /// In the body.
    Body,
}

/// How a list comes in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum PagingStyle {
    /// It does not: all records come at once.
    None,
    /// An answer holds the next page's cursor.
    Cursor,
    /// Pages have numbers.
    Page,
    /// A page begins behind so many records.
    Offset,
    /// The header Link has the next page's address (RFC 8288).
    Link,
    /// An answer holds the next page's address.
    Next,
}

/// How a record is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum CreateMethod {
    /// POST to the collection.
    Post,
    /// PUT to an id that we choose: the same create is the same request.
    Put,
}

/// How a record is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum UpdateMethod {
    /// PATCH with the properties that change (RFC 7396).
    MergePatch,
    /// PATCH with operations (RFC 6902).
    JsonPatch,
    /// PUT of the whole record, after it was read.
    Put,
}

/// How a write is kept from writing over what somebody changed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum Lock {
    /// The record is read and compared right before.
    None,
    /// The header If-Match has the version as an entity tag.
    IfMatch,
    /// The version is sent as the property that it stands in.
    VersionProperty,
}

/// How one record is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum Lookup {
    /// At an address of its own.
    Address,
    /// By a search for its id: the CRM refuses to say at an address that a record is not there.
    Search,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum LinesStyle {
    /// A list in the document, of which only the lines that change are sent.
    Patched,
    /// A list in the document, which is sent whole. Lines that the CRM gives no ids get ours.
    Whole,
    /// Records of a collection of their own.
    Children,
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum ClassWord {
    /// It may go well later.
    Transient,
    /// There were too many calls.
    Throttled,
    /// It never goes well as it is.
    Rejected,
    /// The record is not there.
    Gone,
    /// The record was changed meanwhile.
    Stale,
    /// We are not let in.
    Auth,
    /// A unique value is taken.
    Duplicate,
}

/// When there are calls again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::declaration) enum ResetWord {
    /// In so many seconds.
    Seconds,
    /// At this second since 1970.
    EpochSeconds,
}
