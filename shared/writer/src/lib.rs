//! What both writers share: they take a queued write, claim it, say it in the system's own words, and report
//! what became of it. They decide nothing about content.
//!
//! A write message says where, not what: what is sent is computed from the link at the claim, which is stored
//! before anything is sent. A create is sent only after a search for the record found none, and a create whose
//! answer never came is not repeated before it has had time to show.

mod aside;
mod connections;
mod error;
mod given;
mod lane;
mod lines;
mod session;
mod target;
mod telling;
mod work;

#[cfg(test)]
mod tests;

pub use error::WriterError;
pub use session::{Ports, Writer};
pub use target::{AT_ONCE, Aim, Duplicate, SearchKey, Target};
pub use work::CALL_MAX;
