//! One lane at work: messages come from its queue and from what was laid aside, and each line gets its turn.

use std::time::Duration;

use broker::{
    ATTEMPT_HEADER, Broker, Delivery, ORIGIN_HEADER, Outgoing, REASON_HEADER, Settlement, Subscription,
};
use contract::{Lane, Message};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryFutureExt};
use jiff::Timestamp;
use service::{Pulse, Transient, steadily};
use store::{LinksError, Store};
use telemetry::{Chain, Processing, Settlement as Counted};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::aside::{Aside, Fetched, Task};
use crate::lines::{LineName, Lines, Turn};
use crate::work::{Handled, Work};
use crate::{Target, WriterError};

/// How often lines are looked at that do not get on.
const LOOK: Duration = Duration::from_millis(250);
/// How often it is looked whether anything is laid aside that this process does not know of: another one may have ended.
const FIND: Duration = Duration::from_secs(30);
/// How often this loop shows that it is alive.
const BEAT: Duration = Duration::from_secs(10);

/// One session of a lane.
pub(crate) struct Session<'a, B, S, T> {
    pub(crate) work: &'a Work<B, S, T>,
    pub(crate) lane: Lane,
    pub(crate) queue: String,
    /// Who fetches what was laid aside.
    pub(crate) holder: String,
    pub(crate) stop: &'a CancellationToken,
}

/// A task in hand, whichever way it came.
struct InHand<D> {
    line: LineName,
    task: Task,
    came: Came<D>,
}

enum Came<D> {
    /// From the queue.
    Queue(D),
    /// From what was laid aside.
    Aside {
        /// What it is on its schedule.
        entry: String,
    },
}

/// Something to do.
enum Doing<D> {
    Write(InHand<D>),
    LayAside(InHand<D>),
    Fetch(LineName, usize),
    Find,
    Refuse(D, String),
}

/// What has come of it.
enum Done<D> {
    /// A write has ended; its line rests where it must.
    Written(LineName, Option<Duration>),
    Fetched(LineName, Vec<InHand<D>>, bool),
    Found(Vec<LineName>),
    Settled,
}

