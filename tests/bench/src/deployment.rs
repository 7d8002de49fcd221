//! One process of each service, on a real RabbitMQ and a real Redis, between simulators that answer at once.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use serde_json::{Value, json};
use servers::{Binary, Process, RabbitMq, Redis, wait_until_async};
use simulator_customcrm::{
    Limits as CrmLimits, Running as Crm, Settings as CrmSettings, Simulator as CrmSimulator,
};
use simulator_exactonline::{
    Control, Limits as ExactLimits, Running as Exact, Settings as ExactSettings, Simulator as ExactSimulator,
};
use tempfile::TempDir;
use uuid::Uuid;

use crate::processor;

pub(crate) const SERVICES: [&str; 5] =
    ["collector-customcrm", "collector-exactonline", "mapper", "writer-customcrm", "writer-exactonline"];
/// The service that reads what the bench changes.
pub(crate) const READER: &str = "collector-exactonline";
/// How often it reads.
pub(crate) const POLL: Duration = Duration::from_millis(100);
const PAIR: &str = "customer-account.toml";
/// Where the mapper gets its messages.
const PAIR_QUEUE: &str = "bench.pair.customer-account";
/// That many looks in a row must find that queue empty: more than two polls of the CRM.
const EMPTY_LOOKS: u32 = 20;
const SETTLES_WITHIN: Duration = Duration::from_mins(10);

/// Everything that runs.
pub(crate) struct Deployment {
    pub(crate) crm: Crm,
    pub(crate) exact: Control,
    pub(crate) accounts: Vec<Uuid>,
    services: Vec<(&'static str, Process)>,
    config: PathBuf,
    // Dropped after what reads from it.
    folder: TempDir,
    // Dropping it ends the simulator.
    _exact: Exact,
    rabbitmq: RabbitMq,
    redis: Redis,
}

impl Deployment {
    /// Starts servers and simulators, enters `records` accounts in Exact, starts the services and waits until all of them
    /// are in the CRM.
    pub(crate) async fn start(records: usize) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (rabbitmq, redis) = (RabbitMq::start()?, Redis::start()?);
        let limits = CrmLimits { calls: 100_000_000, ..CrmLimits::default() };
        let crm = CrmSimulator::start(CrmSettings { limits, ..CrmSettings::default() }).await?;
        let limits = ExactLimits { per_minute: 10_000_000, per_day: 1_000_000_000, ..ExactLimits::default() };
        let running = ExactSimulator::start(ExactSettings { limits, ..ExactSettings::default() }).await?;
        let exact = running.control();
        let bodies: Vec<String> = (0..records).map(account).collect();
        let accounts = exact.seed_accounts(&bodies)?;
        let folder = tempfile::Builder::new().prefix("tandem-bench-").tempdir()?;
        let config = configure(folder.path(), &rabbitmq.url(), &redis.url(), &crm, &running)?;
        let mut deployment = Self {
            crm,
            exact,
            accounts,
            services: Vec::new(),
            config,
            folder,
            _exact: running,
            rabbitmq,
            redis,
        };
        for service in SERVICES {
            deployment.spawn(service)?;
        }
        deployment.wait_for_customers(records).await;
        Ok(deployment)
    }

    pub(crate) fn amqp(&self) -> String {
        self.rabbitmq.url()
    }

