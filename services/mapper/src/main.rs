//! The mapper: owns the links and turns observations and outcomes into writes.

use std::process::ExitCode;

use service::{Needs, Servers, Service};

fn main() -> ExitCode {
    let needs = Needs { pairs: true, servers: Servers::Required, ..Needs::NOTHING };
    let service = Service { name: "mapper", needs, chooses_pairs: true, check: |_| Ok(()) };
    service::run(service, mapper::start)
}
