//! Both simulated systems with all services between them, and the hands of a person on either side.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use broker::{Broker, InProcess};
use contract::{Lane, Names, RetryTier};
use jiff::{SignedDuration, Timestamp};
use link::Link;
use mapping::{Pair, Reading};
use model::{ConnectionName, PairName, RecordId, System};
use serde_json::{Value, json};
use service::{Context, Health, Pairs, Reloads, ServiceError};
use store::{Embedded, Links};
use telemetry::{LogFilter, Metrics};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::papers::QUOTATIONS;
use super::sight::{Labels, Sight, of_exact};
use crate::checklist::simulated::Simulated;
use crate::hosting::host;
use crate::shipped;

/// How long all may take to come to what is expected, also on a machine that is busy with other things.
const COMES_WITHIN: Duration = Duration::from_secs(90);
/// How long it may stay at something else before it counts as the end of it.
const ENDS_AFTER: Duration = Duration::from_secs(5);
/// How long nothing is written and nothing waits before all counts as at rest.
const REST: Duration = Duration::from_millis(400);
/// How long nothing must be written after that: several polls of both systems.
const QUIET: Duration = Duration::from_secs(1);
/// How often it is looked at.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// Lines of a link's history that a failure shows.
const HISTORY_SHOWN: usize = 12;

/// A record of the CRM and its partner in Exact.
pub(super) struct Partners {
    pub(super) crm: String,
    pub(super) exact: String,
}

/// One world of a test.
pub(super) struct World {
    pub(super) simulated: Simulated,
    /// Acme, which buys.
    pub(super) customer: Partners,
    /// A bolt, which is sold.
    pub(super) product: Partners,
    reading: Reading,
    links: Links<Embedded>,
    pairs: Vec<Pair>,
    connection: ConnectionName,
    services: JoinHandle<Result<(), ServiceError>>,
    broker: InProcess,
    /// All queues, with those where messages rest.
    queues: Vec<String>,
    labels: Labels,
    before: Vec<String>,
    _stop: DropGuard,
}

impl World {
    /// Starts all, with a customer and a product that both systems know, and waits for rest.
    pub(super) async fn start(reading: Reading) -> Self {
        Self::start_with(shipped::pairs(reading).unwrap(), reading).await
    }

    /// The same with these pairs, of which some may say otherwise than as they ship.
    pub(super) async fn start_with(pairs: Vec<Pair>, reading: Reading) -> Self {
        let simulated = Simulated::start(reading).await.unwrap();
        let store = Embedded::in_memory().unwrap();
        let config = simulated.config(LogFilter::parse("off").unwrap()).unwrap();
        let connection = config.connections[0].name.clone();
        let links = Links::new(store.clone(), &config.namespace);
        let (broker, names) = (Simulated::broker(), Names::new(&config.namespace));
        let stop = CancellationToken::new();
        let context = Context {
            pairs: Pairs::in_reading(pairs.clone(), reading),
            config: Arc::new(config),
            stop: stop.clone(),
            health: Health::new(),
            metrics: Arc::new(Metrics::new("tandem")),
            reloads: Reloads::none(),
        };
        let none = || Partners { crm: String::new(), exact: String::new() };
        let mut world = Self {
            connection,
            simulated,
            customer: none(),
            product: none(),
            reading,
            links,
            services: tokio::spawn(host(broker.clone(), store, true, context)),
            broker,
            queues: queues(&names, &pairs),
            pairs,
            labels: Labels::default(),
            before: Vec::new(),
            _stop: stop.drop_guard(),
        };
        world.people_the_company().await;
        world
    }

    async fn people_the_company(&mut self) {
        let customer = json!({ "Name": "Acme", "Status": "Customer", "Email": "buys@acme.example" });
        let product = json!({ "Code": "BOLT", "Name": "Bolt" });
        self.customer.crm = self.makes_in_crm("customers", &customer);
        self.product.crm = self.makes_in_crm("products", &product);
        self.customer.exact = self.partner("customer-account", &self.customer.crm).await;
        self.product.exact = self.partner("product-item", &self.product.crm).await;
        if self.reading == Reading::Literal {
            self.has_quotations_of_users().await;
        }
        self.comes_to_rest().await;
        let sight = self.sight().await;
        self.labels = sight.names();
        self.before = sight.tells(&self.labels);
    }

