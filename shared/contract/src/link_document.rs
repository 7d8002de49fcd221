//! A link as the store holds it: JSON, versioned.

mod rows;
mod values;

use std::collections::BTreeMap;

use jiff::Timestamp;
use link::{Link, Pending, Rejection, Side, Status, Turn, Write};
use model::{
    ConnectionName, LineKey, LinkId, PairName, Presence, PropertyName, RecordId, System, SystemPair, Version,
};
use serde::{Deserialize, Serialize};

use self::rows::{RowV2, read_rows, write_rows};
use self::values::{AgreedV1, ViewV1, read_agreed, read_view, write_view};
use crate::{MessageError, message};

/// Why a stored link can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is not a link document of a version that this Tandem knows.
    #[error(
        "the stored link is not a document that this version reads; restore it from a backup or upgrade this service"
    )]
    Format(#[source] serde_json::Error),
    /// A name or id in it is ill-formed.
    #[error("the stored link names something that can't be; restore it from a backup")]
    Name(#[source] MessageError),
}

impl From<MessageError> for DocumentError {
    fn from(error: MessageError) -> Self {
        Self::Name(error)
    }
}

impl From<model::InvalidName> for DocumentError {
    fn from(error: model::InvalidName) -> Self {
        Self::Name(MessageError::Name(error))
    }
}

/// The link as text for the store.
pub fn write_link(link: &Link) -> String {
    let document = Document::V2(LinkV2::from(link));
    serde_json::to_string(&document).expect("a link document holds only texts and numbers")
}

/// Reads a link that [`write_link`], of this version or an earlier one, has written.
pub fn read_link(text: &str) -> Result<Link, DocumentError> {
    match serde_json::from_str(text).map_err(DocumentError::Format)? {
        Document::V1(link) => link.meant(),
        Document::V2(LinkV2 { link, properties }) => {
            let mut link = link.meant()?;
            read_rows(properties, &mut link)?;
            Ok(link)
        }
    }
}

#[derive(Serialize, Deserialize)]
enum Document {
    #[serde(rename = "v1")]
    V1(LinkV1),
    #[serde(rename = "v2")]
    V2(LinkV2),
}

/// As [`LinkV1`], but what the sides hold and have agreed on stands together by property: mostly that is one value.
#[derive(Serialize, Deserialize)]
struct LinkV2 {
    link: LinkV1,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    properties: BTreeMap<String, RowV2>,
}

impl From<&Link> for LinkV2 {
    fn from(link: &Link) -> Self {
        Self { link: LinkV1::from(link), properties: write_rows(link) }
    }
}

type KeysV1 = (Option<String>, Option<String>);

#[derive(Serialize, Deserialize)]
struct LinkV1 {
    id: String,
    connection: String,
    pair: String,
    status: StatusV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customcrm: Option<SideV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exactonline: Option<SideV1>,
    /// One value where both sides agreed on the same, two (CustomCRM's first) where they hold renditions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    agreed: BTreeMap<String, AgreedV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_customcrm: Option<PendingV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_exactonline: Option<PendingV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejected_by_customcrm: Option<RejectionV1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejected_by_exactonline: Option<RejectionV1>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    edited_in_customcrm: BTreeMap<String, Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    edited_in_exactonline: BTreeMap<String, Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    turns: BTreeMap<String, TurnV1>,
    #[serde(default)]
    claims: u64,
    /// Each side's own key of a line, CustomCRM's first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    lines: BTreeMap<String, KeysV1>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    awaits_lines_of_customcrm: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    awaits_lines_of_exactonline: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    former_of_customcrm: BTreeMap<String, Option<u64>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    former_of_exactonline: BTreeMap<String, Option<u64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StatusV1 {
    Unmatched,
    Ambiguous(Vec<String>),
    Linked,
    Missing,
    DeletedAgainstEdit,
    Ended,
    Unlinked,
}

#[derive(Serialize, Deserialize)]
struct SideV1 {
    record: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    view: ViewV1,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_admitted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stand_in: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum PendingV1 {
    Queued { since: Timestamp },
    InFlight { write: WriteV1, claim: u64, attempt: u32, since: Timestamp },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WriteV1 {
    Create { values: ViewV1 },
    Update { record: String, version: Option<u64>, values: ViewV1 },
    Delete { record: String, version: Option<u64> },
}

#[derive(Serialize, Deserialize)]
struct RejectionV1 {
    words: String,
    values: ViewV1,
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct TurnV1 {
    to: String,
    at: Timestamp,
    count: u8,
}

impl From<&Side> for SideV1 {
    fn from(side: &Side) -> Self {
        Self {
            record: side.record.to_string(),
            version: side.version.map(|version| version.0),
            modified_at: side.modified_at,
            deleted: side.presence == Presence::Deleted,
            not_admitted: !side.admitted,
            stand_in: side.stand_in.clone(),
            view: ViewV1::new(),
        }
    }
}

impl SideV1 {
    fn meant(self) -> Result<Side, DocumentError> {
        Ok(Side {
            record: RecordId::parse(&self.record)?,
            version: self.version.map(Version),
            modified_at: self.modified_at,
            view: read_view(self.view)?,
            presence: if self.deleted { Presence::Deleted } else { Presence::Present },
            admitted: !self.not_admitted,
            stand_in: self.stand_in,
        })
    }
}

impl PendingV1 {
    fn of(pending: &Pending) -> Option<Self> {
        match pending {
            Pending::None => None,
            Pending::Queued { since } => Some(Self::Queued { since: *since }),
            Pending::InFlight { write, claim, attempt, since } => Some(Self::InFlight {
                write: match write {
                    Write::Create { values } => WriteV1::Create { values: write_view(values) },
                    Write::Update { record, version, values } => WriteV1::Update {
                        record: record.to_string(),
                        version: version.map(|version| version.0),
                        values: write_view(values),
                    },
                    Write::Delete { record, version } => WriteV1::Delete {
                        record: record.to_string(),
                        version: version.map(|version| version.0),
                    },
                },
                claim: *claim,
                attempt: *attempt,
                since: *since,
            }),
        }
    }

    fn meant(pending: Option<Self>) -> Result<Pending, DocumentError> {
        Ok(match pending {
            None => Pending::None,
            Some(Self::Queued { since }) => Pending::Queued { since },
            Some(Self::InFlight { write, claim, attempt, since }) => Pending::InFlight {
                write: match write {
                    WriteV1::Create { values } => Write::Create { values: read_view(values)? },
                    WriteV1::Update { record, version, values } => Write::Update {
                        record: RecordId::parse(&record)?,
                        version: version.map(Version),
                        values: read_view(values)?,
                    },
                    WriteV1::Delete { record, version } => {
                        Write::Delete { record: RecordId::parse(&record)?, version: version.map(Version) }
                    }
                },
                claim,
                attempt,
                since,
            },
        })
    }
}

impl RejectionV1 {
    fn of(rejection: &Rejection) -> Self {
        Self { words: rejection.words.clone(), values: write_view(&rejection.values), at: rejection.at }
    }

    fn meant(self) -> Result<Rejection, DocumentError> {
        Ok(Rejection { words: self.words, values: read_view(self.values)?, at: self.at })
    }
}

impl From<&Link> for LinkV1 {
    fn from(link: &Link) -> Self {
        Self {
            id: link.id.to_string(),
            connection: link.connection.to_string(),
            pair: link.pair.to_string(),
            status: match &link.status {
                Status::Unmatched => StatusV1::Unmatched,
                Status::Ambiguous(ids) => StatusV1::Ambiguous(ids.iter().map(ToString::to_string).collect()),
                Status::Linked => StatusV1::Linked,
                Status::Missing => StatusV1::Missing,
                Status::DeletedAgainstEdit => StatusV1::DeletedAgainstEdit,
                Status::Ended => StatusV1::Ended,
                Status::Unlinked => StatusV1::Unlinked,
            },
            customcrm: link.sides.customcrm.as_ref().map(SideV1::from),
            exactonline: link.sides.exactonline.as_ref().map(SideV1::from),
            agreed: BTreeMap::new(),
            to_customcrm: PendingV1::of(&link.pending.customcrm),
            to_exactonline: PendingV1::of(&link.pending.exactonline),
            rejected_by_customcrm: link.rejected.customcrm.as_ref().map(RejectionV1::of),
            rejected_by_exactonline: link.rejected.exactonline.as_ref().map(RejectionV1::of),
            edited_in_customcrm: write_edited(&link.edited.customcrm),
            edited_in_exactonline: write_edited(&link.edited.exactonline),
            conflicts: link.conflicts.iter().map(ToString::to_string).collect(),
            turns: link
                .turns
                .iter()
                .map(|(property, turn)| {
                    (property.to_string(), TurnV1 { to: turn.to.to_string(), at: turn.at, count: turn.count })
                })
                .collect(),
            claims: link.claims,
            lines: link.lines.iter().map(|(key, keys)| (key.to_string(), write_keys(keys))).collect(),
            awaits_lines_of_customcrm: link.awaits_lines.customcrm,
            awaits_lines_of_exactonline: link.awaits_lines.exactonline,
            former_of_customcrm: write_former(&link.former.customcrm),
            former_of_exactonline: write_former(&link.former.exactonline),
            follows: link.follows.as_ref().map(ToString::to_string),
            trace: link.trace.clone(),
        }
    }
}

impl LinkV1 {
    fn meant(self) -> Result<Link, DocumentError> {
        Ok(Link {
            id: LinkId::parse(&self.id)?,
            connection: ConnectionName::parse(&self.connection)?,
            pair: PairName::parse(&self.pair)?,
            status: match self.status {
                StatusV1::Unmatched => Status::Unmatched,
                StatusV1::Ambiguous(ids) => {
                    Status::Ambiguous(ids.iter().map(|id| RecordId::parse(id)).collect::<Result<_, _>>()?)
                }
                StatusV1::Linked => Status::Linked,
                StatusV1::Missing => Status::Missing,
                StatusV1::DeletedAgainstEdit => Status::DeletedAgainstEdit,
                StatusV1::Ended => Status::Ended,
                StatusV1::Unlinked => Status::Unlinked,
            },
            sides: SystemPair {
                customcrm: self.customcrm.map(SideV1::meant).transpose()?,
                exactonline: self.exactonline.map(SideV1::meant).transpose()?,
            },
            agreed: read_agreed(self.agreed)?,
            pending: SystemPair {
                customcrm: PendingV1::meant(self.to_customcrm)?,
                exactonline: PendingV1::meant(self.to_exactonline)?,
            },
            rejected: SystemPair {
                customcrm: self.rejected_by_customcrm.map(RejectionV1::meant).transpose()?,
                exactonline: self.rejected_by_exactonline.map(RejectionV1::meant).transpose()?,
            },
            edited: SystemPair {
                customcrm: read_edited(self.edited_in_customcrm)?,
                exactonline: read_edited(self.edited_in_exactonline)?,
            },
            conflicts: self
                .conflicts
                .iter()
                .map(|name| PropertyName::parse(name))
                .collect::<Result<_, _>>()?,
            turns: read_turns(self.turns)?,
            claims: self.claims,
            lines: read_lines(self.lines)?,
            awaits_lines: SystemPair {
                customcrm: self.awaits_lines_of_customcrm,
                exactonline: self.awaits_lines_of_exactonline,
            },
            former: SystemPair {
                customcrm: read_former(self.former_of_customcrm)?,
                exactonline: read_former(self.former_of_exactonline)?,
            },
            follows: self.follows.map(|pair| PairName::parse(&pair)).transpose()?,
            trace: self.trace,
        })
    }
}

fn write_keys(keys: &SystemPair<Option<LineKey>>) -> KeysV1 {
    let written = |key: &Option<LineKey>| key.as_ref().map(ToString::to_string);
    (written(&keys.customcrm), written(&keys.exactonline))
}

fn read_lines(
    lines: BTreeMap<String, KeysV1>,
) -> Result<BTreeMap<LineKey, SystemPair<Option<LineKey>>>, DocumentError> {
    let read = |key: Option<String>| key.map(|key| LineKey::parse(&key)).transpose();
    lines
        .into_iter()
        .map(|(key, (crm, exact))| {
            let keys = SystemPair { customcrm: read(crm)?, exactonline: read(exact)? };
            Ok((LineKey::parse(&key)?, keys))
        })
        .collect()
}

fn read_turns(turns: BTreeMap<String, TurnV1>) -> Result<BTreeMap<PropertyName, Turn>, DocumentError> {
    turns
        .into_iter()
        .map(|(property, turn)| {
            let to: System = message::system(&turn.to)?;
            Ok((PropertyName::parse(&property)?, Turn { to, at: turn.at, count: turn.count }))
        })
        .collect()
}

fn write_edited(edited: &BTreeMap<PropertyName, Timestamp>) -> BTreeMap<String, Timestamp> {
    edited.iter().map(|(property, at)| (property.to_string(), *at)).collect()
}

fn read_edited(
    edited: BTreeMap<String, Timestamp>,
) -> Result<BTreeMap<PropertyName, Timestamp>, DocumentError> {
    edited.into_iter().map(|(property, at)| Ok((PropertyName::parse(&property)?, at))).collect()
}

fn write_former(former: &BTreeMap<RecordId, Option<Version>>) -> BTreeMap<String, Option<u64>> {
    former.iter().map(|(record, version)| (record.to_string(), version.map(|version| version.0))).collect()
}

fn read_former(
    former: BTreeMap<String, Option<u64>>,
) -> Result<BTreeMap<RecordId, Option<Version>>, DocumentError> {
    former
        .into_iter()
        .map(|(record, version)| Ok((RecordId::parse(&record)?, version.map(Version))))
        .collect()
}
