//! What goes wrong in a storm, and when: drawn from a seed before it begins. Pure.

use std::fmt;
use std::time::Duration;

use rand::Rng;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use simulator_customcrm::Effect;
use simulator_exactonline::FaultKind;

use crate::{Hosting, Service};

#[cfg(test)]
mod tests;

/// Longer than any lease of the product (15 s).
pub(crate) const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(18);

/// The collections of the CRM whose calls are hit.
const COLLECTIONS: [&str; 6] = ["customers", "contacts", "products", "quotes", "orders", "users"];
/// What the paths of Exact contain whose calls are hit.
const PATHS: [&str; 9] = [
    "crm/Accounts",
    "crm/Contacts",
    "logistics/Items",
    "crm/Quotations",
    "crm/QuotationLines",
    "salesorder/SalesOrders",
    "salesorder/SalesOrderLines",
    "sync/",
    "users/Users",
];

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// `SIGKILL` of a replica, which is started again after a while, as Kubernetes would.
    Kill { service: Service, replica: usize, back_after: Duration },
    /// `SIGSTOP` of a replica, and `SIGCONT` after a while.
    Pause { service: Service, replica: usize, lasts: Duration },
    /// `SIGTERM` of a replica in mid-flow; it is added again after a while.
    Remove { service: Service, replica: usize, back_after: Duration },
    /// One replica more, for a while.
    Add { service: Service, lasts: Duration },
    /// The broker's node is killed, or stopped in good order, and started again.
    Broker { kill: bool },
    /// Redis is killed and started again after a while.
    Redis { back_after: Duration },
    /// Redis is emptied.
    Flush,
    /// Calls to the CRM go wrong.
    Crm { effect: Effect, method: &'static str, collection: &'static str, calls: u32 },
    /// Calls to Exact go wrong.
    Exact { kind: FaultKind, method: &'static str, path: &'static str, calls: u32 },
    /// For a while refusals of Exact tell of no limit.
    SilentRefusals { lasts: Duration },
    /// For a while changes show late in Exact's feeds.
    FeedsLag { behind: Duration, lasts: Duration },
    /// For a while a page of Exact holds few records.
    ShortPages { lasts: Duration },
    /// Exact numbers all row versions anew: the division has moved, or was linked to HR. The product looks for that every
    /// eight hours, of which so much is left.
    Renumbered { moved: bool, noticed_after: Duration },
}

/// A fault and its moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Due {
    pub(crate) at: Duration,
    pub(crate) fault: Fault,
}

/// How often faults come, and which may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weather {
    /// The mean time between two faults.
    pub(crate) every: Duration,
    /// How many replicas of each service there are.
    pub(crate) replicas: usize,
    /// Whether Redis may be emptied.
    pub(crate) flushes: bool,
    /// Whether Exact may answer 429.
    pub(crate) refusals: bool,
}

impl Fault {
    /// What it is counted as.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill -9",
            Self::Pause { .. } => "SIGSTOP and SIGCONT",
            Self::Remove { .. } => "replica removed and added",
            Self::Add { .. } => "replica added and removed",
            Self::Broker { kill: true } => "broker killed",
            Self::Broker { kill: false } => "broker restarted",
            Self::Redis { .. } => "Redis killed",
            Self::Flush => "FLUSHALL",
            Self::Crm { effect, .. } => match effect {
                Effect::LoseAnswer => "CRM: answer lost",
                Effect::CutOff => "CRM: call cut off",
                Effect::FailBefore(_) => "CRM: 5xx",
                Effect::Throttle(_) => "CRM: 429",
                Effect::Delay(_) => "CRM: slow answer",
                Effect::RepeatPage => "CRM: page repeated",
                Effect::ReversePage => "CRM: page reversed",
            },
            Self::Exact { kind, .. } => match kind {
                FaultKind::LoseAnswer => "Exact: answer lost",
                FaultKind::BreakOff => "Exact: call broken off",
                FaultKind::FailBefore { status: 401 } => "Exact: 401",
                FaultKind::FailBefore { .. } => "Exact: 5xx",
                FaultKind::Throttle => "Exact: 429",
                FaultKind::Delay { .. } => "Exact: slow answer",
            },
            Self::SilentRefusals { .. } => "Exact: 429 without headers",
            Self::FeedsLag { .. } => "Exact: feeds lag",
            Self::ShortPages { .. } => "Exact: short pages",
            Self::Renumbered { .. } => "Exact: versions numbered anew",
        }
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:7.1} s  {:?}", self.at.as_secs_f64(), self.fault)
    }
}

