#![allow(clippy::unwrap_used)]

mod difference;
mod folder;

use std::fs;
use std::path::Path;
use std::time::Duration;

use mapping::Reading;
use model::{ConnectionName, EntityName};
use secrecy::ExposeSecret;
use telemetry::Signals;
use tempfile::TempDir;

use super::{
    BrokerConfig, Config, ExactOnlineConfig, LiteralConfig, Needs, RedisConfig, Servers, StoreConfig,
    consent_command,
};
use crate::ServiceError;

const ALL: Needs =
    Needs { pairs: true, customcrm: true, exactonline: true, webhooks: true, servers: Servers::Required };
const NONE: Needs = Needs::NOTHING;

const FULL: &str = r#"
namespace = "tandem-test"
pairs = "deploy/pairs"

[health]
listen = "127.0.0.1:9001"

[webhooks]
listen = "0.0.0.0:9002"

[auth]
listen = "127.0.0.1:9003"

[log]
filter = "info,lapin=warn"
format = "text"

[telemetry]
otlp = "http://collector:4318"

[broker]
url_file = "amqp"

[store]
url = "redis://redis:6379/1"

[shutdown]
grace_seconds = 7

[[connection]]
name = "acme"

[connection.customcrm]
url = "https://crm.example.com/api/v1"
token_file = "crm-token"
poll_seconds = 0.5
calls_per_minute = 300

[connection.customcrm.webhooks]
url = "https://sync.example.com/crm/acme"
secret_file = "crm-webhook"

[connection.exactonline]
url = "http://127.0.0.1:5001"
division = 123456
client_id = "app"
client_secret_file = "exact-secret"
grant_file = "grant"
redirect_uri = "https://sync.example.com"

[connection.exactonline.webhooks]
url = "https://sync.example.com/exact/acme"
secret_file = "webhook-secret"
poll_seconds = 900

[[connection]]
name = "beta"
reading = "literal"
test = true
literal = { account = "0A1B2C3D-0000-4000-8000-000000000001", item = "0a1b2c3d-0000-4000-8000-000000000002" }

[connection.customcrm]
url = "http://localhost:5002/api"
token_file = "crm-token"

[connection.exactonline]
url = "https://start.exactonline.nl"
division = 2
client_id = "app"
client_secret_file = "exact-secret"
grant_file = "grant-of-beta"
calls_per_day = 1_000
"#;

/// A folder with the secrets that [`FULL`] names.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("deploy/pairs")).unwrap();
    fs::write(folder.path().join("amqp"), "amqp://tandem:hidden-amqp@rabbit:5672/vhost\n").unwrap();
    fs::write(folder.path().join("crm-token"), "hidden-token\n").unwrap();
    fs::write(folder.path().join("exact-secret"), "hidden-secret").unwrap();
    fs::write(folder.path().join("webhook-secret"), "hidden-webhook\n").unwrap();
    fs::write(folder.path().join("crm-webhook"), "hidden-crm-webhook\n").unwrap();
    fs::write(folder.path().join("empty"), " \n").unwrap();
    folder
}

fn load(folder: &Path, text: &str, needs: Needs) -> Result<Config, ServiceError> {
    let file = folder.join("tandem.toml");
    fs::write(&file, text).unwrap();
    Config::load(&file, needs)
}

