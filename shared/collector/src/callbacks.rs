//! The port that systems post their notifications to.
//!
//! There is one for each process, whichever of its services' systems post to it: a path belongs to one system of one
//! connection. A notification is a hint and nothing else, and is answered before anything is done about it. What is not
//! signed is refused without a word of why; what is signed and none of ours is accepted, because whoever sent it would
//! repeat it. Bodies are bounded while they are read, in size, in time and in number.

mod gathered;
mod posted;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Method, StatusCode};
use service::{Check, Context, ServiceError, Tasks};
use store::Store;
use telemetry::{Chain, Metrics, WebhookResult};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use crate::Hints;
use gathered::Gathered;
pub use posted::{Delivery, Judge, Posted, Refusal};

/// Posts that are read at once, at most.
const POSTS_MAX: usize = 256;
/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How often it is told that something came which is refused: anybody may post anything.
const TELLS_EVERY: Duration = Duration::from_mins(1);
/// How soon it is tried again to open the port, where it can't be opened once the process runs.
const OPENS_AGAIN: Duration = Duration::from_secs(5);
/// The check of the port.
const CHECK: &str = "webhooks";

/// Where the systems of a process's connections post to. Clones share them, and the port.
#[derive(Clone)]
pub struct Callbacks<S>(Arc<Shared<S>>);

struct Shared<S> {
    /// By the path that is posted to.
    callbacks: RwLock<BTreeMap<String, Arc<Receiving<S>>>>,
    /// A callback was added.
    added: Notify,
    room: Semaphore,
    /// Whether one of the process's services sees to the port.
    is_served: AtomicBool,
}

/// Where one connection's system posts to.
pub struct Callback<S> {
    /// The path of the address. No other callback has it.
    pub path: String,
    /// Whose hints follow from its notifications.
    pub hints: Hints<S>,
    /// The largest body that is looked at.
    pub bytes_max: usize,
    /// Says what a post is.
    pub judge: Judge,
    /// For how long notifications are gathered before they become one hint.
    pub gather: Duration,
}

/// A callback at work.
struct Receiving<S> {
    callback: Callback<S>,
    gathered: Gathered,
    metrics: Arc<Metrics>,
    /// When it was last told that a post is refused.
    told: Mutex<Option<Instant>>,
}

/// The body is larger than any notification, or it broke off.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {bytes_max} bytes, and no notification is")]
struct TooLarge {
    bytes_max: usize,
}

impl<S> Default for Callbacks<S> {
    /// None yet, and no port.
    fn default() -> Self {
        let room = Semaphore::new(POSTS_MAX);
        let (callbacks, added, is_served) = (RwLock::default(), Notify::new(), AtomicBool::new(false));
        Self(Arc::new(Shared { callbacks, added, room, is_served }))
    }
}

impl<S: Store> Callbacks<S> {
    /// Takes in what is posted to the callback until the context says stop, and passes its hints on by a task of its own.
    pub fn add(&self, callback: Callback<S>, tasks: &mut Tasks, context: &Context) {
        let name = format!("{} {} hints", callback.hints.connection, callback.hints.system);
        let (gathered, metrics) = (Gathered::default(), Arc::clone(&context.metrics));
        let receiving = Arc::new(Receiving { callback, gathered, metrics, told: Mutex::default() });
        self.routes().insert(receiving.callback.path.clone(), Arc::clone(&receiving));
        self.0.added.notify_one();
        let (callbacks, stop) = (self.clone(), context.stop.clone());
        tasks.spawn(name, async move {
            let Receiving { callback, gathered, .. } = &*receiving;
            gathered.pass_on(&callback.hints, callback.gather, &stop).await;
            callbacks.routes().retain(|_, route| !Arc::ptr_eq(route, &receiving));
            // What came in that moment was accepted too.
            gathered.pass_on_rest(&callback.hints).await;
            Ok::<_, Infallible>(())
        });
    }

    /// Serves the port that the configuration names, from when a connection has webhooks until the context says stop. The
    /// first of a process's services that asks for it serves it for all of them: they end together.
    ///
    /// A port that can't be opened at the start ends the service. One that is asked for later, by a configuration that was
    /// read anew, is waited for.
    pub async fn serve(&self, mut context: Context) -> Result<(), ServiceError> {
        let (stop, at_start) = (context.stop.clone(), context.config.webhooks_listen);
        if self.0.is_served.swap(true, Ordering::Relaxed) {
            stop.cancelled().await;
            return Ok(());
        }
        let Some(listener) = stop.run_until_cancelled(self.listener(&mut context, at_start)).await else {
            return Ok(());
        };
        let served = match listener {
            Ok((listen, listener)) => {
                let routes = Router::new().fallback(taken_in::<S>).with_state((self.clone(), context));
                let served = axum::serve(listener, routes);
                let served = served.with_graceful_shutdown(stop.clone().cancelled_owned()).await;
                served.map_err(|source| ServiceError::WebhooksListener { listen, source })
            }
            Err(error) => Err(error),
        };
        // Nothing more can come in: what runs beside this ends too, in good order.
        stop.cancel();
        served
    }

