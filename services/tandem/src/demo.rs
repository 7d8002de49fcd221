//! The demo: simulated systems, real services, a scripted human, and a comparison at the end.

mod compare;
mod data;
mod human;
mod play;
mod screen;
mod summary;
mod systems;
#[cfg(test)]
mod tests;
mod watch;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use model::System;
use service::ServiceError;
use store::LinksError;
use telemetry::{Chain, LogFilter, LogFormat, Settings, Telemetry};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::BAD_USAGE;
use crate::arguments::DemoOptions;
use data::{Book, DataProblem};
use screen::Screen;
use summary::Summary;

/// Why a demo did not start, or did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The book of companies can't be used: all that is wrong with it.
    #[error("the demo's data has {} problem(s)\n{}", .0.len(), lines(.0))]
    Data(Vec<DataProblem>),
    /// The log filter can't be understood, or logs did not start.
    #[error("logs did not start")]
    Telemetry(#[source] telemetry::TelemetryError),
    /// The operating system refused what every process needs.
    #[error("the runtime did not start; check the limits on threads and open files")]
    Runtime(#[source] io::Error),
    /// The folder for the grant can't be used.
    #[error("the demo needs a temporary folder; check the rights and the space on it, or set TMPDIR")]
    Folder(#[source] io::Error),
    /// A simulator failed.
    #[error("a simulated system did not do what it was told; report it")]
    Simulator(#[source] Box<dyn Error + Send + Sync>),
    /// A simulator's answer can't be read.
    #[error("the simulated {system} gave something that can't be read; report it")]
    Unreadable {
        /// Which.
        system: System,
    },
    /// The human's call failed.
    #[error("the human could not reach a simulated system; check that connections to 127.0.0.1 are allowed")]
    Human(#[source] reqwest::Error),
    /// The human's edit was refused.
    #[error("the simulated {system} refused the human's edit with {status}: {answer}; report it")]
    Refused {
        /// Where.
        system: System,
        /// The HTTP status.
        status: u16,
        /// What it said.
        answer: String,
    },
    /// The human's edit does not fit the pair.
    #[error("the human's edit does not fit the pair: {0}; report it")]
    Edit(String),
    /// The services did not start, or did not end well.
    #[error("the services failed")]
    Services(#[source] ServiceError),
    /// The store did not start.
    #[error("the store in memory did not start")]
    Store(#[source] store::StoreError),
    /// The links can't be read.
    #[error("the links can't be read")]
    Links(#[from] LinksError),
    /// A second signal came while it settled.
    #[error("interrupted before all was at rest")]
    Interrupted,
}

impl DemoError {
    fn simulator(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Simulator(Box::new(error))
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Data(_) | Self::Telemetry(_) => ExitCode::from(BAD_USAGE),
            _ => ExitCode::FAILURE,
        }
    }
}

fn lines(problems: &[DataProblem]) -> String {
    problems.iter().map(|problem| format!("  {problem}")).collect::<Vec<_>>().join("\n")
}

/// Plays the demo and prints how it went. Nobody is left to tell when the terminal has gone, so a failed print is no
/// failure.
pub(crate) fn run(options: &DemoOptions) -> ExitCode {
    match started(options) {
        Ok(summary) => {
            let _ = writeln!(io::stdout(), "\n{summary}");
            if summary.agrees() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "tandem demo: {}", Chain(&error));
            error.exit_code()
        }
    }
}

fn started(options: &DemoOptions) -> Result<Summary, DemoError> {
    let book = Book::load(options.data.as_deref()).map_err(DemoError::Data)?;
    let log_filter = LogFilter::parse(&options.log).map_err(DemoError::Telemetry)?;
    let settings = Settings { otlp: None, log_filter: log_filter.clone(), log_format: LogFormat::Text };
    let telemetry = Telemetry::start("tandem", &settings).map_err(DemoError::Telemetry)?;
    let outcome = runtime().and_then(|runtime| runtime.block_on(until_signals(&book, options, log_filter)));
    // There is no endpoint: nothing can be lost.
    let _ = telemetry.shutdown();
    outcome
}

fn runtime() -> Result<Runtime, DemoError> {
    Builder::new_multi_thread().enable_all().build().map_err(DemoError::Runtime)
}

/// The first signal asks the human to stop; a second one ends it all.
async fn until_signals(
    book: &Book,
    options: &DemoOptions,
    log_filter: LogFilter,
) -> Result<Summary, DemoError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DemoError::Runtime)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(DemoError::Runtime)?;
    let mut screen = Screen::of_stdout();
    introduce(book, options);
    let stop = CancellationToken::new();
    let mut play = std::pin::pin!(play::play(book, options, log_filter, &stop, &mut screen));
    loop {
        tokio::select! {
            outcome = &mut play => return outcome,
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_cancelled() {
            return Err(DemoError::Interrupted);
        }
        stop.cancel();
    }
}

fn introduce(book: &Book, options: &DemoOptions) {
    let until = match options.lasts {
        Some(lasts) => format!("for {lasts:?}"),
        None => "until Ctrl-C".to_owned(),
    };
    let _ = writeln!(
        io::stdout(),
        "Two simulated systems with {} customers and {} accounts, all services in this process, and a human\n\
         who edits both sides {} times a minute {until} (seed {}). The simulated Exact Online allows\n\
         {} calls a minute here, where the real one allows 60.\n",
        book.records.customcrm.len(),
        book.records.exactonline.len(),
        options.edits_per_minute,
        options.seed,
        systems::CALLS_PER_MINUTE,
    );
}
