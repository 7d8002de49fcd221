//! The promises, each as a test of its name, with real processes and real servers; and where they can be kept on the
//! embedded broker and store as well, in one process.

#![allow(clippy::unwrap_used, reason = "a test ends where something can't be done")]
#![allow(clippy::print_stdout, reason = "figures are measured and told, and fail nothing")]

/// Two tests of one promise: with the services in processes of their own, and in one process.
macro_rules! in_both_hostings {
    ($promise:ident) => {
        mod $promise {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_processes() {
                super::$promise(chaos::Hosting::Processes).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_one_process() {
                super::$promise(chaos::Hosting::OneProcess).await;
            }
        }
    };
}

mod creates;
mod crm_faults;
mod deletes;
mod disk_full;
mod echoes;
mod edits;
mod idle;
mod kills;
mod many;
mod messages;
mod paused;
mod pressure;
mod refusals;
mod reloads;
mod servers_lost;
mod start;
mod stop;
mod storms;
mod traces;
