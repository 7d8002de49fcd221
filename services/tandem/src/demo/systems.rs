//! The two simulated systems: filled from the book, edited by its people, looked at from inside.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mapping::Reading;
use model::{ConnectionName, Content, Properties, RecordId, System, SystemPair, UserId};
use reqwest::{Client, Method, Response};
use serde_json::value::RawValue;
use service::{
    BrokerConfig, Config, ConnectionConfig, CustomCrmConfig, ExactOnlineConfig, LiteralConfig, StoreConfig,
};
use simulator_customcrm::{self as crm, NewUser};
use simulator_exactonline as exact;
use telemetry::{LogFilter, LogFormat};
use url::Url;

use super::DemoError;
use super::data::{Book, DataProblem, Entry, file_of};

/// Calls a minute that the demo's systems allow each user. Exact Online's own limit is 60: with it, the first load
/// alone would take minutes.
pub(crate) const CALLS_PER_MINUTE: u32 = 1_200;
/// Calls a day that its Exact allows.
const CALLS_PER_DAY: u32 = 1_000_000;
/// How often the collectors ask for changes.
const POLL: Duration = Duration::from_millis(300);
/// The connection's name.
const CONNECTION: &str = "demo";

/// Both simulators with their people.
pub(crate) struct Systems {
    crm: crm::Running,
    exact: exact::Running,
    people: SystemPair<Vec<Employee>>,
    http: Client,
}

/// A user who can edit.
#[derive(Debug, Clone)]
pub(crate) struct Employee {
    /// Their id in the system.
    pub(crate) id: UserId,
    /// First and last name.
    pub(crate) full_name: String,
    /// In lower case.
    pub(crate) email: String,
    token: String,
}

impl Systems {
    /// Starts both simulators and fills them. A record that its system refuses is a problem of the book, at its line.
    pub(crate) async fn start(book: &Book) -> Result<Self, DemoError> {
        let crm_limits = crm::Limits { calls: CALLS_PER_MINUTE, window: Duration::from_mins(1) };
        let crm = crm::Simulator::start(crm::Settings { limits: crm_limits, ..crm::Settings::default() })
            .await
            .map_err(DemoError::simulator)?;
        let humans: Vec<exact::Person> = book.people[System::ExactOnline]
            .iter()
            .map(|person| exact::Person::new(&person.full_name, &person.email))
            .collect();
        let exact_limits = exact::Limits {
            per_minute: CALLS_PER_MINUTE,
            per_day: CALLS_PER_DAY,
            ..exact::Limits::default()
        };
        let settings =
            exact::Settings { humans: humans.clone(), limits: exact_limits, ..exact::Settings::default() };
        let exact = exact::Simulator::start(settings).await.map_err(DemoError::simulator)?;
        let people =
            SystemPair { customcrm: crm_people(&crm, book)?, exactonline: exact_people(&exact, humans)? };
        let http = Client::builder().no_proxy().build().map_err(DemoError::Human)?;
        let systems = Self { crm, exact, people, http };
        let mut problems = systems.fill(System::CustomCrm, &book.records.customcrm);
        problems.extend(systems.fill(System::ExactOnline, &book.records.exactonline));
        if problems.is_empty() { Ok(systems) } else { Err(DemoError::Data(problems)) }
    }

    /// The people who can edit in a system.
    pub(crate) fn people(&self, system: System) -> &[Employee] {
        &self.people[system]
    }

    /// Which connection the configuration names.
    pub(crate) fn connection() -> ConnectionName {
        ConnectionName::parse(CONNECTION).expect("the literal is a name")
    }

