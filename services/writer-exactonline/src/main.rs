//! The writer-exactonline: applies writes to Exact Online within its quota.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs {
        pairs: true,
        customcrm: false,
        exactonline: true,
        webhooks: false,
        servers: Servers::Required,
    };
    service::run("writer-exactonline", needs, writer_exactonline::start)
}
