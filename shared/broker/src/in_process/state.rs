//! The exchanges and queues: no I/O and no clock of its own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use contract::{Names, RetryTier, Topology};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::message::{Addressed, Message};
use crate::{BrokerError, DELIVERY_LIMIT};

/// All exchanges and queues of a broker.
pub(super) struct State {
    capacity: usize,
    /// No message rests longer than this.
    longest_rest: Duration,
    /// How many messages have ever rested: it keeps those apart that are due at the same time.
    rested: u64,
    exchanges: HashMap<String, Exchange>,
    queues: HashMap<String, Queue>,
}

enum Exchange {
    /// Copies go to each queue one of whose patterns fits the routing key.
    Topic(Vec<Binding>),
    /// Messages rest, then go to the queue that the routing key names.
    Resting(Duration),
}

#[derive(PartialEq)]
struct Binding {
    queue: String,
    pattern: String,
}

struct Queue {
    names: Names,
    ready: VecDeque<Held>,
    /// Messages that come here once they are due, with the exchange in front of the queue where they rest.
    resting: BTreeMap<(Instant, u64), (String, Held)>,
    in_hand: usize,
    changed: Arc<Notify>,
}

/// A message in a queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) message: Message,
    /// How often it came back unsettled.
    pub(super) returned: u32,
}

/// What a queue had to give.
pub(super) enum Taken {
    Message(Held),
    /// Nothing is ready, and nothing will be by itself before this time.
    NoneBefore(Instant),
    None,
}

/// Whether there was room.
pub(super) enum Accepted {
    Yes,
    No { full: String, messages: usize },
}

impl State {
    pub(super) fn new(capacity: usize, longest_rest: Duration) -> Self {
        Self { capacity, longest_rest, rested: 0, exchanges: HashMap::new(), queues: HashMap::new() }
    }

    pub(super) fn declare(&mut self, topology: &Topology) {
        let names = &topology.names;
        for queue in topology.work_queues.iter().chain([&names.dead_letters()]) {
            self.queues.entry(queue.clone()).or_insert_with(|| Queue::new(names));
        }
        for tier in RetryTier::ALL {
            self.exchanges
                .entry(names.retry_exchange(tier))
                .or_insert(Exchange::Resting(self.longest_rest.min(tier.delay())));
        }
        let observations = self.exchanges.entry(names.observations()).or_insert(Exchange::Topic(Vec::new()));
        if let Exchange::Topic(bindings) = observations {
            for (queue, pattern) in &topology.bindings {
                let binding = Binding { queue: queue.clone(), pattern: pattern.clone() };
                if !bindings.contains(&binding) {
                    bindings.push(binding);
                }
            }
        }
    }

    /// What tells when the queue has changed.
    pub(super) fn changed(&self, queue: &str) -> Result<Arc<Notify>, BrokerError> {
        match self.queues.get(queue) {
            Some(found) => Ok(Arc::clone(&found.changed)),
            None if self.queues.is_empty() => Err(BrokerError::Undeclared { queue: queue.to_owned() }),
            None => Err(BrokerError::Missing { doing: format!("subscribe to {queue}") }),
        }
    }

    pub(super) fn depth(&mut self, queue: &str, now: Instant) -> Result<usize, BrokerError> {
        self.queues.values_mut().for_each(|queue| queue.wake(now));
        if let Some(found) = self.queues.get(queue) {
            return Ok(found.ready.len());
        }
        // The queue where messages rest has the name of the exchange in front of it.
        if !matches!(self.exchanges.get(queue), Some(Exchange::Resting(_))) {
            return Err(BrokerError::Missing { doing: format!("count the messages in {queue}") });
        }
        let resting = self.queues.values().flat_map(|queue| queue.resting.values());
        Ok(resting.filter(|(exchange, _)| exchange == queue).count())
    }

    /// Routes a message; it arrives in all of its queues or in none.
    pub(super) fn publish(&mut self, addressed: &Addressed, now: Instant) -> Result<Accepted, BrokerError> {
        let Addressed { exchange, routing_key, message, rests: _ } = addressed;
        let mut rest = None;
        let targets = match self.exchanges.get(exchange) {
            Some(Exchange::Topic(bindings)) => targets(bindings, routing_key),
            Some(Exchange::Resting(delay)) => {
                rest = Some(*delay);
                vec![routing_key.clone()]
            }
            None if exchange.is_empty() => vec![routing_key.clone()],
            None => {
                return Err(BrokerError::Missing { doing: format!("publish to exchange {exchange:?}") });
            }
        };
        if targets.is_empty() || targets.iter().any(|queue| !self.queues.contains_key(queue)) {
            return Err(BrokerError::Unroutable {
                exchange: exchange.clone(),
                routing_key: routing_key.clone(),
            });
        }
        for name in &targets {
            if let Some(full) = self.queues.get(name).and_then(|queue| queue.full(name, self.capacity)) {
                return Ok(full);
            }
        }
        for name in &targets {
            let held = Held { message: message.clone(), returned: 0 };
            match rest {
                Some(delay) => self.rest_until(name, exchange, held, now + delay),
                None => self.add(name, held),
            }
        }
        Ok(Accepted::Yes)
    }

