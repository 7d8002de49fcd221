//! `tandem init customcrm`: from a person's answers to a first declaration.
//!
//! What is like an API that Tandem knows gets that declaration. Of any other, each answer is a line of a draft, which must
//! be a declaration that can work after each of them; what one look at the CRM proposes are the usual answers.

mod draft;
mod interview;
mod terminal;

#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use telemetry::Chain;

use crate::BAD_USAGE;
use crate::arguments::InitOptions;
use interview::Interview;
use terminal::Terminal;

/// Why no declaration was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InitError {
    /// There is one.
    #[error("{} is there already, and is not written over; name another file with --out", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// The file of the secret can't be read.
    #[error("the secret can't be read from {}; check that the file is there and its rights", file.display())]
    Secret {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file can't be written.
    #[error("{} can't be written; check its folder and rights", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The operating system refused what every process needs, or the terminal has gone.
    #[error("the operating system refused a runtime or the terminal")]
    Process(#[source] io::Error),
    /// What the answers make can't work.
    #[error("the answers make no declaration that can work; run the command again:\n{0}")]
    Answers(String),
}

/// Asks, and writes the declaration; exit code 0 when it is there.
pub(crate) fn run(options: &InitOptions) -> ExitCode {
    match written(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when the terminal has gone.
            let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
            match error {
                InitError::Exists { .. } | InitError::Secret { .. } => ExitCode::from(BAD_USAGE),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn written(options: &InitOptions) -> Result<(), InitError> {
    let file = || options.out.clone();
    // Nobody is asked in vain.
    if options.out.exists() {
        return Err(InitError::Exists { file: file() });
    }
    if let Some(file) = &options.token_file {
        fs::metadata(file).map_err(|source| InitError::Secret { file: file.clone(), source })?;
    }
    let terminal = Terminal::new(io::stdin().lock(), io::stdout(), !io::stdin().is_terminal());
    let mut interview = Interview::new(terminal, options);
    let text = interview.declaration()?;
    // Between the question and now somebody else may have made it.
    let mut out =
        OpenOptions::new().write(true).create_new(true).open(&options.out).map_err(|source| match source
            .kind()
        {
            io::ErrorKind::AlreadyExists => InitError::Exists { file: file() },
            _ => InitError::Unwritable { file: file(), source },
        })?;
    out.write_all(text.as_bytes()).map_err(|source| InitError::Unwritable { file: file(), source })?;
    interview.next_step()
}
