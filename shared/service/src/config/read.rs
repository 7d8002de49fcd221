//! From the file as written to the configuration as meant. Connections are in [`connection`], those that have files of
//! their own in [`folder`], the store in [`store`].

mod connection;
mod folder;
mod store;
mod taken;

use std::cell::RefCell;
use std::fs;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use telemetry::{LogFilter, LogFormat, Signals};
use toml::de::DeTable;
use url::{Host, Url};

use super::section::{Report, Section};
use super::{BrokerConfig, Config, ConnectionConfig, Needs, OtlpConfig, Problem, Servers};

/// A secret is a line; what is larger is the wrong file.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// A poll more often than this is a mistake, and one less often too.
const POLL_SECONDS: RangeInclusive<f64> = 0.1..=3_600.0;
const GRACE_SECONDS: RangeInclusive<f64> = 0.1..=600.0;
const NAMESPACE_BYTES_MAX: usize = 32;

/// Reads the text of `file`, whose whole path is `whole`; relative paths in it begin at its folder.
pub(super) fn config(file: &Path, whole: &Path, text: &str, needs: Needs) -> Result<Config, Vec<Problem>> {
    let report = Report::new(file, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        report.not_toml(error);
    }
    if !errors.is_empty() {
        return Err(report.into_problems());
    }
    let folder = whole.parent().unwrap_or(whole);
    let elsewhere = RefCell::default();
    let reader = Reader { whole, folder, needs, elsewhere: &elsewhere };
    let read = reader.root(Section::root(&report, root.get_ref()));
    let mut problems = report.into_problems();
    problems.extend(elsewhere.take());
    match read {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems),
    }
}

struct Reader<'a> {
    whole: &'a Path,
    /// Where relative paths begin.
    folder: &'a Path,
    needs: Needs,
    /// What is wrong with the files of connections.
    elsewhere: &'a RefCell<Vec<Problem>>,
}

