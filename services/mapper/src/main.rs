//! The mapper: owns the links and turns observations and outcomes into writes.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs { pairs: true, servers: Servers::Required, ..Needs::NOTHING };
    service::run("mapper", needs, mapper::start)
}
