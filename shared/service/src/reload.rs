//! The configuration, read anew while the process runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use telemetry::{Chain, Metrics, ReloadResult};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::config::Changes;
use crate::run::Service;
use crate::{Config, Context, Health, Pairs, ServiceError, given};

/// A configuration and the pairs that it keeps.
pub type InForce = (Arc<Config>, Pairs);

/// What comes into force while a process runs. Clones wait for it each by themselves.
#[derive(Clone)]
pub struct Reloads(watch::Receiver<Option<InForce>>);

impl Reloads {
    /// Nothing ever does.
    pub fn none() -> Self {
        Self(watch::channel(None).1)
    }

    /// What is sent here does.
    pub fn channel() -> (watch::Sender<Option<InForce>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    pub(crate) async fn next(&mut self) -> InForce {
        loop {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let next = self.0.borrow_and_update().clone();
            if let Some(next) = next {
                return next;
            }
        }
    }

    pub(crate) fn present(&self) -> Option<Arc<Config>> {
        self.0.borrow().as_ref().map(|(config, _)| Arc::clone(config))
    }
}

/// Reads the configuration anew, and hands it to the service where it can work.
pub(crate) struct Reloader {
    pub(crate) service: Service,
    pub(crate) file: PathBuf,
    /// What is in force.
    pub(crate) context: Context,
    pub(crate) sender: watch::Sender<Option<InForce>>,
}

/// What has been read, and can come into force.
struct ReadAnew {
    context: Context,
    changes: Changes,
    /// The keys whose values wait for a restart.
    waiting: Vec<&'static str>,
}

impl Reloader {
    /// What is in force at the start, from a configuration that is already loaded; `chosen`: the pairs that are served, or
    /// none for all of them. Fails where the pairs, or the service, can't work with it.
    pub(crate) fn new(
        service: Service,
        file: &Path,
        config: Config,
        chosen: &[String],
    ) -> Result<Self, ServiceError> {
        let mut pairs: Pairs = Vec::new().into();
        if service.needs.pairs {
            pairs = Pairs::load(&config.pairs, &config.readings())?;
            given::check(file, &config, &pairs)?;
        }
        if !chosen.is_empty() {
            pairs = pairs.serving(chosen)?;
        }
        let (sender, reloads) = Reloads::channel();
        let context = Context {
            config: Arc::new(config),
            pairs,
            stop: CancellationToken::new(),
            health: Health::new(),
            metrics: Arc::new(Metrics::new(service.name)),
            reloads,
        };
        (service.check)(&context)?;
        Ok(Self { service, file: file.to_owned(), context, sender })
    }

    /// Reads it, tells what came of it, and puts it in force.
    pub(crate) async fn reload(&mut self) {
        let (service, file, context) = (self.service, self.file.clone(), self.context.clone());
        let read = spawn_blocking(move || read_anew(&service, &file, context));
        let read = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => return self.refused(&Chain(&error).to_string()),
            // It was logged where it happened.
            Err(_) => return self.refused("reading it panicked; report it with the log line of the panic"),
        };
        let ReadAnew { context, changes, waiting } = read;
        let Changes { added, removed, changed } = &changes;
        // Counted before it is told: who reads of it finds it counted.
        let result = if waiting.is_empty() { ReloadResult::Applied } else { ReloadResult::RestartNeeded };
        context.metrics.count_reload(result);
        tracing::info!(
            added = listed(added),
            removed = listed(removed),
            changed = listed(changed),
            connections = context.config.connections.len(),
            "the configuration is read anew"
        );
        if result == ReloadResult::RestartNeeded {
            let keys = waiting.join(", ");
            tracing::warn!(keys, "what has changed there needs a restart, and stays as it was until then");
        }
        self.sender.send_replace(Some((Arc::clone(&context.config), context.pairs.clone())));
        self.context = context;
    }

    fn refused(&self, error: &str) {
        self.context.metrics.count_reload(ReloadResult::Refused);
        tracing::error!(error, "the configuration can't be read anew: all goes on as it was");
    }
}

/// Reads the file as at the start, in place of what is in force.
fn read_anew(service: &Service, file: &Path, context: Context) -> Result<ReadAnew, ServiceError> {
    let present = Arc::clone(&context.config);
    let (config, mut waiting) = present.with_connections_of(Config::load(file, service.needs)?);
    let mut pairs = context.pairs.clone();
    if service.needs.pairs {
        // Those that are in force too, so that it shows whether the files are still the same.
        let readings = &config.readings() | &pairs.readings();
        let read = Pairs::load(&config.pairs, &readings)?;
        let (merged, have_changed) = pairs.with_readings_of(&read)?;
        given::check(file, &config, &merged)?;
        pairs = merged;
        waiting.extend(have_changed.then_some("the pair files"));
    }
    let changes = present.changes(&config);
    let context = Context { config: Arc::new(config), pairs, ..context };
    (service.check)(&context)?;
    Ok(ReadAnew { context, changes, waiting })
}

fn listed<'a>(names: impl IntoIterator<Item = &'a model::ConnectionName>) -> String {
    names.into_iter().map(model::ConnectionName::as_str).collect::<Vec<_>>().join(", ")
}
