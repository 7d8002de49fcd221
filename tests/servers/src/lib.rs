//! Private RabbitMQ and Redis servers for tests, started on free ports and stopped by pid; and the processes
//! of our own that tests start beside them.
//!
//! Real servers, never mocks of them: [`Redis::start`] and [`RabbitMq::start`] run the installed packages with
//! their own ports, data folders and cookie, bound to loopback. Nothing is shared with a server that the machine
//! may run already, and two test runs at once do not meet. [`RedisSentinel`] and [`RedisCluster`] are several of them
//! that belong together.
//!
//! A test that needs a server to itself (because it kills it) starts one. A test that only needs *a* server asks
//! for [`RabbitMq::shared_url`] or [`Redis::shared_url`] and keeps to queue names and key prefixes of its own;
//! `tests/run` starts one pair of servers for all of them.
//!
//! Nothing is left behind: dropping a handle ends its processes by pid and removes its folder, and when the test
//! process itself dies (a panic that aborts, a time-out, `kill -9`), the keeper of each folder does the same.
//!
//! What this crate refuses: to skip a test because a server is missing. It says how to install it instead. Only what comes
//! from a registry of packages may be [`Missing`](package::Missing).
//! Start reading at [`Redis`], then `child.rs`.

mod child;
mod error;
mod folder;
pub mod package;
mod ports;
mod process;
mod rabbitmq;
mod redis;
mod run;
mod wait;

pub use error::{Error, Result};
pub use folder::Folder;
pub use ports::free_port;
pub use process::{Binary, Process};
pub use rabbitmq::RabbitMq;
pub use redis::{Redis, RedisCluster, RedisSentinel};
pub use run::run_within;
pub use wait::{wait_until, wait_until_async};

/// The variable that names a running RabbitMQ for all tests of a run; see [`RabbitMq::shared_url`].
pub const AMQP_URL_VARIABLE: &str = "TANDEM_TEST_AMQP_URL";

/// The variable that names a running Redis for all tests of a run; see [`Redis::shared_url`].
pub const REDIS_URL_VARIABLE: &str = "TANDEM_TEST_REDIS_URL";
