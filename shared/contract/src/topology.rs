//! Exchanges and queues: their names and how they hang together, declared in this one place.

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

    /// How long the message rests.
    pub const fn delay(self) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds5 => 5,
            Self::Seconds30 => 30,
            Self::Minutes5 => 300,
            Self::Hour1 => 3_600,
        })
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
                    (queue.clone(), format!("*.{}.{}", System::CustomCrm, entities.customcrm)),
                    (queue, format!("*.{}.{}", System::ExactOnline, entities.exactonline)),
                ]
            })
            .collect();
        Self { names, work_queues, bindings }
    }
}
