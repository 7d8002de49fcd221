//! Exchanges and queues: their names and how they hang together, declared in this one place.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{ConnectionName, EntityName, PairName, System};

/// Which of a writer's two queues a write goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Edits that people made: they go first.
    Live,
    /// First loads and mass repairs: they use what quota people leave over.
    Backfill,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const BOTH: [Self; 2] = [Self::Live, Self::Backfill];

    /// The name used in queue names and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Backfill => "backfill",
        }
    }
}

/// How long a delayed message rests before it is delivered again: one queue each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryTier {
    /// Five seconds.
    Seconds5,
    /// Thirty seconds.
    Seconds30,
    /// Five minutes.
    Minutes5,
    /// One hour.
    Hour1,
}

impl RetryTier {
    /// All tiers, shortest first.
    pub const ALL: [Self; 4] = [Self::Seconds5, Self::Seconds30, Self::Minutes5, Self::Hour1];

    /// How long a message rests at least.
    pub const fn delay(self) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds5 => 5,
            Self::Seconds30 => 30,
            Self::Minutes5 => 300,
            Self::Hour1 => 3_600,
        })
    }

    /// How long a message rests at most: a quarter longer. What failed together then does not come back together.
    pub fn delay_max(self) -> Duration {
        self.delay() + self.delay() / 4
    }

    /// The tier for a message that has been tried this many times already (counted from 1).
    pub const fn after_attempt(attempt: u32) -> Self {
        match attempt {
            0..=3 => Self::Seconds5,
            4..=6 => Self::Seconds30,
            7..=9 => Self::Minutes5,
            _ => Self::Hour1,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Seconds5 => "5s",
            Self::Seconds30 => "30s",
            Self::Minutes5 => "5m",
            Self::Hour1 => "1h",
        }
    }
}

/// The names of a deployment's exchanges and queues. Two deployments share a broker by having two namespaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    namespace: String,
}

impl Names {
    /// Names that begin with this namespace.
    pub fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned() }
    }

    /// What all of them begin with.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The topic exchange that observations are published to.
    pub fn observations(&self) -> String {
        format!("{}.observations", self.namespace)
    }

    /// The queue of a pair: its observations and its outcomes.
    pub fn pair(&self, pair: &PairName) -> String {
        format!("{}.pair.{pair}", self.namespace)
    }

    /// A writer's queue.
    pub fn writes(&self, system: System, lane: Lane) -> String {
        format!("{}.write.{system}.{}", self.namespace, lane.name())
    }

    /// The queue where delayed messages rest. A message published to it carries, as its routing key through
    /// the [retry exchange](Self::retry_exchange), the name of the queue that it returns to.
    pub fn retry(&self, tier: RetryTier) -> String {
        format!("{}.retry.{}", self.namespace, tier.name())
    }

    /// The fanout exchange in front of a retry queue: it keeps the routing key, so that the message finds its way back.
    pub fn retry_exchange(&self, tier: RetryTier) -> String {
        self.retry(tier)
    }

    /// The one queue of messages that can't be handled.
    pub fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.namespace)
    }
}

/// The routing key of an observation: connection, system, entity.
pub fn observation_key(connection: &ConnectionName, system: System, entity: &EntityName) -> String {
    format!("{connection}.{system}.{entity}")
}

/// The routing pattern of an entity's observations.
fn of_any_connection(system: System, entity: &EntityName) -> String {
    format!("*.{system}.{entity}")
}

/// One pair's part in the topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairEntities {
    /// The pair.
    pub pair: PairName,
    /// Its entity in CustomCRM.
    pub customcrm: EntityName,
    /// Its entity in Exact Online.
    pub exactonline: EntityName,
}

/// What a queue is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueKind {
    /// It is worked on. What comes back unsettled too often becomes a dead letter.
    Work,
    /// Messages rest in it, and then return to the queue that their routing key names.
    Resting(RetryTier),
    /// Messages lie in it until a person looks.
    DeadLetters,
}

