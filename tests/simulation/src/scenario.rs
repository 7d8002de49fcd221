//! What a seed draws.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::Mistake;
use crate::faults::Fault;

/// What a run is.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What everything is drawn from.
    pub seed: u64,
    /// How long people edit and things go wrong.
    pub lasts: Duration,
    /// How many edits people make, of all connections together.
    pub edits: u32,
    /// The moments around which all of them are made, on the newest few things; none where people take their time.
    pub rushes: Option<u32>,
    /// How many connections there are.
    pub connections: usize,
    /// How many replicas of each service run.
    pub replicas: usize,
    /// How often the CRM is asked for changes.
    pub crm_poll: Duration,
    /// How often Exact is asked for changes.
    pub exact_poll: Duration,
    /// What goes wrong at the ports, and how likely it is each time.
    pub faults: BTreeMap<Fault, f64>,
    /// What happens to the whole, and how often.
    pub events: BTreeMap<Event, u32>,
    /// What the services do wrong, on purpose.
    pub mistake: Option<Mistake>,
}

/// Something that happens to a process, to the store or to a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// A process is killed at whatever it awaits, and started again later.
    Crash,
    /// A process stands still for longer than any lease lasts.
    Pause,
    /// A process's clock is set wrong by some seconds.
    ClockSkew,
    /// Everything in the store is lost.
    Flush,
    /// Exact numbers all versions anew.
    Renumbered,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crash, Self::Pause, Self::ClockSkew, Self::Flush, Self::Renumbered];
}

impl Scenario {
    /// The standard scenario of a seed: two people, 60 edits, seven pairs, two hours. Which faults there are, and how
    /// often they strike, is drawn: a run in which everything goes wrong hides what a single fault would show.
    pub fn standard(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut faults = BTreeMap::new();
        for fault in Fault::ALL {
            let (strikes, rate) = (random.random_bool(0.4), random.random_range(-4.0..fault.most().log10()));
            if strikes {
                faults.insert(fault, 10_f64.powf(rate));
            }
        }
        let mut events = BTreeMap::new();
        for event in Event::ALL {
            let (happens, times) = (random.random_bool(0.4), random.random_range(1..=6));
            if happens {
                events.insert(event, times);
            }
        }
        Self {
            seed,
            lasts: Duration::from_hours(2),
            edits: 60,
            rushes: random.random_bool(0.5).then(|| random.random_range(6..=15)),
            connections: if random.random_bool(0.15) { 2 } else { 1 },
            replicas: *[1, 1, 1, 2, 2, 3].choose(&mut random).unwrap(),
            crm_poll: Duration::from_secs(random.random_range(10..=120)),
            exact_poll: Duration::from_secs(random.random_range(20..=330)),
            faults,
            events,
            mistake: None,
        }
    }

    /// Nothing goes wrong.
    pub fn calm(seed: u64) -> Self {
        Self { faults: BTreeMap::new(), events: BTreeMap::new(), ..Self::standard(seed) }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, edits, connections, replicas, .. } = self;
        write!(
            f,
            "seed {seed}: {edits} edits in {} min, {connections} connections, {replicas} replicas, polls every {} s and {} s",
            self.lasts.as_secs() / 60,
            self.crm_poll.as_secs(),
            self.exact_poll.as_secs()
        )?;
        if let Some(rushes) = self.rushes {
            write!(f, ", edits in {rushes} rushes")?;
        }
        for (fault, chance) in &self.faults {
            write!(f, ", {fault:?} {:.2} %", chance * 100.0)?;
        }
        for (event, times) in &self.events {
            write!(f, ", {event:?} {times} times")?;
        }
        Ok(())
    }
}
