//! A CRM that tells neither versions nor what was deleted, and one that can't even tell what changed.

use std::collections::BTreeMap;

use collector::{Hint, Source as _};
use customcrm::{CustomCrm, Declaration, Settings};
use model::{ConnectionName, EntityName, Presence, Record};
use simulator_customcrm::{Effect, Fault, Running, Settings as CrmSettings, Simulator};
use store::Embedded;

use crate::source::Crm;

const DEFAULT: &str = include_str!("../../../../deploy/customcrm/default.toml");

/// The default API as one that tells less.
fn tells_less(is_incremental: bool) -> Declaration {
    let mut text = DEFAULT
        .replace("lock = \"if-match\"\n", "")
        .replace("version = \"Version\"\n", "")
        .replace("deleted = \"IsDeleted\"\n", "")
        .replace("query = { include_deleted = \"true\" }", "scan_seconds = 86400")
        .replace("size = 500", "size = 3");
    if !is_incremental {
        let (at, end) = (text.find("[incremental]").unwrap(), text.find("[search]").unwrap());
        text.replace_range(at..end, "");
    }
    Declaration::parse("less.toml", &text).unwrap()
}

struct Bench {
    crm: Running,
    store: Embedded,
    is_incremental: bool,
    source: Crm<Embedded>,
    cursor: Option<String>,
    /// What was told last of each record, and how often.
    told: BTreeMap<String, (Record, usize)>,
}

impl Bench {
    async fn start(is_incremental: bool) -> Self {
        let crm = Simulator::start(CrmSettings::default()).await.unwrap();
        let store = Embedded::in_memory().unwrap();
        let source = source(&crm, &store, is_incremental);
        Self { crm, store, is_incremental, source, cursor: None, told: BTreeMap::new() }
    }

    /// A new process, which knows what is in the store.
    fn restart(&mut self) {
        self.source = source(&self.crm, &self.store, self.is_incremental);
    }

    /// Takes in a page, and whether more is there.
    async fn page(&mut self) -> bool {
        let entity = EntityName::parse("customers").unwrap();
        let page = self.source.page(&entity, self.cursor.as_deref()).await.unwrap();
        for record in page.records {
            let times = self.told.get(record.id.as_str()).map_or(0, |(_, times)| *times);
            self.told.insert(record.id.to_string(), (record, times + 1));
        }
        self.cursor = Some(page.cursor);
        page.more
    }

    /// A poll, to its end.
    async fn poll(&mut self) {
        let mut pages = 0;
        while self.page().await {
            pages += 1;
            assert!(pages < 100, "a poll never ends");
        }
    }

