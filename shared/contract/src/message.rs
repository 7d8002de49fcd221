//! The messages on the queues: CloudEvents 1.0 in JSON, each type with its version in its name.

use jiff::Timestamp;
use model::{
    ConnectionName, EntityName, LinkId, PairName, Presence, Record, RecordId, System, UserId, Version,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json;

/// Why a message can't be read. Names what is wrong, never a value.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is not a CloudEvent in JSON, or its data lack something.
    #[error(
        "the message is not a CloudEvent of ours; look at it among the dead letters, and discard it if no service of ours sent it"
    )]
    Envelope(#[source] serde_json::Error),
    /// Its type is none that this version of Tandem knows.
    #[error("the message type {kind:?} is unknown here; replay it after the upgrade of this service")]
    UnknownType {
        /// The type as it stands in the envelope.
        kind: String,
    },
    /// A name or id in it is ill-formed.
    #[error("the message names something that can't be: discard it, nothing of ours writes such names")]
    Name(#[from] model::InvalidName),
    /// The record's properties can't be read.
    #[error("the record's properties can't be read")]
    Properties(#[source] json::JsonError),
    /// A system's name is unknown.
    #[error("the system {name:?} is unknown; it is either customcrm or exactonline")]
    UnknownSystem {
        /// The name as it stands.
        name: String,
    },
}

/// A message, as services speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A record was seen.
    Observed(Observed),
    /// A full read of an entity has come to its end.
    ReadCompleted(ReadCompleted),
    /// A write waits to be claimed.
    WriteQueued(WriteQueued),
    /// Something that a link waited for has happened.
    Woken(Woken),
    /// What became of a write.
    Outcome(Outcome),
}

/// "This record, at this version, looks like this." A fact, never a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Whose connection.
    pub connection: ConnectionName,
    /// Which system holds the record.
    pub system: System,
    /// The entity.
    pub entity: EntityName,
    /// What was seen.
    pub sighting: Sighting,
    /// Its place in a full read, when a full read saw it.
    pub part: Option<ReadPart>,
}

/// A record, and whether Tandem's own user changed it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The record.
    pub record: Record,
    /// Whether its last change is ours.
    pub by_us: bool,
}

/// Where in a full read an observation stands. A page that is read again after a crash is another page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPart {
    /// The full read.
    pub read: Uuid,
    /// The page, as published.
    pub page: Uuid,
    /// The record's place in the page, from 0.
    pub index: u32,
}

/// A full read has been published whole: these pages, each with so many records, make it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCompleted {
    /// Whose connection.
    pub connection: ConnectionName,
    /// Which system was read.
    pub system: System,
    /// The entity.
    pub entity: EntityName,
    /// The full read.
    pub read: Uuid,
    /// Its pages and how many records each holds.
    pub pages: Vec<(Uuid, u32)>,
}

/// A write waits to be claimed. It says where, not what: what is written is decided at the claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteQueued {
    /// Whose connection.
    pub connection: ConnectionName,
    /// The pair.
    pub pair: PairName,
    /// The link.
    pub link: LinkId,
    /// Which side is to be written.
    pub system: System,
}

/// Something that a link waited for has happened: a record that it refers to is linked, or its pair may create.
/// It says only where to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Woken {
    /// Whose connection.
    pub connection: ConnectionName,
    /// The pair.
    pub pair: PairName,
    /// The link.
    pub link: LinkId,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whose connection.
    pub connection: ConnectionName,
    /// The pair.
    pub pair: PairName,
    /// The link.
    pub link: LinkId,
    /// Which side was written.
    pub system: System,
    /// Under which claim.
    pub claim: u64,
    /// When the write was queued, for the lag.
    pub queued_at: Timestamp,
    /// What became of it.
    pub result: OutcomeResult,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutcomeResult {
    /// It has been carried out.
    Applied {
        /// On this record.
        record: RecordId,
        /// Which looks like this afterwards, where the system tells.
        after: Option<Sighting>,
    },
    /// A search before a create found the partner.
    Adopted {
        /// This one.
        found: Sighting,
    },
    /// The remote, or our own check, refuses it.
    Rejected {
        /// In these words.
        words: String,
    },
    /// The record had changed since we read it.
    Stale {
        /// It looks like this now, where it was read.
        now: Option<Sighting>,
    },
    /// The record is not there any more.
    Gone,
    /// The search before a create found several records.
    FoundSeveral {
        /// These.
        candidates: Vec<RecordId>,
    },
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    specversion: String,
    id: Uuid,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    time: Timestamp,
    datacontenttype: String,
    data: Box<RawValue>,
}

const OBSERVED: &str = "tandem.observed.v1";
const READ_COMPLETED: &str = "tandem.read-completed.v1";
const WRITE_QUEUED: &str = "tandem.write-queued.v1";
const WOKEN: &str = "tandem.woken.v1";
const OUTCOME: &str = "tandem.outcome.v1";

