//! Both systems, all their writers and all seven pairs: what people do in the one is carried to the other until all is
//! at rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use contract::{Message, Observed, OutcomeResult, Sighting};
use link::{Link, Write};
use mapping::{LinePut, Onto, Pair, Put, Reading};
use model::{
    Content, EntityName, LinkId, PairName, Presence, Properties, Record, RecordId, System, UserId, Version,
    View,
};

use super::bench::Bench;
use super::fakes::Pausing;
use super::said::{full_read_of, outcome_in};
use super::{CRM, EXACT, connection, record};

/// The shipped pair files.
const FILES: [(&str, &str); 7] = [
    ("customer-account", include_str!("../../../../deploy/pairs/customer-account.toml")),
    ("contact-contact", include_str!("../../../../deploy/pairs/contact-contact.toml")),
    ("product-item", include_str!("../../../../deploy/pairs/product-item.toml")),
    ("quote-quotation", include_str!("../../../../deploy/pairs/quote-quotation.toml")),
    ("order-quotation", include_str!("../../../../deploy/pairs/order-quotation.toml")),
    ("order-salesorder", include_str!("../../../../deploy/pairs/order-salesorder.toml")),
    ("user-quotation", include_str!("../../../../deploy/pairs/user-quotation.toml")),
];

/// More rounds than any change takes to come to rest.
const ROUNDS_MAX: usize = 40;

pub(super) fn name(pair: &str) -> PairName {
    PairName::parse(pair).unwrap()
}

/// The shipped pairs as they are read practically.
pub(super) fn shipped() -> Vec<Pair> {
    shipped_in(Reading::Practical)
}

/// The shipped pairs in a reading.
pub(super) fn shipped_in(reading: Reading) -> Vec<Pair> {
    let kept: BTreeSet<PairName> = FILES.iter().map(|(pair, _)| name(pair)).collect();
    let parse =
        |(pair, text): (&str, &str)| Pair::parse(&format!("{pair}.toml"), text, reading, &kept).unwrap();
    FILES.into_iter().map(parse).collect()
}

/// A record's properties; an empty text stands for null.
pub(super) fn properties<const N: usize>(values: [(&str, Content); N]) -> Properties {
    let null = |content: Content| if content == Content::from("") { Content::Null } else { content };
    values.into_iter().map(|(name, content)| (name.to_owned(), null(content))).collect()
}

pub(super) fn number(number: i64) -> Content {
    Content::Number(number.into())
}

/// One line of a document, of this product or item.
pub(super) fn line(system: System, id: &str, of: &str, quantity: i64) -> Content {
    let (id_name, of_name) = if system == CRM { ("LineId", "ProductId") } else { ("ID", "Item") };
    let line = [(id_name, id.into()), (of_name, of.into()), ("Quantity", number(quantity))];
    Content::Object(properties(line))
}

/// What there is, in which system and of which entity, and what has to be done about it.
pub(super) struct World {
    pub(super) bench: Bench,
    records: Mutex<BTreeMap<(System, String, RecordId), Sighting>>,
    /// Messages that wait, and in which pair.
    waiting: Mutex<Vec<(PairName, Message)>>,
    made: Mutex<i64>,
}

impl World {
    /// A shop with two customers and two products that are linked, whose pairs may create.
    pub(super) async fn open() -> Self {
        let world = Self::with(Pausing::new(None), shipped()).await;
        world.read_all().await;
        world.rest().await;
        world
    }

    /// The same where handlers that run at once meet as the seed says.
    pub(super) async fn racing(seed: u64) -> Self {
        let world = Self::with(Pausing::new(Some(seed)), shipped()).await;
        world.read_all().await;
        world.rest().await;
        world
    }

    /// The same shop before anything was read of it, by these pairs.
    pub(super) async fn with(store: Pausing, pairs: Vec<Pair>) -> Self {
        let bench = Bench::keeping(store, pairs).await;
        let (records, waiting, made) = (Mutex::default(), Mutex::default(), Mutex::new(1000));
        let world = Self { bench, records, waiting, made };
        for at in ["1", "2"] {
            let of = |letter: &str| format!("{letter}{at}");
            let shared = [("Name", of("Company ").as_str().into())];
            let vat = Content::from(of("NL").as_str());
            let [mut customer, mut account] = [properties(shared.clone()), properties(shared)];
            customer.insert("VatNumber".to_owned(), vat.clone());
            account.insert("VATNumber".to_owned(), vat);
            account.insert("Status".to_owned(), "C".into());
            customer.insert("Status".to_owned(), "Customer".into());
            world.keep(CRM, "customers", &of("c"), customer);
            world.keep(EXACT, "accounts", &of("a"), account);
            let code = Content::from(of("P").as_str());
            let product = [("Code", code.clone()), ("Name", "Thing".into())];
            world.keep(CRM, "products", &of("p"), properties(product));
            let item =
                [("Code", code), ("Description", "Thing".into()), ("IsSalesItem", Content::Boolean(true))];
            world.keep(EXACT, "items", &of("i"), properties(item));
        }
        world
    }

