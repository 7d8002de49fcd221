#![allow(clippy::unwrap_used)]

mod breaker;
mod choices;
mod convergence;
mod creates;
mod deletes;
pub(crate) mod document;
pub(crate) mod fixture;
mod history;
mod line_writes;
mod lines;
mod mass_change;
mod merge;
mod new_documents;
mod observations;
mod promises;
mod remote;
mod rules;
mod symmetry;
mod ties;
mod trade;
mod transitions;
mod versions;
mod world;
mod writes;
