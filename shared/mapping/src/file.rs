//! The pair file: as written, checked whole, and turned into a [`Pair`].
//!
//! `format` says what may be written, once, for the reader and for the JSON Schema that editors use. `shape` holds a
//! file against that and drops what does not fit, so that `read` can judge the rest and all is told at once.

mod format;
mod kinds;
mod nearest;
mod read;
mod report;
mod schema;
mod shape;

use std::collections::BTreeSet;

use model::PairName;
use serde::Deserialize;
use toml::de::{DeTable, Deserializer};

use self::{format::File, read::Reader, report::Report};
use crate::{Pair, Reading};

pub use self::schema::schema;

/// Something in a pair file that can't work: where, what, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem}")]
pub struct FileProblem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong and what to write instead.
    pub problem: String,
}

/// A place in a pair file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl Place {
    /// Where a file begins: for what is missing in it.
    pub const START: Self = Self { line: 1, column: 1 };

    /// A problem at this place.
    pub fn problem(self, file: &str, problem: String) -> FileProblem {
        FileProblem { file: file.to_owned(), line: self.line, column: self.column, problem }
    }
}

impl Pair {
    /// Reads a pair file in one of the two readings. `file` is its name for messages; `kept` are the pairs of this
    /// deployment, itself included.
    ///
    /// # Errors
    /// All that is wrong with the file, at once and in the order of the file; what is not TOML alone, because nothing
    /// can be said of what follows it.
    pub fn parse(
        file: &str,
        text: &str,
        reading: Reading,
        kept: &BTreeSet<PairName>,
    ) -> Result<Self, Vec<FileProblem>> {
        let mut report = Report::new(file, text);
        let pair = read(&mut report, reading, kept);
        match (pair, report.into_problems()) {
            (Some(pair), problems) if problems.is_empty() => Ok(pair),
            (_, problems) => Err(problems),
        }
    }

    /// The name in a pair file, read before the file is judged: each file must know which pairs are kept.
    pub fn name_in(text: &str) -> Option<PairName> {
        #[derive(Deserialize)]
        struct Name {
            pair: String,
        }
        toml::from_str::<Name>(text).ok().and_then(|name| PairName::parse(&name.pair).ok())
    }
}

/// The pair; `None` only where a problem was reported.
fn read(report: &mut Report<'_>, reading: Reading, kept: &BTreeSet<PairName>) -> Option<Pair> {
    let (mut root, errors) = DeTable::parse_recoverable(report.text());
    for error in &errors {
        report.refuse(error.span().map_or(0, |span| span.start), error.message());
    }
    if !errors.is_empty() {
        return None;
    }
    let written = read::row_names(root.get_ref());
    if !shape::fit(root.get_mut(), report) {
        return None;
    }
    match File::deserialize(Deserializer::from(root)) {
        Ok(file) => Reader::new(report, reading, kept, written).pair(file),
        Err(error) => {
            report.refuse(error.span().map_or(0, |span| span.start), error.message());
            None
        }
    }
}
