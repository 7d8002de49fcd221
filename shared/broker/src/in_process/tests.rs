#![allow(clippy::unwrap_used)]

use contract::{Lane, RetryTier};
use model::System;

use super::*;
use crate::conformance::{self, Stage, next, to_queue};

conformance::conformance_suite!(on_an_empty_broker);

async fn on_an_empty_broker<Kept: Future<Output = ()>>(promise: impl FnOnce(Stage<InProcess>) -> Kept) {
    promise(Stage::new(InProcess::new()).await).await;
}

fn queue(topology: &Topology) -> String {
    topology.names.writes(System::ExactOnline, Lane::Live)
}

#[tokio::test(start_paused = true)]
async fn each_tier_rests_as_long_as_it_says_and_a_longer_one_holds_up_no_shorter_one() {
    let broker = InProcess::new();
    let topology = conformance::topology();
    broker.declare(&topology).await.unwrap();
    let queue = queue(&topology);
    let tiers = RetryTier::ALL.into_iter().rev();
    for tier in tiers.clone() {
        broker.publish(vec![to_queue(&queue, &format!("{tier:?}"))]).await.unwrap();
    }
    let mut subscription = broker.subscribe(&queue, 10).await.unwrap();
    let begun = Instant::now();
    for tier in tiers {
        let delivery = next(&mut subscription).await;
        delivery.settle(Settlement::Retry { tier, reason: String::new() }).await.unwrap();
    }
    for tier in RetryTier::ALL {
        let delivery = subscription.next().await.unwrap();
        assert_eq!(delivery.id(), format!("{tier:?}"));
        let late = begun.elapsed().saturating_sub(tier.delay());
        assert!(begun.elapsed() >= tier.delay() && late < Duration::from_millis(10), "{tier:?}: {late:?}");
        delivery.settle(Settlement::Acknowledge).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn where_nobody_wants_to_wait_no_tier_rests_longer_than_that() {
    let longest = Duration::from_secs(7);
    let broker = InProcess::resting_at_most(longest);
    let topology = conformance::topology();
    broker.declare(&topology).await.unwrap();
    let queue = queue(&topology);
    let mut subscription = broker.subscribe(&queue, 10).await.unwrap();
    for (tier, rests) in [(RetryTier::Seconds5, 5), (RetryTier::Seconds30, 7), (RetryTier::Hour1, 7)] {
        broker.publish(vec![to_queue(&queue, "now")]).await.unwrap();
        let begun = Instant::now();
        let settlement = Settlement::Retry { tier, reason: String::new() };
        next(&mut subscription).await.settle(settlement).await.unwrap();
        let delayed = Outgoing {
            exchange: topology.names.retry_exchange(tier),
            routing_key: queue.clone(),
            ..to_queue(&queue, "later")
        };
        broker.publish(vec![delayed]).await.unwrap();
        for _ in 0..2 {
            subscription.next().await.unwrap().settle(Settlement::Acknowledge).await.unwrap();
            let late = begun.elapsed().saturating_sub(Duration::from_secs(rests));
            assert!(
                begun.elapsed().as_secs() >= rests && late < Duration::from_millis(10),
                "{tier:?}: {late:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn publishing_to_a_full_queue_waits_for_room_and_then_gives_up() {
    let broker = InProcess::with_capacity(3);
    let topology = conformance::topology();
    broker.declare(&topology).await.unwrap();
    let queue = queue(&topology);
    let mut subscription = broker.subscribe(&queue, 10).await.unwrap();
    broker.publish((0..3).map(|id| to_queue(&queue, &id.to_string())).collect()).await.unwrap();

    let in_hand = next(&mut subscription).await;
    let error = broker.publish(vec![to_queue(&queue, "3")]).await.unwrap_err();
    assert!(matches!(error, BrokerError::Full { messages: 3, .. }) && error.is_transient(), "{error:?}");

    let waiting = tokio::spawn({
        let (broker, queue) = (broker.clone(), queue.clone());
        async move { broker.publish(vec![to_queue(&queue, "4")]).await }
    });
    tokio::time::sleep(ROOM_TIMEOUT / 2).await;
    in_hand.settle(Settlement::Acknowledge).await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(broker.depth(&queue).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_can_die_nowhere_stays_in_its_queue() {
    let broker = InProcess::with_capacity(1);
    let topology = conformance::topology();
    broker.declare(&topology).await.unwrap();
    let queue = queue(&topology);
    let dead_letters = topology.names.dead_letters();
    broker.publish(vec![to_queue(&dead_letters, "0"), to_queue(&queue, "1")]).await.unwrap();
    let mut subscription = broker.subscribe(&queue, 1).await.unwrap();
    let dying = next(&mut subscription).await.settle(Settlement::DeadLetter { reason: String::new() });
    assert!(matches!(dying.await, Err(BrokerError::Full { queue, .. }) if queue == dead_letters));
    assert_eq!(next(&mut subscription).await.id(), "1");
    let mut grave = broker.subscribe(&dead_letters, 1).await.unwrap();
    let dead = next(&mut grave).await;
    dead.settle(Settlement::DeadLetter { reason: "again".to_owned() }).await.unwrap();
    assert_eq!(broker.depth(&dead_letters).await.unwrap(), 1);
}

#[tokio::test]
async fn subscribing_before_anything_was_declared_says_so() {
    let error = InProcess::new().subscribe("queue", 1).await.err().unwrap();
    assert!(matches!(error, BrokerError::Undeclared { .. }), "{error:?}");
}

#[test]
fn topic_patterns_fit_as_amqp_says() {
    let fits = state::fits;
    for (pattern, key) in [
        ("*.customcrm.customer", "main.customcrm.customer"),
        ("#", ""),
        ("#", "a.b"),
        ("a.#", "a"),
        ("a.#.d", "a.b.c.d"),
        ("*", "a"),
    ] {
        assert!(fits(pattern, key), "{pattern} {key}");
    }
    for (pattern, key) in [
        ("*.customcrm.customer", "main.customcrm.customers"),
        ("*.customcrm.customer", "customcrm.customer"),
        ("*", "a.b"),
        ("a.*", "a"),
        ("a.#.d", "a.b.c"),
    ] {
        assert!(!fits(pattern, key), "{pattern} {key}");
    }
}
