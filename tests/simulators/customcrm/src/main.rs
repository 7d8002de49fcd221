//! A CustomCRM to try things against: prints its addresses and tokens as one line of JSON, then serves until it is told
//! to stop.

use std::io::Write as _;
use std::net::SocketAddr;

use clap::Parser;
use simulator_customcrm::{Settings, Simulator, Webhook, openapi, schema};
use tokio::signal::unix::{SignalKind, signal};

/// A strict simulator of the CustomCRM default API. All data is gone when it stops.
#[derive(Parser)]
struct Arguments {
    /// Where the API listens; port 0 takes any free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the control API listens; it asks for no token.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// The token of the API user; a new one if left out.
    #[arg(long)]
    api_token: Option<String>,
    /// The token of the person who edits; a new one if left out.
    #[arg(long)]
    human_token: Option<String>,
    /// An address that is told of every change, as the Standard Webhooks specification has it.
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    webhook: Option<String>,
    /// What signs the notifications: whsec_ and the base64 of 24 to 64 bytes.
    #[arg(long, value_name = "SECRET", requires = "webhook")]
    webhook_secret: Option<String>,
    /// Print the description of the API in OpenAPI 3.1 and do nothing else.
    #[arg(long)]
    openapi: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if arguments.openapi {
        writeln!(std::io::stdout(), "{:#}", openapi::document(&schema::DEFAULT))?;
        return Ok(());
    }
    let webhook = match (&arguments.webhook, &arguments.webhook_secret) {
        (Some(url), Some(secret)) => Some(Webhook::new(url, secret)?),
        _ => None,
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let running = Simulator::start(Settings {
        listen: arguments.listen,
        control: arguments.control,
        api_token: arguments.api_token,
        human_token: arguments.human_token,
        webhooks: webhook.into_iter().collect(),
        ..Settings::default()
    })
    .await?;
    let line = serde_json::json!({
        "base_url": running.base_url,
        "control_url": running.control_url,
        "api_token": running.api_token,
        "api_user_id": running.api_user_id,
        "human_token": running.human_token,
        "human_user_id": running.human_user_id,
    });
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    running.stop().await;
    Ok(())
}
