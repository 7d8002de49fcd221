//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::limits::Limits;
use crate::schema::Schema;
use crate::webhooks::Webhook;

/// What a simulator is started with. The default listens on free ports of 127.0.0.1 and makes new tokens.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where the control API listens; whoever reaches it may do everything.
    pub control: SocketAddr,
    /// The token of the API user; a new one if nothing.
    pub api_token: Option<String>,
    /// The token of the person; a new one if nothing.
    pub human_token: Option<String>,
    /// How many calls a user may make.
    pub limits: Limits,
    /// Collections besides those of the default schema.
    pub schemas: Vec<&'static Schema>,
    /// Who is told of changes.
    pub webhooks: Vec<Webhook>,
    /// How long to wait before each further attempt when a notification is not answered with a 2xx.
    pub webhook_retries: Vec<Duration>,
}

impl Default for Settings {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: any_port,
            control: any_port,
            api_token: None,
            human_token: None,
            limits: Limits::default(),
            schemas: Vec::new(),
            webhooks: Vec::new(),
            webhook_retries: [1, 5, 30].map(Duration::from_secs).into(),
        }
    }
}
