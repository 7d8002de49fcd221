//! The stage: pairs, links and both systems, as the checks look at them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use link::{Link, Status};
use mapping::{Lookups, Onto, Pair, Put};
use model::{ConnectionName, Content, PairName, PropertyName, RecordId, System, Value, View};
use store::{Links, Store};
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::ChecklistError;
use super::sides::Sides;
use super::values::Known;

/// How long an edit may take to arrive before its check is red.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);
/// How often it is looked at.
const LOOKS_EVERY: Duration = Duration::from_millis(100);

/// How long what references stand for is not asked for again.
const STANDS_FOR: Duration = Duration::from_millis(500);

/// What the checks work with.
pub(crate) struct Stage<S> {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) links: Links<S>,
    pub(crate) connection: ConnectionName,
    pub(crate) sides: Sides<S>,
    pub(crate) given: BTreeMap<String, Content>,
    /// What references stood for a moment ago: asked for at every look, and forgotten when a record is linked.
    pub(crate) seen: Mutex<Option<(Instant, Lookups)>>,
}

impl<S: Store> Stage<S> {
    /// The pair of this name.
    pub(crate) fn pair(&self, name: &PairName) -> Result<&Pair, ChecklistError> {
        let found = self.pairs.iter().find(|pair| pair.name == *name);
        found.ok_or_else(|| ChecklistError::Stage(format!("the pair {name} is not kept")))
    }

    /// Everything that references and users stand for at this moment.
    pub(crate) async fn lookups(&self) -> Result<Lookups, ChecklistError> {
        let mut seen = self.seen.lock().await;
        if let Some((at, lookups)) = &*seen
            && at.elapsed() < STANDS_FOR
        {
            return Ok(lookups.clone());
        }
        let lookups = self.look_up().await?;
        *seen = Some((Instant::now(), lookups.clone()));
        Ok(lookups)
    }

    async fn look_up(&self) -> Result<Lookups, ChecklistError> {
        let mut lookups = Lookups {
            given: self.given.clone(),
            today: Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date(),
            ..Lookups::default()
        };
        for system in System::BOTH {
            lookups.people[system] = self.links.people(&self.connection, system).await?.unwrap_or_default();
        }
        lookups.lists = self.links.lists(&self.connection).await?;
        for pair in &self.pairs {
            for link in self.all_linked(pair).await? {
                for system in System::BOTH {
                    let Some(record) = link.record(system) else { continue };
                    lookups.links.insert((pair.name.clone(), system, record.clone()), link.id.clone());
                    lookups.records.insert((pair.name.clone(), link.id.clone(), system), record.clone());
                }
            }
        }
        Ok(lookups)
    }

    /// All links of a pair that have both records.
    pub(crate) async fn all_linked(&self, pair: &Pair) -> Result<Vec<Arc<Link>>, ChecklistError> {
        let mut links = Vec::new();
        for id in self.links.all(&self.connection, &pair.name).await? {
            if let Some(stored) = self.links.find(&self.connection, &pair.name, &id).await?
                && stored.link.status == Status::Linked
                && stored.link.has_both()
            {
                links.push(stored.link);
            }
        }
        Ok(links)
    }

    /// The link of a record as it is now, once it has both records.
    pub(crate) async fn linked(
        &self,
        pair: &Pair,
        system: System,
        record: &RecordId,
    ) -> Result<Option<Arc<Link>>, ChecklistError> {
        let Some(id) = self.links.link_of(&self.connection, &pair.name, system, record).await? else {
            return Ok(None);
        };
        let stored = self.links.find(&self.connection, &pair.name, &id).await?;
        Ok(stored.map(|stored| stored.link).filter(|link| link.status == Status::Linked && link.has_both()))
    }

    /// Waits until the people of both systems and the lists that the pairs name have been read: what refers to them would
    /// be left out of new records. Goes on without what can't be read.
    pub(crate) async fn until_read(&self) -> Result<(), ChecklistError> {
        let named = exactonline::lists(&self.pairs);
        let began = Instant::now();
        while began.elapsed() < ARRIVES_WITHIN {
            let lists = self.links.lists(&self.connection).await?;
            let people = self.links.directories(&self.connection).await?;
            if people.is_some() && named.iter().all(|list| lists.contains_key(list.name())) {
                break;
            }
            sleep(LOOKS_EVERY).await;
        }
        Ok(())
    }

    /// Waits until a record has its partner.
    pub(crate) async fn until_linked(
        &self,
        pair: &Pair,
        system: System,
        record: &RecordId,
    ) -> Result<Arc<Link>, ChecklistError> {
        let began = Instant::now();
        while began.elapsed() < ARRIVES_WITHIN {
            if let Some(link) = self.linked(pair, system, record).await?.filter(|link| link.is_at_rest()) {
                // From now on others can refer to it.
                *self.seen.lock().await = None;
                return Ok(link);
            }
            sleep(LOOKS_EVERY).await;
        }
        let why = self.told(pair, system, record, 3).await?;
        Err(ChecklistError::Stage(format!("{} {system} record {record} got no partner: {why}", pair.name)))
    }