/// Each function records what is wrong and gives `None` then; all are called before any result is looked at.
impl Reader<'_> {
    fn root(&self, root: Section<'_>) -> Option<Config> {
        let namespace = namespace(&root);
        let pairs = self.pairs(&root);
        let health_listen = health(root.section("health"));
        let webhooks_listen = required_listen(root.section("webhooks"), "0.0.0.0:8081");
        let auth_listen = required_listen(root.section("auth"), "127.0.0.1:8082");
        let log = log(root.section("log"));
        let otlp = otlp(root.section("telemetry"));
        let broker = self.broker(&root);
        let store = self.store(&root);
        let shutdown_grace = shutdown(root.section("shutdown"));
        let connections = self.connections(&root);
        let has_webhooks = |connection: &ConnectionConfig| {
            connection.exactonline.as_ref().is_some_and(|side| side.webhooks.is_some())
                || connection.customcrm.as_ref().is_some_and(|side| side.webhooks.is_some())
        };
        let are_awaited = connections.iter().flatten().any(has_webhooks);
        if are_awaited && !root.has("webhooks") {
            let remedy = "add a section [webhooks] with listen = \"0.0.0.0:8081\", where the Ingress finds this service";
            root.problem("webhooks", "is missing, and a connection has webhooks", remedy);
        }
        root.finish();
        let (log_filter, log_format) = log?;
        Some(Config {
            namespace: namespace?,
            pairs: pairs?,
            health_listen: health_listen?,
            webhooks_listen: webhooks_listen?.filter(|_| are_awaited),
            auth_listen: auth_listen?,
            log_filter,
            log_format,
            otlp: otlp?,
            broker: broker?,
            store: store?,
            shutdown_grace: shutdown_grace?,
            connections: connections?,
        })
    }

    fn pairs(&self, root: &Section<'_>) -> Option<PathBuf> {
        let pairs = self.folder.join(root.text("pairs").unwrap_or("pairs"));
        if self.needs.pairs && !pairs.is_dir() {
            let what = format!("{} is not a folder", pairs.display());
            root.problem("pairs", what, "name the folder that holds the pair files");
            return None;
        }
        Some(pairs)
    }

    fn broker(&self, root: &Section<'_>) -> Option<BrokerConfig> {
        let Some(section) = root.section("broker") else {
            if self.needs.servers == Servers::Required && !root.has("broker") {
                let remedy = "add a section [broker] with url_file, a file that holds amqp://user:password@host:5672/vhost";
                root.problem("broker", "is missing", remedy);
                return None;
            }
            return (!root.has("broker")).then_some(BrokerConfig::InProcess);
        };
        let found = self.server_url(&section, "amqp", "amqp://host:5672/vhost");
        if found.is_none() && !section.has("url") && !section.has("url_file") {
            let remedy = "add url_file, a file that holds amqp://user:password@host:5672/vhost";
            section.problem("url", "is missing", remedy);
        }
        section.finish();
        let (url, url_file) = found?;
        Some(BrokerConfig::RabbitMq { url, url_file })
    }

    /// The address of a server, from the configuration or from a file.
    fn server_url(
        &self,
        section: &Section<'_>,
        scheme: &str,
        example: &str,
    ) -> Option<(SecretString, Option<PathBuf>)> {
        let (written, file) = (section.text("url"), section.text("url_file"));
        match (written, file) {
            (Some(_), Some(_)) => {
                section.problem("url_file", "stands beside url", "keep one of them");
                None
            }
            (None, Some(_)) => {
                let (path, text) = self.secret(section, "url_file")?;
                server(section, "url_file", &text, scheme, example)?;
                Some((text.into(), Some(path)))
            }
            (Some(text), None) => {
                let url = server(section, "url", text, scheme, example)?;
                if url.password().is_some() && !is_loopback(&url) {
                    let remedy = "put the whole address into a file of its own and name it as url_file";
                    section.problem_with_secret("url", "holds a password", remedy);
                    return None;
                }
                Some((text.into(), None))
            }
            (None, None) => None,
        }
    }

    fn secret(&self, section: &Section<'_>, key: &'static str) -> Option<(PathBuf, String)> {
        let path = self.folder.join(section.text(key)?);
        let remedy = format!("put the secret into {}, readable for this user", path.display());
        let large = fs::metadata(&path).is_ok_and(|data| data.is_file() && data.len() > SECRET_BYTES_MAX);
        if large {
            section.problem(key, "is too large for a secret", remedy);
            return None;
        }
        match fs::read_to_string(&path) {
            Err(error) => section.problem(key, format!("cannot be read: {error}"), remedy),
            Ok(text) if text.trim().is_empty() => section.problem(key, "is an empty file", remedy),
            Ok(text) => return Some((path, text.trim().to_owned())),
        }
        None
    }
}

fn namespace(root: &Section<'_>) -> Option<String> {
    let text = root.text("namespace").unwrap_or("tandem");
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > NAMESPACE_BYTES_MAX || !text.bytes().all(allowed) {
        let remedy = format!("use 1 to {NAMESPACE_BYTES_MAX} lower-case letters, digits and hyphens");
        root.problem("namespace", "cannot begin the names of queues and keys", remedy);
        return None;
    }
    Some(text.to_owned())
}

fn health(section: Option<Section<'_>>) -> Option<SocketAddr> {
    let default = SocketAddr::from(([127, 0, 0, 1], 8080));
    let Some(section) = section else { return Some(default) };
    let listen = match section.text("listen") {
        None => Some(default),
        Some(text) => text
            .parse()
            .map_err(|_| {
                section.problem("listen", "is not an address with a port", "write it as \"127.0.0.1:8080\"");
            })
            .ok(),
    };
    section.finish();
    listen
}

