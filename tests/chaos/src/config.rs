use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mapping::{Pair, Reading};
use servers::{RabbitMq, Redis};

use crate::{Hosting, Site};

const PAIR_FILE: &str = "customer-account.toml";

/// Which pairs a world keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Customers and accounts alone.
    CustomersAndAccounts,
    /// All seven, as they are deployed.
    AllSeven,
}

impl Kept {
    /// The pairs in the practical reading.
    pub(crate) fn pairs(self) -> Vec<Pair> {
        let files = self.files();
        let text = |file: &PathBuf| fs::read_to_string(file).unwrap();
        let texts: Vec<(String, String)> = files
            .iter()
            .map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), text(file)))
            .collect();
        let texts: Vec<(String, &str)> =
            texts.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
        service::parse_pairs(&texts, Reading::Practical).unwrap()
    }

    /// The files that are kept, as they are deployed.
    fn files(self) -> Vec<PathBuf> {
        let deployed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
        match self {
            Self::CustomersAndAccounts => vec![deployed.join(PAIR_FILE)],
            Self::AllSeven => {
                let files = fs::read_dir(deployed).unwrap().map(|entry| entry.unwrap().path());
                files.filter(|file| file.extension().is_some_and(|end| end == "toml")).collect()
            }
        }
    }
}

/// What a connection is told of its systems' limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Calls a minute to the CRM.
    pub crm_per_minute: u32,
    /// Calls a minute to Exact.
    pub exact_per_minute: u32,
    /// Calls a day to Exact.
    pub exact_per_day: u32,
}

impl Quota {
    /// As good as none.
    pub const AMPLE: Self =
        Self { crm_per_minute: 1_000_000, exact_per_minute: 1_000_000, exact_per_day: 10_000_000 };
}

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How the services run.
    pub hosting: Hosting,
    /// The names of the connections; each has simulators of its own.
    pub connections: Vec<&'static str>,
    /// The broker, where the hosting is on servers; the shared one when `None`.
    pub amqp_url: Option<String>,
    /// The store, where the hosting is on servers; the shared one when `None`.
    pub redis_url: Option<String>,
    /// Where traces go.
    pub otlp: Option<String>,
    /// How long a stop may take, in seconds.
    pub grace_seconds: u32,
    /// A property of the CRM that the pair demands beyond those that its file demands.
    pub demanded: Option<&'static str>,
    /// The pairs.
    pub kept: Kept,
    /// How often each collector asks for changes.
    pub poll: Duration,
    /// What the services are told of limits.
    pub quota: Quota,
}

impl Plan {
    /// One connection, on the shared servers.
    pub fn new(hosting: Hosting) -> Self {
        Self {
            hosting,
            connections: vec!["acme"],
            amqp_url: None,
            redis_url: None,
            otlp: None,
            grace_seconds: 5,
            demanded: None,
            kept: Kept::CustomersAndAccounts,
            poll: crate::POLL,
            quota: Quota::AMPLE,
        }
    }

    /// The addresses of the broker and the store, for processes.
    pub(crate) fn servers(&self) -> Option<(String, String)> {
        match self.hosting {
            Hosting::Processes | Hosting::OneProcessOnServers => Some((
                self.amqp_url.clone().unwrap_or_else(RabbitMq::shared_url),
                self.redis_url.clone().unwrap_or_else(Redis::shared_url),
            )),
            Hosting::OneProcess => None,
        }
    }
}

/// Writes the configuration and the secrets that it names into `folder`; gives the configuration's path.
pub(crate) fn write(plan: &Plan, namespace: &str, sites: &[Site], folder: &Path) -> PathBuf {
    write_as("tandem.toml", plan, namespace, sites, folder)
}

/// The same into a file of this name.
pub(crate) fn write_as(name: &str, plan: &Plan, namespace: &str, sites: &[Site], folder: &Path) -> PathBuf {
    write_pairs(plan, &folder.join("pairs"));
    let mut text = format!("namespace = \"{namespace}\"\n");
    // One file serves all processes: each takes a free port and tells it in its log.
    text.push_str("[health]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"info\"\n");
    writeln!(text, "[shutdown]\ngrace_seconds = {}", plan.grace_seconds).unwrap();
    if let Some(otlp) = &plan.otlp {
        writeln!(text, "[telemetry]\notlp = \"{otlp}\"").unwrap();
    }
    match plan.servers() {
        Some((amqp, redis)) => {
            fs::write(folder.join("amqp"), amqp).unwrap();
            writeln!(text, "[broker]\nurl_file = \"amqp\"\n[store]\nurl = \"{redis}\"").unwrap();
        }
        None => text.push_str("[store]\nfile = \"tandem.redb\"\n"),
    }
    for site in sites {
        text.push_str(&connection(plan, site, folder));
    }
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path
}

/// Writes the files of the pairs as they are deployed, with what the plan demands beyond them.
fn write_pairs(plan: &Plan, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for file in plan.kept.files() {
        let mut text = fs::read_to_string(&file).unwrap();
        if let Some(property) = plan.demanded {
            let row = format!("customcrm = \"{property}\"\n");
            assert!(text.contains(&row), "the pair has no row of {property}");
            text = text.replace(&row, &format!("{row}required = true\n"));
        }
        fs::write(folder.join(file.file_name().unwrap()), text).unwrap();
    }
}

fn connection(plan: &Plan, site: &Site, folder: &Path) -> String {
    let name = &site.name;
    let seconds = plan.poll.as_secs_f64();
    let Quota { crm_per_minute, exact_per_minute, exact_per_day } = plan.quota;
    let (crm, exact) = (site.crm.running(), site.exact.running());
    fs::write(folder.join(format!("{name}-crm-token")), &crm.api_token).unwrap();
    fs::write(folder.join(format!("{name}-exact-secret")), &exact.client_secret).unwrap();
    let grant = serde_json::json!({ "refresh_token": exact.refresh_token });
    let grant_file = folder.join(format!("{name}-grant"));
    // What the services have made of it since is newer.
    if !grant_file.exists() {
        fs::write(grant_file, grant.to_string()).unwrap();
    }
    format!(
        r#"
[[connection]]
name = "{name}"
[connection.customcrm]
url = "{crm_url}"
token_file = "{name}-crm-token"
poll_seconds = {seconds}
calls_per_minute = {crm_per_minute}
[connection.exactonline]
url = "{exact_url}"
division = {division}
client_id = "{client_id}"
client_secret_file = "{name}-exact-secret"
grant_file = "{name}-grant"
poll_seconds = {seconds}
calls_per_minute = {exact_per_minute}
calls_per_day = {exact_per_day}
"#,
        crm_url = crm.base_url,
        exact_url = exact.base_url,
        division = exact.division,
        client_id = exact.client_id,
    )
}
