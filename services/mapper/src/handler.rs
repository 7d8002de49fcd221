//! One message in, one commit out.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::{Message, Names, RetryTier};
use model::{ConnectionName, PairName};
use service::Context;
use store::{Links, OutboxMessage, Store};

use crate::error::{BadMessage, MapperError};
use crate::keeper::Keeper;

/// Two mappers may meet at one link; the one who is late reads again, at most this often in a row.
const COLLISIONS_MAX: u32 = 20;

/// What became of a message.
#[derive(Debug)]
pub(crate) enum Handled {
    /// It is committed; these messages follow from it and are to be published.
    Done(Vec<OutboxMessage>),
    /// The same, and pairs were released by it, whose links are to be woken.
    Released(Vec<OutboxMessage>),
    /// It has to wait.
    Later(RetryTier, &'static str),
    /// It can never be handled.
    Bad(BadMessage),
}

/// Handles the messages of one pair.
pub(crate) struct Handler<S> {
    pub(crate) pair: PairName,
    /// Each connection keeps the pair in the reading that it has chosen.
    pub(crate) keepers: BTreeMap<ConnectionName, Arc<Keeper<S>>>,
}

impl<S: Store> Handler<S> {
    pub(crate) fn new(pair: &PairName, links: &Links<S>, names: &Names, context: &Context) -> Self {
        let connections = context.config.connections.iter().map(|connection| &connection.name);
        let keepers = connections.filter_map(|connection| {
            let given = context.given_to(connection);
            let given = given.iter().map(|given| (given.name.to_owned(), given.record.as_str().into()));
            let (pairs, metrics) = (context.pairs_of(connection), Arc::clone(&context.metrics));
            let keeper = Keeper::new(links, names, metrics, connection, pair, pairs, given.collect())?;
            Some((connection.clone(), Arc::new(keeper)))
        });
        Self { pair: pair.clone(), keepers: keepers.collect() }
    }

    /// Handles one message: reads, decides, commits, and does it again when somebody else was faster.
    pub(crate) async fn handle(&self, message: &Message, attempt: u32) -> Result<Handled, MapperError> {
        let connection = message.connection();
        let Some(keeper) = self.keepers.get(connection) else {
            return Ok(Handled::Bad(BadMessage::UnknownConnection(connection.to_string())));
        };
        if let Some(bad) = keeper.misfit(message) {
            return Ok(Handled::Bad(bad));
        }
        for _ in 0..COLLISIONS_MAX {
            let handled = match message {
                // It holds several links at a time, which is much for a stack.
                Message::Observed(observed) => Box::pin(keeper.observed(observed, attempt)).await?,
                Message::ReadCompleted(completed) => Some(keeper.read_completed(completed).await?),
                Message::Woken(woken) => Box::pin(keeper.woken(woken)).await?,
                Message::Outcome(outcome) => Box::pin(keeper.outcome(outcome)).await?,
                Message::WriteQueued(_) => Some(Handled::Bad(BadMessage::Misplaced)),
            };
            if let Some(handled) = handled {
                return Ok(handled);
            }
        }
        Ok(Handled::Later(RetryTier::Seconds5, "others changed the link again and again"))
    }
}