    /// The same systems before another store, which knows nothing, by these pairs.
    pub(super) async fn emptied(self, store: Pausing, pairs: Vec<Pair>) -> Self {
        let bench = Bench::keeping(store, pairs).await;
        Self { bench, waiting: Mutex::default(), ..self }
    }

    /// A record is there and nobody has seen it.
    pub(super) fn keep(&self, system: System, entity: &str, id: &str, properties: Properties) -> Sighting {
        let key = (system, entity.to_owned(), record(id));
        let mut records = self.records.lock().unwrap();
        let version = records.get(&key).map_or(0, |known| known.record.version.unwrap().0) + 1;
        let mut all = records.get(&key).map(|known| known.record.properties.clone()).unwrap_or_default();
        all.extend(properties);
        if system == CRM {
            all.insert("Id".to_owned(), id.into());
        }
        let seen = Sighting {
            record: Record {
                id: record(id),
                version: Some(Version(version)),
                modified_by: None,
                modified_at: None,
                presence: Presence::Present,
                properties: all,
            },
            by_us: false,
        };
        records.insert(key, seen.clone());
        seen
    }

    /// A person makes or edits a record, and every pair that it is for sees it.
    pub(super) async fn edit(&self, system: System, entity: &str, id: &str, properties: Properties) {
        let seen = self.keep(system, entity, id, properties);
        self.see(system, entity, seen).await;
    }

    /// Every pair that it is for sees a record.
    pub(super) async fn see(&self, system: System, entity: &str, sighting: Sighting) {
        let waiting = self.bench.offer(&found(system, entity, sighting)).await;
        self.waiting.lock().unwrap().extend(waiting);
    }

    /// One pair alone sees a record as it is now; the others will.
    pub(super) async fn look_at_in(&self, pair: &str, system: System, entity: &str, id: &str) {
        let message = found(system, entity, self.now(system, entity, id));
        let waiting = self.bench.offer_to(&name(pair), &message, 1).await;
        self.waiting.lock().unwrap().extend(waiting);
    }

    /// What has to wait at the moment, and in which pairs.
    pub(super) fn waits_in(&self) -> Vec<PairName> {
        self.waiting.lock().unwrap().iter().map(|(pair, _)| pair.clone()).collect()
    }

    /// Every pair that it is for sees a record as it is now.
    pub(super) async fn look_at(&self, system: System, entity: &str, id: &str) {
        self.see(system, entity, self.now(system, entity, id)).await;
    }

    pub(super) fn now(&self, system: System, entity: &str, id: &str) -> Sighting {
        self.records.lock().unwrap()[&(system, entity.to_owned(), record(id))].clone()
    }

    /// What a record holds.
    pub(super) fn holds(&self, system: System, entity: &str, id: &str, property: &str) -> Content {
        let now = self.now(system, entity, id);
        now.record.properties.get(property).cloned().unwrap_or(Content::Null)
    }

    /// The records of an entity.
    pub(super) fn ids(&self, system: System, entity: &str) -> Vec<String> {
        let records = self.records.lock().unwrap();
        let of_entity = records.keys().filter(|(of, kind, _)| (*of, kind.as_str()) == (system, entity));
        of_entity.map(|(_, _, id)| id.to_string()).collect()
    }

    /// The only record of an entity.
    pub(super) fn only(&self, system: System, entity: &str) -> String {
        let ids = self.ids(system, entity);
        assert_eq!(ids.len(), 1, "{entity} in {system}: {ids:?}");
        ids[0].clone()
    }

    /// All collectors read all that there is in full.
    pub(super) async fn read_all(&self) {
        for (system, entity) in entities() {
            self.read(system, entity).await;
        }
    }

