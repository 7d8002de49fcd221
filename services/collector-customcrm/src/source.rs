//! A CRM as the collector's source: what changed, and, where it does not tell everything, all that is there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use collector::{Hint, Page, Source};
use customcrm::{ChangesCursor, CustomCrm, Error, Reading};
use jiff::Timestamp;
use model::{ConnectionName, EntityName, FailureClass, Record, RecordId, UserId};
use serde::{Deserialize, Serialize};
use store::Store;
use tokio::sync::Mutex;

use crate::known::Known;

/// Records a page, at most.
const PAGE: u32 = 200;
/// Records that a pass did not show and that are asked for themselves, within one page.
const LOOKED_FOR: usize = 20;

/// One collection of a CRM.
pub(crate) struct Crm<S> {
    client: CustomCrm<S>,
    reading: Reading,
    /// Where the last read of changes led to, beside its text.
    last: Mutex<Option<(String, ChangesCursor)>>,
    pass: Mutex<Pass<S>>,
    /// A notification came whose change was not found yet.
    is_hinted: AtomicBool,
    /// A notification told that something is gone, and no pass has begun since.
    is_told_of_deletion: AtomicBool,
}

/// A pass over everything, as far as it got.
struct Pass<S> {
    known: Known<S>,
    /// What the last page led to; a page that begins elsewhere was not safe.
    cursor: Option<String>,
    stage: Stage,
    /// The last page was the end of a pass.
    has_ended: bool,
}

enum Stage {
    /// None is under way.
    Rests,
    /// The next page is the one at this mark.
    Reads(Option<String>),
    /// What was not shown is asked for itself.
    Looks(Vec<RecordId>),
}

/// Where the read of a collection stands that has passes over everything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// Rises with every page that shows anything or leads on: at the same place there is nothing more.
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<String>,
    /// Whether more of that is there.
    #[serde(default)]
    more_changes: bool,
    /// When the last pass ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_at: Option<Timestamp>,
}

impl<S: Store> Crm<S> {
    pub(crate) fn new(
        client: CustomCrm<S>,
        store: S,
        namespace: &str,
        connection: &ConnectionName,
        entity: &EntityName,
    ) -> Self {
        let known = Known::new(store, namespace, connection, entity);
        let reading = client.reading(entity.as_str());
        let pass = Mutex::new(Pass { known, cursor: None, stage: Stage::Rests, has_ended: false });
        let (is_hinted, is_told_of_deletion) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { client, reading, last: Mutex::default(), pass, is_hinted, is_told_of_deletion }
    }

    async fn changes(&self, entity: &EntityName, cursor: Option<&str>) -> Result<Page, Error> {
        let mut last = self.last.lock().await;
        let read;
        let cursor = match &*last {
            Some((text, known)) if cursor == Some(text.as_str()) => known,
            _ => {
                // A cursor that this version can't read begins anew: a repeat does no harm.
                read = cursor.and_then(|text| text.parse().ok()).unwrap_or_else(ChangesCursor::start);
                &read
            }
        };
        let page = self.client.changes(entity.as_str(), cursor, PAGE).await?;
        let text = page.next.to_string();
        *last = Some((text.clone(), page.next));
        Ok(Page { records: page.records, cursor: text, more: page.more })
    }

    /// A page of a collection of which only a pass over everything shows what is gone.
    async fn with_passes(&self, entity: &EntityName, cursor: Option<&str>) -> Result<Page, Error> {
        let mut pass = self.pass.lock().await;
        if pass.cursor.as_deref() == cursor {
            pass.known.safe().await.map_err(Error::Store)?;
        } else {
            pass.known.doubt();
            pass.stage = Stage::Rests;
        }
        let mut place: Place = cursor.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let records = match std::mem::replace(&mut pass.stage, Stage::Rests) {
            Stage::Rests => match self.reading {
                Reading::Passes => self.pass_page(entity, &mut pass, None).await?,
                Reading::Changes | Reading::ChangesAndPasses { .. } => {
                    self.changes_page(entity, &mut pass, &mut place).await?
                }
            },
            Stage::Reads(mark) => self.pass_page(entity, &mut pass, mark).await?,
            Stage::Looks(missing) => self.look_for(entity, &mut pass, missing).await?,
        };
        let more = match &pass.stage {
            Stage::Rests => place.more_changes,
            Stage::Reads(_) | Stage::Looks(_) => true,
        };
        if pass.has_ended {
            pass.has_ended = false;
            place.passed_at = Some(ambient::now());
        }
        place.count += u64::from(more || !records.is_empty());
        let cursor = place.write()?;
        pass.cursor = Some(cursor.clone());
        Ok(Page { records, cursor, more })
    }