    /// The port, once somebody is there to take in what is posted to it.
    async fn listener(
        &self,
        context: &mut Context,
        at_start: Option<SocketAddr>,
    ) -> Result<(SocketAddr, TcpListener), ServiceError> {
        self.0.added.notified().await;
        loop {
            let Some(listen) = context.config.webhooks_listen else {
                context.renewed().await;
                continue;
            };
            let opened = TcpListener::bind(listen).await;
            match opened.and_then(|listener| Ok((listener.local_addr()?, listener))) {
                Ok((address, listener)) => {
                    tracing::info!(%address, "webhooks listen");
                    context.health.forget(CHECK);
                    return Ok((listen, listener));
                }
                Err(source) => {
                    let error = ServiceError::WebhooksListener { listen, source };
                    if at_start == Some(listen) {
                        return Err(error);
                    }
                    let reason = Chain(&error).to_string();
                    tracing::error!(error = reason, "no webhooks come in");
                    context.health.set(CHECK, Check::Waiting(reason));
                    sleep(OPENS_AGAIN).await;
                }
            }
        }
    }

    fn routes(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<Receiving<S>>>> {
        self.0.callbacks.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, path: &str) -> Option<Arc<Receiving<S>>> {
        self.0.callbacks.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

async fn taken_in<S: Store>(
    State((callbacks, context)): State<(Callbacks<S>, Context)>,
    request: Request,
) -> StatusCode {
    let path = request.uri().path();
    let Some(receiving) = callbacks.find(path) else {
        // Its connection begins at this moment, or begins anew: the sender is asked to repeat it.
        let is_awaited = context.present().is_posted_to(path);
        return if is_awaited { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NOT_FOUND };
    };
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let Ok(_room) = callbacks.0.room.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let (head, body) = request.into_parts();
    let bytes_max = receiving.callback.bytes_max;
    let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body = if length.is_some_and(|length: u64| length > bytes_max as u64) {
        Ok(Err(TooLarge { bytes_max }))
    } else {
        timeout(BODY_WITHIN, read(body, bytes_max)).await
    };
    let Ok(body) = body else { return StatusCode::REQUEST_TIMEOUT };
    receiving.answer(&head.headers, body).await
}

/// A body that breaks off is taken for too large: nobody is left to read the answer.
async fn read(body: Body, bytes_max: usize) -> Result<Vec<u8>, TooLarge> {
    to_bytes(body, bytes_max).await.map(Vec::from).map_err(|_| TooLarge { bytes_max })
}

impl<S: Store> Receiving<S> {
    async fn answer(&self, headers: &HeaderMap, body: Result<Vec<u8>, TooLarge>) -> StatusCode {
        let posted = match body {
            Ok(body) => (self.callback.judge)(headers, &body),
            Err(error) => Posted::Refused { because: Refusal::TooLarge, error: Box::new(error) },
        };
        let hints = &self.callback.hints;
        let (status, result) = match posted {
            Posted::Changes { of, delivery } => match self.is_first(delivery).await {
                Some(true) => {
                    self.gathered.add(of);
                    (StatusCode::OK, WebhookResult::Hint)
                }
                Some(false) => (StatusCode::CONFLICT, WebhookResult::Replayed),
                None => return StatusCode::SERVICE_UNAVAILABLE,
            },
            Posted::Validation => (StatusCode::OK, WebhookResult::Validation),
            Posted::Ignored(why) => {
                tracing::debug!(
                    connection = %hints.connection, system = %hints.system, error = %Chain(&*why),
                    "a notification is ignored"
                );
                (StatusCode::OK, WebhookResult::Ignored)
            }
            Posted::Refused { because, error } => {
                self.tell(&*error);
                match because {
                    Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, WebhookResult::TooLarge),
                    Refusal::Forged => (StatusCode::UNAUTHORIZED, WebhookResult::Forged),
                    Refusal::Late => (StatusCode::UNAUTHORIZED, WebhookResult::Late),
                }
            }
        };
        self.metrics.count_webhook(hints.connection.as_str(), hints.system.name(), result);
        status
    }

    /// Whether it was not taken in before; `None` where that can't be told now, so that it is to be sent again.
    async fn is_first(&self, delivery: Option<Delivery>) -> Option<bool> {
        let Some(delivery) = delivery else { return Some(true) };
        let hints = &self.callback.hints;
        match hints.is_first(&delivery).await {
            Ok(is_first) => Some(is_first),
            Err(error) => {
                tracing::warn!(
                    connection = %hints.connection, system = %hints.system, error = %Chain(&error),
                    "whether a notification is new can't be told: its sender is asked to repeat it"
                );
                None
            }
        }
    }

    /// Tells that something is refused, now and then.
    fn tell(&self, error: &(dyn std::error::Error + 'static)) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| now >= at + TELLS_EVERY) {
            *told = Some(now);
            let hints = &self.callback.hints;
            tracing::warn!(
                connection = %hints.connection, system = %hints.system, error = %Chain(error),
                "a post to the webhooks is refused"
            );
        }
    }
}