    /// Waits until each user has a quotation, and what is written on them is known to the CRM.
    async fn has_quotations_of_users(&self) {
        for user in self.all_in_crm("users") {
            self.partner("user-quotation", user["Id"].as_str().unwrap()).await;
        }
        let began = Instant::now();
        let is_known = |sight: &Sight| {
            let (crm, exact) = (System::CustomCrm, System::ExactOnline);
            sight.count(crm, "customer") == sight.count(exact, "account")
                && sight.count(crm, "product") == sight.count(exact, "item")
        };
        while !is_known(&self.sight().await) {
            assert!(
                began.elapsed() < COMES_WITHIN,
                "the account and item of users' quotations are not known"
            );
            sleep(LOOKS_EVERY).await;
        }
    }

    /// What there was before the test began.
    pub(super) fn base(&self) -> &[String] {
        &self.before
    }

    /// A person makes a record in the CRM; gives its id.
    pub(super) fn makes_in_crm(&self, collection: &str, record: &Value) -> String {
        let crm = &self.simulated.crm;
        let made = crm.control.create(&crm.human_token, collection, &record.to_string()).unwrap();
        serde_json::from_str::<Value>(&made).unwrap()["Id"].as_str().unwrap().to_owned()
    }

    /// A person changes a record in the CRM.
    pub(super) fn changes_in_crm(&self, collection: &str, id: &str, patch: &Value) {
        let crm = &self.simulated.crm;
        crm.control.patch(&crm.human_token, collection, id, &patch.to_string()).unwrap();
    }

    /// A person makes a record in Exact; gives its id.
    pub(super) fn makes_in_exact(&self, path: &str, record: &Value) -> String {
        let exact = &self.simulated.exact;
        exact.control().create(path, &record.to_string(), exact.human_id).unwrap().to_string()
    }

    /// A person changes a record in Exact.
    pub(super) fn changes_in_exact(&self, path: &str, id: &str, record: &Value) {
        let exact = &self.simulated.exact;
        let id = Uuid::parse_str(id).unwrap();
        exact.control().change(path, id, &record.to_string(), exact.human_id).unwrap();
    }

    /// A person does something with a quotation in Exact; `rest` are further properties of the form.
    pub(super) fn acts(&self, action: &str, quotation: &str, mut form: Value) {
        let exact = &self.simulated.exact;
        form["QuotationID"] = json!(quotation);
        let answer = exact.control().act(&format!("crm/{action}"), &form.to_string(), exact.human_id);
        let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
        let told = [&answer["ErrorMessage"], &answer["DocumentCreationError"]];
        assert!(told.iter().all(|told| told.is_null()), "{action}: {answer}");
    }

    /// All records of Exact at this endpoint.
    pub(super) fn lists(&self, path: &str) -> Vec<Value> {
        of_exact(&self.simulated, path)
    }

    /// The quotation of Exact with the highest number and version.
    pub(super) fn newest_quotation(&self) -> String {
        let quotations = self.lists(QUOTATIONS);
        let order = |quotation: &Value| {
            (quotation["QuotationNumber"].as_i64().unwrap(), quotation["VersionNumber"].as_i64().unwrap())
        };
        let newest = quotations.iter().max_by_key(|quotation| order(quotation)).unwrap();
        newest["QuotationID"].as_str().unwrap().to_owned()
    }

    /// The record of the CRM that was made last.
    pub(super) fn newest(&self, collection: &str) -> String {
        let all = self.all_in_crm(collection);
        let made = |record: &&Value| record["CreatedAt"].as_str().unwrap().to_owned();
        all.iter().max_by_key(made).unwrap()["Id"].as_str().unwrap().to_owned()
    }

    /// The id of a user of the CRM.
    pub(super) fn user(&self, full_name: &str) -> String {
        let users = self.all_in_crm("users");
        let user = users.iter().find(|user| user["FullName"] == full_name).unwrap();
        user["Id"].as_str().unwrap().to_owned()
    }

