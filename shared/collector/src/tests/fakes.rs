//! A system that is a list of changes, and a broker that fails when it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use broker::{Broker, BrokerError, InProcess, InProcessSubscription, Outgoing};
use contract::Topology;
use model::{EntityName, FailureClass, Record, UserId};
use store::Embedded;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{SYSTEM, connection, entity, other_entity, user};
use crate::{Hint, Lists, Page, Source, kept_cursor};

/// How many records a page of the system holds.
const PAGE: usize = 2;

/// What was asked of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Ourselves,
    People,
    Lists,
    Page(Option<String>),
}

/// A system whose cursor is how many of its changes have been read. Clones are the same system.
#[derive(Clone, Default)]
pub(super) struct Changes {
    state: Arc<Mutex<State>>,
    /// Told when a page that is held may be answered.
    resume: Arc<Notify>,
}

#[derive(Default)]
struct State {
    changes: Vec<Record>,
    calls: Vec<(Instant, Call)>,
    hinted: Vec<Hint>,
    failures: VecDeque<FailureClass>,
    people_failures: VecDeque<FailureClass>,
    list_failures: VecDeque<FailureClass>,
    units: BTreeMap<String, String>,
    held: Vec<Option<String>>,
}

/// A failure as it was scripted.
#[derive(Debug, thiserror::Error)]
#[error("the system says no")]
pub(super) struct Refused(FailureClass);

impl Changes {
    pub(super) fn of(changes: Vec<Record>) -> Self {
        let system = Self::default();
        system.add(changes);
        system
    }

    pub(super) fn add(&self, changes: Vec<Record>) {
        self.state.lock().unwrap().changes.extend(changes);
    }

    /// The next pages fail like this, one after the other.
    pub(super) fn fail(&self, failures: &[FailureClass]) {
        self.state.lock().unwrap().failures.extend(failures);
    }

    /// The next questions for the users fail like this.
    pub(super) fn fail_people(&self, failures: &[FailureClass]) {
        self.state.lock().unwrap().people_failures.extend(failures);
    }

    /// The next questions for the lists fail like this.
    pub(super) fn fail_lists(&self, failures: &[FailureClass]) {
        self.state.lock().unwrap().list_failures.extend(failures);
    }

    /// The system's list of units: this one only.
    pub(super) fn list_unit(&self, code: &str, id: &str) {
        self.state.lock().unwrap().units = [(code.to_owned(), id.to_owned())].into();
    }

    /// How often this was asked.
    pub(super) fn count(&self, call: &Call) -> usize {
        self.calls().iter().filter(|made| *made == call).count()
    }

    /// The page after this cursor is answered only after [`Changes::resume`], and then once.
    pub(super) fn hold(&self, cursor: Option<&str>) {
        self.state.lock().unwrap().held.push(cursor.map(str::to_owned));
    }

    pub(super) fn resume(&self) {
        self.resume.notify_one();
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.iter().map(|(_, call)| call.clone()).collect()
    }

    /// The cursors that pages were asked for after, and when.
    pub(super) fn pages(&self) -> Vec<(Instant, Option<String>)> {
        let state = self.state.lock().unwrap();
        let pages = state.calls.iter().filter_map(|(at, call)| match call {
            Call::Page(cursor) => Some((*at, cursor.clone())),
            Call::Ourselves | Call::People | Call::Lists => None,
        });
        pages.collect()
    }

    /// The hints that the collector passed on.
    pub(super) fn hinted(&self) -> Vec<Hint> {
        self.state.lock().unwrap().hinted.clone()
    }

    fn called(&self, call: Call) {
        self.state.lock().unwrap().calls.push((Instant::now(), call));
    }
}

impl Source for Changes {
    type Error = Refused;

    fn class(error: &Refused) -> FailureClass {
        error.0
    }

    async fn ourselves(&self) -> Result<UserId, Refused> {
        self.called(Call::Ourselves);
        Ok(user("tandem"))
    }

