//! A write to a system that can't refuse a stale one: what it would write over is looked at right before.
//!
//! Between the look and the write somebody may still edit the record; the system offers no way to close that gap.

use std::collections::BTreeSet;

use broker::Broker;
use contract::{OutcomeResult, Sighting};
use model::{PropertyName, RecordId, Value, View};
use store::Store;

use super::Work;
use super::send::{Job, Sent};
use crate::{Target, WriterError};

/// What a write touches.
pub(super) enum Touches<'a> {
    /// These properties, and no line.
    Properties(&'a View),
    /// Lines too: any of them may stand where a new one goes.
    Lines(&'a View),
    /// All of the record.
    Everything,
}

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    /// Whether what the write touches is still as it was last seen; if not, what becomes of the write.
    pub(super) async fn fence(
        &self,
        job: &Job<'_, T>,
        record: &RecordId,
        touches: Touches<'_>,
    ) -> Result<Option<Sent<T::Error>>, WriterError> {
        let aim = self.aim(job.pair, job.claimed.lane);
        let target = &job.kept.target;
        if target.refuses_stale_writes(aim) {
            return Ok(None);
        }
        let now = match target.record(aim, record).await {
            Ok(Some(now)) => now,
            Ok(None) => return Ok(Some(Sent::Result(OutcomeResult::Gone))),
            Err(error) => return Ok(Some(Sent::Failed(error))),
        };
        let link = &job.claimed.link;
        let nothing = View::new();
        let seen = link.sides[self.system].as_ref().map_or(&nothing, |side| &side.view);
        let view = self.look_through(job, &now).await?;
        let is_as_seen = touched(&touches, seen, &view).into_iter().all(|name| {
            let cell = |view: &View| view.get(name).cloned().unwrap_or(Value::Empty);
            cell(seen) == cell(&view)
        });
        Ok((!is_as_seen).then_some(Sent::Result(OutcomeResult::Stale { now: Some(now) })))
    }

    /// A sighting through the pair, its lines under the link's keys.
    async fn look_through(&self, job: &Job<'_, T>, sighting: &Sighting) -> Result<View, WriterError> {
        let Job { queued, kept, pair, claimed } = *job;
        let properties = &sighting.record.properties;
        let mut lookups = self.lookups(queued, kept, pair, &View::new()).await?;
        let needs = pair.needs(self.system, properties);
        self.links.look_up_links(&queued.connection, self.system, &needs, &mut lookups).await?;
        Ok(claimed.link.tied(self.system, pair.view(self.system, properties, &lookups).view))
    }
}

/// The cells that a write touches, of those that are and of those that were.
fn touched<'v>(touches: &Touches<'v>, seen: &'v View, now: &'v View) -> BTreeSet<&'v PropertyName> {
    let all = seen.keys().chain(now.keys());
    match touches {
        Touches::Properties(values) => values.keys().collect(),
        Touches::Lines(values) => {
            all.filter(|name| name.cell().is_some() || values.contains_key(*name)).collect()
        }
        // What can't be read at present is absent, and no difference.
        Touches::Everything => all.filter(|name| now.contains_key(*name)).collect(),
    }
}
