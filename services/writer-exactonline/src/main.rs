//! The writer-exactonline: applies writes to Exact Online within its quota.

use std::process::ExitCode;

use service::{Needs, Servers};

fn main() -> ExitCode {
    let needs = Needs { pairs: true, exactonline: true, servers: Servers::Required, ..Needs::NOTHING };
    service::run("writer-exactonline", needs, writer_exactonline::start)
}
