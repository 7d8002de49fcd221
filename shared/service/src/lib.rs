//! What every service shares: arguments to exit code, configuration, supervision, health, shutdown.
//!
//! Start reading at [`run`]: a service's `main.rs` says which [`Service`] it is and what it [`Needs`], and hands over
//! its `start` function, which gets a [`Context`]. A process with a command line of its own calls [`run_from`].
//!
//! - [`Config`] is the configuration as meant: every value it can hold is valid. All that is wrong with a file is
//!   told at once, each problem with its line, key, value and remedy.
//! - The configuration is read anew at `SIGHUP`. What is done for connections is done by [`for_each_connection`], which
//!   starts, ends and restarts it by what has changed, and lets the rest alone.
//! - [`Tasks`] live and die together; [`supervise`] runs a session anew after a transient failure.
//! - [`Health`] is what `/health/live` and `/health/ready` tell, beside `/metrics`.
//!
//! It opens no connection to a broker, a store or a vendor, and knows nothing of what a service does.

mod arguments;
mod config;
mod connections;
mod context;
mod durability;
mod endpoints;
mod error;
mod given;
mod health;
mod pairs;
mod probe;
mod reload;
mod run;
mod servers;
mod supervise;
mod tasks;
mod unknown;

#[cfg(test)]
mod tests;

/// Records are trees of small texts: with this allocator their mapping takes two thirds of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use config::{
    BrokerConfig, CallbackConfig, Config, ConnectionConfig, CustomCrmConfig, DeclarationFile,
    ExactOnlineConfig, LiteralConfig, Needs, OtlpConfig, Problem, RedisConfig, Servers, StoreConfig,
    WebhooksConfig,
};
pub use connections::for_each_connection;
pub use context::Context;
pub use durability::watch_durability;
pub use error::{ServiceError, TaskFailure};
pub use given::Given;
pub use health::{Check, Health, Pulse};
pub use pairs::{Pairs, entities, load_pairs, parse_pairs, selected, selected_of_lines, topology};
pub use reload::{InForce, Reloads};
pub use run::{Service, run, run_from};
pub use servers::servers;
pub use supervise::{Backoff, Transient, steadily, supervise};
pub use tasks::Tasks;
pub use unknown::UnknownConnections;
