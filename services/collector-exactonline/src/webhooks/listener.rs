//! The port that Exact Online posts to.
//!
//! A notification is a hint and nothing else, and is answered before anything is done about it. What is not signed is
//! refused without a word of why; what is signed and none of ours is accepted, because Exact would repeat it for a day and
//! a half. Bodies are bounded while they are read, in size, in time and in number.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Method, StatusCode};
use collector::{Hint, Hints};
use exactonline::{Action, NOTIFICATION_BYTES_MAX, Notification, NotificationError};
use model::{ConnectionName, EntityName};
use secrecy::SecretString;
use store::Store;
use telemetry::{Chain, Metrics, WebhookResult};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Posts that are read at once, at most.
const POSTS_MAX: usize = 256;
/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How often it is told that something came which is not signed: anybody may post anything.
const TELLS_EVERY: Duration = Duration::from_mins(1);

/// Where one connection's notifications come in.
pub(crate) struct Callback {
    pub(crate) connection: ConnectionName,
    pub(crate) division: u32,
    pub(crate) secret: SecretString,
    /// The entities that are collected.
    pub(crate) entities: BTreeSet<EntityName>,
    pub(crate) gathered: Gathered,
    pub(crate) metrics: Arc<Metrics>,
}

/// The hints that have come and were not passed on yet. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Gathered {
    waiting: Arc<Mutex<BTreeSet<(EntityName, Hint)>>>,
    some: Arc<Notify>,
}

impl Gathered {
    fn add(&self, entity: EntityName, hint: Hint) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert((entity, hint));
        self.some.notify_one();
    }

    fn take(&self) -> BTreeSet<(EntityName, Hint)> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Passes hints on to whichever replica collects, each kind once however many came within `gather`.
    pub(crate) async fn pass_on<S: Store>(
        self,
        hints: Hints<S>,
        gather: Duration,
        stop: CancellationToken,
    ) -> Result<(), Infallible> {
        let gathered = async || {
            self.some.notified().await;
            sleep(gather).await;
        };
        while stop.run_until_cancelled(gathered()).await.is_some() {
            for (entity, hint) in self.take() {
                if let Err(error) = hints.tell(&entity, hint).await {
                    tracing::warn!(%entity, error = %Chain(&error), "a hint is lost, and the next poll makes up for it");
                }
            }
        }
        Ok(())
    }
}

struct Listener {
    /// By the path that they are posted to.
    callbacks: BTreeMap<String, Callback>,
    room: Semaphore,
    told: Mutex<BTreeMap<ConnectionName, Instant>>,
}

/// Takes in what is posted to the paths of the callbacks, until `stop`.
pub(crate) async fn serve(
    listener: TcpListener,
    callbacks: BTreeMap<String, Callback>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let state = Listener { callbacks, room: Semaphore::new(POSTS_MAX), told: Mutex::default() };
    let routes = Router::new().fallback(taken_in).with_state(Arc::new(state));
    axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn taken_in(State(listener): State<Arc<Listener>>, request: Request) -> StatusCode {
    let Some(callback) = listener.callbacks.get(request.uri().path()) else {
        return StatusCode::NOT_FOUND;
    };
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let Ok(_room) = listener.room.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body = if length.is_some_and(|length: u64| length > NOTIFICATION_BYTES_MAX as u64) {
        Ok(Err(NotificationError::TooLarge))
    } else {
        timeout(BODY_WITHIN, read(request.into_body())).await
    };
    let Ok(body) = body else { return StatusCode::REQUEST_TIMEOUT };
    listener.answer(callback, body)
}

/// A body that breaks off is taken for too large: nobody is left to read the answer.
async fn read(body: Body) -> Result<Vec<u8>, NotificationError> {
    let bytes = to_bytes(body, NOTIFICATION_BYTES_MAX).await;
    bytes.map(Vec::from).map_err(|_| NotificationError::TooLarge)
}

impl Listener {
    fn answer(&self, callback: &Callback, body: Result<Vec<u8>, NotificationError>) -> StatusCode {
        // The empty body by which Exact tries an address.
        let judged = match body {
            Ok(body) if body.is_empty() => Ok(None),
            body => body
                .and_then(|body| Notification::judge(&body, &callback.secret, callback.division))
                .map(Some),
        };
        let (status, result) = match judged {
            Ok(None) => (StatusCode::OK, WebhookResult::Validation),
            Ok(Some(notification)) => (StatusCode::OK, callback.take(&notification)),
            Err(refused) if refused.is_authentic() => {
                tracing::debug!(connection = %callback.connection, error = %refused, "a notification is ignored");
                (StatusCode::OK, WebhookResult::Ignored)
            }
            Err(refused) => {
                self.tell(callback, &refused);
                match refused {
                    NotificationError::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, WebhookResult::TooLarge),
                    _ => (StatusCode::UNAUTHORIZED, WebhookResult::Forged),
                }
            }
        };
        callback.metrics.count_webhook(callback.connection.as_str(), result);
        status
    }

    /// Tells that something is refused, now and then.
    fn tell(&self, callback: &Callback, refused: &NotificationError) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(&callback.connection).is_none_or(|at| now >= *at + TELLS_EVERY) {
            told.insert(callback.connection.clone(), now);
            tracing::warn!(connection = %callback.connection, error = %refused, "a post to the webhooks is refused");
        }
    }
}

impl Callback {
    fn take(&self, notification: &Notification) -> WebhookResult {
        let name = notification.entity.name;
        let Some(entity) = self.entities.iter().find(|entity| entity.as_str() == name) else {
            return WebhookResult::Ignored;
        };
        tracing::debug!(
            connection = %self.connection, %entity, is_of_line = notification.is_of_line,
            action = ?notification.action, "exact online tells of a change"
        );
        let hint = match notification.action {
            Action::Create | Action::Update => Hint::Changed,
            Action::Delete => Hint::Deleted,
        };
        self.gathered.add(entity.clone(), hint);
        WebhookResult::Hint
    }
}
