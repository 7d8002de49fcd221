//! The collector-customcrm: turns what changed in CustomCRM into observations.

use std::process::ExitCode;

use service::{Needs, Servers, Service};

fn main() -> ExitCode {
    let needs =
        Needs { pairs: true, customcrm: true, webhooks: true, servers: Servers::Required, ..Needs::NOTHING };
    let service = Service {
        name: "collector-customcrm",
        needs,
        chooses_pairs: false,
        check: collector_customcrm::check,
    };
    service::run(service, collector_customcrm::start)
}
