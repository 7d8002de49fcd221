//! The records that a connection gives to its pairs: looked up before anything is written for it.

use std::time::Duration;

use contract::Lane;
use model::ConnectionName;
use service::Given;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::{Aim, Target};

/// A record that was not there is looked for again after this: somebody may have made it, and calls are scarce.
const AGAIN_AFTER: Duration = Duration::from_mins(5);

/// What a connection gives, and whether it is there.
pub(crate) struct GivenRecords {
    connection: ConnectionName,
    records: Vec<Given>,
    found: Mutex<Found>,
}

enum Found {
    NotLookedUp,
    All,
    Missing { words: String, at: Instant },
}

/// What a look at the given records came to.
pub(crate) enum Looked<E> {
    /// All are there, or none is asked for.
    All,
    /// One is not: in words for a person.
    Missing(String),
    /// It can't be told for now.
    Failed(E),
}

impl GivenRecords {
    pub(crate) fn new(connection: ConnectionName, records: Vec<Given>) -> Self {
        let found = if records.is_empty() { Found::All } else { Found::NotLookedUp };
        Self { connection, records, found: Mutex::new(found) }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Looks whether all are there. Whoever asks meanwhile shares the look; once they were found they stay so.
    pub(crate) async fn look<T: Target>(&self, target: &T) -> Looked<T::Error> {
        let mut found = self.found.lock().await;
        match &*found {
            Found::All => return Looked::All,
            Found::Missing { words, at } if at.elapsed() < AGAIN_AFTER => {
                return Looked::Missing(words.clone());
            }
            Found::Missing { .. } | Found::NotLookedUp => {}
        }
        for Given { name, entity, record } in &self.records {
            match target.exists(Aim { entity, lines: None, lane: Lane::Live }, record).await {
                Ok(true) => {}
                Ok(false) => {
                    let words = format!(
                        "connection.{}.{name} = \"{record}\": there is no such record among Exact's {entity}; \
                         write the GUID of one that is there, nothing is written for this connection before",
                        self.connection
                    );
                    *found = Found::Missing { words: words.clone(), at: Instant::now() };
                    return Looked::Missing(words);
                }
                Err(error) => return Looked::Failed(error),
            }
        }
        *found = Found::All;
        Looked::All
    }
}
