//! What a connection's records refer to by name, its users and lists: read now and then, by one of its collectors.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::Broker;
use model::{FailureClass, UserId};
use service::Check;
use store::{Leased, Links, Store};
use telemetry::Chain;

use crate::session::{Collector, Session, failed};
use crate::{CollectorError, Source};

/// How often the users and lists of a connection are read again, while nothing tells of changes.
pub const DIRECTORY_READ_EVERY: Duration = Duration::from_mins(10);

/// How users are called where it is told how they stand.
const USERS: &str = "users";

impl<B: Broker, S: Store, R: Source> Collector<B, S, R> {
    /// The directory is there before any record that may refer to it.
    ///
    /// The collectors of a connection share the reading: whoever holds the lease has read, or reads. Where our user may
    /// not read it, that is told, and only what refers to it waits.
    pub(crate) async fn read_directory(
        &self,
        session: &mut Session,
        holder: &str,
        anew: bool,
    ) -> Result<(), CollectorError> {
        let every = self.pace.directory(session.is_told);
        let fresh = session.directory_read.is_some_and(|at| at.elapsed() < every);
        if fresh && !anew {
            return Ok(());
        }
        let (key, links) = (self.directory_key(), Links::new(self.ports.store.clone(), &self.namespace));
        let lease = self.ports.store.lease(&key, holder, every).await?;
        let is_there = links.people(&self.connection, self.system).await?.is_some();
        if lease != Leased::Taken || !is_there {
            let read = self.holding(&session.pulse, holder, self.read_and_keep(&links)).await;
            if read.is_err() {
                self.ports.store.release(&key, holder).await?;
            }
            read?;
        }
        session.directory_read = Some(tokio::time::Instant::now());
        Ok(())
    }

    async fn read_and_keep(&self, links: &Links<S>) -> Result<(), CollectorError> {
        let people: Option<BTreeMap<UserId, String>> = self.granted(USERS, self.source.people().await)?;
        if let Some(people) = people {
            links.set_people(&self.connection, self.system, &people).await?;
        }
        for (name, list) in self.granted("lists", self.source.lists().await)?.unwrap_or_default() {
            links.set_list(&self.connection, &name, &list).await?;
        }
        Ok(())
    }

    /// What was read; `None` where we have no right to it. A connection that is refused as a whole is found out when
    /// its records are read.
    fn granted<V>(&self, what: &str, read: Result<V, R::Error>) -> Result<Option<V>, CollectorError> {
        let check = format!("{} {} {what}", self.connection, self.system);
        match read {
            Ok(value) => {
                self.health.set(&check, Check::Ok);
                Ok(Some(value))
            }
            Err(error) if R::class(&error) == FailureClass::Auth => {
                tracing::error!(
                    connection = %self.connection, system = %self.system, error = %Chain(&error),
                    "the {what} may not be read, and what refers to them waits; give our user the right to it"
                );
                self.health.set(&check, Check::Resting(Chain(&error).to_string()));
                Ok(None)
            }
            Err(error) => Err(failed::<R>(error)),
        }
    }
}
