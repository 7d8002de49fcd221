//! One collector at work.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use broker::Broker;
use contract::Topology;
use model::{ConnectionName, EntityName, FailureClass, System, UserId};
use service::{Backoff, Check as HealthCheck, Context, Health, Pulse, ServiceError, supervise};
use store::{Applied, Batch, Change, Check, Entry, Key, Leased, Store, StoreError};
use telemetry::{Chain, Metrics};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::hints::Seen;
use crate::pace::Window;
use crate::state::State;
use crate::{Callbacks, CollectorError, Hints, Pace, Source};

/// A collector that shows no sign of life for this long is replaced.
const LEASE: Duration = Duration::from_secs(15);
/// How often a collector that rests between two polls renews its lease.
const RENEWED_EVERY: Duration = Duration::from_secs(5);
/// How often a collector that stands by looks whether it is needed.
const STANDBY: Duration = Duration::from_secs(3);
/// How long a connection that refuses us rests before it is tried again, so that a repair is noticed.
const REFUSED_REST: Duration = Duration::from_secs(30);

/// What a collector works with.
#[derive(Clone)]
pub struct Ports<B, S> {
    /// The broker.
    pub broker: B,
    /// The store.
    pub store: S,
    /// Whether the broker forgets its messages when the process ends: then each start begins with a full read.
    pub broker_forgets: bool,
    /// Where systems post what they tell of by themselves: the same ones for all collectors of a process.
    pub callbacks: Callbacks<S>,
}

impl<B: Broker, S: Store> Ports<B, S> {
    /// Runs the collectors of each connection, which `start` starts, and the port that their systems post to, until the
    /// context says stop.
    ///
    /// The collectors of a connection that begin again in this process go on at their cursors: what they published before
    /// is still in the broker.
    pub async fn for_each_connection<F>(
        self,
        context: Context,
        start: impl Fn(Self, Context) -> F,
    ) -> Result<(), ServiceError>
    where
        F: Future<Output = Result<(), ServiceError>> + Send + 'static,
    {
        let callbacks = self.callbacks.clone();
        let mut begun = BTreeSet::new();
        let collecting = service::for_each_connection(context.clone(), |context| {
            let names = context.config.connections.iter().map(|connection| connection.name.clone());
            let before = begun.len();
            begun.extend(names);
            let broker_forgets = self.broker_forgets && begun.len() > before;
            start(Self { broker_forgets, ..self.clone() }, context)
        });
        let (served, collected) = tokio::join!(callbacks.serve(context), collecting);
        served.and(collected)
    }
}

/// The collector of one entity of one connection.
pub struct Collector<B, S, R> {
    /// What it works with.
    pub ports: Ports<B, S>,
    /// The system.
    pub source: R,
    /// The deployment's namespace.
    pub namespace: String,
    /// The topology of the deployment.
    pub topology: Topology,
    /// The connection.
    pub connection: ConnectionName,
    /// Which system it is.
    pub system: System,
    /// The entity.
    pub entity: EntityName,
    /// How often to ask for changes.
    pub pace: Pace,
    /// Where it tells how it stands.
    pub health: Health,
    /// Where it counts.
    pub metrics: Arc<Metrics>,
    /// When to stop.
    pub stop: CancellationToken,
}

impl<B: Broker, S: Store, R: Source> Collector<B, S, R> {
    /// Collects until `stop`. A system that fails or refuses us holds up this connection only.
    pub async fn run(self) -> Result<(), CollectorError> {
        let name = format!("{} {} {}", self.connection, self.system, self.entity);
        let holder = ambient::new_id().to_string();
        if self.ports.broker_forgets {
            self.forget(&name).await?;
        }
        let ended =
            supervise(&name, &self.stop, Backoff::SESSION, &self.health, || self.session(&name, &holder))
                .await;
        if let Err(error) = self.ports.store.release(&self.lease_key(), &holder).await {
            tracing::warn!(collector = name, error = %Chain(&error), "the lease runs out by itself");
        }
        self.metrics.forget_poll_age(self.connection.as_str(), self.system.name(), self.entity.as_str());
        ended
    }

