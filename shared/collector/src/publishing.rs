//! What a collector says of what it has read.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::{Broker, Outgoing};
use contract::{Message, Observed, ReadCompleted, ReadPart, Sighting, observation_key};
use model::{Record, RecordId, UserId, Version};
use store::{Links, Store};
use telemetry::Hop;
use tokio::time::Instant;
use tracing::field::Empty;

use crate::state::{FullRead, State};
use crate::{Collector, CollectorError, Page, Source};

/// So many observations are published in one step.
const PUBLISHED_AT_ONCE: usize = 200;

/// A full read goes on when no more than this is left to take in of a queue that it goes to.
const LEFT_MAX: u64 = 400;
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Nobody takes from a queue in which there is no less after this time.
const STANDS_STILL: Duration = Duration::from_secs(5);

impl<B: Broker, S: Store, R: Source> Collector<B, S, R> {
    /// A page, as far as it is news; `false` where the service stops in the middle of it.
    pub(crate) async fn publish(
        &self,
        page: &Page,
        state: &mut State,
        ours: &UserId,
    ) -> Result<bool, CollectorError> {
        let page_id = ambient::new_id();
        let full_read = state.full_read.as_ref().map(|read| read.id);
        let mut indexes = 0_u32..;
        // Some at a time: a message is as large as the record, and exists several times while it is sent.
        for records in page.records.chunks(PUBLISHED_AT_ONCE) {
            let records = match full_read {
                Some(_) if !self.has_room().await? => return Ok(false),
                // Everything is counted.
                Some(_) => records.iter().collect(),
                None => self.news(records, ours).await?,
            };
            let messages = records.into_iter().zip(&mut indexes).map(|(record, index)| {
                let part = full_read.map(|read| ReadPart { read, page: page_id, index });
                self.observation(record, ours, part)
            });
            self.ports.broker.publish(messages.collect()).await?;
        }
        if page.records.is_empty() {
            return Ok(true);
        }
        let records = u32::try_from(page.records.len()).unwrap_or(u32::MAX);
        if let Some(read) = &mut state.full_read {
            read.pages.push((page_id, records));
        }
        tracing::debug!(connection = %self.connection, system = %self.system, entity = %self.entity, records, "published");
        Ok(true)
    }

    /// Waits while much of what was published is left to take in: what people edit meanwhile, and what becomes of
    /// their edits, stands behind it in the same queues. A queue that nobody takes from holds up the other pairs no
    /// longer than a moment. `false` when the service stops.
    async fn has_room(&self) -> Result<bool, CollectorError> {
        for queue in self.topology.queues_of(self.system, &self.entity) {
            let (mut least, mut since) = (u64::MAX, Instant::now());
            loop {
                let left = self.ports.broker.depth(queue).await?;
                if left < least {
                    (least, since) = (left, Instant::now());
                }
                if left <= LEFT_MAX || since.elapsed() > STANDS_STILL {
                    break;
                }
                if self.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The records without those that a writer has told the mapper of as they are: our own writes coming back.
    async fn news<'r>(
        &self,
        records: &'r [Record],
        ours: &UserId,
    ) -> Result<Vec<&'r Record>, CollectorError> {
        let may_be_ours = |record: &Record| record.modified_by.as_ref().is_none_or(|by| by == ours);
        let written =
            |record: &'r Record| Some((&record.id, record.version.filter(|_| may_be_ours(record))?));
        let asked: Vec<(&RecordId, Version)> = records.iter().filter_map(written).collect();
        let links = Links::new(self.ports.store.clone(), &self.namespace);
        let told = links.told(&self.connection, self.system, &self.entity, &asked).await?;
        let (mut told, mut news) = (told.into_iter(), Vec::with_capacity(records.len()));
        for record in records {
            match written(record).and_then(|_| told.next().flatten()) {
                Some(pair) => self.metrics.count_echo(pair.as_str(), self.system.name()),
                None => news.push(record),
            }
        }
        Ok(news)
    }

    /// Each observation begins the trace of the change that it shows.
    fn observation(&self, record: &Record, ours: &UserId, part: Option<ReadPart>) -> Outgoing {
        let exchange = self.topology.names.observations();
        let span = tracing::info_span!(
            "collect", otel.kind = "producer", otel.name = format!("collect {exchange}"), messaging.system = B::SYSTEM,
            messaging.operation.name = "collect", messaging.operation.type = "send",
            messaging.destination.name = exchange, messaging.message.id = Empty, connection = %self.connection,
            system = %self.system, entity = %self.entity, record = %record.id,
            version = record.version.map(|version| version.0), by_us = Empty,
        );
        let _entered = span.enter();
        let by_us = record.modified_by.as_ref() == Some(ours);
        let is_edit = !by_us && part.is_none();
        let message = self.message(&Message::Observed(Observed {
            connection: self.connection.clone(),
            system: self.system,
            entity: self.entity.clone(),
            sighting: Sighting { record: record.clone(), by_us },
            part,
        }));
        span.record("messaging.message.id", &message.id);
        span.record("by_us", by_us);
        if let Some(at) = record.modified_at.filter(|_| is_edit) {
            let lag = message.at.duration_since(at).as_secs_f64();
            self.metrics.observe_hop(Hop::Collect, self.system.name(), lag);
        }
        message
    }

    /// That a full read has come to its end.
    pub(crate) async fn publish_end(&self, read: FullRead) -> Result<(), CollectorError> {
        tracing::info!(
            connection = %self.connection, system = %self.system, entity = %self.entity, pages = read.pages.len(),
            "a full read is complete"
        );
        let message = self.message(&Message::ReadCompleted(ReadCompleted {
            connection: self.connection.clone(),
            system: self.system,
            entity: self.entity.clone(),
            read: read.id,
            pages: read.pages,
        }));
        Ok(self.ports.broker.publish(vec![message]).await?)
    }

    fn message(&self, message: &Message) -> Outgoing {
        let (id, at) = (ambient::new_id(), ambient::now());
        let mut headers = BTreeMap::new();
        telemetry::inject(&mut headers);
        Outgoing {
            exchange: self.topology.names.observations(),
            routing_key: observation_key(&self.connection, self.system, &self.entity),
            id: id.to_string(),
            headers,
            at,
            body: message.write(id, &format!("collector-{}", self.system), at),
        }
    }
}
