//! `serve` as it runs: on queues, in several replicas, and with a broker that fails.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use broker::{Broker, Delivery, InProcess, Outgoing, REASON_HEADER, Settlement, Subscription};
use contract::{Lane, Message, Names, observation_key};
use jiff::Timestamp;
use link::{Link, Pending};
use mapping::Reading;
use model::{PropertyName, Reference, System, SystemPair, UserId, Value};
use service::{
    BrokerConfig, Config, ConnectionConfig, Context, Health, LiteralConfig, Reloads, ServiceError,
    StoreConfig,
};
use store::{Embedded, Leased, Links, Store};
use telemetry::{LogFilter, LogFormat, Metrics};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bench::{Bench, pair, value};
use super::fakes::{Failing, Pausing, next};
use super::said::full_read;
use super::{CRM, EXACT, begun_by, connection, record, seen, sighting};
use crate::handler::Handler;
use crate::outbox::Outbox;
use crate::{Ports, serve};

/// Longer than anything here takes, the sweep of the outbox included.
const PATIENCE: Duration = Duration::from_secs(30);

/// Mappers at work on one broker and one store.
pub(super) struct House<B> {
    pub(super) ports: Ports<B, Embedded>,
    pub(super) context: Context,
    mappers: Vec<JoinHandle<Result<(), ServiceError>>>,
}

impl<B: Broker> House<B> {
    pub(super) async fn of(mappers: usize, broker: B) -> Self {
        let context = context();
        Self::with(broker, vec![context; mappers]).await
    }

    /// A mapper for each of these contexts, which share one stop.
    pub(super) async fn with(broker: B, contexts: Vec<Context>) -> Self {
        let store = Embedded::in_memory().unwrap();
        let links = Links::new(store.clone(), "test");
        for system in System::BOTH {
            links.set_people(&connection(), system, &BTreeMap::new()).await.unwrap();
        }
        let context = contexts[0].clone();
        broker.declare(&context.topology()).await.unwrap();
        let ports = Ports { broker, store, broker_forgets: false };
        let serve = |context| tokio::spawn(serve(ports.clone(), context));
        let mappers = contexts.into_iter().map(serve).collect();
        Self { ports, context, mappers }
    }

    pub(super) fn links(&self) -> Links<Embedded> {
        Links::new(self.ports.store.clone(), "test")
    }

    pub(super) async fn link_of(&self, system: System, id: &str) -> Option<Link> {
        let (links, name) = (self.links(), &self.context.pairs[0].name);
        let id = links.link_of(&connection(), name, system, &record(id)).await.unwrap()?;
        links.find(&connection(), name, &id).await.unwrap().map(|stored| Arc::unwrap_or_clone(stored.link))
    }

    async fn links_stored(&self) -> Vec<Link> {
        let (links, name) = (self.links(), &self.context.pairs[0].name);
        let mut found = Vec::new();
        for id in links.all(&connection(), name).await.unwrap() {
            // A link may be absorbed between the two looks.
            found.extend(
                links
                    .find(&connection(), name, &id)
                    .await
                    .unwrap()
                    .map(|stored| Arc::unwrap_or_clone(stored.link)),
            );
        }
        found
    }

    /// Whether nothing is left in the queue of the pair.
    async fn is_drained(&self) -> bool {
        let queue = names().pair(&self.context.pairs[0].name);
        self.ports.broker.depth(&queue).await.unwrap() == 0
    }

    pub(super) async fn stop(self) {
        self.context.stop.cancel();
        for mapper in self.mappers {
            mapper.await.unwrap().unwrap();
        }
    }
}

pub(super) fn names() -> Names {
    Names::new("test")
}

