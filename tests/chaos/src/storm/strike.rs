//! Faults begin and end.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use simulator_customcrm::{Effect, Fault as CrmFault};
use simulator_exactonline::{Fault as ExactFault, FaultKind, Limits, Switches};
use store::{Applied, Batch, Change, Check, Store as _, StoreError};

use super::faults::Fault;
use super::{LOOKS_EVERY, Later, Storm};
use crate::RECOVERS_WITHIN;

impl Storm {
    /// A fault begins.
    pub(super) fn strike(&mut self, fault: Fault) {
        let now = self.began.elapsed();
        let (name, site) = (fault.name(), self.world.site());
        let struck = match fault {
            Fault::Kill { service, replica, back_after } => {
                let up = self.fleet.is_up(service, replica);
                self.fleet.kill(service, replica);
                self.later.push((now + back_after, Later::Start(service, replica)));
                up
            }
            Fault::Pause { service, replica, lasts } => {
                let up = self.fleet.is_up(service, replica);
                if up {
                    self.fleet.pause(service, replica);
                    self.later.push((now + lasts, Later::Resume(service, replica)));
                }
                up
            }
            Fault::Remove { service, replica, back_after } => {
                let up = self.fleet.is_up(service, replica);
                if up {
                    self.fleet.remove(service, replica);
                    self.later.push((now + back_after, Later::Start(service, replica)));
                }
                up
            }
            Fault::Add { service, lasts } => {
                let further = self.script.replicas;
                self.fleet.add(service, further);
                self.later.push((now + lasts, Later::Remove(service, further)));
                true
            }
            Fault::Broker { kill } => self.strike_broker(kill),
            Fault::Redis { back_after } => self.strike_redis(back_after),
            Fault::Flush => self.flush(),
            Fault::Crm { effect, method, collection, calls } => {
                if matches!(effect, Effect::Throttle(_)) {
                    self.throttles.customcrm += calls;
                }
                site.crm.control().add_fault(CrmFault::next(effect).on(method, collection).times(calls));
                true
            }
            Fault::Exact { kind, method, path, calls } => {
                if kind == FaultKind::Throttle {
                    self.throttles.exactonline += calls;
                }
                let fault = ExactFault {
                    kind,
                    method: Some(method.to_owned()),
                    path_contains: Some(path.to_owned()),
                    count: calls,
                };
                site.exact.control().add_fault(fault);
                true
            }
            Fault::SilentRefusals { lasts } => {
                self.switch(|switches| switches.refusals_tell = false);
                self.throttles.exactonline += 2;
                let refusal = ExactFault { count: 2, ..ExactFault::next(FaultKind::Throttle) };
                self.world.site().exact.control().add_fault(refusal);
                self.later.push((now + lasts, Later::TellRefusals));
                true
            }
            Fault::FeedsLag { behind, lasts } => {
                let milliseconds = i64::try_from(behind.as_millis()).unwrap();
                self.switch(|switches| switches.sync_lag_milliseconds = milliseconds);
                self.later.push((now + lasts, Later::FeedsInTime));
                true
            }
            Fault::ShortPages { lasts } => {
                self.limit(|limits| (limits.page_size, limits.large_page_size) = (3, 5));
                self.later.push((now + lasts, Later::LongPages));
                true
            }
            Fault::Renumbered { moved, noticed_after } => {
                let control = site.exact.control();
                if moved {
                    control.move_division();
                } else {
                    control.link_division();
                }
                self.later.push((now + noticed_after, Later::NoticeNumbering));
                true
            }
        };
        if struck {
            *self.faults.entry(name).or_default() += 1;
        }
    }

    fn strike_broker(&mut self, kill: bool) -> bool {
        let broker = Arc::clone(&self.broker);
        if broker.try_lock().is_err() {
            return false;
        }
        // A node takes ten seconds to come up: people go on meanwhile.
        self.under_way.push(tokio::task::spawn_blocking(move || {
            let mut broker = broker.lock().unwrap_or_else(PoisonError::into_inner);
            if kill {
                broker.kill_nine().unwrap();
            }
            broker.restart().unwrap();
        }));
        true
    }

