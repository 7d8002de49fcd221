//! Users who come to be known: the links that name them are looked at again.

use std::collections::BTreeMap;
use std::time::Duration;

use broker::Broker;
use model::{ConnectionName, SystemPair};
use service::{Check, Context};
use store::{Links, Store};

use crate::error::MapperError;
use crate::handler::Handler;
use crate::outbox::outgoing;

/// How often the directories are looked at; their collectors read them far less often.
const LOOK: Duration = Duration::from_secs(2);

/// Wakes the links with a user whom the other system's directory did not know, whenever a directory has changed, and
/// once at the start. A wake that is lost with this process is said again by the next one.
pub(crate) async fn watch<B: Broker, S: Store>(
    broker: &B,
    links: &Links<S>,
    handlers: &[Handler<S>],
    context: &Context,
) -> Result<(), MapperError> {
    let mut seen: BTreeMap<ConnectionName, SystemPair<Option<u64>>> = BTreeMap::new();
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            biased;
            () = context.stop.cancelled() => return Ok(()),
            _ = tick.tick() => {}
        }
        for connection in context.present().connections.iter().map(|connection| &connection.name) {
            let revisions = links.directory_revisions(connection).await?;
            if seen.get(connection) == Some(&revisions) {
                continue;
            }
            for keeper in handlers.iter().filter_map(|handler| handler.keepers().get(connection).cloned()) {
                let wakes = keeper.wake_strangers().await?;
                broker.publish(wakes.iter().map(outgoing).collect()).await?;
            }
            seen.insert(connection.clone(), revisions);
        }
        context.health.set("directories", Check::Ok);
    }
}
