//! The calls of a CRM, as its declaration says.

mod lines;
mod reads;
mod writes;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use contract::json::read_properties;
use model::{ConnectionName, Properties, RecordId, UserId, Version};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::SecretString;
use store::Store;
use telemetry::Metrics;
use url::Url;

pub use self::reads::{ChangesPage, Reading, ScanPage};
use wire::{Answer, Effect};

use crate::{
    Declaration, Error,
    declaration::{Collection, Meaning, User},
    moments::Moments,
    record::{self, name},
    transport::Transport,
};

/// How to reach a CustomCRM.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The API's address with its base path, such as `https://crm.example.com/api/v1`.
    pub url: Url,
    /// The secret that the declaration's authentication asks for; of a CRM that asks for none, anything.
    pub secret: SecretString,
    /// The name of the user, or the id of the client, that the secret belongs to, where the authentication asks for one.
    pub user: Option<String>,
    /// The secret of the client that a refresh token belongs to, where it has one.
    pub client_secret: Option<SecretString>,
    /// Calls a minute, at most, of this client and its clones; `None`: as many as the CRM lets through.
    pub calls_per_minute: Option<NonZeroU32>,
    /// The longest time to connect.
    pub connect_timeout: Duration,
    /// The longest time for a whole call, its answer included.
    pub timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub body_bytes_max: usize,
}

impl Settings {
    /// Settings with the usual limits: 5 s to connect, 30 s a call, answers up to 32 MiB.
    pub fn new(url: Url, secret: SecretString) -> Self {
        Self {
            url,
            secret,
            user: None,
            client_secret: None,
            calls_per_minute: None,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            body_bytes_max: 32 * 1024 * 1024,
        }
    }

    /// Whether calls can be made with these settings to a CRM that is declared like this. Makes none.
    pub fn check(&self, declaration: &Declaration) -> Result<(), Error> {
        Transport::new(self, declaration, "").map(drop)
    }
}

/// A client of one CustomCRM. Clones share its connections.
#[derive(Debug, Clone)]
pub struct CustomCrm<S> {
    transport: Transport,
    declaration: Arc<Declaration>,
    moments: Moments<S>,
}

impl<S: Store> CustomCrm<S> {
    /// A client with these settings of a CRM that is as declared; makes no call yet. Versions that the CRM does not tell
    /// come from the store. Fails on an address that is none of HTTP and on a secret that no header can carry.
    pub fn new(
        settings: &Settings,
        declaration: Declaration,
        store: S,
        namespace: &str,
        connection: &ConnectionName,
    ) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(settings, &declaration, connection.as_str())?,
            declaration: Arc::new(declaration),
            moments: Moments::new(store, namespace, connection),
        })
    }

    /// The same client, whose calls are counted there.
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { transport: self.transport.measured(metrics), ..self }
    }

    /// The user that we are: whose changes are ours. Where nobody tells it is one that changes nothing.
    pub async fn me(&self) -> Result<UserId, Error> {
        let unnamed = || Error::Unexpected { what: "names no user".to_owned() };
        match &self.declaration.user {
            User::Is(user) => Ok(user.clone()),
            User::Unknown => UserId::parse("-").map_err(|_| unnamed()),
            User::Asked { path, id } => {
                let body = self.read(self.transport.request(Method::GET, path, None)).await?.body;
                let properties = read_properties(&body).map_err(Error::NotARecord)?;
                let user = id.find(&properties).and_then(name).and_then(|user| UserId::parse(&user).ok());
                user.ok_or_else(unnamed)
            }
        }
    }

    /// All users that are not deleted, with their e-mail addresses as the CRM writes them.
    pub async fn users(&self) -> Result<Vec<(UserId, Option<String>)>, Error> {
        let users = self.collection("users")?;
        let user = |properties: &Properties| {
            let address = users.email.as_ref().and_then(|email| name(email.find(properties)?));
            let id = UserId::parse(record::id(&users.record, properties).ok()?.as_str()).ok()?;
            Some((id, address.filter(|address| !address.is_empty())))
        };
        let live = self.listed(users, &[]).await?;
        Ok(live
            .iter()
            .filter(|properties| !users.record.tells_deleted(properties))
            .filter_map(user)
            .collect())
    }

    /// The collection of an entity.
    fn collection(&self, entity: &str) -> Result<&Collection, Error> {
        self.declaration.collections.get(entity).ok_or_else(|| Error::Undeclared {
            crm: self.declaration.crm.clone(),
            what: format!("[collections.{entity}]"),
        })
    }

    /// The moment that stands for the version of what a collection shows; `None` where the CRM tells versions.
    async fn moment(&self, collection: &Collection) -> Result<Option<Version>, Error> {
        if collection.tells_versions() {
            return Ok(None);
        }
        self.moments.now().await.map(Some).map_err(Error::Store)
    }

    async fn read(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let answer = self.transport.send(Effect::Read, request).await?;
        self.success(Effect::Read, answer)
    }

    /// An answer to a call that names no record.
    fn success(&self, effect: Effect, answer: Answer) -> Result<Answer, Error> {
        if answer.status.is_success() { Ok(answer) } else { Err(self.transport.refusal(effect, &answer)) }
    }

    /// An answer to a call of this record.
    fn of_record(
        &self,
        effect: Effect,
        collection: &Collection,
        id: &RecordId,
        answer: Answer,
    ) -> Result<Answer, Error> {
        if answer.status.is_success() {
            return Ok(answer);
        }
        let (collection, record) = (collection.path.clone(), id.clone());
        match self.transport.meaning(effect, &answer) {
            Some(Meaning::Gone) => Err(Error::Gone { collection, record }),
            Some(Meaning::Stale) => Err(Error::Stale { collection, record }),
            _ => Err(self.transport.refusal(effect, &answer)),
        }
    }

    /// The record in an answer about one.
    fn in_answer(&self, body: &str) -> Result<Properties, Error> {
        let mut properties = read_properties(body).map_err(Error::NotARecord)?;
        match &self.declaration.answer.record {
            None => Ok(properties),
            Some(path) => match path.take(&mut properties) {
                Some(model::Content::Object(record)) => Ok(record),
                _ => Err(Error::Unexpected { what: format!("is no JSON object with the record `{path}`") }),
            },
        }
    }
}

/// Whether the CRM says that a record was there and is deleted.
fn is_deleted(answer: &Answer) -> bool {
    answer.status == StatusCode::GONE
}
