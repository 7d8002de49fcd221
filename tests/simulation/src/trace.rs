//! What happened, line by line.

use std::fmt;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

/// Everything that happened at a port, in order. Clones are the same trace.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<(Timestamp, String)>>>);

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("lines", &self.0.lock().unwrap().len()).finish()
    }
}

impl Trace {
    /// Something happened now.
    pub(crate) fn tell(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push((ambient::now(), what.into()));
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|(at, what)| format!("{at:.3} {what}")).collect()
    }

    /// The lines that name one of these, the last ones first left out beyond so many.
    pub(crate) fn about(&self, ids: &[String], most: usize) -> Vec<String> {
        let lines = self.lines();
        let found: Vec<&String> =
            lines.iter().filter(|line| ids.iter().any(|id| line.contains(id.as_str()))).collect();
        found[found.len().saturating_sub(most)..].iter().map(|line| (*line).clone()).collect()
    }

    /// The first line in which two traces differ.
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        let (own, other) = (self.lines(), other.lines());
        let at = (0..own.len().max(other.len())).find(|at| own.get(*at) != other.get(*at))?;
        let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(the end)".to_owned());
        Some(format!("line {at}:\n  {}\n  {}", line(&own), line(&other)))
    }
}
