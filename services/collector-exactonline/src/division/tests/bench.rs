use std::collections::BTreeSet;

use collector::Source as _;
use exactonline::{DocumentStore, Entity, Error, ExactOnline, Selection, Settings};
use mapping::List;
use model::{ConnectionName, Content, EntityName, PairName, Presence, Record};
use simulator_exactonline::{Control, Running, Simulator};
use store::{Embedded, Links};
use tempfile::TempDir;
use uuid::Uuid;

use super::super::{Division, Known};
use crate::pace::Intervals;

/// A company with a customer and an item, and a store that outlives its collectors.
pub(super) struct Bench {
    pub(super) running: Running,
    store: Embedded,
    folder: TempDir,
    pub(super) customer: Uuid,
    pub(super) item: Uuid,
}

/// A collector's source with the cursor that the collector keeps.
pub(super) struct Reader {
    pub(super) division: Division<Embedded>,
    entity: EntityName,
    pub(super) cursor: Option<String>,
}

impl Bench {
    pub(super) async fn start() -> Self {
        let settings = simulator_exactonline::Settings {
            start_at: Some("2026-11-22T10:00:20Z".parse().unwrap()),
            frozen_clock: true,
            limits: simulator_exactonline::Limits { per_minute: 10_000, ..Default::default() },
            ..Default::default()
        };
        let running = Simulator::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let seed = format!(r#"{{"refresh_token":"{}"}}"#, running.refresh_token);
        std::fs::write(folder.path().join("grant.json"), seed).unwrap();
        let control = running.control();
        let clock = running.control();
        let store = Embedded::in_memory().unwrap().with_clock(move || clock.now());
        let customer = control.create_account(r#"{"Name":"Acme","Status":"C"}"#).unwrap();
        let mut bench = Self { running, store, folder, customer, item: Uuid::nil() };
        bench.item =
            bench.by_person("logistics/Items", r#"{"Code":"bolt","Description":"Bolt","IsSalesItem":true}"#);
        bench
    }

    /// A person gives consent anew: a grant ends when it is not used for thirty days.
    pub(super) fn consent_anew(&self) {
        let grant = format!(r#"{{"refresh_token":"{}"}}"#, self.control().grant());
        std::fs::write(self.folder.path().join("grant.json"), grant).unwrap();
    }

    pub(super) fn links(&self) -> Links<Embedded> {
        Links::new(self.store.clone(), "test")
    }

    pub(super) fn control(&self) -> Control {
        self.running.control()
    }

    fn person(&self) -> Uuid {
        self.control().people()[1].id
    }

    pub(super) fn by_person(&self, path: &str, body: &str) -> Uuid {
        self.control().create(path, body, self.person()).unwrap()
    }

    pub(super) fn change(&self, path: &str, id: Uuid, body: &str) {
        self.control().change(path, id, body, self.person()).unwrap();
    }

    pub(super) fn delete(&self, path: &str, id: Uuid) {
        self.control().delete(path, id, self.person()).unwrap();
    }

    /// A new sales order with a line for each quantity.
    pub(super) fn order(&self, quantities: &[u32]) -> Uuid {
        let line =
            |quantity: &u32| format!(r#"{{"Item":"{}","Quantity":{quantity},"UnitPrice":10}}"#, self.item);
        let lines = quantities.iter().map(line).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"OrderedBy":"{}","SalesOrderLines":[{lines}]}}"#, self.customer);
        self.by_person("salesorder/SalesOrders", &body)
    }

    pub(super) fn line(&self, order: Uuid, quantity: u32) -> Uuid {
        let body =
            format!(r#"{{"OrderID":"{order}","Item":"{}","Quantity":{quantity},"UnitPrice":10}}"#, self.item);
        self.by_person("salesorder/SalesOrderLines", &body)
    }

    /// A collector that begins, or goes on at a cursor.
    pub(super) fn reader(&self, entity: &str, selection: Selection, cursor: Option<String>) -> Reader {
        let connection = ConnectionName::parse("acme").unwrap();
        let mut settings = Settings::new(
            self.running.base_url.parse().unwrap(),
            u32::try_from(self.running.division).unwrap(),
            connection.clone(),
            "test",
            (&self.running.client_id, self.running.client_secret.clone().into()),
            self.folder.path().join("grant.json"),
        );
        settings.limits.per_minute = 10_000;
        let clock = self.control();
        let client = ExactOnline::with_clock(settings, self.store.clone(), move || clock.now()).unwrap();
        let kept = Entity::named(entity).unwrap();
        let documents = DocumentStore::new(self.store.clone(), "test", &connection, &kept);
        let lists = BTreeSet::from(List::ALL);
        let every = Intervals::default().deletions;
        let known = Known {
            links: self.links(),
            connection,
            pairs: vec![PairName::parse("customer-account").unwrap()],
        };
        let division = Division::new(client, &kept, selection, documents, lists, every, known);
        Reader { division, entity: EntityName::parse(entity).unwrap(), cursor }
    }

    pub(super) fn orders(&self) -> Reader {
        self.reader("salesorders", orders(), None)
    }

    pub(super) fn calls(&self) -> usize {
        self.control().counts().calls
    }

    pub(super) fn calls_of(&self, endpoint: &str) -> usize {
        self.control().counts().by_endpoint.get(endpoint).copied().unwrap_or_default()
    }
}

impl Reader {
    /// One page, with which the cursor moves.
    pub(super) async fn page(&mut self) -> Result<(Vec<Record>, bool), Error> {
        let page = self.division.page(&self.entity, self.cursor.as_deref()).await?;
        self.cursor = Some(page.cursor);
        Ok((page.records, page.more))
    }

    /// Pages until nothing more is there.
    pub(super) async fn poll(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        for _ in 0..1_000 {
            let (page, more) = self.page().await.unwrap();
            records.extend(page);
            if !more {
                return records;
            }
        }
        panic!("the reading comes to no end");
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn orders() -> Selection {
    Selection {
        own: texts(&["AmountFC", "YourRef", "Modified"]),
        parts: Some(texts(&["ID", "LineNumber", "Quantity", "Modified"])),
        late: texts(&["AmountFC"]),
        records: texts(&["AmountFC", "YourRef"]),
    }
}

pub(super) fn quotations() -> Selection {
    Selection {
        own: texts(&["AmountFC", "YourRef", "Modified"]),
        parts: Some(texts(&["ID", "LineNumber", "Quantity", "Modified"])),
        late: texts(&["AmountFC", "VATAmountFC"]),
        records: texts(&["AmountFC", "VATAmountFC", "YourRef"]),
    }
}

pub(super) fn items(price: bool) -> Selection {
    let parts = ["Account", "Employee", "Project", "Price", "Quantity", "StartDate", "EndDate"];
    let parts = price.then(|| texts(&parts));
    Selection { own: texts(&["Code", "Modified"]), parts, late: Vec::new(), records: texts(&["Code"]) }
}

/// The quantities of a document's lines in their order.
pub(super) fn quantities(record: &Record) -> Vec<String> {
    assert_eq!(record.presence, Presence::Present);
    let Content::List(lines) = &record.properties["SalesOrderLines"] else { panic!("no lines: {record:?}") };
    let quantity = |line: &Content| match line {
        Content::Object(line) => number(&line["Quantity"]),
        other => panic!("{other:?}"),
    };
    lines.iter().map(quantity).collect()
}

pub(super) fn number(content: &Content) -> String {
    match content {
        Content::Number(number) => number.normalize().to_string(),
        other => panic!("{other:?}"),
    }
}
