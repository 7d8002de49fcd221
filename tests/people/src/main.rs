//! Two simulated systems and the two people who edit them, as one program: something to try a deployment against.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use mapping::{Pair, Reading, Shared};
use model::System;
use people::{Agreed, Hand, Moment, People, Sides};
use simulator_customcrm::{self as crm, NewUser};
use simulator_exactonline::{self as exact, Person};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

/// People who work in both systems, beside Robin.
const COLLEAGUES: [(&str, &str); 2] =
    [("Sanne Bakker", "sanne@crm.example"), ("Omar Visser", "omar@crm.example")];

/// Simulates a CustomCRM and an Exact Online, and lets two people edit them. All data is gone when it stops.
#[derive(Parser)]
struct Arguments {
    /// Where the CRM listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    customcrm: SocketAddr,
    /// Where Exact Online listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    exactonline: SocketAddr,
    /// Holds the token that Tandem calls the CRM with.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Holds the secret of the app at Exact Online.
    #[arg(long, value_name = "FILE")]
    client_secret_file: PathBuf,
    /// Where the consent is put, as `tandem auth` would.
    #[arg(long, value_name = "FILE")]
    grant_file: PathBuf,
    /// The folder with the pair files, in whose words people think.
    #[arg(long, value_name = "DIR", default_value = "/usr/share/tandem/pairs")]
    pairs: PathBuf,
    /// How many edits both make in a minute; 0 for none.
    #[arg(long, default_value_t = 12)]
    edits_per_minute: u32,
    /// What they do is drawn from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is gone as well.
            let _ = writeln!(io::stderr(), "people: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let crm = crm::Simulator::start(crm::Settings {
        listen: arguments.customcrm,
        api_token: Some(secret(&arguments.token_file)?),
        ..crm::Settings::default()
    })
    .await?;
    let exact = exact::Simulator::start(exact::Settings {
        listen: arguments.exactonline,
        client_secret: secret(&arguments.client_secret_file)?,
        api_user: Person::new("Integration", "integration@crm.example"),
        humans: vec![Person::new("Robin Jansen", "robin@crm.example")],
        ..exact::Settings::default()
    })
    .await?;
    for (name, email) in COLLEAGUES {
        let user =
            NewUser { full_name: Some(name.to_owned()), email: Some(email.to_owned()), ..NewUser::default() };
        crm.control.create_token(user)?;
        exact.control().add_person(Person::new(name, email));
    }
    let sides = Sides {
        crm: crm.control.clone(),
        crm_token: crm.human_token.clone(),
        exact: exact.control(),
        exact_person: exact.human_id,
    };
    let mut people =
        People::new(arguments.seed, Hand::new(pairs(&arguments.pairs)?, &sides, Shared::default()));
    people.begin(&sides);
    // Last of all: who waits for the file finds everything.
    fs::write(
        &arguments.grant_file,
        serde_json::json!({ "refresh_token": exact.refresh_token }).to_string(),
    )?;
    writeln!(io::stdout(), "{} {}", crm.base_url, exact.base_url)?;
    tokio::select! {
        _ = terminate.recv() => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
        () = edit(&mut people, &sides, arguments.edits_per_minute) => {}
    }
    tokio::join!(crm.stop(), exact.stop());
    Ok(())
}

/// Each in turn, for ever.
async fn edit(people: &mut People, sides: &Sides, edits_per_minute: u32) {
    let Some(pause) = Duration::from_mins(1).checked_div(edits_per_minute) else {
        return std::future::pending().await;
    };
    let (began, agreed) = (Instant::now(), Agreed::new());
    let mut ticks = interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for system in System::BOTH.into_iter().cycle() {
        ticks.tick().await;
        people.act(Moment { sides, at: began.elapsed(), agreed: &agreed }, system);
    }
}

fn secret(file: &Path) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

fn pairs(folder: &Path) -> Result<Vec<Pair>, Box<dyn std::error::Error>> {
    Ok(service::load_pairs(folder, Reading::Practical)?)
}
