//! The collector-customcrm: turns what changed in CustomCRM into observations.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs {
        pairs: true,
        customcrm: true,
        exactonline: false,
        webhooks: false,
        servers: Servers::Required,
    };
    service::run("collector-customcrm", needs, collector_customcrm::start)
}