    /// What the services need to keep the two in agreement; the grant is put into `folder`.
    pub(crate) fn config(&self, folder: &Path, log: LogFilter) -> Result<Config, DemoError> {
        let grant_file = folder.join("grant.json");
        let grant = serde_json::json!({ "refresh_token": self.exact.refresh_token }).to_string();
        std::fs::write(&grant_file, grant).map_err(DemoError::Folder)?;
        let limit = |calls| NonZeroU32::new(calls).expect("the limits are not zero");
        let (calls_per_minute, calls_per_day) = (limit(CALLS_PER_MINUTE), limit(CALLS_PER_DAY));
        let address =
            |text: &str| Url::parse(text).map_err(|_| DemoError::Folder(io::ErrorKind::InvalidData.into()));
        Ok(Config {
            namespace: "tandem".to_owned(),
            pairs: PathBuf::new(),
            health_listen: ([127, 0, 0, 1], 0).into(),
            webhooks_listen: None,
            auth_listen: None,
            log_filter: log,
            log_format: LogFormat::Text,
            otlp: None,
            broker: BrokerConfig::InProcess,
            store: StoreConfig::File { path: PathBuf::new() },
            shutdown_grace: Duration::from_secs(5),
            connections: vec![ConnectionConfig {
                name: Self::connection(),
                file: None,
                reading: Reading::default(),
                is_test: true,
                literal: LiteralConfig::default(),
                customcrm: Some(CustomCrmConfig {
                    url: address(&self.crm.base_url)?,
                    token: self.crm.api_token.clone().into(),
                    token_file: None,
                    declaration: None,
                    user: None,
                    client_secret: None,
                    poll_interval: POLL,
                    webhooks: None,
                    calls_per_minute,
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
                    consent_command: format!("tandem auth exactonline --connection {CONNECTION}"),
                    poll_interval: POLL,
                    webhooks: None,
                    calls_per_minute,
                    calls_per_day,
                }),
            }],
        })
    }

    /// All live records of a system, as they are now.
    pub(crate) fn records(&self, system: System) -> Result<BTreeMap<RecordId, Properties>, DemoError> {
        let unreadable = || DemoError::Unreadable { system };
        let read = |json: &str, key: &str| {
            let properties = contract::json::read_properties(json).ok()?;
            let id = RecordId::parse(properties.get(key)?.as_text()?).ok()?;
            Some((id, properties))
        };
        match system {
            System::CustomCrm => {
                let records = self.crm.control.records("customers").map_err(DemoError::simulator)?;
                records.iter().map(|json| read(json, "Id").ok_or_else(unreadable)).collect()
            }
            System::ExactOnline => {
                let list = self.exact.control().snapshot();
                let records: Vec<&RawValue> = serde_json::from_str(&list).map_err(|_| unreadable())?;
                records.iter().map(|json| read(json.get(), "ID").ok_or_else(unreadable)).collect()
            }
        }
    }

    /// Whether our own user was the last to change the record.
    pub(crate) fn is_ours(&self, system: System, properties: &Properties) -> bool {
        let (modifier, ourselves) = match system {
            System::CustomCrm => ("ModifiedBy", self.crm.api_user_id.clone()),
            System::ExactOnline => ("Modifier", self.exact.api_user_id.to_string()),
        };
        properties.get(modifier).and_then(Content::as_text) == Some(ourselves.as_str())
    }

    /// Creates that our own user made, and all writes of our own user: counted from what the systems were asked.
    pub(crate) fn written(&self, system: System) -> (u64, u64) {
        let (mut created, mut written) = (0, 0);
        let mut count = |method: &str, path: &str, status: u16, by_us: bool| {
            let is_record = path.to_lowercase().contains(match system {
                System::CustomCrm => "/customers",
                System::ExactOnline => "/crm/accounts",
            });
            if by_us && is_record && method != "GET" && (200..300).contains(&status) {
                written += 1;
                created += u64::from(method == "POST");
            }
        };
        match system {
            System::CustomCrm => {
                for call in self.crm.control.log() {
                    let by_us = call.user_id.as_ref() == Some(&self.crm.api_user_id);
                    count(&call.method, &call.path, call.status, by_us);
                }
            }
            System::ExactOnline => {
                for call in self.exact.control().log() {
                    let by_us = call.user == Some(self.exact.api_user_id);
                    count(&call.method, &call.path, call.status, by_us);
                }
            }
        }
        (created, written)
    }

    /// Lets a person change a record by hand. Returns once the system has answered.
    pub(crate) async fn change(
        &self,
        system: System,
        author: &Employee,
        record: &RecordId,
        properties: &Properties,
    ) -> Result<(), DemoError> {
        let (method, url) = match system {
            System::CustomCrm => (Method::PATCH, format!("{}/customers/{record}", self.crm.base_url)),
            System::ExactOnline => (Method::PUT, format!("{}(guid'{record}')", self.accounts())),
        };
        self.call(system, author, method, url, properties).await.map(|_| ())
    }

    /// Lets a person make a new record by hand, and gives its id.
    pub(crate) async fn create(
        &self,
        system: System,
        author: &Employee,
        properties: &Properties,
    ) -> Result<RecordId, DemoError> {
        let url = match system {
            System::CustomCrm => format!("{}/customers", self.crm.base_url),
            System::ExactOnline => self.accounts(),
        };
        let answer = self.call(system, author, Method::POST, url, properties).await?;
        let unreadable = || DemoError::Unreadable { system };
        let record = contract::json::read_properties(&answer).map_err(|_| unreadable())?;
        let id = match (system, record.get("d")) {
            (System::CustomCrm, _) => record.get("Id"),
            (System::ExactOnline, Some(Content::Object(inner))) => inner.get("ID"),
            (System::ExactOnline, _) => None,
        };
        id.and_then(Content::as_text).and_then(|id| RecordId::parse(id).ok()).ok_or_else(unreadable)
    }

