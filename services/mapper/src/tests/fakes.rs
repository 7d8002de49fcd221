//! A store that lets others in between, and a broker that fails when it is told to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use broker::{Broker, BrokerError, InProcess, InProcessSubscription, Outgoing};
use contract::Topology;
use jiff::Timestamp;
use store::{Applied, Batch, Durability, Embedded, Entry, Key, Leased, Store, StoreError};

/// A store in memory before each of whose calls others may run, as a seed says: two handlers on one thread meet at
/// every place where two processes could.
#[derive(Clone)]
pub(super) struct Pausing {
    inner: Embedded,
    seed: Option<Arc<AtomicU64>>,
    /// How many calls are answered before one is not; none fails at zero.
    fails_after: Arc<AtomicU32>,
}

impl Pausing {
    /// Never pauses without a seed.
    pub(super) fn new(seed: Option<u64>) -> Self {
        let seed = seed.map(|seed| Arc::new(AtomicU64::new(seed)));
        Self { inner: Embedded::in_memory().unwrap(), seed, fails_after: Arc::default() }
    }

    /// Of the next calls this one is not carried out: the first is 1.
    pub(super) fn fail(&self, call: u32) {
        self.fails_after.store(call, Ordering::Relaxed);
    }

    /// Whether that call was made.
    pub(super) fn has_failed(&self) -> bool {
        self.fails_after.load(Ordering::Relaxed) == 0
    }

    async fn pause(&self) -> Result<(), StoreError> {
        let left = self.fails_after.load(Ordering::Relaxed);
        self.fails_after.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 1 {
            return Err(StoreError::Interrupted { path: "(in memory)".into() });
        }
        let Some(seed) = &self.seed else { return Ok(()) };
        for _ in 0..next(seed) % 4 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// The next number of a sequence that its seed decides (SplitMix64).
pub(super) fn next(state: &AtomicU64) -> u64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Store for Pausing {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.pause().await?;
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.pause().await?;
        self.inner.get_many(keys).await
    }

    async fn members(&self, key: &Key) -> Result<BTreeSet<String>, StoreError> {
        self.pause().await?;
        self.inner.members(key).await
    }

    async fn count(&self, key: &Key) -> Result<u64, StoreError> {
        self.pause().await?;
        self.inner.count(key).await
    }

    async fn due(&self, key: &Key, until: Timestamp, limit: usize) -> Result<Vec<String>, StoreError> {
        self.pause().await?;
        self.inner.due(key, until, limit).await
    }

    async fn list(&self, key: &Key, newest: usize) -> Result<Vec<String>, StoreError> {
        self.pause().await?;
        self.inner.list(key, newest).await
    }

    async fn apply(&self, batch: Batch) -> Result<Applied, StoreError> {
        self.pause().await?;
        self.inner.apply(batch).await
    }

    async fn lease(&self, key: &Key, holder: &str, keep: Duration) -> Result<Leased, StoreError> {
        self.inner.lease(key, holder, keep).await
    }

    async fn release(&self, key: &Key, holder: &str) -> Result<(), StoreError> {
        self.inner.release(key, holder).await
    }

    async fn reachable(&self) -> Result<(), StoreError> {
        self.inner.reachable().await
    }

    async fn durability(&self) -> Result<Durability, StoreError> {
        self.inner.durability().await
    }
}

/// A broker that publishes nothing for a while, as one does that a process loses between commit and publication.
#[derive(Clone)]
pub(super) struct Failing {
    pub(super) inner: InProcess,
    failures: Arc<AtomicU32>,
}

impl Failing {
    pub(super) fn new() -> Self {
        Self { inner: InProcess::new(), failures: Arc::default() }
    }

    /// The next call to publish fails.
    pub(super) fn fail_once(&self) {
        self.failures.store(1, Ordering::SeqCst);
    }

    /// Whether it still has to fail.
    pub(super) fn is_to_fail(&self) -> bool {
        self.failures.load(Ordering::SeqCst) > 0
    }
}

impl Broker for Failing {
    type Subscription = InProcessSubscription;

    async fn declare(&self, topology: &Topology) -> Result<(), BrokerError> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        let fails =
            self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if fails.is_ok() {
            return Err(BrokerError::Lost { doing: "publish".to_owned(), source: None });
        }
        self.inner.publish(messages).await
    }

    async fn subscribe(&self, queue: &str, prefetch: u16) -> Result<InProcessSubscription, BrokerError> {
        self.inner.subscribe(queue, prefetch).await
    }

    async fn depth(&self, queue: &str) -> Result<u64, BrokerError> {
        self.inner.depth(queue).await
    }

    async fn reachable(&self) -> Result<(), BrokerError> {
        self.inner.reachable().await
    }
}
