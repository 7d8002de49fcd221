//! Two simulated systems for the checklist, with people whom both know.

use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use broker::InProcess;
use mapping::Reading;
use model::{ConnectionName, RecordId};
use service::{
    BrokerConfig, Config, ConnectionConfig, CustomCrmConfig, ExactOnlineConfig, LiteralConfig, StoreConfig,
};
use simulator_customcrm::{self as crm, NewUser};
use simulator_exactonline as exact;
use telemetry::{LogFilter, LogFormat};
use tempfile::TempDir;
use url::Url;

use super::ChecklistError;

/// Calls a minute that the simulated systems allow: a checklist is no test of limits.
const CALLS_PER_MINUTE: u32 = 1_000_000;
/// How often the collectors ask for changes.
const POLL: Duration = Duration::from_millis(150);
/// How long a delayed message rests at most: both systems answer at once.
const RESTS_AT_MOST: Duration = Duration::from_millis(500);
/// People who work in both systems.
const PEOPLE: [(&str, &str); 2] =
    [("Sanne Bakker", "sanne@example.com"), ("Omar Visser", "omar@example.com")];

/// Both simulators, and where the services find them.
pub(crate) struct Simulated {
    pub(crate) crm: crm::Running,
    pub(crate) exact: exact::Running,
    /// Holds the file of the grant.
    folder: TempDir,
    reading: Reading,
    literal: LiteralConfig,
}

impl Simulated {
    /// Starts both simulators. In the literal reading there is an account and an item for users' quotations.
    pub(crate) async fn start(reading: Reading) -> Result<Self, ChecklistError> {
        let limits = crm::Limits { calls: CALLS_PER_MINUTE, window: Duration::from_mins(1) };
        let settings = crm::Settings { limits, ..crm::Settings::default() };
        let crm = crm::Simulator::start(settings).await.map_err(ChecklistError::simulator)?;
        let humans = PEOPLE.iter().map(|(name, email)| exact::Person::new(*name, *email)).collect();
        let limits = exact::Limits {
            per_minute: CALLS_PER_MINUTE,
            per_day: CALLS_PER_MINUTE,
            errors_per_hour: CALLS_PER_MINUTE,
            ..exact::Limits::default()
        };
        let settings = exact::Settings { humans, limits, ..exact::Settings::default() };
        let exact = exact::Simulator::start(settings).await.map_err(ChecklistError::simulator)?;
        for (name, email) in PEOPLE {
            let user = NewUser {
                full_name: Some(name.to_owned()),
                email: Some(email.to_owned()),
                ..NewUser::default()
            };
            crm.control.create_token(user).map_err(ChecklistError::simulator)?;
        }
        let folder = tempfile::tempdir().map_err(ChecklistError::Runtime)?;
        let mut simulated = Self { crm, exact, folder, reading, literal: LiteralConfig::default() };
        if reading == Reading::Literal {
            let account = r#"{"Name":"Quotations of our own","Status":"C"}"#;
            let item = r#"{"Code":"OWN","Description":"A user's own quotation","IsSalesItem":true}"#;
            simulated.literal = LiteralConfig {
                account: Some(simulated.made("crm/Accounts", account)?),
                item: Some(simulated.made("logistics/Items", item)?),
            };
        }
        Ok(simulated)
    }

    fn made(&self, path: &str, body: &str) -> Result<RecordId, ChecklistError> {
        let id = self
            .exact
            .control()
            .create(path, body, self.exact.human_id)
            .map_err(ChecklistError::simulator)?;
        RecordId::parse(&id.to_string()).map_err(ChecklistError::simulator)
    }

    /// The connection that joins the two.
    fn connection() -> ConnectionName {
        ConnectionName::parse("checklist").expect("the literal is a name")
    }

    /// What the services talk through.
    pub(crate) fn broker() -> InProcess {
        InProcess::resting_at_most(RESTS_AT_MOST)
    }

    /// What the services need to keep the two in agreement.
    pub(crate) fn config(&self, log_filter: LogFilter) -> Result<Config, ChecklistError> {
        let grant_file = self.folder.path().join("grant.json");
        let grant = serde_json::json!({ "refresh_token": self.exact.refresh_token }).to_string();
        std::fs::write(&grant_file, grant).map_err(ChecklistError::Runtime)?;
        let calls = NonZeroU32::new(CALLS_PER_MINUTE).expect("the limit is not zero");
        let address = |text: &str| {
            Url::parse(text).map_err(|_| ChecklistError::Runtime(io::ErrorKind::InvalidData.into()))
        };
        Ok(Config {
            namespace: "tandem".to_owned(),
            pairs: PathBuf::new(),
            health_listen: ([127, 0, 0, 1], 0).into(),
            webhooks_listen: None,
            auth_listen: None,
            log_filter,
            log_format: LogFormat::Text,
            otlp: None,
            broker: BrokerConfig::InProcess,
            store: StoreConfig::File { path: PathBuf::new() },
            shutdown_grace: Duration::from_secs(5),
            connections: vec![ConnectionConfig {
                name: Self::connection(),
                file: None,
                reading: self.reading,
                is_test: true,
                literal: self.literal.clone(),
                customcrm: Some(CustomCrmConfig {
                    url: address(&self.crm.base_url)?,
                    token: self.crm.api_token.clone().into(),
                    token_file: None,
                    declaration: None,
                    user: None,
                    client_secret: None,
                    poll_interval: POLL,
                    webhooks: None,
                    calls_per_minute: calls,
                }),
                exactonline: Some(ExactOnlineConfig {
                    url: address(&self.exact.base_url)?,
                    division: u32::try_from(self.exact.division)
                        .ok()
                        .and_then(NonZeroU32::new)
                        .expect("the simulator's division is above zero"),
                    client_id: self.exact.client_id.clone(),
                    client_secret: self.exact.client_secret.clone().into(),
                    client_secret_file: PathBuf::new(),
                    grant_file,
                    redirect_uri: None,
                    consent_command: format!("tandem auth exactonline --connection {}", Self::connection()),
                    poll_interval: POLL,
                    webhooks: None,
                    calls_per_minute: calls,
                    calls_per_day: calls,
                }),
            }],
        })
    }
}

impl ChecklistError {
    fn simulator(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Simulator(Box::new(error))
    }
}
