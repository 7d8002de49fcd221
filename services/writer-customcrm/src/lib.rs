//! Applies writes to CustomCRM and reports outcomes.
//!
//! It consumes the two queues of writes to CustomCRM and produces an outcome for each. A record that changed since
//! it was read is not written over: the CRM itself refuses by version. What it refuses: to decide about content.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use broker::Broker;
use contract::Sighting;
use customcrm::{CustomCrm, Error, Settings};
use mapping::{LinePut, Put};
use model::{Content, FailureClass, Presence, Properties, Record, RecordId, System, UserId, Version};
use service::{Context, ServiceError};
use store::Store;
use tokio::sync::OnceCell;
use writer::{Aim, Duplicate, Ports, SearchKey, Target, Writer};

/// What a patch marks a line with that goes.
const DELETED: &str = "Deleted";

/// Runs the writer on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("writer-customcrm", &context.config)?;
    serve(Ports { broker, store }, context).await
}

/// Writes to every connection's CustomCRM until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let system = System::CustomCrm;
    let mut targets = BTreeMap::new();
    for (connection, config) in context.config.customcrm() {
        let client =
            CustomCrm::new(Settings::new(config.url.clone(), config.token.clone())).map_err(|error| {
                ServiceError::System { system, connection: connection.clone(), source: Box::new(error) }
            })?;
        targets.insert(connection.clone(), Crm { client, ours: OnceCell::new() });
    }
    let topology = context.topology();
    Writer { ports, system, targets, topology, context }.run().await
}

struct Crm {
    client: CustomCrm,
    ours: OnceCell<UserId>,
}

impl Crm {
    async fn sighting(&self, record: Record) -> Result<Sighting, Error> {
        let ours = self.ours.get_or_try_init(|| self.client.me()).await?;
        let by_us = record.modified_by.as_ref() == Some(ours);
        Ok(Sighting { record, by_us })
    }
}

impl Target for Crm {
    type Error = Error;

    fn class(error: &Error) -> FailureClass {
        error.class()
    }

    fn duplicate(error: &Error) -> Option<Duplicate> {
        error.duplicate_of().cloned().map(Duplicate::Of)
    }

    async fn ready(&self, _: Aim<'_>) -> Result<(), Error> {
        self.ours.get_or_try_init(|| self.client.me()).await.map(|_| ())
    }

    async fn search(&self, aim: Aim<'_>, key: &SearchKey) -> Result<Vec<Sighting>, Error> {
        // What is not unique can't be searched for here; the idempotency key keeps a repeated create from making two.
        let (false, Some(conditions)) = (key.only_ours, conditions(key)) else { return Ok(Vec::new()) };
        let conditions: Vec<(&str, &str)> =
            conditions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut found = Vec::new();
        for record in self.client.search(aim.entity.as_str(), &conditions).await? {
            found.push(self.sighting(record).await?);
        }
        Ok(found)
    }

    async fn record(&self, aim: Aim<'_>, record: &RecordId) -> Result<Option<Sighting>, Error> {
        match self.client.record(aim.entity.as_str(), record).await {
            Ok(record) if record.presence == Presence::Deleted => Ok(None),
            Ok(record) => self.sighting(record).await.map(Some),
            Err(error) if error.class() == FailureClass::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(&self, aim: Aim<'_>, properties: &Properties, key: &str) -> Result<Sighting, Error> {
        let record = self.client.create(aim.entity.as_str(), properties, key).await?;
        self.sighting(record).await
    }

    async fn update(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
        put: &Put,
    ) -> Result<Option<Sighting>, Error> {
        // A version that was never seen can't be the present one: the CRM then answers that it is stale.
        let version = version.unwrap_or(Version(0));
        let record = self.client.update(aim.entity.as_str(), record, version, &merged(aim, put)).await?;
        self.sighting(record).await.map(Some)
    }

    async fn delete(&self, aim: Aim<'_>, record: &RecordId, version: Option<Version>) -> Result<(), Error> {
        self.client.delete(aim.entity.as_str(), record, version.unwrap_or(Version(0))).await
    }
}

/// The conditions of a search as its address takes them, all as text; `None` where one has no text.
fn conditions(key: &SearchKey) -> Option<Vec<(String, String)>> {
    let text = |content: &Content| match content {
        Content::Text(text) => Some(text.clone()),
        Content::Number(number) => Some(number.normalize().to_string()),
        Content::Boolean(yes) => Some(yes.to_string()),
        Content::Null | Content::List(_) | Content::Object(_) => None,
    };
    key.conditions.iter().map(|(name, content)| Some((name.clone(), text(content)?))).collect()
}

/// The patch of a document: its lines in a list, each told apart by its id; one that goes is marked as deleted.
fn merged(aim: Aim<'_>, put: &Put) -> Properties {
    let mut properties = put.properties.clone();
    let Some(lines) = aim.lines.filter(|_| !put.lines.is_empty()) else { return properties };
    let id_name = &lines.ids[System::CustomCrm];
    let with_id = |mut line: Properties, id: &RecordId| {
        line.insert(id_name.clone(), Content::from(id.as_str()));
        line
    };
    let list = put.lines.iter().map(|line| match line {
        LinePut::Add(properties) => properties.clone(),
        LinePut::Change { id, properties } => with_id(properties.clone(), id),
        LinePut::Remove { id } => with_id([(DELETED.to_owned(), Content::Boolean(true))].into(), id),
    });
    let list = list.map(Content::Object).collect();
    properties.insert(lines.names[System::CustomCrm].clone(), Content::List(list));
    properties
}
