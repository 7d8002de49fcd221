//! The writer-customcrm: applies writes to CustomCRM.

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
    service::run("writer-customcrm", needs, writer_customcrm::start)
}
