#![allow(clippy::unwrap_used)]

mod breaker;
mod convergence;
mod creates;
mod deletes;
mod fixture;
mod merge;
mod observations;
mod remote;
mod symmetry;
mod world;
mod writes;
