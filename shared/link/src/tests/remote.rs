//! What a remote system does with its record: CustomCRM stores `shouted` in capitals, Exact Online trims `trimmed`.

use std::collections::BTreeMap;

use model::{Presence, PropertyName, RecordId, System, Value, Version, View};

use super::fixture::{CRM, EXACT, at, record, value};
use crate::{Event, Observation, Side};

/// A record, as its system holds it.
pub(super) struct Row {
    pub(super) version: u64,
    pub(super) values: View,
    pub(super) by_us: bool,
    pub(super) modified_at: i64,
    /// The version at which a person changed a property last.
    pub(super) edited: BTreeMap<PropertyName, u64>,
}

/// What a system makes of a value that it is given.
pub(super) fn stored(system: System, name: &PropertyName, given: &Value) -> Value {
    match (system, name.as_str(), given) {
        (System::ExactOnline, "trimmed", Value::Text(text)) => value(text.trim()),
        (System::CustomCrm, "shouted", Value::Text(text)) => value(&text.to_uppercase()),
        _ => given.clone(),
    }
}

/// What both systems would make of it: values that are alike in this form agree.
pub(super) fn common(name: &PropertyName, given: &Value) -> Value {
    stored(CRM, name, &stored(EXACT, name, given))
}

pub(super) fn id(system: System) -> RecordId {
    record(if system == CRM { "c1" } else { "e1" })
}

impl Row {
    pub(super) fn new(values: View) -> Self {
        Self { version: 1, values, by_us: false, modified_at: 0, edited: BTreeMap::new() }
    }

    pub(super) fn change(
        &mut self,
        values: impl IntoIterator<Item = (PropertyName, Value)>,
        by_us: bool,
        now: i64,
    ) {
        (self.by_us, self.modified_at) = (by_us, now);
        self.version += 1;
        self.values.extend(values);
    }

    pub(super) fn observed(&self, system: System) -> Observation {
        Observation {
            record: id(system),
            version: Some(Version(self.version)),
            modified_at: Some(at(self.modified_at)),
            by_us: self.by_us,
            presence: Presence::Present,
            view: self.values.clone(),
            whole_lines: true,
            admitted: true,
            stand_in: None,
        }
    }

    pub(super) fn applied(&self, system: System, claim: u64) -> Event {
        Event::Applied { system, claim, record: id(system), after: Some(self.observed(system)) }
    }
}

pub(super) fn side_at(system: System, version: u64, values: &View) -> Side {
    Side {
        record: id(system),
        version: Some(Version(version)),
        modified_at: Some(at(0)),
        view: values.clone(),
        presence: Presence::Present,
        admitted: true,
        stand_in: None,
    }
}
