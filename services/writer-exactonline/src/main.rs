//! The writer-exactonline: applies writes to Exact Online within its quota.

use std::process::ExitCode;

use service::{Needs, Servers, Service};

fn main() -> ExitCode {
    let needs = Needs { pairs: true, exactonline: true, servers: Servers::Required, ..Needs::NOTHING };
    let service =
        Service { name: "writer-exactonline", needs, chooses_pairs: false, check: writer_exactonline::check };
    service::run(service, writer_exactonline::start)
}