    /// What changed; at its end a pass begins where it is due, or where a notification told of what is gone or not among it.
    async fn changes_page(
        &self,
        entity: &EntityName,
        pass: &mut Pass<S>,
        place: &mut Place,
    ) -> Result<Vec<Record>, Error> {
        let page = self.changes(entity, place.changes.as_deref()).await?;
        (place.changes, place.more_changes) = (Some(page.cursor), page.more);
        pass.known.take_in(page.records.clone(), false, true).await.map_err(Error::Store)?;
        if !page.more {
            let is_hinted = self.is_hinted.swap(false, Ordering::Relaxed) && page.records.is_empty();
            // What else changed meanwhile does not say what is gone.
            let is_told_of_deletion = self.is_told_of_deletion.swap(false, Ordering::Relaxed);
            let is_due = match (self.reading, place.passed_at) {
                (Reading::ChangesAndPasses { every, .. }, Some(at)) => {
                    ambient::now().duration_since(at) >= every
                }
                _ => true,
            };
            if is_due || is_hinted || is_told_of_deletion {
                pass.stage = Stage::Reads(None);
            }
        }
        Ok(page.records)
    }

    /// A page of everything. At the end, what was not shown is looked for.
    async fn pass_page(
        &self,
        entity: &EntityName,
        pass: &mut Pass<S>,
        mark: Option<String>,
    ) -> Result<Vec<Record>, Error> {
        if mark.is_none() {
            pass.known.begin();
        }
        let page = self.client.scan(entity.as_str(), mark.as_deref(), PAGE).await?;
        let tells_untold = !matches!(self.reading, Reading::ChangesAndPasses { compares: false, .. });
        let records = pass.known.take_in(page.records, true, tells_untold).await.map_err(Error::Store)?;
        pass.stage = match page.next {
            Some(mark) => Stage::Reads(Some(mark)),
            None => self.ended(pass).await?,
        };
        Ok(records)
    }

    /// A record that a pass did not show is gone only if it is not there when it is asked for itself.
    async fn look_for(
        &self,
        entity: &EntityName,
        pass: &mut Pass<S>,
        mut missing: Vec<RecordId>,
    ) -> Result<Vec<Record>, Error> {
        let rest = missing.split_off(missing.len().min(LOOKED_FOR));
        let mut records = Vec::with_capacity(missing.len());
        for id in missing {
            records.push(self.client.look(entity.as_str(), &id).await?);
        }
        let records = pass.known.take_in(records, true, false).await.map_err(Error::Store)?;
        pass.stage = if rest.is_empty() { self.ended(pass).await? } else { Stage::Looks(rest) };
        Ok(records)
    }

    /// What comes after the last page of a pass.
    async fn ended(&self, pass: &mut Pass<S>) -> Result<Stage, Error> {
        let missing = pass.known.missing().await.map_err(Error::Store)?;
        if missing.is_empty() {
            pass.has_ended = true;
            return Ok(Stage::Rests);
        }
        Ok(Stage::Looks(missing))
    }
}

impl<S: Store> Source for Crm<S> {
    type Error = Error;

    fn class(error: &Error) -> FailureClass {
        error.class()
    }

    async fn ourselves(&self) -> Result<UserId, Error> {
        self.client.me().await
    }

    async fn page(&self, entity: &EntityName, cursor: Option<&str>) -> Result<Page, Error> {
        match self.reading {
            Reading::Changes => self.changes(entity, cursor).await,
            Reading::ChangesAndPasses { .. } | Reading::Passes => self.with_passes(entity, cursor).await,
        }
    }

    fn hinted(&self, hint: Hint) {
        match hint {
            Hint::Changed => self.is_hinted.store(true, Ordering::Relaxed),
            Hint::Deleted => self.is_told_of_deletion.store(true, Ordering::Relaxed),
        }
    }

    async fn people(&self) -> Result<BTreeMap<UserId, String>, Error> {
        let users = self.client.users().await?;
        Ok(users.into_iter().filter_map(|(user, email)| Some((user, email?))).collect())
    }
}

impl Place {
    fn write(&self) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|_| Error::Unexpected { what: "led to a place that can't be kept".to_owned() })
    }
}
