//! A record seen through the pair.

use std::collections::BTreeSet;

use contract::Sighting;
use link::{Link, Observation, Side};
use mapping::{Lookups, ReferenceNeed, Through};
use model::{LineKey, Presence, Properties, PropertyName, Record, RecordId, Reference, System, Value, View};
use store::{Check, Named, Store, through_row};

use super::Keeper;
use crate::error::MapperError;

/// A record as the pair sees it.
pub(super) struct Seen {
    pub(super) observation: Observation,
    /// What the commit must still find.
    pub(super) checks: Vec<Check>,
    /// What it was seen with.
    pub(super) lookups: Lookups,
}

/// The links of other pairs that a record leads to: under which name its view holds each, and what must be looked up;
/// nothing where it leads to none.
type Leads = Vec<(PropertyName, Option<ReferenceNeed>)>;

impl<S: Store> Keeper<S> {
    /// A sighting seen through the pair; `None` until the user directories are there.
    pub(super) async fn seen(
        &self,
        system: System,
        sighting: &Sighting,
        named: Named,
    ) -> Result<Option<Seen>, MapperError> {
        let Record { id, version, modified_at, presence, properties, .. } = &sighting.record;
        let leads = self.leads(system, &sighting.record);
        let Named { directories, lists } = named;
        let Some(directories) = directories else { return Ok(None) };
        let mut lookups = Lookups {
            people: directories.people,
            lists,
            given: self.given.clone(),
            today: ambient::today(),
            ..Lookups::default()
        };
        let mut needs: BTreeSet<ReferenceNeed> = self.pair.needs(system, properties);
        needs.extend(leads.iter().filter_map(|(_, need)| need.clone()));
        let looked = self.links.look_up_links(&self.connection, system, &needs, &mut lookups);
        let mut checks = looked.await?;
        let seen = self.pair.view(system, properties, &lookups);
        for problem in &seen.problems {
            tracing::warn!(
                connection = %self.connection, %system, record = %id, %problem,
                "a property can't be read and stays as it is"
            );
        }
        let mut view = seen.view;
        view.extend(leads.into_iter().map(|(row, need)| (row, led_to(system, need, &lookups))));
        if view.values().any(is_stranger) {
            checks.extend(directories.checks);
        }
        let stand_in = match self.inherited(system, &view).await? {
            Some(inherited) => Some(inherited),
            None => self.pair.stand_in(system, properties),
        };
        let observation = Observation {
            record: id.clone(),
            version: *version,
            modified_at: *modified_at,
            by_us: sighting.by_us,
            presence: *presence,
            admitted: self.may_get_a_partner(system, properties, &view),
            view,
            whole_lines: *presence == Presence::Present && self.pair.lists_lines(system, properties),
            stand_in,
        };
        Ok(Some(Seen { observation, checks, lookups }))
    }

    /// Whether a partner may be made for a record, as far as the record itself tells. One that adopts the partner of
    /// another link never gets one of its own.
    fn may_get_a_partner(&self, system: System, properties: &Properties, view: &View) -> bool {
        let row = self.pair.adopts.as_ref().filter(|_| system == System::CustomCrm).and_then(through_row);
        let adopts = row.and_then(|row| view.get(&row)).is_some_and(|value| !value.is_empty());
        self.pair.admits(system, properties) && !adopts && !self.yields(system, properties)
    }

    fn leads(&self, system: System, record: &Record) -> Leads {
        if record.presence == Presence::Deleted {
            return Vec::new();
        }
        let need = |through: &Through, record| ReferenceNeed { pair: through.pair.clone(), record };
        let adopts = self.pair.adopts.as_ref();
        match system {
            System::CustomCrm => adopts
                .into_iter()
                .chain(self.inherits())
                .filter_map(|through| {
                    let id = record.properties.get(&through.reference)?.as_text();
                    let id = id.and_then(|id| RecordId::parse(id.trim()).ok());
                    Some((through_row(through)?, id.map(|id| need(through, id))))
                })
                .collect(),
            System::ExactOnline => adopts
                .and_then(|through| Some((through_row(through)?, Some(need(through, record.id.clone())))))
                .into_iter()
                .collect(),
        }
    }

    fn inherits(&self) -> Option<&Through> {
        self.pair.stand_in.as_ref()?.inherits.as_ref()
    }

    /// The stand-in that a record of CustomCRM takes over from the link of another pair that it leads to: what Exact
    /// holds in the same row there.
    pub(super) async fn inherited(&self, system: System, view: &View) -> Result<Option<String>, MapperError> {
        let Some(through) = self.inherits().filter(|_| system == System::CustomCrm) else { return Ok(None) };
        let led_to = through_row(through).and_then(|row| view.get(&row));
        let Some(Value::Reference(Reference::Linked(link))) = led_to else { return Ok(None) };
        let stored = self.links.find(&self.connection, &through.pair, link).await?;
        let row = self.pair.stand_in.as_ref().map(|stand_in| &stand_in.property);
        let exact = stored.as_ref().and_then(|stored| stored.link.sides.exactonline.as_ref());
        let held = exact.zip(row).and_then(|(side, row)| side.view.get(row).cloned());
        Ok(held.filter(|value| matches!(value, Value::Text(_))).map(|value| value.to_string()))
    }
}

fn led_to(system: System, need: Option<ReferenceNeed>, lookups: &Lookups) -> Value {
    let Some(ReferenceNeed { pair, record }) = need else { return Value::Empty };
    let key = (pair, system, record);
    Value::Reference(match lookups.links.get(&key) {
        Some(link) => Reference::Linked(link.clone()),
        None => Reference::Unlinked { pair: key.0, system, record: key.2 },
    })
}

const fn is_stranger(value: &Value) -> bool {
    matches!(value, Value::Reference(Reference::UnknownPerson { .. }))
}

/// What a link knows of a record, as an observation of it; `whole_lines` tells whether it knows all its lines.
pub(super) fn observation_of(side: Side, whole_lines: bool) -> Observation {
    Observation {
        record: side.record,
        version: side.version,
        modified_at: side.modified_at,
        by_us: false,
        presence: side.presence,
        view: side.view,
        whole_lines,
        admitted: side.admitted,
        stand_in: side.stand_in,
    }
}

/// What an observation tells of a record.
pub(super) fn side_of(observation: Observation) -> Side {
    Side {
        record: observation.record,
        version: observation.version,
        modified_at: observation.modified_at,
        view: observation.view,
        presence: observation.presence,
        admitted: observation.admitted,
        stand_in: observation.stand_in,
    }
}

/// A link's side as it was seen: its lines under their own keys, which another link knows nothing else of.
pub(super) fn as_seen(link: &Link, system: System) -> Option<Side> {
    let mut side = link.sides[system].clone()?;
    let own = |tie: &LineKey| link.lines.get(tie).and_then(|keys| keys[system].clone());
    let renamed = side.view.into_iter().map(|(name, value)| match name.line() {
        Some(tie) => {
            (own(&tie).map_or_else(|| name.clone(), |own| PropertyName::in_line(&own, &name.row())), value)
        }
        None => (name, value),
    });
    side.view = renamed.collect();
    Some(side)
}
