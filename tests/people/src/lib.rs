//! Two scripted humans, one on each side: what each does is drawn from a seed, and in the end it is judged whether every
//! edit is where it must be. They do not know how the product works, nor whether it is up.
//!
//! Start reading at [`People`]. What must become of what they did is in [`ledger`], and [`Sight`] looks at links and
//! records once all rests. Whoever lets them edit, through a storm of real processes or in a simulation, brings the
//! [`Sides`] and the links.

#![allow(clippy::unwrap_used, reason = "a test's harness ends the test where something can't be done")]

mod hand;
mod judge;
pub mod ledger;
mod people;
mod sides;
mod things;

pub use hand::Hand;
pub use judge::{Breach, Sight, agreed, doubled};
pub use people::{Agreed, Moment, People};
pub use sides::{Refused, Sides};
pub use things::{Kind, LinesPlace, Place, Thing};
