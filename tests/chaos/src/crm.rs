use std::time::Duration;

use serde_json::Value;
use servers::wait_until_async;
use simulator_customcrm::{Control, Limits, NewUser, Running, Settings, Simulator};

use crate::site::text_of;

const COLLECTION: &str = "customers";

/// The CRM of one connection, and the person who edits in it.
#[derive(Debug)]
pub struct CrmSide {
    running: Running,
    person: reqwest::Client,
}

impl CrmSide {
    pub(crate) async fn start() -> Self {
        let limits = Limits { calls: 1_000_000, ..Limits::default() };
        let running = Simulator::start(Settings { limits, ..Settings::default() }).await.unwrap();
        Self { running, person: reqwest::Client::new() }
    }

    pub(crate) fn running(&self) -> &Running {
        &self.running
    }

    /// What a test may do behind the API.
    pub fn control(&self) -> &Control {
        &self.running.control
    }

    /// Another token of the product's user, beside the one that it has.
    pub fn another_token(&self) -> String {
        let user_id = Some(self.running.api_user_id.clone());
        self.control().create_token(NewUser { user_id, ..NewUser::default() }).unwrap().token
    }

    /// Takes the token of the product away.
    pub fn revoke(&self) {
        self.control().revoke_token(&self.running.api_token).unwrap();
    }

    /// A person enters a customer; gives its id.
    pub async fn create(&self, customer: &Value) -> String {
        let url = format!("{}/{COLLECTION}", self.running.base_url);
        let created = self.person(self.person.post(url).json(customer)).await;
        created["Id"].as_str().unwrap().to_owned()
    }

    /// A person changes some properties of the customer of this name.
    pub async fn change(&self, name: &str, properties: &Value) {
        let customer = self.find(name).unwrap_or_else(|| panic!("the CRM has no customer {name:?}"));
        let url = format!("{}/{COLLECTION}/{}", self.running.base_url, customer["Id"].as_str().unwrap());
        self.person(self.person.patch(url).json(properties)).await;
    }

    /// A person deletes the customer of this name.
    pub async fn delete(&self, name: &str) {
        let customer = self.find(name).unwrap_or_else(|| panic!("the CRM has no customer {name:?}"));
        let url = format!("{}/{COLLECTION}/{}", self.running.base_url, customer["Id"].as_str().unwrap());
        let answer = self.person.delete(url).bearer_auth(&self.running.human_token).send().await.unwrap();
        assert!(answer.status().is_success(), "the CRM refuses a person's deletion: {}", answer.status());
    }

    async fn person(&self, call: reqwest::RequestBuilder) -> Value {
        let answer = call.bearer_auth(&self.running.human_token).send().await.unwrap();
        let (status, body) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "the CRM refuses a person's edit: {status} {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// All live customers.
    pub fn records(&self) -> Vec<Value> {
        let records = self.control().records(COLLECTION).unwrap();
        records.iter().map(|record| serde_json::from_str(record).unwrap()).collect()
    }

    /// The customer of this name.
    ///
    /// # Panics
    ///
    /// When there are two: that is a duplicate.
    pub fn find(&self, name: &str) -> Option<Value> {
        let mut found: Vec<Value> =
            self.records().into_iter().filter(|record| text_of(record, "Name") == name).collect();
        assert!(found.len() < 2, "the CRM has {name:?} {} times: {found:?}", found.len());
        found.pop()
    }

    /// Waits until the customer of this name has this value.
    pub async fn wait_for(&self, name: &str, property: &str, value: &str, limit: Duration) {
        wait_until_async(&format!("{property} = {value:?} of {name:?} in the CRM"), limit, async || {
            let found = self.find(name).ok_or_else(|| "no such customer".to_owned())?;
            let text = text_of(&found, property);
            if text == value { Ok(()) } else { Err(format!("{text:?}")) }
        })
        .await;
    }

    /// How many writes of the product the CRM has carried out or answered.
    pub fn writes(&self) -> u64 {
        self.control().counts().writes.get(&self.running.api_user_id).copied().unwrap_or_default()
    }
}
