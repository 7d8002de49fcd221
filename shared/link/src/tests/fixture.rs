//! Links, policies and events in few words, for tables that read as sentences.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use model::{
    ConnectionName, PairName, Presence, PropertyName, RecordId, Reference, System, SystemPair, Value,
    Version, View,
};

use crate::{
    ConflictPolicy, DeleteConflict, DeletePolicy, Effect, Event, Failure, Flow, Link, Observation, Pending,
    Policy, Rule, Side, Status, Step, Write,
    promises::{self, Taken},
    step,
};

pub(super) const CRM: System = System::CustomCrm;
pub(super) const EXACT: System = System::ExactOnline;

pub(super) fn property(name: &str) -> PropertyName {
    PropertyName::parse(name).unwrap()
}

pub(super) fn record(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

/// A text; the empty text is an empty value, and `@x` is a reference to the unlinked record `x`.
pub(super) fn value(text: &str) -> Value {
    match text.strip_prefix('@') {
        Some(id) => Value::Reference(Reference::Unlinked {
            pair: PairName::parse("contact-contact").unwrap(),
            system: CRM,
            record: record(id),
        }),
        None if text.is_empty() => Value::Empty,
        None => Value::Text(text.to_owned()),
    }
}

pub(super) fn view(values: &[(&str, &str)]) -> View {
    values.iter().map(|(name, text)| (property(name), value(text))).collect()
}

/// A moment, in seconds after an arbitrary beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_700_000_000 + seconds)
}

pub(super) const BOTH_WAYS: Rule = Rule {
    flow: Flow::Both,
    conflict: ConflictPolicy::Wins(CRM),
    keep_filled: false,
    required: false,
    create_only: false,
    stand_in: false,
};

pub(super) fn policy(rules: &[(&str, Rule)]) -> Policy {
    Policy {
        rules: rules.iter().map(|(name, rule)| (property(name), *rule)).collect(),
        creates: SystemPair { customcrm: true, exactonline: true },
        deletes: SystemPair { customcrm: DeletePolicy::Unlink, exactonline: DeletePolicy::Unlink },
        delete_conflict: DeleteConflict::Ask,
        lines: None,
    }
}

/// The policy that most steps are tested under: `a`, `b` and `c` flow both ways, and the CRM wins.
pub(super) fn plain() -> Policy {
    policy(&[("a", BOTH_WAYS), ("b", BOTH_WAYS), ("c", BOTH_WAYS)])
}

pub(super) fn side(id: &str, version: u64, values: &[(&str, &str)]) -> Side {
    Side {
        record: record(id),
        version: Some(Version(version)),
        modified_at: None,
        view: view(values),
        presence: Presence::Present,
        admitted: true,
        stand_in: None,
    }
}

/// A link of the CRM's record `c1` alone, at version 1.
pub(super) fn alone(values: &[(&str, &str)]) -> Link {
    let connection = ConnectionName::parse("acme").unwrap();
    let pair = PairName::parse("customer-account").unwrap();
    Link::begin(connection, pair, CRM, side("c1", 1, values))
}

/// `c1` and `e1` linked, both at version 1, both holding and having agreed on these values.
pub(super) fn linked(values: &[(&str, &str)]) -> Link {
    let mut link = alone(values);
    link.sides[EXACT] = Some(side("e1", 1, values));
    link.status = Status::Linked;
    link.agreed = view(values)
        .into_iter()
        .map(|(name, value)| (name, SystemPair { customcrm: value.clone(), exactonline: value }))
        .collect();
    link
}

/// The record of a side as a person left it.
pub(super) fn seen(system: System, version: u64, values: &[(&str, &str)]) -> Observation {
    Observation {
        record: record(if system == CRM { "c1" } else { "e1" }),
        version: Some(Version(version)),
        modified_at: Some(at(i64::try_from(version).unwrap())),
        by_us: false,
        presence: Presence::Present,
        view: view(values),
        whole_lines: true,
        admitted: true,
        stand_in: None,
    }
}

/// The record of a side as our own write left it.
pub(super) fn ours(system: System, version: u64, values: &[(&str, &str)]) -> Observation {
    Observation { by_us: true, ..seen(system, version, values) }
}

pub(super) fn gone(system: System, version: u64) -> Observation {
    Observation { presence: Presence::Deleted, ..seen(system, version, &[]) }
}

