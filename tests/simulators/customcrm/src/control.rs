//! What tests may do to the CRM behind its API, in process.

pub(crate) mod server;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::error::SimulatorError;
use crate::faults::Fault;
use crate::limits::{Limits, Meter};
use crate::log::LoggedCall;
use crate::problem::{Problem, PropertyError};
use crate::record::Record;
use crate::records::Records;
use crate::schema::{Kind, Presence, Schema};
use crate::state::{State, World};
use crate::value::Value;

/// A handle on a running simulator. Everything here is also in the control API, where it needs no token.
#[derive(Debug, Clone)]
pub struct Control {
    world: Arc<World>,
}

/// A user to give a token to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewUser {
    /// A user that exists; if nothing, one is created with the name and the address.
    pub user_id: Option<String>,
    /// Their full name.
    pub full_name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// The token; a new one if nothing.
    pub token: Option<String>,
}

/// A user and a token that they may call with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The id of the user.
    pub user_id: String,
    /// The token.
    pub token: String,
}

/// How many records there are and who wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records that are not deleted, per collection.
    pub records: BTreeMap<String, usize>,
    /// POST, PATCH and DELETE calls that succeeded, per user id, also those that changed nothing or were repeated.
    pub writes: BTreeMap<String, u64>,
    /// Calls that changed a record, per user id.
    pub changes: BTreeMap<String, u64>,
}

/// What the CRM makes of a text property when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// The collection; `customers` if it is left out of the JSON.
    #[serde(default = "customers")]
    pub collection: String,
    /// The property.
    pub property: String,
    /// What it becomes.
    #[serde(rename = "as")]
    pub rewrite_as: RewriteAs,
}

/// How a text is rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RewriteAs {
    /// Without blanks around it.
    Trim,
    /// In upper case.
    Upper,
    /// In lower case.
    Lower,
}