impl Message {
    /// The CloudEvent, as bytes. `source` names the service that says it.
    pub fn write(&self, id: Uuid, source: &str, time: Timestamp) -> Vec<u8> {
        let (kind, data) = match self {
            Self::Observed(observed) => (OBSERVED, to_raw(&ObservedV1::from(observed))),
            Self::ReadCompleted(completed) => (READ_COMPLETED, to_raw(&ReadCompletedV1::from(completed))),
            Self::WriteQueued(queued) => (WRITE_QUEUED, to_raw(&WriteQueuedV1::from(queued))),
            Self::Woken(woken) => (WOKEN, to_raw(&WokenV1::from(woken))),
            Self::Outcome(outcome) => (OUTCOME, to_raw(&OutcomeV1::from(outcome))),
        };
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id,
            source: format!("/tandem/{source}"),
            kind: kind.to_owned(),
            time,
            datacontenttype: "application/json".to_owned(),
            data,
        };
        serde_json::to_vec(&envelope).expect("an envelope holds only texts and JSON")
    }

    /// Reads a CloudEvent of ours.
    pub fn read(bytes: &[u8]) -> Result<Self, MessageError> {
        let envelope: Envelope = serde_json::from_slice(bytes).map_err(MessageError::Envelope)?;
        let data = envelope.data.get();
        match envelope.kind.as_str() {
            OBSERVED => from_json::<ObservedV1>(data)?.meant().map(Self::Observed),
            READ_COMPLETED => from_json::<ReadCompletedV1>(data)?.meant().map(Self::ReadCompleted),
            WRITE_QUEUED => from_json::<WriteQueuedV1>(data)?.meant().map(Self::WriteQueued),
            WOKEN => from_json::<WokenV1>(data)?.meant().map(Self::Woken),
            OUTCOME => from_json::<OutcomeV1>(data)?.meant().map(Self::Outcome),
            _ => Err(MessageError::UnknownType { kind: envelope.kind }),
        }
    }
}

fn to_raw<T: Serialize>(data: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(data).expect("message data hold only texts, numbers and JSON")
}

fn from_json<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, MessageError> {
    serde_json::from_str(data).map_err(MessageError::Envelope)
}

pub(crate) fn system(name: &str) -> Result<System, MessageError> {
    System::from_name(name).ok_or_else(|| MessageError::UnknownSystem { name: name.to_owned() })
}

#[derive(Serialize, Deserialize)]
struct ObservedV1 {
    connection: String,
    system: String,
    entity: String,
    sighting: SightingV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<ReadPartV1>,
}

#[derive(Serialize, Deserialize)]
struct ReadPartV1 {
    read: Uuid,
    page: Uuid,
    index: u32,
}

#[derive(Serialize, Deserialize)]
struct SightingV1 {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_at: Option<Timestamp>,
    deleted: bool,
    by_us: bool,
    properties: Box<RawValue>,
}

impl From<&Sighting> for SightingV1 {
    fn from(sighting: &Sighting) -> Self {
        let record = &sighting.record;
        Self {
            id: record.id.to_string(),
            version: record.version.map(|version| version.0),
            modified_by: record.modified_by.as_ref().map(ToString::to_string),
            modified_at: record.modified_at,
            deleted: record.presence == Presence::Deleted,
            by_us: sighting.by_us,
            properties: RawValue::from_string(json::write_properties(&record.properties))
                .expect("properties are written as JSON"),
        }
    }
}

impl SightingV1 {
    fn meant(self) -> Result<Sighting, MessageError> {
        let record = Record {
            id: RecordId::parse(&self.id)?,
            version: self.version.map(Version),
            modified_by: self.modified_by.as_deref().map(UserId::parse).transpose()?,
            modified_at: self.modified_at,
            presence: if self.deleted { Presence::Deleted } else { Presence::Present },
            properties: json::read_properties(self.properties.get()).map_err(MessageError::Properties)?,
        };
        Ok(Sighting { record, by_us: self.by_us })
    }
}

impl From<&Observed> for ObservedV1 {
    fn from(observed: &Observed) -> Self {
        Self {
            connection: observed.connection.to_string(),
            system: observed.system.to_string(),
            entity: observed.entity.to_string(),
            sighting: SightingV1::from(&observed.sighting),
            part: observed.part.as_ref().map(|part| ReadPartV1 {
                read: part.read,
                page: part.page,
                index: part.index,
            }),
        }
    }
}

