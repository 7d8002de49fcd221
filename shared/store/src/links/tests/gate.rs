//! The gate before the first create.

use std::collections::BTreeSet;

use contract::ReadPart;
use model::PairName;
use uuid::Uuid;

use super::{Besides, CRM, Desk, EXACT, at, change};

impl Desk {
    /// Takes in one record of a page.
    async fn part(&self, page: Uuid, index: u32) {
        let part = Some(ReadPart { read: Uuid::now_v7(), page, index });
        assert!(self.commit(Vec::new(), Besides { part, ..Besides::default() }).await);
    }

    async fn released(&self) -> bool {
        self.links.released(&self.connection, self.name()).await.unwrap().0
    }

    async fn release(&self) -> bool {
        self.links.release(&self.connection, self.name(), at(5)).await.unwrap()
    }

    async fn waking(&self) -> BTreeSet<PairName> {
        self.links.waking(&self.connection).await.unwrap()
    }
}

#[tokio::test]
async fn both_systems_are_read_only_after_every_record_of_both_reads_is_taken_in() {
    let (a, b, c) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    // The records, and the announcement of both reads (`None`), in every rotation; each comes twice.
    let steps = [Some((a, 0)), Some((a, 1)), Some((b, 0)), Some((c, 0)), None];
    for turned in 0..steps.len() {
        let desk = Desk::new();
        let mut order = steps;
        order.rotate_left(turned);
        for step in order {
            assert!(!desk.both_read().await, "too early in {order:?}");
            for _ in 0..2 {
                if let Some((page, index)) = step {
                    desk.part(page, index).await;
                } else {
                    desk.read_completed(CRM, &[(a, 2), (b, 1)]).await;
                    desk.read_completed(EXACT, &[(c, 1)]).await;
                }
            }
        }
        assert!(desk.both_read().await, "never in {order:?}");
    }
}

#[tokio::test]
async fn one_system_alone_is_not_enough() {
    for system in [CRM, EXACT] {
        let desk = Desk::new();
        desk.read_completed(system, &[]).await;
        assert!(!desk.both_read().await);
        desk.read_completed(system.other(), &[]).await;
        assert!(desk.both_read().await);
    }
}

#[tokio::test]
async fn a_record_that_comes_again_does_not_count_for_one_that_is_missing() {
    let desk = Desk::new();
    let page = Uuid::now_v7();
    desk.read_completed(CRM, &[(page, 2)]).await;
    desk.read_completed(EXACT, &[]).await;
    desk.part(page, 0).await;
    desk.part(page, 0).await;
    assert!(!desk.both_read().await);
    desk.part(page, 1).await;
    assert!(desk.both_read().await);
}

#[tokio::test]
async fn pages_of_an_abandoned_attempt_do_not_count() {
    let desk = Desk::new();
    let (abandoned, again) = (Uuid::now_v7(), Uuid::now_v7());
    desk.part(abandoned, 0).await;
    desk.part(abandoned, 1).await;
    desk.read_completed(EXACT, &[]).await;
    desk.read_completed(CRM, &[(again, 2)]).await;
    desk.part(again, 0).await;
    assert!(!desk.both_read().await);
    desk.part(again, 1).await;
    assert!(desk.both_read().await);
}

#[tokio::test]
async fn a_pair_is_released_once_and_is_waking_until_all_are_woken() {
    let desk = Desk::new();
    assert!(!desk.released().await);
    assert_eq!(desk.waking().await, BTreeSet::new());
    assert!(desk.release().await);
    assert!(desk.released().await);
    assert_eq!(desk.waking().await, BTreeSet::from([desk.name().clone()]));
    desk.links.all_woken(&desk.connection, desk.name()).await.unwrap();
    assert_eq!(desk.waking().await, BTreeSet::new());
    assert!(!desk.release().await);
    assert_eq!(desk.waking().await, BTreeSet::new());
}

#[tokio::test]
async fn who_decided_before_the_release_does_not_commit_after_it() {
    let desk = Desk::new();
    let (released, check) = desk.links.released(&desk.connection, desk.name()).await.unwrap();
    assert!(!released);
    assert!(desk.release().await);
    let link = desk.half(CRM, "c1", &[]);
    let besides = Besides { checks: check.into_iter().collect(), ..Besides::default() };
    assert!(!desk.commit(vec![change(None, Some(&link))], besides).await);
    let after = desk.links.released(&desk.connection, desk.name()).await.unwrap();
    assert_eq!(after, (true, None));
}

#[tokio::test]
async fn what_was_counted_for_the_release_is_forgotten_with_it() {
    let desk = Desk::new();
    let page = Uuid::now_v7();
    desk.part(page, 0).await;
    desk.read_completed(CRM, &[(page, 1)]).await;
    desk.read_completed(EXACT, &[]).await;
    assert!(desk.both_read().await);
    assert!(desk.release().await);
    let counted = desk.links.page_key(&desk.connection, desk.name(), page);
    assert_eq!(crate::Store::count(desk.links.store(), &counted).await.unwrap(), 0);
}

/// Of two mappers one may ask right after the other has released the pair.
#[tokio::test]
async fn a_pair_that_was_released_is_read_though_what_was_counted_is_forgotten() {
    let desk = Desk::new();
    let page = Uuid::now_v7();
    desk.part(page, 0).await;
    desk.read_completed(CRM, &[(page, 1)]).await;
    desk.read_completed(EXACT, &[]).await;
    assert!(desk.release().await);
    assert!(desk.both_read().await);
}
