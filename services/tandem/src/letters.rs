//! `tandem dead-letters`: looks at what was set aside, replays and discards it.

mod told;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use broker::{Broker as _, BrokerError, RabbitMq};
use contract::Names;
use mapping::Reading;
use operations::{DeadLetters, Done, OperationsError, Which};
use service::{BrokerConfig, Config, Needs, ServiceError};
use telemetry::Chain;
use tokio::runtime::Builder;

use crate::BAD_USAGE;
use crate::arguments::{DeadLettersOptions, LettersAct, LettersMeant, Output};

/// Why the dead letters could not be looked at.
#[derive(Debug, thiserror::Error)]
enum LettersError {
    /// The configuration can't be used.
    #[error("the configuration can't be used")]
    Configuration(#[source] ServiceError),
    /// There is no broker to be asked.
    #[error(
        "{file} names no broker: messages are within the process that runs, and end with it; name a RabbitMQ in [broker] \
         to keep them"
    )]
    WithinTheProcess {
        /// The configuration.
        file: String,
    },
    /// The broker can't be used.
    #[error("the broker can't be used; see that it runs and that [broker] names it")]
    Broker(#[source] BrokerError),
    /// It could not be done.
    #[error(transparent)]
    Operation(#[from] OperationsError),
    /// A person would have to be asked, and there is none.
    #[error(
        "nobody can be asked whether to {act} {count} of them, as this is no terminal; add --yes to do it"
    )]
    NobodyToAsk {
        /// What would be done.
        act: &'static str,
        /// With how many.
        count: usize,
    },
    /// The terminal has gone, or the operating system refused a runtime.
    #[error("the operating system refused a runtime or the terminal")]
    Process(#[source] io::Error),
}

/// Does what the command line says of the dead letters.
pub(crate) fn run(options: &DeadLettersOptions) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(LettersError::Process);
    match runtime.and_then(|runtime| runtime.block_on(act(options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell when the terminal has gone.
            let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
            match error {
                LettersError::Configuration(_)
                | LettersError::WithinTheProcess { .. }
                | LettersError::NobodyToAsk { .. } => ExitCode::from(BAD_USAGE),
                LettersError::Broker(_) | LettersError::Operation(_) | LettersError::Process(_) => {
                    ExitCode::FAILURE
                }
            }
        }
    }
}

/// Whether all went as it was asked for.
async fn act(options: &DeadLettersOptions) -> Result<bool, LettersError> {
    let letters = open(options).await?;
    match &options.act {
        LettersAct::List { from } => {
            let found = letters.look(&from.clone().map_or(Which::All, Which::From)).await?;
            say(&match options.output {
                Output::Table => told::list(&found),
                Output::Json => told::json(&found),
            })?;
            Ok(true)
        }
        LettersAct::Show { id, content } => show(&letters, options, id, *content).await,
        LettersAct::Replay(meant) => {
            let which = which(meant);
            if !is_meant(&letters, &which, meant, "replay").await? {
                return Ok(true);
            }
            told_done(options, "replayed", &letters.replay(&which).await?)
        }
        LettersAct::Discard(meant) => {
            let which = which(meant);
            if !is_meant(&letters, &which, meant, "discard").await? {
                return Ok(true);
            }
            told_done(options, "discarded", &letters.discard(&which).await?)
        }
    }
}

async fn open(options: &DeadLettersOptions) -> Result<DeadLetters<RabbitMq>, LettersError> {
    let needs = Needs { pairs: true, ..Needs::NOTHING };
    let config = Config::load(&options.config, needs).map_err(LettersError::Configuration)?;
    let BrokerConfig::RabbitMq { url, .. } = &config.broker else {
        return Err(LettersError::WithinTheProcess { file: options.config.display().to_string() });
    };
    let pairs =
        service::load_pairs(&config.pairs, Reading::Practical).map_err(LettersError::Configuration)?;
    let broker = RabbitMq::new(url, "tandem dead-letters").map_err(LettersError::Broker)?;
    broker.declare(&service::topology(&config.namespace, &pairs)).await.map_err(LettersError::Broker)?;
    Ok(DeadLetters::new(broker, Names::new(&config.namespace)))
}

async fn show(
    letters: &DeadLetters<RabbitMq>,
    options: &DeadLettersOptions,
    id: &str,
    content: bool,
) -> Result<bool, LettersError> {
    let Some((letter, held)) = letters.one(id).await? else {
        let _ =
            writeln!(io::stderr(), "tandem: there is no dead letter {id}; list shows those that there are");
        return Ok(false);
    };
    let content = content.then_some(held);
    say(&match options.output {
        Output::Table => told::one(&letter, content.as_deref()),
        Output::Json => told::json(&told::WithContent::of(&letter, content.as_deref())),
    })?;
    Ok(true)
}

fn which(meant: &LettersMeant) -> Which {
    match &meant.from {
        Some(queue) => Which::From(queue.clone()),
        None if meant.all => Which::All,
        None => Which::Ids(meant.ids.iter().cloned().collect()),
    }
}

/// Whether a person means it, who is told how many they are.
async fn is_meant(
    letters: &DeadLetters<RabbitMq>,
    which: &Which,
    meant: &LettersMeant,
    act: &'static str,
) -> Result<bool, LettersError> {
    if meant.yes {
        return Ok(true);
    }
    let count = letters.look(which).await?.letters.len();
    if count == 0 {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err(LettersError::NobodyToAsk { act, count });
    }
    say(&format!("{act} {count} of the dead letters? [y/N] "))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(LettersError::Process)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn told_done(options: &DeadLettersOptions, act: &str, done: &Done) -> Result<bool, LettersError> {
    say(&match options.output {
        Output::Table => told::done(act, done),
        Output::Json => told::json(done),
    })?;
    Ok(done.stayed.is_empty() && done.unknown.is_empty())
}

fn say(text: &str) -> Result<(), LettersError> {
    let mut terminal = io::stdout();
    terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush()).map_err(LettersError::Process)
}