impl<B: Broker, S: Store, T: Target> Session<'_, B, S, T> {
    /// Works until the service stops, or until something fails.
    pub(crate) async fn run<Q: Subscription>(&self, mut queue: Q, pulse: &Pulse) -> Result<(), WriterError> {
        let mut lines: Lines<InHand<Q::Delivery>> = Lines::new();
        let mut doing = FuturesUnordered::new();
        let mut beat = tokio::time::interval(BEAT);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut find = tokio::time::interval(FIND);
        loop {
            let stopping = self.stop.is_cancelled();
            if stopping && doing.is_empty() {
                return Ok(());
            }
            let now = Instant::now();
            tokio::select! {
                biased;
                _ = beat.tick() => {
                    pulse.beat();
                    self.work.refusals.forget();
                    lines.tidy(now);
                }
                () = self.stop.cancelled(), if !stopping => {}
                _ = look.tick(), if !stopping && lines.any_waits() => {
                    doing.extend(lines.overdue(now).into_iter().map(|late| self.act(Doing::LayAside(late))));
                    let hungry = lines.hungry(now).into_iter();
                    doing.extend(hungry.map(|(line, count)| self.act(Doing::Fetch(line, count))));
                }
                _ = find.tick(), if !stopping => doing.push(self.act(Doing::Find)),
                Some(done) = doing.next() => match done? {
                    Done::Written(line, rests) => {
                        if let Some(after) = rests {
                            let waiting = lines.rests(&line, now + after).into_iter();
                            doing.extend(waiting.map(|task| self.act(Doing::LayAside(task))));
                        }
                        // On a stop what waits in hand goes back to the queue.
                        doing.extend(lines.ended(&line).filter(|_| !stopping).map(|task| self.act(Doing::Write(task))));
                        let hungry = lines.hungry(now).into_iter().filter(|_| !stopping);
                        doing.extend(hungry.map(|(line, count)| self.act(Doing::Fetch(line, count))));
                    }
                    Done::Fetched(line, tasks, left) => {
                        lines.fetched(&line, tasks.len(), left, now);
                        doing.extend(tasks.into_iter().map(|task| self.act(Doing::Write(task))));
                    }
                    Done::Found(found) => found.iter().for_each(|line| lines.may_have_overflown(line)),
                    Done::Settled => {}
                },
                delivery = queue.next(), if !stopping => {
                    doing.extend(came(&mut lines, delivery?, now).map(|what| self.act(what)));
                }
            }
        }
    }

    async fn act<D: Delivery>(&self, doing: Doing<D>) -> Result<Done<D>, WriterError> {
        match doing {
            Doing::Write(in_hand) => self.write(in_hand).await,
            Doing::LayAside(in_hand) => self.lay_aside(in_hand, ambient::now()).await.map(|()| Done::Settled),
            Doing::Fetch(line, count) => self.fetch(line, count).await,
            Doing::Find => self.find().await,
            Doing::Refuse(delivery, reason) => {
                self.count(Counted::Dead, Some(&reason));
                delivery.settle(Settlement::DeadLetter { reason }).await?;
                Ok(Done::Settled)
            }
        }
    }

    /// Handles one task and settles it. An error leaves it unsettled: it comes again.
    async fn write<D: Delivery>(&self, in_hand: InHand<D>) -> Result<Done<D>, WriterError> {
        let Task { id, queued, attempt, headers } = &in_hand.task;
        let queue = &self.queue;
        let span = tracing::info_span!(
            "write", otel.kind = "consumer", otel.name = format!("write {queue}"), otel.status_code = Empty,
            messaging.system = B::SYSTEM, messaging.operation.name = "write",
            messaging.operation.type = "process", messaging.destination.name = queue,
            messaging.message.id = id, connection = %queued.connection, pair = %queued.pair,
            link = %queued.link, system = %self.work.system, attempt, outcome = Empty, error.type = Empty,
        );
        telemetry::continue_from(&span, headers);
        let begun = std::time::Instant::now();
        let handling = steadily(WriterError::is_of_store, || self.work.handle(queued, self.lane, *attempt));
        let handled = handling.instrument(span.clone()).await;
        let failed = failed(&handled);
        if let Some(error) = failed {
            span.record("error.type", error);
            span.record("otel.status_code", "ERROR");
        }
        let processing = Processing { system: B::SYSTEM, operation: "write", queue };
        self.work.metrics.observe_processing(&processing, failed, begun.elapsed().as_secs_f64());
        drop(span);
        let handled = match handled {
            Err(error) if !error.is_transient() => Handled::Bad(Chain(&error).to_string()),
            other => other?,
        };
        let line = in_hand.line.clone();
        match handled {
            Handled::Done => {
                self.settle(in_hand, Settlement::Acknowledge).await?;
                self.count(Counted::Done, None);
            }
            Handled::Later(tier, reason) => {
                self.settle(in_hand, Settlement::Retry { tier, reason }).await?;
                self.count(Counted::Retried, None);
            }
            Handled::Bad(reason) => {
                self.count(Counted::Dead, Some(&reason));
                self.settle(in_hand, Settlement::DeadLetter { reason }).await?;
            }
            // It stays unsettled, as what waits in hand does.
            Handled::Left => {}
            Handled::Rests(after) => {
                let until = ambient::now().checked_add(after).unwrap_or(Timestamp::MAX);
                self.lay_aside(in_hand, until).await?;
                return Ok(Done::Written(line, Some(after)));
            }
        }
        Ok(Done::Written(line, None))
    }

    /// What was laid aside has no delivery to settle: where it goes on, its message is written anew.
    async fn settle<D: Delivery>(
        &self,
        in_hand: InHand<D>,
        settlement: Settlement,
    ) -> Result<(), WriterError> {
        let entry = match in_hand.came {
            Came::Queue(delivery) => return Ok(delivery.settle(settlement).await?),
            Came::Aside { entry } => entry,
        };
        let Task { id, queued, attempt, mut headers } = in_hand.task;
        let names = &self.work.names;
        let goes_to = match settlement {
            Settlement::Acknowledge => None,
            Settlement::Return => Some((String::new(), self.queue.clone())),
            Settlement::Retry { tier, reason } => {
                headers.insert(ATTEMPT_HEADER.to_owned(), attempt.saturating_add(1).to_string());
                headers.insert(REASON_HEADER.to_owned(), reason);
                Some((names.retry_exchange(tier), self.queue.clone()))
            }
            Settlement::DeadLetter { reason } => {
                headers.extend(self.of_dead_letter(reason));
                Some((String::new(), names.dead_letters()))
            }
        };
        if let Some((exchange, routing_key)) = goes_to {
            let (message, at) = (Message::WriteQueued(queued), ambient::now());
            let event = uuid::Uuid::parse_str(&id).unwrap_or_else(|_| ambient::new_id());
            let body = message.write(event, &format!("writer-{}", self.work.system), at);
            self.work.broker.publish(vec![Outgoing { exchange, routing_key, id, headers, at, body }]).await?;
        }
        self.handled(&in_hand.line, &entry).await
    }

    fn of_dead_letter(&self, reason: String) -> [(String, String); 2] {
        [(REASON_HEADER.to_owned(), reason), (ORIGIN_HEADER.to_owned(), self.queue.clone())]
    }

    /// It lies in the store before it is acknowledged.
    async fn lay_aside<D: Delivery>(&self, in_hand: InHand<D>, until: Timestamp) -> Result<(), WriterError> {
        let aside = self.aside();
        in_store(|| aside.lay(&in_hand.line, &in_hand.task, until)).await?;
        if let Came::Queue(delivery) = in_hand.came {
            delivery.settle(Settlement::Acknowledge).await?;
        }
        self.count(Counted::LaidAside, None);
        Ok(())
    }

    async fn fetch<D: Delivery>(&self, line: LineName, count: usize) -> Result<Done<D>, WriterError> {
        let aside = self.aside();
        let (fetched, left) = in_store(|| aside.fetch(&line, &self.holder, count)).await?;
        let mut tasks = Vec::with_capacity(fetched.len());
        for Fetched { task, entry } in fetched {
            match task {
                Some(task) => tasks.push(InHand { line: line.clone(), task, came: Came::Aside { entry } }),
                None => self.bury(&line, &entry).await?,
            }
        }
        Ok(Done::Fetched(line, tasks, left))
    }

    /// What can't be read goes where people look at such things.
    async fn bury(&self, line: &LineName, entry: &str) -> Result<(), WriterError> {
        let reason = "what was laid aside can't be read: another version of Tandem wrote it";
        self.count(Counted::Dead, Some(reason));
        let letter = Outgoing {
            exchange: String::new(),
            routing_key: self.work.names.dead_letters(),
            id: String::new(),
            headers: self.of_dead_letter(reason.to_owned()).into(),
            at: ambient::now(),
            body: entry.as_bytes().to_vec(),
        };
        self.work.broker.publish(vec![letter]).await?;
        self.handled(line, entry).await
    }

    async fn handled(&self, line: &LineName, entry: &str) -> Result<(), WriterError> {
        let aside = self.aside();
        in_store(|| aside.handled(line, entry)).await
    }

    /// The lines of which something may be laid aside.
    async fn find<D: Delivery>(&self) -> Result<Done<D>, WriterError> {
        let mut found = Vec::new();
        for connection in self.work.connections.all().keys() {
            let aside = self.aside();
            let pairs = in_store(|| aside.ever(connection)).await?;
            found.extend(pairs.into_iter().map(|pair| LineName { connection: connection.clone(), pair }));
        }
        Ok(Done::Found(found))
    }

    fn aside(&self) -> Aside<'_, S> {
        Aside { links: &self.work.links, system: self.work.system, lane: self.lane }
    }

    fn count(&self, counted: Counted, reason: Option<&str>) {
        if let Some(reason) = reason {
            tracing::warn!(error = reason, "the write is set aside as a dead letter");
            self.work.metrics.count_dead_letter(&self.queue);
        }
        self.work.metrics.count_message(&self.queue, counted);
    }
}

