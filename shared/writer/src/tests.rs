//! What a writer promises, held on the in-process broker and the store in memory, against a system that answers as
//! it is told and notes what it was asked.
#![allow(clippy::unwrap_used)]

mod bench;
mod creates;
mod deletes;
mod documents;
mod fakes;
mod given;
mod orders;
mod raises;
mod refusals;
mod reloads;
mod served;
mod telling;
mod updates;

use contract::Sighting;
use model::{
    ConnectionName, Content, Presence, PropertyName, Record, RecordId, System, Value, Version, View,
};

const CRM: System = System::CustomCrm;
const EXACT: System = System::ExactOnline;

fn connection() -> ConnectionName {
    ConnectionName::parse("acme").unwrap()
}

fn record(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

fn view(values: &[(&str, &str)]) -> View {
    let value = |text: &str| if text.is_empty() { Value::Empty } else { Value::Text(text.to_owned()) };
    values.iter().map(|(name, text)| (PropertyName::parse(name).unwrap(), value(text))).collect()
}

/// A record under the system's own names.
fn sighting(id: &str, version: u64, values: &[(&str, &str)]) -> Sighting {
    Sighting {
        record: Record {
            id: record(id),
            version: Some(Version(version)),
            modified_by: None,
            modified_at: None,
            presence: Presence::Present,
            properties: values
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Content::from(*text)))
                .collect(),
        },
        by_us: false,
    }
}
