use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use servers::{RabbitMq, Redis};

use crate::{Hosting, Site};

const PAIR_FILE: &str = "customer-account.toml";

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
    write_pair(plan, &folder.join("pairs"));
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
        text.push_str(&connection(site, folder));
    }
    let path = folder.join("tandem.toml");
    fs::write(&path, text).unwrap();
    path
}

/// Writes the file of the pair as it is deployed, with what the plan demands beyond it.
fn write_pair(plan: &Plan, folder: &Path) {
    let deployed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs").join(PAIR_FILE);
    let mut text = fs::read_to_string(deployed).unwrap();
    if let Some(property) = plan.demanded {
        let row = format!("customcrm = \"{property}\"\n");
        assert!(text.contains(&row), "the pair has no row of {property}");
        text = text.replace(&row, &format!("{row}required = true\n"));
    }
    fs::create_dir(folder).unwrap();
    fs::write(folder.join(PAIR_FILE), text).unwrap();
}

fn connection(site: &Site, folder: &Path) -> String {
    let name = &site.name;
    let seconds = crate::POLL.as_secs_f64();
    let (crm, exact) = (site.crm.running(), site.exact.running());
    fs::write(folder.join(format!("{name}-crm-token")), &crm.api_token).unwrap();
    fs::write(folder.join(format!("{name}-exact-secret")), &exact.client_secret).unwrap();
    let grant = serde_json::json!({ "refresh_token": exact.refresh_token });
    fs::write(folder.join(format!("{name}-grant")), grant.to_string()).unwrap();
    format!(
        r#"
[[connection]]
name = "{name}"
[connection.customcrm]
url = "{crm_url}"
token_file = "{name}-crm-token"
poll_seconds = {seconds}
calls_per_minute = 1000000
[connection.exactonline]
url = "{exact_url}"
division = {division}
client_id = "{client_id}"
client_secret_file = "{name}-exact-secret"
grant_file = "{name}-grant"
poll_seconds = {seconds}
calls_per_minute = 1000000
calls_per_day = 10000000
"#,
        crm_url = crm.base_url,
        exact_url = exact.base_url,
        division = exact.division,
        client_id = exact.client_id,
    )
}
