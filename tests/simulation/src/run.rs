//! One run, from its seed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::broker::InProcess;
use ::store::Links;
use ambient::simulate;
use jiff::SignedDuration;
use mapping::{Pair, Reading};
use model::System;
use people::{Agreed, Hand, Moment, People, Sides};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use service::{BrokerConfig, Config, Pairs, StoreConfig, load_pairs};
use telemetry::{LogFilter, LogFormat};
use tokio::time::{Instant, sleep, sleep_until};

use crate::faults::{Fault, Faults, between};
use crate::fleet::{Fleet, Service};
use crate::memory::Memory;
use crate::network::Network;
use crate::scenario::Event;
use crate::site::Site;
use crate::{Scenario, Trace, broker, store};

/// When every simulation begins.
const START: &str = "2026-03-02T08:00:00Z";
/// A folder in memory: the grant's file is synced to the disk whenever it is written.
const IN_MEMORY: &str = "/dev/shm";
/// What the names of its queues and keys begin with.
pub(crate) const NAMESPACE: &str = "tandem";
/// How long a paused process stands still: more than a lease, less than a message may stay in hand.
const PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(90));
/// How long a crashed process is down.
const DOWN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(2));
/// How far a wrong clock may be off.
const SKEW_SECONDS: i64 = 3;
/// How often it is looked whether the processes run and which links are there again.
const LOOKS_EVERY: Duration = Duration::from_mins(1);
/// How long the first lists may take to be read.
const LISTS_WITHIN: Duration = Duration::from_mins(40);

/// How long a rush lasts, and of how many things of each kind.
const RUSH: Duration = Duration::from_secs(8);
const NEWEST: usize = 2;

/// What became of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What it was.
    pub scenario: Scenario,
    /// All that happened at the ports.
    pub trace: Trace,
    /// What does not hold, with the story of each; empty if all does.
    pub broken: Vec<String>,
    /// How many edits people made.
    pub edits: u32,
    /// How many writes followed, on both sides.
    pub writes: u64,
    /// How many calls the services made.
    pub calls: u64,
    /// How often each fault struck.
    pub struck: BTreeMap<Fault, u32>,
    /// How long it took to come to rest after everything was well again, in virtual time.
    pub settled: Duration,
}

/// Runs a scenario on this thread, in virtual time.
pub fn run(scenario: &Scenario) -> Outcome {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let _simulation = simulate(scenario.seed, START.parse().unwrap());
        World::start(scenario).await.lives().await
    })
}

/// Everything.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) trace: Trace,
    pub(crate) faults: Faults,
    network: Network,
    pub(crate) broker: InProcess,
    pub(crate) store: store::Shaky,
    pub(crate) fleet: Fleet,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) companies: Vec<Company>,
    random: StdRng,
    began: Instant,
    // Calls go over the network, and the grants are kept, for as long as anything runs.
    _carried: wire::Carried,
    _folder: tempfile::TempDir,
}

/// A connection and the people who edit in its two systems.
pub(crate) struct Company {
    pub(crate) site: Site,
    pub(crate) sides: Sides,
    pub(crate) people: People,
    agreed: Agreed,
}

/// Something that is due.
#[derive(Debug, Clone, Copy)]
enum Due {
    Edit(usize),
    Event(Event),
    Look,
    Start(Service, usize),
    Resume(Service, usize),
}