/// What is wrong with `text`, one problem a line, the folder's own path left out.
#[track_caller]
fn problems(text: &str, needs: Needs) -> String {
    let folder = folder();
    let Err(error) = load(folder.path(), text, needs) else { panic!("it was not refused:\n{text}") };
    let ServiceError::Configuration(problems) = error else { panic!("{error}") };
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n").replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_full_configuration_is_read_with_its_secrets() {
    let folder = folder();
    let config = load(folder.path(), FULL, ALL).unwrap();
    assert_eq!(config.namespace, "tandem-test");
    assert_eq!(config.pairs, folder.path().join("deploy/pairs"));
    assert_eq!(config.health_listen.port(), 9001);
    assert_eq!(config.shutdown_grace, Duration::from_secs(7));
    assert_eq!(config.otlp.as_ref().unwrap().url.as_str(), "http://collector:4318/");
    assert_eq!(config.otlp.as_ref().unwrap().signals, Signals::TRACES);
    let BrokerConfig::RabbitMq { url, .. } = &config.broker else { panic!("{:?}", config.broker) };
    assert_eq!(url.expose_secret(), "amqp://tandem:hidden-amqp@rabbit:5672/vhost");
    let StoreConfig::Redis(RedisConfig::Server { url, url_file: None }) = &config.store else {
        panic!("{:?}", config.store)
    };
    assert_eq!(url.expose_secret(), "redis://redis:6379/1");

    let [acme, beta] = &config.connections[..] else { panic!("{:?}", config.connections) };
    assert_eq!((acme.reading, &acme.literal), (Reading::Practical, &LiteralConfig::default()));
    assert_eq!(beta.reading, Reading::Literal);
    let given = beta.given().into_iter().map(|given| (given.name, given.entity, given.record.to_string()));
    let (accounts, items) = (EntityName::parse("accounts").unwrap(), EntityName::parse("items").unwrap());
    let expected = [
        ("literal.account", accounts, "0a1b2c3d-0000-4000-8000-000000000001".to_owned()),
        ("literal.item", items, "0a1b2c3d-0000-4000-8000-000000000002".to_owned()),
    ];
    assert_eq!(given.collect::<Vec<_>>(), expected, "as Exact writes GUIDs");
    assert_eq!(config.readings(), Reading::ALL.into());

    let (name, crm) = config.customcrm().next().unwrap();
    assert_eq!((name.as_str(), crm.token.expose_secret()), ("acme", "hidden-token"));
    assert_eq!((crm.poll_interval, crm.calls_per_minute.get()), (Duration::from_millis(500), 300));
    let webhooks = crm.webhooks.as_ref().unwrap();
    assert_eq!(webhooks.url.as_str(), "https://sync.example.com/crm/acme");
    assert_eq!(webhooks.secret.expose_secret(), "hidden-crm-webhook");
    assert!(config.customcrm().nth(1).unwrap().1.webhooks.is_none(), "polling alone");
    let (name, exact) = config.exactonline().nth(1).unwrap();
    assert_eq!((name.as_str(), exact.client_secret.expose_secret()), ("beta", "hidden-secret"));
    assert_eq!(
        (exact.division.get(), exact.calls_per_minute.get(), exact.calls_per_day.get()),
        (2, 60, 1_000)
    );
    assert_eq!(exact.poll_interval, ExactOnlineConfig::POLL_INTERVAL);
    assert!(exact.webhooks.is_none(), "polling alone");

    let (_, exact) = config.exactonline().next().unwrap();
    let webhooks = exact.webhooks.as_ref().unwrap();
    assert_eq!(webhooks.callback.url.as_str(), "https://sync.example.com/exact/acme");
    assert_eq!(webhooks.callback.secret.expose_secret(), "hidden-webhook");
    assert_eq!(webhooks.poll_interval, Duration::from_mins(15));
    assert_eq!(config.webhooks_listen, Some(([0, 0, 0, 0], 9002).into()));
}

const SENTINELS: &str = r#"
[store]
sentinels = ["sentinel-0:26379", "[::1]:26380"]
master = "tandem"
database = 3
user = "tandem"
password_file = "crm-token"
sentinel_password_file = "exact-secret"
"#;

const CLUSTER: &str = r#"
[store]
cluster = ["redis-0.redis:6379", "10.0.0.7:6380"]
password_file = "crm-token"
"#;

#[test]
fn a_redis_is_one_of_several_that_sentinels_name_or_a_cluster() {
    let folder = folder();
    let config = load(folder.path(), SENTINELS, NONE).unwrap();
    let StoreConfig::Redis(RedisConfig::Sentinels { servers, .. }) = &config.store else {
        panic!("{:?}", config.store)
    };
    let sentinels: Vec<_> = servers.sentinels.iter().map(ToString::to_string).collect();
    assert_eq!(sentinels, ["sentinel-0:26379", "[::1]:26380"]);
    assert_eq!((servers.master.as_str(), servers.database), ("tandem", 3));
    let password =
        |login: &store::Login| login.password.as_ref().map(|secret| secret.expose_secret().to_owned());
    assert_eq!(servers.login.user.as_deref(), Some("tandem"));
    assert_eq!(password(&servers.login).as_deref(), Some("hidden-token"));
    assert_eq!(servers.sentinel_login.user, None);
    assert_eq!(password(&servers.sentinel_login).as_deref(), Some("hidden-secret"));

    let config = load(folder.path(), CLUSTER, NONE).unwrap();
    let StoreConfig::Redis(RedisConfig::Cluster { servers, .. }) = &config.store else {
        panic!("{:?}", config.store)
    };
    let nodes: Vec<_> = servers.nodes.iter().map(ToString::to_string).collect();
    assert_eq!(nodes, ["redis-0.redis:6379", "10.0.0.7:6380"]);
    assert_eq!(password(&servers.login).as_deref(), Some("hidden-token"));
}

