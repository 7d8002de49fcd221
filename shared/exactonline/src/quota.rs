//! The ledger that all replicas keep together, as one document in the store.
//!
//! What is decided is written only if the document is still the one that was decided on, and else decided anew. Each
//! process remembers the document as it last saw it, so a call that meets no other process costs one round trip: what an
//! ordinary answer tells is news to nobody, and goes with the next call.

use std::{mem, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Applied, Batch, Change, Check, Key, Store, StoreError};
use telemetry::Metrics;
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep},
};

use crate::{
    Error, Limits, Priority, Settings,
    ledger::{Counted, Granted, Ledger, Taken, Told, Why},
    settings::Clock,
};

#[cfg(test)]
mod tests;

/// The form of the document that this version writes and reads.
const VERSION: u32 = 1;

/// The budget of one connection. Clones share what they know of it.
#[derive(Clone)]
pub(crate) struct Quota<S> {
    inner: Arc<Inner<S>>,
    /// Where what is left is shown.
    metrics: Option<Arc<Metrics>>,
}

struct Inner<S> {
    store: S,
    key: Key,
    connection: String,
    limits: Limits,
    wait_max: Duration,
    clock: Clock,
    seen: Mutex<Seen>,
    /// A call came back, so another one may go to its endpoint.
    came_back: Notify,
}

/// The document as this process last saw it.
#[derive(Default)]
struct Seen {
    /// `None` before it was read at all.
    document: Option<Document>,
    /// Calls that came back with nothing new, which the store does not know yet.
    came_back: Vec<Granted>,
}

struct Document {
    ledger: Ledger,
    /// `None`: there is no document yet.
    revision: Option<u64>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    ledger: &'a Ledger,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    ledger: Ledger,
}

impl<S: Store> Quota<S> {
    pub(crate) fn new(settings: &Settings, store: S, clock: Clock) -> Self {
        let connection = settings.connection.as_str().to_owned();
        let inner = Inner {
            store,
            key: Key::of(&settings.namespace, &connection, &["exactonline", "ledger"]),
            connection,
            limits: settings.limits,
            wait_max: settings.wait_max,
            clock,
            seen: Mutex::default(),
            came_back: Notify::new(),
        };
        Self { inner: Arc::new(inner), metrics: None }
    }

    /// The same budget, which shows there what is left of it.
    pub(crate) fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// Takes one call, waiting a little for it if need be.
    pub(crate) async fn take(
        &self,
        priority: Priority,
        counted: Counted,
        endpoint: &str,
    ) -> Result<Granted, Error> {
        let last = Instant::now() + self.inner.wait_max;
        loop {
            let came_back = self.inner.came_back.notified();
            let limits = &self.inner.limits;
            let taken =
                self.change(|ledger, now| ledger.take(limits, now, priority, counted, endpoint)).await;
            let (until, why) = match taken.map_err(Error::Store)? {
                Taken::Granted(call) => return Ok(call),
                Taken::Wait { until, why } => (until, why),
            };
            let after = self.until(until);
            match why {
                Why::EndpointRests => {
                    return Err(Error::EndpointResting { endpoint: endpoint.to_owned(), after });
                }
                _ if Instant::now() + after > last => return Err(Error::QuotaSpent { after }),
                Why::EndpointCrowded => {
                    tokio::select! { biased; () = came_back => {}, () = sleep(after) => {} }
                }
                Why::Used => sleep(after).await,
            }
        }
    }

    /// A call came back without an answer.
    pub(crate) async fn unanswered(&self, call: Granted) -> Result<(), StoreError> {
        self.came_back(call, Ledger::came_back).await
    }

    /// A call was answered, and no error that Exact counts.
    pub(crate) async fn answered(&self, call: Granted, told: &Told) -> Result<(), StoreError> {
        let limits = &self.inner.limits;
        self.came_back(call, |ledger, call| ledger.told(limits, call, told)).await
    }

    /// A call was answered with an error that Exact counts.
    pub(crate) async fn failed(&self, call: &Granted, told: &Told) -> Result<(), StoreError> {
        let limits = &self.inner.limits;
        let failed = self.change(|ledger, now| ledger.failed(limits, call, told, now)).await;
        self.inner.came_back.notify_waiters();
        failed
    }

    /// A call was one too many; gives how long to wait.
    pub(crate) async fn exceeded(&self, call: &Granted, told: &Told) -> Result<Duration, StoreError> {
        let until = self.change(|ledger, now| ledger.exceeded(call, told, now)).await?;
        Ok(self.until(until))
    }

    /// The endpoint of a call is blocked; gives how long it rests.
    pub(crate) async fn blocked(&self, call: &Granted) -> Result<Duration, StoreError> {
        let until = self.change(|ledger, now| ledger.blocked(call, now)).await?;
        Ok(self.until(until))
    }

