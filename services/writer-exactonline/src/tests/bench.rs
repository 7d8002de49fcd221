use std::collections::BTreeMap;

use contract::{Lane, Sighting, json::read_properties};
use exactonline::{
    DocumentStore, Entity, ExactOnline, FeedCursor, FeedReader, Priority, Selection, Settings, Source,
};
use mapping::{LinePut, Put};
use model::{ConnectionName, Content, EntityName, Properties, Record, RecordId, Version};
use simulator_exactonline::{Control, Running, Simulator};
use store::{Applied, Batch, Change, Embedded, Key, Store as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;
use writer::{Aim, Target as _};

use crate::feed::Feed;
use crate::target::{Division, WriteError};

/// A company with a customer and an item, a collector that has read all of it, and the writer's division.
pub(super) struct Bench {
    pub(super) running: Running,
    pub(super) store: Embedded,
    folder: TempDir,
    pub(super) division: Division<Embedded>,
    pub(super) customer: Uuid,
    pub(super) item: Uuid,
}

const ENTITIES: [&str; 4] = ["accounts", "items", "salesorders", "quotations"];

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
        let (control, clock) = (running.control(), running.control());
        let store = Embedded::in_memory().unwrap().with_clock(move || clock.now());
        let customer = control.create_account(r#"{"Name":"Acme","Status":"C"}"#).unwrap();
        let person = control.people()[1].id;
        let item = r#"{"Code":"bolt","Description":"Bolt","IsSalesItem":true}"#;
        let item = control.create("logistics/Items", item, person).unwrap();
        let division = division(&running, &store, &folder);
        let bench = Self { running, store, folder, division, customer, item };
        for entity in ENTITIES {
            bench.collect(entity).await;
        }
        bench
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

    pub(super) fn change(&self, path: &str, id: &RecordId, body: &str) {
        self.control().change(path, uuid(id), body, self.person()).unwrap();
    }

    pub(super) fn delete(&self, path: &str, id: &RecordId) {
        self.control().delete(path, uuid(id), self.person()).unwrap();
    }

    /// A sales order as the CRM's writer would send it.
    pub(super) fn order_of(&self, reference: &str, quantities: &[u32]) -> Properties {
        let line =
            |quantity: &u32| format!(r#"{{"Item":"{}","Quantity":{quantity},"UnitPrice":10}}"#, self.item);
        let lines = quantities.iter().map(line).collect::<Vec<_>>().join(",");
        let customer = self.customer;
        properties(&format!(
            r#"{{"OrderedBy":"{customer}","YourRef":"{reference}","SalesOrderLines":[{lines}]}}"#
        ))
    }

    pub(super) async fn order(&self, quantities: &[u32]) -> Sighting {
        self.division
            .create(aim(&entity("salesorders")), &self.order_of("ref", quantities), "key")
            .await
            .unwrap()
    }

    pub(super) async fn update(&self, seen: &Sighting, put: &Put) -> Result<Option<Sighting>, WriteError> {
        let (id, version) = (&seen.record.id, seen.record.version);
        self.division.update(aim(&entity("salesorders")), id, version, put).await
    }

    pub(super) async fn told(&self, entity_name: &str, id: &RecordId) -> Option<Sighting> {
        self.division.record(aim(&entity(entity_name)), id).await.unwrap()
    }

    /// An order as it is once every feed was read after its last change.
    pub(super) async fn settled(&self, id: &RecordId) -> Sighting {
        let orders = entity("salesorders");
        for source in [Source::Own, Source::Parts, Source::Deleted, Source::Own, Source::Parts] {
            let now = Instant::now();
            self.division.read_since(&orders, now, &[source], Priority::Edit).await.unwrap();
        }
        self.told("salesorders", id).await.unwrap()
    }

    /// What the collector of an entity does: takes everything in and keeps its cursor.
    pub(super) async fn collect(&self, entity_name: &str) {
        let feed = &self.division.feeds[&entity(entity_name)];
        let mut reader = FeedReader::at(FeedCursor::start(&feed.selection));
        for source in [Source::Own, Source::Parts, Source::Deleted] {
            let client = &self.division.client;
            let read = client.read(&feed.entity, &feed.selection, source, &mut reader, Priority::Read).await;
            if let Some(documents) = &feed.documents {
                documents.take_in(read.unwrap().rows).await.unwrap();
            }
        }
        self.keep_cursor(entity_name, &reader.cursor).await;
    }

    async fn keep_cursor(&self, entity_name: &str, cursor: &FeedCursor) {
        let key = Key::of("test", "acme", &["cursor", "exactonline", entity_name]);
        let value = format!(r#"{{"cursor":{},"full_read":null}}"#, serde_json::Value::from(cursor.write()));
        let kept = self.store.apply(Batch::new().then(Change::Set { key, value })).await.unwrap();
        assert!(matches!(kept, Applied::Done { .. }));
    }

    /// Of this entity nothing is kept any more.
    pub(super) async fn loses_the_store(&self, entity_name: &str, document: &RecordId) {
        let lost = |parts: &[&str]| Change::Delete(Key::of("test", "acme", parts));
        let batch = Batch::new().then(lost(&["cursor", "exactonline", entity_name])).then(lost(&[
            "exactonline",
            "documents",
            entity_name,
            document.as_str(),
        ]));
        assert!(matches!(self.store.apply(batch).await.unwrap(), Applied::Done { .. }));
    }

    /// As if the writer's process had ended and another one began.
    pub(super) fn restart(&mut self) {
        self.division = division(&self.running, &self.store, &self.folder);
    }

    pub(super) fn calls_of(&self, endpoint: &str) -> usize {
        self.control().counts().by_endpoint.get(endpoint).copied().unwrap_or_default()
    }
}

fn division(running: &Running, store: &Embedded, folder: &TempDir) -> Division<Embedded> {
    let connection = ConnectionName::parse("acme").unwrap();
    let mut settings = Settings::new(
        running.base_url.parse().unwrap(),
        u32::try_from(running.division).unwrap(),
        connection.clone(),
        "test",
        (&running.client_id, running.client_secret.clone().into()),
        folder.path().join("grant.json"),
    );
    settings.limits.per_minute = 10_000;
    let clock = running.control();
    let feed = |name: &str| {
        let kept = Entity::named(name).unwrap();
        let documents = DocumentStore::new(store.clone(), "test", &connection, &kept);
        (entity(name), Feed::new(&kept, selection(name), documents))
    };
    Division {
        client: ExactOnline::with_clock(settings, store.clone(), move || clock.now()).unwrap(),
        store: store.clone(),
        namespace: "test".to_owned(),
        connection: connection.clone(),
        feeds: ENTITIES.map(feed).into_iter().collect::<BTreeMap<_, _>>(),
        ours: OnceCell::new(),
    }
}

fn selection(name: &str) -> Selection {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    match name {
        "salesorders" => Selection {
            own: texts(&["AmountFC", "OrderedBy", "YourRef"]),
            parts: Some(texts(&["ID", "Item", "LineNumber", "Notes", "Quantity", "Modified"])),
            late: texts(&["AmountFC"]),
            records: texts(&["AmountFC", "OrderedBy", "YourRef"]),
        },
        "quotations" => Selection {
            own: texts(&["AmountFC", "YourRef"]),
            parts: Some(texts(&["ID", "Item", "LineNumber", "Quantity", "Modified"])),
            late: texts(&["AmountFC", "VATAmountFC"]),
            records: texts(&["AmountFC", "VATAmountFC", "YourRef"]),
        },
        "items" => Selection {
            own: texts(&["Code", "Description"]),
            parts: Some(texts(&[
                "Account",
                "Employee",
                "Project",
                "Price",
                "Quantity",
                "StartDate",
                "EndDate",
            ])),
            late: Vec::new(),
            records: texts(&["Code", "Description", "StandardSalesPrice"]),
        },
        _ => Selection { own: texts(&["Name"]), parts: None, late: Vec::new(), records: texts(&["Name"]) },
    }
}

pub(super) fn entity(name: &str) -> EntityName {
    EntityName::parse(name).unwrap()
}

pub(super) fn aim(entity: &EntityName) -> Aim<'_> {
    Aim { entity, lines: None, lane: Lane::Live }
}

pub(super) fn properties(json: &str) -> Properties {
    read_properties(json).unwrap()
}

pub(super) fn id(uuid: Uuid) -> RecordId {
    RecordId::parse(&uuid.to_string()).unwrap()
}

pub(super) fn uuid(id: &RecordId) -> Uuid {
    Uuid::parse_str(id.as_str()).unwrap()
}

/// The ids and quantities of a document's lines, in their order.
pub(super) fn lines(record: &Record) -> Vec<(RecordId, String)> {
    let Content::List(lines) = &record.properties["SalesOrderLines"] else { panic!("no lines: {record:?}") };
    let mut of_lines: Vec<(Option<u64>, RecordId, String)> = lines
        .iter()
        .map(|line| match line {
            Content::Object(line) => (
                number(&line["LineNumber"]).parse().ok(),
                RecordId::parse(line["ID"].as_text().unwrap()).unwrap(),
                number(&line["Quantity"]),
            ),
            other => panic!("{other:?}"),
        })
        .collect();
    of_lines.sort();
    of_lines.into_iter().map(|(_, id, quantity)| (id, quantity)).collect()
}

pub(super) fn quantities(record: &Record) -> Vec<String> {
    lines(record).into_iter().map(|(_, quantity)| quantity).collect()
}

pub(super) fn number(content: &Content) -> String {
    match content {
        Content::Number(number) => number.normalize().to_string(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn header(json: &str) -> Put {
    Put { properties: properties(json), lines: Vec::new() }
}

pub(super) fn of_lines(lines: Vec<LinePut>) -> Put {
    Put { properties: Properties::new(), lines }
}

pub(super) fn changed(line: &RecordId, json: &str) -> LinePut {
    LinePut::Change { id: line.clone(), properties: properties(json) }
}

pub(super) fn version(seen: &Sighting) -> Version {
    seen.record.version.unwrap()
}
