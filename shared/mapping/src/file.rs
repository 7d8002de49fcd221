//! The pair file: as written, checked whole, and turned into a [`Pair`].
//!
//! `format` says what may be written, once, for the reader and for the JSON Schema that editors use. A file is held
//! against that, and what does not fit is dropped, so that `read` can judge the rest and all is told at once.

mod format;
mod kinds;
mod read;
mod schema;

use std::collections::BTreeSet;

use model::PairName;
use serde::Deserialize;

use files::{FileProblem, Report};

use self::{format::File, read::Reader};
use crate::{Pair, Reading};

pub use self::schema::schema;

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
    let mut root = files::parse(report)?;
    let written = read::row_names(root.get_ref());
    if !files::fit(root.get_mut(), schema::document(), report) {
        return None;
    }
    let file: File = files::read(root, report)?;
    Reader::new(report, reading, kept, written).pair(file)
}