pub(super) fn context() -> Context {
    let config = Config {
        namespace: "test".to_owned(),
        pairs: PathBuf::new(),
        health_listen: ([127, 0, 0, 1], 0).into(),
        webhooks_listen: None,
        auth_listen: None,
        log_filter: LogFilter::parse("info").unwrap(),
        log_format: LogFormat::Text,
        otlp: None,
        broker: BrokerConfig::InProcess,
        store: StoreConfig::File { path: PathBuf::new() },
        shutdown_grace: Duration::from_secs(5),
        connections: vec![ConnectionConfig {
            name: connection(),
            file: None,
            reading: Reading::Practical,
            is_test: false,
            literal: LiteralConfig::default(),
            customcrm: None,
            exactonline: None,
        }],
    };
    Context {
        config: Arc::new(config),
        pairs: vec![pair()].into(),
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("mapper")),
        reloads: Reloads::none(),
    }
}

/// Publishes what a collector says.
pub(super) async fn say(broker: &InProcess, messages: &[Message]) {
    let outgoing = messages.iter().map(|message| {
        let (system, entity) = match message {
            Message::Observed(observed) => (observed.system, &observed.entity),
            Message::ReadCompleted(completed) => (completed.system, &completed.entity),
            other => panic!("no collector says {other:?}"),
        };
        let id = Uuid::now_v7();
        Outgoing {
            exchange: names().observations(),
            routing_key: observation_key(&connection(), system, entity),
            id: id.to_string(),
            headers: BTreeMap::new(),
            at: Timestamp::now(),
            body: message.write(id, "test", Timestamp::now()),
        }
    });
    broker.publish(outgoing.collect()).await.unwrap();
}

/// Looks again and again until it is so.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let looked = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(looked.await.is_ok(), "not within {PATIENCE:?}: {what}");
}

async fn take(broker: &InProcess, queue: &str) -> impl Delivery + use<> {
    let mut subscription = broker.subscribe(queue, 1).await.unwrap();
    tokio::time::timeout(PATIENCE, subscription.next()).await.expect("a message arrives").unwrap()
}

async fn release(broker: &InProcess) {
    for system in System::BOTH {
        say(broker, &full_read(system, &[])).await;
    }
}

#[tokio::test]
async fn a_malformed_message_becomes_a_dead_letter_and_the_next_one_is_handled() {
    let broker = InProcess::new();
    let house = House::of(1, broker.clone()).await;
    let queue = names().pair(&house.context.pairs[0].name);
    let misplaced = contract::WriteQueued {
        connection: connection(),
        pair: house.context.pairs[0].name.clone(),
        link: begun_by(CRM, "c1"),
        system: EXACT,
    };
    let misplaced = Message::WriteQueued(misplaced).write(Uuid::now_v7(), "test", Timestamp::now());
    for (id, body) in [("broken", b"{".to_vec()), ("misplaced", misplaced)] {
        let (exchange, headers) = (String::new(), BTreeMap::new());
        let (routing_key, id, at) = (queue.clone(), id.to_owned(), Timestamp::now());
        broker.publish(vec![Outgoing { exchange, routing_key, id, headers, at, body }]).await.unwrap();
    }
    say(&broker, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))]).await;
    until("the record after the bad messages is linked", || async {
        house.link_of(CRM, "c1").await.is_some()
    })
    .await;
    for id in ["broken", "misplaced"] {
        let dead = take(&broker, &names().dead_letters()).await;
        assert_eq!(dead.id(), id);
        assert!(dead.headers().get(REASON_HEADER).is_some_and(|reason| !reason.is_empty()));
        dead.settle(Settlement::Acknowledge).await.unwrap();
    }
    house.stop().await;
}

