//! Real processes, real servers, real faults: what the tests of the promises are written with.
//!
//! A [`World`] is a whole deployment on this machine: for each connection a simulated CRM and a simulated Exact Online
//! in the test's own process, and the services in processes of their own, either five on RabbitMQ and Redis or one
//! that hosts all of them ([`Hosting`]). A test plays the people who edit on both sides, makes trouble, and looks at
//! what became of it on both sides.
//!
//! What it refuses: to look into a service. A test sees what a person sees: the records, the logs, the health port, the
//! exit code; and where an operator would look, the links in Redis and the queues.
//!
//! Start reading at [`World::start`]; the promises are in `tests/it`.

#![allow(clippy::unwrap_used, reason = "a test's harness ends the test where something can't be done")]

mod company;
mod config;
mod crm;
mod exact;
mod hosting;
mod queues;
mod running;
mod site;
mod storm;
mod world;

pub use company::Company;
pub use config::{Kept, Plan, Quota};
pub use crm::CrmSide;
pub use exact::ExactSide;
pub use hosting::{Hosting, Service};
pub use queues::{DeadLetter, Depths, Queues};
pub use running::Running;
pub use site::Site;
pub use storm::{Script, Told, storm};
pub use world::World;

use std::time::Duration;

/// How often each collector asks for changes.
pub const POLL: Duration = Duration::from_millis(300);

/// What an edit may take from being visible on one side to being on the other before a test fails. The time that is
/// promised is much shorter, and is measured and printed; this bound only tells slow from never on a busy machine.
pub const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// What a fault may take until everything has found its way: a lease of 15 s, a create's wait of 20 s, a retry.
pub const RECOVERS_WITHIN: Duration = Duration::from_secs(90);

/// The pair that is kept.
pub const PAIR: &str = "customer-account";
