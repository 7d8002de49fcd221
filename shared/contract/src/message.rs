//! The messages on the queues: CloudEvents 1.0 in JSON, each type with its version in its name.

mod v1;

use jiff::Timestamp;
use model::{ConnectionName, EntityName, LinkId, PairName, Record, RecordId, System};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use self::v1::{ObservedV1, OutcomeV1, ReadCompletedV1, WokenV1, WriteQueuedV1};
use crate::{Lane, json};

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
    /// How urgent it is: as what it waited for was.
    pub lane: Lane,
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
    /// By which lane it came.
    pub lane: Lane,
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
    /// Whose connection it is about.
    pub const fn connection(&self) -> &ConnectionName {
        match self {
            Self::Observed(observed) => &observed.connection,
            Self::ReadCompleted(completed) => &completed.connection,
            Self::WriteQueued(queued) => &queued.connection,
            Self::Woken(woken) => &woken.connection,
            Self::Outcome(outcome) => &outcome.connection,
        }
    }

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

/// The schema of each kind of message's data: its name, its type and the schema.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> [(&'static str, &'static str, Schema); 5] {
    [
        ("observed", OBSERVED, ObservedV1::json_schema(generator)),
        ("read-completed", READ_COMPLETED, ReadCompletedV1::json_schema(generator)),
        ("write-queued", WRITE_QUEUED, WriteQueuedV1::json_schema(generator)),
        ("woken", WOKEN, WokenV1::json_schema(generator)),
        ("outcome", OUTCOME, OutcomeV1::json_schema(generator)),
    ]
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