#[tokio::test]
async fn what_a_crash_between_commit_and_publication_left_is_published_by_the_sweep() {
    let broker = Failing::new();
    let house = House::of(1, broker.clone()).await;
    release(&broker.inner).await;
    until("the pair is released", || async {
        house.links().released(&connection(), &house.context.pairs[0].name).await.unwrap().0
    })
    .await;
    broker.fail_once();
    say(&broker.inner, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))]).await;
    until("the publication fails", || async { !broker.is_to_fail() }).await;
    // What was to be published is committed, so the message that comes again finds nothing to do.
    let link = house.link_of(CRM, "c1").await.unwrap();
    assert!(matches!(link.pending[EXACT], Pending::Queued { .. }));
    until("the message was taken again", || house.is_drained()).await;

    let delivery = take(&broker.inner, &names().writes(EXACT, Lane::Live)).await;
    let Message::WriteQueued(queued) = Message::read(delivery.body()).unwrap() else { panic!("no write") };
    assert_eq!((queued.link, queued.system), (begun_by(CRM, "c1"), EXACT));
    delivery.settle(Settlement::Acknowledge).await.unwrap();
    until("the outbox is empty", || async {
        house.links().outbox(&connection(), Timestamp::now(), 10).await.unwrap().is_empty()
    })
    .await;
    house.stop().await;
}

#[tokio::test]
async fn links_that_a_crash_left_asleep_after_the_release_are_woken_by_the_next_mapper() {
    let broker = InProcess::new();
    let house = House::of(1, broker.clone()).await;
    let name = house.context.pairs[0].name.clone();
    say(&broker, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))]).await;
    until("the customer is known", || async { house.link_of(CRM, "c1").await.is_some() }).await;
    assert!(house.links().release(&connection(), &name, Timestamp::now()).await.unwrap());
    // Whoever released the pair is gone before it woke anybody.
    until("the partner is asked for", || async {
        matches!(house.link_of(CRM, "c1").await.unwrap().pending[EXACT], Pending::Queued { .. })
    })
    .await;
    until("all are woken", || async { house.links().waking(&connection()).await.unwrap().is_empty() }).await;
    house.stop().await;
}

#[tokio::test]
async fn links_that_another_mapper_is_waking_are_left_to_it_until_it_has_ended() {
    let (links, name) = (Links::new(Embedded::in_memory().unwrap(), "test"), pair().name);
    let outbox = Outbox::new(InProcess::new(), links.clone(), names());
    assert!(links.release(&connection(), &name, Timestamp::now()).await.unwrap());
    let lease = links.key(&connection(), &["waking", name.as_str()]);
    let store = links.store();
    assert!(matches!(store.lease(&lease, "another", PATIENCE).await.unwrap(), Leased::Held { .. }));
    let stop = CancellationToken::new();
    outbox.wake_released(&connection(), &stop).await.unwrap();
    assert_eq!(links.waking(&connection()).await.unwrap().len(), 1, "it may not have come to all of them");
    store.release(&lease, "another").await.unwrap();
    outbox.wake_released(&connection(), &stop).await.unwrap();
    assert!(links.waking(&connection()).await.unwrap().is_empty());
}

/// A person's edit would stand behind all of them.
#[tokio::test]
async fn links_are_woken_no_faster_than_they_are_taken_in() {
    const LINKS: u64 = 1_500;
    let bench = Bench::new().await;
    for number in 0..LINKS {
        bench.tell(seen(CRM, sighting(&format!("c{number}"), 1, &[("Name", "Acme")]))).await;
    }
    let (broker, name, links) = (InProcess::new(), pair().name, bench.links().clone());
    broker.declare(&context().topology()).await.unwrap();
    assert!(links.release(&connection(), &name, Timestamp::now()).await.unwrap());
    let outbox = Outbox::new(broker.clone(), links.clone(), names());
    let (queue, stop) = (names().pair(&name), CancellationToken::new());
    let released = connection();
    let mut waking = std::pin::pin!(outbox.wake_released(&released, &stop));
    let most = Duration::from_millis(500);
    assert!(tokio::time::timeout(most, &mut waking).await.is_err(), "nobody takes them in");
    assert!((1..=700).contains(&broker.depth(&queue).await.unwrap()));
    stop.cancel();
    tokio::time::timeout(most, waking).await.expect("it ends at once").unwrap();
    assert_eq!(links.waking(&connection()).await.unwrap().len(), 1, "not all are woken");

    let taken = async {
        let mut subscription = broker.subscribe(&queue, 1).await.unwrap();
        for _ in 0..LINKS {
            subscription.next().await.unwrap().settle(Settlement::Acknowledge).await.unwrap();
        }
    };
    let go_on = CancellationToken::new();
    let (woken, ()) = tokio::time::timeout(PATIENCE, async {
        tokio::join!(outbox.wake_released(&released, &go_on), taken)
    })
    .await
    .expect("all are woken once they are taken in");
    woken.unwrap();
    assert!(links.waking(&connection()).await.unwrap().is_empty());
}