    fn strike_redis(&mut self, back_after: Duration) -> bool {
        let redis = Arc::clone(&self.redis);
        if redis.try_lock().is_err() {
            return false;
        }
        self.under_way.push(tokio::task::spawn_blocking(move || {
            let mut redis = redis.lock().unwrap_or_else(PoisonError::into_inner);
            redis.kill().unwrap();
            std::thread::sleep(back_after);
            redis.restart().unwrap();
        }));
        true
    }

    fn flush(&mut self) -> bool {
        let Ok(redis) = self.redis.try_lock() else { return false };
        self.people.links_lost(&self.sides, self.began.elapsed());
        self.agreed.clear();
        redis.flush_all().unwrap();
        true
    }

    pub(super) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        let control = self.world.site().exact.control();
        let mut switches = control.switches();
        change(&mut switches);
        control.set_switches(switches);
    }

    pub(super) fn limit(&self, change: impl FnOnce(&mut Limits)) {
        let control = self.world.site().exact.control();
        let mut limits = control.limits();
        change(&mut limits);
        control.set_limits(limits);
    }

    /// Ends the faults whose time is over.
    pub(super) async fn end_what_is_over(&mut self, now: Duration) {
        let (over, later) = std::mem::take(&mut self.later).into_iter().partition(|(at, _)| *at <= now);
        self.later = later;
        for (_, what) in over {
            match what {
                Later::Start(service, replica) => self.fleet.add(service, replica),
                Later::Resume(service, replica) => self.fleet.resume(service, replica),
                Later::Remove(service, replica) => self.fleet.remove(service, replica),
                Later::TellRefusals => self.switch(|switches| switches.refusals_tell = true),
                Later::FeedsInTime => self.switch(|switches| switches.sync_lag_milliseconds = 0),
                Later::LongPages => self.limit(|limits| {
                    let usual = Limits::default();
                    (limits.page_size, limits.large_page_size) = (usual.page_size, usual.large_page_size);
                }),
                Later::NoticeNumbering => {
                    let noticed = tokio::time::timeout(Duration::from_secs(2), self.let_hours_pass()).await;
                    if !matches!(noticed, Ok(Ok(()))) {
                        self.later.push((now.saturating_add(LOOKS_EVERY), Later::NoticeNumbering));
                    }
                }
            }
        }
    }

    /// The product looks every eight hours whether Exact has numbered everything anew: since the last look, so much time
    /// has passed.
    async fn let_hours_pass(&self) -> Result<(), StoreError> {
        let (store, key) =
            (self.links.store(), self.links.key(&self.connection, &["exactonline", "numbering"]));
        while let Some(entry) = store.get(&key).await? {
            let mut known: serde_json::Value = serde_json::from_str(&entry.value).unwrap();
            known["looked_at"] = (jiff::Timestamp::now() - SignedDuration::from_hours(9)).to_string().into();
            let unchanged = Check::Revision(key.clone(), entry.revision);
            let set = Change::Set { key: key.clone(), value: known.to_string() };
            if let Applied::Done { .. } = store.apply(Batch::new().when(unchanged).then(set)).await? {
                break;
            }
        }
        Ok(())
    }

    /// Ends all faults, and waits until everything is up again.
    pub(super) async fn calm_down(&mut self) {
        for task in std::mem::take(&mut self.under_way) {
            task.await.unwrap();
        }
        self.fleet.restore(self.script.replicas);
        while !self.later.is_empty() {
            self.end_what_is_over(Duration::MAX).await;
        }
        self.fleet.restore(self.script.replicas);
        let (crm, exact) = (self.world.site().crm.control(), self.world.site().exact.control());
        let spared = |faults: u32, counted: &mut u32| *counted -= faults.min(*counted);
        let of_crm = crm.faults().into_iter().filter(|fault| matches!(fault.effect, Effect::Throttle(_)));
        spared(of_crm.map(|fault| fault.count).sum(), &mut self.throttles.customcrm);
        let of_exact = exact.faults().into_iter().filter(|fault| fault.kind == FaultKind::Throttle);
        spared(of_exact.map(|fault| fault.count).sum(), &mut self.throttles.exactonline);
        crm.clear_faults();
        exact.clear_faults();
        self.fleet.all_ready(RECOVERS_WITHIN).await;
    }
}