impl World {
    async fn start(scenario: &Scenario) -> Self {
        let (trace, faults) = (Trace::default(), Faults::new(scenario.faults.clone(), scenario.mistake));
        let network = Network::new(faults.clone(), trace.clone());
        let folder = tempfile::Builder::new().prefix("tandem-simulation-").tempdir_in(IN_MEMORY).unwrap();
        let sites: Vec<Site> =
            (0..scenario.connections).map(|number| Site::new(number, scenario.seed, &network)).collect();
        let carried = wire::carried_by(Arc::new(network.clone()));
        let pairs = load_pairs(&pairs_folder(), Reading::Practical).unwrap();
        let config = config(scenario, &sites, folder.path());
        let broker = InProcess::new();
        let shaky = broker::Shaky { inner: broker.clone(), faults: faults.clone(), trace: trace.clone() };
        let store = store::Shaky::new(faults.clone(), trace.clone());
        let known = Pairs::in_reading(pairs.clone(), Reading::Practical);
        let mut fleet = Fleet::new(shaky, store.clone(), config, known, trace.clone());
        for service in Service::ALL {
            for number in 0..scenario.replicas {
                fleet.start(service, number);
            }
        }
        // They make their clients as they begin.
        let mut companies = Vec::new();
        let seed = scenario.seed;
        for (number, site) in (0..).zip(sites) {
            let (sides, links) = (site.sides(), Links::new(store.sound(), NAMESPACE));
            let began = Instant::now();
            let lists = loop {
                sleep(Duration::from_secs(5)).await;
                let lists = links.lists(&site.connection).await.unwrap();
                if lists.len() == 4 || began.elapsed() > LISTS_WITHIN {
                    break lists;
                }
                fleet.look().await;
            };
            let hand = Hand::new(pairs.clone(), &sides, lists);
            let mut people = People::new(seed.wrapping_add(number), hand);
            people.begin(&sides);
            people.newest = scenario.rushes.map(|_| NEWEST);
            companies.push(Company { site, sides, people, agreed: Agreed::new() });
        }
        Self {
            scenario: scenario.clone(),
            random: StdRng::seed_from_u64(seed ^ 0x5eed),
            began: Instant::now(),
            trace,
            faults,
            network,
            broker,
            store,
            fleet,
            pairs,
            companies,
            _carried: carried,
            _folder: folder,
        }
    }

    async fn lives(mut self) -> Outcome {
        let mut due = self.schedule();
        while let Some(((at, _), next)) = due.pop_first() {
            sleep_until(self.began + at).await;
            match next {
                Due::Edit(side) => self.edit(side),
                Due::Event(event) => {
                    let (later, then) = self.happens(event);
                    for (number, then) in (0..).zip(then) {
                        due.insert((at + later, 1_000_000 + number), then);
                    }
                }
                Due::Look => self.look().await,
                Due::Start(service, number) => self.fleet.start(service, number),
                Due::Resume(service, number) => {
                    self.trace.tell(format!("{service:?} {number} goes on"));
                    self.fleet.process(service, number).into_iter().for_each(ambient::Process::resume);
                }
            }
        }
        self.calm_down();
        let (settled, broken) = self.rest().await;
        self.fleet.end();
        Outcome {
            edits: self.companies.iter().map(|company| company.people.ledger.edits()).sum(),
            writes: self.companies.iter().map(|company| company.site.writes()).sum(),
            calls: self.network.calls(),
            struck: self.faults.struck(),
            scenario: self.scenario.clone(),
            trace: self.trace.clone(),
            broken,
            settled,
        }
    }

    /// When what is due; what is due at one moment is kept apart by a number.
    fn schedule(&mut self) -> BTreeMap<(Duration, usize), Due> {
        let lasts = self.scenario.lasts;
        let mut some_time = || lasts.mul_f64(self.random.random::<f64>());
        let rushes: Vec<Duration> =
            (0..self.scenario.rushes.unwrap_or_default()).map(|_| some_time()).collect();
        let mut due: Vec<(Duration, Due)> = Vec::new();
        for (event, times) in self.scenario.events.clone() {
            due.extend((0..times).map(|_| (some_time(), Due::Event(event))));
        }
        for number in 0..self.scenario.edits {
            let at = match rushes.choose(&mut self.random) {
                Some(rush) => *rush + RUSH.mul_f64(self.random.random::<f64>()),
                None => lasts.mul_f64(self.random.random::<f64>()),
            };
            due.push((at, Due::Edit(usize::try_from(number).unwrap())));
        }
        let looks = u32::try_from(lasts.as_secs() / LOOKS_EVERY.as_secs()).unwrap();
        due.extend((1..=looks).map(|number| (LOOKS_EVERY * number, Due::Look)));
        due.into_iter().enumerate().map(|(number, (at, due))| ((at, number), due)).collect()
    }

