//! The collector-exactonline: turns what changed in Exact Online into observations.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs {
        pairs: true,
        exactonline: true,
        webhooks: true,
        servers: Servers::Required,
        ..Needs::NOTHING
    };
    service::run("collector-exactonline", needs, collector_exactonline::start)
}
