//! How a demo went, for a person.

use std::fmt;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};

use super::compare::{Difference, percentile};

/// Differences that are listed; of more, the number is told.
const LISTED: usize = 40;

/// How a demo went.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The pair's name.
    pub(crate) pair: String,
    /// Links with both records.
    pub(crate) linked: usize,
    /// Records that were created by our own user, in CustomCRM and in Exact Online.
    pub(crate) created: (u64, u64),
    /// Creates and changes by our own user, in CustomCRM and in Exact Online.
    pub(crate) written: (u64, u64),
    /// Our own writes that came back and caused nothing.
    pub(crate) echoes: u64,
    /// Conflicts that wait for a person.
    pub(crate) conflicts: usize,
    /// Edits that the human made.
    pub(crate) edits: usize,
    /// How long each took that arrived.
    pub(crate) lags: Vec<Duration>,
    /// How long it took to come to rest after the human stopped; `None`: it did not.
    pub(crate) settled: Option<Duration>,
    /// Everything on which the sides do not agree.
    pub(crate) differences: Vec<Difference>,
}

impl Summary {
    /// Whether both sides agree on everything, and every edit has arrived.
    pub(crate) fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: [(&str, String); 10] = [
            ("pair", self.pair.clone()),
            ("linked", self.linked.to_string()),
            ("created\nin CRM", self.created.0.to_string()),
            ("created\nin Exact", self.created.1.to_string()),
            ("writes\nto CRM", self.written.0.to_string()),
            ("writes\nto Exact", self.written.1.to_string()),
            ("echoes\ndropped", self.echoes.to_string()),
            ("conflicts", self.conflicts.to_string()),
            ("lag p50", lag(&self.lags, 50)),
            ("lag p99", lag(&self.lags, 99)),
        ];
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_header(columns.iter().map(|(title, _)| *title));
        table.add_row(columns.iter().map(|(_, value)| value));
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "{table}")?;
        write!(f, "{} of the human's {} edits arrived", self.lags.len(), self.edits)?;
        match self.settled {
            Some(settled) => {
                writeln!(f, "; all was at rest {:.1} s after the human stopped.", settled.as_secs_f32())?;
            }
            None => writeln!(f, "; it did not come to rest in time.")?,
        }
        if self.agrees() {
            return write!(
                f,
                "Both sides agree: every company has its partner, and every property is equal."
            );
        }
        write!(f, "The sides do not agree, in {} place(s):", self.differences.len())?;
        for difference in self.differences.iter().take(LISTED) {
            write!(f, "\n  {difference}")?;
        }
        match self.differences.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// A percentile of lags in seconds; a dash where there is none.
pub(crate) fn lag(lags: &[Duration], percent: usize) -> String {
    percentile(lags, percent).map_or_else(|| "-".to_owned(), |lag| format!("{:.2} s", lag.as_secs_f32()))
}
