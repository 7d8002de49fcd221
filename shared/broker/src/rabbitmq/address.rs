use lapin::tcp::OwnedTLSConfig;
use lapin::uri::{AMQPScheme, AMQPUri};
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::BrokerError;

/// A dead connection is noticed within two heartbeats.
const HEARTBEAT_SECONDS: u16 = 10;

/// Where the broker is and how to sign in there. It has no `Debug`, because it holds the password.
pub(super) struct Address {
    uri: AMQPUri,
    name: String,
    tls: OwnedTLSConfig,
    at: String,
}

impl Address {
    /// Reads an address. The reason in an error never holds the text itself.
    pub(super) fn parse(url: &SecretString, name: &str, tls: OwnedTLSConfig) -> Result<Self, BrokerError> {
        let refused = |reason: String| BrokerError::Address { reason };
        let url = Url::parse(url.expose_secret()).map_err(|error| refused(error.to_string()))?;
        if !matches!(url.scheme(), "amqp" | "amqps") {
            return Err(refused("it does not begin with amqp:// or amqps://".to_owned()));
        }
        let Some(host) = url.host().filter(|host| *host != Host::Domain("")) else {
            return Err(refused("it has no host".to_owned()));
        };
        let mut uri: AMQPUri = url.as_str().parse().map_err(|_| {
            refused("an escaped character or a parameter after the question mark is malformed".to_owned())
        })?;
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "tls") {
            return Err(BrokerError::NoTls);
        }
        if let Host::Ipv6(host) = host {
            // The client library would take such a host for "localhost".
            uri.authority.host = host.to_string();
        }
        if uri.vhost.is_empty() {
            uri.vhost.push('/');
        }
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        let at = format!("{host}:{}", uri.authority.port);
        Ok(Self { uri, name: name.to_owned(), tls, at })
    }

    /// Host and port, for people.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    pub(super) fn uri(&self) -> AMQPUri {
        self.uri.clone()
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn tls(&self) -> OwnedTLSConfig {
        self.tls.clone()
    }
}

#[cfg(test)]
mod tests;
