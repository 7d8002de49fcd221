//! The command line and the one-process mode.
//!
//! `tandem run` is all services in one process ([`host`]), on the embedded broker and store or on the servers that
//! the configuration names. `tandem demo` is the same on simulated systems, with a scripted human who edits both
//! sides, and ends with a comparison of the two. `tandem auth` turns a person's consent into a grant, and
//! `tandem init` their answers into a declaration. Start reading at [`run`].
//!
//! What it refuses: to hold any rule of the synchronisation. It only starts, watches and compares.

mod arguments;
mod auth;
mod check;
mod checklist;
mod dataflow;
mod demo;
mod hosting;
mod init;
mod letters;
#[cfg(test)]
mod outcomes;
mod queues;
mod shipped;

use std::io::{self, Write};
use std::process::ExitCode;

use service::{Needs, Service};
use telemetry::Chain;

use arguments::{AuthOptions, Command, ConsentAt, InitOf, InitOptions, SchemaOf, Told};
pub use hosting::host;

/// The exit code for a command line or data that cannot be used (`EX_USAGE`).
const BAD_USAGE: u8 = 64;

/// Runs the command line of this process.
///
/// The exit code is 0 when all went well, 1 after a failure or when the demo's two sides do not agree, and 64 when the
/// command line, the configuration or the demo's data cannot be used.
pub fn run() -> ExitCode {
    match arguments::read(std::env::args_os()) {
        Ok(Command::Run { config, print_config }) => {
            let needs =
                Needs { pairs: true, customcrm: true, exactonline: true, webhooks: true, ..Needs::NOTHING };
            let service = Service { name: "tandem", needs, chooses_pairs: false, check: hosting::check };
            service::run_from(service, &config, print_config, hosting::start)
        }
        Ok(Command::Auth(options @ AuthOptions { at: ConsentAt::ExactOnline, .. })) => auth::run(&options),
        Ok(Command::Check(options)) => check::run(&options),
        Ok(Command::Init(options @ InitOptions { of: InitOf::CustomCrm, .. })) => init::run(&options),
        Ok(Command::Demo(options)) => demo::run(&options),
        Ok(Command::Checklist(options)) => checklist::run(&options),
        Ok(Command::Dataflow(options)) => dataflow::run(&options),
        Ok(Command::DeadLetters(options)) => letters::run(&options),
        Ok(Command::Schema { of }) => {
            let schema = match of {
                SchemaOf::Pairs => Ok(mapping::schema()),
                SchemaOf::Customcrm => Ok(customcrm::schema()),
                SchemaOf::Queues => queues::asyncapi(),
            };
            match schema {
                Ok(schema) => {
                    let _ = io::stdout().write_all(schema.as_bytes());
                    ExitCode::SUCCESS
                }
                Err(error) => {
                    let _ = writeln!(io::stderr(), "tandem: {}", Chain(&error));
                    ExitCode::FAILURE
                }
            }
        }
        Ok(Command::Version) => {
            // Nobody is left to tell when the terminal has gone.
            let _ = writeln!(io::stdout(), "tandem {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Err(Told(told)) => {
            let _ = told.print();
            if told.use_stderr() { ExitCode::from(BAD_USAGE) } else { ExitCode::SUCCESS }
        }
    }
}
