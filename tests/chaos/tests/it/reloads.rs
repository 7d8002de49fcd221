use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chaos::{ARRIVES_WITHIN, Company, Hosting, PAIR, Plan, RECOVERS_WITHIN, Running, Service, Site, World};
use serde_json::json;
use servers::{Binary, Process, Redis, wait_until_async};

const COMPANIES: usize = 5;
/// Each connection has two collectors, one for each system.
const COLLECTORS: [(&str, &str); 2] = [("customcrm", "customers"), ("exactonline", "accounts")];

/// A deployment whose connections have files of their own.
struct Deployment {
    world: World,
    folder: PathBuf,
    /// What each connection's file holds, those that are not there yet among them.
    files: BTreeMap<String, String>,
    namespace: String,
}

impl Deployment {
    /// Starts all services with these of the connections.
    async fn start(hosting: Hosting, connections: Vec<&'static str>, first: &[&str]) -> Self {
        let world = World::prepare(Plan { connections, ..Plan::new(hosting) }).await;
        let text = fs::read_to_string(world.config()).unwrap();
        let mut sections = text.split("\n[[connection]]\n");
        let shared = sections.next().unwrap();
        let folder = world.folder().join("connections");
        fs::create_dir(&folder).unwrap();
        fs::write(world.config(), format!("connections = \"connections\"\n{shared}")).unwrap();
        let name = shared.lines().find_map(|line| line.strip_prefix("namespace = ")).unwrap();
        let namespace = name.trim_matches('"').to_owned();
        let files = sections.map(|section| {
            let (name, section) = section.split_once('\n').unwrap();
            let name = name.strip_prefix("name = ").unwrap().trim_matches('"').to_owned();
            let section = section.replace("[connection.", "[").replace("_file = \"", "_file = \"../");
            (name, section)
        });
        let mut deployment = Self { files: files.collect(), folder, namespace, world };
        for name in first {
            deployment.add(name);
        }
        deployment.world.run_all().await;
        deployment
    }

    fn add(&self, connection: &str) {
        fs::write(self.folder.join(format!("{connection}.toml")), &self.files[connection]).unwrap();
    }

    fn remove(&self, connection: &str) {
        fs::remove_file(self.folder.join(format!("{connection}.toml"))).unwrap();
    }

    fn site(&self, connection: &str) -> &Site {
        self.world.sites.iter().find(|site| site.name == connection).unwrap()
    }

    /// Has each service read the configuration anew, and waits until it told so with this message.
    async fn reload(&self, message: &str) {
        let told = |running: &Running| {
            running.log().iter().filter(|event| event["message"] == message).cloned().collect::<Vec<_>>()
        };
        for running in self.world.services() {
            let before = told(running).len();
            let pid = running.process.pid().to_string();
            assert!(Command::new("kill").args(["-s", "HUP", &pid]).status().unwrap().success());
            let what = format!("{} to tell {message:?}", running.service.name());
            wait_until_async(&what, ARRIVES_WITHIN, async || {
                if told(running).len() > before { Ok(()) } else { Err("not yet") }
            })
            .await;
        }
    }

    /// The fencing tokens of the connection's collectors, and whether each lease is held.
    async fn leases(&self, connection: &str) -> BTreeMap<&'static str, (u64, bool)> {
        let client = redis::Client::open(Redis::shared_url()).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let mut leases = BTreeMap::new();
        for (system, entity) in COLLECTORS {
            let key = format!("{}:{{{connection}}}:collector:{system}:{entity}%lease", self.namespace);
            let now: (u64, u64) = redis::cmd("TIME").query_async(&mut redis).await.unwrap();
            let fields = redis::cmd("HMGET").arg(&key).arg(&["token", "until"]).query_async(&mut redis).await;
            let (token, until): (u64, Option<u64>) = fields.unwrap();
            leases.insert(system, (token, until.is_some_and(|until| until > now.0 * 1_000_000 + now.1)));
        }
        leases
    }

    /// The value of a counter of each service, all its series together.
    async fn counted(&self, name: &str) -> Vec<f64> {
        let mut counted = Vec::new();
        for running in self.world.services() {
            let url = format!("http://{}/metrics", running.health_address().await);
            let text = reqwest::get(url).await.unwrap().text().await.unwrap();
            let of_it = text.lines().filter(|line| line.starts_with(name));
            counted.push(of_it.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum());
        }
        counted
    }

    /// Whether any service tells anything of a connection.
    async fn is_told_of(&self, connection: &str) -> bool {
        let label = format!("connection=\"{connection}\"");
        self.counted(&format!("tandem_poll_age_seconds{{{label}")).await.iter().any(|age| *age > 0.0)
    }

    /// People edit every company of these connections, on both sides.
    async fn edits(&self, connections: &[&str], round: usize) {
        for connection in connections {
            let site = self.site(connection);
            for number in 0..COMPANIES {
                let name = company(connection, number);
                site.crm.change(&name, &json!({ "City": format!("Breda {round}") })).await;
                site.exact.change(&name, &json!({ "Phone": format!("+31 76 {round}") }));
            }
        }
    }

    /// Waits until both sides of these connections agree, with all edits of the round.
    async fn agree(&self, connections: &[&str], round: usize) {
        let (city, phone) = (format!("Breda {round}"), format!("+31 76 {round}"));
        for connection in connections {
            let site = self.site(connection);
            for number in 0..COMPANIES {
                let name = company(connection, number);
                site.exact.wait_for(&name, "City", &city, RECOVERS_WITHIN).await;
                site.crm.wait_for(&name, "Phone", &phone, RECOVERS_WITHIN).await;
            }
            assert_eq!(site.counts(), (COMPANIES, COMPANIES), "{connection}: nothing is lost or doubled");
        }
    }
}

