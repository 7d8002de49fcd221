use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use link::Link;
use model::{ConnectionName, PairName};
use secrecy::SecretString;
use servers::wait_until_async;
use store::{Links, Redis};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::{Hosting, PAIR, Plan, Queues, RECOVERS_WITHIN, Running, Service, Site, config};

/// A runner that runs tests as threads of one process still runs one world at a time.
static ONE_AT_A_TIME: LazyLock<Mutex<()>> = LazyLock::new(Mutex::default);

/// How long nothing may be written before both sides count as at rest: several polls.
const REST: Duration = Duration::from_millis(1_200);

/// A whole deployment on this machine.
#[derive(Debug)]
pub struct World {
    /// The systems of each connection.
    pub sites: Vec<Site>,
    plan: Plan,
    namespace: String,
    config: PathBuf,
    services: BTreeMap<Service, Running>,
    servers: Option<Servers>,
    // Dropped last: the processes read from it.
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// What an operator would look at beside the services.
struct Servers {
    links: Links<Redis>,
    redis_url: String,
    queues: Queues,
}

impl std::fmt::Debug for Servers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Servers").field("redis_url", &self.redis_url).finish_non_exhaustive()
    }
}

impl World {
    /// Starts a world with one connection and waits until all of it is ready.
    pub async fn start(hosting: Hosting) -> Self {
        let mut world = Self::prepare(Plan::new(hosting)).await;
        world.run_all().await;
        world
    }

    /// Starts the simulators and writes the configuration, and starts no service.
    pub async fn prepare(plan: Plan) -> Self {
        let alone = ONE_AT_A_TIME.lock().await;
        let mut sites = Vec::new();
        for name in &plan.connections {
            sites.push(Site::start(name).await);
        }
        let id = Uuid::new_v4().simple().to_string();
        let namespace = format!("chaos-{}", &id[..12]);
        let folder = tempfile::Builder::new().prefix("tandem-chaos-").tempdir().unwrap();
        let config = config::write(&plan, &namespace, &sites, folder.path());
        let servers = plan.servers().map(|(amqp_url, redis_url)| Servers {
            links: Links::new(Redis::open(&SecretString::from(redis_url.clone())).unwrap(), &namespace),
            redis_url,
            queues: Queues::new(amqp_url, &namespace, &plan.kept.pairs()),
        });
        Self { sites, plan, namespace, config, services: BTreeMap::new(), servers, folder, _alone: alone }
    }

    /// Starts all services and waits until they are ready.
    pub async fn run_all(&mut self) {
        self.spawn_all();
        self.all_ready(RECOVERS_WITHIN).await;
    }

    /// Starts all services and does not wait.
    pub fn spawn_all(&mut self) {
        for service in self.plan.hosting.services() {
            self.spawn(*service);
        }
    }

    /// Waits until all services are ready.
    pub async fn all_ready(&self, limit: Duration) {
        for running in self.services.values() {
            running.ready(limit).await;
        }
    }

    /// Starts one service, in place of one that has ended, and does not wait.
    pub fn spawn(&mut self, service: Service) {
        self.services.insert(service, Running::spawn(service, &self.config));
    }

    /// As [`World::spawn`], so that its files can be [limited](Running::limit_files).
    pub fn spawn_limitable(&mut self, service: Service) {
        self.services.insert(service, Running::spawn_limitable(service, &self.config));
    }

    /// Ends one service with `SIGKILL`.
    pub fn kill_nine(&mut self, service: Service) {
        self.service_mut(service).process.kill_nine().unwrap();
    }

    /// The only connection, or the first of several.
    pub fn site(&self) -> &Site {
        &self.sites[0]
    }

    /// The services that have been started.
    pub fn services(&self) -> impl Iterator<Item = &Running> {
        self.services.values()
    }

    /// A service that has been started.
    pub fn service(&self, service: Service) -> &Running {
        &self.services[&service]
    }

    /// A service that has been started.
    pub fn service_mut(&mut self, service: Service) -> &mut Running {
        self.services.get_mut(&service).unwrap()
    }

    /// The configuration file that all services read.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Writes a configuration beside the first one, of the same world at other limits and with another time between two
    /// polls; gives its path.
    pub(crate) fn reconfigured(&self, quota: crate::Quota, poll: Duration) -> PathBuf {
        let plan = Plan { poll, quota, ..self.plan.clone() };
        config::write_as("reconfigured.toml", &plan, &self.namespace, &self.sites, self.folder.path())
    }

