//! A small company's eventful minute: whatever Tandem tells of, it tells of here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use chaos::{Company, Hosting, Plan, RECOVERS_WITHIN, Service, World};
use otlp::Receiver;
use serde_json::json;
use servers::{free_port, wait_until_async};
use simulator_exactonline::{Fault, FaultKind};

/// Personal values and secrets that must show nowhere but in the two systems and in links. All of them hold this word.
pub(crate) const CANARY: &str = "kanariepiet";

/// The story, told by five processes.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) receiver: Receiver,
    /// The first customer's id in the CRM.
    pub(crate) customer: String,
    /// What must not be told, beside what holds the word.
    pub(crate) secrets: Vec<String>,
    /// Where webhooks are posted to.
    port: u16,
    http: reqwest::Client,
}

impl Story {
    /// Starts everything.
    pub(crate) async fn begun() -> Self {
        let receiver = Receiver::start().await;
        let plan = Plan { otlp: Some(receiver.endpoint().to_owned()), ..Plan::new(Hosting::Processes) };
        let mut world = World::prepare(plan).await;
        let port = free_port();
        configure(&world, port);
        let secrets = secrets(&world);
        world.run_all().await;
        let (http, customer) = (reqwest::Client::new(), String::new());
        Self { world, receiver, customer, secrets, port, http }
    }

    /// Lets it all happen.
    pub(crate) async fn happens(&mut self) {
        self.edits().await;
        self.folded().await;
        self.oscillation().await;
        self.conflict().await;
        self.refusals().await;
        self.messages().await;
        let exact = &self.world.site().exact;
        exact.wait_for(&name("Later"), "City", &city(), RECOVERS_WITHIN).await;
        self.refused_entry().await;
    }

