//! What must stand in the end, told by what people entered.

use model::{System, SystemPair, Value};

use super::{PROPERTIES, World};
use crate::{
    Pending,
    tests::{fixture::property, remote::common},
};

impl World {
    /// A property is settled when both records, the link and all that is under way agree on it: what was entered
    /// before has then arrived, and a later edit stands alone.
    pub(super) fn settle(&mut self) {
        let SystemPair { customcrm: Some(crm), exactonline: Some(exact) } = &self.rows else { return };
        for name in PROPERTIES.map(property) {
            let held =
                SystemPair { customcrm: crm.values[&name].clone(), exactonline: exact.values[&name].clone() };
            let quiet = System::BOTH.into_iter().all(|system| {
                let known = self.link.sides[system].as_ref().and_then(|side| side.view.get(&name));
                let in_flight = match &self.link.pending[system] {
                    Pending::InFlight { write, .. } => write.values().contains_key(&name),
                    Pending::Queued { .. } | Pending::None => false,
                };
                let held_by_writer =
                    self.work[system].as_ref().is_some_and(|work| work.write.values().contains_key(&name));
                known == Some(&held[system]) && !in_flight && !held_by_writer
            });
            let alike = common(&name, &held.customcrm) == common(&name, &held.exactonline);
            if quiet && alike && self.link.agreed.get(&name) == Some(&held) {
                self.settled.insert(name.clone(), held.customcrm);
                self.entered.remove(&name);
                self.blind.remove(&name);
            }
        }
    }

    pub(super) fn holds_its_promises(&self) {
        assert!(self.link.is_at_rest(), "{:?}", self.link.pending);
        assert!(self.created <= 1, "{} partners were made", self.created);
        let (Some(crm), Some(exact)) = (&self.rows.customcrm, &self.rows.exactonline) else {
            panic!("the partner was never made");
        };
        for name in PROPERTIES.map(property) {
            let entered = self.entered.get(&name).cloned().unwrap_or_default();
            let held = SystemPair { customcrm: &crm.values[&name], exactonline: &exact.values[&name] };
            if self.link.conflicts.contains(&name) {
                for system in System::BOTH {
                    let own = [entered[system].as_ref(), self.blind.get(&name)].contains(&Some(held[system]));
                    assert!(own, "{name}: {system} keeps its own edit, not {}", held[system]);
                }
                continue;
            }
            let ends = common(&name, held.customcrm);
            assert_eq!(ends, common(&name, held.exactonline), "{name}: both sides agree");
            let mut allowed: Vec<Value> =
                System::BOTH.into_iter().filter_map(|system| entered[system].clone()).collect();
            if allowed.is_empty() {
                allowed.push(self.settled[&name].clone());
            }
            allowed.extend(self.blind.get(&name).cloned());
            assert!(
                allowed.iter().any(|value| common(&name, value) == ends),
                "{name}: {ends} stands where {allowed:?} was entered last"
            );
        }
    }
}
