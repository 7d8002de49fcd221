//! The first form of the messages' data, as JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::{ConnectionName, EntityName, LinkId, PairName, Presence, Record, RecordId, UserId, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    MessageError, Observed, Outcome, OutcomeResult, ReadCompleted, ReadPart, Sighting, Woken, WriteQueued,
    system,
};
use crate::{Lane, json};

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct ObservedV1 {
    connection: String,
    system: String,
    entity: String,
    sighting: SightingV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<ReadPartV1>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct ReadPartV1 {
    #[schemars(with = "String")]
    read: Uuid,
    #[schemars(with = "String")]
    page: Uuid,
    index: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct SightingV1 {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    modified_at: Option<Timestamp>,
    deleted: bool,
    by_us: bool,
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
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
    pub(super) fn meant(self) -> Result<Sighting, MessageError> {
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
    pub(super) fn meant(self) -> Result<Observed, MessageError> {
        Ok(Observed {
            connection: ConnectionName::parse(&self.connection)?,
            system: system(&self.system)?,
            entity: EntityName::parse(&self.entity)?,
            sighting: self.sighting.meant()?,
            part: self.part.map(|part| ReadPart { read: part.read, page: part.page, index: part.index }),
        })
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct ReadCompletedV1 {
    connection: String,
    system: String,
    entity: String,
    #[schemars(with = "String")]
    read: Uuid,
    #[schemars(with = "Vec<(String, u32)>")]
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
    pub(super) fn meant(self) -> Result<ReadCompleted, MessageError> {
        Ok(ReadCompleted {
            connection: ConnectionName::parse(&self.connection)?,
            system: system(&self.system)?,
            entity: EntityName::parse(&self.entity)?,
            read: self.read,
            pages: self.pages,
        })
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct WriteQueuedV1 {
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
    pub(super) fn meant(self) -> Result<WriteQueued, MessageError> {
        Ok(WriteQueued {
            connection: ConnectionName::parse(&self.connection)?,
            pair: PairName::parse(&self.pair)?,
            link: LinkId::parse(&self.link)?,
            system: system(&self.system)?,
        })
    }
}

#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum LaneV1 {
    Live,
    Backfill,
}

impl From<Lane> for LaneV1 {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::Live => Self::Live,
            Lane::Backfill => Self::Backfill,
        }
    }
}

impl From<LaneV1> for Lane {
    fn from(lane: LaneV1) -> Self {
        match lane {
            LaneV1::Live => Self::Live,
            LaneV1::Backfill => Self::Backfill,
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct WokenV1 {
    connection: String,
    pair: String,
    link: String,
    /// Earlier versions did not say it.
    lane: Option<LaneV1>,
}

impl From<&Woken> for WokenV1 {
    fn from(woken: &Woken) -> Self {
        Self {
            connection: woken.connection.to_string(),
            pair: woken.pair.to_string(),
            link: woken.link.to_string(),
            lane: Some(woken.lane.into()),
        }
    }
}

impl WokenV1 {
    pub(super) fn meant(self) -> Result<Woken, MessageError> {
        Ok(Woken {
            connection: ConnectionName::parse(&self.connection)?,
            pair: PairName::parse(&self.pair)?,
            link: LinkId::parse(&self.link)?,
            lane: self.lane.map_or(Lane::Backfill, Lane::from),
        })
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct OutcomeV1 {
    connection: String,
    pair: String,
    link: String,
    system: String,
    claim: u64,
    #[schemars(with = "String")]
    queued_at: Timestamp,
    /// Earlier versions did not say it.
    lane: Option<LaneV1>,
    result: ResultV1,
}

#[derive(Serialize, Deserialize, JsonSchema)]
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
            lane: Some(outcome.lane.into()),
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
    pub(super) fn meant(self) -> Result<Outcome, MessageError> {
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
            lane: self.lane.map_or(Lane::Live, Lane::from),
            result,
        })
    }
}
