//! The replicas of all services, as Kubernetes would keep them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Hosting, Running, Service};

/// How long a scrape may take; a replica that answers later is asked again the next time.
const SCRAPE: Duration = Duration::from_secs(2);

/// The counter of steps that broke a promise.
const BROKEN_PROMISES: &str = "tandem_broken_promises_total";

/// One replica.
struct Replica {
    running: Running,
    paused: bool,
    /// Where its metrics are, once its log has told.
    address: Option<String>,
}

/// All replicas.
pub(crate) struct Fleet {
    config: PathBuf,
    up: BTreeMap<(Service, usize), Replica>,
    /// Those that have ended, for their logs.
    past: Vec<Running>,
    http: reqwest::Client,
    /// The most memory that a replica of a service has held, in KiB.
    pub(crate) resident_kib: BTreeMap<&'static str, u64>,
    /// What must never be.
    pub(crate) wrongs: Vec<String>,
}

impl Fleet {
    /// So many replicas of each service.
    pub(crate) fn start(config: &Path, replicas: usize) -> Self {
        let mut fleet = Self {
            config: config.to_owned(),
            up: BTreeMap::new(),
            past: Vec::new(),
            http: reqwest::Client::new(),
            resident_kib: BTreeMap::new(),
            wrongs: Vec::new(),
        };
        for service in Hosting::Processes.services() {
            for replica in 0..replicas {
                fleet.add(*service, replica);
            }
        }
        fleet
    }

    /// Waits until all that run are ready.
    pub(crate) async fn all_ready(&self, limit: Duration) {
        for replica in self.up.values() {
            replica.running.ready(limit).await;
        }
    }

    /// Whether this replica runs and is not paused.
    pub(crate) fn is_up(&self, service: Service, replica: usize) -> bool {
        self.up.get(&(service, replica)).is_some_and(|replica| !replica.paused)
    }

    /// Starts a replica where none of this number runs.
    pub(crate) fn add(&mut self, service: Service, replica: usize) {
        self.up.entry((service, replica)).or_insert_with(|| Replica {
            running: Running::spawn(service, &self.config),
            paused: false,
            address: None,
        });
    }

    /// Ends a replica with `SIGKILL`.
    pub(crate) fn kill(&mut self, service: Service, replica: usize) {
        if let Some(mut killed) = self.up.remove(&(service, replica)) {
            self.must_run(&mut killed.running);
            killed.running.process.kill_nine().unwrap();
            self.past.push(killed.running);
        }
    }

    /// Asks a replica to end; [`Fleet::look`] sees to it that it does.
    pub(crate) fn remove(&mut self, service: Service, replica: usize) {
        if let Some(mut removed) = self.up.remove(&(service, replica)) {
            self.must_run(&mut removed.running);
            removed.running.process.terminate().unwrap();
            self.past.push(removed.running);
        }
    }

    /// Stops a replica where it stands.
    pub(crate) fn pause(&mut self, service: Service, replica: usize) {
        if let Some(replica) = self.up.get_mut(&(service, replica)) {
            replica.running.process.pause().unwrap();
            replica.paused = true;
        }
    }

    /// Lets a replica go on.
    pub(crate) fn resume(&mut self, service: Service, replica: usize) {
        if let Some(replica) = self.up.get_mut(&(service, replica)) {
            replica.running.process.resume().unwrap();
            replica.paused = false;
        }
    }

    /// Replaces all replicas by such with this configuration, the replicas of a service together: where Exact is called
    /// less from now on, those that still call more would leave the others no call.
    pub(crate) async fn roll(&mut self, config: &Path, limit: Duration) {
        config.clone_into(&mut self.config);
        let all: BTreeSet<(Service, usize)> = self.up.keys().copied().collect();
        let services: BTreeSet<Service> = all.iter().map(|(service, _)| *service).collect();
        for rolled in services {
            let replicas = || all.iter().filter(|(service, _)| *service == rolled);
            for (service, replica) in replicas() {
                self.remove(*service, *replica);
            }
            for (service, replica) in replicas() {
                self.add(*service, *replica);
            }
            for name in replicas() {
                self.up[name].running.ready(limit).await;
            }
        }
    }

    fn must_run(&mut self, running: &mut Running) {
        if !running.process.is_running().unwrap() {
            let last = running.log().last().map(ToString::to_string).unwrap_or_default();
            self.wrongs.push(format!("{} ended by itself: {last}", running.service.name()));
        }
    }

    /// Looks after every replica: that it runs, what memory it holds, and whether it has seen a promise broken.
    pub(crate) async fn look(&mut self) {
        let mut wrongs = Vec::new();
        for ((service, number), replica) in &mut self.up {
            let name = service.name();
            if !replica.running.process.is_running().unwrap() {
                let last = replica.running.log().last().map(ToString::to_string).unwrap_or_default();
                wrongs.push(format!("{name} {number} ended by itself: {last}"));
                continue;
            }
            if let Ok(resident) = replica.running.process.resident_kib() {
                let most = self.resident_kib.entry(name).or_default();
                *most = resident.max(*most);
            }
            if replica.paused {
                continue;
            }
            if replica.address.is_none() {
                replica.address = replica.running.told_address();
            }
            let Some(address) = &replica.address else { continue };
            let scraped = self.http.get(format!("http://{address}/metrics")).timeout(SCRAPE).send().await;
            let Ok(answer) = scraped else { continue };
            let text = answer.text().await.unwrap_or_default();
            let broken =
                text.lines().filter(|line| line.starts_with(BROKEN_PROMISES) && !line.ends_with(" 0"));
            wrongs.extend(broken.map(|line| format!("{name} {number}: {line}")));
        }
        wrongs.retain(|wrong| !self.wrongs.contains(wrong));
        self.wrongs.extend(wrongs);
    }

    /// Resumes what is paused and starts what is missing, up to so many of each service.
    pub(crate) fn restore(&mut self, replicas: usize) {
        let paused: Vec<(Service, usize)> =
            self.up.iter().filter(|(_, replica)| replica.paused).map(|(key, _)| *key).collect();
        for (service, replica) in paused {
            self.resume(service, replica);
        }
        for service in Hosting::Processes.services() {
            for replica in 0..replicas {
                self.add(*service, replica);
            }
        }
    }

    /// What the logs of all replicas, those that have ended among them, say of one of these texts.
    pub(crate) fn said_of(&self, texts: &[String]) -> Vec<String> {
        let logs = self.past.iter().chain(self.up.values().map(|replica| &replica.running));
        let mut said: Vec<String> = logs
            .flat_map(|running| {
                let name = running.service.name();
                let log = running.process.stderr();
                let of = |line: &&str| texts.iter().any(|text| line.contains(text.as_str()));
                log.lines().filter(of).map(|line| format!("{line} [{name}]")).collect::<Vec<_>>()
            })
            .collect();
        said.sort();
        said
    }

    /// Stops everything in good order.
    pub(crate) fn end(mut self, limit: Duration) {
        let mut running: Vec<Running> =
            std::mem::take(&mut self.up).into_values().map(|one| one.running).collect();
        for one in &mut running {
            one.process.terminate().unwrap();
        }
        for mut one in running {
            let name = one.service.name();
            assert_eq!(
                one.process.wait_for_exit(limit).unwrap(),
                Some(0),
                "{name} did not stop in good order"
            );
        }
    }
}
