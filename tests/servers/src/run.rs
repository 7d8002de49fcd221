//! A program that runs to its end.

use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

/// Runs a command to its end. An error is that it failed, with its words, or that it did not end in time.
pub async fn run_within(longest: Duration, command: &mut Command) -> std::result::Result<Output, String> {
    let ended = tokio::time::timeout(longest, command.kill_on_drop(true).output()).await;
    let output = ended
        .map_err(|_| format!("it took longer than {} s", longest.as_secs()))?
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(output);
    }
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    Err(format!("{}\n{}", output.status, said.concat().trim()))
}
