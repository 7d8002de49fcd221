//! A link, its indexes and what goes with them change in one step, or not at all.

use std::sync::Arc;

use contract::ReadPart;
use link::{Link, Pending, Write};
use uuid::Uuid;

use super::{Besides, CRM, Desk, EXACT, at, change, ids, message, queued, side};

const VAT: &str = "VatNumber";

#[tokio::test]
async fn a_record_moves_from_one_link_to_another_in_one_step() {
    for joined_first in [true, false] {
        let desk = Desk::new();
        let (from, to) = (desk.half(CRM, "c1", &[(VAT, "NL1")]), desk.half(EXACT, "e1", &[(VAT, "NL1")]));
        let (left, gained) = (desk.add(&from).await, desk.add(&to).await);
        let mut joined = to.clone();
        joined.sides[CRM] = Some(side("c1", &[(VAT, "NL1")]));
        let mut changes = vec![change(Some(&gained), Some(&joined)), change(Some(&left), None)];
        if !joined_first {
            changes.reverse();
        }
        assert!(desk.commit(changes, Besides::default()).await);
        assert_eq!(desk.link_of(CRM, "c1").await, Some(to.id.clone()));
        assert_eq!(desk.link_of(EXACT, "e1").await, Some(to.id.clone()));
        assert_eq!(desk.stored(&from.id).await, None);
        assert_eq!(desk.stored(&to.id).await.unwrap().link, Arc::new(joined));
        assert_eq!(desk.all().await, ids([&to]));
        assert!(desk.unmatched().await.is_empty());
        let found = desk.candidates(EXACT, &[(VAT, "NL1")]).await;
        assert_eq!((found.partners, found.others), (ids([]), ids([&to])));
    }
}

#[tokio::test]
async fn a_record_that_has_a_link_is_refused_to_another_one() {
    let desk = Desk::new();
    let owner = desk.half(CRM, "c1", &[]);
    desk.add(&owner).await;

    let mut second = owner.clone();
    second.id = desk.half(CRM, "c2", &[]).id;
    assert!(!desk.change(None, Some(&second)).await);

    let other = desk.add(&desk.half(EXACT, "e1", &[])).await;
    let mut grasping = Link::clone(&other.link);
    grasping.sides[CRM] = Some(side("c1", &[]));
    assert!(!desk.change(Some(&other), Some(&grasping)).await);

    assert_eq!(desk.link_of(CRM, "c1").await, Some(owner.id));
    assert_eq!(desk.stored(&second.id).await, None);
    assert_eq!(desk.stored(&other.link.id).await.unwrap().link, other.link);
}

#[tokio::test]
async fn a_record_that_its_link_keeps_is_refused_to_another_link_of_the_same_commit() {
    let desk = Desk::new();
    let owner = desk.add(&desk.half(CRM, "c1", &[])).await;
    let other = desk.add(&desk.half(EXACT, "e1", &[])).await;
    let mut grasping = Link::clone(&other.link);
    grasping.sides[CRM] = Some(side("c1", &[]));
    let changes = vec![change(Some(&owner), Some(&owner.link)), change(Some(&other), Some(&grasping))];
    assert!(!desk.commit(changes, Besides::default()).await);
    assert_eq!(desk.link_of(CRM, "c1").await, Some(owner.link.id.clone()));
}

#[tokio::test]
async fn a_record_that_left_its_link_can_begin_another() {
    let desk = Desk::new();
    let owner = desk.add(&desk.half(CRM, "c1", &[(VAT, "NL1")])).await;
    assert!(desk.change(Some(&owner), None).await);
    assert_eq!(desk.link_of(CRM, "c1").await, None);
    assert!(desk.all().await.is_empty());
    assert!(desk.candidates(EXACT, &[(VAT, "NL1")]).await.partners.is_empty());
    desk.add(&owner.link).await;
    assert_eq!(desk.link_of(CRM, "c1").await, Some(owner.link.id.clone()));
}

#[tokio::test]
async fn a_link_that_is_there_already_is_not_begun_again() {
    let desk = Desk::new();
    let link = desk.half(CRM, "c1", &[]);
    desk.add(&link).await;
    assert!(!desk.change(None, Some(&link)).await);
}

#[tokio::test]
async fn the_match_index_follows_an_edit_of_a_key() {
    let desk = Desk::new();
    let stored = desk.add(&desk.half(CRM, "c1", &[(VAT, "NL1"), ("Email", "a@b.nl")])).await;
    let mut edited = Link::clone(&stored.link);
    edited.sides[CRM] = Some(side("c1", &[(VAT, "NL2"), ("Email", "a@b.nl")]));
    assert!(desk.change(Some(&stored), Some(&edited)).await);
    assert!(desk.candidates(EXACT, &[(VAT, "NL1")]).await.partners.is_empty());
    assert_eq!(desk.candidates(EXACT, &[(VAT, "NL2")]).await.partners, ids([&edited]));
    assert_eq!(desk.candidates(EXACT, &[("Email", "a@b.nl")]).await.partners, ids([&edited]));
}