    /// A collector reads an entity in full.
    pub(super) async fn read(&self, system: System, entity: &str) {
        let ids = self.ids(system, entity);
        let all: Vec<Sighting> = ids.iter().map(|id| self.now(system, entity, id)).collect();
        for message in full_read_of(system, entity, &all) {
            let waiting = self.bench.offer(&message).await;
            self.waiting.lock().unwrap().extend(waiting);
        }
    }

    /// Both systems' writers and collectors work until there is nothing left to do.
    pub(super) async fn rest(&self) {
        for _ in 0..ROUNDS_MAX {
            let writes = self.bench.writes_of_all();
            let waiting = std::mem::take(&mut *self.waiting.lock().unwrap());
            if writes.is_empty() && waiting.is_empty() {
                return;
            }
            for (pair, link, system) in writes {
                self.write(&pair, &link, system).await;
            }
            for (pair, message) in waiting {
                let still = self.bench.offer_to(&pair, &message, 2).await;
                self.waiting.lock().unwrap().extend(still);
            }
        }
        panic!("no rest: {:?} waits", self.waiting.lock().unwrap());
    }

    /// A writer carries out what is pending, its outcome arrives, and then its collector's sighting.
    pub(super) async fn write(&self, pair: &PairName, link: &LinkId, system: System) {
        let Some((claim, result)) = self.carry_out(pair, link, system).await else { return };
        let after = match &result {
            OutcomeResult::Applied { after, .. } => after.clone(),
            OutcomeResult::Adopted { found } => Some(found.clone()),
            _ => None,
        };
        let message = outcome_in(pair, link, system, claim, result);
        let waiting = self.bench.offer(&message).await;
        self.waiting.lock().unwrap().extend(waiting);
        let entity = self.bench.keeper(pair).pair.entities[system].to_string();
        if let Some(after) = after {
            self.see(system, &entity, after).await;
        }
    }

    /// A writer carries out what is pending; its claim, and what it has to report.
    pub(super) async fn carry_out(
        &self,
        pair: &PairName,
        link: &LinkId,
        system: System,
    ) -> Option<(u64, OutcomeResult)> {
        let (claim, write) = self.bench.try_claim(pair, link, system).await?;
        let stored = self.bench.stored_in(pair, link).await.expect("what was claimed is there").link;
        let nothing = View::new();
        let [source, view] = [system.other(), system]
            .map(|system| stored.sides[system].as_ref().map_or(&nothing, |side| &side.view));
        let result = match &write {
            Write::Create { .. } => {
                let put = self.bench.put(pair, system, &write, Onto::New { source }).await;
                match self.search(pair, system, &stored, &write, &put) {
                    Some(found) => OutcomeResult::Adopted { found },
                    None => applied(self.create(pair, system, &put)),
                }
            }
            Write::Update { record, .. } => {
                let onto = Onto::Known { source, view, lines: &stored.lines };
                let put = self.bench.put(pair, system, &write, onto).await;
                applied(self.update(pair, system, record.as_str(), put))
            }
            Write::Delete { .. } => unreachable!("no shipped pair deletes"),
        };
        Some((claim, result))
    }

    /// The record that a writer finds before it creates one.
    fn search(
        &self,
        pair: &PairName,
        system: System,
        link: &Link,
        write: &Write,
        put: &Put,
    ) -> Option<Sighting> {
        let pair = &self.bench.keeper(pair).pair;
        let stand_in = link.sides[system.other()].as_ref().and_then(|side| side.stand_in.as_deref());
        let entity = pair.entities[system].as_str();
        let ids = self.ids(system, entity);
        pair.match_keys(write.values(), stand_in).iter().find_map(|key| {
            let condition = |row| {
                let name = pair.property(row)?.names[system].clone()?;
                Some((name.clone(), put.properties.get(&name)?.clone()))
            };
            let wanted = key.rows.0.iter().map(condition).collect::<Option<Vec<_>>>()?;
            let mut all = ids.iter().map(|id| self.now(system, entity, id));
            all.find(|known| {
                let properties = &known.record.properties;
                wanted.iter().all(|(name, content)| properties.get(name) == Some(content))
            })
        })
    }

