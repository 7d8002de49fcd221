use std::time::Duration;

use serde_json::Value;
use servers::wait_until_async;
use simulator_exactonline::{Control, Limits, Person, Running, Settings, Simulator};
use uuid::Uuid;

use crate::site::text_of;

/// The Exact Online division of one connection, and the person who edits in it.
#[derive(Debug)]
pub struct ExactSide {
    running: Running,
    control: Control,
}

impl ExactSide {
    /// With the same people as the CRM, by their e-mail addresses.
    pub(crate) async fn start() -> Self {
        let limits = Limits { per_minute: 1_000_000, per_day: 10_000_000, ..Limits::default() };
        let settings = Settings {
            limits,
            api_user: Person::new("Integration", "integration@crm.example"),
            humans: vec![Person::new("Robin Jansen", "robin@crm.example")],
            ..Settings::default()
        };
        let running = Simulator::start(settings).await.unwrap();
        let control = running.control();
        Self { running, control }
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// What a test may do behind the API.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The person.
    pub(crate) fn person(&self) -> Uuid {
        self.running.human_id
    }

    /// What notifications are signed with.
    pub fn webhook_secret(&self) -> &str {
        &self.running.webhook_secret
    }

    /// A person enters an account; gives its id.
    pub fn create(&self, account: &Value) -> Uuid {
        self.control.create_account(&account.to_string()).unwrap()
    }

    /// A person changes some properties of the account of this name.
    pub fn change(&self, name: &str, properties: &Value) {
        let account = self.find(name).unwrap_or_else(|| panic!("Exact has no account {name:?}"));
        let id = account["ID"].as_str().unwrap().parse().unwrap();
        self.control.change_account(id, &properties.to_string()).unwrap();
    }

    /// A person deletes the account of this name.
    pub fn delete(&self, name: &str) {
        let account = self.find(name).unwrap_or_else(|| panic!("Exact has no account {name:?}"));
        self.control.delete_account(account["ID"].as_str().unwrap().parse().unwrap()).unwrap();
    }

    /// All accounts.
    pub fn records(&self) -> Vec<Value> {
        serde_json::from_str(&self.control.snapshot()).unwrap()
    }

    /// The account of this name.
    ///
    /// # Panics
    ///
    /// When there are two: that is a duplicate.
    pub fn find(&self, name: &str) -> Option<Value> {
        let mut found: Vec<Value> =
            self.records().into_iter().filter(|record| text_of(record, "Name") == name).collect();
        assert!(found.len() < 2, "Exact has {name:?} {} times: {found:?}", found.len());
        found.pop()
    }

    /// Waits until the account of this name has this value.
    pub async fn wait_for(&self, name: &str, property: &str, value: &str, limit: Duration) {
        wait_until_async(&format!("{property} = {value:?} of {name:?} in Exact"), limit, async || {
            let found = self.find(name).ok_or_else(|| "no such account".to_owned())?;
            let text = text_of(&found, property);
            if text == value { Ok(()) } else { Err(format!("{text:?}")) }
        })
        .await;
    }

    /// How many writes of the product Exact has carried out.
    pub fn writes(&self) -> u64 {
        let ours = |user: &Option<Uuid>| *user == Some(self.running.api_user_id);
        let writes = self.control.log().into_iter().filter(|call| {
            ["POST", "PUT", "DELETE"].contains(&call.method.as_str())
                && call.path.starts_with("/api/v1/")
                && call.status < 300
                && ours(&call.user)
        });
        u64::try_from(writes.count()).unwrap()
    }
}
