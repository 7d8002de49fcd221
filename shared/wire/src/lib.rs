//! One HTTP call to a system: timed, bounded, and told apart by what a missing answer may mean.
//!
//! Calls go over TCP, unless a simulation [carries](Carry) them on this thread: then no socket is opened, and the answer
//! comes from a system within the process.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Request, RequestBuilder, Response, StatusCode, redirect};
use tokio::task_local;
use tokio::time::{Instant, timeout};
use url::Url;

thread_local! {
    static CARRIER: RefCell<Option<Arc<dyn Carry>>> = const { RefCell::new(None) };
}

task_local! {
    static LATEST: Instant;
}

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(30);

/// What a call does over there, which decides what a missing answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Read,
    /// It changes a record.
    Write,
}

/// Whatever came back, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as text; what is no UTF-8 in it is replaced.
    pub body: String,
}

/// Why there is no answer. It never holds an address, because a filter has values in it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing left this machine, so nothing was done.
    #[error("no connection was made")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// It waited too long for its turn, and was not sent.
    #[error("the call was not sent: it must have left before")]
    Late,
    /// The call may have been carried out.
    #[error("the answer did not come, or not whole")]
    Lost(#[source] Box<dyn Error + Send + Sync>),
    /// The call was carried out, and its answer was not read.
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge {
        /// How much is read.
        bytes_max: usize,
    },
}

/// How long a call may take and how much an answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The longest time to connect.
    pub connect: Duration,
    /// The longest time for a whole call, its answer included.
    pub call: Duration,
    /// The largest answer that is read.
    pub body_bytes: usize,
}

/// Makes calls that must leave before this moment, which is when somebody else may make them: a call that waits for its
/// turn until then fails as [`Failure::Late`].
pub async fn leaving_before<T>(moment: Instant, calls: impl Future<Output = T>) -> T {
    LATEST.scope(moment, calls).await
}

/// Whether a call that is made here would still be sent.
pub fn may_leave() -> bool {
    LATEST.try_with(|moment| Instant::now() < *moment).unwrap_or(true)
}

/// What carries calls in place of TCP.
pub trait Carry: Send + Sync {
    /// Carries a call to whatever is at its address, and its answer back.
    fn carry(&self, call: Request) -> BoxFuture<'static, Result<Response, Failure>>;

    /// A client to make requests with, which is never asked to send one: it is costly to make.
    fn client(&self) -> Client;
}

/// Until the guard is dropped, every [`Wire`] that is made on this thread uses this carrier.
pub fn carried_by(carrier: Arc<dyn Carry>) -> Carried {
    CARRIER.set(Some(carrier));
    Carried(())
}

/// See [`carried_by`].
#[derive(Debug)]
#[must_use = "calls go over TCP again when this is dropped"]
pub struct Carried(());

impl Drop for Carried {
    fn drop(&mut self) {
        CARRIER.set(None);
    }
}

/// The way to a system. Clones share its connections.
#[derive(Clone)]
pub struct Wire {
    client: Client,
    carrier: Option<Arc<dyn Carry>>,
    bounds: Bounds,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Wire {
    /// A way that follows no redirect. Fails where no client can be made: on most machines this means that no root
    /// certificates were found.
    pub fn new(bounds: Bounds) -> Result<Self, reqwest::Error> {
        let carrier = CARRIER.with_borrow(Clone::clone);
        let client = match &carrier {
            Some(carrier) => carrier.client(),
            None => Client::builder()
                .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(bounds.connect)
                .pool_idle_timeout(IDLE)
                .redirect(redirect::Policy::none())
                .build()?,
        };
        Ok(Self { client, carrier, bounds })
    }

    /// A call, to be [sent](Self::send).
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Makes a call once.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        if !may_leave() {
            return Err(Failure::Late);
        }
        match timeout(self.bounds.call, self.answer(request)).await {
            Ok(answered) => answered,
            Err(elapsed) => Err(Failure::Lost(Box::new(elapsed))),
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let request = request.build().map_err(failure)?;
        let response = match &self.carrier {
            Some(carrier) => carrier.carry(request).await?,
            None => self.client.execute(request).await.map_err(failure)?,
        };
        let (status, headers) = (response.status(), response.headers().clone());
        match self.body(response).await {
            Ok(body) => Ok(Answer { status, headers, body }),
            // A refusal is one even if its words were lost on the way.
            Err(_) if !status.is_success() => Ok(Answer { status, headers, body: String::new() }),
            Err(failure) => Err(failure),
        }
    }

    async fn body(&self, mut response: Response) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if bytes.len() + chunk.len() > self.bounds.body_bytes {
                return Err(Failure::TooLarge { bytes_max: self.bounds.body_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if error.is_connect() || error.is_builder() {
        Failure::Unreachable(Box::new(error))
    } else {
        Failure::Lost(Box::new(error))
    }
}