#[expect(clippy::option_option, reason = "absent or present, right or wrong")]
fn required_listen(section: Option<Section<'_>>, example: &str) -> Option<Option<SocketAddr>> {
    let Some(section) = section else { return Some(None) };
    let text = section.required_text("listen", &format!("\"{example}\""));
    let listen = text.and_then(|text| {
        let address = text.parse().ok();
        if address.is_none() {
            let remedy = format!("write it as \"{example}\"");
            section.problem("listen", "is not an address with a port", remedy);
        }
        address
    });
    section.finish();
    listen.map(Some)
}

fn log(section: Option<Section<'_>>) -> Option<(LogFilter, LogFormat)> {
    let text = section.as_ref().and_then(|section| section.text("filter")).unwrap_or("info");
    let filter = LogFilter::parse(text);
    let format = match section.as_ref().and_then(|section| section.text("format")) {
        None | Some("json") => Some(LogFormat::Json),
        Some("text") => Some(LogFormat::Text),
        Some(_) => None,
    };
    if let Some(section) = section {
        if filter.is_err() {
            let remedy = "write a level as in \"info\", or \"info,lapin=warn\"";
            section.problem("filter", "cannot be understood", remedy);
        }
        if format.is_none() {
            section.problem("format", "is not a format", "write \"json\" or \"text\"");
        }
        section.finish();
    }
    Some((filter.ok()?, format?))
}

/// Traces hold no secrets and no personal values, so that they may cross a private network in the clear.
#[expect(clippy::option_option, reason = "absent or present, right or wrong")]
fn otlp(section: Option<Section<'_>>) -> Option<Option<OtlpConfig>> {
    let Some(section) = section else { return Some(None) };
    let signals = signals(&section);
    let endpoint = match section.text("otlp") {
        None => Some(None),
        Some(text) => match Url::parse(text) {
            Ok(url) if is_plain(&url) && ["http", "https"].contains(&url.scheme()) => {
                signals.map(|signals| Some(OtlpConfig { url, signals }))
            }
            _ => {
                let remedy = "write it as \"http://127.0.0.1:4318\"";
                section.problem_with_secret("otlp", "is not the address of an OTLP receiver", remedy);
                None
            }
        },
    };
    section.finish();
    endpoint
}

/// Traces alone, unless something else is said.
fn signals(section: &Section<'_>) -> Option<Signals> {
    if !section.has("signals") {
        return Some(Signals::TRACES);
    }
    let remedy = "write the list of what is sent: \"traces\", \"metrics\", \"logs\"";
    let mut signals = Signals { traces: false, metrics: false, logs: false };
    for name in section.texts("signals", remedy)? {
        match name {
            "traces" => signals.traces = true,
            "metrics" => signals.metrics = true,
            "logs" => signals.logs = true,
            _ => {
                section.problem("signals", "names something that is no signal", remedy);
                return None;
            }
        }
    }
    Some(signals)
}

fn shutdown(section: Option<Section<'_>>) -> Option<Duration> {
    let Some(section) = section else { return Some(Duration::from_secs(20)) };
    let grace = seconds(&section, "grace_seconds", 20.0, GRACE_SECONDS);
    section.finish();
    grace
}

fn seconds(
    section: &Section<'_>,
    key: &'static str,
    default: f64,
    allowed: RangeInclusive<f64>,
) -> Option<Duration> {
    let number = if section.has(key) { section.number(key)? } else { default };
    if !allowed.contains(&number) {
        let (min, max) = allowed.into_inner();
        section.problem(key, "is out of bounds", format!("write seconds from {min} to {max}"));
        return None;
    }
    Duration::try_from_secs_f64(number).ok()
}

fn server(section: &Section<'_>, key: &'static str, text: &str, scheme: &str, example: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == scheme && url.has_host());
    if url.is_none() {
        let what = format!("does not hold an address that begins with {scheme}://");
        section.problem_with_secret(key, what, format!("write it as {example}; TLS to it is not supported"));
    }
    url
}

fn is_plain(url: &Url) -> bool {
    url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // Of schemes that are not the web's, addresses come as names too.
        Some(Host::Domain(name)) => {
            name == "localhost"
                || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
