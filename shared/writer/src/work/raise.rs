//! What the record that a new one refers to must hold before: an account that may be sold to, for an order.

use broker::Broker;
use contract::OutcomeResult;
use mapping::{Lens, Onto, Pair};
use model::{FailureClass, Reference, System, Value, View};
use store::{Store, Stored};
use telemetry::Chain;

use super::Work;
use super::send::{Job, Sent};
use crate::{Target, WriterError};

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    /// Raises what the new record refers to, where it does not hold yet what it must. `Some` is what the create comes
    /// to when that fails.
    ///
    /// Where a create is repeated before the raised record was seen again, the target's check of versions refuses to
    /// raise it twice, and the create waits.
    pub(super) async fn raise(
        &self,
        job: &Job<'_, T>,
        values: &View,
    ) -> Result<Option<Sent<T::Error>>, WriterError> {
        let Some(raise) = job.pair.raises.as_ref().filter(|_| self.system == System::ExactOnline) else {
            return Ok(None);
        };
        let Some((through, Stored { link, .. })) = self.referred(job, &raise.reference, values).await? else {
            return Ok(None);
        };
        let Some(side) = &link.sides[self.system] else { return Ok(None) };
        if side.view.get(&raise.property) == Some(&raise.value) {
            return Ok(None);
        }
        let raised = View::from([(raise.property.clone(), raise.value.clone())]);
        let lookups = self.lookups(job.queued, job.kept, through, &raised).await?;
        let source = link.sides[self.system.other()].as_ref().map_or(&raised, |side| &side.view);
        let onto = Onto::Known { source, view: &side.view, lines: &link.lines };
        let put = match through.put(self.system, &raised, onto, &lookups) {
            Ok(put) => put,
            Err(problems) => return Ok(Some(Sent::unfit(&problems))),
        };
        let (aim, target) = (self.aim(through, job.claimed.lane), &job.kept.target);
        let problems = target.check(aim, &put, false);
        if !problems.is_empty() {
            return Ok(Some(Sent::unfit(&problems)));
        }
        if let Err(error) = target.ready(aim).await {
            return Ok(Some(Sent::Failed(error)));
        }
        match target.update(aim, &side.record, side.version, &put).await {
            Ok(_) => Ok(None),
            Err(error) => match T::class(&error) {
                // Nothing was asked about the new record itself: it is refused until somebody repairs the other one.
                FailureClass::Rejected | FailureClass::Gone => {
                    let words = format!(
                        "{} {} must hold {} in {} first: {}",
                        aim.entity,
                        side.record,
                        raise.value,
                        raise.property,
                        Chain(&error)
                    );
                    Ok(Some(Sent::Result(OutcomeResult::Rejected { words })))
                }
                FailureClass::Stale
                | FailureClass::Transient
                | FailureClass::Throttled { .. }
                | FailureClass::Auth
                | FailureClass::Ambiguous => Ok(Some(Sent::Failed(error))),
            },
        }
    }

    /// The link that a row of the new record refers to, and its pair.
    async fn referred<'a>(
        &self,
        job: &Job<'a, T>,
        row: &model::PropertyName,
        values: &View,
    ) -> Result<Option<(&'a Pair, Stored)>, WriterError> {
        let Some(Value::Reference(Reference::Linked(id))) = values.get(row) else { return Ok(None) };
        let Some(Lens::Reference { pair: through, .. }) = job.pair.property(row).map(|row| &row.lens) else {
            return Ok(None);
        };
        let Some(through) = job.kept.pairs.get(through) else { return Ok(None) };
        let stored = self.links.find(&job.queued.connection, &through.name, id).await?;
        Ok(stored.map(|stored| (through, stored)))
    }
}