    /// The last steps of a record's link, the newest first.
    pub(crate) async fn told(
        &self,
        pair: &Pair,
        system: System,
        record: &RecordId,
        steps: usize,
    ) -> Result<String, ChecklistError> {
        let Some(id) = self.links.link_of(&self.connection, &pair.name, system, record).await? else {
            return Ok("it was never seen, or is not admitted".to_owned());
        };
        let lines = self.links.history(&self.connection, &pair.name, &id, steps).await?;
        Ok(lines.join("; "))
    }

    /// How a side looks now, its lines under the keys that the link gives them.
    pub(crate) async fn view(
        &self,
        pair: &Pair,
        system: System,
        link: &Link,
    ) -> Result<View, ChecklistError> {
        let Some(record) = link.record(system) else { return Ok(View::new()) };
        let properties = self.sides.read(pair, system, record).await?;
        let lookups = self.lookups().await?;
        Ok(link.tied(system, pair.view(system, &properties, &lookups).view))
    }

    /// Waits until a side's view is as wanted; else tells how it was last.
    pub(crate) async fn until(
        &self,
        pair: &Pair,
        system: System,
        link: &Link,
        wanted: impl Fn(&View) -> bool,
    ) -> Result<Result<(), View>, ChecklistError> {
        let began = Instant::now();
        loop {
            // Lines may have been tied meanwhile, and a reviewed quotation is another record.
            let link = self.fresh(pair, link).await?;
            let view = self.view(pair, system, &link).await?;
            if wanted(&view) {
                return Ok(Ok(()));
            }
            if began.elapsed() > ARRIVES_WITHIN {
                return Ok(Err(view));
            }
            sleep(LOOKS_EVERY).await;
        }
    }

    /// The link as it is now.
    pub(crate) async fn fresh(&self, pair: &Pair, link: &Link) -> Result<Arc<Link>, ChecklistError> {
        let stored = self.links.find(&self.connection, &pair.name, &link.id).await?;
        stored
            .map(|stored| stored.link)
            .ok_or_else(|| ChecklistError::Stage(format!("the link {} is gone", link.id)))
    }

    /// Waits until nothing is pending on a link.
    pub(crate) async fn until_at_rest(&self, pair: &Pair, link: &Link) -> Result<(), ChecklistError> {
        let began = Instant::now();
        while began.elapsed() < ARRIVES_WITHIN && !self.fresh(pair, link).await?.is_at_rest() {
            sleep(LOOKS_EVERY).await;
        }
        Ok(())
    }

    /// Waits until a link has seen that a side holds this, and nothing is pending on it.
    pub(crate) async fn until_seen(
        &self,
        pair: &Pair,
        link: &Link,
        system: System,
        (name, value): (&PropertyName, &Value),
    ) -> Result<(), ChecklistError> {
        let began = Instant::now();
        while began.elapsed() < ARRIVES_WITHIN {
            let link = self.fresh(pair, link).await?;
            let seen = link.sides[system].as_ref().and_then(|side| side.view.get(name));
            if link.is_at_rest() && seen == Some(value) {
                break;
            }
            sleep(LOOKS_EVERY).await;
        }
        Ok(())
    }

    /// Edits a record as a person would; the cells of lines are under the link's keys.
    pub(crate) async fn edit(
        &self,
        pair: &Pair,
        system: System,
        link: &Link,
        values: &View,
    ) -> Result<(), ChecklistError> {
        let link = self.fresh(pair, link).await?;
        let Some(record) = link.record(system) else { return Ok(()) };
        let view = self.view(pair, system, &link).await?;
        let onto = Onto::Known { source: &view, view: &view, lines: &link.lines };
        let put = self.put(pair, system, values, onto).await?;
        self.sides.change(pair, system, record, &put).await
    }

    /// Makes a record as a person would.
    pub(crate) async fn make(
        &self,
        pair: &Pair,
        system: System,
        values: &View,
    ) -> Result<RecordId, ChecklistError> {
        let put = self.put(pair, system, values, Onto::New { source: values }).await?;
        self.sides.make(pair, system, &put).await
    }

    async fn put(
        &self,
        pair: &Pair,
        system: System,
        values: &View,
        onto: Onto<'_>,
    ) -> Result<Put, ChecklistError> {
        let lookups = self.lookups().await?;
        pair.put(system, values, onto, &lookups).map_err(|problems| {
            let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
            ChecklistError::Stage(words.join("; "))
        })
    }

    /// What values may refer to.
    pub(crate) async fn known(&self) -> Result<Known, ChecklistError> {
        let lookups = self.lookups().await?;
        let mut links: BTreeMap<PairName, Vec<_>> = BTreeMap::new();
        for (pair, _, _) in lookups.records.keys() {
            links.entry(pair.clone()).or_default();
        }
        for (pair, all) in &mut links {
            let own =
                lookups.records.keys().filter(|(of, _, system)| of == pair && *system == System::CustomCrm);
            all.extend(own.map(|(_, link, _)| link.clone()));
        }
        let exact: Vec<&String> = lookups.people.exactonline.values().collect();
        let people =
            lookups.people.customcrm.values().filter(|email| exact.contains(email)).cloned().collect();
        let lists = lookups
            .lists
            .iter()
            .map(|(list, codes)| (list.clone(), codes.keys().cloned().collect()))
            .collect();
        Ok(Known { links, people, lists })
    }
}

/// What a cell of a view holds.
pub(crate) fn cell(view: &View, name: &PropertyName) -> Value {
    view.get(name).cloned().unwrap_or(Value::Empty)
}
