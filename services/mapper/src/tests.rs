//! What the mapper promises, held on the in-process broker and the store in memory. The tests play the collectors and
//! the writers: they say what was seen, claim what was queued, and report what became of it.
#![allow(clippy::unwrap_used)]

mod accepted;
mod adoption;
mod bench;
mod claims;
mod configured;
mod deletions;
mod documents;
mod fakes;
mod gate;
mod lanes;
mod matching;
mod membership;
mod outcomes;
mod recovery;
mod references;
mod said;
mod served;
mod takeovers;
mod versions;
mod world;

use contract::{Message, Observed, Sighting};
use model::{ConnectionName, Content, EntityName, LinkId, Presence, Record, RecordId, System, Version};

const CRM: System = System::CustomCrm;
const EXACT: System = System::ExactOnline;

fn connection() -> ConnectionName {
    ConnectionName::parse("acme").unwrap()
}

fn record(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

fn begun_by(system: System, id: &str) -> LinkId {
    LinkId::begun_by(system, &record(id))
}

const fn entity(system: System) -> &'static str {
    match system {
        System::CustomCrm => "customers",
        System::ExactOnline => "accounts",
    }
}

/// A record as a person left it, under the system's own names; an empty text stands for null.
fn sighting(id: &str, version: u64, values: &[(&str, &str)]) -> Sighting {
    let content = |text: &str| if text.is_empty() { Content::Null } else { Content::from(text) };
    Sighting {
        record: Record {
            id: record(id),
            version: Some(Version(version)),
            modified_by: None,
            modified_at: None,
            presence: Presence::Present,
            properties: values.iter().map(|(name, text)| ((*name).to_owned(), content(text))).collect(),
        },
        by_us: false,
    }
}

/// A record as our own user left it.
fn ours(sighting: Sighting) -> Sighting {
    Sighting { by_us: true, ..sighting }
}

/// What the system says of a record that is not there any more.
fn gone(id: &str, version: u64) -> Sighting {
    let mut gone = sighting(id, version, &[]);
    gone.record.presence = Presence::Deleted;
    gone
}

/// A collector's message.
fn seen(system: System, sighting: Sighting) -> Message {
    let entity = EntityName::parse(entity(system)).unwrap();
    Message::Observed(Observed { connection: connection(), system, entity, sighting, part: None })
}
