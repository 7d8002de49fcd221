//! The simulator as a program: prints where it listens and with which tokens, and stops on a signal.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use serde_json::json;
use simulator_exactonline::{Settings, Simulator, SimulatorError};
use tokio::signal::unix::{SignalKind, signal};

/// A strict simulator of the Exact Online REST API. All state is in memory.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where the API listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the control API listens.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// The number of the company.
    #[arg(long, default_value_t = Settings::default().division)]
    division: i32,
    /// The OAuth client.
    #[arg(long, default_value_t = Settings::default().client_id)]
    client_id: String,
    /// Its secret.
    #[arg(long, default_value_t = Settings::default().client_secret)]
    client_secret: String,
    /// The redirect address that is registered with it.
    #[arg(long, default_value_t = Settings::default().redirect_uri)]
    redirect_uri: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause =
                std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            // Nobody is left to tell when standard error is gone as well.
            let _ = writeln!(std::io::stderr(), "{error}{cause}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), SimulatorError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(SimulatorError::Process)?;
    let running = Simulator::start(Settings {
        listen: arguments.listen,
        control: arguments.control,
        division: arguments.division,
        client_id: arguments.client_id,
        client_secret: arguments.client_secret,
        redirect_uri: arguments.redirect_uri,
        ..Settings::default()
    })
    .await?;
    let line = json!({
        "base_url": running.base_url,
        "control_url": running.control_url,
        "division": running.division,
        "client_id": running.client_id,
        "client_secret": running.client_secret,
        "redirect_uri": running.redirect_uri,
        "refresh_token": running.refresh_token,
        "human_token": running.human_token,
        "api_user_id": running.api_user_id,
        "human_id": running.human_id,
    });
    writeln!(std::io::stdout(), "{line}").map_err(SimulatorError::Process)?;
    std::io::stdout().flush().map_err(SimulatorError::Process)?;
    tokio::select! {
        _ = terminate.recv() => {}
        outcome = tokio::signal::ctrl_c() => outcome.map_err(SimulatorError::Process)?,
    }
    running.stop().await;
    Ok(())
}