    /// Forgets the cursor, so that everything is read again. Tries it once though the stop has come already: one that
    /// begins again in this process relies on it.
    async fn forget(&self, name: &str) -> Result<(), CollectorError> {
        let forgotten = || async {
            let batch = Batch::new().then(Change::Delete(self.cursor_key()));
            match self.ports.store.apply(batch).await? {
                Applied::Done { .. } | Applied::Refused(_) => Ok::<_, CollectorError>(()),
            }
        };
        if forgotten().await.is_ok() {
            return Ok(());
        }
        supervise(name, &self.stop, Backoff::SESSION, &self.health, forgotten).await
    }

    async fn session(&self, name: &str, holder: &str) -> Result<(), CollectorError> {
        // A collector may be the first of all services to start; what it publishes needs somewhere to go.
        self.ports.broker.declare(&self.topology).await?;
        let mut session = Session {
            ours: None,
            directory_read: None,
            pulse: self.health.pulse(name),
            is_told: false,
            seen: None,
            window: self.pace.hinted.map(Window::new),
            has_found: false,
            has_found_edit: false,
            found_nothing: 0,
        };
        loop {
            session.pulse.beat();
            let rest = match self.turn(&mut session, holder).await {
                Ok(Turn::More) => continue,
                Ok(Turn::Done) => {
                    self.health.set(name, HealthCheck::Ok);
                    self.metrics.set_poll_age(
                        self.connection.as_str(),
                        self.system.name(),
                        self.entity.as_str(),
                        Duration::ZERO,
                    );
                    session.ends_poll();
                    self.metrics.set_poll_interval(
                        self.connection.as_str(),
                        self.system.name(),
                        self.entity.as_str(),
                        self.pace.poll(session.is_told, session.found_nothing),
                    );
                    Rest::UntilPoll
                }
                Ok(Turn::Stopped) => return Ok(()),
                Ok(Turn::Standby) => {
                    self.health.set(name, HealthCheck::Ok);
                    self.metrics.forget_poll_age(
                        self.connection.as_str(),
                        self.system.name(),
                        self.entity.as_str(),
                    );
                    Rest::For(STANDBY)
                }
                Err(CollectorError::Source { class: FailureClass::Auth, source }) => {
                    // The directory may have been refused with all the rest, and is repaired with it.
                    session.directory_read = None;
                    let reason = Chain(&*source).to_string();
                    tracing::error!(
                        connection = %self.connection, system = %self.system, error = reason,
                        "the connection is refused and rests until it is repaired; the others go on"
                    );
                    self.health.set(name, HealthCheck::Resting(reason));
                    Rest::For(REFUSED_REST)
                }
                Err(CollectorError::Source { class: FailureClass::Throttled { after }, .. }) => {
                    Rest::For(after)
                }
                Err(error) => return Err(error),
            };
            if !self.rest(&mut session, holder, rest).await? {
                return Ok(());
            }
        }
    }

    /// Waits, with signs of life, and keeps the lease meanwhile: who stands by would else poll in between. A hint ends the
    /// wait for the next poll. `false` when the service stops.
    async fn rest(&self, session: &mut Session, holder: &str, rest: Rest) -> Result<bool, CollectorError> {
        let begun = Instant::now();
        let mut renewed = begun;
        loop {
            session.pulse.beat();
            // Whether changes are told may turn out otherwise at any time, and with it when the next poll is due.
            let until = match rest {
                Rest::For(time) => begun + time,
                Rest::UntilPoll => begun + self.pace.poll(session.is_told, session.found_nothing),
            };
            if Instant::now() >= until {
                break;
            }
            let look =
                self.pace.hinted.filter(|_| rest == Rest::UntilPoll).map(|pace| Instant::now() + pace.look);
            let slice = until.min(renewed + RENEWED_EVERY);
            let slice = look.map_or(slice, |look| look.min(slice));
            if self.stop.run_until_cancelled(tokio::time::sleep_until(slice)).await.is_none() {
                return Ok(false);
            }
            let now = Instant::now();
            if now < until && now >= renewed + RENEWED_EVERY {
                if self.ports.store.lease(&self.lease_key(), holder, LEASE).await? == Leased::Taken {
                    break;
                }
                renewed = now;
            }
            if look.is_some() && self.is_hinted(session).await? {
                break;
            }
        }
        Ok(!self.stop.is_cancelled())
    }

