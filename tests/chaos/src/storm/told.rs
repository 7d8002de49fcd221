//! What a storm was, in figures.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::Storm;

/// What a storm was.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What it was drawn from.
    pub seed: u64,
    /// How long it raged.
    pub lasted: Duration,
    /// What people did, by what it was.
    pub edits: BTreeMap<&'static str, u32>,
    /// What a system's own rules refused of it.
    pub refused: usize,
    /// The faults that struck, by what they were.
    pub faults: BTreeMap<&'static str, u32>,
    /// What the product wrote, on both sides together.
    pub writes: u64,
    /// How long it took to come to rest after everything was up again.
    pub settled: Duration,
    /// The times that edits took to show on the other side, in order; those that another edit overtook are not among them.
    pub lags: Vec<Duration>,
    /// The most memory that a replica of each service held, in KiB.
    pub resident_kib: BTreeMap<&'static str, u64>,
}

impl Told {
    pub(super) fn of(storm: &Storm, settled: Duration, writes: u64) -> Self {
        let mut lags = storm.people.lags.clone();
        lags.sort_unstable();
        Self {
            seed: storm.script.seed,
            lasted: storm.script.lasts,
            edits: storm.people.ledger.counts.clone(),
            refused: storm.people.ledger.refused.len(),
            faults: storm.faults.clone(),
            writes,
            settled,
            lags,
            resident_kib: storm.fleet.resident_kib.clone(),
        }
    }

    /// How many writes followed from an edit.
    pub fn writes_per_edit(&self) -> f64 {
        let edits: u32 = self.edits.values().sum();
        let writes = u32::try_from(self.writes).unwrap_or(u32::MAX);
        f64::from(writes) / f64::from(edits.max(1))
    }

    fn lag(&self, percent: usize) -> f64 {
        let rank = (self.lags.len() * percent).div_ceil(100).max(1);
        self.lags.get(rank - 1).map_or(0.0, Duration::as_secs_f64)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (edits, faults): (u32, u32) = (self.edits.values().sum(), self.faults.values().sum());
        writeln!(f, "seed {}, {:.1} min", self.seed, self.lasted.as_secs_f64() / 60.0)?;
        writeln!(f, "{edits} edits ({} more were refused): {:?}", self.refused, self.edits)?;
        writeln!(f, "{faults} faults: {:?}", self.faults)?;
        writeln!(f, "{} writes, {:.2} for each edit", self.writes, self.writes_per_edit())?;
        writeln!(
            f,
            "an edit showed on the other side after {:.0} s (half), {:.0} s (99 of 100), {:.0} s (all); looked at every 2 s",
            self.lag(50),
            self.lag(99),
            self.lag(100)
        )?;
        writeln!(f, "at rest {:.1} s after everything was up again", self.settled.as_secs_f64())?;
        write!(f, "resident at most, KiB: {:?}", self.resident_kib)
    }
}