    fn seed(&self, id: &str) {
        let record = format!(r#"{{"Id":"{id}","Name":"{id}"}}"#);
        self.crm.control.seed("customers", [record]).unwrap();
    }

    async fn change(&self, id: &str, city: &str) {
        let url = format!("{}/customers/{id}", self.crm.base_url);
        let request = reqwest::Client::new().patch(url).bearer_auth(&self.crm.human_token);
        let body = format!(r#"{{"City":"{city}"}}"#);
        let request = request.header("content-type", "application/merge-patch+json").body(body);
        assert!(request.send().await.unwrap().status().is_success());
    }

    async fn delete(&self, id: &str) {
        let url = format!("{}/customers/{id}", self.crm.base_url);
        let request = reqwest::Client::new().delete(url).bearer_auth(&self.crm.human_token);
        assert!(request.send().await.unwrap().status().is_success());
    }

    fn is_gone(&self, id: &str) -> bool {
        self.told[id].0.presence == Presence::Deleted
    }

    fn gone(&self) -> Vec<&str> {
        let gone = self.told.iter().filter(|(_, (record, _))| record.presence == Presence::Deleted);
        gone.map(|(id, _)| id.as_str()).collect()
    }

    fn times(&self, id: &str) -> usize {
        self.told.get(id).map_or(0, |(_, times)| *times)
    }
}

fn source(crm: &Running, store: &Embedded, is_incremental: bool) -> Crm<Embedded> {
    let connection = ConnectionName::parse("acme").unwrap();
    let settings = Settings::new(crm.base_url.parse().unwrap(), crm.api_token.clone().into());
    let client =
        CustomCrm::new(&settings, tells_less(is_incremental), store.clone(), "test", &connection).unwrap();
    Crm::new(client, store.clone(), "test", &connection, &EntityName::parse("customers").unwrap())
}

#[tokio::test]
async fn where_only_everything_can_be_read_each_change_and_each_deletion_is_told() {
    let mut bench = Bench::start(false).await;
    for id in ["a", "b", "c", "d", "e", "f", "g"] {
        bench.seed(id);
    }
    bench.poll().await;
    assert_eq!(bench.told.len(), 7);
    bench.poll().await;
    assert!(bench.told.values().all(|(_, times)| *times == 1), "what is as it was is told once");
    let before = bench.told["c"].0.version;
    bench.change("c", "Gent").await;
    bench.delete("e").await;
    bench.seed("h");
    bench.poll().await;
    assert_eq!(bench.told["c"].0.properties["City"].as_text(), Some("Gent"));
    assert!(bench.told["c"].0.version > before);
    assert_eq!((bench.gone(), bench.times("h"), bench.times("a")), (vec!["e"], 1, 1));
    bench.poll().await;
    assert_eq!(bench.times("e"), 2, "a deletion is told once");
}

#[tokio::test]
async fn what_is_deleted_while_no_collector_runs_is_missed_by_the_next_one() {
    for is_incremental in [false, true] {
        let mut bench = Bench::start(is_incremental).await;
        for id in ["a", "b", "c", "d"] {
            bench.seed(id);
        }
        bench.poll().await;
        bench.delete("b").await;
        bench.change("d", "Gent").await;
        bench.restart();
        // A pass is due once a day; a notification of what the changes do not show leads to one at once.
        bench.poll().await;
        bench.source.hinted(Hint::Changed);
        bench.poll().await;
        assert_eq!(bench.gone(), ["b"], "{is_incremental}");
        assert_eq!(bench.told["d"].0.properties["City"].as_text(), Some("Gent"));
    }
}

#[tokio::test]
async fn what_a_pass_misses_while_pages_move_is_asked_for_before_it_is_gone() {
    let mut bench = Bench::start(false).await;
    for id in ["a", "b", "c", "d", "e"] {
        bench.seed(id);
    }
    bench.poll().await;
    // The first page shows a, b and c; what the second would have shown is changed away behind it, and back.
    bench.crm.control.add_fault(Fault::next(Effect::ReversePage).on("GET", "customers"));
    bench.page().await;
    bench.delete("a").await;
    bench.poll().await;
    bench.poll().await;
    assert_eq!(bench.gone(), ["a"]);
    assert!(!bench.is_gone("e"));
}

#[tokio::test]
async fn a_pass_that_a_kill_ends_is_made_again_and_loses_nothing() {
    let mut bench = Bench::start(false).await;
    for id in ["a", "b", "c", "d", "e", "f", "g"] {
        bench.seed(id);
    }
    bench.poll().await;
    bench.delete("g").await;
    bench.change("a", "Gent").await;
    // Killed after each page once, before its cursor was kept.
    for pages in 0..4 {
        let (cursor, told) = (bench.cursor.clone(), bench.told.clone());
        for _ in 0..pages {
            bench.page().await;
        }
        (bench.cursor, bench.told) = (cursor, told);
        bench.restart();
    }
    bench.poll().await;
    assert_eq!(bench.gone(), ["g"]);
    assert_eq!(bench.told["a"].0.properties["City"].as_text(), Some("Gent"));
}

#[tokio::test]
async fn what_was_not_published_is_told_again_by_the_same_process() {
    let mut bench = Bench::start(false).await;
    bench.seed("a");
    bench.poll().await;
    bench.change("a", "Gent").await;
    let (cursor, told) = (bench.cursor.clone(), bench.told.clone());
    bench.page().await;
    assert_eq!(bench.times("a"), 2);
    // The broker refused the page.
    (bench.cursor, bench.told) = (cursor, told);
    bench.poll().await;
    assert_eq!(bench.told["a"].0.properties["City"].as_text(), Some("Gent"));
}

#[tokio::test]
async fn a_change_is_told_by_the_read_of_changes_and_a_pass_tells_it_no_second_time() {
    let mut bench = Bench::start(true).await;
    for id in ["a", "b", "c", "d"] {
        bench.seed(id);
    }
    bench.poll().await;
    assert!(bench.told.values().all(|(_, times)| *times == 1), "the first pass tells nothing anew");
    bench.change("a", "Gent").await;
    bench.poll().await;
    assert_eq!((bench.times("a"), bench.times("b")), (2, 1));
    bench.source.hinted(Hint::Changed);
    bench.poll().await;
    assert_eq!((bench.times("a"), bench.times("b")), (2, 1));
}