    /// Whether a hint leads to a read at this moment.
    async fn is_hinted(&self, session: &mut Session) -> Result<bool, CollectorError> {
        let seen = self.hints().look(&self.entity).await?;
        session.is_told = seen.is_told;
        let is_new = session.seen.is_some_and(|before| seen.since(&before).is_some());
        let (now, Some(window)) = (Instant::now(), &mut session.window) else { return Ok(false) };
        if is_new && window.is_open(now) {
            window.read(now);
            return Ok(true);
        }
        Ok(window.looks_again(now))
    }

    /// What was hinted at until now is in what is read from now on.
    async fn take_up_hints(&self, session: &mut Session) -> Result<(), CollectorError> {
        if self.pace.hinted.is_none() {
            return Ok(());
        }
        let seen = self.hints().look(&self.entity).await?;
        session.is_told = seen.is_told;
        if let Some(hint) = session.seen.and_then(|before| seen.since(&before)) {
            self.source.hinted(hint);
        }
        session.seen = Some(seen);
        Ok(())
    }

    fn hints(&self) -> Hints<S> {
        Hints::new(self.ports.store.clone(), &self.namespace, &self.connection, self.system)
    }

    /// Does what may take longer than a lease lasts, with signs of life, and keeps the lease meanwhile. The work is never
    /// cut off, for it may be renewing a grant; whether the lease is still ours is checked when the cursor is kept.
    pub(crate) async fn holding<T>(&self, pulse: &Pulse, holder: &str, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            if let Ok(done) = tokio::time::timeout(RENEWED_EVERY, &mut work).await {
                return done;
            }
            pulse.beat();
            match self.ports.store.lease(&self.lease_key(), holder, LEASE).await {
                Ok(Leased::Held { .. } | Leased::Taken) => {}
                Err(error) => tracing::warn!(error = %Chain(&error), "the lease could not be renewed"),
            }
        }
    }

    /// Takes one page from the system to the broker.
    async fn turn(&self, session: &mut Session, holder: &str) -> Result<Turn, CollectorError> {
        let lease = match self.ports.store.lease(&self.lease_key(), holder, LEASE).await? {
            Leased::Held { token } => Check::Lease { key: self.lease_key(), token },
            Leased::Taken => return Ok(Turn::Standby),
        };
        self.take_up_hints(session).await?;
        let ours = self.ourselves(session, holder).await?;
        let entry = self.ports.store.get(&self.cursor_key()).await?;
        self.read_directory(session, holder, entry.is_none()).await?;
        let mut state = match &entry {
            Some(entry) => self.state(entry)?,
            None => State::start(),
        };
        let page = self.source.page(&self.entity, state.cursor.as_deref());
        let page = self.holding(&session.pulse, holder, page).await.map_err(failed::<R>)?;
        session.has_found |= !page.records.is_empty();
        session.has_found_edit |=
            page.records.iter().any(|record| record.modified_by.as_ref() != Some(&ours));
        let (unchanged, more) =
            (page.records.is_empty() && state.cursor.as_deref() == Some(&page.cursor), page.more);
        if !self.holding(&session.pulse, holder, self.publish(&page, &mut state, &ours)).await? {
            return Ok(Turn::Stopped);
        }
        state.cursor = Some(page.cursor);
        if !more && let Some(read) = state.full_read.take() {
            self.holding(&session.pulse, holder, self.publish_end(read)).await?;
        } else if unchanged {
            return Ok(Turn::Done);
        }
        self.keep(entry, &state, lease).await?;
        Ok(if more { Turn::More } else { Turn::Done })
    }

    async fn ourselves(&self, session: &mut Session, holder: &str) -> Result<UserId, CollectorError> {
        if let Some(ours) = &session.ours {
            return Ok(ours.clone());
        }
        let ours = self.holding(&session.pulse, holder, self.source.ourselves());
        let ours = ours.await.map_err(failed::<R>)?;
        session.ours = Some(ours.clone());
        Ok(ours)
    }

    /// Keeps the cursor, if it is still ours to keep.
    async fn keep(&self, entry: Option<Entry>, state: &State, lease: Check) -> Result<(), CollectorError> {
        let key = self.cursor_key();
        let value = serde_json::to_string(state).expect("a collector's state holds only texts and ids");
        let seen = match entry {
            Some(entry) => Check::Revision(key.clone(), entry.revision),
            None => Check::Absent(key.clone()),
        };
        let batch = Batch::new().when(lease).when(seen).then(Change::Set { key, value });
        match self.ports.store.apply(batch).await? {
            Applied::Done { .. } => Ok(()),
            Applied::Refused(_) => Err(CollectorError::TakenOver),
        }
    }

    fn state(&self, entry: &Entry) -> Result<State, CollectorError> {
        serde_json::from_str(&entry.value).map_err(|_| {
            CollectorError::Store(StoreError::Corrupt {
                key: self.cursor_key(),
                what: "it is no cursor".to_owned(),
            })
        })
    }

    fn key(&self, parts: &[&str]) -> Key {
        Key::of(&self.namespace, self.connection.as_str(), parts)
    }

    fn cursor_key(&self) -> Key {
        self.key(&["cursor", self.system.name(), self.entity.as_str()])
    }

    pub(crate) fn directory_key(&self) -> Key {
        self.key(&["directory", self.system.name()])
    }

    fn lease_key(&self) -> Key {
        self.key(&["collector", self.system.name(), self.entity.as_str()])
    }
}

