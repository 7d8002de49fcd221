//! The collector-customcrm: turns what changed in CustomCRM into observations.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs =
        Needs { pairs: true, customcrm: true, webhooks: true, servers: Servers::Required, ..Needs::NOTHING };
    service::run("collector-customcrm", needs, collector_customcrm::start)
}