/// A step that keeps all promises.
#[track_caller]
pub(super) fn kept(link: &Link, event: &Event, policy: &Policy, released: bool, now: i64) -> Step {
    let step = step(link.clone(), event.clone(), policy, released, at(now));
    let taken = Taken { before: link, event, step: &step, policy };
    let broken: Vec<String> =
        promises::broken(&taken).map(|promise| format!("{}: {}", promise.id, promise.says)).collect();
    assert!(broken.is_empty(), "{broken:#?}\n{event:?} made of {link:#?}\n{step:#?}");
    step
}

/// A link on its way through events, with what followed from all of them.
pub(super) struct Story {
    pub(super) link: Link,
    pub(super) policy: Policy,
    pub(super) released: bool,
    /// What followed from the last event.
    pub(super) effects: Vec<Effect>,
    now: i64,
}

impl Story {
    pub(super) fn of(link: Link, policy: Policy) -> Self {
        Self { link, policy, released: true, effects: Vec::new(), now: 0 }
    }

    #[track_caller]
    pub(super) fn after(&mut self, seconds: i64, event: Event) -> &mut Self {
        self.now += seconds;
        let next = kept(&self.link, &event, &self.policy, self.released, self.now);
        (self.link, self.effects) = (next.link, next.effects);
        self
    }

    pub(super) fn then(&mut self, event: Event) -> &mut Self {
        self.after(3600, event)
    }

    pub(super) fn sees(&mut self, system: System, observation: Observation) -> &mut Self {
        self.then(Event::Observed { system, observation })
    }

    /// A person edits the record: it is seen at this version.
    pub(super) fn edited(&mut self, system: System, version: u64, values: &[(&str, &str)]) -> &mut Self {
        self.sees(system, seen(system, version, values))
    }

    pub(super) fn claims(&mut self, system: System) -> &mut Self {
        self.then(Event::Claimed { system })
    }

    /// The write in flight has been carried out, and the record now looks like this.
    pub(super) fn applies(&mut self, system: System, after: Option<Observation>) -> &mut Self {
        let record = self.link.record(system).cloned().unwrap_or_else(|| record("e1"));
        let claim = self.claim(system);
        self.then(Event::Applied { system, claim, record, after })
    }

    pub(super) fn fails(&mut self, system: System, failure: Failure) -> &mut Self {
        let claim = self.claim(system);
        self.then(Event::Failed { system, claim, failure })
    }

    pub(super) fn rejects(&mut self, system: System) -> &mut Self {
        self.fails(system, Failure::Rejected { words: "not like this".to_owned() })
    }

    /// The claim that is in flight.
    pub(super) fn claim(&self, system: System) -> u64 {
        match &self.link.pending[system] {
            Pending::InFlight { claim, .. } => *claim,
            other => panic!("nothing is in flight to {system}: {other:?}"),
        }
    }

    pub(super) fn write(&self, system: System) -> &Write {
        match &self.link.pending[system] {
            Pending::InFlight { write, .. } => write,
            other => panic!("nothing is in flight to {system}: {other:?}"),
        }
    }

    pub(super) fn is_queued(&self, system: System) -> bool {
        matches!(self.link.pending[system], Pending::Queued { .. })
    }

    /// The sides whose writers the last event told of a write.
    pub(super) fn enqueued(&self) -> Vec<System> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Enqueue(system) => Some(*system),
                Effect::Wake | Effect::Echo(_) | Effect::Note(_) => None,
            })
            .collect()
    }

    /// What the last event has added to the history.
    pub(super) fn notes(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Note(text) => Some(text.as_str()),
                Effect::Enqueue(_) | Effect::Wake | Effect::Echo(_) => None,
            })
            .collect()
    }

    /// The last event showed nothing new and nothing is to be done.
    pub(super) fn was_an_echo(&self, system: System) -> bool {
        self.effects == [Effect::Echo(system)]
    }

    pub(super) fn agreed(&self, name: &str) -> Option<(String, String)> {
        let agreed = self.link.agreed.get(&property(name))?;
        Some((agreed.customcrm.to_string(), agreed.exactonline.to_string()))
    }

    pub(super) fn holds(&self, system: System) -> BTreeMap<PropertyName, Value> {
        self.link.sides[system].as_ref().unwrap().view.clone()
    }
}