    /// The folder of the configuration and its secrets.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the names of its queues and keys begin with.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The queues, for processes.
    pub fn queues(&self) -> &Queues {
        &self.servers.as_ref().expect("one process has no queues to look at").queues
    }

    /// Waits until both sides of every connection agree and rest.
    pub async fn settled(&self) {
        self.settled_within(RECOVERS_WITHIN).await;
    }

    /// As [`World::settled`], within another time.
    pub async fn settled_within(&self, limit: Duration) {
        let mut last = (u64::MAX, Instant::now());
        wait_until_async("both sides to agree and rest", limit, async || {
            let pending = self.pending().await;
            for site in &self.sites {
                site.agreement().map_err(|told| format!("{told}; {pending:?}"))?;
            }
            pending?;
            let writes = self.writes();
            if last.0 != writes {
                last = (writes, Instant::now());
            }
            if last.1.elapsed() < REST { Err(format!("{writes} writes a moment ago")) } else { Ok(()) }
        })
        .await;
        for site in &self.sites {
            site.agreement().unwrap();
        }
    }

    /// Whether no link awaits a write. Where the store can't be looked into, the sides alone tell.
    async fn pending(&self) -> Result<(), String> {
        let Some(servers) = &self.servers else { return Ok(()) };
        for site in &self.sites {
            let pending = servers.links.pending(&connection(site), &pair()).await;
            let pending = pending.map_err(|error| error.to_string())?;
            if let Some(first) = pending.first() {
                let stored = servers.links.find(&connection(site), &pair(), first).await;
                let link = stored.map_err(|error| error.to_string())?.map(|stored| stored.link);
                return Err(format!("{} links of {} await a write, as {link:?}", pending.len(), site.name));
            }
        }
        Ok(())
    }

    /// How many writes the product has made on all sides.
    pub fn writes(&self) -> u64 {
        self.sites.iter().map(Site::writes).sum()
    }

    /// The link in Redis of which one side has this name, if there is one.
    ///
    /// # Panics
    ///
    /// When two links have it.
    pub async fn link(&self, site: &Site, name: &str) -> Option<Arc<Link>> {
        let links = &self.servers.as_ref().expect("the store of one process is its own").links;
        let named = |link: &Link| {
            let sides = [&link.sides.customcrm, &link.sides.exactonline];
            let holds = |value: &model::Value| *value == model::Value::Text(name.to_owned());
            sides.into_iter().flatten().any(|side| side.view.values().any(holds))
        };
        let mut found = Vec::new();
        for id in links.all(&connection(site), &pair()).await.unwrap() {
            if let Some(stored) = links.find(&connection(site), &pair(), &id).await.unwrap()
                && named(&stored.link)
            {
                found.push(stored.link);
            }
        }
        assert!(found.len() < 2, "{} links hold {name:?}", found.len());
        found.pop()
    }

    /// Stops everything, each service in good order, and leaves nothing behind: no process, no queue, no key.
    pub async fn end(mut self) {
        for running in self.services.values_mut() {
            running.process.terminate().unwrap();
        }
        let limit = Duration::from_secs(u64::from(self.plan.grace_seconds) + 10);
        for running in self.services.values_mut() {
            let name = running.service.name();
            let code = running.process.wait_for_exit(limit).unwrap();
            assert_eq!(code, Some(0), "{name} did not stop in good order");
            let left = Path::new("/proc").join(running.process.pid().to_string());
            assert!(!left.exists(), "{name} is still there");
        }
        if let Some(servers) = &self.servers {
            servers.queues.delete_all().await;
            delete_keys(&servers.redis_url, &self.namespace).await;
        }
    }
}

async fn delete_keys(redis_url: &str, namespace: &str) {
    let client = redis::Client::open(redis_url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("{namespace}:*")).query_async(&mut connection).await.unwrap();
    if !keys.is_empty() {
        redis::cmd("DEL").arg(keys).query_async::<()>(&mut connection).await.unwrap();
    }
}

fn connection(site: &Site) -> ConnectionName {
    ConnectionName::parse(&site.name).unwrap()
}

fn pair() -> PairName {
    PairName::parse(PAIR).unwrap()
}