impl RewriteAs {
    pub(crate) fn apply(self, text: &str) -> String {
        match self {
            Self::Trim => text.trim().to_owned(),
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

fn customers() -> String {
    "customers".to_owned()
}

impl Control {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// Gives a user a token; creates the user if none is named.
    pub fn create_token(&self, user: NewUser) -> Result<Grant, SimulatorError> {
        grant(&mut self.world.lock(), user)
    }

    /// Takes a token away: calls with it are answered with 401 from now on.
    pub fn revoke_token(&self, token: &str) -> Result<(), SimulatorError> {
        self.world.lock().tokens.remove(token).map(|_| ()).ok_or(SimulatorError::UnknownToken)
    }

    /// Adds a fault behind those that are still to come.
    pub fn add_fault(&self, fault: Fault) {
        self.world.lock().faults.add(fault);
    }

    /// The faults that are still to come.
    pub fn faults(&self) -> Vec<Fault> {
        self.world.lock().faults.all()
    }

    /// Removes the faults that are still to come.
    pub fn clear_faults(&self) {
        self.world.lock().faults.clear();
    }

    /// The last calls, at most 200,000, oldest first.
    pub fn log(&self) -> Vec<LoggedCall> {
        self.world.lock().log.all()
    }

    /// Forgets the calls so far.
    pub fn clear_log(&self) {
        self.world.lock().log.clear();
    }

    /// How many records there are and who wrote. Seeds count as records, not as writes.
    pub fn counts(&self) -> Counts {
        let state = self.world.lock();
        Counts {
            records: state
                .records
                .collections()
                .map(|collection| (collection.schema.collection.to_owned(), collection.live_count()))
                .collect(),
            writes: state.writes.clone(),
            changes: state.changes.clone(),
        }
    }

    /// Sets other limits and starts all windows anew.
    pub fn set_limits(&self, limits: Limits) -> Result<(), SimulatorError> {
        if limits.calls == 0 || limits.window.as_millis() == 0 {
            return Err(SimulatorError::Limits);
        }
        self.world.lock().meter = Meter::new(limits);
        Ok(())
    }

    /// Rewrites a text property whenever it is written from now on. Several rewrites follow each other.
    pub fn normalise(&self, rewrite: Rewrite) -> Result<(), SimulatorError> {
        let mut state = self.world.lock();
        let schema = schema(&state, &rewrite.collection)?;
        let rewritable = schema.property(&rewrite.property).is_some_and(|property| {
            property.presence != Presence::ReadOnly && matches!(property.kind, Kind::Text | Kind::LongText)
        });
        if !rewritable {
            return Err(SimulatorError::NotRewritable {
                collection: rewrite.collection,
                property: rewrite.property,
            });
        }
        state.records.rewrites.push(rewrite);
        Ok(())
    }

    /// Ends all rewrites; what is stored stays as it is.
    pub fn clear_normalise(&self) {
        self.world.lock().records.rewrites.clear();
    }

    /// Stops the clock of the records at a time, cut to milliseconds, or lets it run again. A stopped clock also stops
    /// the 24 hours of idempotency keys and the 90 days of tombstones, not the limits.
    pub fn freeze_clock(&self, at: Option<Timestamp>) {
        self.world.lock().records.clock.freeze(at);
    }

    /// Stores records, each the JSON of an object, as the person's. A record may choose its `Id`. Stops at the first
    /// that is refused; gives the ids.
    pub fn seed<Json: AsRef<str>>(
        &self,
        collection: &str,
        records: impl IntoIterator<Item = Json>,
    ) -> Result<Vec<String>, SimulatorError> {
        let mut state = self.world.lock();
        schema(&state, collection)?;
        let seeder = state.seeder.clone();
        let mut ids = Vec::new();
        for (position, record) in records.into_iter().enumerate() {
            let refused = |problem: Problem| SimulatorError::Seed {
                collection: collection.to_owned(),
                position,
                status: problem.kind.status().as_u16(),
                reason: problem.reason(),
            };
            let mut document = Document::parse(record.as_ref().as_bytes(), "it").map_err(refused)?;
            let id = take_id(&mut document).map_err(refused)?;
            let record = state.records.create(collection, &seeder, &document, id).map_err(refused)?;
            ids.push(record.id.clone());
        }
        Ok(ids)
    }

    /// Lets the user of a token create a record from the JSON of an object; gives the JSON of the record. This is no
    /// call: no limit and no fault hits it, and neither the log nor the counts of writes know of it.
    pub fn create(&self, token: &str, collection: &str, record: &str) -> Result<String, SimulatorError> {
        self.edit(token, collection, |records, schema, user_id| {
            let document = Document::parse(record.as_bytes(), "it")?;
            records.create(collection, user_id, &document, None).map(|record| record.render(schema))
        })
    }

    /// Lets the user of a token change a record by a merge patch, whatever its version; gives the JSON of the record.
    /// No call either.
    pub fn patch(
        &self,
        token: &str,
        collection: &str,
        id: &str,
        patch: &str,
    ) -> Result<String, SimulatorError> {
        self.edit(token, collection, |records, schema, user_id| {
            let document = Document::parse(patch.as_bytes(), "it")?;
            records.patch(collection, user_id, id, &document).map(|(record, _)| record.render(schema))
        })
    }

    /// Lets the user of a token delete a record, whatever its version. No call either.
    pub fn delete(&self, token: &str, collection: &str, id: &str) -> Result<(), SimulatorError> {
        self.edit(token, collection, |records, _, user_id| records.delete(collection, user_id, id))
    }

    fn edit<Edited>(
        &self,
        token: &str,
        collection: &str,
        edit: impl FnOnce(&mut Records, &'static Schema, &str) -> Result<Edited, Problem>,
    ) -> Result<Edited, SimulatorError> {
        let mut state = self.world.lock();
        let schema = schema(&state, collection)?;
        let refused = |problem: Problem| SimulatorError::Edit {
            collection: collection.to_owned(),
            status: problem.kind.status().as_u16(),
            reason: problem.reason(),
        };
        let user_id = state.user_of(token).map_err(refused)?.to_owned();
        edit(&mut state.records, schema, &user_id).map_err(refused)
    }

    /// The JSON of the live records of a collection that hold this text in this property, `Id` among them.
    pub fn records_with(
        &self,
        collection: &str,
        property: &str,
        text: &str,
    ) -> Result<Vec<String>, SimulatorError> {
        let state = self.world.lock();
        let schema = schema(&state, collection)?;
        let records = state.records.collections().filter(|one| one.schema.collection == collection);
        let holds = |record: &&Record| match property {
            "Id" => record.id == text,
            _ => record.content.values.get(property).and_then(Value::text) == Some(text),
        };
        Ok(records.flat_map(|one| one.all_live().filter(holds).map(|record| record.render(schema))).collect())
    }

    /// The JSON of all live records of a collection with everything in them, oldest change first.
    pub fn records(&self, collection: &str) -> Result<Vec<String>, SimulatorError> {
        let state = self.world.lock();
        let schema = schema(&state, collection)?;
        let records = state.records.collections().filter(|one| one.schema.collection == collection);
        Ok(records.flat_map(|one| one.all_live().map(|record| record.render(schema))).collect())
    }
}

fn schema(state: &State, collection: &str) -> Result<&'static Schema, SimulatorError> {
    state.records.collection(collection).map(|found| found.schema).map_err(|_| {
        let served: Vec<&str> = state.records.collections().map(|one| one.schema.collection).collect();
        SimulatorError::UnknownCollection { collection: collection.to_owned(), served: served.join(", ") }
    })
}

/// Gives a user a token; creates the user if none is named.
pub(crate) fn grant(state: &mut State, user: NewUser) -> Result<Grant, SimulatorError> {
    let token = user.token.unwrap_or_else(|| format!("crm_{}", ambient::new_random_id().simple()));
    if state.tokens.contains_key(&token) {
        return Err(SimulatorError::TokenTaken);
    }
    let user_id = match user.user_id {
        Some(user_id) if state.records.find("users", &user_id).is_ok() => user_id,
        Some(user_id) => return Err(SimulatorError::UnknownUser { user_id }),
        None => create_user(state, user.full_name, user.email)?,
    };
    state.tokens.insert(token.clone(), user_id.clone());
    Ok(Grant { user_id, token })
}

fn create_user(
    state: &mut State,
    full_name: Option<String>,
    email: Option<String>,
) -> Result<String, SimulatorError> {
    let id = ambient::new_random_id().to_string();
    let fields = serde_json::json!({
        "FullName": full_name.unwrap_or_else(|| "Somebody".to_owned()),
        "Email": email.unwrap_or_else(|| format!("{id}@crm.example")),
    });
    let refused = |problem: Problem| SimulatorError::User { reason: problem.reason() };
    let document = Document::parse(fields.to_string().as_bytes(), "it").map_err(refused)?;
    let user = state.records.create("users", &id, &document, Some(id.clone())).map_err(refused)?;
    Ok(user.id.clone())
}

/// Takes the id that a seed chooses out of it.
fn take_id(document: &mut Document) -> Result<Option<String>, Problem> {
    let Some(position) = document.0.iter().position(|(name, _)| name == "Id") else { return Ok(None) };
    let (_, json) = document.0.remove(position);
    let no_text = |_| Problem::invalid(vec![PropertyError::new("Id", "must be a string")]);
    serde_json::from_str(json.get()).map(Some).map_err(no_text)
}
