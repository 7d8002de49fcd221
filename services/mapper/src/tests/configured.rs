//! Which pairs and connections a mapper serves: those of its command line, and of a configuration that is read anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use broker::{Broker, InProcess};
use contract::{Lane, Message, Observed, RetryTier};
use link::{Link, Pending};
use model::{ConnectionName, EntityName, PairName, Reference, System, UserId, Value};
use service::{Config, Context, InForce, Reloads};
use store::{Embedded, Links};
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep};

use super::bench::{Bench, value};
use super::served::{House, Known, context, names, say, shuffle, until};
use super::world::{name, shipped};
use super::{CRM, EXACT, connection, record, seen, sighting};
use crate::handler::Handled;
use crate::{Ports, serve};

/// How many companies there are, each with a contact.
const COMPANIES: u64 = 12;
const PAIRS: [(&str, &str, &str); 2] = [("customer-account", "c", "e"), ("contact-contact", "k", "x")];

/// What a collector says of a record of any entity.
fn seen_in(entity: &str, system: System, id: &str, version: u64, values: &[(&str, &str)]) -> Message {
    let entity = EntityName::parse(entity).unwrap();
    let sighting = sighting(id, version, values);
    Message::Observed(Observed { connection: connection(), system, entity, sighting, part: None })
}

/// A company and its contact at a version, as one of the systems shows them.
fn company(number: u64, system: System, version: u64) -> [Message; 2] {
    let (name, vat) = (format!("Company {number} of version {version}"), format!("NL{number:03}"));
    let (last, email) = (format!("Jansen {version}"), format!("{number}@example.nl"));
    match system {
        System::CustomCrm => [
            seen_in(
                "customers",
                CRM,
                &format!("c{number}"),
                version,
                &[("Name", &name), ("VatNumber", &vat), ("OwnerId", "u1")],
            ),
            seen_in(
                "contacts",
                CRM,
                &format!("k{number}"),
                version,
                &[("CustomerId", &format!("c{number}")), ("LastName", &last), ("Email", &email)],
            ),
        ],
        System::ExactOnline => [
            seen_in(
                "accounts",
                EXACT,
                &format!("e{number}"),
                version,
                &[("Name", &name), ("VATNumber", &vat)],
            ),
            seen_in(
                "contacts",
                EXACT,
                &format!("x{number}"),
                version,
                &[("Account", &format!("e{number}")), ("LastName", &last), ("Email", &email)],
            ),
        ],
    }
}

async fn link_in(links: &Links<Embedded>, pair: &PairName, id: &str) -> Option<Link> {
    let id = links.link_of(&connection(), pair, CRM, &record(id)).await.unwrap()?;
    links.find(&connection(), pair, &id).await.unwrap().map(|stored| Arc::unwrap_or_clone(stored.link))
}

/// All links of both pairs, once both their sides are known and this is so of each.
async fn when_all(
    house: &House<InProcess>,
    what: &str,
    is_so: impl Fn(&PairName, &Link) -> bool,
) -> Vec<Known> {
    let links = house.links();
    let find = async || {
        let mut found = Vec::new();
        for (pair, crm, _) in PAIRS {
            for number in 0..COMPANIES {
                let link = link_in(&links, &name(pair), &format!("{crm}{number}")).await?;
                if !link.has_both() || !is_so(&name(pair), &link) {
                    return None;
                }
                found.push(Known::of(link));
            }
        }
        Some(found)
    };
    until(what, async || find().await.is_some()).await;
    find().await.unwrap()
}

/// What is known, in words. A customer's link is called after whichever record was seen first, which is not the same for
/// all.
fn in_words(known: Known) -> String {
    format!("{known:?}").replace("exactonline:e", "customcrm:c")
}

