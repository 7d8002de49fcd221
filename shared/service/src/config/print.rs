//! The effective configuration, without its secrets.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use store::{Address, Login};
use telemetry::{LogFormat, Signals};
use toml::{Table, Value};
use url::Url;

use super::{
    BrokerConfig, CallbackConfig, Config, ConnectionConfig, CustomCrmConfig, ExactOnlineConfig, RedisConfig,
    StoreConfig,
};

/// The configuration as a file that could be written so.
pub(super) fn toml(config: &Config) -> String {
    let format = match config.log_format {
        LogFormat::Json => "json",
        LogFormat::Text => "text",
    };
    let mut root = table([
        ("namespace", text(&config.namespace)),
        ("pairs", path(&config.pairs)),
        ("health", section([("listen", text(&config.health_listen.to_string()))])),
        ("log", section([("filter", text(config.log_filter.as_str())), ("format", text(format))])),
        ("shutdown", section([("grace_seconds", config.shutdown_grace.as_secs_f64().into())])),
    ]);
    if let Some(listen) = &config.webhooks_listen {
        root.insert("webhooks".to_owned(), section([("listen", text(&listen.to_string()))]));
    }
    if let Some(listen) = &config.auth_listen {
        root.insert("auth".to_owned(), section([("listen", text(&listen.to_string()))]));
    }
    if let Some(otlp) = &config.otlp {
        let Signals { traces, metrics, logs } = otlp.signals;
        let named = [("traces", traces), ("metrics", metrics), ("logs", logs)];
        let sent = named.into_iter().filter(|(_, is_sent)| *is_sent);
        let signals = Value::Array(sent.map(|(name, _)| text(name)).collect());
        let told = section([("otlp", text(otlp.url.as_str())), ("signals", signals)]);
        root.insert("telemetry".to_owned(), told);
    }
    if let BrokerConfig::RabbitMq { url, url_file } = &config.broker {
        root.insert("broker".to_owned(), server(url, url_file.as_deref()));
    }
    let store = match &config.store {
        StoreConfig::Redis(redis) => self::redis(redis),
        StoreConfig::File { path: file } => section([("file", path(file))]),
    };
    root.insert("store".to_owned(), store);
    if !config.connections.is_empty() {
        let connections = config.connections.iter().map(connection).collect();
        root.insert("connection".to_owned(), Value::Array(connections));
    }
    root.to_string()
}

fn redis(redis: &RedisConfig) -> Value {
    let addresses = |addresses: &[Address]| {
        Value::Array(addresses.iter().map(|address| text(&address.to_string())).collect())
    };
    let login = |user_key: &str, login: &Login, password_key: &str, file: &Option<PathBuf>| {
        let user = login.user.as_ref().map(|user| (user_key.to_owned(), text(user)));
        let file = file.as_ref().map(|file| (password_key.to_owned(), path(file)));
        user.into_iter().chain(file)
    };
    match redis {
        RedisConfig::Server { url, url_file } => server(url, url_file.as_deref()),
        RedisConfig::Sentinels { servers, password_file, sentinel_password_file } => {
            let mut keys = table([
                ("sentinels", addresses(&servers.sentinels)),
                ("master", text(&servers.master)),
                ("database", servers.database.into()),
            ]);
            keys.extend(login("user", &servers.login, "password_file", password_file));
            let sentinel = &servers.sentinel_login;
            keys.extend(login("sentinel_user", sentinel, "sentinel_password_file", sentinel_password_file));
            Value::Table(keys)
        }
        RedisConfig::Cluster { servers, password_file } => {
            let mut keys = table([("cluster", addresses(&servers.nodes))]);
            keys.extend(login("user", &servers.login, "password_file", password_file));
            Value::Table(keys)
        }
    }
}

fn connection(connection: &ConnectionConfig) -> Value {
    let mut sides =
        table([("name", text(connection.name.as_str())), ("reading", text(connection.reading.name()))]);
    if connection.is_test {
        sides.insert("test".to_owned(), Value::Boolean(true));
    }
    let given = [("account", &connection.literal.account), ("item", &connection.literal.item)];
    let literal: Table = given
        .into_iter()
        .filter_map(|(key, record)| Some((key.to_owned(), text(record.as_ref()?.as_str()))))
        .collect();
    if !literal.is_empty() {
        sides.insert("literal".to_owned(), Value::Table(literal));
    }
    if let Some(side) = &connection.customcrm {
        sides.insert("customcrm".to_owned(), customcrm(side));
    }
    if let Some(side) = &connection.exactonline {
        sides.insert("exactonline".to_owned(), exactonline(side));
    }
    Value::Table(sides)
}

fn customcrm(side: &CustomCrmConfig) -> Value {
    let mut keys = table([
        ("url", text(side.url.as_str())),
        ("poll_seconds", side.poll_interval.as_secs_f64().into()),
        ("calls_per_minute", side.calls_per_minute.get().into()),
    ]);
    let files = [
        ("declaration", side.declaration.as_ref().map(|declaration| &declaration.path)),
        ("token_file", side.token_file.as_ref()),
        ("client_secret_file", side.client_secret.as_ref().map(|(file, _)| file)),
    ];
    let named = files.into_iter().filter_map(|(key, file)| Some((key.to_owned(), path(file?))));
    keys.extend(named);
    if let Some(user) = &side.user {
        keys.insert("user".to_owned(), text(user));
    }
    if let Some(webhooks) = &side.webhooks {
        keys.insert("webhooks".to_owned(), Value::Table(callback(webhooks)));
    }
    Value::Table(keys)
}

fn exactonline(side: &ExactOnlineConfig) -> Value {
    let mut keys = table([
        ("url", text(side.url.as_str())),
        ("division", side.division.get().into()),
        ("client_id", text(&side.client_id)),
        ("client_secret_file", path(&side.client_secret_file)),
        ("grant_file", path(&side.grant_file)),
        ("poll_seconds", side.poll_interval.as_secs_f64().into()),
        ("calls_per_minute", side.calls_per_minute.get().into()),
        ("calls_per_day", side.calls_per_day.get().into()),
    ]);
    if let Some(redirect_uri) = &side.redirect_uri {
        keys.insert("redirect_uri".to_owned(), text(redirect_uri));
    }
    if let Some(webhooks) = &side.webhooks {
        let mut hooked = callback(&webhooks.callback);
        hooked.insert("poll_seconds".to_owned(), webhooks.poll_interval.as_secs_f64().into());
        keys.insert("webhooks".to_owned(), Value::Table(hooked));
    }
    Value::Table(keys)
}

fn callback(callback: &CallbackConfig) -> Table {
    table([("url", text(callback.url.as_str())), ("secret_file", path(&callback.secret_file))])
}

fn server(url: &SecretString, file: Option<&Path>) -> Value {
    match file {
        Some(file) => section([("url_file", path(file))]),
        None => section([("url", text(&masked(url)))]),
    }
}

/// The address with its password masked, and without a query, which may hold anything.
fn masked(url: &SecretString) -> String {
    let Ok(mut url) = Url::parse(url.expose_secret()) else { return "***".to_owned() };
    url.set_query(None);
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "***".to_owned();
    }
    url.into()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn path(path: &Path) -> Value {
    Value::String(path.display().to_string())
}

fn section<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(table(entries))
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
