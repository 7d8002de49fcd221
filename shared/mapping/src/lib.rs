//! Pairs as data: which property of the one system is which of the other, and how the one becomes the other.
//!
//! A pair is a TOML file; [`Pair::parse`] reads it and refuses, all at once, whatever could not work. Each
//! row's transform is a lens: reading a vendor's content gives the canonical [`Value`](model::Value), writing
//! gives content back. Pure: what a reference or a user stands for is passed in as [`Lookups`].
//!
//! What it refuses: to guess. Content that does not fit is a [`Problem`] with the property's name, never a
//! silent default.

mod admission;
mod country;
mod dataflow;
mod file;
mod lens;
mod lookups;
mod meet;
mod pair;
mod reading;

#[cfg(test)]
mod tests;

pub use admission::{Admission, Wanted};
pub use dataflow::{Dataflow, Format, facts};
pub use file::schema;
pub use files::{FileProblem, Place};
pub use lens::{
    Holds, InvalidLabel, InvalidWords, Label, Lens, LensProblem, List, Over, Word, Words, labelled,
};
pub use lookups::{Lookups, ReferenceNeed, Shared};
pub use meet::{Writers, meet, writers};
pub use pair::{
    About, Archive, Constant, KeyRows, LinePut, Lines, Mark, MatchKey, OnDelete, Onto, Pair, Problem,
    Property, Put, Raise, Seen, StandIn, Through, Versions, WrittenTo,
};
pub use reading::Reading;
