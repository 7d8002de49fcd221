//! Records that are being made: creates in flight, and what the new records are called.

use link::{Link, Pending, Write};
use mapping::Pair;
use model::{ConnectionName, System, Value, View};

use super::{Links, LinksError};
use crate::{Key, Store};

impl<S: Store> Links<S> {
    /// Whether a create is in flight that may have made a record of this view: one of the same name, or, if our own user
    /// changed the record last, any.
    pub async fn may_be_making(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        view: &View,
        by_us: bool,
    ) -> Result<bool, LinksError> {
        let key = if by_us {
            self.making_key(connection, pair, system)
        } else {
            self.making_called_key(connection, pair, system, view)
        };
        Ok(self.store.count(&key).await? > 0)
    }

    /// The sets that a link is in while its create is in flight.
    pub(super) fn making(&self, connection: &ConnectionName, pair: &Pair, link: &Link) -> Vec<Key> {
        let of = |system: System| match &link.pending[system] {
            Pending::InFlight { write: Write::Create { values }, .. } => vec![
                self.making_key(connection, pair, system),
                self.making_called_key(connection, pair, system, values),
            ],
            _ => Vec::new(),
        };
        System::BOTH.into_iter().flat_map(of).collect()
    }

    fn making_key(&self, connection: &ConnectionName, pair: &Pair, system: System) -> Key {
        self.key(connection, &["making", pair.name.as_str(), system.name()])
    }

    /// What stands in for a record's name is its name when it is seen.
    fn making_called_key(
        &self,
        connection: &ConnectionName,
        pair: &Pair,
        system: System,
        view: &View,
    ) -> Key {
        let called = view.get(&pair.search_own).map(Value::to_string).unwrap_or_default();
        self.key(connection, &["making", pair.name.as_str(), system.name(), &called])
    }
}