#[test]
fn what_is_printed_of_sentinels_and_a_cluster_reads_back_and_holds_no_password() {
    let folder = folder();
    for text in [SENTINELS, CLUSTER] {
        let config = load(folder.path(), text, NONE).unwrap();
        let printed = config.to_toml();
        assert!(!printed.contains("hidden") && !format!("{config:?}").contains("hidden"), "{printed}");
        let again = load(folder.path(), &printed, NONE).unwrap();
        assert_eq!(again.to_toml(), printed);
        assert_eq!(format!("{:?}", again.store), format!("{:?}", config.store));
    }
}

#[test]
fn sentinels_and_clusters_that_cannot_be_used_are_refused_with_what_to_write_instead() {
    let master = "master = \"tandem\"";
    let cases = [
        (
            format!("sentinels = [\"sentinel\"]\n{master}"),
            "tandem.toml:2: store.sentinels = [\"sentinel\"]: does not hold hosts with their ports; write it as [\"host:26379\", ...]",
        ),
        (
            format!("sentinels = [\"redis://:hidden@sentinel:26379\"]\n{master}"),
            "tandem.toml:2: store.sentinels: does not hold hosts with their ports; write it as [\"host:26379\", ...], and a password into a file that password_file names",
        ),
        (
            format!("sentinels = []\n{master}"),
            "tandem.toml:2: store.sentinels = []: is empty; write it as [\"host:26379\", ...]",
        ),
        (
            format!("sentinels = \"sentinel:26379\"\n{master}"),
            "tandem.toml:2: store.sentinels: is of the kind string; write it as [\"host:26379\", ...]",
        ),
        (
            format!("cluster = [7000]\n{master}"),
            "tandem.toml:2: store.cluster: is of the kind integer; write it as [\"host:6379\", ...]",
        ),
        (
            "sentinels = [\"sentinel:26379\"]".to_owned(),
            "tandem.toml:1: store.master: is missing; add master = \"tandem\"",
        ),
        (
            format!("sentinels = [\"sentinel:26379\"]\n{master}\nurl = \"redis://h\""),
            "tandem.toml:2: store.sentinels = [\"sentinel:26379\"]: stands beside url; keep one of them",
        ),
        (
            "cluster = [\"node:6379\"]\nurl_file = \"amqp\"".to_owned(),
            "tandem.toml:2: store.cluster = [\"node:6379\"]: stands beside url_file; keep one of them",
        ),
        (
            "cluster = [\"node:6379\"]\nfile = \"x\"".to_owned(),
            "tandem.toml:3: store.file = \"x\": stands beside an address; keep one of them",
        ),
        (
            "cluster = [\"node:6379\"]\nuser = \"tandem\"".to_owned(),
            "tandem.toml:3: store.user = \"tandem\": has no password; add password_file, a file that holds the password",
        ),
        (
            "cluster = [\"node:6379\"]\npassword_file = \"empty\"".to_owned(),
            "tandem.toml:3: store.password_file = \"empty\": is an empty file; put the secret into empty",
        ),
        (
            "cluster = [\"node:6379\"]\ndatabase = 1".to_owned(),
            "tandem.toml:3: store.database: is not a known key; remove it; known here: ",
        ),
        (
            format!("sentinels = [\"sentinel:26379\"]\n{master}\ndatabase = -1"),
            "tandem.toml:4: store.database = -1: is no number of a database; write a whole number from 0, as in 1",
        ),
    ];
    for (written, expected) in cases {
        let told = problems(&format!("[store]\n{written}"), NONE);
        assert!(told.contains(expected), "{written}\n--- told:\n{told}\n--- expected:\n{expected}");
        assert!(!told.contains("hidden"), "{told}");
    }
}

#[test]
fn a_redirect_address_is_kept_letter_by_letter_and_the_command_for_a_consent_can_be_pasted() {
    let folder = folder();
    let config = load(folder.path(), FULL, ALL).unwrap();
    assert_eq!(config.auth_listen, Some(([127, 0, 0, 1], 9003).into()));
    let sides: Vec<_> = config.exactonline().map(|(_, side)| side).collect();
    assert_eq!(sides[0].redirect_uri.as_deref(), Some("https://sync.example.com"), "no slash of ours");
    assert_eq!(sides[1].redirect_uri, None);
    let file = folder.path().join("tandem.toml");
    let command = format!("tandem auth exactonline --config {} --connection beta", file.display());
    assert_eq!(sides[1].consent_command, command);

    let name = ConnectionName::parse("acme").unwrap();
    let command = consent_command(Path::new("/etc/it's mine/a.toml"), &name);
    assert_eq!(command, r"tandem auth exactonline --config '/etc/it'\''s mine/a.toml' --connection acme");
}

