//! What a finished read, or something waited for, sets going.

use std::collections::BTreeSet;

use contract::{Lane, ReadCompleted, Woken};
use jiff::Timestamp;
use link::{Event, Link, step};
use mapping::Lookups;
use model::{ConnectionName, Reference, System, Value};
use store::{Check, OutboxMessage, Store};

use super::{Case, Decided, Handled, Handler, change};
use crate::error::MapperError;

impl<S: Store> Handler<S> {
    pub(super) async fn read_completed(&self, completed: &ReadCompleted) -> Result<Handled, MapperError> {
        let ReadCompleted { connection, system, read, pages, .. } = completed;
        self.links.read_completed(connection, &self.pair.name, *system, *read, pages.clone()).await?;
        let case = Case { connection, lane: Lane::Backfill, part: None, now: Timestamp::now() };
        self.release_when_read(&case).await.map(Handled::Done)
    }

    /// Lets the pair create as soon as both systems have been read in full, and wakes the links that waited for it.
    pub(super) async fn release_when_read(&self, case: &Case<'_>) -> Result<Vec<OutboxMessage>, MapperError> {
        let (connection, pair) = (case.connection, &self.pair.name);
        loop {
            if self.links.released(connection, pair).await?.0
                || !self.links.both_read(connection, pair).await?
            {
                return Ok(Vec::new());
            }
            let unmatched = self.links.unmatched(connection, pair).await?;
            let wakes: Vec<OutboxMessage> = unmatched
                .iter()
                .map(|link| self.wake(connection, &self.pair.name, link.clone(), case.now))
                .collect();
            // Refused when another link has come to wait, or when another mapper has released the pair: both end.
            if self.links.release(connection, pair, &unmatched, &wakes, case.now).await? {
                tracing::info!(%connection, %pair, unmatched = wakes.len(), "both systems are read in full: partners may be created");
                return Ok(wakes);
            }
        }
    }

    pub(super) async fn woken(&self, woken: &Woken) -> Result<Option<Handled>, MapperError> {
        let now = Timestamp::now();
        let case = Case { connection: &woken.connection, lane: Lane::Backfill, part: None, now };
        let Some(stored) = self.links.find(&woken.connection, &self.pair.name, &woken.link).await? else {
            return Ok(Some(Handled::Done(Vec::new())));
        };
        let (released, held) = self.links.released(&woken.connection, &self.pair.name).await?;
        let mut checks: Vec<Check> = held.into_iter().collect();
        let (mut link, mut effects) = (stored.link.clone(), Vec::new());
        for (event, event_checks) in self.resolved(&woken.connection, &stored.link).await? {
            checks.extend(event_checks);
            if let Some(event) = event {
                let next = step(&link, event, &self.policy, released, now);
                link = next.link;
                effects.extend(next.effects);
            }
        }
        let missing = System::BOTH.into_iter().find(|system| link.sides[*system].is_none());
        let decided = match missing {
            Some(missing) => {
                let system = missing.other();
                self.match_and_step(system, Some(stored), link, effects, released, now).await?
            }
            None => Decided { links: vec![change(Some(stored), &link)], checks: Vec::new(), effects, link },
        };
        self.commit(&case, decided, checks).await
    }

    /// The references of a link that can be resolved by now, as events; and the checks for those that can't.
    async fn resolved(
        &self,
        connection: &ConnectionName,
        link: &Link,
    ) -> Result<Vec<(Option<Event>, Vec<Check>)>, MapperError> {
        let mut resolved = Vec::new();
        for system in System::BOTH {
            let Some(side) = &link.sides[system] else { continue };
            for (property, value) in &side.view {
                let Value::Reference(Reference::Unlinked { pair, record, .. }) = value else { continue };
                let need = mapping::ReferenceNeed { pair: pair.clone(), record: record.clone() };
                let mut lookups = Lookups::default();
                let needs = BTreeSet::from([need]);
                let checks = self.links.look_up_links(connection, system, &needs, &mut lookups).await?;
                let event = lookups.links.into_values().next().map(|linked| Event::ReferenceLinked {
                    system,
                    property: property.clone(),
                    value: Value::Reference(Reference::Linked(linked)),
                });
                resolved.push((event, checks));
            }
        }
        Ok(resolved)
    }
}
