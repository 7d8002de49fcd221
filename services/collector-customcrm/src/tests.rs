//! What is read, against a strict simulator of the CRM.
#![allow(clippy::unwrap_used)]

mod bench;
mod changes;
mod deletions;
mod hints;
mod listener;
mod passes;
mod reloads;
mod told_badly;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Delivery, InProcess, Settlement, Subscription};
use collector::{Callbacks, Ports};
use contract::Message;
use mapping::{Pair, Reading};
use model::{Content, EntityName, PairName, System, SystemPair};
use service::{
    BrokerConfig, Config, ConnectionConfig, Context, CustomCrmConfig, DeclarationFile, Health, LiteralConfig,
    Reloads, ServiceError, StoreConfig,
};
use simulator_customcrm::{Running, Simulator};
use store::{Embedded, Links};
use telemetry::{LogFilter, LogFormat, Metrics};
use tokio_util::sync::CancellationToken;

use super::serve;

const PAIR_FILE: &str = include_str!("../../../deploy/pairs/customer-account.toml");

/// Every collection of the CRM that is kept, and one record of each; users are there from the start.
const COLLECTIONS: [(&str, Option<&str>); 6] = [
    ("customers", Some(r#"{"Id":"c1","Name":"Acme"}"#)),
    ("contacts", Some(r#"{"Id":"k1","CustomerId":"c1","LastName":"\u05d0 \ud83d\udea2"}"#)),
    ("products", Some(r#"{"Id":"p1","Code":"A","Name":"Anchor"}"#)),
    ("orders", Some(r#"{"Id":"o1","CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1}]}"#)),
    ("quotes", Some(r#"{"Id":"q1","CustomerId":"c1","Lines":[{"ProductId":"p1","Quantity":1}]}"#)),
    ("users", None),
];

/// A pair of its own for each collection, all like the one of customers.
fn pairs() -> Vec<Pair> {
    let name = |collection: &str| PairName::parse(&format!("{collection}-accounts")).unwrap();
    let kept = BTreeSet::from([PairName::parse("customer-account").unwrap()]);
    let pair = Pair::parse("customer-account.toml", PAIR_FILE, Reading::Practical, &kept).unwrap();
    let like = |(collection, _): (&str, Option<&str>)| Pair {
        name: name(collection),
        entities: SystemPair {
            customcrm: EntityName::parse(collection).unwrap(),
            exactonline: pair.entities.exactonline.clone(),
        },
        ..pair.clone()
    };
    COLLECTIONS.into_iter().map(like).collect()
}

fn context(crm: &Running, pairs: Vec<Pair>) -> Context {
    context_of(customcrm(crm), None, pairs)
}

fn customcrm(crm: &Running) -> CustomCrmConfig {
    CustomCrmConfig {
        url: crm.base_url.parse().unwrap(),
        token: crm.api_token.clone().into(),
        token_file: None,
        declaration: None,
        user: None,
        client_secret: None,
        poll_interval: Duration::from_millis(50),
        webhooks: None,
        calls_per_minute: NonZeroU32::MAX,
    }
}

fn context_of(customcrm: CustomCrmConfig, webhooks_listen: Option<SocketAddr>, pairs: Vec<Pair>) -> Context {
    let connection = ConnectionConfig {
        name: model::ConnectionName::parse("acme").unwrap(),
        file: None,
        reading: Reading::Practical,
        is_test: false,
        literal: LiteralConfig::default(),
        customcrm: Some(customcrm),
        exactonline: None,
    };
    let config = Config {
        namespace: "test".to_owned(),
        pairs: PathBuf::new(),
        health_listen: ([127, 0, 0, 1], 0).into(),
        webhooks_listen,
        auth_listen: None,
        log_filter: LogFilter::parse("info").unwrap(),
        log_format: LogFormat::Text,
        otlp: None,
        broker: BrokerConfig::InProcess,
        store: StoreConfig::File { path: PathBuf::new() },
        shutdown_grace: Duration::from_secs(5),
        connections: vec![connection],
    };
    Context {
        config: Arc::new(config),
        pairs: pairs.into(),
        stop: CancellationToken::new(),
        health: Health::new(),
        metrics: Arc::new(Metrics::new("collector")),
        reloads: Reloads::none(),
    }
}

#[tokio::test]
async fn every_collection_of_a_pair_is_read_in_full_users_among_them() {
    let crm = Simulator::start(simulator_customcrm::Settings::default()).await.unwrap();
    for (collection, record) in COLLECTIONS {
        crm.control.seed(collection, record).unwrap();
    }
    let context = context(&crm, pairs());
    let (broker, store, topology) = (InProcess::new(), Embedded::in_memory().unwrap(), context.topology());
    broker.declare(&topology).await.unwrap();
    let links = Links::new(store.clone(), "test");
    let stop = context.stop.clone();
    let ports =
        Ports { broker: broker.clone(), store, broker_forgets: false, callbacks: Callbacks::default() };
    let running = tokio::spawn(serve(ports, context));
    for (collection, record) in COLLECTIONS {
        let queue = topology.names.pair(&PairName::parse(&format!("{collection}-accounts")).unwrap());
        let mut subscription = broker.subscribe(&queue, 1).await.unwrap();
        let mut ids = BTreeSet::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(20), subscription.next());
            let delivery = next.await.expect(collection).unwrap();
            let message = Message::read(delivery.body()).unwrap();
            delivery.settle(Settlement::Acknowledge).await.unwrap();
            match message {
                Message::Observed(seen) => {
                    let record = seen.sighting.record;
                    // What takes an id for a property finds it there.
                    assert_eq!(record.properties["Id"], Content::from(record.id.as_str()));
                    ids.insert(record.id.to_string());
                }
                Message::ReadCompleted(_) => break,
                other => panic!("no collector says {other:?}"),
            }
        }
        match record {
            Some(_) => assert_eq!(ids.len(), 1, "{collection}: {ids:?}"),
            None => assert!(ids.contains(&crm.human_user_id), "{ids:?}"),
        }
    }
    let acme = model::ConnectionName::parse("acme").unwrap();
    assert!(links.people(&acme, System::CustomCrm).await.unwrap().is_some());
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_crm_that_cannot_be_called_as_it_is_declared_is_refused_before_anything_is_started() {
    let crm = Simulator::start(simulator_customcrm::Settings::default()).await.unwrap();
    let refused = |declaration: &str, token: &str| {
        let declared = DeclarationFile { path: "crm.toml".into(), text: declaration.to_owned() };
        let customcrm = CustomCrmConfig {
            declaration: Some(declared),
            token: token.to_owned().into(),
            ..customcrm(&crm)
        };
        let error = super::check(&context_of(customcrm, None, pairs())).err()?;
        assert!(matches!(error, ServiceError::System { .. }), "{error:?}");
        Some(telemetry::Chain(&error).to_string())
    };
    let default = include_str!("../../../deploy/customcrm/default.toml");
    assert_eq!(refused(default, "token"), None);
    let told = refused("crm = \"x\"", "token").unwrap();
    assert!(told.contains("crm.toml:1:1: the key \"authentication\" is missing: add it"), "{told}");
    let told = refused(default, "").unwrap();
    assert!(told.contains("add token_file"), "{told}");
}
