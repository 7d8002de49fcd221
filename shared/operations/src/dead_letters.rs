//! Dead letters: looked at where they lie, replayed to the queue that they came from, or discarded.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use broker::{
    ATTEMPT_HEADER, Broker, BrokerError, Delivery, ORIGIN_HEADER, Outgoing, REASON_HEADER, Settlement,
    Subscription,
};
use contract::{Message, Names};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use crate::OperationsError;

/// So many are looked at, at most: what lies behind them is looked at when these are gone.
pub const MOST: u16 = 10_000;
/// How long the next one is waited for, where the queue has told of one more: another operator may be looking at it.
const NEXT_WITHIN: Duration = Duration::from_secs(2);

/// How often it is looked whether they are back.
const LOOK: Duration = Duration::from_millis(20);

/// The queue of dead letters.
pub struct DeadLetters<B> {
    broker: B,
    names: Names,
}

/// A message that was set aside, without anything that a record holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The message's id.
    pub id: String,
    /// When it came into being.
    pub at: Option<Timestamp>,
    /// The queue from which it was set aside; to it, it is replayed.
    pub queue: Option<String>,
    /// Why it was set aside.
    pub reason: String,
    /// What it speaks of.
    #[serde(flatten)]
    pub about: About,
    /// How many bytes it has.
    pub bytes: usize,
}

/// What a message speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct About {
    /// Its type, as `observed`; none where it can't be read.
    pub kind: Option<&'static str>,
    /// The connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// The pair, or the entity of an observation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair_or_entity: Option<String>,
    /// The link, or the record of an observation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_or_record: Option<String>,
}

/// Dead letters, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Letters {
    /// Those that were chosen.
    pub letters: Vec<DeadLetter>,
    /// How many others there are.
    pub others: u64,
    /// The ids that were asked for and that no dead letter has.
    pub unknown: BTreeSet<String>,
}

/// What became of dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Done {
    /// Those that are not dead letters any more.
    pub letters: Vec<DeadLetter>,
    /// Those that were meant and stay what they are.
    pub stayed: Vec<Stayed>,
    /// The ids that were asked for and that no dead letter has.
    pub unknown: BTreeSet<String>,
}

/// A dead letter that stays one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stayed {
    /// The letter.
    pub letter: DeadLetter,
    /// Why it stays.
    pub why: String,
}

/// A message in hand.
type Delivered<B> = <<B as Broker>::Subscription as Subscription>::Delivery;

/// Which dead letters are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those that were set aside from this queue.
    From(String),
    /// Those with one of these ids.
    Ids(BTreeSet<String>),
}

impl Which {
    fn means(&self, letter: &DeadLetter) -> bool {
        match self {
            Self::All => true,
            Self::From(queue) => letter.queue.as_ref() == Some(queue),
            Self::Ids(ids) => ids.contains(&letter.id),
        }
    }
}

impl<B: Broker> DeadLetters<B> {
    /// The dead letters of the namespace of these names.
    pub const fn new(broker: B, names: Names) -> Self {
        Self { broker, names }
    }

    /// Looks at them. They stay where they are; nobody else sees them for that moment.
    pub async fn look(&self, which: &Which) -> Result<Letters, OperationsError> {
        let held = self.take().await?;
        // Those behind the ones that are in hand.
        let waiting = self.broker.depth(&self.names.dead_letters()).await?;
        let all: Vec<DeadLetter> = held.iter().map(DeadLetter::of).collect();
        self.leave(held).await?;
        let unknown = unknown(which, all.iter());
        let (letters, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|letter| which.means(letter));
        let others = waiting.saturating_add(u64::try_from(others.len()).unwrap_or(u64::MAX));
        Ok(Letters { letters, others, unknown })
    }

    /// One of them, and what it holds, as it travels: also what people have entered. `None` where there is none with this
    /// id.
    pub async fn one(&self, id: &str) -> Result<Option<(DeadLetter, Vec<u8>)>, OperationsError> {
        let held = self.take().await?;
        let found = held.iter().find(|delivery| delivery.id() == id);
        let found = found.map(|delivery| (DeadLetter::of(delivery), delivery.body().to_vec()));
        self.leave(held).await?;
        Ok(found)
    }

