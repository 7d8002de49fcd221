//! Webhooks: the rules of subscriptions, and what is told of each change.
//!
//! No source shows how soon a change is told, nor in which order: [`Switches`](crate::Switches) has both, and what else
//! was seen to go wrong with deliveries.

use std::time::Duration;

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use serde::Serialize;
use sha2::Sha256;
use url::{Host, Url};
use uuid::Uuid;

use crate::answer::Refused;
use crate::call::Call;
use crate::control::Control;
use crate::database::{Database, Key};
use crate::edm::Value;
use crate::schema::shape_of;
use crate::service::Service;

use reqwest::{Client, redirect};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

pub(crate) const SUBSCRIPTIONS: &str = "webhook_subscriptions";
const PATH: &str = "webhooks/webhooksubscriptions";
/// After the first attempt; the n-th comes 2^n minutes after the one before it.
const REPEATS: u32 = 10;
/// How much later the first of two changes is told when they are told in the other order.
const REORDERED_BY: Duration = Duration::from_millis(300);
/// How long the receiver may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Create,
    Update,
    Delete,
}

/// A change that may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
    pub(crate) division: i32,
    pub(crate) action: Action,
}

/// A notification that was posted, or that nobody took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// The topic.
    pub topic: String,
    /// The record.
    pub key: Uuid,
    /// Which attempt it was, from 0.
    pub attempt: u32,
    /// The status that it was answered with; `None` where no answer came.
    pub status: Option<u16>,
}

/// A notification to be posted.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    topic: &'static str,
    key: Uuid,
    callback: String,
    body: String,
    after: Duration,
}

/// The topic that tells of a table's records, and where they are found; the lines of a document are told under its own.
fn told(table: &str) -> Option<(&'static str, &'static str)> {
    Some(match table {
        "accounts" => ("Accounts", "crm/Accounts"),
        "contacts" => ("Contacts", "crm/Contacts"),
        "items" => ("Items", "logistics/Items"),
        "quotations" => ("Quotations", "crm/Quotations"),
        "quotation_lines" => ("Quotations", "crm/QuotationLines"),
        "sales_orders" => ("SalesOrders", "salesorder/SalesOrders"),
        "sales_order_lines" => ("SalesOrders", "salesorder/SalesOrderLines"),
        _ => return None,
    })
}

impl Database {
    /// The address that a topic of a company is subscribed to.
    fn callback(&self, topic: &str, division: i32) -> Option<String> {
        let shape = shape_of(SUBSCRIPTIONS);
        let row = self.table(SUBSCRIPTIONS).rows.values().find(|row| {
            row.division == Some(division) && *row.get(shape, "Topic") == Value::Text(topic.to_owned())
        })?;
        match row.get(shape, "CallbackURL") {
            Value::Text(address) => Some(address.clone()),
            _ => None,
        }
    }
}

impl Service {
    /// The address that the service tries before it answers this call: that of a new subscription.
    pub(crate) fn tried_by(&self, call: &Call) -> Option<Url> {
        let path = call.path.to_lowercase();
        let division =
            path.strip_prefix("/api/v1/")?.strip_suffix(PATH)?.trim_end_matches('/').parse().ok()?;
        let body: serde_json::Value = serde_json::from_str(&call.body).ok()?;
        let is_new = self.database.callback(body.get("Topic")?.as_str()?, division).is_none();
        let url = Url::parse(body.get("CallbackURL")?.as_str()?).ok()?;
        (call.method == "POST" && is_new && self.may_be_called(&url)).then_some(url)
    }

    /// Only HTTPS is; on this machine anything is where that is switched on.
    fn may_be_called(&self, url: &Url) -> bool {
        let is_loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        url.scheme() == "https" || (self.switches.webhooks_on_loopback && is_loopback)
    }

    /// What the service insists on beside what the table tells, of a subscription that has just been stored.
    pub(crate) fn check_subscription(
        &self,
        database: &mut Database,
        id: Uuid,
        call: &Call,
    ) -> Result<(), Refused> {
        let shape = shape_of(SUBSCRIPTIONS);
        let Some(mut row) = database.take(SUBSCRIPTIONS, Key::Guid(id)) else { return Ok(()) };
        let language = self.switches.language;
        let invalid = |what: &str| {
            Err(Refused::business(&[format!("{}: {what}", language.pick("Invalid", "Ongeldig"))]))
        };
        let is_instant = *row.get(shape, "IsInstant") == Value::Boolean(true);
        if is_instant && *row.get(shape, "Topic") != Value::Text("GoodsDeliveries".to_owned()) {
            return invalid("IsInstant");
        }
        let callback = match row.get(shape, "CallbackURL") {
            Value::Text(address) => Url::parse(address).ok(),
            _ => None,
        };
        if !callback.is_some_and(|url| self.may_be_called(&url)) {
            return invalid("CallbackURL");
        }
        match call.callback_status {
            Some(200 | 201) => {}
            status => {
                let status = status.unwrap_or(500);
                return invalid(&format!(
                    "Post to callback URL endpoint returns {status} An error occurred while sending the request."
                ));
            }
        }
        if let Ok(client) = Uuid::parse_str(&self.client_id) {
            row.set(shape, "ClientID", Value::Guid(client));
        }
        database.store(SUBSCRIPTIONS, Key::Guid(id), row);
        Ok(())
    }

