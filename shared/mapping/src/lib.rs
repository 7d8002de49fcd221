//! Pairs as data: which property of the one system is which of the other, and how the one becomes the other.
//!
//! A pair is a TOML file; [`Pair::parse`] reads it and refuses, all at once, whatever could not work. Each
//! row's transform is a lens: reading a vendor's content gives the canonical [`Value`](model::Value), writing
//! gives content back. Pure: what a reference or a user stands for is passed in as [`Lookups`].
//!
//! What it refuses: to guess. Content that does not fit is a [`Problem`] with the property's name, never a
//! silent default.

mod country;
mod file;
mod lens;
mod lookups;
mod pair;

#[cfg(test)]
mod tests;

pub use file::{FileProblem, Place};
pub use lens::{Lens, LensProblem};
pub use lookups::{Lookups, ReferenceNeed};
pub use pair::{Archive, MatchKey, Pair, Problem, Property, Seen};