    /// Takes one call of the token endpoint.
    pub(crate) async fn take_token_call(&self) -> Result<(), Error> {
        let limits = &self.inner.limits;
        let taken = self.change(|ledger, now| ledger.take_token_call(limits, now)).await;
        taken.map_err(Error::Store)?.map_err(|until| Error::TokenTooEarly { after: self.until(until) })
    }

    /// Counts a call of the token endpoint that is made in any case.
    pub(crate) async fn count_token_call(&self) -> Result<(), StoreError> {
        self.change(Ledger::count_token_call).await
    }

    /// A call of the token endpoint ended; if not well, in a way that time heals.
    pub(crate) async fn token_call_ended(&self, well: bool) -> Result<(), StoreError> {
        self.change(|ledger, now| {
            if well {
                ledger.token_call_succeeded();
            } else {
                ledger.token_call_failed(now);
            }
        })
        .await
    }

    /// Books a call that came back. Unless that changes more than that it came back, or others should hear even that, it
    /// goes with the next call.
    async fn came_back(&self, call: Granted, book: impl Fn(&mut Ledger, &Granted)) -> Result<(), StoreError> {
        let mut seen = self.inner.seen.lock().await;
        let is_news = seen.document.as_ref().is_none_or(|document| {
            let (mut without, mut with) = (document.ledger.clone(), document.ledger.clone());
            without.came_back(&call);
            book(&mut with, &call);
            without != with || document.ledger.is_waited_for(&self.inner.limits, &call)
        });
        let booked = if is_news {
            drop(seen);
            self.change(|ledger, _| book(ledger, &call)).await
        } else {
            seen.came_back.push(call);
            Ok(())
        };
        self.inner.came_back.notify_waiters();
        booked
    }

    /// Decides on the ledger and keeps what it became. On a ledger that others have changed it is decided anew, and a
    /// decision that changes nothing is made on the newest one.
    async fn change<T>(&self, decide: impl Fn(&mut Ledger, Timestamp) -> T) -> Result<T, StoreError> {
        let mut seen = self.inner.seen.lock().await;
        let mut newest = false;
        loop {
            let document = match seen.document.take() {
                Some(document) => document,
                None => {
                    newest = true;
                    self.read().await?
                }
            };
            let mut ledger = document.ledger.clone();
            for call in &seen.came_back {
                ledger.came_back(call);
            }
            let before = ledger.clone();
            let decided = decide(&mut ledger, (self.inner.clock)());
            if ledger == before {
                if newest {
                    seen.document = Some(document);
                    return Ok(decided);
                }
                continue;
            }
            // Each refusal means that another one was served, so this ends.
            if let Some(revision) = self.write(&ledger, document.revision).await? {
                self.show(&ledger);
                seen.document = Some(Document { ledger, revision: Some(revision) });
                mem::take(&mut seen.came_back);
                return Ok(decided);
            }
        }
    }

    async fn read(&self) -> Result<Document, StoreError> {
        let Some(entry) = self.inner.store.get(&self.inner.key).await? else {
            return Ok(Document { ledger: Ledger::default(), revision: None });
        };
        let corrupt = |what: &str| StoreError::Corrupt { key: self.inner.key.clone(), what: what.to_owned() };
        let read: Read = serde_json::from_str(&entry.value).map_err(|_| corrupt("it is no ledger"))?;
        if read.version != VERSION {
            return Err(corrupt("it is a ledger of another version of Tandem"));
        }
        Ok(Document { ledger: read.ledger, revision: Some(entry.revision) })
    }

    /// Gives the new revision, or `None` if the document is another one by now.
    async fn write(&self, ledger: &Ledger, revision: Option<u64>) -> Result<Option<u64>, StoreError> {
        let key = self.inner.key.clone();
        let value = serde_json::to_string(&Written { version: VERSION, ledger })
            .expect("numbers and texts always have a JSON form");
        let check = match revision {
            None => Check::Absent(key.clone()),
            Some(revision) => Check::Revision(key.clone(), revision),
        };
        let batch = Batch::new().when(check).then(Change::Set { key, value });
        Ok(match self.inner.store.apply(batch).await? {
            Applied::Done { revision } => Some(revision),
            Applied::Refused(_) => None,
        })
    }

    fn show(&self, ledger: &Ledger) {
        let Some(metrics) = &self.metrics else { return };
        for (window, left) in ledger.left(&self.inner.limits, (self.inner.clock)()) {
            metrics.set_quota_left(&self.inner.connection, window, left.calls, left.ends_in);
        }
    }

    fn until(&self, moment: Timestamp) -> Duration {
        let left: SignedDuration = moment.duration_since((self.inner.clock)());
        Duration::try_from(left).unwrap_or_default().max(Duration::from_millis(100))
    }
}