/// How the handling of a message went wrong, if it did: what waits for its turn or a quota is well.
fn failed(handled: &Result<Handled, WriterError>) -> Option<&'static str> {
    match handled {
        Ok(Handled::Done | Handled::Rests(_) | Handled::Left) => None,
        Ok(Handled::Later(..)) => Some("retried"),
        Ok(Handled::Bad(_)) => Some("dead-letter"),
        Err(_) => Some("transient"),
    }
}

/// What is done in the store alone; once it failed for now, it is done again.
async fn in_store<T, F: Future<Output = Result<T, LinksError>>>(
    mut act: impl FnMut() -> F,
) -> Result<T, WriterError> {
    steadily(WriterError::is_of_store, || act().map_err(WriterError::from)).await
}

/// What a message that has come leads to at once.
fn came<D: Delivery>(lines: &mut Lines<InHand<D>>, delivery: D, now: Instant) -> Option<Doing<D>> {
    let queued = match Message::read(delivery.body()) {
        Ok(Message::WriteQueued(queued)) => queued,
        Ok(_) => return Some(Doing::Refuse(delivery, "the message is not a write".to_owned())),
        Err(error) => return Some(Doing::Refuse(delivery, Chain(&error).to_string())),
    };
    let line = LineName { connection: queued.connection.clone(), pair: queued.pair.clone() };
    let (id, attempt, headers) = (delivery.id().to_owned(), delivery.attempt(), delivery.headers().clone());
    let task = Task { id, queued, attempt, headers };
    let in_hand = InHand { line: line.clone(), task, came: Came::Queue(delivery) };
    match lines.came(&line, in_hand, now) {
        Turn::Begin(task) => Some(Doing::Write(task)),
        Turn::LayAside(task) => Some(Doing::LayAside(task)),
        Turn::Waits => None,
    }
}