    fn create(&self, pair: &PairName, system: System, put: &Put) -> Sighting {
        let pair = &self.bench.keeper(pair).pair;
        let entity = pair.entities[system].as_str();
        let mut made = self.made.lock().unwrap();
        *made += 1;
        let id = format!("{entity}-{made}");
        let mut all = put.properties.clone();
        if let Some(lines) = &pair.lines {
            let numbered = (1..).zip(put.added());
            let lines_made =
                numbered.map(|(at, line)| with_id(line, &lines.ids[system], &format!("{id}-{at}")));
            let list = Content::List(lines_made.collect());
            all.insert(lines.names[system].clone(), list);
        }
        match (system, entity) {
            (EXACT, "quotations") => {
                all.insert("QuotationNumber".to_owned(), number(*made));
                all.insert("VersionNumber".to_owned(), number(1));
            }
            (EXACT, "salesorders") => {
                all.insert("OrderNumber".to_owned(), number(*made));
            }
            _ => {}
        }
        drop(made);
        self.by_us(system, entity, &id, all)
    }

    fn update(&self, pair: &PairName, system: System, id: &str, put: Put) -> Sighting {
        let pair = &self.bench.keeper(pair).pair;
        let entity = pair.entities[system].as_str();
        let mut changed = put.properties;
        if let Some(lines) = &pair.lines {
            let (list_name, id_name) = (&lines.names[system], &lines.ids[system]);
            let Content::List(mut list) = self.holds(system, entity, id, list_name) else {
                return self.now(system, entity, id);
            };
            let is = |line: &Content, id: &RecordId| matches!(line, Content::Object(line) if line.get(id_name).and_then(Content::as_text) == Some(id.as_str()));
            for line in put.lines {
                match line {
                    LinePut::Add(line) => {
                        let mut made = self.made.lock().unwrap();
                        *made += 1;
                        list.push(with_id(&line, id_name, &format!("{id}-{made}")));
                    }
                    LinePut::Change { id, properties } => {
                        for line in list.iter_mut().filter(|line| is(line, &id)) {
                            if let Content::Object(line) = line {
                                line.extend(properties.clone());
                            }
                        }
                    }
                    LinePut::Remove { id } => list.retain(|line| !is(line, &id)),
                }
            }
            changed.insert(list_name.clone(), Content::List(list));
        }
        self.by_us(system, entity, id, changed)
    }

    fn by_us(&self, system: System, entity: &str, id: &str, properties: Properties) -> Sighting {
        let ours = Sighting { by_us: true, ..self.keep(system, entity, id, properties) };
        let key = (system, entity.to_owned(), record(id));
        self.records.lock().unwrap().insert(key, ours.clone());
        ours
    }

    /// The users of both systems.
    pub(super) async fn know(&self, crm: &[(&str, &str)], exact: &[(&str, &str)]) {
        for (system, users) in [(CRM, crm), (EXACT, exact)] {
            let user = |(id, email): &(&str, &str)| (UserId::parse(id).unwrap(), (*email).to_owned());
            let people = users.iter().map(user).collect();
            self.bench.links().set_people(&connection(), system, &people).await.unwrap();
        }
    }

    pub(super) async fn link_in(&self, pair: &str, system: System, id: &str) -> Option<Link> {
        self.bench.link_in(&name(pair), system, id).await
    }

    /// The record that a record is tied to in this pair.
    pub(super) async fn partner(&self, pair: &str, system: System, id: &str) -> Option<String> {
        let link = self.link_in(pair, system, id).await?;
        link.record(system.other()).map(ToString::to_string)
    }
}

/// All entities that the shipped pairs keep.
pub(super) const fn entities() -> [(System, &'static str); 11] {
    [
        (CRM, "customers"),
        (CRM, "contacts"),
        (CRM, "products"),
        (CRM, "orders"),
        (CRM, "quotes"),
        (CRM, "users"),
        (EXACT, "accounts"),
        (EXACT, "contacts"),
        (EXACT, "items"),
        (EXACT, "salesorders"),
        (EXACT, "quotations"),
    ]
}

/// A collector's message.
pub(super) fn found(system: System, entity: &str, sighting: Sighting) -> Message {
    let entity = EntityName::parse(entity).unwrap();
    Message::Observed(Observed { connection: connection(), system, entity, sighting, part: None })
}

fn applied(after: Sighting) -> OutcomeResult {
    OutcomeResult::Applied { record: after.record.id.clone(), after: Some(after) }
}

fn with_id(line: &Properties, name: &str, id: &str) -> Content {
    let mut line = line.clone();
    line.insert(name.to_owned(), id.into());
    Content::Object(line)
}
