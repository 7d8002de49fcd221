//! What is different between two configurations.

use std::collections::{BTreeMap, BTreeSet};

use model::ConnectionName;
use secrecy::{ExposeSecret, SecretString};
use store::{ClusterServers, Login, SentinelServers};

use super::{
    BrokerConfig, CallbackConfig, Config, ConnectionConfig, CustomCrmConfig, ExactOnlineConfig, RedisConfig,
    StoreConfig, WebhooksConfig,
};

/// The connections that are others in one configuration than in another one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    /// Those that were not there.
    pub(crate) added: BTreeSet<ConnectionName>,
    /// Those that are not there any more.
    pub(crate) removed: BTreeSet<ConnectionName>,
    /// Those of which anything is otherwise, be it the content of a file that they name.
    pub(crate) changed: BTreeSet<ConnectionName>,
}

impl Config {
    /// This configuration with the connections of `new`, and the keys whose new values wait for a restart.
    pub(crate) fn with_connections_of(&self, new: Self) -> (Self, Vec<&'static str>) {
        let listens_elsewhere = match (self.webhooks_listen, new.webhooks_listen) {
            (Some(before), Some(after)) => before != after,
            // The port opens with the first connection that has webhooks, and stays open after the last one.
            (None, _) | (_, None) => false,
        };
        let differences = [
            ("namespace", self.namespace != new.namespace),
            ("pairs", self.pairs != new.pairs),
            ("health.listen", self.health_listen != new.health_listen),
            ("webhooks.listen", listens_elsewhere),
            ("log.filter", self.log_filter != new.log_filter),
            ("log.format", self.log_format != new.log_format),
            ("telemetry", self.otlp != new.otlp),
            ("broker", !is_same_broker(&self.broker, &new.broker)),
            ("store", !is_same_store(&self.store, &new.store)),
            ("shutdown.grace_seconds", self.shutdown_grace != new.shutdown_grace),
        ];
        let waiting = differences.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect();
        let config = Self {
            connections: new.connections,
            webhooks_listen: self.webhooks_listen.or(new.webhooks_listen),
            // Only `tandem auth` listens there.
            auth_listen: new.auth_listen,
            ..self.without_connections()
        };
        (config, waiting)
    }

    /// What is different in the connections of `new`.
    pub(crate) fn changes(&self, new: &Self) -> Changes {
        let before = self.by_name();
        let after = new.by_name();
        let names = |these: &BTreeMap<&ConnectionName, &ConnectionConfig>,
                     is_so: &dyn Fn(&ConnectionName) -> bool| {
            these.keys().filter(|name| is_so(name)).map(|name| (*name).clone()).collect()
        };
        Changes {
            added: names(&after, &|name| !before.contains_key(name)),
            removed: names(&before, &|name| !after.contains_key(name)),
            changed: names(&after, &|name| {
                before.get(name).is_some_and(|before| !before.is_same(after[name]))
            }),
        }
    }

    fn by_name(&self) -> BTreeMap<&ConnectionName, &ConnectionConfig> {
        self.connections.iter().map(|connection| (&connection.name, connection)).collect()
    }

    /// Everything else that it says.
    pub(crate) fn without_connections(&self) -> Self {
        Self {
            namespace: self.namespace.clone(),
            pairs: self.pairs.clone(),
            health_listen: self.health_listen,
            webhooks_listen: self.webhooks_listen,
            auth_listen: self.auth_listen,
            log_filter: self.log_filter.clone(),
            log_format: self.log_format,
            otlp: self.otlp.clone(),
            broker: self.broker.clone(),
            store: self.store.clone(),
            shutdown_grace: self.shutdown_grace,
            connections: Vec::new(),
        }
    }
}

fn is_same_broker(one: &BrokerConfig, other: &BrokerConfig) -> bool {
    match (one, other) {
        (BrokerConfig::RabbitMq { url: one, .. }, BrokerConfig::RabbitMq { url: other, .. }) => {
            is_same_secret(one, other)
        }
        (BrokerConfig::InProcess, BrokerConfig::InProcess) => true,
        (BrokerConfig::RabbitMq { .. } | BrokerConfig::InProcess, _) => false,
    }
}