fn company(connection: &str, number: usize) -> String {
    format!("Houthandel {connection} {number}")
}

in_both_hostings!(connections_come_go_and_change_in_mid_flow_and_the_others_notice_nothing);

async fn connections_come_go_and_change_in_mid_flow_and_the_others_notice_nothing(hosting: Hosting) {
    let all = ["acme", "beta", "gamma", "delta"];
    let deployment = Deployment::start(hosting, all.to_vec(), &all[..3]).await;
    let on_servers = hosting == Hosting::Processes;
    for connection in all {
        for number in 0..COMPANIES {
            let company = Company::new(&company(connection, number));
            deployment.site(connection).crm.create(&company.as_customer()).await;
        }
    }
    wait_for_all(&deployment, &all[..3]).await;
    deployment.edits(&all[..3], 1).await;
    deployment.agree(&all[..3], 1).await;
    let mut leases = BTreeMap::new();
    if on_servers {
        for connection in &all[..3] {
            leases.insert(*connection, deployment.leases(connection).await);
        }
        assert!(leases.values().flat_map(BTreeMap::values).all(|(_, is_held)| *is_held), "{leases:?}");
    }

    // A file that can't work changes nothing, though another one was taken away, and is told by each service.
    fs::write(deployment.folder.join("broken.toml"), "reading = \n").unwrap();
    deployment.remove("gamma");
    deployment.edits(&all[..3], 2).await;
    deployment.reload("the configuration can't be read anew: all goes on as it was").await;
    for running in deployment.world.services() {
        assert!(running.has_logged("broken.toml:1: "), "{}", running.service.name());
    }
    let refused = deployment.counted("tandem_configuration_reloads_total{result=\"refused\"").await;
    assert_eq!(refused, vec![1.0; deployment.world.services().count()]);
    deployment.agree(&all[..3], 2).await;
    deployment.remove("broken");

    // One goes, one comes, one has another token, while people edit.
    let token = deployment.site("beta").crm.another_token();
    fs::write(deployment.world.folder().join("beta-crm-token"), token).unwrap();
    deployment.add("delta");
    deployment.edits(&all[..3], 3).await;
    deployment.reload("the configuration is read anew").await;
    deployment.site("beta").crm.revoke();
    deployment.edits(&["acme", "beta"], 4).await;
    wait_for_all(&deployment, &["delta"]).await;
    deployment.edits(&["delta"], 4).await;
    deployment.agree(&["acme", "beta", "delta"], 4).await;
    wait_until_async("nothing to be told of the one that went", RECOVERS_WITHIN, async || {
        if deployment.is_told_of("gamma").await { Err("its cursors are") } else { Ok(()) }
    })
    .await;
    if on_servers {
        let now = |connection| deployment.leases(connection);
        assert_eq!(now("acme").await, leases["acme"], "the untouched one's collectors hold their leases");
        let (beta, before) = (now("beta").await, &leases["beta"]);
        assert_eq!(beta["exactonline"], before["exactonline"], "only its CRM is called otherwise");
        assert!(beta["customcrm"].1 && beta["customcrm"].0 > before["customcrm"].0, "{beta:?}, {before:?}");
        assert!(now("gamma").await.values().all(|(_, is_held)| !is_held), "the leases were given back");
    }

    // What people do meanwhile is not lost.
    let writes = deployment.site("gamma").writes();
    deployment.edits(&["gamma"], 5).await;
    deployment.edits(&["acme"], 5).await;
    deployment.agree(&["acme"], 5).await;
    assert_eq!(deployment.site("gamma").writes(), writes, "it is nobody's connection");
    deployment.add("gamma");
    deployment.reload("the configuration is read anew").await;
    deployment.agree(&["gamma"], 5).await;
    if on_servers {
        assert_eq!(deployment.leases("acme").await, leases["acme"]);
    }
    let dead = deployment.counted("tandem_dead_letters_total").await;
    assert!(dead.iter().all(|dead| *dead == 0.0), "{dead:?}");
    deployment.world.settled().await;
    deployment.world.end().await;
}

/// Waits until all companies of these connections are on both sides.
async fn wait_for_all(deployment: &Deployment, connections: &[&str]) {
    for connection in connections {
        for number in 0..COMPANIES {
            let name = company(connection, number);
            deployment.site(connection).exact.wait_for(&name, "Name", &name, RECOVERS_WITHIN).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapper_serves_the_pairs_that_its_command_line_names_and_refuses_one_that_there_is_not() {
    let mut world = World::prepare(Plan::new(Hosting::Processes)).await;
    let program = Binary::named("mapper").unwrap();
    let refused = Command::new(program.path())
        .args(["--pair", "item-item", "--config"])
        .arg(world.config())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(64));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(told, format!("mapper: there is no pair \"item-item\"; write --pair with one of {PAIR}\n"));

    for service in Hosting::Processes.services().iter().filter(|service| **service != Service::Mapper) {
        world.spawn(*service);
    }
    let arguments = ["--pair", PAIR, "--config"].map(Path::new);
    let arguments = arguments.into_iter().chain([world.config()]);
    let mut mapper = Process::spawn(&program, arguments, [("RUST_BACKTRACE", "1")]).unwrap();
    world.all_ready(RECOVERS_WITHIN).await;
    world.site().crm.create(&Company::new("Houthandel De Vries").as_customer()).await;
    world.site().exact.wait_for("Houthandel De Vries", "City", "Utrecht", RECOVERS_WITHIN).await;
    world.settled().await;
    mapper.terminate().unwrap();
    assert_eq!(mapper.wait_for_exit(RECOVERS_WITHIN).unwrap(), Some(0));
    world.end().await;
}
