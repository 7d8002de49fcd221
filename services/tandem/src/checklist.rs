//! `tandem checklist`: the dataflow document, row by row, against two systems.
//!
//! For every row and direction it edits one side as a person would, waits for the other side, compares, and undoes the
//! edit. The services run within the process, on simulated systems or on test systems that a configuration names.

mod causes;
mod check;
mod fixture;
mod membership;
mod plan;
mod report;
mod sides;
pub(crate) mod simulated;
mod stage;
mod systems;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use exactonline::{Access, Entity};
use futures_util::future::join_all;
use mapping::{Pair, Property};
use model::{ConnectionName, PairName, System};
use service::{Context, Health, Pairs, Reloads, ServiceError};
use store::{Embedded, Links, LinksError, Store};
use telemetry::{Chain, LogFilter, LogFormat, Metrics, Settings, Telemetry};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::BAD_USAGE;
use crate::arguments::{ChecklistOptions, ReportFormat};
use crate::hosting::host;
use fixture::Fixture;
use plan::Check;
use report::{Checked, Verdict};
use stage::Stage;
use systems::Systems;

/// Why a checklist could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChecklistError {
    /// The log filter can't be understood, or logs did not start.
    #[error("logs did not start")]
    Telemetry(#[source] telemetry::TelemetryError),
    /// The operating system refused what every process needs.
    #[error("the operating system refused a runtime or a folder")]
    Runtime(#[source] io::Error),
    /// The configuration or the pair files can't be used.
    #[error("the configuration can't be used")]
    Configuration(#[source] ServiceError),
    /// A connection is not marked as one of test systems.
    #[error(
        "the connection {connection} does not say that its systems are test systems: records would be made and changed there; write test = true in its [[connection]], or leave it out"
    )]
    NoTest {
        /// Which.
        connection: ConnectionName,
    },
    /// A simulator did not start, or refused what it was to be filled with.
    #[error("a simulated system did not start")]
    Simulator(#[source] Box<dyn Error + Send + Sync>),
    /// The services, the pair files or the configuration.
    #[error("the services could not run")]
    Services(#[source] ServiceError),
    /// The links could not be read.
    #[error("the links could not be read")]
    Links(#[from] LinksError),
    /// The CRM refused an edit or a read.
    #[error("CustomCRM refused")]
    Crm(#[from] customcrm::Error),
    /// Exact refused an edit or a read.
    #[error("Exact Online refused")]
    Exact(#[from] exactonline::Error),
    /// The records that the checks need could not be made or found.
    #[error("{0}")]
    Stage(String),
}

/// Runs the checklist; exit code 0 when nothing failed, 1 when something did, 64 when it can't be run as asked.
pub(crate) fn run(options: &ChecklistOptions) -> ExitCode {
    match runtime().and_then(|runtime| runtime.block_on(checked(options))) {
        Ok((checked, took)) => {
            let text = match options.format {
                ReportFormat::Table => report::table(&checked, took),
                ReportFormat::Junit => report::junit(&checked),
                ReportFormat::Json => report::json(&checked),
            };
            // Nobody is left to tell when the terminal has gone.
            let _ = io::stdout().write_all(text.as_bytes());
            if report::is_green(&checked) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
            match error {
                ChecklistError::Telemetry(_)
                | ChecklistError::Configuration(_)
                | ChecklistError::NoTest { .. } => ExitCode::from(BAD_USAGE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn runtime() -> Result<Runtime, ChecklistError> {
    Builder::new_multi_thread().enable_all().build().map_err(ChecklistError::Runtime)
}

async fn checked(options: &ChecklistOptions) -> Result<(Vec<Checked>, std::time::Duration), ChecklistError> {
    let log_filter = LogFilter::parse(&options.log).map_err(ChecklistError::Telemetry)?;
    let settings = Settings { otlp: None, log_filter: log_filter.clone(), log_format: LogFormat::Text };
    let _telemetry = Telemetry::start("tandem", &settings).map_err(ChecklistError::Telemetry)?;
    let systems = match &options.config {
        Some(file) => Systems::configured(file, options.connection.as_ref())?,
        None => Systems::simulated(options.reading.into(), log_filter).await?,
    };
    let store =
        Embedded::in_memory().map_err(|error| ChecklistError::Services(ServiceError::Store(error)))?;
    let reading = systems.connection.reading;
    let stage = Stage {
        pairs: systems.pairs.clone(),
        links: Links::new(store.clone(), &systems.config.namespace),
        connection: systems.connection.name.clone(),
        sides: systems.sides(store.clone())?,
        given: systems.given(),
        seen: Mutex::new(None),
    };
    let broker = systems.broker();
    let context = Context {
        pairs: Pairs::in_reading(systems.pairs, reading),
        config: Arc::new(systems.config),
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("tandem")),
        reloads: Reloads::none(),
    };
    let ended = context.stop.clone();
    let _guard = ended.clone().drop_guard();
    let mut services = tokio::spawn(host(broker, store, true, context));
    let began = Instant::now();
    let checked = tokio::select! {
        ended = &mut services => {
            let panicked = || ServiceError::Panicked { service: "tandem".to_owned() };
            return Err(ChecklistError::Services(match ended {
                Ok(Err(error)) => error,
                Ok(Ok(())) | Err(_) => panicked(),
            }));
        }
        checked = play(&stage, options.pair.as_ref()) => checked?,
    };
    Ok((checked, began.elapsed()))
}

/// Makes the records and then all checks: those of one pair one after the other, the pairs beside one another.
async fn play<S: Store>(stage: &Stage<S>, only: Option<&PairName>) -> Result<Vec<Checked>, ChecklistError> {
    let fixture = Fixture::make(stage).await?;
    let mut by_pair: BTreeMap<PairName, Vec<Check>> = BTreeMap::new();
    for check in plan::checks(&stage.pairs, is_set_by_exact) {
        if only.is_none_or(|only| *only == check.pair) {
            by_pair.entry(check.pair.clone()).or_default().push(check);
        }
    }
    let turns = AtomicUsize::new(1_000);
    let played = by_pair.into_values().map(|checks| play_pair(stage, &fixture, checks, &turns));
    Ok(join_all(played).await.into_iter().flatten().collect())
}

async fn play_pair<S: Store>(
    stage: &Stage<S>,
    fixture: &Fixture,
    checks: Vec<Check>,
    turns: &AtomicUsize,
) -> Vec<Checked> {
    let mut checked = Vec::new();
    for check in checks {
        let began = Instant::now();
        let turn = turns.fetch_add(1, Ordering::Relaxed);
        let verdict = match stage.check(&check, fixture, turn).await {
            Ok(verdict) => verdict,
            Err(error) => Verdict::Red(Chain(&error).to_string()),
        };
        checked.push(Checked { check, verdict, took: began.elapsed() });
    }
    checked
}

/// Whether Exact alone sets a row's property.
fn is_set_by_exact(pair: &Pair, row: &Property) -> bool {
    let (Some(entity), Some(name)) =
        (Entity::named(pair.entities.exactonline.as_str()), row.names[System::ExactOnline].as_deref())
    else {
        return false;
    };
    let is_of_line = pair.lines.as_ref().is_some_and(|lines| lines.properties.contains(row));
    let fact = match entity.parts.filter(|_| is_of_line) {
        Some(parts) => parts.facts().find(|fact| fact.name == name),
        None => entity.fact(name),
    };
    // Numbers and the amounts of lines could be written, and belong to Exact all the same.
    let is_number = matches!(row.lens, mapping::Lens::Integer { .. });
    let has_cause = causes::cause(entity.name, &check::exact_name(pair, row)).is_some();
    is_number || has_cause || fact.is_some_and(|fact| fact.access == Access::ReadOnly)
}
