//! The writer-customcrm: applies writes to CustomCRM.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs { pairs: true, customcrm: true, servers: Servers::Required, ..Needs::NOTHING };
    service::run("writer-customcrm", needs, writer_customcrm::start)
}
