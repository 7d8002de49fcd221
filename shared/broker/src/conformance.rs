//! What every broker promises, run against each of them.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use contract::{Lane, Names, PairEntities, RetryTier, Topology};
use model::{EntityName, PairName, System};

use crate::{
    Broker, BrokerError, DELIVERY_LIMIT, Delivery, ORIGIN_HEADER, Outgoing, REASON_HEADER, Settlement,
    Subscription,
};

/// Long enough for any answer on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing must happen before it is believed that nothing will.
const SILENCE: Duration = Duration::from_millis(500);

/// Makes one test of each promise; `$on` gives it a stage.
macro_rules! conformance_suite {
    ($on:path) => {
        $crate::conformance::conformance_suite! { @each $on:
            published_means_routed,
            each_caller_hears_of_its_own_messages_only,
            an_observation_reaches_the_queue_of_its_pair_and_no_other,
            what_was_sent_is_what_arrives,
            an_unsettled_message_comes_back_when_its_consumer_is_gone,
            a_delivery_in_hand_can_be_settled_after_its_subscription,
            a_returned_message_comes_back_at_once,
            a_retried_message_comes_back_after_its_tier,
            a_message_published_to_a_tier_reaches_the_queue_that_its_key_names,
            a_dead_letter_tells_its_reason_and_its_origin,
            a_message_that_keeps_coming_back_becomes_a_dead_letter,
            prefetch_bounds_what_is_handed_out,
            consumers_of_one_queue_share_its_messages,
            two_thousand_messages_published_at_once_all_arrive_once,
            declaring_again_changes_nothing,
            a_queue_that_does_not_exist_is_an_error,
        }
    };
    (@each $on:path: $($promise:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                $on($crate::conformance::$promise).await;
            }
        )+
    };
}
pub(crate) use conformance_suite;

/// A broker with a topology of its own.
pub(crate) struct Stage<B> {
    pub(crate) broker: B,
    pub(crate) topology: Topology,
}

impl<B: Broker> Stage<B> {
    pub(crate) async fn new(broker: B) -> Self {
        let topology = topology();
        broker.declare(&topology).await.unwrap();
        Self { broker, topology }
    }

    fn names(&self) -> &Names {
        &self.topology.names
    }

    fn queue(&self) -> String {
        self.names().writes(System::ExactOnline, Lane::Live)
    }

    async fn publish(&self, ids: impl IntoIterator<Item = impl ToString>) {
        let queue = self.queue();
        let messages = ids.into_iter().map(|id| to_queue(&queue, &id.to_string())).collect();
        self.broker.publish(messages).await.unwrap();
    }

    async fn subscribe(&self, prefetch: u16) -> B::Subscription {
        self.broker.subscribe(&self.queue(), prefetch).await.unwrap()
    }