    fn all_in_crm(&self, collection: &str) -> Vec<Value> {
        let all = self.simulated.crm.control.records(collection).unwrap();
        all.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// A record of Exact as it is now.
    pub(super) fn in_exact(&self, path: &str, id: &str) -> Value {
        let is_it = |record: &Value| record.as_object().unwrap().values().any(|value| value == id);
        self.lists(path).into_iter().find(is_it).unwrap()
    }

    /// A record of the CRM as it is now.
    pub(super) fn in_crm(&self, collection: &str, id: &str) -> Value {
        self.all_in_crm(collection).into_iter().find(|record| record["Id"] == id).unwrap()
    }

    /// Waits until a record of the CRM has its partner in this pair; gives the partner's id.
    pub(super) async fn partner(&self, pair: &str, record: &str) -> String {
        let (pair, record) = (PairName::parse(pair).unwrap(), RecordId::parse(record).unwrap());
        let began = Instant::now();
        loop {
            self.assert_running();
            let links = self.all_links().await;
            let mine = |link: &&Link| {
                link.pair == pair && link.record(System::CustomCrm) == Some(&record) && link.has_both()
            };
            if let Some(partner) =
                links.iter().map(Arc::as_ref).find(mine).and_then(|link| link.record(System::ExactOnline))
            {
                return partner.as_str().to_owned();
            }
            let late = began.elapsed() > COMES_WITHIN;
            let told = if late { self.histories(&links).await } else { String::new() };
            assert!(!late, "{pair}: no partner within {COMES_WITHIN:?}\n{told}");
            sleep(LOOKS_EVERY).await;
        }
    }

    /// Waits until all rests at what there was at the beginning and these lines, each a record or a link, and holds
    /// that nothing is written afterwards.
    pub(super) async fn comes_to(&self, expected: &[impl AsRef<str>]) {
        let mut wanted: Vec<String> = expected.iter().map(|line| line.as_ref().to_owned()).collect();
        wanted.sort();
        let began = Instant::now();
        let mut wrong_since = None;
        loop {
            let quiet = self.rests_until(began + COMES_WITHIN).await;
            let sight = self.sight().await;
            let found = self.gained(&sight);
            if quiet && found == wanted {
                break;
            }
            let since: &mut Instant = wrong_since.get_or_insert_with(Instant::now);
            if !quiet || since.elapsed() > ENDS_AFTER {
                let all = self.histories(&sight.links).await;
                let state = if quiet { "at rest" } else { "never at rest" };
                panic!("{state}\n{}\n{all}", self.compared(&wanted, &found));
            }
        }
        let writes = self.writes();
        let quiet_since = Instant::now();
        while quiet_since.elapsed() < QUIET {
            sleep(LOOKS_EVERY).await;
            let now = self.writes();
            assert_eq!(writes, now, "written after rest: {:?}", now.last());
        }
        let found = self.gained(&self.sight().await);
        assert!(found == wanted, "after rest\n{}", self.compared(&wanted, &found));
    }

    /// Waits until all that people did has been seen, nothing has been written for a while and nothing is left to do.
    pub(super) async fn comes_to_rest(&self) {
        let rests = self.rests_until(Instant::now() + COMES_WITHIN).await;
        if !rests {
            let sight = self.sight().await;
            panic!("never at rest\n{}", self.histories(&sight.links).await);
        }
    }

    async fn rests_until(&self, until: Instant) -> bool {
        let mut writes = self.writes().len();
        let (mut since, mut read_before) = (Instant::now(), self.reads());
        while Instant::now() < until {
            sleep(LOOKS_EVERY).await;
            self.assert_running();
            let now = self.writes().len();
            if now != writes || self.is_busy().await {
                (writes, since, read_before) = (now, Instant::now(), self.reads());
            }
            if since.elapsed() > REST && is_all_read(&read_before, &self.reads()) {
                return true;
            }
        }
        false
    }

    /// Whether a write or a message is under way.
    async fn is_busy(&self) -> bool {
        for pair in &self.pairs {
            if !self.links.pending(&self.connection, &pair.name).await.unwrap().is_empty() {
                return true;
            }
        }
        for queue in &self.queues {
            if self.broker.depth(queue).await.unwrap() > 0 {
                return true;
            }
        }
        let all = Timestamp::now() + SignedDuration::from_hours(1);
        !self.links.outbox(&self.connection, all, 1).await.unwrap().is_empty()
    }

    /// What our own user was heard to write, refused or not.
    pub(super) fn writes(&self) -> Vec<String> {
        let Simulated { crm, exact, .. } = &self.simulated;
        let of_crm =
            crm.control.log().into_iter().filter(|call| {
                call.method != "GET" && call.user_id.as_deref() == Some(crm.api_user_id.as_str())
            });
        let of_exact = exact
            .control()
            .log()
            .into_iter()
            .filter(|call| call.method != "GET" && call.user == Some(exact.api_user_id));
        let of_crm = of_crm.map(|call| format!("CRM {} {}: {}", call.method, call.path, call.status));
        let of_exact = of_exact.map(|call| format!("Exact {} {}: {}", call.method, call.path, call.status));
        of_crm.chain(of_exact).collect()
    }

    /// How often each list of both systems has been read by those who look for changes.
    fn reads(&self) -> BTreeMap<String, usize> {
        let Simulated { crm, exact, .. } = &self.simulated;
        let list = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
        let of_crm =
            crm.control.log().into_iter().filter(|call| call.method == "GET").map(|call| list(&call.path));
        let of_exact = exact.control().log().into_iter().map(|call| list(&call.path));
        let mut reads = BTreeMap::new();
        for list in of_crm.filter(|list| is_collection(list)).chain(of_exact.filter(|list| is_feed(list))) {
            *reads.entry(list).or_default() += 1;
        }
        reads
    }

    async fn sight(&self) -> Sight {
        Sight::of(&self.simulated, self.all_links().await)
    }

    async fn all_links(&self) -> Vec<Arc<Link>> {
        let mut all = Vec::new();
        for pair in &self.pairs {
            for id in self.links.all(&self.connection, &pair.name).await.unwrap() {
                let stored = self.links.find(&self.connection, &pair.name, &id).await.unwrap();
                all.extend(stored.map(|stored| stored.link));
            }
        }
        all
    }

    /// The lines that there are now and were not at the beginning; with a minus those that are not there any more.
    fn gained(&self, sight: &Sight) -> Vec<String> {
        let now = sight.tells(&self.labels);
        let lost = self.before.iter().filter(|line| !now.contains(line)).map(|line| format!("- {line}"));
        let gained = now.iter().filter(|line| !self.before.contains(line)).cloned();
        let mut lines: Vec<String> = gained.chain(lost).collect();
        lines.sort();
        lines
    }

    /// What happened to the links of records that were not there at the beginning, and all that was written.
    async fn histories(&self, links: &[Arc<Link>]) -> String {
        let mut text = vec!["histories:".to_owned()];
        for link in links.iter().filter(|link| !self.labels.knows(link)) {
            let lines = self.links.history(&self.connection, &link.pair, &link.id, HISTORY_SHOWN).await;
            text.push(format!("{} {} ({:?})", link.pair, link.id, link.status));
            text.extend(lines.unwrap().iter().rev().map(|line| format!("    {line}")));
        }
        text.push("writes:".to_owned());
        text.extend(self.writes());
        text.join("\n")
    }

    fn assert_running(&self) {
        assert!(!self.services.is_finished(), "the services have ended");
    }

    fn compared(&self, wanted: &[String], found: &[String]) -> String {
        let (wanted, found) = (wanted.join("\n    "), found.join("\n    "));
        format!("{} reading\nexpected:\n    {wanted}\nfound:\n    {found}", self.reading)
    }
}

fn is_collection(path: &str) -> bool {
    let collection = path.strip_prefix("/api/v1/");
    collection.is_some_and(|collection| collection != "me" && !collection.contains('/'))
}

/// Deletions are asked for less often, and nobody deletes anything here.
fn is_feed(path: &str) -> bool {
    path.contains("/sync/") && !path.ends_with("/Deleted")
}

/// Whether each list was read twice meanwhile: what was there before has been taken in from the first of the two.
fn is_all_read(before: &BTreeMap<String, usize>, now: &BTreeMap<String, usize>) -> bool {
    now.iter().all(|(list, reads)| *reads >= before.get(list).unwrap_or(&0) + 2)
}

/// The queues of these pairs, of the writers and of messages that rest.
fn queues(names: &Names, pairs: &[Pair]) -> Vec<String> {
    let of_pairs = pairs.iter().map(|pair| names.pair(&pair.name));
    let of_writers =
        Lane::BOTH.into_iter().flat_map(|lane| System::BOTH.map(|system| names.writes(system, lane)));
    let resting = RetryTier::ALL.into_iter().map(|tier| names.retry(tier));
    of_pairs.chain(of_writers).chain(resting).collect()
}
