//! The collector-exactonline: turns what changed in Exact Online into observations.

use std::process::ExitCode;

use service::{Needs, Servers, Service};

fn main() -> ExitCode {
    let needs = Needs {
        pairs: true,
        exactonline: true,
        webhooks: true,
        servers: Servers::Required,
        ..Needs::NOTHING
    };
    let service = Service {
        name: "collector-exactonline",
        needs,
        chooses_pairs: false,
        check: collector_exactonline::check,
    };
    service::run(service, collector_exactonline::start)
}