    pub(crate) fn redis(&self) -> String {
        self.redis.url()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn spawn(&mut self, service: &'static str) -> servers::Result<()> {
        let arguments = [Path::new("--config"), &self.config];
        let process = Process::spawn(&Binary::named(service)?, arguments, [("RUST_BACKTRACE", "1")])?;
        self.services.push((service, process));
        Ok(())
    }

    /// Stops a service in good order.
    pub(crate) fn stop(&mut self, service: &str) -> servers::Result<()> {
        let Some(at) = self.services.iter().position(|(name, _)| *name == service) else { return Ok(()) };
        let (_, mut process) = self.services.remove(at);
        process.terminate()?;
        process.wait_for_exit(Duration::from_secs(30))?;
        Ok(())
    }

    /// A person changes the account of this number.
    pub(crate) fn edit(
        &self,
        number: usize,
        mark: &str,
    ) -> Result<(), simulator_exactonline::SimulatorError> {
        self.exact.change_account(self.accounts[number], &json!({ "Phone": mark }).to_string())
    }

    /// How many writes the CRM has carried out for the product.
    pub(crate) fn writes(&self) -> usize {
        let writes = self.crm.control.counts().writes.get(&self.crm.api_user_id).copied();
        usize::try_from(writes.unwrap_or_default()).unwrap_or(usize::MAX)
    }

    /// Waits until the product has made so many writes in all.
    pub(crate) async fn wait_for_writes(&self, writes: usize) {
        wait_until_async(&format!("{writes} writes"), SETTLES_WITHIN, async || {
            let now = self.writes();
            if now >= writes { Ok(()) } else { Err(format!("{now} are made")) }
        })
        .await;
    }

    async fn wait_for_customers(&self, count: usize) {
        wait_until_async(&format!("{count} customers"), SETTLES_WITHIN, async || {
            let now = self.writes();
            let said: Vec<String> =
                self.services.iter().map(|(name, process)| last_words(name, process)).collect();
            if now >= count { Ok(()) } else { Err(format!("{now} are made; {}", said.join("; "))) }
        })
        .await;
    }

    /// Waits until nothing is left of what went before: what was written is seen by the collectors too, and echoes of it
    /// come to the mapper.
    pub(crate) async fn settle(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let connection =
            lapin::Connection::connect(&self.amqp(), lapin::ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let mut empty = 0;
        while empty < EMPTY_LOOKS {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let found = channel.queue_declare(PAIR_QUEUE.into(), look, FieldTable::default()).await?;
            empty = if found.message_count() == 0 { empty + 1 } else { 0 };
        }
        Ok(connection.close(200, "settled".into()).await?)
    }

    /// The ids of the customers by the number of their account.
    pub(crate) fn customers(&self) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
        let mut ids = vec![String::new(); self.accounts.len()];
        for record in self.crm.control.records("customers")? {
            let record: Value = serde_json::from_str(&record)?;
            let name = record["Name"].as_str().unwrap_or_default();
            let number = name.strip_prefix("Bench ").and_then(|number| number.parse::<usize>().ok());
            if let (Some(number), Some(id)) = (number, record["Id"].as_str()) {
                id.clone_into(&mut ids[number]);
            }
        }
        Ok(ids)
    }

    /// The processor time that each part has used so far: the services, the servers, and the bench itself with its
    /// simulators and its bare loop.
    pub(crate) fn processor(&self) -> io::Result<Vec<(&'static str, Duration)>> {
        let services = self.services.iter().map(|(name, process)| (*name, process.pid()));
        let others =
            [("rabbitmq", self.rabbitmq.pid()), ("redis", self.redis.pid()), ("bench", std::process::id())];
        services.chain(others).map(|(name, pid)| Ok((name, processor::used(pid)?))).collect()
    }

    /// The most memory that each service ever held, in KiB, and what it holds now.
    pub(crate) fn memory(&self) -> io::Result<Vec<(&'static str, u64, u64)>> {
        let of = |(name, process): &(&'static str, Process)| {
            let status = fs::read_to_string(format!("/proc/{}/status", process.pid()))?;
            let kib = |label: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(label));
                line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or_default()
            };
            Ok((*name, kib("VmHWM:"), kib("VmRSS:")))
        };
        self.services.iter().map(of).collect()
    }
}

/// An account as a bookkeeper enters it.
fn account(number: usize) -> String {
    json!({
        "Name": format!("Bench {number}"),
        "Email": format!("bench{number}@company.example"),
        "AddressLine1": format!("Kerkstraat {number}"),
        "City": "Utrecht",
        "Postcode": "3511 AA",
        "Country": "NL",
        "Phone": "+31 30 0",
        "Website": format!("https://bench{number}.example"),
        "Remarks": "Entered by the bench.",
        "Status": "C",
    })
    .to_string()
}

/// Writes the configuration and what it names; gives its path.
fn configure(folder: &Path, amqp: &str, redis: &str, crm: &Crm, exact: &Exact) -> io::Result<PathBuf> {
    let pairs = folder.join("pairs");
    fs::create_dir(&pairs)?;
    let deployed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs").join(PAIR);
    fs::copy(deployed, pairs.join(PAIR))?;
    fs::write(folder.join("amqp"), amqp)?;
    fs::write(folder.join("crm-token"), &crm.api_token)?;
    fs::write(folder.join("exact-secret"), &exact.client_secret)?;
    fs::write(folder.join("grant"), json!({ "refresh_token": exact.refresh_token }).to_string())?;
    let mut text = String::new();
    let written = write!(
        text,
        r#"namespace = "bench"
[health]
listen = "127.0.0.1:0"
[log]
filter = "info"
[broker]
url_file = "amqp"
[store]
url = "{redis}"
[[connection]]
name = "bench"
[connection.customcrm]
url = "{crm_url}"
token_file = "crm-token"
poll_seconds = 2
calls_per_minute = 100000000
[connection.exactonline]
url = "{exact_url}"
division = {division}
client_id = "{client_id}"
client_secret_file = "exact-secret"
grant_file = "grant"
poll_seconds = {poll}
calls_per_minute = 10000000
calls_per_day = 1000000000
"#,
        crm_url = crm.base_url,
        exact_url = exact.base_url,
        poll = POLL.as_secs_f64(),
        division = exact.division,
        client_id = exact.client_id,
    );
    written.map_err(io::Error::other)?;
    let path = folder.join("tandem.toml");
    fs::write(&path, text)?;
    Ok(path)
}

fn last_words(name: &str, process: &Process) -> String {
    format!("{name}: {}", process.stderr().lines().last().unwrap_or("nothing said"))
}
