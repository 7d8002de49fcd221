//! Applies writes to CustomCRM and reports outcomes.
//!
//! It consumes the two queues of writes to CustomCRM and produces an outcome for each. A record that changed since
//! it was read is not written over: the CRM itself refuses by version. What it refuses: to decide about content.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use broker::Broker;
use contract::Sighting;
use customcrm::{CustomCrm, Declaration, Error, Settings};
use mapping::{Pair, Put};
use model::{
    ConnectionName, Content, FailureClass, Presence, Properties, Record, RecordId, System, UserId, Version,
};
use service::{Context, CustomCrmConfig, ServiceError};
use store::Store;
use tokio::sync::OnceCell;
use writer::{AT_ONCE, Aim, CALL_MAX, Duplicate, Ports, SearchKey, Target, Writer};

/// Runs the writer on RabbitMQ and Redis, as its own process does.
pub async fn start(context: Context) -> Result<(), ServiceError> {
    let (broker, store) = service::servers("writer-customcrm", &context)?;
    serve(Ports { broker, store }, context).await
}

/// Whether the CRM of every connection can be called as it is declared. Tells what is wrong before anything is started.
pub fn check(context: &Context) -> Result<(), ServiceError> {
    for (connection, config) in context.config.customcrm() {
        let declared = Declaration::written(config.declared());
        let checked = declared.and_then(|declaration| settings(config).check(&declaration));
        checked.map_err(|error| unusable(connection, error))?;
    }
    Ok(())
}

fn unusable(connection: &ConnectionName, error: Error) -> ServiceError {
    let system = System::CustomCrm;
    ServiceError::System { system, connection: connection.clone(), source: Box::new(error) }
}

fn settings(config: &CustomCrmConfig) -> Settings {
    Settings {
        user: config.user.clone(),
        client_secret: config.client_secret.as_ref().map(|(_, secret)| secret.clone()),
        calls_per_minute: Some(config.calls_per_minute),
        timeout: CALL_MAX,
        ..Settings::new(config.url.clone(), config.token.clone())
    }
}

/// Writes to every connection's CustomCRM until the service stops.
pub async fn serve<B: Broker, S: Store>(ports: Ports<B, S>, context: Context) -> Result<(), ServiceError> {
    let (store, topology) = (ports.store.clone(), context.topology());
    let targets = move |context: &Context| targets(&store, context);
    Writer { ports, system: System::CustomCrm, targets, topology, context }.run().await
}

/// The CRMs of a context's connections.
fn targets<S: Store>(store: &S, context: &Context) -> Result<BTreeMap<ConnectionName, Crm<S>>, ServiceError> {
    let mut targets = BTreeMap::new();
    for (connection, config) in context.config.customcrm() {
        let (namespace, pairs) = (&context.config.namespace, context.pairs_of(connection));
        let client = client(config, store.clone(), namespace, connection, pairs)
            .map_err(|error| unusable(connection, error))?;
        let client = client.measured(Arc::clone(&context.metrics));
        let at_once = at_once(config.calls_per_minute);
        targets.insert(connection.clone(), Crm { client, at_once, ours: OnceCell::new() });
    }
    Ok(targets)
}

fn client<S: Store>(
    config: &CustomCrmConfig,
    store: S,
    namespace: &str,
    connection: &ConnectionName,
    pairs: &[Pair],
) -> Result<CustomCrm<S>, Error> {
    let system = System::CustomCrm;
    let mut declaration = Declaration::written(config.declared())?;
    for entity in service::entities(pairs, system) {
        let lines = service::selected_of_lines(pairs, system, &entity);
        declaration = declaration.keeping(entity.as_str(), service::selected(pairs, system, &entity), lines);
    }
    CustomCrm::new(&settings(config), declaration, store, namespace, connection)
}

/// How many writes, of at most two calls each, get their turn within four seconds.
fn at_once(calls_per_minute: NonZeroU32) -> usize {
    usize::try_from(calls_per_minute.get() / 30).unwrap_or(AT_ONCE).clamp(1, AT_ONCE)
}

struct Crm<S> {
    client: CustomCrm<S>,
    at_once: usize,
    ours: OnceCell<UserId>,
}

impl<S: Store> Crm<S> {
    async fn sighting(&self, record: Record) -> Result<Sighting, Error> {
        let ours = self.ours.get_or_try_init(|| self.client.me()).await?;
        let by_us = record.modified_by.as_ref() == Some(ours);
        Ok(Sighting { record, by_us })
    }
}

impl<S: Store> Target for Crm<S> {
    type Error = Error;

    fn class(error: &Error) -> FailureClass {
        error.class()
    }

    fn duplicate(error: &Error) -> Option<Duplicate> {
        match error {
            Error::Duplicate { record: Some(record), .. } => Some(Duplicate::Of(record.clone())),
            Error::Duplicate { record: None, .. } => Some(Duplicate::Unnamed),
            _ => None,
        }
    }

    fn refuses_stale_writes(&self, aim: Aim<'_>) -> bool {
        self.client.refuses_stale_writes(aim.entity.as_str())
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    async fn ready(&self, _: Aim<'_>) -> Result<(), Error> {
        self.ours.get_or_try_init(|| self.client.me()).await.map(|_| ())
    }

    async fn search(&self, aim: Aim<'_>, key: &SearchKey) -> Result<Vec<Sighting>, Error> {
        // What is not unique says who a record is only where nothing else keeps a repeated create from making two.
        if key.only_ours && self.client.repeats_creates() {
            return Ok(Vec::new());
        }
        let conditions: Vec<(&str, &Content)> =
            key.conditions.iter().map(|(name, content)| (name.as_str(), content)).collect();
        let mut found = Vec::new();
        for record in self.client.search(aim.entity.as_str(), &conditions).await? {
            if key.wanted.as_ref().is_none_or(|wanted| holds(&record, wanted)) {
                found.push(self.sighting(record).await?);
            }
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
        let record = self.client.update(aim.entity.as_str(), record, version, put).await?;
        self.sighting(record).await.map(Some)
    }

    async fn delete(&self, aim: Aim<'_>, record: &RecordId, version: Option<Version>) -> Result<(), Error> {
        self.client.delete(aim.entity.as_str(), record, version.unwrap_or(Version(0))).await
    }
}

/// Whether a record holds all that a new one is to hold, so that it can be the one that an earlier attempt has made.
fn holds(record: &Record, wanted: &Properties) -> bool {
    let is_plain = |content: &&Content| !matches!(content, Content::Null | Content::List(_));
    wanted
        .iter()
        .filter(|(_, content)| is_plain(content))
        .all(|(name, content)| record.properties.get(name) == Some(content))
}