    /// What is to be posted of what happened since this was asked last.
    pub(crate) fn take_posts(&mut self, base: &str) -> Vec<Post> {
        let happened = std::mem::take(&mut self.database.happened);
        let mut posts = Vec::new();
        for (index, happened) in happened.into_iter().enumerate() {
            let Some((topic, path)) = told(happened.table) else { continue };
            let Some(callback) = self.database.callback(topic, happened.division) else { continue };
            if self.switches.webhooks_lost {
                continue;
            }
            let mut after = Duration::from_millis(self.switches.webhooks_after_milliseconds);
            if self.switches.webhooks_reordered && index % 2 == 0 {
                after += REORDERED_BY;
            }
            let body =
                self.notification(&happened, topic, &format!("{base}/api/v1/{}/{path}", happened.division));
            let post = Post { topic, key: happened.id, callback, body, after };
            if self.switches.webhooks_doubled {
                posts.push(post.clone());
            }
            posts.push(post);
        }
        posts
    }

    /// The keys are in the service's own order, and nothing stands between them.
    fn notification(&self, happened: &Happened, topic: &str, address: &str) -> String {
        let Happened { id, division, .. } = happened;
        let action = match happened.action {
            Action::Create if !self.switches.webhooks_tell_creates_as_updates => "Create",
            Action::Create | Action::Update => "Update",
            Action::Delete => "Delete",
        };
        let time = if self.switches.webhooks_without_time {
            String::new()
        } else {
            let now = Timestamp::from_millisecond(self.now()).unwrap_or_default();
            format!(r#","EventCreatedOn":"{}""#, self.zone.to_datetime(now).strftime("%Y-%m-%dT%H:%M:%S%.3f"))
        };
        let content = format!(
            r#"{{"Topic":"{topic}","ClientId":"{}","Division":{division},"Action":"{action}","Key":"{id}","ExactOnlineEndpoint":"{address}(guid'{id}')"{time}}}"#,
            self.client_id
        );
        let mut mac = Hmac::<Sha256>::new_from_slice(self.webhook_secret.as_bytes())
            .expect("a key of any length makes an HMAC");
        mac.update(content.as_bytes());
        let hash = hex::encode_upper(mac.finalize().into_bytes());
        format!(r#"{{"Content":{content},"HashCode":"{hash}"}}"#)
    }
}

/// What calls receivers.
pub(crate) fn caller() -> Result<Client, reqwest::Error> {
    Client::builder().timeout(ANSWERS_WITHIN).redirect(redirect::Policy::none()).build()
}

/// Posts an empty body, and gives the status of the answer, if one came.
pub(crate) async fn try_out(caller: &Client, callback: Url) -> Option<u16> {
    let answer = caller.post(callback).header("content-length", 0).send().await;
    answer.ok().map(|answer| answer.status().as_u16())
}

/// Posts what is to be told, until `stop`.
pub(crate) async fn deliver(control: Control, caller: Client, base: String, stop: CancellationToken) {
    let mut posts = JoinSet::new();
    while stop.run_until_cancelled(control.changed().notified()).await.is_some() {
        for post in control.service().take_posts(&base) {
            posts.spawn(delivered(control.clone(), caller.clone(), post));
        }
        while posts.try_join_next().is_some() {}
    }
}

async fn delivered(control: Control, caller: Client, post: Post) {
    let mut after = post.after;
    for attempt in 0..=REPEATS {
        sleep(after).await;
        let sent =
            caller.post(&post.callback).header("content-type", "application/json").body(post.body.clone());
        let status = sent.send().await.ok().map(|answer| answer.status().as_u16());
        let minute = {
            let mut service = control.service();
            service.delivered.push(Delivered {
                topic: post.topic.to_owned(),
                key: post.key,
                attempt,
                status,
            });
            Duration::from_millis(service.switches.webhooks_minute_milliseconds)
        };
        if matches!(status, Some(200 | 201)) {
            return;
        }
        after = minute * 2_u32.pow(attempt + 1);
    }
}