    /// Gives them back to the queues that they came from, the oldest first, as if they came for the first time. Who is cut
    /// off in between has given one back twice at most, which does no harm.
    pub async fn replay(&self, which: &Which) -> Result<Done, OperationsError> {
        let (mut done, meant) = self.meant(which).await?;
        for (letter, delivery) in meant {
            let Some(queue) = letter.queue.clone() else {
                done.stayed
                    .push(Stayed { letter, why: "it does not say which queue it came from".to_owned() });
                continue;
            };
            match self.broker.publish(vec![anew(&delivery, queue)]).await {
                Ok(()) => {}
                Err(BrokerError::Unroutable { routing_key, .. }) => {
                    let why = format!("there is no queue {routing_key} any more");
                    done.stayed.push(Stayed { letter, why });
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            delivery.settle(Settlement::Acknowledge).await?;
            done.letters.push(letter);
        }
        Ok(done)
    }

    /// Throws them away for good.
    pub async fn discard(&self, which: &Which) -> Result<Done, OperationsError> {
        let (mut done, meant) = self.meant(which).await?;
        for (letter, delivery) in meant {
            delivery.settle(Settlement::Acknowledge).await?;
            done.letters.push(letter);
        }
        Ok(done)
    }

    /// Those that are meant, in hand; the others go back at once.
    async fn meant(&self, which: &Which) -> Result<(Done, Vec<(DeadLetter, Delivered<B>)>), OperationsError> {
        let held = self.take().await?;
        let all: Vec<(DeadLetter, Delivered<B>)> =
            held.into_iter().map(|delivery| (DeadLetter::of(&delivery), delivery)).collect();
        let unknown = unknown(which, all.iter().map(|(letter, _)| letter));
        let done = Done { unknown, ..Done::default() };
        let (meant, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(letter, _)| which.means(letter));
        give_back(others);
        Ok((done, meant))
    }

    /// Gives them back, and waits until whoever looks next finds them.
    async fn leave(&self, held: Vec<Delivered<B>>) -> Result<(), OperationsError> {
        let (queue, began) = (self.names.dead_letters(), Instant::now());
        let count = u64::try_from(held.len()).unwrap_or(u64::MAX);
        give_back(held);
        while self.broker.depth(&queue).await? < count && began.elapsed() < NEXT_WITHIN {
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// All that lie there now.
    async fn take(&self) -> Result<Vec<Delivered<B>>, OperationsError> {
        let queue = self.names.dead_letters();
        let count = self.broker.depth(&queue).await?.min(MOST.into());
        let mut subscription = self.broker.subscribe(&queue, MOST).await?;
        let mut held = Vec::new();
        for _ in 0..count {
            match timeout(NEXT_WITHIN, subscription.next()).await {
                Ok(delivery) => held.push(delivery?),
                Err(_) => break,
            }
        }
        Ok(held)
    }
}

impl DeadLetter {
    fn of(delivery: &impl Delivery) -> Self {
        let header = |name: &str| delivery.headers().get(name).cloned();
        Self {
            id: delivery.id().to_owned(),
            at: delivery.at(),
            queue: header(ORIGIN_HEADER),
            reason: header(REASON_HEADER).unwrap_or_default(),
            about: Message::read(delivery.body()).map(|message| About::of(&message)).unwrap_or_default(),
            bytes: delivery.body().len(),
        }
    }
}

impl About {
    fn of(message: &Message) -> Self {
        let (kind, pair_or_entity, link_or_record) = match message {
            Message::Observed(observed) => {
                let record = observed.sighting.record.id.to_string();
                ("observed", format!("{} {}", observed.system, observed.entity), Some(record))
            }
            Message::ReadCompleted(read) => {
                ("read-completed", format!("{} {}", read.system, read.entity), None)
            }
            Message::WriteQueued(write) => {
                ("write-queued", write.pair.to_string(), Some(write.link.to_string()))
            }
            Message::Woken(woken) => ("woken", woken.pair.to_string(), Some(woken.link.to_string())),
            Message::Outcome(outcome) => {
                ("outcome", outcome.pair.to_string(), Some(outcome.link.to_string()))
            }
        };
        Self {
            kind: Some(kind),
            connection: Some(message.connection().to_string()),
            pair_or_entity: Some(pair_or_entity),
            link_or_record,
        }
    }
}

/// Gives them back to their queue, in the order in which they lay there: each goes to its head.
fn give_back<D>(mut held: Vec<D>) {
    while held.pop().is_some() {}
}

/// The message as it came for the first time.
fn anew(delivery: &impl Delivery, queue: String) -> Outgoing {
    let mut headers: BTreeMap<String, String> = delivery.headers().clone();
    for of_its_death in [REASON_HEADER, ORIGIN_HEADER, ATTEMPT_HEADER] {
        headers.remove(of_its_death);
    }
    Outgoing {
        exchange: String::new(),
        routing_key: queue,
        id: delivery.id().to_owned(),
        headers,
        at: delivery.at().unwrap_or_else(ambient::now),
        body: delivery.body().to_vec(),
    }
}

/// The ids that were asked for and that none of these has.
fn unknown<'a>(which: &Which, letters: impl Iterator<Item = &'a DeadLetter>) -> BTreeSet<String> {
    let Which::Ids(ids) = which else { return BTreeSet::new() };
    let there: BTreeSet<&str> = letters.map(|letter| letter.id.as_str()).collect();
    ids.iter().filter(|id| !there.contains(id.as_str())).cloned().collect()
}
