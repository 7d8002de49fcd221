//! The dataflow document holds, row by row and in every direction, in both readings: the program itself says so.

use std::process::Command;

#[test]
fn every_row_of_every_pair_is_green_in_the_practical_reading() {
    green("practical");
}

#[test]
fn every_row_of_every_pair_is_green_in_the_literal_reading() {
    green("literal");
}

#[track_caller]
fn green(reading: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["checklist", "--reading", reading, "--format", "json"])
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&output.stderr);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let rows = rows.as_array().cloned().unwrap_or_default();
    let not_green: Vec<_> = rows.iter().filter(|row| row["result"] != "passed").collect();
    assert!(not_green.is_empty(), "{not_green:#?}\n{told}");
    // The guard against a list that holds nothing.
    assert!(rows.len() > 300, "{} rows\n{told}", rows.len());
    assert!(output.status.success(), "{}\n{told}", output.status);
}
