//! Files that people write, as TOML: read by a schema that is also what editors complete them by.
//!
//! What may be written is a type with a JSON Schema ([`document`]). [`fit`] holds a file against that and drops what does
//! not fit, so that whoever reads the file can judge the rest, and all that is wrong with it is told at once: each
//! [`FileProblem`] with its line, its column and what to write instead.

mod at;
mod nearest;
mod problem;
mod report;
mod schema;
mod shape;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

pub use at::At;
pub use nearest::{instead, nearest};
pub use problem::{FileProblem, Place};
pub use report::Report;
pub use schema::document;
pub use shape::fit;

/// The text as TOML; `None` where it is none, which is told alone, because nothing can be said of what follows it.
pub fn parse<'a>(report: &mut Report<'a>) -> Option<Spanned<DeTable<'a>>> {
    let (root, errors) = DeTable::parse_recoverable(report.text());
    for error in &errors {
        report.refuse(error.span().map_or(0, |span| span.start), error.message());
    }
    errors.is_empty().then_some(root)
}

/// What fits its schema, as the type that the schema is of.
pub fn read<'a, T: Deserialize<'a>>(root: Spanned<DeTable<'a>>, report: &mut Report<'_>) -> Option<T> {
    match T::deserialize(Deserializer::from(root)) {
        Ok(file) => Some(file),
        Err(error) => {
            report.refuse(error.span().map_or(0, |span| span.start), error.message());
            None
        }
    }
}