fn is_same_store(one: &StoreConfig, other: &StoreConfig) -> bool {
    match (one, other) {
        (StoreConfig::Redis(one), StoreConfig::Redis(other)) => is_same_redis(one, other),
        (StoreConfig::File { path: one }, StoreConfig::File { path: other }) => one == other,
        (StoreConfig::Redis(_) | StoreConfig::File { .. }, _) => false,
    }
}

fn is_same_redis(one: &RedisConfig, other: &RedisConfig) -> bool {
    match (one, other) {
        (RedisConfig::Server { url: one, .. }, RedisConfig::Server { url: other, .. }) => {
            is_same_secret(one, other)
        }
        (RedisConfig::Sentinels { servers: one, .. }, RedisConfig::Sentinels { servers: other, .. }) => {
            let SentinelServers { sentinels, sentinel_login, master, login, database } = one;
            *sentinels == other.sentinels
                && is_same_login(sentinel_login, &other.sentinel_login)
                && *master == other.master
                && is_same_login(login, &other.login)
                && *database == other.database
        }
        (RedisConfig::Cluster { servers: one, .. }, RedisConfig::Cluster { servers: other, .. }) => {
            let ClusterServers { nodes, login } = one;
            *nodes == other.nodes && is_same_login(login, &other.login)
        }
        (RedisConfig::Server { .. } | RedisConfig::Sentinels { .. } | RedisConfig::Cluster { .. }, _) => {
            false
        }
    }
}

fn is_same_login(one: &Login, other: &Login) -> bool {
    let Login { user, password } = one;
    *user == other.user && are_same(password.as_ref(), other.password.as_ref(), is_same_secret)
}

fn is_same_secret(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

fn are_same<T>(one: Option<&T>, other: Option<&T>, is_same: impl Fn(&T, &T) -> bool) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => is_same(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

// Each takes its configuration apart, so that whoever adds a key is asked whether it makes a difference.

impl ConnectionConfig {
    /// Whether all that is done for the connection is the same. Where it is written does not matter.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let Self { name, file: _, reading, is_test, literal, customcrm, exactonline } = self;
        *name == other.name
            && *reading == other.reading
            && *is_test == other.is_test
            && *literal == other.literal
            && are_same(customcrm.as_ref(), other.customcrm.as_ref(), CustomCrmConfig::is_same)
            && are_same(exactonline.as_ref(), other.exactonline.as_ref(), ExactOnlineConfig::is_same)
    }
}

impl CustomCrmConfig {
    fn is_same(&self, other: &Self) -> bool {
        let Self {
            url,
            declaration,
            token,
            token_file: _,
            user,
            client_secret,
            poll_interval,
            webhooks,
            calls_per_minute,
        } = self;
        *url == other.url
            && *declaration == other.declaration
            && is_same_secret(token, &other.token)
            && *user == other.user
            && are_same(client_secret.as_ref(), other.client_secret.as_ref(), |(_, one), (_, other)| {
                is_same_secret(one, other)
            })
            && *poll_interval == other.poll_interval
            && are_same(webhooks.as_ref(), other.webhooks.as_ref(), CallbackConfig::is_same)
            && *calls_per_minute == other.calls_per_minute
    }
}

impl CallbackConfig {
    fn is_same(&self, other: &Self) -> bool {
        let Self { url, secret, secret_file: _ } = self;
        *url == other.url && is_same_secret(secret, &other.secret)
    }
}

impl ExactOnlineConfig {
    /// What is in the file of the grant changes by itself, and is no difference.
    fn is_same(&self, other: &Self) -> bool {
        let Self {
            url,
            division,
            client_id,
            client_secret,
            client_secret_file: _,
            grant_file,
            redirect_uri: _,
            consent_command,
            poll_interval,
            webhooks,
            calls_per_minute,
            calls_per_day,
        } = self;
        *url == other.url
            && *division == other.division
            && *client_id == other.client_id
            && is_same_secret(client_secret, &other.client_secret)
            && *grant_file == other.grant_file
            && *consent_command == other.consent_command
            && *poll_interval == other.poll_interval
            && are_same(webhooks.as_ref(), other.webhooks.as_ref(), WebhooksConfig::is_same)
            && *calls_per_minute == other.calls_per_minute
            && *calls_per_day == other.calls_per_day
    }
}

impl WebhooksConfig {
    fn is_same(&self, other: &Self) -> bool {
        let Self { callback, poll_interval } = self;
        callback.is_same(&other.callback) && *poll_interval == other.poll_interval
    }
}
