//! What an operator looks at and does while services run, over the ports that these have too: [`DeadLetters`] are the
//! messages that were set aside.
//!
//! What it refuses: to print, to ask, and to decide. Whoever calls it has a person before them.

mod dead_letters;
mod error;

pub use dead_letters::{About, DeadLetter, DeadLetters, Done, Letters, MOST, Stayed, Which};
pub use error::OperationsError;
