//! The systems that a checklist is run against: simulated ones, or test systems that a configuration names.

use std::collections::BTreeMap;
use std::path::Path;

use broker::InProcess;
use exactonline::ExactOnline;
use mapping::{Pair, Reading};
use model::{ConnectionName, Content};
use service::{Config, ConnectionConfig, Needs, load_pairs};
use store::Store;
use telemetry::LogFilter;

use super::ChecklistError;
use super::sides::Sides;
use super::simulated::Simulated;
use crate::shipped;

/// One connection's systems and the pairs that are checked there.
pub(crate) struct Systems {
    pub(crate) config: Config,
    pub(crate) connection: ConnectionConfig,
    pub(crate) pairs: Vec<Pair>,
    /// The simulators end when they are dropped.
    simulated: Option<Simulated>,
}

impl Systems {
    /// Two simulated systems, and the pairs that ship.
    pub(crate) async fn simulated(reading: Reading, log_filter: LogFilter) -> Result<Self, ChecklistError> {
        let pairs = shipped::pairs(reading).map_err(ChecklistError::Services)?;
        let simulated = Simulated::start(reading).await?;
        let config = simulated.config(log_filter)?;
        Self::of(config, None, pairs, Some(simulated))
    }

    /// The test systems of a connection, and the pair files of the configuration. Every connection of the file must be
    /// marked as one of test systems: this is no command for a file that names anything else.
    pub(crate) fn configured(file: &Path, name: Option<&ConnectionName>) -> Result<Self, ChecklistError> {
        let needs = Needs { pairs: true, customcrm: true, exactonline: true, ..Needs::NOTHING };
        let config = Config::load(file, needs).map_err(ChecklistError::Configuration)?;
        if let Some(connection) = config.connections.iter().find(|connection| !connection.is_test) {
            return Err(ChecklistError::NoTest { connection: connection.name.clone() });
        }
        let mut systems = Self::of(config, name, Vec::new(), None)?;
        systems.pairs = load_pairs(&systems.config.pairs, systems.connection.reading)
            .map_err(ChecklistError::Configuration)?;
        Ok(systems)
    }

    fn of(
        mut config: Config,
        name: Option<&ConnectionName>,
        pairs: Vec<Pair>,
        simulated: Option<Simulated>,
    ) -> Result<Self, ChecklistError> {
        config.connections.retain(|connection| name.is_none_or(|name| connection.name == *name));
        match config.connections.as_slice() {
            [connection] => Ok(Self { connection: connection.clone(), config, pairs, simulated }),
            [] => Err(ChecklistError::Stage("the configuration has no such connection".to_owned())),
            _ => Err(ChecklistError::Stage(
                "the configuration has several connections: name one with --connection".to_owned(),
            )),
        }
    }

    /// What the services talk through.
    pub(crate) fn broker(&self) -> InProcess {
        if self.simulated.is_some() { Simulated::broker() } else { InProcess::new() }
    }

    /// What the connection gives to pair files.
    pub(crate) fn given(&self) -> BTreeMap<String, Content> {
        let literal = &self.connection.literal;
        [("literal.account", &literal.account), ("literal.item", &literal.item)]
            .into_iter()
            .filter_map(|(name, id)| Some((name.to_owned(), Content::from(id.as_ref()?.as_str()))))
            .collect()
    }

    /// A person's hands in both systems.
    pub(crate) fn sides<S: Store>(&self, store: S) -> Result<Sides<S>, ChecklistError> {
        let missing = || ChecklistError::Stage("the connection has no two systems".to_owned());
        let crm = self.connection.customcrm.as_ref().ok_or_else(missing)?;
        let exact = self.connection.exactonline.as_ref().ok_or_else(missing)?;
        let settings = collector_exactonline::settings(&self.config.namespace, &self.connection.name, exact);
        let (namespace, name) = (&self.config.namespace, &self.connection.name);
        let crm = collector_customcrm::client(crm, store.clone(), namespace, name, &self.pairs)?;
        Ok(Sides { crm, exact: ExactOnline::new(settings, store)? })
    }
}
