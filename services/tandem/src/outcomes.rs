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
mod quotations;
mod reviewed;
mod sight;
mod users;
mod waiting;
mod world;

/// Holds each of these promises in both readings.
macro_rules! in_both_readings {
    ($($promise:ident,)+) => {
        mod practical {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                super::$promise(mapping::Reading::Practical).await;
            })+
        }
        mod literal {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                super::$promise(mapping::Reading::Literal).await;
            })+
        }
    };
}
pub(crate) use in_both_readings;
