use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a server or a process could not be started, stopped or asked.
///
/// `Debug` prints the same words as `Display` followed by the sources, so that `unwrap()` in a test is readable.
#[derive(thiserror::Error)]
pub enum Error {
    /// A server's program is not on this machine.
    #[error(
        "{program} is not installed: run tests/run, which installs it, \
         or `apt-get install --no-install-recommends rabbitmq-server redis-server`"
    )]
    NotInstalled {
        /// The program that was looked for.
        program: &'static str,
    },
    /// One of our own binaries has not been built.
    #[error("{} is not built: run `cargo build --workspace --bins` first, or tests/run, which does", path.display())]
    NotBuilt {
        /// Where it was expected.
        path: PathBuf,
    },
    /// A program ended where it should have kept running.
    #[error("{what} ended at once ({status}); its output: {output}")]
    Ended {
        /// Which program, with its port where it has one.
        what: String,
        /// How it ended.
        status: String,
        /// The last lines that it wrote.
        output: String,
    },
    /// Something did not come true in time.
    #[error("{what}: not within {limit:?}; last seen: {last}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// The status at the last look.
        last: String,
    },
    /// A server that runs answered something else than was asked for.
    #[error("{what} answered `{answer}`")]
    Answer {
        /// Which server and which command.
        what: String,
        /// What it said.
        answer: String,
    },
    /// The operating system refused.
    #[error("could not {action}")]
    Io {
        /// What was tried, to what.
        action: String,
        /// The system's own reason.
        source: std::io::Error,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")?;
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl Error {
    /// Wraps a system error: `.map_err(Error::io("bind a port"))`.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