    /// Waits until so many messages are ready.
    async fn depth_becomes(&self, queue: &str, expected: u64) {
        let begun = Instant::now();
        loop {
            let depth = self.broker.depth(queue).await.unwrap();
            if depth == expected {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{queue} holds {depth} messages, not {expected}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Two pairs in a namespace that nobody else uses.
pub(crate) fn topology() -> Topology {
    let names = Names::new(&format!("test-{}", uuid::Uuid::new_v4().simple()));
    let pair = |pair: &str, customcrm: &str, exactonline: &str| PairEntities {
        pair: PairName::parse(pair).unwrap(),
        customcrm: EntityName::parse(customcrm).unwrap(),
        exactonline: EntityName::parse(exactonline).unwrap(),
    };
    let pairs = [pair("customer-account", "customer", "accounts"), pair("product-item", "product", "items")];
    Topology::new(names, &pairs)
}

pub(crate) fn to_queue(queue: &str, id: &str) -> Outgoing {
    Outgoing {
        exchange: String::new(),
        routing_key: queue.to_owned(),
        id: id.to_owned(),
        headers: BTreeMap::from([("traceparent".to_owned(), format!("00-{id}"))]),
        at: "2026-03-01T12:00:00Z".parse().unwrap(),
        body: format!("{{\"id\":\"{id}\"}}").into_bytes(),
    }
}

pub(crate) async fn next<S: Subscription>(subscription: &mut S) -> S::Delivery {
    tokio::time::timeout(PATIENCE, subscription.next()).await.expect("a message in time").unwrap()
}

async fn nothing_comes<S: Subscription>(subscription: &mut S) {
    if let Ok(delivery) = tokio::time::timeout(SILENCE, subscription.next()).await {
        panic!("an unexpected message came: {}", delivery.unwrap().id());
    }
}

fn is_as_sent(delivery: &impl Delivery, id: &str) {
    let sent = to_queue("", id);
    assert_eq!(delivery.id(), sent.id);
    assert_eq!(delivery.body(), sent.body);
    assert_eq!(delivery.at(), Some(sent.at));
    assert_eq!(delivery.headers().get("traceparent"), sent.headers.get("traceparent"));
}

pub(crate) async fn published_means_routed<B: Broker>(stage: Stage<B>) {
    let lost = to_queue(&format!("{}.nowhere", stage.queue()), "lost");
    let error = stage.broker.publish(vec![lost.clone()]).await.unwrap_err();
    assert!(
        matches!(&error, BrokerError::Unroutable { exchange, routing_key }
            if exchange.is_empty() && *routing_key == lost.routing_key),
        "{error:?}"
    );
    let exchange = stage.names().observations();
    let unbound = Outgoing { exchange, routing_key: "main.customcrm.order".to_owned(), ..lost };
    let among_others = vec![to_queue(&stage.queue(), "a"), unbound.clone(), to_queue(&stage.queue(), "b")];
    let error = stage.broker.publish(among_others).await.unwrap_err();
    assert!(
        matches!(&error, BrokerError::Unroutable { exchange, routing_key }
            if *exchange == unbound.exchange && *routing_key == unbound.routing_key),
        "{error:?}"
    );
    let nowhere = Outgoing { exchange: format!("{}.none", unbound.exchange), ..unbound };
    let error = stage.broker.publish(vec![nowhere]).await.unwrap_err();
    assert!(matches!(error, BrokerError::Missing { .. }), "{error:?}");
    stage.broker.publish(Vec::new()).await.unwrap();
    stage.publish(["routed"]).await;
}

pub(crate) async fn each_caller_hears_of_its_own_messages_only<B: Broker>(stage: Stage<B>) {
    let good = stage.queue();
    let bad = format!("{good}.nowhere");
    let callers: Vec<_> = (0..40)
        .map(|caller| {
            let queue = if caller % 2 == 0 { good.clone() } else { bad.clone() };
            let broker = stage.broker.clone();
            tokio::spawn(async move {
                let messages =
                    (0..25).map(|number| to_queue(&queue, &format!("{caller}-{number}"))).collect();
                broker.publish(messages).await
            })
        })
        .collect();
    for (caller, publish) in callers.into_iter().enumerate() {
        let outcome = publish.await.unwrap();
        let as_expected = match &outcome {
            Ok(()) => caller % 2 == 0,
            Err(BrokerError::Unroutable { routing_key, .. }) => caller % 2 == 1 && *routing_key == bad,
            Err(_) => false,
        };
        assert!(as_expected, "caller {caller}: {outcome:?}");
    }
    stage.depth_becomes(&good, 500).await;
}

pub(crate) async fn an_observation_reaches_the_queue_of_its_pair_and_no_other<B: Broker>(stage: Stage<B>) {
    let customers = stage.names().pair(&PairName::parse("customer-account").unwrap());
    let products = stage.names().pair(&PairName::parse("product-item").unwrap());
    let observed = |id: &str, key: &str| Outgoing {
        exchange: stage.names().observations(),
        routing_key: key.to_owned(),
        ..to_queue("", id)
    };
    let messages = vec![
        observed("1", "main.customcrm.customer"),
        observed("2", "other.exactonline.accounts"),
        observed("3", "main.exactonline.items"),
    ];
    stage.broker.publish(messages).await.unwrap();
    for (queue, expected) in [(customers, vec!["1", "2"]), (products, vec!["3"])] {
        let mut subscription = stage.broker.subscribe(&queue, 10).await.unwrap();
        for id in expected {
            let delivery = next(&mut subscription).await;
            is_as_sent(&delivery, id);
            delivery.settle(Settlement::Acknowledge).await.unwrap();
        }
        nothing_comes(&mut subscription).await;
    }
}

pub(crate) async fn what_was_sent_is_what_arrives<B: Broker>(stage: Stage<B>) {
    let headers: BTreeMap<String, String> =
        [("traceparent", "00-1"), ("tracestate", "é, \u{1F980}"), ("empty", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let sent = Outgoing {
        headers,
        at: "2026-03-01T12:00:00.9Z".parse().unwrap(),
        // More than one frame.
        body: (0..400_000_u32).map(|number| number.to_le_bytes()[0]).collect(),
        ..to_queue(&stage.queue(), "Id with spaces, é and \u{1F980}")
    };
    let empty = Outgoing { body: Vec::new(), headers: BTreeMap::new(), ..to_queue(&stage.queue(), "") };
    stage.broker.publish(vec![sent.clone(), empty]).await.unwrap();
    let mut subscription = stage.subscribe(10).await;
    let delivery = next(&mut subscription).await;
    assert_eq!((delivery.id(), delivery.headers()), (&*sent.id, &sent.headers));
    assert_eq!(delivery.at(), Some("2026-03-01T12:00:00Z".parse().unwrap()));
    assert!(delivery.body() == sent.body, "the body differs");
    assert_eq!((delivery.attempt(), delivery.redelivered()), (1, false));
    let delivery = next(&mut subscription).await;
    assert_eq!((delivery.id(), delivery.body().len(), delivery.headers().len()), ("", 0, 0));
}

pub(crate) async fn an_unsettled_message_comes_back_when_its_consumer_is_gone<B: Broker>(stage: Stage<B>) {
    stage.publish(["1", "2", "3"]).await;
    let mut subscription = stage.subscribe(2).await;
    let delivery = next(&mut subscription).await;
    is_as_sent(&delivery, "1");
    drop(subscription);
    drop(delivery);
    let mut subscription = stage.subscribe(10).await;
    let mut came = BTreeMap::new();
    for _ in 0..3 {
        let delivery = next(&mut subscription).await;
        came.insert(delivery.id().to_owned(), delivery.redelivered());
        assert_eq!(delivery.attempt(), 1);
        delivery.settle(Settlement::Acknowledge).await.unwrap();
    }
    assert_eq!(came.keys().collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(came["1"], "the message was handed out before");
    nothing_comes(&mut subscription).await;
}

pub(crate) async fn a_delivery_in_hand_can_be_settled_after_its_subscription<B: Broker>(stage: Stage<B>) {
    stage.publish(["1", "2", "3"]).await;
    let mut subscription = stage.subscribe(3).await;
    let in_hand = next(&mut subscription).await;
    drop(subscription);
    let mut second = stage.subscribe(3).await;
    let mut came = BTreeSet::new();
    for _ in 0..2 {
        let delivery = next(&mut second).await;
        came.insert(delivery.id().to_owned());
        delivery.settle(Settlement::Acknowledge).await.unwrap();
    }
    assert_eq!(came, BTreeSet::from(["2".to_owned(), "3".to_owned()]));
    in_hand.settle(Settlement::Acknowledge).await.unwrap();
    nothing_comes(&mut second).await;
}

pub(crate) async fn a_returned_message_comes_back_at_once<B: Broker>(stage: Stage<B>) {
    stage.publish(["1"]).await;
    let mut subscription = stage.subscribe(1).await;
    next(&mut subscription).await.settle(Settlement::Return).await.unwrap();
    let delivery = next(&mut subscription).await;
    is_as_sent(&delivery, "1");
    assert_eq!((delivery.attempt(), delivery.redelivered()), (1, true));
    drop(delivery);
    is_as_sent(&next(&mut subscription).await, "1");
}

pub(crate) async fn a_retried_message_comes_back_after_its_tier<B: Broker>(stage: Stage<B>) {
    stage.publish(["1"]).await;
    let mut subscription = stage.subscribe(1).await;
    let retry = |reason: &str| Settlement::Retry { tier: RetryTier::Seconds5, reason: reason.to_owned() };
    for attempt in 2..=3 {
        let delivery = next(&mut subscription).await;
        let begun = Instant::now();
        delivery.settle(retry("the remote is busy")).await.unwrap();
        stage.depth_becomes(&stage.names().retry(RetryTier::Seconds5), 1).await;
        let delivery = next(&mut subscription).await;
        assert!(begun.elapsed() >= Duration::from_millis(4_900), "came back after {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(15), "came back after {:?}", begun.elapsed());
        is_as_sent(&delivery, "1");
        assert_eq!((delivery.attempt(), delivery.redelivered()), (attempt, false));
        assert_eq!(delivery.headers()[REASON_HEADER], "the remote is busy");
        let settlement = if attempt == 2 { Settlement::Return } else { Settlement::Acknowledge };
        delivery.settle(settlement).await.unwrap();
    }
    nothing_comes(&mut subscription).await;
}

pub(crate) async fn a_message_published_to_a_tier_reaches_the_queue_that_its_key_names<B: Broker>(
    stage: Stage<B>,
) {
    let delayed = Outgoing {
        exchange: stage.names().retry_exchange(RetryTier::Seconds5),
        ..to_queue(&stage.queue(), "1")
    };
    stage.broker.publish(vec![delayed]).await.unwrap();
    let mut subscription = stage.subscribe(1).await;
    nothing_comes(&mut subscription).await;
    let delivery = next(&mut subscription).await;
    is_as_sent(&delivery, "1");
    assert_eq!(delivery.attempt(), 1);
}

pub(crate) async fn a_dead_letter_tells_its_reason_and_its_origin<B: Broker>(stage: Stage<B>) {
    stage.publish(["1"]).await;
    let mut subscription = stage.subscribe(1).await;
    let reason = "line 3: unknown field \"colour\"";
    let delivery = next(&mut subscription).await;
    delivery.settle(Settlement::DeadLetter { reason: reason.to_owned() }).await.unwrap();
    nothing_comes(&mut subscription).await;
    let dead_letters = stage.names().dead_letters();
    stage.depth_becomes(&dead_letters, 1).await;
    let mut grave = stage.broker.subscribe(&dead_letters, 1).await.unwrap();
    let delivery = next(&mut grave).await;
    is_as_sent(&delivery, "1");
    assert_eq!(delivery.attempt(), 1);
    assert_eq!(delivery.headers()[REASON_HEADER], reason);
    assert_eq!(delivery.headers()[ORIGIN_HEADER], stage.queue());
}

pub(crate) async fn a_message_that_keeps_coming_back_becomes_a_dead_letter<B: Broker>(stage: Stage<B>) {
    stage.publish(["1"]).await;
    let mut subscription = stage.subscribe(1).await;
    for _ in 0..=DELIVERY_LIMIT {
        next(&mut subscription).await.settle(Settlement::Return).await.unwrap();
    }
    nothing_comes(&mut subscription).await;
    let mut grave = stage.broker.subscribe(&stage.names().dead_letters(), 1).await.unwrap();
    let delivery = next(&mut grave).await;
    is_as_sent(&delivery, "1");
    assert!(delivery.headers()[REASON_HEADER].contains("never settled"), "{:?}", delivery.headers());
    assert_eq!(delivery.headers()[ORIGIN_HEADER], stage.queue());
    let mut delivery = delivery;
    for _ in 0..DELIVERY_LIMIT * 2 {
        delivery.settle(Settlement::Return).await.unwrap();
        delivery = next(&mut grave).await;
    }
    is_as_sent(&delivery, "1");
}

pub(crate) async fn prefetch_bounds_what_is_handed_out<B: Broker>(stage: Stage<B>) {
    stage.publish(1..=5).await;
    let mut subscription = stage.subscribe(2).await;
    let first = next(&mut subscription).await;
    let _second = next(&mut subscription).await;
    nothing_comes(&mut subscription).await;
    stage.depth_becomes(&stage.queue(), 3).await;
    first.settle(Settlement::Acknowledge).await.unwrap();
    is_as_sent(&next(&mut subscription).await, "3");
}

pub(crate) async fn consumers_of_one_queue_share_its_messages<B: Broker>(stage: Stage<B>) {
    let mut consumers = Vec::new();
    let (came, mut coming) = tokio::sync::mpsc::channel(300);
    for _ in 0..3 {
        let mut subscription = stage.subscribe(5).await;
        let came = came.clone();
        consumers.push(tokio::spawn(async move {
            loop {
                let delivery = subscription.next().await.unwrap();
                came.send(delivery.id().to_owned()).await.unwrap();
                delivery.settle(Settlement::Acknowledge).await.unwrap();
            }
        }));
    }
    stage.publish(0..300).await;
    let mut ids = BTreeSet::new();
    for _ in 0..300 {
        let id = tokio::time::timeout(PATIENCE, coming.recv()).await.expect("a message in time").unwrap();
        assert!(ids.insert(id.clone()), "{id} came twice");
    }
    assert!(tokio::time::timeout(SILENCE, coming.recv()).await.is_err(), "more came than was sent");
    consumers.iter().for_each(tokio::task::JoinHandle::abort);
}

pub(crate) async fn two_thousand_messages_published_at_once_all_arrive_once<B: Broker>(stage: Stage<B>) {
    stage.publish(0..2_000).await;
    let mut subscription = stage.subscribe(200).await;
    let mut ids = BTreeSet::new();
    for _ in 0..2_000 {
        let delivery = next(&mut subscription).await;
        assert!(ids.insert(delivery.id().to_owned()), "{} came twice", delivery.id());
        delivery.settle(Settlement::Acknowledge).await.unwrap();
    }
    nothing_comes(&mut subscription).await;
    stage.depth_becomes(&stage.queue(), 0).await;
}

pub(crate) async fn declaring_again_changes_nothing<B: Broker>(stage: Stage<B>) {
    let key = "main.customcrm.customer".to_owned();
    let observed = Outgoing { exchange: stage.names().observations(), routing_key: key, ..to_queue("", "1") };
    stage.broker.publish(vec![observed.clone()]).await.unwrap();
    stage.broker.declare(&stage.topology).await.unwrap();
    stage.broker.publish(vec![observed]).await.unwrap();
    let pair = stage.names().pair(&PairName::parse("customer-account").unwrap());
    stage.depth_becomes(&pair, 2).await;
    stage.broker.reachable().await.unwrap();
}

pub(crate) async fn a_queue_that_does_not_exist_is_an_error<B: Broker>(stage: Stage<B>) {
    let none = format!("{}.none", stage.queue());
    let error = stage.broker.subscribe(&none, 1).await.err().unwrap();
    assert!(matches!(error, BrokerError::Missing { .. }), "{error:?}");
    assert!(error.to_string().contains(&none), "{error}");
    let error = stage.broker.depth(&none).await.unwrap_err();
    assert!(matches!(error, BrokerError::Missing { .. }), "{error:?}");
    stage.publish(["1"]).await;
}
