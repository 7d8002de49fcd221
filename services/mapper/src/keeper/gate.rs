//! The gate before the first create: all that decides whether a partner is there has been read.

use std::collections::{BTreeMap, BTreeSet};

use contract::ReadCompleted;
use jiff::Timestamp;
use mapping::Pair;
use model::PairName;
use store::Store;

use super::Keeper;
use super::claims::beside;
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
        let released = self.release_when_read(ambient::now()).await?;
        Ok(if released { Handled::Released(Vec::new()) } else { Handled::Done(Vec::new()) })
    }

    /// Lets pairs create as soon as all that they wait for has been read in full; tells whether one was let.
    pub(super) async fn release_when_read(&self, now: Timestamp) -> Result<bool, MapperError> {
        let (links, connection) = (&self.links, &self.connection);
        let mut any = false;
        for (pair, waits_for) in &self.gates {
            if links.released(connection, pair).await?.0 || !self.are_read(waits_for).await? {
                continue;
            }
            if links.release(connection, pair, now).await? {
                tracing::info!(%connection, %pair, "both systems are read in full: partners may be created");
                any = true;
            }
        }
        Ok(any)
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