    /// Exact lets us in no more, for one call.
    async fn refused_entry(&self) {
        let kind = FaultKind::FailBefore { status: 403 };
        self.world.site().exact.control().add_fault(Fault::next(kind));
        self.shows("collector-exactonline", r#"http_response_status_code="403""#, "a refusal").await;
    }

    /// People enter and change companies on both sides.
    async fn edits(&mut self) {
        let site = self.world.site();
        self.customer = site.crm.create(&person("Vink")).await;
        self.world.settled().await;
        let site = self.world.site();
        site.crm.change(&name("Vink"), &json!({ "Website": format!("https://{CANARY}.example") })).await;
        self.world.settled().await;
        let site = self.world.site();
        site.exact.change(&name("Vink"), &json!({ "AddressLine1": format!("{CANARY}straat 1") }));
        self.world.settled().await;
    }

    /// Two edits are seen before the writer gets to either: one write carries both.
    async fn folded(&mut self) {
        self.world.service_mut(Service::WriterExactOnline).process.pause().unwrap();
        let site = self.world.site();
        for street in ["laan 1", "laan 2"] {
            let street = format!("{CANARY}{street}");
            site.crm.change(&name("Vink"), &json!({ "StreetAddress1": street })).await;
            tokio::time::sleep(Duration::from_millis(900)).await;
        }
        self.world.service_mut(Service::WriterExactOnline).process.resume().unwrap();
        self.world.settled().await;
    }

    /// Two programs of others set one property back and forth.
    async fn oscillation(&self) {
        for turn in 0..12 {
            let (site, phone, called) = (self.world.site(), format!("+31 30 {turn}"), name("Vink"));
            let from_crm = turn % 2 == 0;
            if from_crm {
                site.crm.change(&called, &json!({ "Phone": phone })).await;
            } else {
                site.exact.change(&called, &json!({ "Phone": phone }));
            }
            let held = wait_until_async("an edit to arrive or to be held", RECOVERS_WITHIN, async || {
                let there = if from_crm { site.exact.find(&called) } else { site.crm.find(&called) };
                let is_held = self.metrics().await["mapper"].contains("tandem_oscillations_total{");
                if is_held || there.unwrap()["Phone"] == phone.as_str() {
                    Ok(is_held)
                } else {
                    Err("neither")
                }
            });
            if held.await {
                return;
            }
        }
        panic!("nothing holds a property that is set back and forth");
    }

    /// Both sides change one property to different values while nobody maps, and a person shall decide.
    async fn conflict(&mut self) {
        self.world.service_mut(Service::Mapper).process.pause().unwrap();
        let site = self.world.site();
        site.crm.change(&name("Vink"), &json!({ "City": format!("{CANARY}dam") })).await;
        site.exact.change(&name("Vink"), &json!({ "City": format!("{CANARY}hoven") }));
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.world.service_mut(Service::Mapper).process.resume().unwrap();
        self.shows("mapper", "tandem_conflicts_total{", "a conflict").await;
    }

    /// Exact refuses one company and fails for a moment, and strangers post to the address of its webhooks.
    async fn refusals(&self) {
        let site = self.world.site();
        let refused = json!({ "Name": name("Fout"), "Email": email("fout"), "Language": "QQ" });
        site.crm.create(&refused).await;
        let kind = FaultKind::FailBefore { status: 503 };
        let method = Some("POST".to_owned());
        site.exact.control().add_fault(Fault { method, ..Fault::next(kind) });
        site.crm.create(&person("Later")).await;
        let url = format!("http://127.0.0.1:{}/exact/acme", self.port);
        let forged = self.http.post(url).body(format!("{{\"Content\":\"{CANARY}\"}}")).send().await.unwrap();
        assert!(!forged.status().is_success(), "{}", forged.status());
        self.shows("writer-exactonline", r#"outcome="rejected""#, "a refusal").await;
    }

    /// Messages that nobody can handle, and one of a connection that is not there.
    async fn messages(&self) {
        let queues = self.world.queues();
        queues.publish(&queues.pair(), format!("{{\"Name\":\"{CANARY}\"}}").as_bytes()).await;
        let stranger = json!({
            "specversion": "1.0", "id": "019ab1f0-0000-7000-8000-000000000000", "source": "/tandem/mapper",
            "type": "tandem.woken.v1", "time": "2026-11-24T10:00:00Z", "datacontenttype": "application/json",
            "data": { "connection": "stranger", "pair": "customer-account", "link": "crm-1", "lane": "live" },
        });
        queues.publish(&queues.pair(), stranger.to_string().as_bytes()).await;
        self.shows("mapper", "tandem_dead_letters_total{", "a dead letter").await;
        self.shows("mapper", "tandem_unknown_connections_total{", "a stranger").await;
        let mapper = self.world.service(Service::Mapper).process.pid();
        std::process::Command::new("kill").args(["-HUP", &mapper.to_string()]).status().unwrap();
        self.shows("mapper", r#"tandem_configuration_reloads_total{result="applied""#, "a reload").await;
        let config = fs::read_to_string(self.world.config()).unwrap();
        fs::write(self.world.config(), format!("nonsense = 1\n{config}")).unwrap();
        std::process::Command::new("kill").args(["-HUP", &mapper.to_string()]).status().unwrap();
        self.shows("mapper", r#"tandem_configuration_reloads_total{result="refused""#, "a refusal").await;
        fs::write(self.world.config(), config).unwrap();
    }

    /// Waits until a service's metrics show this text.
    async fn shows(&self, service: &str, text: &str, what: &str) {
        wait_until_async(&format!("{service} to tell of {what}"), RECOVERS_WITHIN, async || {
            let shown = self.metrics().await.remove(service).unwrap();
            if shown.contains(text) { Ok(()) } else { Err(shown) }
        })
        .await;
    }

    /// What each process shows at `/metrics`.
    pub(crate) async fn metrics(&self) -> BTreeMap<String, String> {
        self.each("/metrics").await
    }

    /// What each process answers at this path.
    pub(crate) async fn each(&self, path: &str) -> BTreeMap<String, String> {
        let mut answers = BTreeMap::new();
        for running in self.world.services() {
            let url = format!("http://{}{path}", running.health_address().await);
            let answer = self.http.get(url).send().await.unwrap().text().await.unwrap();
            answers.insert(running.service.name().to_owned(), answer);
        }
        answers
    }
}

/// Adds webhooks to what the world has configured, and lets a person decide conflicts.
fn configure(world: &World, port: u16) {
    let secret = world.folder().join("webhook-secret");
    fs::write(secret, world.sites[0].exact.webhook_secret()).unwrap();
    let mut text = fs::read_to_string(world.config()).unwrap();
    let signals = "[telemetry]\nsignals = [\"traces\", \"metrics\", \"logs\"]\n";
    text = text.replace("[telemetry]\n", signals);
    // Exact finds no such address, so the subscriptions can't be kept.
    let callback = "https://sync.invalid/exact/acme";
    text.push_str(
        "[connection.exactonline.webhooks]\nsecret_file = \"webhook-secret\"\npoll_seconds = 0.3\n",
    );
    writeln!(text, "url = \"{callback}\"\n[webhooks]\nlisten = \"127.0.0.1:{port}\"").unwrap();
    fs::write(world.config(), text).unwrap();
    let pair = world.folder().join("pairs/customer-account.toml");
    let asked = fs::read_to_string(&pair).unwrap().replace("conflict = \"crm\"", "conflict = \"ask\"");
    fs::write(pair, asked).unwrap();
}

/// The secrets of the configuration.
fn secrets(world: &World) -> Vec<String> {
    let files = ["acme-crm-token", "acme-exact-secret", "webhook-secret"];
    files
        .iter()
        .map(|file| fs::read_to_string(world.folder().join(file)).unwrap().trim().to_owned())
        .collect()
}

fn name(name: &str) -> String {
    format!("{name} {CANARY}")
}

fn email(mailbox: &str) -> String {
    format!("{mailbox}@{CANARY}.example")
}

fn city() -> String {
    format!("{CANARY}stad")
}

fn person(called: &str) -> serde_json::Value {
    Company { name: name(called), email: Some(email(&called.to_lowercase())), city: city() }.as_customer()
}
