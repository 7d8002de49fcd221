//! A service that does nothing, to be seen from outside: how it starts, tells its health, and stops.
//!
//! `TRIVIAL` chooses how it behaves: `deaf` ignores the stop, `fails` fails at once, `panics` panics, and without it
//! the service is idle until it is stopped.

use std::future::pending;
use std::io;

use service::{Check, Context, Needs, ServiceError};

fn main() -> std::process::ExitCode {
    service::run("trivial", Needs::NOTHING, start)
}

async fn start(context: Context) -> Result<(), ServiceError> {
    let mut tasks = context.tasks();
    let stop = context.stop.clone();
    tasks.spawn("consume", async move {
        stop.cancelled().await;
        io::Result::Ok(())
    });
    match std::env::var("TRIVIAL").as_deref() {
        Ok("deaf") => tasks.spawn("poll Accounts", pending::<io::Result<()>>()),
        Ok("fails") => {
            let lost = io::Error::other("connection reset");
            tasks.spawn("publish", async { io::Result::Err(lost) });
        }
        Ok("panics") => tasks.spawn("publish", async { panic!("a defect") as io::Result<()> }),
        _ => {}
    }
    context.health.set("broker", Check::Ok);
    context.health.set("store", Check::Waiting("connection refused".to_owned()));
    tasks.join().await
}
