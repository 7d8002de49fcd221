//! Which servers there are, and how to log in to them.

use std::fmt;
use std::str::FromStr;

use ::redis::{Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisResult};
use secrecy::{ExposeSecret, SecretString};

/// Host and port of a server, written `host:port`; a host that is an IPv6 address stands in square brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// That a text is no [`Address`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a host and a port; write it as host:6379")]
pub struct NoAddress;

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(NoAddress)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_host = match bare {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(is_name),
        };
        match port.parse() {
            Ok(port) if is_host && port != 0 => Ok(Self { host: host.to_owned(), port }),
            _ => Err(NoAddress),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// How to log in. With neither, as whoever may without a password.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// The user. `None`: the server's default user.
    pub user: Option<String>,
    /// Their password.
    pub password: Option<SecretString>,
}

/// Servers of which Sentinels know which one is the master.
#[derive(Debug, Clone)]
pub struct SentinelServers {
    /// The Sentinels.
    pub sentinels: Vec<Address>,
    /// How to log in to the Sentinels.
    pub sentinel_login: Login,
    /// The name by which they know the master.
    pub master: String,
    /// How to log in to the servers.
    pub login: Login,
    /// The number of the database.
    pub database: u32,
}

/// A Redis Cluster.
#[derive(Debug, Clone)]
pub struct ClusterServers {
    /// Some of its nodes: they tell of the others.
    pub nodes: Vec<Address>,
    /// How to log in to any node.
    pub login: Login,
}

/// What to connect to at this address. Nothing is sent.
pub(super) fn client(address: &Address, login: &Login, database: u32) -> RedisResult<Client> {
    let mut settings = RedisConnectionInfo::default().set_db(database.into());
    if let Some(user) = &login.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &login.password {
        settings = settings.set_password(password.expose_secret());
    }
    let address = ConnectionAddr::Tcp(address.host.clone(), address.port);
    Client::open(address.into_connection_info()?.set_redis_settings(settings))
}
