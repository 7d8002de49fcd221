//! One message in, one commit out.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use contract::{Message, Names, RetryTier};
use model::{ConnectionName, PairName};
use service::{Context, UnknownConnections};
use store::{Links, OutboxMessage, Store};
use telemetry::Metrics;

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
    pub(crate) links: Links<S>,
    names: Names,
    keepers: RwLock<Keepers<S>>,
    unknown: UnknownConnections,
}

/// The connections, each with what keeps the pair in the reading that it has chosen.
type Keepers<S> = Arc<BTreeMap<ConnectionName, Arc<Keeper<S>>>>;

impl<S: Store> Handler<S> {
    /// Keeps a pair for the connections of the context.
    pub(crate) fn new(pair: &PairName, links: &Links<S>, names: &Names, context: &Context) -> Self {
        let handler = Self::of(pair, links, names, Arc::clone(&context.metrics), BTreeMap::new());
        handler.follow(context);
        handler
    }

    /// Keeps a pair by these keepers.
    pub(crate) fn of(
        pair: &PairName,
        links: &Links<S>,
        names: &Names,
        metrics: Arc<Metrics>,
        keepers: BTreeMap<ConnectionName, Arc<Keeper<S>>>,
    ) -> Self {
        Self {
            pair: pair.clone(),
            links: links.clone(),
            names: names.clone(),
            keepers: RwLock::new(Arc::new(keepers)),
            unknown: UnknownConnections::new(metrics),
        }
    }

    /// Takes the connections that are in force now, and gives those that were not there before. What is in hand is
    /// finished as it began.
    pub(crate) fn follow(&self, context: &Context) -> Vec<Arc<Keeper<S>>> {
        let connections = context.config.connections.iter().map(|connection| &connection.name);
        let keepers = connections.filter_map(|connection| {
            let given = context.given_to(connection);
            let given = given.iter().map(|given| (given.name.to_owned(), given.record.as_str().into()));
            let (pairs, metrics, given) =
                (context.pairs_of(connection), Arc::clone(&context.metrics), given.collect());
            let keeper =
                Keeper::new(&self.links, &self.names, metrics, connection, &self.pair, pairs, given)?;
            Some((connection.clone(), Arc::new(keeper)))
        });
        let now: Keepers<S> = Arc::new(keepers.collect());
        let mut present = self.keepers.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *present, Arc::clone(&now));
        drop(present);
        self.unknown.begin_anew();
        let added = now.iter().filter(|(connection, _)| !before.contains_key(*connection));
        added.map(|(_, keeper)| Arc::clone(keeper)).collect()
    }

    /// All connections that keep the pair at this moment.
    pub(crate) fn keepers(&self) -> Keepers<S> {
        Arc::clone(&self.keepers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Handles one message: reads, decides, commits, and does it again when somebody else was faster.
    pub(crate) async fn handle(&self, message: &Message, attempt: u32) -> Result<Handled, MapperError> {
        let connection = message.connection();
        let Some(keeper) = self.keepers().get(connection).cloned() else {
            return Ok(match self.unknown.rest(connection, &self.names.pair(&self.pair)) {
                Some(tier) => Handled::Later(tier, "its connection is not configured here"),
                None => Handled::Bad(BadMessage::UnknownConnection(connection.to_string())),
            });
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
