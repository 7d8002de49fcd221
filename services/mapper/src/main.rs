//! The mapper: owns the links and turns observations and outcomes into writes.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs {
        pairs: true,
        customcrm: false,
        exactonline: false,
        webhooks: false,
        servers: Servers::Required,
    };
    service::run("mapper", needs, mapper::start)
}
