//! The API against its own description, by programs that others wrote: the description is valid OpenAPI 3.1, and what
//! schemathesis makes of it, valid and invalid, is answered as it says.
//!
//! They come from the Python Package Index into an environment in the target folder, in the versions that
//! `requirements.txt` names. Where the index can't be reached, or Python makes no environments, the test says that it
//! is skipped.
#![allow(clippy::unwrap_used)]

mod python;

use std::io::Write as _;
use std::time::Duration;

use simulator_customcrm::{Effect, Fault, Limits, Running, Settings, Simulator};

use crate::python::Python;

/// The records that `hooks.py` knows of.
const RECORDS: [(&str, &str); 6] = [
    ("users", r#"{"Id":"u1","Email":"u1@crm.example"}"#),
    ("customers", r#"{"Id":"c1","Name":"Anker","CustomerNumber":"C-1"}"#),
    ("contacts", r#"{"Id":"k1","CustomerId":"c1","LastName":"Vos"}"#),
    ("products", r#"{"Id":"p1","Code":"A-1","Name":"Anchor"}"#),
    ("orders", r#"{"Id":"o1","CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1}]}"#),
    ("quotes", r#"{"Id":"q1","CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1}]}"#),
];

/// A CRM with a record of each kind, in which only the first calls that add to this collection are too many.
async fn crm(throttled: &str) -> Running {
    let limits = Limits { calls: u32::MAX, window: Duration::from_mins(1) };
    let running = Simulator::start(Settings { limits, ..Settings::default() }).await.unwrap();
    for (collection, record) in RECORDS {
        running.control.seed(collection, [record]).unwrap();
    }
    running.control.add_fault(Fault::next(Effect::Throttle(1)).times(10).on("POST", throttled));
    running
}

/// Says that a test did not take place. Not by `eprintln`, which the runner keeps for itself when a test passes.
fn skipped(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).unwrap();
}

/// Holds the operations whose path matches against the description; `throttled` is one of their collections.
async fn assert_as_described(paths: &str, throttled: &str) {
    let python = match Python::ready().await {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    let crm = crm(throttled).await;
    python.schemathesis(&crm.base_url, &crm.api_token, paths).await;
    let log = crm.control.log();
    let with_status = |status: u16| log.iter().filter(|call| call.status == status).count();
    for status in [200, 201, 400, 401, 404, 405, 415, 422, 429] {
        assert!(with_status(status) > 0, "no call was answered with {status}");
    }
}

#[tokio::test]
async fn plain_records_are_answered_as_described() {
    assert_as_described("^/(me|users|customers|contacts|products)", "contacts").await;
}

#[tokio::test]
async fn records_with_lines_are_answered_as_described() {
    assert_as_described("^/(orders|quotes)", "quotes").await;
}

#[tokio::test]
async fn the_program_prints_a_description_that_is_valid_openapi_3_1() {
    let python = match Python::ready().await {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    let program = tokio::process::Command::new(env!("CARGO_BIN_EXE_simulator-customcrm"))
        .arg("--openapi")
        .output()
        .await
        .unwrap();
    assert!(program.status.success());
    python.validate(&program.stdout).await;
}