    /// Stops both simulators.
    pub(crate) async fn stop(self) {
        tokio::join!(self.crm.stop(), self.exact.stop());
    }

    fn accounts(&self) -> String {
        format!("{}/api/v1/{}/crm/Accounts", self.exact.base_url, self.exact.division)
    }

    async fn call(
        &self,
        system: System,
        author: &Employee,
        method: Method,
        url: String,
        properties: &Properties,
    ) -> Result<String, DemoError> {
        let request = self
            .http
            .request(method, url)
            .bearer_auth(&author.token)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .body(contract::json::write_properties(properties));
        let response: Response = request.send().await.map_err(DemoError::Human)?;
        let status = response.status();
        let answer = response.text().await.map_err(DemoError::Human)?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(DemoError::Refused { system, status: status.as_u16(), answer })
        }
    }

    /// Stores the records of the book; gives what was refused.
    fn fill(&self, system: System, entries: &[Entry]) -> Vec<DataProblem> {
        let (parent, owner) = match system {
            System::CustomCrm => ("ParentId", "OwnerId"),
            System::ExactOnline => ("Parent", "AccountManager"),
        };
        let mut ids: BTreeMap<&str, String> = BTreeMap::new();
        let mut problems = Vec::new();
        for entry in entries {
            let mut properties = entry.properties.clone();
            let owns = |person: &&Employee| Some(&person.email) == entry.owner.as_ref();
            if let Some(person) = self.people[system].iter().find(owns) {
                properties.insert(owner.to_owned(), Content::Text(person.id.to_string()));
            }
            if let Some(id) = entry.parent.as_deref().and_then(|number| ids.get(number)) {
                properties.insert(parent.to_owned(), Content::Text(id.clone()));
            }
            match self.store(system, &contract::json::write_properties(&properties)) {
                Ok(id) => {
                    if let Some(number) = &entry.number {
                        ids.insert(number, id);
                    }
                }
                Err(words) => problems.push(DataProblem {
                    file: file_of(system).to_owned(),
                    line: Some(entry.line),
                    column: String::new(),
                    what: format!("{system} refuses the record ({words}): correct it"),
                }),
            }
        }
        problems
    }

    fn store(&self, system: System, json: &str) -> Result<String, String> {
        match system {
            System::CustomCrm => match self.crm.control.seed("customers", [json]) {
                Ok(mut ids) => Ok(ids.remove(0)),
                Err(crm::SimulatorError::Seed { reason, .. }) => Err(reason),
                Err(other) => Err(other.to_string()),
            },
            System::ExactOnline => match self.exact.control().create_account(json) {
                Ok(id) => Ok(id.to_string()),
                Err(exact::SimulatorError::Refused { text, .. }) => Err(text),
                Err(other) => Err(other.to_string()),
            },
        }
    }
}

fn crm_people(crm: &crm::Running, book: &Book) -> Result<Vec<Employee>, DemoError> {
    let hire = |person: &super::data::Person| {
        let user = NewUser {
            full_name: Some(person.full_name.clone()),
            email: Some(person.email.clone()),
            ..NewUser::default()
        };
        let grant = crm.control.create_token(user).map_err(DemoError::simulator)?;
        employee(System::CustomCrm, &grant.user_id, &person.full_name, &person.email, grant.token)
    };
    book.people[System::CustomCrm].iter().map(hire).collect()
}

fn exact_people(exact: &exact::Running, humans: Vec<exact::Person>) -> Result<Vec<Employee>, DemoError> {
    let hire = |person: exact::Person| {
        let token = exact.control().human_token(person.id).map_err(DemoError::simulator)?;
        employee(System::ExactOnline, &person.id.to_string(), &person.full_name, &person.email, token)
    };
    humans.into_iter().map(hire).collect()
}

fn employee(
    system: System,
    id: &str,
    full_name: &str,
    email: &str,
    token: String,
) -> Result<Employee, DemoError> {
    let id = UserId::parse(id).map_err(|_| DemoError::Unreadable { system })?;
    Ok(Employee { id, full_name: full_name.to_owned(), email: email.to_lowercase(), token })
}