/// A session that ends returns all that it holds, and what is returned too often is set aside.
#[tokio::test(start_paused = true)]
async fn a_call_that_the_store_does_not_carry_out_ends_no_session() {
    for call in 1.. {
        let (broker, store, context) = (InProcess::new(), Pausing::new(None), context());
        broker.declare(&context.topology()).await.unwrap();
        let (links, name) = (Links::new(store.clone(), "test"), pair().name);
        for system in System::BOTH {
            links.set_people(&connection(), system, &BTreeMap::new()).await.unwrap();
        }
        let handler = Handler::new(&name, &links, &names(), &context);
        let outbox = Outbox::new(broker.clone(), links.clone(), names());
        say(&broker, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))]).await;
        let queue = names().pair(&name);
        let delivery = take(&broker, &queue).await;
        store.fail(call);
        crate::take(&outbox, &handler, &context, &queue, delivery).await.unwrap();
        if !store.has_failed() {
            assert!(call > 2, "a message takes some calls");
            return;
        }
        let link = links.link_of(&connection(), &name, CRM, &record("c1")).await.unwrap();
        assert!(link.is_some(), "it is taken in though call {call} failed");
    }
}

#[tokio::test]
async fn a_user_who_joins_a_directory_is_found_without_an_edit() {
    let broker = InProcess::new();
    let house = House::of(1, broker.clone()).await;
    let know = async |system: System, user: &str| {
        let people = BTreeMap::from([(UserId::parse(user).unwrap(), "anna@example.nl".to_owned())]);
        house.links().set_people(&connection(), system, &people).await.unwrap();
    };
    know(CRM, "u1").await;
    say(&broker, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("OwnerId", "u1")]))]).await;
    until("the customer is known", || async { house.link_of(CRM, "c1").await.is_some() }).await;
    know(EXACT, "g1").await;
    let anna = Value::Reference(Reference::Person("anna@example.nl".to_owned()));
    until("the owner is found", || async {
        house.link_of(CRM, "c1").await.and_then(|link| value(&link, CRM, "OwnerId")) == Some(anna.clone())
    })
    .await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_two_mappers_see_at_once_become_one_link_each() {
    let broker = InProcess::new();
    let house = House::of(2, broker.clone()).await;
    let mut messages = Vec::new();
    for number in 0..40 {
        let (vat, name) = (format!("NL{number:03}"), format!("Company {number}"));
        let customer = sighting(&format!("c{number}"), 1, &[("Name", &name), ("VatNumber", &vat)]);
        let account = sighting(&format!("e{number}"), 1, &[("Name", &name), ("VATNumber", &vat)]);
        messages.extend([seen(CRM, customer), seen(EXACT, account)]);
    }
    say(&broker, &messages).await;
    until("all are linked", || async {
        let links = house.links_stored().await;
        links.len() == 40 && links.iter().all(Link::has_both)
    })
    .await;
    for number in 0..40 {
        let crm = house.link_of(CRM, &format!("c{number}")).await.unwrap();
        let exact = house.link_of(EXACT, &format!("e{number}")).await.unwrap();
        assert_eq!(crm, exact);
    }
    house.stop().await;
}

/// How many companies the random messages speak of, and how often each is edited.
const COMPANIES: u64 = 20;
const EDITS: u64 = 4;

