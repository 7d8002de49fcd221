//! The processes: replicas of each service, that crash, stand still and have wrong clocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambient::{Process, run_as};
use collector::Callbacks;
use service::{Config, Context, Health, Pairs, Reloads, ServiceError};
use telemetry::{Chain, Metrics};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Trace;
use crate::broker::Shaky as Broker;
use crate::store::Shaky as Store;

/// One of the five services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    CollectorCustomCrm,
    CollectorExactOnline,
    Mapper,
    WriterCustomCrm,
    WriterExactOnline,
}

impl Service {
    pub(crate) const ALL: [Self; 5] = [
        Self::CollectorCustomCrm,
        Self::CollectorExactOnline,
        Self::Mapper,
        Self::WriterCustomCrm,
        Self::WriterExactOnline,
    ];
}

/// All processes.
pub(crate) struct Fleet {
    broker: Broker,
    store: Store,
    config: Arc<Config>,
    pairs: Pairs,
    metrics: Arc<Metrics>,
    trace: Trace,
    running: BTreeMap<(Service, usize), Replica>,
    /// What processes ended with that nobody had asked to end.
    pub(crate) wrongs: Vec<String>,
}

struct Replica {
    process: Process,
    stop: CancellationToken,
    task: JoinHandle<Result<(), ServiceError>>,
}

impl Fleet {
    pub(crate) fn new(broker: Broker, store: Store, config: Config, pairs: Pairs, trace: Trace) -> Self {
        let (config, metrics) = (Arc::new(config), Arc::new(Metrics::new("simulation")));
        Self { broker, store, config, pairs, metrics, trace, running: BTreeMap::new(), wrongs: Vec::new() }
    }

    /// Starts a replica; one that runs is left alone.
    pub(crate) fn start(&mut self, service: Service, number: usize) {
        if self.running.contains_key(&(service, number)) {
            return;
        }
        self.trace.tell(format!("{service:?} {number} starts"));
        let (process, stop) = (Process::default(), CancellationToken::new());
        let context = Context {
            config: Arc::clone(&self.config),
            pairs: self.pairs.clone(),
            stop: stop.clone(),
            health: Health::new(),
            metrics: Arc::clone(&self.metrics),
            reloads: Reloads::none(),
        };
        let (broker, store) = (self.broker.clone(), self.store.clone());
        let task = tokio::spawn(run_as(process.clone(), async move {
            let collecting = || collector::Ports {
                broker: broker.clone(),
                store: store.clone(),
                broker_forgets: false,
                callbacks: Callbacks::default(),
            };
            let writing = || writer::Ports { broker: broker.clone(), store: store.clone() };
            match service {
                Service::CollectorCustomCrm => collector_customcrm::serve(collecting(), context).await,
                Service::CollectorExactOnline => collector_exactonline::serve(collecting(), context).await,
                Service::Mapper => {
                    let ports =
                        mapper::Ports { broker: broker.clone(), store: store.clone(), broker_forgets: false };
                    mapper::serve(ports, context).await
                }
                Service::WriterCustomCrm => writer_customcrm::serve(writing(), context).await,
                Service::WriterExactOnline => writer_exactonline::serve(writing(), context).await,
            }
        }));
        self.running.insert((service, number), Replica { process, stop, task });
    }

    /// Ends a replica where it is.
    pub(crate) fn crash(&mut self, service: Service, number: usize) {
        if let Some(replica) = self.running.remove(&(service, number)) {
            self.trace.tell(format!("{service:?} {number} crashes"));
            replica.process.kill();
            replica.task.abort();
        }
    }

    /// The process of a replica, if it runs.
    pub(crate) fn process(&self, service: Service, number: usize) -> Option<&Process> {
        self.running.get(&(service, number)).map(|replica| &replica.process)
    }

    /// Every process that runs.
    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.running.values().map(|replica| &replica.process)
    }

    /// Notes who has ended that was not asked to, and starts them again.
    pub(crate) async fn look(&mut self) {
        let ended: Vec<(Service, usize)> = self
            .running
            .iter()
            .filter(|(_, replica)| replica.task.is_finished())
            .map(|(name, _)| *name)
            .collect();
        for (service, number) in ended {
            let replica = self.running.remove(&(service, number)).unwrap();
            let why = match replica.task.await {
                Ok(Ok(())) => "it ended by itself".to_owned(),
                Ok(Err(error)) => Chain(&error).to_string(),
                Err(error) => error.to_string(),
            };
            self.trace.tell(format!("{service:?} {number} has ended: {why}"));
            self.wrongs.push(format!("{service:?} {number} has ended: {why}"));
            self.start(service, number);
        }
    }

    /// Stops everything.
    pub(crate) fn end(&mut self) {
        for (_, replica) in std::mem::take(&mut self.running) {
            replica.stop.cancel();
            replica.process.kill();
            replica.task.abort();
        }
    }

    /// How many promises of links were broken, as the services count them.
    pub(crate) fn broken_promises(&self) -> String {
        let text = self.metrics.render();
        text.lines().filter(|line| line.starts_with("tandem_broken_promises_total")).collect()
    }
}
