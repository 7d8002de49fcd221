//! The command line of a service.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser};

use crate::Service;
use crate::probe::Probe;

const TEACHING: &str = r#"The configuration is one TOML file for all services; each uses the sections it needs.
Relative paths in it start at the file's own folder. A small one:

  pairs = "pairs"

  [health]
  listen = "127.0.0.1:8080"        # /health/live, /health/ready, /metrics

  [broker]
  url_file = "/run/secrets/amqp"   # holds amqp://user:password@host:5672/vhost

  [store]
  url = "redis://127.0.0.1:6379"

  [[connection]]
  name = "acme"

  [connection.customcrm]
  url = "https://crm.example.com/api/v1"
  token_file = "/run/secrets/crm-token"

A folder may hold further connections, a file for each: connections = "connections" reads
connections/acme.toml as the connection acme, which holds what stands below a [[connection]].

SIGHUP reads all of it anew. Connections that were added, changed or taken away are started, restarted
or ended, and the others go on; what can't work is told in the log and changes nothing.

Exit codes: 0 after SIGTERM or SIGINT and a clean stop; 1 after a failure; 64 when the configuration
or the command line cannot be used. A second signal ends the process at once."#;

/// What the command line may say.
#[derive(Debug, Parser)]
#[command(version, about = None, after_long_help = TEACHING, after_help = "--help shows an example configuration")]
pub(crate) struct Arguments {
    /// The configuration file
    #[arg(long, value_name = "FILE", env = "TANDEM_CONFIG", default_value = "tandem.toml")]
    pub(crate) config: PathBuf,
    /// Print the configuration as it is understood, without its secrets, and exit
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Ask the process that runs on this configuration, and exit with 0 for yes and 1 for no
    #[arg(long, value_enum, value_name = "QUESTION", conflicts_with = "print_config")]
    pub(crate) probe: Option<Probe>,
    /// The pairs that are to be served; none for all of them.
    #[arg(skip)]
    pub(crate) pairs: Vec<String>,
}

/// What the command line of a service may say that chooses pairs.
#[derive(Debug, Args)]
struct Chosen {
    /// Serve this pair only; may be given several times. Without it: all pairs
    #[arg(long = "pair", value_name = "NAME")]
    pairs: Vec<String>,
}

impl Arguments {
    /// Reads the arguments of a service; help, version and misuse come back as an error that prints itself.
    pub(crate) fn read(
        service: &Service,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let mut command = Self::command().name(service.name);
        if service.chooses_pairs {
            command = Chosen::augment_args(command);
        }
        let matches = command.try_get_matches_from_mut(arguments)?;
        let read = || {
            let mut arguments = Self::from_arg_matches(&matches)?;
            if service.chooses_pairs {
                arguments.pairs = Chosen::from_arg_matches(&matches)?.pairs;
            }
            Ok(arguments)
        };
        read().map_err(|error: clap::Error| error.format(&mut command))
    }
}