    fn edit(&mut self, number: usize) {
        let count = self.companies.len();
        let company = &mut self.companies[number / 2 % count];
        let now = Moment { sides: &company.sides, at: self.began.elapsed(), agreed: &company.agreed };
        company.people.act(now, System::BOTH[number % 2]);
    }

    /// Lets something happen; gives what ends it, and when.
    fn happens(&mut self, event: Event) -> (Duration, Vec<Due>) {
        let service = *Service::ALL.choose(&mut self.random).unwrap();
        let number = self.random.random_range(0..self.scenario.replicas);
        let (share, company) =
            (self.random.random::<f64>(), self.random.random_range(0..self.companies.len()));
        self.trace.tell(format!("{event:?}"));
        match event {
            Event::Crash => {
                self.fleet.crash(service, number);
                return (between(DOWN, share), vec![Due::Start(service, number)]);
            }
            Event::Pause => {
                self.fleet.process(service, number).into_iter().for_each(ambient::Process::pause);
                return (between(PAUSE, share), vec![Due::Resume(service, number)]);
            }
            Event::ClockSkew => {
                let ahead = SignedDuration::from_secs(self.random.random_range(-SKEW_SECONDS..=SKEW_SECONDS));
                if let Some(process) = self.fleet.process(service, number) {
                    process.set_ahead(ahead);
                }
            }
            Event::Flush => {
                for company in &mut self.companies {
                    company.people.links_lost(&company.sides, self.began.elapsed());
                    company.agreed = Agreed::new();
                }
                self.store.flush();
            }
            Event::Renumbered => self.companies[company].site.exact.control().move_division(),
        }
        (Duration::ZERO, Vec::new())
    }

    /// Whether the processes run, and which links are there again.
    pub(crate) async fn look(&mut self) {
        self.fleet.look().await;
        let links = self.links();
        for company in &mut self.companies {
            company.people.arrivals(&company.sides, self.began.elapsed());
            if company.people.misses_links() {
                company.agreed = people::agreed(&self.pairs, &links, &company.site.connection).await.unwrap();
            }
        }
    }

    /// The links as they are.
    pub(crate) fn links(&self) -> Links<Memory> {
        Links::new(self.store.sound(), NAMESPACE)
    }

    /// Nothing goes wrong any more, and everything runs.
    fn calm_down(&mut self) {
        self.trace.tell("all is well again");
        self.faults.end();
        for company in &self.companies {
            company.site.crm.control.clear_faults();
            company.site.exact.control().clear_faults();
        }
        for process in self.fleet.processes() {
            process.resume();
            process.set_ahead(SignedDuration::ZERO);
        }
        for service in Service::ALL {
            for number in 0..self.scenario.replicas {
                self.fleet.start(service, number);
            }
        }
    }
}

fn pairs_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs")
}

fn config(scenario: &Scenario, sites: &[Site], folder: &Path) -> Config {
    Config {
        namespace: NAMESPACE.to_owned(),
        pairs: folder.to_owned(),
        health_listen: ([127, 0, 0, 1], 0).into(),
        webhooks_listen: None,
        auth_listen: None,
        log_filter: LogFilter::parse("off").unwrap(),
        log_format: LogFormat::Text,
        otlp: None,
        broker: BrokerConfig::InProcess,
        store: StoreConfig::File { path: folder.to_owned() },
        shutdown_grace: Duration::from_secs(5),
        connections: sites.iter().map(|site| site.config(scenario, folder)).collect(),
    }
}