/// A queue that must exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: QueueKind,
}

/// What a queue is declared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A number.
    Number(u32),
}

/// How often a message may come back to its queue, unsettled, before it becomes a dead letter.
pub const DELIVERY_LIMIT: u32 = 20;

/// Queues in which a message may rest and be looked at for as long as it takes. RabbitMQ 4 has a limit of 20 where none
/// is named, and 3.10 knows no word for "none". One value for all versions, so that a broker may be upgraded under
/// queues that are there.
const NO_DELIVERY_LIMIT: u32 = i32::MAX.unsigned_abs();

/// Everything that must exist at the broker before the first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// The names.
    pub names: Names,
    /// The work queues: durable, acknowledged by hand, dead-lettered to [`Names::dead_letters`].
    pub work_queues: Vec<String>,
    /// The bindings of pair queues to the observations exchange: (queue, routing pattern).
    pub bindings: Vec<(String, String)>,
}

impl Topology {
    /// The topology of a deployment that keeps these pairs.
    pub fn new(names: Names, pairs: &[PairEntities]) -> Self {
        let mut work_queues: Vec<String> = pairs.iter().map(|entities| names.pair(&entities.pair)).collect();
        for system in System::BOTH {
            work_queues.extend(Lane::BOTH.map(|lane| names.writes(system, lane)));
        }
        let bindings = pairs
            .iter()
            .flat_map(|entities| {
                let queue = names.pair(&entities.pair);
                [
                    (queue.clone(), of_any_connection(System::CustomCrm, &entities.customcrm)),
                    (queue, of_any_connection(System::ExactOnline, &entities.exactonline)),
                ]
            })
            .collect();
        Self { names, work_queues, bindings }
    }

    /// The queues that observations of an entity are copied to.
    pub fn queues_of(&self, system: System, entity: &EntityName) -> impl Iterator<Item = &str> {
        let observed = of_any_connection(system, entity);
        self.bindings.iter().filter(move |(_, pattern)| *pattern == observed).map(|(queue, _)| queue.as_str())
    }

    /// All queues, in an order in which they can be declared: those first that others lead to.
    pub fn queues(&self) -> Vec<Queue> {
        let dead = Queue { name: self.names.dead_letters(), kind: QueueKind::DeadLetters };
        let resting =
            RetryTier::ALL.map(|tier| Queue { name: self.names.retry(tier), kind: QueueKind::Resting(tier) });
        let work = self.work_queues.iter().map(|name| Queue { name: name.clone(), kind: QueueKind::Work });
        std::iter::once(dead).chain(resting).chain(work).collect()
    }

    /// What a queue is declared with, at any version of RabbitMQ from 3.10 on.
    ///
    /// A message leaves a queue for another one only once that has confirmed it, which asks for `reject-publish`.
    pub fn arguments(&self, kind: QueueKind) -> BTreeMap<&'static str, Argument> {
        let text = |value: &str| Argument::Text(value.to_owned());
        let limit = if kind == QueueKind::Work { DELIVERY_LIMIT } else { NO_DELIVERY_LIMIT };
        let mut arguments =
            BTreeMap::from([("x-queue-type", text("quorum")), ("x-delivery-limit", Argument::Number(limit))]);
        if kind != QueueKind::DeadLetters {
            arguments.extend([
                ("x-dead-letter-exchange", text("")),
                ("x-dead-letter-strategy", text("at-least-once")),
                ("x-overflow", text("reject-publish")),
            ]);
        }
        match kind {
            QueueKind::Work => {
                arguments.insert("x-dead-letter-routing-key", text(&self.names.dead_letters()));
            }
            QueueKind::Resting(tier) => {
                let milliseconds = u32::try_from(tier.delay_max().as_millis()).unwrap_or(u32::MAX);
                arguments.insert("x-message-ttl", Argument::Number(milliseconds));
            }
            QueueKind::DeadLetters => {}
        }
        arguments
    }
}