/// The connector's own cursor of an entity, as its collector last kept it; `None` while nothing has been read.
pub async fn kept_cursor<S: Store>(
    store: &S,
    namespace: &str,
    connection: &ConnectionName,
    system: System,
    entity: &EntityName,
) -> Result<Option<String>, StoreError> {
    let key = Key::of(namespace, connection.as_str(), &["cursor", system.name(), entity.as_str()]);
    let entry = store.get(&key).await?;
    Ok(entry
        .and_then(|entry| serde_json::from_str::<State>(&entry.value).ok())
        .and_then(|state| state.cursor))
}

enum Turn {
    More,
    Done,
    Standby,
    /// The service stops, and what was begun is read again.
    Stopped,
}

/// What comes between two turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// The time until the next poll is due, or a hint leads to one.
    UntilPoll,
    /// So long, whatever is hinted at.
    For(Duration),
}

/// What a collector knows until its session ends.
pub(crate) struct Session {
    ours: Option<UserId>,
    /// When the directory was read last.
    pub(crate) directory_read: Option<Instant>,
    pub(crate) pulse: Pulse,
    /// Whether the system tells of changes by itself at present.
    pub(crate) is_told: bool,
    /// The hints that were there when the last read began.
    seen: Option<Seen>,
    /// When hints may lead to a read; `None` where there never are any.
    window: Option<Window>,
    /// Whether anything was read since the last rest.
    has_found: bool,
    /// Whether anything that is not by us was.
    has_found_edit: bool,
    /// How many polls in a row found no edit.
    found_nothing: u32,
}

impl Session {
    fn ends_poll(&mut self) {
        let has_found = std::mem::take(&mut self.has_found);
        if let Some(window) = &mut self.window {
            window.found(has_found);
        }
        let has_found_edit = std::mem::take(&mut self.has_found_edit);
        self.found_nothing = if has_found_edit { 0 } else { self.found_nothing.saturating_add(1) };
    }
}

pub(crate) fn failed<R: Source>(error: R::Error) -> CollectorError {
    CollectorError::Source { class: R::class(&error), source: Box::new(error) }
}
