//! A broker within the process: the same promises as RabbitMQ's, kept for as long as the process lives.

mod state;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::Topology;
use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::state::{Accepted, Held, State, Taken};
use crate::message::Addressed;
use crate::{Broker, BrokerError, Delivery, Outgoing, Settlement, Subscription};

/// How many messages a queue holds, ready, resting and in hand together, when nothing else is said.
const QUEUE_MESSAGES_MAX: usize = 50_000;
/// How long publishing waits for room in a full queue.
const ROOM_TIMEOUT: Duration = Duration::from_secs(30);

/// A broker within the process. Clones share it; its messages end with the last of them.
///
/// It delays retries by the runtime's clock, which tests may pause.
#[derive(Clone)]
pub struct InProcess {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Told whenever a queue has become shorter.
    room: Notify,
}

/// The taking end of a queue of the in-process broker.
pub struct InProcessSubscription {
    broker: InProcess,
    queue: String,
    changed: Arc<Notify>,
    prefetch: Arc<Semaphore>,
}

/// A message in hand from the in-process broker.
pub struct InProcessDelivery {
    broker: InProcess,
    queue: String,
    /// Empty once it is settled.
    held: Held,
    settled: bool,
    _permit: OwnedSemaphorePermit,
}

impl InProcess {
    /// An empty broker whose queues hold 50,000 messages each.
    pub fn new() -> Self {
        Self::with_capacity(QUEUE_MESSAGES_MAX)
    }

    /// An empty broker whose queues hold so many messages each. Publishing to a full queue waits for up to 30 s
    /// for room, then fails.
    pub fn with_capacity(messages: usize) -> Self {
        Self::of(State::new(messages, Duration::MAX))
    }

    /// An empty broker of the same capacity whose delayed messages rest so long at most, whatever their tier says: for
    /// systems that answer at once, where nobody wants to wait.
    pub fn resting_at_most(longest: Duration) -> Self {
        Self::of(State::new(QUEUE_MESSAGES_MAX, longest))
    }

    fn of(state: State) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::new(state), room: Notify::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries until it is accepted, each time that a queue has become shorter.
    async fn when_there_is_room(
        &self,
        mut attempt: impl FnMut(&mut State) -> Result<Accepted, BrokerError>,
    ) -> Result<(), BrokerError> {
        let deadline = Instant::now() + ROOM_TIMEOUT;
        loop {
            let mut shorter = pin!(self.shared.room.notified());
            shorter.as_mut().enable();
            let accepted = attempt(&mut self.state())?;
            let Accepted::No { full, messages } = accepted else { return Ok(()) };
            if tokio::time::timeout_at(deadline, shorter).await.is_err() {
                return Err(BrokerError::Full { queue: full, messages, after: ROOM_TIMEOUT });
            }
        }
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl Broker for InProcess {
    type Subscription = InProcessSubscription;

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.state().declare(topology);
        Ok(())
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        let messages: Vec<Addressed> =
            messages.into_iter().map(Addressed::parse).collect::<Result<_, _>>()?;
        let mut failure = None;
        for message in messages {
            let published = self.when_there_is_room(|state| state.publish(&message, Instant::now())).await;
            match published {
                Ok(()) => {}
                // What else goes to the same queue would wait as long again.
                Err(error @ BrokerError::Full { .. }) => return Err(error),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn subscribe(&self, queue: &str, prefetch: u16) -> Result<InProcessSubscription, BrokerError> {
        let changed = self.state().changed(queue)?;
        let prefetch = Arc::new(Semaphore::new(usize::from(prefetch.max(1))));
        Ok(InProcessSubscription { broker: self.clone(), queue: queue.to_owned(), changed, prefetch })
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        let depth = self.state().depth(queue, Instant::now())?;
        Ok(u64::try_from(depth).unwrap_or(u64::MAX))
    }

    async fn reachable(&self) -> Result<(), BrokerError> {
        Ok(())
    }
}

impl Subscription for InProcessSubscription {
    type Delivery = InProcessDelivery;

    async fn next(&mut self) -> Result<InProcessDelivery, BrokerError> {
        let ended = |_| BrokerError::Ended { queue: self.queue.clone() };
        let permit = Arc::clone(&self.prefetch).acquire_owned().await.map_err(ended)?;
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let taken = self.broker.state().take(&self.queue, Instant::now());
            match taken {
                Taken::Message(held) => {
                    return Ok(InProcessDelivery {
                        broker: self.broker.clone(),
                        queue: self.queue.clone(),
                        held,
                        settled: false,
                        _permit: permit,
                    });
                }
                Taken::NoneBefore(due) => {
                    // Either way it is time to look again.
                    let _ = tokio::time::timeout_at(due, changed).await;
                }
                Taken::None => changed.await,
            }
        }
    }
}

impl Delivery for InProcessDelivery {
    fn id(&self) -> &str {
        &self.held.message.id
    }

    fn headers(&self) -> &BTreeMap<String, String> {
        &self.held.message.headers
    }

    fn at(&self) -> Option<Timestamp> {
        self.held.message.at
    }

    fn body(&self) -> &[u8] {
        &self.held.message.body
    }

    fn attempt(&self) -> u32 {
        self.held.message.attempt
    }

    fn redelivered(&self) -> bool {
        self.held.returned > 0
    }

    async fn settle(mut self, settlement: Settlement) -> Result<(), BrokerError> {
        match settlement {
            Settlement::Acknowledge => self.broker.state().acknowledge(&self.queue),
            // Dropping it is returning it.
            Settlement::Return => return Ok(()),
            Settlement::Retry { tier, reason } => {
                let message = self.held.message.clone().retried(&reason);
                self.broker.state().rest(&self.queue, tier, message, Instant::now());
            }
            Settlement::DeadLetter { reason } => {
                let broker = self.broker.clone();
                let dying = |state: &mut State| state.die(&self.queue, &self.held.message, &reason);
                broker.when_there_is_room(dying).await?;
            }
        }
        self.settled = true;
        self.broker.shared.room.notify_waiters();
        Ok(())
    }
}

impl Drop for InProcessDelivery {
    fn drop(&mut self) {
        if !self.settled {
            let held = std::mem::take(&mut self.held);
            self.broker.state().put_back(&self.queue, held);
            self.broker.shared.room.notify_waiters();
        }
    }
}