/// What mappers that serve these pairs each come to know in an order that the seed decides.
async fn known_by(served: &[Vec<String>], seed: u64) -> Vec<String> {
    let (broker, seed) = (InProcess::new(), AtomicU64::new(seed));
    let shared = Context { pairs: shipped().into(), ..context() };
    let serving = |names: &Vec<String>| {
        let pairs = shared.pairs.clone();
        Context {
            pairs: if names.is_empty() { pairs } else { pairs.serving(names).unwrap() },
            ..shared.clone()
        }
    };
    let house = House::with(broker.clone(), served.iter().map(serving).collect()).await;
    let mut first: Vec<Message> = (0..COMPANIES)
        .flat_map(|number| [company(number, CRM, 1), company(number, EXACT, 1)].concat())
        .collect();
    shuffle(&mut first, &seed);
    say(&broker, &first).await;
    when_all(&house, "all are linked", |_, _| true).await;

    // Nobody knows the owner yet. Whoever serves customers finds out.
    for (system, user) in [(CRM, "u1"), (EXACT, "g1")] {
        let people = BTreeMap::from([(UserId::parse(user).unwrap(), "anna@example.nl".to_owned())]);
        house.links().set_people(&connection(), system, &people).await.unwrap();
    }
    let anna = Value::Reference(Reference::Person("anna@example.nl".to_owned()));
    let is_known = |pair: &PairName, link: &Link| {
        pair.as_str() != "customer-account" || value(link, CRM, "OwnerId").as_ref() == Some(&anna)
    };
    when_all(&house, "all owners are known", is_known).await;

    let mut later: Vec<Message> = (0..COMPANIES)
        .flat_map(|number| (2..5).map(move |version| (number, version)))
        .flat_map(|(number, version)| company(number, if number % 2 == 0 { CRM } else { EXACT }, version))
        .flat_map(|message| [message.clone(), message])
        .collect();
    shuffle(&mut later, &seed);
    say(&broker, &later).await;
    let is_newest = |_: &PairName, link: &Link| {
        let is_newest = |side: &link::Side| side.version.is_some_and(|version| version.0 == 4);
        link.sides.customcrm.as_ref().is_some_and(is_newest)
            || link.sides.exactonline.as_ref().is_some_and(is_newest)
    };
    when_all(&house, "all edits are taken in", is_newest).await;
    until("nothing is left to do", async || {
        let queues = PAIRS.map(|(pair, ..)| names().pair(&name(pair)));
        broker.depth(&queues[0]).await.unwrap() + broker.depth(&queues[1]).await.unwrap() == 0
    })
    .await;
    let known = when_all(&house, "all is as it was", is_newest).await;
    house.stop().await;
    known.into_iter().map(in_words).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapper_for_each_pair_ends_in_the_same_state_as_one_for_all() {
    let each: Vec<Vec<String>> = shipped().iter().map(|pair| vec![pair.name.to_string()]).collect();
    assert_eq!(each.len(), 7);
    for seed in [1, 2] {
        let (one, many) = (known_by(&[vec![]], seed).await, known_by(&each, seed + 100).await);
        for (one, many) in one.iter().zip(&many) {
            assert_eq!(one, many, "seed {seed}");
        }
    }
}

#[tokio::test]
async fn a_mapper_of_one_pair_leaves_the_queues_of_others_alone() {
    let broker = InProcess::new();
    let shared = Context { pairs: shipped().into(), ..context() };
    let served = shared.pairs.clone().serving(&["contact-contact".to_owned()]).unwrap();
    let house = House::with(broker.clone(), vec![Context { pairs: served, ..shared }]).await;
    say(&broker, &company(1, CRM, 1)).await;
    let links = house.links();
    until("the contact is seen", async || link_in(&links, &name("contact-contact"), "k1").await.is_some())
        .await;
    assert_eq!(link_in(&links, &name("customer-account"), "c1").await, None);
    assert_eq!(broker.depth(&names().pair(&name("customer-account"))).await.unwrap(), 1);
    house.stop().await;
}

/// A configuration with connections of these names.
fn connections(context: &Context, names: &[&str]) -> Arc<Config> {
    let of = |name: &&str| {
        let mut connection = context.config.connections[0].clone();
        connection.name = ConnectionName::parse(name).unwrap();
        connection
    };
    let connections = names.iter().map(of).collect();
    Arc::new(Config { connections, ..(*context.config).clone() })
}

/// A mapper that knows the connection beta and not acme, until another configuration is in force.
async fn of_beta() -> (House<InProcess>, watch::Sender<Option<InForce>>) {
    let (sender, reloads) = Reloads::channel();
    let context = Context { reloads, ..context() };
    let config = connections(&context, &["beta"]);
    (House::with(InProcess::new(), vec![Context { config, ..context }]).await, sender)
}

/// How many deliveries had to wait for their connection.
fn waited(house: &House<InProcess>) -> u64 {
    let line = "tandem_unknown_connections_total{queue=\"test.pair.customer-account\",service=\"mapper\"} ";
    let text = house.context.metrics.render();
    text.lines().find_map(|told| told.strip_prefix(line)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_connection_that_is_not_there_wait_and_are_handled_when_it_is() {
    let (house, sender) = of_beta().await;
    let broker = house.ports.broker.clone();
    say(&broker, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))]).await;
    until("the message waits", async || waited(&house) == 1).await;
    assert!(house.link_of(CRM, "c1").await.is_none());

    let put_in_force = |names: &[&str]| {
        sender.send_replace(Some((connections(&house.context, names), house.context.pairs.clone())));
    };
    put_in_force(&["acme", "beta"]);
    let asked = Instant::now();
    while house.link_of(CRM, "c1").await.is_none() {
        assert!(asked.elapsed() < Duration::from_secs(10), "it comes back within a rest");
        sleep(Duration::from_secs(1)).await;
    }

    // It goes again, and a message that comes after that waits as well.
    put_in_force(&["beta"]);
    let mut version = 1;
    while waited(&house) < 2 {
        version += 1;
        say(&broker, &[seen(CRM, sighting("c1", version, &[("Name", "Acme")]))]).await;
        sleep(Duration::from_millis(50)).await;
    }
    put_in_force(&["acme"]);
    let is_newest = |link: Option<Link>| {
        link.is_some_and(|link| {
            link.sides.customcrm.is_some_and(|side| side.version.is_some_and(|seen| seen.0 == version))
        })
    };
    while !is_newest(house.link_of(CRM, "c1").await) {
        assert!(asked.elapsed() < Duration::from_secs(30), "nothing is lost");
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(broker.depth(&names().dead_letters()).await.unwrap(), 0);
    house.stop().await;
}

#[tokio::test(start_paused = true)]
async fn messages_of_a_connection_that_never_comes_become_dead_letters_after_a_day() {
    let bench = Bench::new().await;
    let mut message = seen(CRM, sighting("c1", 1, &[("Name", "Acme")]));
    let Message::Observed(observed) = &mut message else { unreachable!("it is an observation") };
    observed.connection = ConnectionName::parse("zeta").unwrap();
    let handled = async || bench.handler().handle(&message, 1).await.unwrap();
    assert!(matches!(handled().await, Handled::Later(RetryTier::Seconds5, _)));
    advance(Duration::from_hours(23)).await;
    assert!(matches!(handled().await, Handled::Later(RetryTier::Minutes5, _)));
    advance(Duration::from_hours(1)).await;
    let Handled::Bad(error) = handled().await else { panic!("it waits for ever") };
    assert!(error.to_string().contains("\"zeta\" is not configured here: add it"), "{error}");
}

/// What an earlier process left queued in the store of a connection is in no queue of a broker that forgets.
#[tokio::test]
async fn what_a_forgetful_broker_lost_of_a_connection_is_made_anew_when_the_connection_comes() {
    let before = House::of(1, InProcess::new()).await;
    let full_reads = [CRM, EXACT].map(|system| super::said::full_read(system, &[]));
    say(&before.ports.broker, &full_reads.concat()).await;
    let pair = name("customer-account");
    until("the pair is released", async || before.links().released(&connection(), &pair).await.unwrap().0)
        .await;
    say(&before.ports.broker, &[seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))]).await;
    let is_queued =
        |link: Option<Link>| link.is_some_and(|link| matches!(link.pending[EXACT], Pending::Queued { .. }));
    until("a write is queued", async || is_queued(before.link_of(CRM, "c1").await)).await;
    let store = before.ports.store.clone();
    before.stop().await;

    let (sender, reloads) = Reloads::channel();
    let context = Context { reloads, ..context() };
    let none = Context { config: connections(&context, &[]), ..context.clone() };
    let broker = InProcess::new();
    broker.declare(&context.topology()).await.unwrap();
    let ports = Ports { broker: broker.clone(), store, broker_forgets: true };
    let running = tokio::spawn(serve(ports, none));
    sender.send_replace(Some((Arc::clone(&context.config), context.pairs.clone())));
    let queue = names().writes(EXACT, Lane::Backfill);
    until("the write is queued anew", async || broker.depth(&queue).await.unwrap() == 1).await;
    context.stop.cancel();
    running.await.unwrap().unwrap();
}