    async fn page(&self, asked: &EntityName, cursor: Option<&str>) -> Result<Page, Refused> {
        assert!([entity(), other_entity()].contains(asked), "{asked}");
        self.called(Call::Page(cursor.map(str::to_owned)));
        let held = {
            let held = &mut self.state.lock().unwrap().held;
            let asked = held.iter().position(|held| held.as_deref() == cursor);
            asked.map(|asked| held.remove(asked))
        };
        if held.is_some() {
            self.resume.notified().await;
        }
        let mut state = self.state.lock().unwrap();
        if let Some(class) = state.failures.pop_front() {
            return Err(Refused(class));
        }
        let from: usize = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let to = state.changes.len().min(from + PAGE);
        let (records, more) = (state.changes[from..to].to_vec(), to < state.changes.len());
        Ok(Page { records, cursor: to.to_string(), more })
    }

    fn hinted(&self, hint: Hint) {
        self.state.lock().unwrap().hinted.push(hint);
    }

    async fn people(&self) -> Result<BTreeMap<UserId, String>, Refused> {
        self.called(Call::People);
        match self.state.lock().unwrap().people_failures.pop_front() {
            Some(class) => Err(Refused(class)),
            None => Ok([(user("somebody"), "Somebody@example.com".to_owned())].into()),
        }
    }

    async fn lists(&self) -> Result<Lists, Refused> {
        self.called(Call::Lists);
        let mut state = self.state.lock().unwrap();
        match state.list_failures.pop_front() {
            Some(class) => Err(Refused(class)),
            None => Ok([("units".to_owned(), state.units.clone())].into()),
        }
    }
}

/// A broker that notes where the cursor stood at each publication, and that may lose a confirmation.
#[derive(Clone)]
pub(super) struct Watching {
    pub(super) inner: InProcess,
    store: Embedded,
    watched: Arc<Mutex<Watched>>,
}

#[derive(Default)]
struct Watched {
    cursors: Vec<Option<String>>,
    /// The next publication waits for this, as in a process that is stopped for a while.
    stalled: Option<Arc<Notify>>,
    /// Of the next publication only so many messages arrive, and then it fails.
    lost_after: Option<usize>,
}

impl Watching {
    pub(super) fn new(store: Embedded) -> Self {
        Self { inner: InProcess::new(), store, watched: Arc::default() }
    }

    /// The next publication fails once this many of its messages have arrived.
    pub(super) fn lose_after(&self, messages: usize) {
        self.watched.lock().unwrap().lost_after = Some(messages);
    }

    /// The next publication goes on only when the answer is notified.
    pub(super) fn stall(&self) -> Arc<Notify> {
        let resume = Arc::new(Notify::new());
        self.watched.lock().unwrap().stalled = Some(Arc::clone(&resume));
        resume
    }

    /// Where the cursor stood at each publication so far.
    pub(super) fn cursors(&self) -> Vec<Option<String>> {
        self.watched.lock().unwrap().cursors.clone()
    }
}

impl Broker for Watching {
    type Subscription = InProcessSubscription;

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, mut messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        let cursor = kept_cursor(&self.store, "test", &connection(), SYSTEM, &entity()).await.unwrap();
        let (lost_after, stalled) = {
            let mut watched = self.watched.lock().unwrap();
            watched.cursors.push(cursor);
            (watched.lost_after.take(), watched.stalled.take())
        };
        if let Some(resume) = stalled {
            resume.notified().await;
        }
        let Some(arrived) = lost_after else { return self.inner.publish(messages).await };
        messages.truncate(arrived);
        self.inner.publish(messages).await?;
        Err(BrokerError::Lost { doing: "publish".to_owned(), source: None })
    }

    async fn subscribe(&self, queue: &str, prefetch: u16) -> Result<InProcessSubscription, BrokerError> {
        self.inner.subscribe(queue, prefetch).await
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        self.inner.depth(queue).await
    }

    async fn reachable(&self) -> Result<(), BrokerError> {
        self.inner.reachable().await
    }
}