/// The faults of a storm that lasts so long, in order. The same seed gives the same ones.
pub(crate) fn schedule(seed: u64, lasts: Duration, weather: Weather) -> Vec<Due> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut due = Vec::new();
    let mut at = weather.every;
    // Each kind once, as far as there is time, and then at random: a short storm has seen many as well.
    let mut kinds: Vec<u32> = (0..KINDS).collect();
    kinds.shuffle(&mut random);
    let (mut unauthorized, mut left) = (0, kinds.into_iter());
    while at < lasts {
        let kind = left.next().unwrap_or_else(|| random.random_range(0..KINDS));
        if let Some(fault) = draw(&mut random, kind, weather, &mut unauthorized) {
            due.push(Due { at, fault });
        }
        at += weather.every.mul_f64(random.random_range(0.4..1.6));
    }
    due
}

/// How many kinds of faults are told apart when they are drawn.
const KINDS: u32 = 24;

fn draw(random: &mut StdRng, kind: u32, weather: Weather, unauthorized: &mut u32) -> Option<Fault> {
    let service = *Hosting::Processes.services().choose(random).expect("there are services");
    let replica = random.random_range(0..weather.replicas);
    let seconds =
        |random: &mut StdRng, from: f64, to: f64| Duration::from_secs_f64(random.random_range(from..to));
    let method = *["GET", "POST", "PATCH"].choose(random).expect("there are methods");
    let collection = *COLLECTIONS.choose(random).expect("there are collections");
    let path = *PATHS.choose(random).expect("there are paths");
    let crm = |effect, method, calls| Some(Fault::Crm { effect, method, collection, calls });
    let exact_method =
        if path == "sync/" || path == "users/Users" { "GET" } else { ["GET", "POST", "PUT"][replica % 3] };
    let exact = |kind, calls| Some(Fault::Exact { kind, method: exact_method, path, calls });
    match kind {
        0..=2 => Some(Fault::Kill { service, replica, back_after: seconds(random, 0.5, 6.0) }),
        3 | 4 => {
            Some(Fault::Pause { service, replica, lasts: LONGER_THAN_A_LEASE + seconds(random, 0.0, 4.0) })
        }
        5 => Some(Fault::Remove { service, replica, back_after: seconds(random, 1.0, 8.0) }),
        6 => Some(Fault::Add { service, lasts: seconds(random, 5.0, 20.0) }),
        7 => Some(Fault::Broker { kill: random.random_bool(0.5) }),
        8 => Some(Fault::Redis { back_after: seconds(random, 0.5, 5.0) }),
        9 => weather.flushes.then_some(Fault::Flush),
        10 => crm(Effect::LoseAnswer, method, random.random_range(1..3)),
        11 => crm(Effect::CutOff, method, random.random_range(1..3)),
        12 => crm(Effect::FailBefore(*[500, 502, 503].choose(random)?), method, random.random_range(1..4)),
        13 => crm(Effect::Throttle(random.random_range(1..4)), method, random.random_range(1..4)),
        14 => crm(Effect::Delay(seconds(random, 0.2, 3.0)), method, random.random_range(1..4)),
        15 => crm(Effect::RepeatPage, "GET", random.random_range(1..4)),
        16 => crm(Effect::ReversePage, "GET", random.random_range(1..4)),
        17 => exact(FaultKind::LoseAnswer, random.random_range(1..3)),
        18 => exact(FaultKind::BreakOff, random.random_range(1..3)),
        19 => exact(FaultKind::FailBefore { status: *[500, 503].choose(random)? }, random.random_range(1..4)),
        20 => match random.random_range(0..3) {
            _ if !weather.refusals => None,
            0 => Some(Fault::SilentRefusals { lasts: seconds(random, 2.0, 8.0) }),
            _ => exact(FaultKind::Throttle, random.random_range(1..3)),
        },
        21 => match random.random_range(0..3) {
            0 if *unauthorized < 3 => {
                *unauthorized += 1;
                exact(FaultKind::FailBefore { status: 401 }, 1)
            }
            _ => exact(FaultKind::Delay { ms: random.random_range(200..3_000) }, random.random_range(1..4)),
        },
        22 => match random.random_range(0..2) {
            0 => {
                let behind = seconds(random, 0.3, 3.0);
                Some(Fault::FeedsLag { behind, lasts: seconds(random, 5.0, 15.0) })
            }
            _ => Some(Fault::ShortPages { lasts: seconds(random, 5.0, 15.0) }),
        },
        _ => {
            let noticed_after = seconds(random, 1.0, 10.0);
            Some(Fault::Renumbered { moved: random.random_bool(0.5), noticed_after })
        }
    }
}