/// A company's record at a version; each version differs from all others.
fn company(number: u64, system: System, version: u64) -> Message {
    let (vat, name) = (format!("NL{number:03}"), format!("Company {number} of version {version}"));
    let city = format!("City {}", version % 2);
    match system {
        System::CustomCrm => {
            let values = [("Name", name.as_str()), ("VatNumber", &vat), ("City", &city)];
            seen(CRM, sighting(&format!("c{number}"), version, &values))
        }
        System::ExactOnline => {
            let values = [("Name", name.as_str()), ("VATNumber", &vat), ("City", &city)];
            seen(EXACT, sighting(&format!("e{number}"), version, &values))
        }
    }
}

const fn edited_side(number: u64) -> System {
    if number.is_multiple_of(2) { System::CustomCrm } else { System::ExactOnline }
}

pub(super) fn shuffle(messages: &mut [Message], seed: &AtomicU64) {
    for last in (1..messages.len()).rev() {
        let other = usize::try_from(next(seed) % (last as u64 + 1)).unwrap();
        messages.swap(last, other);
    }
}

/// What is known of one record, without what tells when it became known.
#[derive(Debug, PartialEq)]
pub(super) struct Known {
    sides: SystemPair<Option<link::Side>>,
    agreed: BTreeMap<PropertyName, SystemPair<Value>>,
    queued: SystemPair<bool>,
    status: link::Status,
}

impl Known {
    pub(super) fn of(link: Link) -> Self {
        let queued = SystemPair {
            customcrm: link.pending.customcrm != Pending::None,
            exactonline: link.pending.exactonline != Pending::None,
        };
        Self { sides: link.sides, agreed: link.agreed, queued, status: link.status }
    }
}

/// Tells so many mappers the same 200 messages in an order that the seed decides.
async fn told(mappers: usize, seed: u64) -> Vec<Known> {
    let (broker, seed) = (InProcess::new(), AtomicU64::new(seed));
    let house = House::of(mappers, broker.clone()).await;
    let numbers = || 0..COMPANIES;
    let mut first: Vec<Message> =
        numbers().flat_map(|number| [company(number, CRM, 1), company(number, EXACT, 1)]).collect();
    let mut later: Vec<Message> = numbers()
        .flat_map(|number| (2..2 + EDITS).map(move |version| company(number, edited_side(number), version)))
        .flat_map(|message| [message.clone(), message])
        .collect();
    assert_eq!(first.len() + later.len(), 200);
    shuffle(&mut first, &seed);
    shuffle(&mut later, &seed);
    say(&broker, &first).await;
    release(&broker).await;
    until("all are linked and released", || async {
        let links = house.links_stored().await;
        let linked = links.len() == 20 && links.iter().all(Link::has_both);
        linked && house.links().released(&connection(), &house.context.pairs[0].name).await.unwrap().0
    })
    .await;
    say(&broker, &later).await;
    let newest = Some(model::Version(1 + EDITS));
    until("all edits are taken in", || async {
        let links = house.links_stored().await;
        let done = links.iter().filter(|link| {
            System::BOTH
                .iter()
                .any(|system| link.sides[*system].as_ref().is_some_and(|side| side.version == newest))
        });
        done.count() == 20 && house.is_drained().await
    })
    .await;
    let mut known = Vec::new();
    for number in numbers() {
        let link = house.link_of(CRM, &format!("c{number}")).await.unwrap();
        known.push(Known::of(link));
    }
    house.stop().await;
    known
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_mappers_end_in_the_same_state_as_one_after_200_random_messages() {
    for seed in [1, 2, 3] {
        let (one, two) = (told(1, seed).await, told(2, seed + 100).await);
        assert_eq!(one, two, "seed {seed}");
        for (number, known) in (0..).zip(&one) {
            let queued = &known.queued;
            assert!(
                queued[edited_side(number).other()] && !queued[edited_side(number)],
                "{number}: {known:?}"
            );
        }
    }
}