#[test]
fn a_redirect_address_that_exact_would_not_take_is_refused() {
    let written = |uri: &str| FULL.replace("\"https://sync.example.com\"", &format!("\"{uri}\""));
    let key = "connection.acme.exactonline.redirect_uri";
    for (uri, expected) in [
        ("http://sync.example.com/back", "is not over TLS, and Exact Online takes https:// only"),
        ("https://localhost/back", "is on this machine, where Exact Online can't reach it"),
        ("https://sync.example.com/back?x=1", "holds credentials, a query or a fragment"),
        ("sync.example.com/back", "is not a web address"),
    ] {
        let told = problems(&written(uri), ALL);
        assert!(told.contains(key) && told.contains(expected), "{told}");
        assert!(told.contains("write it as \"https://sync.example.com/exact/consent\""), "{told}");
    }
    let told = problems(&FULL.replace("127.0.0.1:9003", "9003"), ALL);
    assert!(told.contains("auth.listen = \"9003\": is not an address with a port"), "{told}");
}

#[test]
fn a_service_reads_only_the_secrets_that_it_needs() {
    let folder = folder();
    fs::remove_file(folder.path().join("exact-secret")).unwrap();
    let config = load(folder.path(), FULL, Needs { exactonline: false, ..ALL }).unwrap();
    assert_eq!(config.customcrm().count(), 2);
    assert_eq!(config.exactonline().count(), 0);
}

#[test]
fn only_a_service_that_takes_webhooks_in_reads_their_secret() {
    let folder = folder();
    let side = |config: &Config| {
        let crm = config.customcrm().next().is_some_and(|(_, side)| side.webhooks.is_some());
        let exact = config.exactonline().next().is_some_and(|(_, side)| side.webhooks.is_some());
        (crm, exact)
    };
    fs::remove_file(folder.path().join("webhook-secret")).unwrap();
    let told = load(folder.path(), FULL, ALL).unwrap_err().to_string();
    assert!(told.contains("exactonline.webhooks.secret_file = \"webhook-secret\": cannot be read"), "{told}");
    let of_crm = load(folder.path(), FULL, Needs { exactonline: false, ..ALL }).unwrap();
    assert_eq!((side(&of_crm), of_crm.webhooks_listen.is_some()), ((true, false), true));

    fs::remove_file(folder.path().join("crm-webhook")).unwrap();
    let told = load(folder.path(), FULL, ALL).unwrap_err().to_string();
    assert!(told.contains("customcrm.webhooks.secret_file = \"crm-webhook\": cannot be read"), "{told}");
    let neither = load(folder.path(), FULL, Needs { webhooks: false, ..ALL }).unwrap();
    assert_eq!((side(&neither), neither.webhooks_listen), ((false, false), None));
    assert!(neither.customcrm().next().is_some() && neither.exactonline().next().is_some());
}

/// [`FULL`] with other webhooks of the connection acme.
fn with_webhooks(written: &str) -> String {
    FULL.replace(
        "url = \"https://sync.example.com/exact/acme\"\nsecret_file = \"webhook-secret\"\npoll_seconds = 900",
        written,
    )
}

