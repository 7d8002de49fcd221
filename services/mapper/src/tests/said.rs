//! What collectors and writers say.

use contract::{Message, Observed, Outcome, OutcomeResult, ReadCompleted, ReadPart, Sighting};
use jiff::Timestamp;
use model::{EntityName, LinkId, PairName, System};
use uuid::Uuid;

use super::{connection, entity};

/// What a collector publishes of a full read in pages of two.
pub(super) fn full_read(system: System, sightings: &[Sighting]) -> Vec<Message> {
    full_read_of(system, entity(system), sightings)
}

/// What a collector publishes of a full read of this entity.
pub(super) fn full_read_of(system: System, entity: &str, sightings: &[Sighting]) -> Vec<Message> {
    let (read, entity) = (Uuid::now_v7(), EntityName::parse(entity).unwrap());
    let mut messages = Vec::new();
    let mut pages = Vec::new();
    for records in sightings.chunks(2) {
        let page = Uuid::now_v7();
        for (index, sighting) in (0..).zip(records) {
            messages.push(Message::Observed(Observed {
                connection: connection(),
                system,
                entity: entity.clone(),
                sighting: sighting.clone(),
                part: Some(ReadPart { read, page, index }),
            }));
        }
        pages.push((page, u32::try_from(records.len()).unwrap()));
    }
    let connection = connection();
    messages.push(Message::ReadCompleted(ReadCompleted { connection, system, entity, read, pages }));
    messages
}

pub(super) fn outcome(link: &LinkId, system: System, claim: u64, result: OutcomeResult) -> Message {
    outcome_in(&PairName::parse("customer-account").unwrap(), link, system, claim, result)
}

pub(super) fn outcome_in(
    pair: &PairName,
    link: &LinkId,
    system: System,
    claim: u64,
    result: OutcomeResult,
) -> Message {
    Message::Outcome(Outcome {
        connection: connection(),
        pair: pair.clone(),
        link: link.clone(),
        system,
        claim,
        queued_at: Timestamp::now(),
        lane: contract::Lane::Live,
        result,
    })
}

pub(super) fn applied(link: &LinkId, system: System, claim: u64, after: Sighting) -> Message {
    let record = after.record.id.clone();
    outcome(link, system, claim, OutcomeResult::Applied { record, after: Some(after) })
}