#[tokio::test]
async fn the_lists_of_unmatched_and_pending_links_follow_the_link() {
    let desk = Desk::new();
    let half = desk.half(CRM, "c1", &[]);
    let stored = desk.add(&half).await;
    assert_eq!((desk.unmatched().await, desk.pending().await), (ids([&half]), ids([])));

    assert!(desk.change(Some(&stored), Some(&queued(&half, EXACT))).await);
    assert_eq!((desk.unmatched().await, desk.pending().await), (ids([&half]), ids([&half])));

    let stored = desk.stored(&half.id).await.unwrap();
    let mut linked = Link::clone(&stored.link);
    linked.sides[EXACT] = Some(side("e1", &[]));
    linked.pending[EXACT] = Pending::None;
    assert!(desk.change(Some(&stored), Some(&linked)).await);
    assert_eq!((desk.unmatched().await, desk.pending().await), (ids([]), ids([])));
    assert_eq!(desk.all().await, ids([&half]));
}

#[tokio::test]
async fn a_create_in_flight_is_found_by_the_new_records_name_for_as_long_as_it_is_in_flight() {
    let desk = Desk::new();
    let stored = desk.add(&queued(&desk.half(CRM, "c1", &[]), EXACT)).await;
    let may_be = async |system, name: &str, by_us| {
        let view = side("any", &[("Name", name)]).view;
        let (links, connection) = (&desk.links, &desk.connection);
        links.may_be_making(connection, &desk.pair, system, &view, by_us).await.unwrap()
    };
    assert!(!may_be(EXACT, "Acme", true).await, "what is only queued makes nothing");

    let mut making = Link::clone(&stored.link);
    let write = Write::Create { values: side("any", &[("Name", "Acme")]).view };
    making.pending[EXACT] = Pending::InFlight { write, claim: 1, attempt: 1, since: at(0) };
    assert!(desk.change(Some(&stored), Some(&making)).await);
    assert!(may_be(EXACT, "Acme", false).await);
    assert!(may_be(EXACT, "Renamed since", true).await, "our own user made it, whatever it is called");
    assert!(!may_be(EXACT, "Beta", false).await);
    assert!(!may_be(CRM, "Acme", true).await, "nothing is being made there");

    let stored = desk.stored(&making.id).await.unwrap();
    let made = desk.whole("c1", "e1", &[]);
    assert!(desk.change(Some(&stored), Some(&made)).await);
    assert!(!may_be(EXACT, "Acme", false).await && !may_be(EXACT, "Acme", true).await);
}

#[tokio::test]
async fn a_stale_commit_is_refused_and_changes_nothing() {
    let desk = Desk::new();
    let page = Uuid::now_v7();
    desk.read_completed(CRM, &[(page, 1)]).await;
    desk.read_completed(EXACT, &[]).await;
    let stale = desk.add(&desk.half(CRM, "c1", &[(VAT, "NL1")])).await;
    let mut newer = Link::clone(&stale.link);
    newer.sides[CRM] = Some(side("c1", &[(VAT, "NL2")]));
    assert!(desk.change(Some(&stale), Some(&newer)).await);

    let mut late = queued(&stale.link, EXACT);
    late.sides[CRM] = Some(side("c1", &[(VAT, "NL3")]));
    let bystander = desk.half(EXACT, "e7", &[(VAT, "NL7")]);
    let besides = || Besides {
        outbox: vec![message(0)],
        notes: vec![(late.id.clone(), "late".to_owned())],
        part: Some(ReadPart { read: Uuid::now_v7(), page, index: 0 }),
        ..Besides::default()
    };
    let changes = vec![change(None, Some(&bystander)), change(Some(&stale), Some(&late))];
    assert!(!desk.commit(changes, besides()).await);

    assert_eq!(desk.stored(&late.id).await.unwrap().link.as_ref(), &newer);
    assert_eq!(desk.all().await, ids([&newer]));
    assert_eq!((desk.unmatched().await, desk.pending().await), (ids([&newer]), ids([])));
    assert_eq!(desk.link_of(EXACT, "e7").await, None);
    for key in ["NL1", "NL3"] {
        assert!(desk.candidates(EXACT, &[(VAT, key)]).await.partners.is_empty());
    }
    assert!(desk.candidates(CRM, &[(VAT, "NL7")]).await.partners.is_empty());
    assert!(desk.history(&late.id).await.is_empty());
    assert!(desk.outbox(at(3600)).await.is_empty());
    assert!(!desk.both_read().await);

    // With what is there now, all of it happens.
    let current = desk.stored(&late.id).await.unwrap();
    let changes = vec![change(None, Some(&bystander)), change(Some(&current), Some(&late))];
    assert!(desk.commit(changes, besides()).await);
    assert_eq!(desk.candidates(EXACT, &[(VAT, "NL3")]).await.partners, ids([&late]));
    assert_eq!(desk.history(&late.id).await, ["2025-03-01T10:00:00Z late"]);
    assert_eq!(desk.outbox(at(3600)).await.len(), 1);
    assert!(desk.both_read().await);
}
