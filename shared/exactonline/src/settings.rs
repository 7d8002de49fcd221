//! How to reach a division of Exact Online.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use model::ConnectionName;
use secrecy::SecretString;
use url::Url;

/// Where the time comes from: the system, or a test.
pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How to reach a division of Exact Online, and as whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the country's site, such as `https://start.exactonline.nl`.
    pub url: Url,
    /// The number of the division: the company within Exact Online.
    pub division: u32,
    /// The connection that the division belongs to.
    pub connection: ConnectionName,
    /// What the keys in the store begin with.
    pub namespace: String,
    /// The app's OAuth client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The second place of the grant, on a disk that outlives the process: a JSON file with `refresh_token`, and
    /// `access_token`, `obtained_at` and `expires_in` where they are known. It is written by a consent and by each
    /// refresh.
    pub grant_file: PathBuf,
    /// The command by which a person gives the app consent, for messages.
    pub consent_command: String,
    /// What may be used.
    pub limits: Limits,
    /// The longest that a call waits by itself for its turn; beyond, it fails as throttled.
    pub wait_max: Duration,
    /// The longest time to connect.
    pub connect_timeout: Duration,
    /// The longest time for a whole call, its answer included.
    pub timeout: Duration,
    /// How many row versions before the highest one seen the next incremental read starts.
    pub overlap: u64,
    /// The largest answer that is read, in bytes.
    pub body_bytes_max: usize,
}

/// What may be used of an app's limits in one division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls in a clock minute; 60 in Exact's usual contract.
    pub per_minute: u32,
    /// Calls in a day (UTC); 5,000 in Exact's usual contract.
    pub per_day: u32,
    /// Errors (400, 401, 403, 404) of one endpoint within an hour, after which it rests. Exact blocks at the tenth;
    /// the distance is for calls that are under way at once.
    pub errors_per_hour: usize,
    /// Calls of the token endpoint in a day; Exact allows 200, some of which a person needs for a new consent. A day of
    /// refreshes takes 144.
    pub token_calls_per_day: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_minute: 60, per_day: 5_000, errors_per_hour: 8, token_calls_per_day: 190 }
    }
}

impl Settings {
    /// Settings with the usual limits: Exact's own, calls wait up to 2 s for their turn, 5 s to connect, 30 s a call,
    /// answers up to 32 MiB. The command for a consent names no configuration.
    pub fn new(
        url: Url,
        division: u32,
        connection: ConnectionName,
        namespace: &str,
        client: (&str, SecretString),
        grant_file: PathBuf,
    ) -> Self {
        let (client_id, client_secret) = client;
        let consent_command = format!("tandem auth exactonline --connection {connection}");
        Self {
            url,
            division,
            connection,
            namespace: namespace.to_owned(),
            client_id: client_id.to_owned(),
            client_secret,
            grant_file,
            consent_command,
            limits: Limits::default(),
            wait_max: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            overlap: 200,
            body_bytes_max: 32 * 1024 * 1024,
        }
    }
}
