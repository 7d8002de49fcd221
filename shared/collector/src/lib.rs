//! What both collectors share: one collector per connection and entity, its cursor, and the way of a record to
//! the queue.
//!
//! A collector turns what it reads into observations: facts, never commands. Its cursor moves only after the
//! broker has confirmed everything before it, so a crash repeats and never skips. One collector is active at a time,
//! by a lease whose token fences the cursor; the others stand by.
//!
//! The first read, and any read after the cursor was lost, is a full one. Its pages are counted, and its end is told
//! to the mapper, which creates nothing before both systems have been taken in whole.
//!
//! A system may tell of changes by itself: it posts a notification to one of the process's [`Callbacks`]. That is a
//! [`Hint`], by which the collector reads at once what it would have read later; where all is told, polls are further
//! apart ([`Pace`]).

mod callbacks;
mod directory;
mod error;
mod hints;
mod pace;
mod publishing;
mod session;
mod source;
mod state;

#[cfg(test)]
mod tests;

pub use callbacks::{Callback, Callbacks, Delivery, Judge, Posted, Refusal};
pub use directory::DIRECTORY_READ_EVERY;
pub use error::CollectorError;
pub use hints::{Hint, Hints};
pub use pace::{HintedPace, Pace, ToldPace, WINDOW_MAX, WINDOW_MIN};
pub use session::{Collector, Ports, kept_cursor};
pub use source::{Lists, Page, Source};
