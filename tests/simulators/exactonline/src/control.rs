//! The hand that holds the simulator: what a test does to it beside the API itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::answer::Refused;
use crate::database::{Context, Database, Key, Row, wall_clock_at};
use crate::edm::Value;
use crate::error::SimulatorError;
use crate::faults::{Fault, LoggedCall};
use crate::json::Json;
use crate::query::Query;
use crate::schema::{Endpoint, SHAPES, endpoint, shape_of};
use crate::service::Service;
use crate::settings::{Limits, Person, Rendition, Switches};
use crate::webhooks::Delivered;
use crate::write::Purpose;

const ACCOUNTS: &str = "crm/Accounts";

/// How many calls there were, by what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// All logged calls.
    pub calls: usize,
    /// By status.
    pub by_status: BTreeMap<u16, usize>,
    /// By method and path without key and query: `GET crm/accounts`.
    pub by_endpoint: BTreeMap<String, usize>,
    /// Accounts stored, of all divisions.
    pub accounts: usize,
    /// The most calls of the token endpoint that were ever under way at once.
    pub token_calls_at_once: usize,
}

/// A handle on a running simulator. Clones work on the same one.
#[derive(Debug, Clone)]
pub struct Control {
    service: Arc<Mutex<Service>>,
    /// Told when there may be something to tell by webhooks.
    changed: Arc<Notify>,
}

impl Control {
    pub(crate) fn new(service: Service) -> Self {
        Self { service: Arc::new(Mutex::new(service)), changed: Arc::default() }
    }

    pub(crate) fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changed(&self) -> &Notify {
        &self.changed
    }

