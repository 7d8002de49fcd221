//! What one new record ends in: with all seven pairs on, in either reading, exactly the records and links that the
//! reading says, and then no further write.
//!
//! Each test starts both simulated systems and all services, makes one record as a person would, and compares what
//! there is at rest with what must be there ([`world::World::comes_to`]). A promise that holds in both readings is
//! held in both.

mod accepted;
mod companies;
mod orders;
mod papers;
mod prices;
mod quotations;
mod reviewed;
mod sight;
mod users;
mod waiting;
mod webhooks;
mod world;

/// Holds each of these promises in both readings: two worlds beside one another, since a world mostly waits.
macro_rules! in_both_readings {
    ($($promise:ident,)+) => {
        mod both {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                use mapping::Reading::{Literal, Practical};
                tokio::join!(super::$promise(Practical), super::$promise(Literal));
            })+
        }
    };
}
pub(crate) use in_both_readings;