    /// Hands out the next message of a queue.
    pub(super) fn take(&mut self, queue: &str, now: Instant) -> Taken {
        let Some(queue) = self.queues.get_mut(queue) else { return Taken::None };
        queue.wake(now);
        if let Some(held) = queue.ready.pop_front() {
            queue.in_hand += 1;
            return Taken::Message(held);
        }
        match queue.resting.keys().next() {
            Some((due, _)) => Taken::NoneBefore(*due),
            None => Taken::None,
        }
    }

    /// Forgets a message in hand.
    pub(super) fn acknowledge(&mut self, queue: &str) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.in_hand = queue.in_hand.saturating_sub(1);
        }
    }

    /// Lets a message in hand rest; it takes the room that it had before.
    pub(super) fn rest(&mut self, queue: &str, tier: RetryTier, message: Message, now: Instant) {
        let Some(found) = self.queues.get(queue) else { return };
        let exchange = found.names.retry_exchange(tier);
        self.acknowledge(queue);
        let due = now + self.longest_rest.min(tier.delay());
        self.rest_until(queue, &exchange, Held { message, returned: 0 }, due);
    }

    /// Makes a message in hand a dead letter, when there is room for it.
    pub(super) fn die(
        &mut self,
        queue: &str,
        message: &Message,
        reason: &str,
    ) -> Result<Accepted, BrokerError> {
        let missing = || BrokerError::Missing { doing: format!("find the dead letters of {queue}") };
        let dead_letters = self.queues.get(queue).ok_or_else(missing)?.names.dead_letters();
        let grave = self.queues.get(&dead_letters).ok_or_else(missing)?;
        if queue != dead_letters
            && let Some(full) = grave.full(&dead_letters, self.capacity)
        {
            return Ok(full);
        }
        self.acknowledge(queue);
        let message = message.clone().dead(queue, &dead_letters, reason);
        self.add(&dead_letters, Held { message, returned: 0 });
        Ok(Accepted::Yes)
    }

    /// Returns a message in hand to the front of its queue; or to the dead letters, when it came back too often.
    pub(super) fn put_back(&mut self, queue: &str, mut held: Held) {
        let Some(found) = self.queues.get_mut(queue) else { return };
        found.in_hand = found.in_hand.saturating_sub(1);
        held.returned = held.returned.saturating_add(1);
        let dead_letters = found.names.dead_letters();
        if held.returned > DELIVERY_LIMIT && queue != dead_letters {
            let message = held.message.dead_by_limit(queue, &dead_letters);
            self.add(&dead_letters, Held { message, returned: 0 });
        } else {
            found.ready.push_front(held);
            found.changed.notify_waiters();
        }
    }

    fn add(&mut self, queue: &str, held: Held) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.ready.push_back(held);
            queue.changed.notify_waiters();
        }
    }

    fn rest_until(&mut self, queue: &str, exchange: &str, held: Held, due: Instant) {
        self.rested += 1;
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.resting.insert((due, self.rested), (exchange.to_owned(), held));
            queue.changed.notify_waiters();
        }
    }
}

impl Queue {
    fn new(names: &Names) -> Self {
        Self {
            names: names.clone(),
            ready: VecDeque::new(),
            resting: BTreeMap::new(),
            in_hand: 0,
            changed: Arc::new(Notify::new()),
        }
    }

    /// Makes ready what has rested long enough.
    fn wake(&mut self, now: Instant) {
        while let Some(entry) = self.resting.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let (_, held) = entry.remove();
            self.ready.push_back(held);
        }
    }

    fn full(&self, name: &str, capacity: usize) -> Option<Accepted> {
        let messages = self.ready.len() + self.resting.len() + self.in_hand;
        (messages >= capacity).then(|| Accepted::No { full: name.to_owned(), messages })
    }
}

/// The queues that a routing key leads to, each once.
fn targets(bindings: &[Binding], routing_key: &str) -> Vec<String> {
    let mut queues: Vec<String> = bindings
        .iter()
        .filter(|binding| fits(&binding.pattern, routing_key))
        .map(|binding| binding.queue.clone())
        .collect();
    queues.sort();
    queues.dedup();
    queues
}

/// Whether a routing key fits a topic pattern: `*` stands for one word, `#` for any number of words.
pub(super) fn fits(pattern: &str, routing_key: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('.').collect();
    let words: Vec<&str> = routing_key.split('.').collect();
    words_fit(&pattern, &words)
}

fn words_fit(pattern: &[&str], words: &[&str]) -> bool {
    match (pattern, words) {
        ([], []) => true,
        (["#", rest @ ..], _) => (0..=words.len()).any(|skipped| words_fit(rest, &words[skipped..])),
        (["*", rest @ ..], [_, words @ ..]) => words_fit(rest, words),
        ([word, rest @ ..], [first, words @ ..]) => word == first && words_fit(rest, words),
        ([], [_, ..]) | ([_, ..], []) => false,
    }
}
