#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use contract::{Lane, RetryTier};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use model::System;
use secrecy::ExposeSecret;

use super::*;
use crate::conformance::{self, Stage, next, to_queue};
use crate::{Delivery, Settlement, Subscription};

conformance::conformance_suite!(on_a_shared_server);

/// Gives the promise a namespace of its own and leaves nothing of it behind.
async fn on_a_shared_server<Kept>(promise: impl FnOnce(Stage<RabbitMq>) -> Kept)
where
    Kept: Future<Output = ()> + Send + 'static,
{
    let broker = RabbitMq::new(&shared_url().await, "conformance").unwrap();
    let stage = Stage::new(broker.clone()).await;
    let topology = stage.topology.clone();
    let outcome = tokio::spawn(promise(stage)).await;
    delete(&broker, &topology).await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

async fn shared_url() -> SecretString {
    tokio::task::spawn_blocking(|| SecretString::from(servers::RabbitMq::shared_url())).await.unwrap()
}

async fn delete(broker: &RabbitMq, topology: &Topology) {
    let channel = broker.shared.session().await.unwrap().channel().await.unwrap();
    let names = &topology.names;
    let mut queues = topology.work_queues.clone();
    queues.push(names.dead_letters());
    queues.extend(RetryTier::ALL.map(|tier| names.retry(tier)));
    for queue in queues {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
    let tiers = RetryTier::ALL.map(|tier| names.retry_exchange(tier));
    for exchange in tiers.into_iter().chain([names.observations()]) {
        channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_finds_a_new_connection_when_the_old_one_is_gone() {
    on_a_shared_server(|stage| async move {
        let broker = stage.broker;
        let queue = stage.topology.names.writes(System::CustomCrm, Lane::Live);
        let mut subscription = broker.subscribe(&queue, 1).await.unwrap();
        // The broker ends the connection while its messages are under way.
        for round in 0..5 {
            let session = broker.shared.session().await.unwrap();
            let messages = (0..500).map(|number| to_queue(&queue, &format!("{round}-{number}"))).collect();
            let publishing = tokio::spawn({
                let broker = broker.clone();
                async move { broker.publish(messages).await }
            });
            session.cut().await;
            publishing.await.unwrap().unwrap();
        }
        let error = loop {
            match subscription.next().await {
                Ok(delivery) => drop(delivery),
                Err(error) => break error,
            }
        };
        assert!(error.is_transient(), "{error:?}");
        let mut subscription = broker.subscribe(&queue, 100).await.unwrap();
        take_different(&mut subscription, 2_500).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_caller_gets_wrong_fails_no_other_s_messages() {
    on_a_shared_server(|stage| async move {
        let broker = stage.broker;
        let queue = stage.topology.names.writes(System::CustomCrm, Lane::Live);
        let publish = |name: &str, id: String| {
            let mut message = to_queue(name, &id);
            if name == "no exchange" {
                message.exchange = name.to_owned();
            }
            let broker = broker.clone();
            tokio::spawn(async move { broker.publish(vec![message]).await })
        };
        for round in 0..20 {
            let good: Vec<_> = (0..20).map(|number| publish(&queue, format!("{round}-{number}"))).collect();
            let nowhere = publish("no queue", "nowhere".to_owned());
            let missing = publish("no exchange", "missing".to_owned());
            let more: Vec<_> = (20..40).map(|number| publish(&queue, format!("{round}-{number}"))).collect();
            let error = nowhere.await.unwrap().unwrap_err();
            assert!(
                matches!(&error, BrokerError::Unroutable { routing_key, .. } if routing_key == "no queue"),
                "{error:?}"
            );
            let error = missing.await.unwrap().unwrap_err();
            assert!(matches!(error, BrokerError::Missing { .. }), "{error:?}");
            for published in good.into_iter().chain(more) {
                published.await.unwrap().unwrap();
            }
        }
        let mut subscription = broker.subscribe(&queue, 100).await.unwrap();
        take_different(&mut subscription, 800).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_messages_survive_the_sudden_end_of_the_server() {
    let mut server = blocking(servers::RabbitMq::start).await.unwrap();
    let broker = RabbitMq::new(&SecretString::from(server.url()), "survival").unwrap();
    let topology = conformance::topology();
    broker.declare(&topology).await.unwrap();
    let queue = topology.names.writes(System::ExactOnline, Lane::Live);
    broker.publish((0..1_000).map(|id| to_queue(&queue, &id.to_string())).collect()).await.unwrap();
    let mut subscription = broker.subscribe(&queue, 10).await.unwrap();
    let in_hand = next(&mut subscription).await;

    let mut server = blocking(move || {
        server.kill_nine().unwrap();
        server
    })
    .await;
    let error = loop {
        match tokio::time::timeout(ANSWER_TIMEOUT, subscription.next()).await.expect("an end in time") {
            Ok(ahead) => drop(ahead),
            Err(error) => break error,
        }
    };
    assert!(error.is_transient(), "{error:?}");
    assert!(in_hand.settle(Settlement::Acknowledge).await.is_err(), "acknowledged to nobody");
    let error = broker.publish(vec![to_queue(&queue, "nobody")]).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(broker.reachable().await.is_err(), "reachable without a server");

    let _server = blocking(move || {
        server.restart().unwrap();
        server
    })
    .await;
    eventually(async || broker.publish(vec![to_queue(&queue, "1000")]).await).await;
    broker.reachable().await.unwrap();
    let mut subscription = broker.subscribe(&queue, 100).await.unwrap();
    take_different(&mut subscription, 1_001).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_sent_on_stays_in_its_queue() {
    on_a_shared_server(|stage| async move {
        let broker = stage.broker;
        let names = &stage.topology.names;
        let queue = names.writes(System::CustomCrm, Lane::Live);
        let channel = broker.shared.session().await.unwrap().channel().await.unwrap();
        let exchange = names.retry_exchange(RetryTier::Seconds5);
        channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
        channel.queue_delete(names.dead_letters().into(), QueueDeleteOptions::default()).await.unwrap();

        broker.publish(vec![to_queue(&queue, "1")]).await.unwrap();
        let mut subscription = broker.subscribe(&queue, 1).await.unwrap();
        let retry = Settlement::Retry { tier: RetryTier::Seconds5, reason: "busy".to_owned() };
        let error = next(&mut subscription).await.settle(retry).await.unwrap_err();
        assert!(matches!(error, BrokerError::Missing { .. }), "{error:?}");
        let dead_letter = Settlement::DeadLetter { reason: "unreadable".to_owned() };
        let error = next(&mut subscription).await.settle(dead_letter).await.unwrap_err();
        assert!(matches!(error, BrokerError::Unroutable { .. }), "{error:?}");
        let delivery = next(&mut subscription).await;
        assert_eq!((delivery.id(), delivery.attempt()), ("1", 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lost_its_queues_has_them_again_with_the_next_connection() {
    on_a_shared_server(|stage| async move {
        let queue = stage.topology.names.writes(System::CustomCrm, Lane::Live);
        delete(&stage.broker, &stage.topology).await;
        stage.broker.publish(vec![to_queue(&queue, "1")]).await.unwrap_err();
        stage.broker.shared.session().await.unwrap().cut().await;
        stage.broker.publish(vec![to_queue(&queue, "2")]).await.unwrap();
        let mut subscription = stage.broker.subscribe(&queue, 1).await.unwrap();
        assert_eq!(next(&mut subscription).await.id(), "2");
    })
    .await;
}

/// Takes messages until it has had so many different ones.
async fn take_different(subscription: &mut RabbitSubscription, count: usize) {
    let mut ids = BTreeSet::new();
    while ids.len() < count {
        let delivery = next(subscription).await;
        ids.insert(delivery.id().to_owned());
        delivery.settle(Settlement::Acknowledge).await.unwrap();
    }
}

/// Until the queues have their leaders back.
async fn eventually(action: impl AsyncFn() -> Result<(), BrokerError>) {
    let begun = std::time::Instant::now();
    while let Err(error) = action().await {
        assert!(begun.elapsed() < ANSWER_TIMEOUT, "still failing: {error:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_and_not_told() {
    let url = shared_url().await;
    let url = url.expose_secret().replacen("guest:guest@", "guest:hunter2@", 1);
    let broker = RabbitMq::new(&SecretString::from(url), "stranger").unwrap();
    let error = broker.reachable().await.unwrap_err();
    assert!(matches!(error, BrokerError::AccessRefused { .. }), "{error:?}");
    assert!(!error.is_transient() && !format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_missing_vhost_is_not_waited_for() {
    let url = shared_url().await;
    let url = url.expose_secret().replacen("/%2f", "/no-such-vhost", 1);
    let error = RabbitMq::new(&SecretString::from(url), "lost").unwrap().reachable().await.unwrap_err();
    assert!(matches!(error, BrokerError::AccessRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_at_once() {
    let url = format!("amqp://guest:hunter2@127.0.0.1:{}", servers::free_port());
    let broker = RabbitMq::new(&SecretString::from(url), "nobody").unwrap();
    let error = broker.publish(vec![to_queue("queue", "1")]).await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient() && !format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("amqp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let broker = RabbitMq::new(&SecretString::from(url), "deaf").unwrap();
    let begun = std::time::Instant::now();
    let error = broker.publish(vec![to_queue("queue", "1")]).await.unwrap_err();
    assert!(matches!(error, BrokerError::TimedOut { after: CONNECT_TIMEOUT, .. }), "{error:?}");
    assert!(begun.elapsed() < CONNECT_TIMEOUT * 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_told_by_name() {
    let broker = RabbitMq::new(&shared_url().await, "mismatch").unwrap();
    let topology = conformance::topology();
    let queue = topology.names.dead_letters();
    let channel = broker.shared.session().await.unwrap().channel().await.unwrap();
    let classic =
        channel.queue_declare(queue.clone().into(), QueueDeclareOptions::durable(), FieldTable::default());
    classic.await.unwrap();
    let error = broker.declare(&topology).await.unwrap_err();
    channel.queue_delete(queue.clone().into(), QueueDeleteOptions::default()).await.unwrap();
    assert!(matches!(error, BrokerError::Mismatch { .. }), "{error:?}");
    assert!(error.to_string().contains(&queue) && !error.is_transient(), "{error}");
}

#[tokio::test]
async fn subscribing_before_anything_was_declared_says_so() {
    let broker = RabbitMq::new(&SecretString::from("amqp://127.0.0.1:1"), "early").unwrap();
    assert!(matches!(broker.subscribe("queue", 1).await.err(), Some(BrokerError::Undeclared { .. })));
}