    /// The notifications that were posted so far, the oldest first.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.service().delivered.clone()
    }

    /// The moment on the simulator's clock.
    pub fn now(&self) -> Timestamp {
        self.service().clock.now()
    }

    /// Moves the clock forward.
    pub fn advance_clock(&self, seconds: u32) {
        self.service().clock.advance(SignedDuration::from_secs(i64::from(seconds)));
    }

    /// A refresh token of a fresh consent by the API user, which may be used at once.
    pub fn grant(&self) -> String {
        let mut service = self.service();
        let (user, now) = (service.api_user, service.now());
        service.grants.grant(user, now)
    }

    /// The refresh tokens that were given out and neither used nor revoked.
    pub fn unused_refresh_tokens(&self) -> Vec<String> {
        self.service().grants.unused_refresh_tokens()
    }

    /// Voids every token of the app.
    pub fn revoke(&self) {
        self.service().grants.revoke();
    }

    /// Makes a further person known.
    pub fn add_person(&self, person: Person) {
        self.service().add_person(person);
    }

    /// All users: the API user first, then the people.
    pub fn people(&self) -> Vec<Person> {
        self.service().people.clone()
    }

    /// A token for a person: it does not end, is not the app's and no limit holds for it.
    pub fn human_token(&self, user: Uuid) -> Result<String, SimulatorError> {
        let mut service = self.service();
        if service.people.iter().any(|person| person.id == user) {
            Ok(service.grants.human_token(user))
        } else {
            Err(SimulatorError::UnknownUser(user))
        }
    }

    /// Lets a fault wait for the calls that it matches. Earlier faults are matched first.
    pub fn add_fault(&self, fault: Fault) {
        self.service().faults.push(fault);
    }

    /// The faults that still wait.
    pub fn faults(&self) -> Vec<Fault> {
        self.service().faults.clone()
    }

    /// Forgets the faults that still wait.
    pub fn clear_faults(&self) {
        self.service().faults.clear();
    }

    /// The calls so far, oldest first. The oldest of very many are forgotten.
    pub fn log(&self) -> Vec<LoggedCall> {
        self.service().log.iter().cloned().collect()
    }

    /// Forgets the calls so far.
    pub fn clear_log(&self) {
        self.service().log.clear();
    }

    /// The calls so far, counted.
    pub fn counts(&self) -> Counts {
        let service = self.service();
        let mut counts = Counts { calls: service.log.len(), ..Counts::default() };
        for call in &service.log {
            *counts.by_status.entry(call.status).or_default() += 1;
            *counts.by_endpoint.entry(short_name(call)).or_default() += 1;
        }
        counts.token_calls_at_once = service.token_calls.most;
        counts.accounts = service.database.table("accounts").rows.len();
        counts
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.service().limits.clone()
    }

    /// Sets the limits. What was counted so far stays counted.
    pub fn set_limits(&self, limits: Limits) {
        self.service().limits = limits;
    }

    /// The switches in force.
    pub fn switches(&self) -> Switches {
        self.service().switches.clone()
    }

    /// Sets the switches.
    pub fn set_switches(&self, switches: Switches) {
        self.service().switches = switches;
    }

    /// Lets the service change the texts of a property, whatever entity has it, when it stores them; `None` ends
    /// that.
    pub fn normalise(&self, property: &str, rendition: Option<Rendition>) -> Result<(), SimulatorError> {
        if SHAPES.values().all(|shape| shape.position(property).is_none()) {
            return Err(SimulatorError::UnknownProperty(property.to_owned()));
        }
        let mut service = self.service();
        match rendition {
            Some(rendition) => service.renditions.insert(property.to_owned(), rendition),
            None => service.renditions.remove(property),
        };
        Ok(())
    }

    /// Moves the main division to another database: every row version of it is regenerated and `DivisionMoveDate` tells
    /// so.
    pub fn move_division(&self) {
        self.regenerate("DivisionMoveDate");
    }

    /// Links the main division to Exact HR, or unlinks it: every row version of it is regenerated and
    /// `DivisionHRLinkUnlinkDate` tells so.
    pub fn link_division(&self) {
        self.regenerate("DivisionHRLinkUnlinkDate");
    }

    fn regenerate(&self, told_by: &str) {
        let mut service = self.service();
        let (now, division) = (service.now(), service.division);
        let below = service.switches.lower_versions_after_a_move;
        service.database.regenerate_timestamps(division, now, below);
        let moved = Value::DateTime(wall_clock_at(now, &service.zone));
        let key = Key::Number(i64::from(division));
        if let (Some(mut row), Some(position)) =
            (service.database.take("divisions", key), shape_of("divisions").position(told_by))
        {
            row.values[position] = moved;
            service.database.store("divisions", key, row);
        }
    }

    /// Creates accounts as the first person would, each from the JSON object of a create. The rules of the
    /// service hold; the first account that breaks one ends the call with those before it stored.
    pub fn seed_accounts<Text: AsRef<str>>(&self, bodies: &[Text]) -> Result<Vec<Uuid>, SimulatorError> {
        bodies.iter().map(|body| self.create_account(body.as_ref())).collect()
    }

    /// The same from one JSON list of objects.
    pub fn seed_account_list(&self, list: &str) -> Result<Vec<Uuid>, SimulatorError> {
        let bodies: Vec<&RawValue> = serde_json::from_str(list).map_err(SimulatorError::SeedNotAList)?;
        bodies.into_iter().map(|body| self.create_account(body.get())).collect()
    }

    /// Creates one account as the first person would.
    pub fn create_account(&self, body: &str) -> Result<Uuid, SimulatorError> {
        self.create(ACCOUNTS, body, self.first_person())
    }

    /// Changes the named properties of an account as the first person would.
    pub fn change_account(&self, id: Uuid, body: &str) -> Result<(), SimulatorError> {
        self.change(ACCOUNTS, id, body, self.first_person())
    }

    /// Deletes an account as the first person would.
    pub fn delete_account(&self, id: Uuid) -> Result<(), SimulatorError> {
        self.delete(ACCOUNTS, id, self.first_person())
    }

    /// Creates a record at the endpoint `path` (`crm/Contacts`) from the JSON object of a create, as `user` would.
    /// All rules of the service hold but its limits. Gives the record's id.
    pub fn create(&self, path: &str, body: &str, user: Uuid) -> Result<Uuid, SimulatorError> {
        self.write_as(path, "POST", user, |database, endpoint, context| {
            if endpoint.action.is_some() {
                return Err(Refused::method());
            }
            database.create(endpoint, body, context)
        })
    }

    /// Changes the named properties of a record at the endpoint `path` as `user` would.
    pub fn change(&self, path: &str, id: Uuid, body: &str, user: Uuid) -> Result<(), SimulatorError> {
        self.write_as(path, "PUT", user, |database, endpoint, context| {
            database.change(endpoint, Key::Guid(id), body, Purpose::Change, context)
        })
    }

    /// Sets stored properties of a record that callers only read, such as an item's `Stock` or an order's `Status`,
    /// as deliveries, invoices and other processes do that the simulator does not have. The record counts as
    /// changed by `user`.
    pub fn process(&self, path: &str, id: Uuid, body: &str, user: Uuid) -> Result<(), SimulatorError> {
        self.write_as(path, "PUT", user, |database, endpoint, context| {
            database.change(endpoint, Key::Guid(id), body, Purpose::Process, context)
        })
    }

    /// Deletes a record at the endpoint `path` as `user` would.
    pub fn delete(&self, path: &str, id: Uuid, user: Uuid) -> Result<(), SimulatorError> {
        self.write_as(path, "DELETE", user, |database, endpoint, context| {
            database.remove(endpoint, Key::Guid(id), context)
        })
    }

    /// Carries out the action at the endpoint `path` (`crm/AcceptQuotation`) as `user` would. Gives the form that
    /// the service answers with, as JSON: an action that can't be done tells so in it.
    pub fn act(&self, path: &str, body: &str, user: Uuid) -> Result<String, SimulatorError> {
        self.write_as(path, "POST", user, |database, endpoint, context| {
            let action = endpoint.action.ok_or_else(Refused::method)?;
            let form = database.act(endpoint, action, body, context)?;
            Ok(database.record(endpoint, &form, &Query::default(), context).render(false))
        })
    }

    /// All records of the main division at the endpoint `path` as a JSON list in the order of their keys, with every
    /// property that the endpoint shows, and numbers exactly as stored. Only a feed (`sync/CRM/Contacts`) shows row
    /// versions.
    pub fn records(&self, path: &str) -> Result<String, SimulatorError> {
        self.records_where(path, |_| true)
    }

    /// Those of [`Control::records`] that hold this text, or this id, in a property; without the blanks of padded codes.
    pub fn records_with(&self, path: &str, property: &str, text: &str) -> Result<String, SimulatorError> {
        let position = shape_of(known(path)?.table).position(property);
        let position = position.ok_or_else(|| SimulatorError::UnknownProperty(property.to_owned()))?;
        self.records_where(path, |row| match &row.values[position] {
            Value::Text(held) => held.trim() == text,
            Value::Guid(id) => id.to_string() == text,
            _ => false,
        })
    }

    fn records_where(&self, path: &str, wanted: impl Fn(&Row) -> bool) -> Result<String, SimulatorError> {
        let endpoint = known(path)?;
        let service = self.service();
        let context = service.context("", service.division, service.api_user);
        let table = service.database.tables.get(endpoint.table);
        let rows = table.into_iter().flat_map(|table| table.rows.values()).filter(|row| wanted(row));
        let records = rows
            .filter(|row| row.division.is_none_or(|owner| owner == service.division))
            .map(|row| service.database.record(endpoint, row, &Query::default(), &context))
            .collect();
        Ok(Json::List(records).render(false))
    }

    /// All accounts of the main division as [`Control::records`] gives them, as their feed shows them.
    pub fn snapshot(&self) -> String {
        self.records("sync/CRM/Accounts").expect("the feed of accounts is among the endpoints")
    }

    fn first_person(&self) -> Uuid {
        let service = self.service();
        service.people.get(1).map_or(service.api_user, |person| person.id)
    }

    fn write_as<Outcome>(
        &self,
        path: &str,
        method: &str,
        user: Uuid,
        write: impl FnOnce(&mut Database, &Endpoint, &Context<'_>) -> Result<Outcome, Refused>,
    ) -> Result<Outcome, SimulatorError> {
        let endpoint = known(path)?;
        let mut service = self.service();
        if !service.people.iter().any(|person| person.id == user) {
            return Err(SimulatorError::UnknownUser(user));
        }
        let mut database = std::mem::take(&mut service.database);
        let context = service.context("", service.division, user);
        let outcome = if endpoint.methods.contains(&method) {
            write(&mut database, endpoint, &context)
        } else {
            Err(Refused::method())
        };
        service.database = database;
        self.changed.notify_one();
        outcome.map_err(|refused| SimulatorError::Refused { status: refused.status, text: refused.text })
    }
}

fn known(path: &str) -> Result<&'static Endpoint, SimulatorError> {
    endpoint(path).ok_or_else(|| SimulatorError::UnknownPath(path.to_owned()))
}

fn short_name(call: &LoggedCall) -> String {
    let path = call.path.split(['?', '(']).next().unwrap_or_default().to_lowercase();
    let path = match path.strip_prefix("/api/v1/") {
        Some(rest) => rest.trim_start_matches(|character: char| character.is_ascii_digit()).to_owned(),
        None => path,
    };
    format!("{} {}", call.method, path.trim_matches('/'))
}
