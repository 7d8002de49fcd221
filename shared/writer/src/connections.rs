//! The connections that are written for, as the configuration has them at this moment.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::{ConnectionName, System};
use service::{Context, ServiceError};

use crate::Target;
use crate::work::Kept;

type All<T> = Arc<BTreeMap<ConnectionName, Arc<Kept<T>>>>;

/// What is kept for each connection. A write goes on with what it began with, whatever comes into force meanwhile.
pub(crate) struct Connections<T>(RwLock<All<T>>);

impl<T: Target> Connections<T> {
    /// These ones.
    pub(crate) fn new(kept: BTreeMap<ConnectionName, Kept<T>>) -> Self {
        Self(RwLock::new(Arc::new(kept.into_iter().map(|(name, kept)| (name, Arc::new(kept))).collect())))
    }

    pub(crate) fn all(&self) -> All<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn get(&self, connection: &ConnectionName) -> Option<Arc<Kept<T>>> {
        self.all().get(connection).cloned()
    }

    /// Takes the connections of `now`, which is in force in place of `before`, and gives the names of those that went or
    /// are others. What is kept for the rest, clients and tokens among it, stays.
    pub(crate) fn follow(
        &self,
        before: &Context,
        now: &Context,
        system: System,
        targets: impl FnOnce(&Context) -> Result<BTreeMap<ConnectionName, T>, ServiceError>,
    ) -> Result<Vec<ConnectionName>, ServiceError> {
        let present = self.all();
        let changed = now.changed_since(&before.config);
        let mut next: BTreeMap<_, _> = targets(&changed)?
            .into_iter()
            .map(|(name, target)| (name.clone(), Arc::new(Kept::of(now, system, name, target))))
            .collect();
        for connection in &now.config.connections {
            if let Some(kept) = present.get(&connection.name)
                && changed.config.connections.iter().all(|changed| changed.name != connection.name)
            {
                next.insert(connection.name.clone(), Arc::clone(kept));
            }
        }
        let is_same =
            |name: &&ConnectionName| next.get(*name).is_some_and(|kept| Arc::ptr_eq(kept, &present[*name]));
        let gone = present.keys().filter(|name| !is_same(name)).cloned().collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(gone)
    }
}
