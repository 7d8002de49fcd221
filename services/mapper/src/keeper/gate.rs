//! The gate before the first create: all that decides whether a partner is there has been read.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Lane, ReadCompleted};
use jiff::Timestamp;
use mapping::Pair;
use model::PairName;
use store::{OutboxMessage, Store};

use super::claims::beside;
use super::{Case, Keeper};
use crate::error::MapperError;
use crate::handler::Handled;

/// For each pair whose creates wait for the reads of `own`: all pairs whose reads they wait for. These are the pair
/// itself, those that may have taken the same records of Exact, and those whose links lead to its partners.
pub(super) fn gates(own: &Pair, kept: &[Pair]) -> BTreeMap<PairName, BTreeSet<PairName>> {
    let waits_for = |pair: &Pair| {
        let inherits = pair.stand_in.as_ref().and_then(|stand_in| stand_in.inherits.as_ref());
        let leads = pair.adopts.iter().chain(inherits).map(|through| through.pair.clone());
        let meets = beside(pair, kept).map(|pair| pair.name.clone());
        meets.chain(leads).chain([pair.name.clone()]).collect::<BTreeSet<PairName>>()
    };
    let gates = kept.iter().map(|pair| (pair.name.clone(), waits_for(pair)));
    gates.filter(|(_, waits_for)| waits_for.contains(&own.name)).collect()
}

impl<S: Store> Keeper<S> {
    pub(crate) async fn read_completed(&self, completed: &ReadCompleted) -> Result<Handled, MapperError> {
        let ReadCompleted { system, read, pages, .. } = completed;
        let (links, name) = (&self.links, &self.pair.name);
        links.read_completed(&self.connection, name, *system, *read, pages.clone()).await?;
        let case = Case {
            lane: Lane::Backfill,
            part: None,
            now: Timestamp::now(),
            released: false,
            policy: self.policy(),
        };
        self.release_when_read(&case).await.map(Handled::Done)
    }

    /// Lets pairs create as soon as all that they wait for has been read in full, and wakes the links that waited for
    /// it.
    pub(super) async fn release_when_read(&self, case: &Case<'_>) -> Result<Vec<OutboxMessage>, MapperError> {
        let mut wakes = Vec::new();
        for (pair, waits_for) in &self.gates {
            wakes.extend(self.release(pair, waits_for, case).await?);
        }
        Ok(wakes)
    }

    async fn release(
        &self,
        pair: &PairName,
        waits_for: &BTreeSet<PairName>,
        case: &Case<'_>,
    ) -> Result<Vec<OutboxMessage>, MapperError> {
        let (links, connection) = (&self.links, &self.connection);
        loop {
            if links.released(connection, pair).await?.0 || !self.are_read(waits_for).await? {
                return Ok(Vec::new());
            }
            let unmatched = links.unmatched(connection, pair).await?;
            let wakes: Vec<OutboxMessage> =
                unmatched.iter().map(|link| self.wake(pair, link.clone(), case.now)).collect();
            // Refused when another link has come to wait, or when another mapper has released the pair: both end.
            if links.release(connection, pair, &unmatched, &wakes, case.now).await? {
                tracing::info!(%connection, %pair, unmatched = wakes.len(), "both systems are read in full: partners may be created");
                return Ok(wakes);
            }
        }
    }

    /// What was counted of a pair's reads is forgotten when it is released.
    async fn are_read(&self, pairs: &BTreeSet<PairName>) -> Result<bool, MapperError> {
        for pair in pairs {
            let read = self.links.released(&self.connection, pair).await?.0
                || self.links.both_read(&self.connection, pair).await?;
            if !read {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