impl ObservedV1 {
    fn meant(self) -> Result<Observed, MessageError> {
        Ok(Observed {
            connection: ConnectionName::parse(&self.connection)?,
            system: system(&self.system)?,
            entity: EntityName::parse(&self.entity)?,
            sighting: self.sighting.meant()?,
            part: self.part.map(|part| ReadPart { read: part.read, page: part.page, index: part.index }),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct ReadCompletedV1 {
    connection: String,
    system: String,
    entity: String,
    read: Uuid,
    pages: Vec<(Uuid, u32)>,
}

impl From<&ReadCompleted> for ReadCompletedV1 {
    fn from(completed: &ReadCompleted) -> Self {
        Self {
            connection: completed.connection.to_string(),
            system: completed.system.to_string(),
            entity: completed.entity.to_string(),
            read: completed.read,
            pages: completed.pages.clone(),
        }
    }
}

impl ReadCompletedV1 {
    fn meant(self) -> Result<ReadCompleted, MessageError> {
        Ok(ReadCompleted {
            connection: ConnectionName::parse(&self.connection)?,
            system: system(&self.system)?,
            entity: EntityName::parse(&self.entity)?,
            read: self.read,
            pages: self.pages,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct WriteQueuedV1 {
    connection: String,
    pair: String,
    link: String,
    system: String,
}

impl From<&WriteQueued> for WriteQueuedV1 {
    fn from(queued: &WriteQueued) -> Self {
        Self {
            connection: queued.connection.to_string(),
            pair: queued.pair.to_string(),
            link: queued.link.to_string(),
            system: queued.system.to_string(),
        }
    }
}

impl WriteQueuedV1 {
    fn meant(self) -> Result<WriteQueued, MessageError> {
        Ok(WriteQueued {
            connection: ConnectionName::parse(&self.connection)?,
            pair: PairName::parse(&self.pair)?,
            link: LinkId::parse(&self.link)?,
            system: system(&self.system)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct WokenV1 {
    connection: String,
    pair: String,
    link: String,
}

impl From<&Woken> for WokenV1 {
    fn from(woken: &Woken) -> Self {
        Self {
            connection: woken.connection.to_string(),
            pair: woken.pair.to_string(),
            link: woken.link.to_string(),
        }
    }
}

impl WokenV1 {
    fn meant(self) -> Result<Woken, MessageError> {
        Ok(Woken {
            connection: ConnectionName::parse(&self.connection)?,
            pair: PairName::parse(&self.pair)?,
            link: LinkId::parse(&self.link)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct OutcomeV1 {
    connection: String,
    pair: String,
    link: String,
    system: String,
    claim: u64,
    queued_at: Timestamp,
    result: ResultV1,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ResultV1 {
    Applied { record: String, after: Option<SightingV1> },
    Adopted { found: SightingV1 },
    Rejected { words: String },
    Stale { now: Option<SightingV1> },
    Gone {},
    FoundSeveral { candidates: Vec<String> },
}

impl From<&Outcome> for OutcomeV1 {
    fn from(outcome: &Outcome) -> Self {
        Self {
            connection: outcome.connection.to_string(),
            pair: outcome.pair.to_string(),
            link: outcome.link.to_string(),
            system: outcome.system.to_string(),
            claim: outcome.claim,
            queued_at: outcome.queued_at,
            result: match &outcome.result {
                OutcomeResult::Applied { record, after } => ResultV1::Applied {
                    record: record.to_string(),
                    after: after.as_ref().map(SightingV1::from),
                },
                OutcomeResult::Adopted { found } => ResultV1::Adopted { found: SightingV1::from(found) },
                OutcomeResult::Rejected { words } => ResultV1::Rejected { words: words.clone() },
                OutcomeResult::Stale { now } => ResultV1::Stale { now: now.as_ref().map(SightingV1::from) },
                OutcomeResult::Gone => ResultV1::Gone {},
                OutcomeResult::FoundSeveral { candidates } => ResultV1::FoundSeveral {
                    candidates: candidates.iter().map(ToString::to_string).collect(),
                },
            },
        }
    }
}

impl OutcomeV1 {
    fn meant(self) -> Result<Outcome, MessageError> {
        let result = match self.result {
            ResultV1::Applied { record, after } => OutcomeResult::Applied {
                record: RecordId::parse(&record)?,
                after: after.map(SightingV1::meant).transpose()?,
            },
            ResultV1::Adopted { found } => OutcomeResult::Adopted { found: found.meant()? },
            ResultV1::Rejected { words } => OutcomeResult::Rejected { words },
            ResultV1::Stale { now } => OutcomeResult::Stale { now: now.map(SightingV1::meant).transpose()? },
            ResultV1::Gone {} => OutcomeResult::Gone,
            ResultV1::FoundSeveral { candidates } => OutcomeResult::FoundSeveral {
                candidates: candidates.iter().map(|id| RecordId::parse(id)).collect::<Result<_, _>>()?,
            },
        };
        Ok(Outcome {
            connection: ConnectionName::parse(&self.connection)?,
            pair: PairName::parse(&self.pair)?,
            link: LinkId::parse(&self.link)?,
            system: system(&self.system)?,
            claim: self.claim,
            queued_at: self.queued_at,
            result,
        })
    }
}