#[test]
fn what_is_sent_over_otlp_can_be_chosen_and_is_shown() {
    let written = |signals: &str| FULL.replace("[telemetry]", &format!("[telemetry]\nsignals = {signals}"));
    let folder = folder();
    let config = load(folder.path(), &written(r#"["metrics", "logs"]"#), ALL).unwrap();
    let signals = Signals { traces: false, metrics: true, logs: true };
    assert_eq!(config.otlp.as_ref().unwrap().signals, signals);
    let shown = config.to_toml();
    assert!(shown.contains(r#"signals = ["metrics", "logs"]"#), "{shown}");
    let refusal = problems(&written(r#"["traces", "thoughts"]"#), ALL);
    assert!(refusal.contains("telemetry.signals"), "{refusal}");
}

#[test]
fn webhooks_that_cannot_work_are_refused_with_what_to_write_instead() {
    let of = |key: &str| format!("connection.acme.exactonline.webhooks.{key}");
    let remedy = "write it as \"https://sync.example.com/exact/acme\", an address of yours that the whole Internet can reach";
    let secret = "secret_file = \"webhook-secret\"";
    let cases = [
        (
            format!("url = \"http://sync.example.com/exact\"\n{secret}"),
            format!(
                "{} = \"http://sync.example.com/exact\": is not over TLS, and Exact Online posts to https:// only; {remedy}",
                of("url")
            ),
        ),
        (
            format!("url = \"https://localhost:8081/exact\"\n{secret}"),
            format!(
                "{} = \"https://localhost:8081/exact\": is on this machine, where Exact Online can't reach it; {remedy}",
                of("url")
            ),
        ),
        (
            format!("url = \"https://a:hidden@sync.example.com/exact\"\n{secret}"),
            format!("{}: holds credentials, a query or a fragment; {remedy}", of("url")),
        ),
        (
            format!("url = \"sync.example.com\"\n{secret}"),
            format!("{}: is not a web address; {remedy}", of("url")),
        ),
        (
            secret.to_owned(),
            format!("{}: is missing; add url = \"https://sync.example.com/exact/acme\"", of("url")),
        ),
        (
            "url = \"https://sync.example.com/exact\"\nsecret_file = \"empty\"".to_owned(),
            format!("{} = \"empty\": is an empty file; put the secret into empty", of("secret_file")),
        ),
        (
            "url = \"https://sync.example.com/exact\"\nsecret = \"hidden\"".to_owned(),
            format!("{}: is missing; add secret_file = ", of("secret_file")),
        ),
        (
            format!("url = \"https://sync.example.com/exact\"\n{secret}\npoll_seconds = 0"),
            format!("{} = 0: is out of bounds; write seconds from 0.1 to 3600", of("poll_seconds")),
        ),
    ];
    for (written, expected) in cases {
        let told = problems(&with_webhooks(&written), ALL);
        assert!(told.contains(&expected), "{written}\n--- told:\n{told}\n--- expected:\n{expected}");
        assert!(!told.contains("hidden"), "{told}");
    }
}

#[test]
fn webhooks_need_a_place_to_listen_and_a_path_of_their_own() {
    let told = problems(&FULL.replace("[webhooks]\nlisten = \"0.0.0.0:9002\"\n", ""), ALL);
    let expected = "tandem.toml:1: webhooks: is missing, and a connection has webhooks; add a section [webhooks] with listen = \"0.0.0.0:8081\"";
    assert!(told.contains(expected), "{told}");
    let told = problems(&FULL.replace("0.0.0.0:9002", "9002"), ALL);
    assert!(told.contains("webhooks.listen = \"9002\": is not an address with a port"), "{told}");

    let again = "\n[connection.exactonline.webhooks]\nurl = \"https://other.example.com/exact/acme\"\nsecret_file = \"webhook-secret\"\n";
    let told = problems(&format!("{FULL}{again}"), ALL);
    assert!(told.contains("connection.beta.exactonline.webhooks.url = \"https://other.example.com/exact/acme\": has the path of connection.acme.exactonline.webhooks.url; give each connection and system a path of its own"), "{told}");
    let told = problems(&FULL.replace("/crm/acme", "/exact/acme"), ALL);
    assert!(told.contains("connection.acme.exactonline.webhooks.url = \"https://sync.example.com/exact/acme\": has the path of connection.acme.customcrm.webhooks.url; give each"), "{told}");
}

#[test]
fn a_division_and_the_file_of_a_grant_are_of_one_connection() {
    let same = FULL.replace("division = 2", "division = 123456");
    let folder = folder();
    assert!(load(folder.path(), &same, ALL).is_ok(), "it is on another site");
    let told = problems(&same.replace("http://127.0.0.1:5001", "https://start.exactonline.nl/"), ALL);
    assert_eq!(
        told,
        "tandem.toml:68: connection.beta.exactonline.division = 123456: is the division of connection.acme.exactonline.division; give each connection a division of its own"
    );
    let told = problems(&FULL.replace("\"grant-of-beta\"", "\"deploy/../grant\""), ALL);
    assert_eq!(
        told,
        "tandem.toml:71: connection.beta.exactonline.grant_file = \"deploy/../grant\": is the file of connection.acme.exactonline.grant_file, and each refresh token serves once; give each connection a file of its own"
    );
}

#[test]
fn webhooks_of_customcrm_that_cannot_work_are_refused_with_what_to_write_instead() {
    let written = |section: &str| {
        FULL.replace("url = \"https://sync.example.com/crm/acme\"\nsecret_file = \"crm-webhook\"", section)
    };
    let secret = "secret_file = \"crm-webhook\"";
    let cases = [
        (
            format!("url = \"http://sync.example.com/crm\"\n{secret}"),
            "url = \"http://sync.example.com/crm\": would send what is posted in the clear; write https://",
        ),
        (
            format!("url = \"https://a:hidden@sync.example.com/crm\"\n{secret}"),
            "url: holds credentials, a query or a fragment; write it as \"https://sync.example.com/crm/acme\"",
        ),
        (secret.to_owned(), "url: is missing; add url = \"https://sync.example.com/crm/acme\""),
        (
            "url = \"https://sync.example.com/crm\"\nsecret = \"hidden\"".to_owned(),
            "secret_file: is missing; add secret_file = ",
        ),
        (
            format!("url = \"https://sync.example.com/crm\"\n{secret}\npoll_seconds = 300"),
            "poll_seconds: is not a known key; remove it; known here: secret_file, url",
        ),
    ];
    for (section, expected) in cases {
        let told = problems(&written(&section), ALL);
        let expected = format!("connection.acme.customcrm.webhooks.{expected}");
        assert!(told.contains(&expected), "{section}\n--- told:\n{told}\n--- expected:\n{expected}");
        assert!(!told.contains("hidden"), "{told}");
    }
    let folder = folder();
    let here = written(&format!("url = \"http://127.0.0.1:8081/crm/acme\"\n{secret}"));
    assert!(load(folder.path(), &here, ALL).is_ok(), "a CRM on this machine");
}

#[test]
fn an_empty_file_is_enough_for_one_process() {
    let folder = folder();
    let config = load(folder.path(), "", NONE).unwrap();
    assert_eq!(config.namespace, "tandem");
    assert!(matches!(config.broker, BrokerConfig::InProcess));
    let StoreConfig::File { path } = &config.store else { panic!("{:?}", config.store) };
    assert_eq!(*path, folder.path().join("tandem.redb"));
    assert_eq!(config.shutdown_grace, Duration::from_secs(20));
    assert_eq!(config.readings(), [Reading::Practical].into());
}

#[test]
fn the_printed_configuration_holds_no_secret_and_reads_back_the_same() {
    let folder = folder();
    let text = FULL.replace("redis://redis:6379/1", "redis://:hidden-redis@127.0.0.1:6379/1?x=hidden-query");
    let config = load(folder.path(), &text, ALL).unwrap();
    let printed = config.to_toml();
    assert!(!printed.contains("hidden"), "{printed}");
    assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
    assert!(printed.contains("redis://:***@127.0.0.1:6379/1"), "{printed}");
    assert!(printed.contains("reading = \"practical\""), "{printed}");
    assert!(printed.contains("reading = \"literal\""), "{printed}");
    let again = load(folder.path(), &printed, ALL).unwrap();
    let crm = |config: &Config| config.connections[0].customcrm.as_ref().unwrap().webhooks.clone().unwrap();
    assert_eq!(crm(&again).url, crm(&config).url);
    assert_eq!(crm(&again).secret_file, crm(&config).secret_file);
    assert_eq!(again.connections[1].literal, config.connections[1].literal);
    assert_eq!(again.to_toml(), printed);
}

#[test]
fn all_problems_are_told_at_once_with_line_key_value_and_remedy() {
    let text = r#"
namespace = "Tandem!"
pairs = "nowhere"
[health]
listen = "8080"
lisen = "127.0.0.1:1"
[log]
filter = "info,lapin=loud"
format = "xml"
[telemetry]
otlp = "collector"
[broker]
url_file = "absent"
[store]
file = "tandem.redb"
[shutdown]
grace_seconds = 0
[[connection]]
[connection.customcrm]
url = "http://crm.example.com"
token_file = "empty"
poll_seconds = 0.01
calls_per_minute = 0
[[connection]]
name = "Acme"
[connection.exactonline]
url = "https://user:hidden@start.exactonline.nl"
division = "123456"
client_id = ""
client_secret_file = "exact-secret"
grant_file = "no/where/grant"
[[connection]]
name = "zeta"
reading = "Literal"
test = "yes"
[connection.literal]
account = "{0a1b2c3d-0000-4000-8000-000000000001}"
item = 7
acount = ""
[conection]
"#;
    let told = problems(text, ALL);
    assert!(!told.contains("hidden"), "{told}");
    let expected = r#"tandem.toml:2: namespace = "Tandem!": cannot begin the names of queues and keys; use 1 to 32 lower-case letters, digits and hyphens
tandem.toml:3: pairs = "nowhere": nowhere is not a folder; name the folder that holds the pair files
tandem.toml:5: health.listen = "8080": is not an address with a port; write it as "127.0.0.1:8080"
tandem.toml:6: health.lisen: is not a known key; did you mean listen?
tandem.toml:8: log.filter = "info,lapin=loud": cannot be understood; write a level as in "info", or "info,lapin=warn"
tandem.toml:9: log.format = "xml": is not a format; write "json" or "text"
tandem.toml:11: telemetry.otlp: is not the address of an OTLP receiver; write it as "http://127.0.0.1:4318"
tandem.toml:13: broker.url_file = "absent": cannot be read: No such file or directory (os error 2); put the secret into absent, readable for this user
tandem.toml:15: store.file = "tandem.redb": cannot be shared by several processes; give url or url_file of a Redis server, or run everything in one process with `tandem run`
tandem.toml:17: shutdown.grace_seconds = 0: is out of bounds; write seconds from 0.1 to 600
tandem.toml:18: connection[0].name: is missing; add name = "acme", a name of your own for the connection
tandem.toml:18: connection[0].name: has no section for exactonline; add [connection.exactonline] below its [[connection]]
tandem.toml:20: connection[0].customcrm.url = "http://crm.example.com": would send the token in the clear; write https://; http:// is for this machine's own 127.0.0.1 and localhost
tandem.toml:21: connection[0].customcrm.token_file = "empty": is an empty file; put the secret into empty, readable for this user
tandem.toml:22: connection[0].customcrm.poll_seconds = 0.01: is out of bounds; write seconds from 0.1 to 3600
tandem.toml:23: connection[0].customcrm.calls_per_minute = 0: is out of bounds; write a number from 1 to 2147483647
tandem.toml:25: connection[1].name = "Acme": a connection name may not contain 'A'; use lower-case letters, digits and hyphens; write it as "acme" or "acme-2"
tandem.toml:25: connection[1].name = "Acme": has no section for customcrm; add [connection.customcrm] below its [[connection]]
tandem.toml:27: connection[1].exactonline.url: holds credentials, a query or a fragment; write it as "https://start.exactonline.nl"
tandem.toml:28: connection[1].exactonline.division: is of the kind string; write a whole number, without quotes
tandem.toml:29: connection[1].exactonline.client_id = "": is empty; write the id of your app at Exact
tandem.toml:31: connection[1].exactonline.grant_file = "no/where/grant": is in a folder that does not exist; make the folder first
tandem.toml:33: connection.zeta.name = "zeta": has no section for customcrm; add [connection.customcrm] below its [[connection]]
tandem.toml:33: connection.zeta.name = "zeta": has no section for exactonline; add [connection.exactonline] below its [[connection]]
tandem.toml:34: connection.zeta.reading = "Literal": is no reading of the pair files; write "practical" or "literal"
tandem.toml:35: connection.zeta.test: is of the kind string; write true or false, without quotes
tandem.toml:37: connection.zeta.literal.account = "{0a1b2c3d-0000-4000-8000-000000000001}": is no GUID; write the GUID of an account in Exact, as "63824703-0000-0000-0000-000000000000"
tandem.toml:38: connection.zeta.literal.item: is of the kind integer; write a text in quotes
tandem.toml:39: connection.zeta.literal.acount: is not a known key; did you mean account?
tandem.toml:40: conection: is not a known key; did you mean connection?"#;
    assert_eq!(told, expected, "\n--- told:\n{told}\n--- expected:\n{expected}");
}

#[test]
fn a_crm_that_is_declared_may_do_without_a_token_and_have_more_than_one_secret() {
    let folder = folder();
    fs::write(folder.path().join("crm.toml"), "crm = \"Other\"").unwrap();
    let declared = |keys: &str| FULL.replace("token_file = \"crm-token\"\npoll_seconds = 0.5", keys);
    let crm = |keys: &str| {
        let config = load(folder.path(), &declared(keys), ALL).unwrap();
        config.connections[0].customcrm.clone().unwrap()
    };
    let open = crm("declaration = \"crm.toml\"");
    let file = folder.path().join("crm.toml");
    assert_eq!((open.declared(), &open.token_file), (Some((file.as_path(), "crm = \"Other\"")), &None));
    assert_eq!(open.token.expose_secret(), "");
    let text = "declaration = \"crm.toml\"\ntoken_file = \"crm-token\"\nuser = \"tandem\"\nclient_secret_file = \"exact-secret\"";
    let oauth = crm(text);
    assert_eq!((oauth.token.expose_secret(), oauth.user.as_deref()), ("hidden-token", Some("tandem")));
    assert_eq!(oauth.client_secret.unwrap().1.expose_secret(), "hidden-secret");
    let printed = load(folder.path(), &declared(text), ALL).unwrap().to_toml();
    assert!(!printed.contains("hidden"), "{printed}");
    for key in ["declaration = ", "user = \"tandem\"", "client_secret_file = ", "token_file = "] {
        assert!(printed.contains(key), "{key} is missing in\n{printed}");
    }
    let told = problems(&declared("declaration = \"absent.toml\""), ALL);
    assert!(
        told.contains("customcrm.declaration = \"absent.toml\": is no file; name the declaration"),
        "{told}"
    );
    let told = problems(&declared("poll_seconds = 0.5"), ALL);
    assert!(told.contains("customcrm.token_file: is missing"), "{told}");
}

#[test]
fn what_cannot_be_is_refused() {
    let cases = [
        ("x = ", NONE, "tandem.toml:1: "),
        (
            "[log]\nformat = 3",
            NONE,
            "tandem.toml:2: log.format: is of the kind integer; write a text in quotes",
        ),
        ("log = \"info\"", NONE, "tandem.toml:1: log: is of the kind string; write a section [log]"),
        (
            "connection = 1",
            NONE,
            "tandem.toml:1: connection: is of the kind integer; write one section [[connection]] for each",
        ),
        ("", Needs { customcrm: true, ..NONE }, "tandem.toml:1: connection: is missing; add a section"),
        ("", Needs { pairs: true, ..NONE }, "tandem.toml:1: pairs: pairs is not a folder; name the folder"),
        (
            "[store]\nurl = \"redis://h\"\n",
            Needs { servers: Servers::Required, ..NONE },
            "tandem.toml:1: broker: is missing; add a section [broker] with url_file",
        ),
        (
            "[broker]\nurl = \"amqp://a@h\"\n",
            Needs { servers: Servers::Required, ..NONE },
            "tandem.toml:1: store: is missing; add a section [store]",
        ),
        ("[broker]", NONE, "tandem.toml:1: broker.url: is missing; add url_file"),
        ("[store]", NONE, "tandem.toml:1: store.url: is missing; add url or url_file"),
        (
            "[broker]\nurl = \"amqp://a:hidden@rabbit/\"",
            NONE,
            "tandem.toml:2: broker.url: holds a password; put the whole address into a file",
        ),
        (
            "[broker]\nurl = \"amqps://rabbit/\"",
            NONE,
            "tandem.toml:2: broker.url: does not hold an address that begins with amqp://; write it as amqp://host:5672/vhost; TLS to it is not supported",
        ),
        (
            "[broker]\nurl = \"amqp://h/\"\nurl_file = \"amqp\"",
            NONE,
            "tandem.toml:3: broker.url_file = \"amqp\": stands beside url; keep one of them",
        ),
        (
            "[store]\nurl = \"redis://h\"\nfile = \"x\"",
            NONE,
            "tandem.toml:3: store.file = \"x\": stands beside an address; keep one of them",
        ),
        (
            "[store]\nurl_file = \"amqp\"",
            NONE,
            "tandem.toml:2: store.url_file: does not hold an address that begins with redis://",
        ),
        (
            "[store]\nfile = \"no/where\"",
            NONE,
            "tandem.toml:2: store.file = \"no/where\": is in a folder that does not exist",
        ),
        (
            "[[connection]]\nname = \"a\"\n[[connection]]\nname = \"a\"",
            NONE,
            "tandem.toml:4: connection.a.name = \"a\": is the name of another connection; give each its own",
        ),
        (
            "[[connection]]\nname = \"a\"\n[connection.customcrm]\nurl = \"mailto:x\"\ntoken_file = \"t\"",
            NONE,
            "tandem.toml:4: connection.a.customcrm.url: is not a web address; write it as",
        ),
        (
            "[[connection]]\nname = \"a\"\nreading = true",
            NONE,
            "tandem.toml:3: connection.a.reading: is of the kind boolean; write a text in quotes",
        ),
        (
            "[[connection]]\nname = \"a\"\nliteral = \"0a1b2c3d-0000-4000-8000-000000000001\"",
            NONE,
            "tandem.toml:3: connection.a.literal: is of the kind string; write a section [connection.a.literal]",
        ),
        (
            "[[connection]]\nname = \"a\"\nliteral.item = \"00000000-0000-0000-0000-000000000000\"",
            NONE,
            "tandem.toml:3: connection.a.literal.item = \"00000000-0000-0000-0000-000000000000\": is no GUID; write",
        ),
        (
            "[[connection]]\nname = \"a\"\nliteral.item = \"\\u202e0a1b2c3d-0000-4000-8000-00000000001\"",
            NONE,
            "tandem.toml:3: connection.a.literal.item = ",
        ),
        (
            "[shutdown]\ngrace_seconds = nan",
            NONE,
            "tandem.toml:2: shutdown.grace_seconds = nan: is out of bounds",
        ),
    ];
    for (text, needs, expected) in cases {
        let told = problems(text, needs);
        assert!(told.starts_with(expected), "{text}\n--- told:\n{told}\n--- expected:\n{expected}");
        assert!(!told.contains("hidden"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn a_password_for_this_machine_may_stand_in_the_file() {
    let folder = folder();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let text = format!("[broker]\nurl = \"amqp://guest:guest@{host}:5672\"\n");
        let loaded = load(folder.path(), &text, NONE);
        assert!(loaded.is_ok(), "{host}: {loaded:?}");
    }
}
