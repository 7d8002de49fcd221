//! The writer-customcrm: applies writes to CustomCRM.

use std::process::ExitCode;

use service::{Needs, Servers, Service};

fn main() -> ExitCode {
    let needs = Needs { pairs: true, customcrm: true, servers: Servers::Required, ..Needs::NOTHING };
    let service =
        Service { name: "writer-customcrm", needs, chooses_pairs: false, check: writer_customcrm::check };
    service::run(service, writer_customcrm::start)
}
