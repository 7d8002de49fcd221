//! How everything stands, for those who watch: how many links wait for what, and how much waits in each queue.

use std::time::Duration;

use broker::Broker;
use contract::{Lane, RetryTier, Topology};
use model::System;
use service::Context;
use store::{Links, Standing, Store};
use telemetry::{Chain, LinkState};
use tokio::time::{Instant, sleep};

use crate::error::MapperError;
use crate::handler::Handler;

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(15);
/// A look takes at most a tenth of the time: of a thousand connections it asks the store tens of thousands of times.
const RESTS_PER_LOOK: u32 = 9;
/// And how long after the start for the first time.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// Shows how everything stands, until the service stops. Each replica shows the same. What can't be looked at now is
/// looked at again: nothing else waits for it.
pub(crate) async fn show<B: Broker, S: Store>(
    broker: &B,
    links: &Links<S>,
    topology: &Topology,
    handlers: &[Handler<S>],
    context: &Context,
) -> Result<(), MapperError> {
    let names = &topology.names;
    let mut queues: Vec<String> = handlers.iter().map(|handler| names.pair(&handler.pair)).collect();
    let lanes = System::BOTH.iter().flat_map(|system| Lane::BOTH.map(|lane| names.writes(*system, lane)));
    queues.extend(lanes);
    queues.extend(RetryTier::ALL.map(|tier| names.retry(tier)));
    queues.push(names.dead_letters());
    // Whoever takes from the queues has declared them by then.
    let mut rest = FIRST_LOOK;
    while context.stop.run_until_cancelled(sleep(rest)).await.is_some() {
        let begun = Instant::now();
        let look = async {
            for queue in &queues {
                context.metrics.set_queue_depth(queue, broker.depth(queue).await?);
            }
            for handler in handlers {
                show_links(links, handler, context).await?;
            }
            Ok::<_, MapperError>(())
        };
        if let Err(error) = look.await {
            tracing::debug!(error = %Chain(&error), "how queues and links stand can't be seen now");
        }
        rest = LOOK.max(begun.elapsed() * RESTS_PER_LOOK);
    }
    Ok(())
}

async fn show_links<S: Store>(
    links: &Links<S>,
    handler: &Handler<S>,
    context: &Context,
) -> Result<(), MapperError> {
    let mut sum = Standing::default();
    for connection in handler.keepers().keys() {
        let found = links.standing(connection, &handler.pair).await?;
        sum.all += found.all;
        sum.unmatched += found.unmatched;
        sum.pending += found.pending;
        sum.parked += found.parked;
        sum.held += found.held;
        sum.refused += found.refused;
    }
    let shown = [
        (LinkState::All, sum.all),
        (LinkState::Unmatched, sum.unmatched),
        (LinkState::Pending, sum.pending),
        (LinkState::Parked, sum.parked),
        (LinkState::Held, sum.held),
        (LinkState::Refused, sum.refused),
    ];
    for (state, count) in shown {
        context.metrics.set_links(handler.pair.as_str(), state, count);
    }
    Ok(())
}
