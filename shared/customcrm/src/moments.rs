//! Versions for a CRM that tells none.

use model::{ConnectionName, System, Version};
use store::{Applied, Batch, Change, Key, Store, StoreError};

/// Moments that follow one another in all replicas of all services: the store gives each once, and each is greater than
/// those before it.
///
/// Where a CRM tells no versions they stand for them. What a read shows has the moment before the read began, and what a
/// write leaves has the moment after its answer came: so nothing that was read before a write ended counts as newer than
/// the write.
#[derive(Debug, Clone)]
pub(crate) struct Moments<S> {
    store: S,
    key: Key,
}

impl<S: Store> Moments<S> {
    pub(crate) fn new(store: S, namespace: &str, connection: &ConnectionName) -> Self {
        let key = Key::of(namespace, connection.as_str(), &[System::CustomCrm.name(), "moment"]);
        Self { store, key }
    }

    /// The present moment.
    pub(crate) async fn now(&self) -> Result<Version, StoreError> {
        let batch = Batch::new().then(Change::Set { key: self.key.clone(), value: String::new() });
        match self.store.apply(batch).await? {
            Applied::Done { revision } => Ok(Version(revision)),
            Applied::Refused(_) => unreachable!("the batch checks nothing"),
        }
    }
}
