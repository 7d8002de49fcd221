//! What a service is started with.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::Topology;
use mapping::Pair;
use model::ConnectionName;
use telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::config::Changes;
use crate::pairs::topology;
use crate::reload::Reloads;
use crate::{Config, ConnectionConfig, Given, Health, Pairs, Tasks, given};

/// What a service is started with.
#[derive(Clone)]
pub struct Context {
    /// The configuration; every value in it is valid.
    pub config: Arc<Config>,
    /// The pairs to keep, in each reading that a connection keeps; none unless the service needs them.
    pub pairs: Pairs,
    /// Cancelled when the process shall stop: take nothing more, settle what is in hand, return.
    pub stop: CancellationToken,
    /// Where the service tells how it stands.
    pub health: Health,
    /// Where the service counts.
    pub metrics: Arc<Metrics>,
    /// What comes into force while the process runs.
    pub reloads: Reloads,
}

impl Context {
    /// No tasks yet; they end with `stop`, within the configured grace.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.stop.clone(), self.config.shutdown_grace)
    }

    /// The pairs of a connection, in the reading that it keeps; none for one that is not configured.
    pub fn pairs_of(&self, connection: &ConnectionName) -> &[Pair] {
        self.connection(connection).map_or(&[], |connection| self.pairs.of(connection.reading))
    }

    /// Each pair once, whatever its reading: for queues and entities, which are the same in both.
    pub fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.pairs.once()
    }

    /// What a connection gives to its pairs and is asked for by one of them.
    pub fn given_to(&self, connection: &ConnectionName) -> Vec<Given> {
        let asked: BTreeSet<&str> = self.pairs_of(connection).iter().flat_map(given::asked).collect();
        let given = self.connection(connection).map(ConnectionConfig::given).unwrap_or_default();
        given.into_iter().filter(|given| asked.contains(given.name)).collect()
    }

    fn connection(&self, name: &ConnectionName) -> Option<&ConnectionConfig> {
        self.config.connections.iter().find(|connection| connection.name == *name)
    }

    /// The exchanges and queues of this deployment.
    pub fn topology(&self) -> Topology {
        topology(&self.config.namespace, self.pairs())
    }

    /// Waits for the next configuration that comes into force, and takes it over. Nothing is lost when this is dropped.
    pub async fn renewed(&mut self) {
        let (config, pairs) = self.reloads.next().await;
        self.config = config;
        self.pairs = pairs;
    }

    /// The same context with those connections alone that are otherwise in force than in `before`, or were not there.
    #[must_use]
    pub fn changed_since(&self, before: &Config) -> Self {
        let Changes { added, changed, .. } = before.changes(&self.config);
        let is_new = |connection: &&ConnectionConfig| {
            added.contains(&connection.name) || changed.contains(&connection.name)
        };
        let connections = self.config.connections.iter().filter(is_new).cloned().collect();
        let config = Config { connections, ..self.config.without_connections() };
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// The configuration that is in force at this moment.
    pub fn present(&self) -> Arc<Config> {
        self.reloads.present().unwrap_or_else(|| Arc::clone(&self.config))
    }

    /// The context for one of several services in this process: its checks are named `part/…`.
    pub fn part(&self, part: &str) -> Self {
        Self { health: self.health.part(part), ..self.clone() }
    }
}
