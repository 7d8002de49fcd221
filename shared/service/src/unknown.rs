//! Messages of connections that are not configured here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::RetryTier;
use model::ConnectionName;
use telemetry::Metrics;
use tokio::time::Instant;

/// How long such messages wait before a person is asked.
const WAITS: Duration = Duration::from_hours(24);
/// How soon after the first one they are looked at again. Mostly the other processes knew the connection a moment before
/// this one, and an edit shall not wait for that; what lasts is no matter of seconds.
const RESTS: [(Duration, RetryTier); 2] =
    [(Duration::from_secs(30), RetryTier::Seconds5), (Duration::from_mins(10), RetryTier::Seconds30)];
/// How often it is told that they do.
const TELLS_EVERY: Duration = Duration::from_mins(1);

/// Has messages wait whose connection is not configured here.
///
/// In a roll-out, and whenever configurations are read anew, one process knows a connection before another one does; and
/// one that was taken away may be put back. So their messages are neither lost nor set aside at once.
pub struct UnknownConnections {
    metrics: Arc<Metrics>,
    met: Mutex<BTreeMap<ConnectionName, Met>>,
}

/// When messages of a connection came here.
struct Met {
    first: Instant,
    told: Option<Instant>,
}

impl UnknownConnections {
    /// None was met yet.
    pub const fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, met: Mutex::new(BTreeMap::new()) }
    }

    /// A message of this connection came from `queue`: for how long it rests. `None`: such messages have come for a day, and the
    /// connection is not meant to come back.
    pub fn rest(&self, connection: &ConnectionName, queue: &str) -> Option<RetryTier> {
        let now = Instant::now();
        let mut all = self.met();
        let met = all.entry(connection.clone()).or_insert(Met { first: now, told: None });
        let since = now.duration_since(met.first);
        if since >= WAITS {
            return None;
        }
        if met.told.is_none_or(|told| now >= told + TELLS_EVERY) {
            met.told = Some(now);
            tracing::warn!(
                %connection, queue,
                "messages wait for a connection that is not configured here; add it, or they are set aside after a day"
            );
        }
        self.metrics.count_unknown_connection(queue);
        let rest = RESTS.iter().find(|(until, _)| since < *until);
        Some(rest.map_or(RetryTier::Minutes5, |(_, tier)| *tier))
    }

    /// Another configuration is in force: the day begins anew.
    pub fn begin_anew(&self) {
        self.met().clear();
    }

    fn met(&self) -> MutexGuard<'_, BTreeMap<ConnectionName, Met>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn messages_of_a_connection_that_is_not_there_wait_for_a_day_from_when_the_first_one_came() {
        let metrics = Arc::new(Metrics::new("mapper"));
        let unknown = UnknownConnections::new(Arc::clone(&metrics));
        let rest = |connection| unknown.rest(connection, "tandem.pair.x");
        let names = ["acme", "beta"].map(|name| ConnectionName::parse(name).expect("it is a name"));
        assert_eq!(rest(&names[0]), Some(RetryTier::Seconds5), "another process was faster");
        advance(Duration::from_mins(1)).await;
        assert_eq!(rest(&names[0]), Some(RetryTier::Seconds30), "a roll-out is under way");
        advance(WAITS / 2).await;
        assert_eq!(names.each_ref().map(rest), [Some(RetryTier::Minutes5), Some(RetryTier::Seconds5)]);
        advance(WAITS / 2).await;
        assert_eq!(names.each_ref().map(rest), [None, Some(RetryTier::Minutes5)]);
        let line = "tandem_unknown_connections_total{queue=\"tandem.pair.x\",service=\"mapper\"} 5";
        assert!(metrics.render().contains(line), "{}", metrics.render());
        unknown.begin_anew();
        assert_eq!(rest(&names[0]), Some(RetryTier::Seconds5));
    }
}
