//! A create: searched for before it is sent.

use broker::Broker;
use contract::{OutcomeResult, Sighting, WriteQueued};
use mapping::Pair;
use model::{Content, Properties, PropertyName, View};
use store::Store;
use uuid::Uuid;

use super::Work;
use super::send::{Job, Sent};
use crate::{Duplicate, SearchKey, Target, WriterError};

impl<B: Broker, S: Store, T: Target> Work<B, S, T> {
    /// A record is created only when a search for it finds none, and when what it refers to holds what it must.
    pub(super) async fn create(
        &self,
        job: &Job<'_, T>,
        values: &View,
        properties: &Properties,
    ) -> Result<Sent<T::Error>, WriterError> {
        if let Some(found) = self.found(job, values, properties).await? {
            return Ok(found);
        }
        if let Some(instead) = self.raise(job, values).await? {
            return Ok(instead);
        }
        if job.is_too_late() {
            return Ok(Sent::TooLate);
        }
        let aim = self.aim(job.pair, job.claimed.lane);
        let key = idempotency_key(job.queued, properties);
        match job.in_time(job.kept.target.create(aim, properties, &key)).await {
            Ok(sighting) => {
                let record = sighting.record.id.clone();
                Ok(Sent::Result(OutcomeResult::Applied { record, after: Some(sighting) }))
            }
            Err(error) => {
                // Somebody made it since it was searched for.
                let is_unnamed = T::duplicate(&error) == Some(Duplicate::Unnamed);
                match if is_unnamed { self.found(job, values, properties).await? } else { None } {
                    Some(found) => Ok(found),
                    None => Ok(self.refused(job, error).await),
                }
            }
        }
    }

    /// What a search for the new record finds: itself, or several that may be it, or that it can't be told now.
    async fn found(
        &self,
        job: &Job<'_, T>,
        values: &View,
        properties: &Properties,
    ) -> Result<Option<Sent<T::Error>>, WriterError> {
        let Job { queued, pair, claimed, .. } = *job;
        let (aim, target) = (self.aim(pair, claimed.lane), &job.kept.target);
        let source = claimed.link.sides[self.system.other()].as_ref();
        let stand_in = source.and_then(|side| side.stand_in.as_deref());
        for key in self.search_keys(pair, values, properties, stand_in) {
            let mut found = match target.search(aim, &key).await {
                Ok(found) => found,
                Err(error) => return Ok(Some(Sent::Failed(error))),
            };
            if key.only_ours {
                found = self.unlinked(queued, found).await?;
            }
            match found.len() {
                0 => {}
                1 => return Ok(Some(Sent::Result(OutcomeResult::Adopted { found: found.remove(0) }))),
                _ => {
                    let candidates = found.into_iter().map(|sighting| sighting.record.id).collect();
                    return Ok(Some(Sent::Result(OutcomeResult::FoundSeveral { candidates })));
                }
            }
        }
        Ok(None)
    }

    /// Records that no other link has: one of our own making that is linked is somebody else's partner, unless it is
    /// the one that an earlier attempt has made and whose outcome was faster than this search.
    async fn unlinked(
        &self,
        queued: &WriteQueued,
        found: Vec<Sighting>,
    ) -> Result<Vec<Sighting>, WriterError> {
        let mut unlinked = Vec::new();
        for sighting in found {
            let owner = self
                .links
                .link_of(&queued.connection, &queued.pair, self.system, &sighting.record.id)
                .await?;
            let taken = match owner {
                Some(id) if id == queued.link => false,
                Some(id) => {
                    let stored = self.links.find(&queued.connection, &queued.pair, &id).await?;
                    stored.is_some_and(|stored| stored.link.has_both())
                }
                None => false,
            };
            if !taken {
                unlinked.push(sighting);
            }
        }
        Ok(unlinked)
    }

    /// The match keys that the new record carries; without any, what it is called, among records of our own making.
    fn search_keys(
        &self,
        pair: &Pair,
        values: &View,
        properties: &Properties,
        stand_in: Option<&str>,
    ) -> Vec<SearchKey> {
        let key = |rows: &[PropertyName], only_ours: bool| {
            let condition = |row: &PropertyName| {
                let name = pair.property(row)?.names[self.system].as_ref()?;
                let content = properties.get(name).filter(|content| **content != Content::Null)?;
                Some((name.clone(), content.clone()))
            };
            let conditions = rows.iter().map(condition).collect::<Option<Vec<_>>>()?;
            Some(SearchKey { conditions, only_ours, wanted: only_ours.then(|| properties.clone()) })
        };
        let keys: Vec<SearchKey> = pair
            .match_keys(values, stand_in)
            .iter()
            .filter_map(|match_key| key(&match_key.rows.0, false))
            .collect();
        if keys.is_empty() {
            key(std::slice::from_ref(&pair.search_own), true).into_iter().collect()
        } else {
            keys
        }
    }
}

/// The same create is the same request: its key is made of the link and of what is sent.
fn idempotency_key(queued: &WriteQueued, properties: &Properties) -> String {
    let body = contract::json::write_properties(properties);
    let name = format!("{} {} {} {body}", queued.connection, queued.pair, queued.link);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}
