//! A service that does nothing, to be seen from outside: how it starts, tells its health, and stops.
//!
//! `TRIVIAL` chooses how it behaves: `deaf` ignores the stop, `fails` fails at once, `panics` panics, `connections` has
//! a task for each connection, and without it the service is idle until it is stopped.

use std::future::pending;
use std::io;

use service::{Check, Context, Needs, Problem, Service, ServiceError, for_each_connection};

fn main() -> std::process::ExitCode {
    let needs = Needs {
        customcrm: std::env::var_os("TRIVIAL").is_some_and(|how| how == "connections"),
        ..Needs::NOTHING
    };
    service::run(Service { name: "trivial", needs, chooses_pairs: false, check }, start)
}

/// Calls at more than a thousand a minute are more than this service can do.
fn check(context: &Context) -> Result<(), ServiceError> {
    let is_much = |side: &service::CustomCrmConfig| side.calls_per_minute.get() > 1_000;
    let much = context.config.customcrm().filter(|(_, side)| is_much(side)).map(|(name, side)| Problem {
        file: "tandem.toml".into(),
        line: None,
        key: format!("connection.{name}.customcrm.calls_per_minute"),
        value: Some(side.calls_per_minute.to_string()),
        what: "is more than it can do".to_owned(),
        remedy: "write 1000 at most".to_owned(),
    });
    let problems: Vec<Problem> = much.collect();
    if problems.is_empty() { Ok(()) } else { Err(ServiceError::Configuration(problems)) }
}

/// Says when it begins and ends, and keeps a check meanwhile.
async fn serve_connection(context: Context) -> Result<(), ServiceError> {
    let connection = &context.config.connections[0].name;
    tracing::info!(%connection, "begun");
    context.health.set(connection.as_str(), Check::Resting("it does nothing".to_owned()));
    context.stop.cancelled().await;
    tracing::info!(%connection, "ended");
    Ok(())
}

async fn start(context: Context) -> Result<(), ServiceError> {
    if std::env::var_os("TRIVIAL").is_some_and(|how| how == "connections") {
        return for_each_connection(context, serve_connection).await;
    }
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
