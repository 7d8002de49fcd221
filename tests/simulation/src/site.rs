//! The two systems of a connection, within the process.

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use model::ConnectionName;
use people::Sides;
use service::{ConnectionConfig, CustomCrmConfig, ExactOnlineConfig, LiteralConfig};
use simulator_customcrm::{self as crm, NewUser};
use simulator_exactonline::{self as exact, Person, Switches};

use crate::Scenario;
use crate::network::{Network, System, client};

/// People who work in both systems, beside Robin.
const COLLEAGUES: [(&str, &str); 2] =
    [("Sanne Bakker", "sanne@crm.example"), ("Omar Visser", "omar@crm.example")];
const DIVISION: i32 = 499_156;

/// The two systems of a connection.
pub(crate) struct Site {
    pub(crate) connection: ConnectionName,
    pub(crate) crm: crm::InProcess,
    pub(crate) exact: exact::InProcess,
    settings: exact::Settings,
}

impl Site {
    /// Both systems, with people whom both know, joined to the network.
    pub(crate) fn new(number: usize, seed: u64, network: &Network) -> Self {
        let crm = crm::InProcess::new(crm::Settings::default()).unwrap();
        let is_so = |bit: u32| (seed >> bit) & 1 == 1;
        let settings = exact::Settings {
            division: DIVISION,
            api_user: Person::new("Integration", "integration@crm.example"),
            humans: vec![Person::new("Robin Jansen", "robin@crm.example")],
            switches: Switches {
                int64_as_string: is_so(0),
                line_changes_touch_header: is_so(1),
                single_access_token: is_so(2),
                quotations_start_as_drafts: is_so(3),
                lower_versions_after_a_move: !is_so(4),
                ..Switches::default()
            },
            ..exact::Settings::default()
        };
        let exact = exact::InProcess::new(&settings, client()).unwrap();
        for (name, email) in COLLEAGUES {
            let user = NewUser {
                full_name: Some(name.to_owned()),
                email: Some(email.to_owned()),
                ..NewUser::default()
            };
            crm.control.create_token(user).unwrap();
            exact.control().add_person(Person::new(name, email));
        }
        let connection = ConnectionName::parse(&format!("company-{number}")).unwrap();
        network.join(&format!("crm.{connection}"), System::CustomCrm(crm.clone()));
        network.join(&format!("exact.{connection}"), System::ExactOnline(exact.clone()));
        Self { connection, crm, exact, settings }
    }

    /// Both systems as the people know them who edit in them.
    pub(crate) fn sides(&self) -> Sides {
        Sides {
            crm: self.crm.control.clone(),
            crm_token: self.crm.users.human.token.clone(),
            exact: self.exact.control(),
            exact_person: self.exact.human_id,
        }
    }

    /// How many writes the product has made, on both sides together.
    pub(crate) fn writes(&self) -> u64 {
        let crm =
            self.crm.control.counts().writes.get(&self.crm.users.api.user_id).copied().unwrap_or_default();
        let log = self.exact.control().log();
        let ours = log.iter().filter(|call| {
            call.user == Some(self.exact.api_user_id)
                && call.method != "GET"
                && call.path.starts_with("/api/v1/")
                && call.status < 300
        });
        crm + u64::try_from(ours.count()).unwrap()
    }

    /// The connection as the services are told of it; the grant is kept in this folder.
    pub(crate) fn config(&self, scenario: &Scenario, folder: &Path) -> ConnectionConfig {
        let grant_file = folder.join(format!("{}-grant.json", self.connection));
        let grant = serde_json::json!({ "refresh_token": self.exact.refresh_token }).to_string();
        fs::write(&grant_file, grant).unwrap();
        let count = |number: u32| NonZeroU32::new(number).unwrap();
        let limits = self.exact.control().limits();
        ConnectionConfig {
            name: self.connection.clone(),
            file: None,
            reading: mapping::Reading::Practical,
            is_test: true,
            literal: LiteralConfig::default(),
            customcrm: Some(CustomCrmConfig {
                url: format!("http://crm.{}/api/v1", self.connection).parse().unwrap(),
                token: self.crm.users.api.token.clone().into(),
                token_file: None,
                declaration: None,
                user: None,
                client_secret: None,
                poll_interval: scenario.crm_poll,
                webhooks: None,
                calls_per_minute: count(600),
            }),
            exactonline: Some(ExactOnlineConfig {
                url: format!("http://exact.{}", self.connection).parse().unwrap(),
                division: count(u32::try_from(DIVISION).unwrap()),
                client_id: self.settings.client_id.clone(),
                client_secret: self.settings.client_secret.clone().into(),
                client_secret_file: folder.to_owned(),
                grant_file,
                redirect_uri: None,
                consent_command: "(simulated)".to_owned(),
                poll_interval: scenario.exact_poll,
                webhooks: None,
                calls_per_minute: count(limits.per_minute),
                calls_per_day: count(limits.per_day),
            }),
        }
    }
}
