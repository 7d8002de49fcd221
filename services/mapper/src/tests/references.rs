//! A child is written without its parent, and gets it as soon as the parent is linked.

use contract::{Message, OutcomeResult};
use link::{Link, Pending, Write};
use model::{LinkId, PropertyName, Reference, System, Value};

use super::bench::{Bench, value};
use super::said::{applied, outcome};
use super::{CRM, EXACT, begun_by, seen, sighting};

fn parent_property() -> PropertyName {
    PropertyName::parse("ParentId").unwrap()
}

fn linked(link: &LinkId) -> Value {
    Value::Reference(Reference::Linked(link.clone()))
}

fn parent() -> Message {
    seen(CRM, sighting("c1", 1, &[("Name", "Parent"), ("VatNumber", "NL1"), ("ParentId", "")]))
}

fn child(version: u64) -> Message {
    let values = [("Name", "Child"), ("VatNumber", "NL2"), ("ParentId", "c1")];
    seen(CRM, sighting("c2", version, &values))
}

fn ids() -> (LinkId, LinkId) {
    (begun_by(CRM, "c1"), begun_by(CRM, "c2"))
}

/// The child knows its parent's link, and a write that carries it is queued or done.
fn assert_found(child: &Link, parent: &LinkId, seed: u64) {
    assert_eq!(value(child, CRM, "ParentId"), Some(linked(parent)), "seed {seed}");
    assert!(child.waits_for().is_empty(), "seed {seed}");
    assert!(matches!(child.pending[EXACT], Pending::Queued { .. }), "seed {seed}: {:?}", child.pending);
}

#[tokio::test]
async fn a_child_is_written_without_its_parent_and_gets_it_once_the_parent_is_linked() {
    let bench = Bench::released().await;
    let (parent_link, child_link) = ids();
    bench.tell(child(1)).await;
    let (claim, write) = bench.claim(&child_link, EXACT).await;
    assert!(!write.values().contains_key(&parent_property()));
    let made = sighting("e2", 1, &[("Name", "Child"), ("VATNumber", "NL2"), ("Parent", "")]);
    bench.tell(applied(&child_link, EXACT, claim, super::ours(made))).await;
    assert!(bench.link(&child_link).await.is_at_rest());

    bench.tell(parent()).await;
    bench.writes();
    bench.create(&parent_link, EXACT, "e1").await;
    assert_eq!(bench.writes(), [(child_link.clone(), EXACT)]);
    let (_, write) = bench.claim(&child_link, EXACT).await;
    let Write::Update { values, .. } = write else { panic!("{write:?}") };
    assert_eq!(values, [(parent_property(), linked(&parent_link))].into());
}

#[tokio::test]
async fn a_child_whose_parent_is_linked_already_is_written_with_it() {
    let bench = Bench::released().await;
    let (parent_link, child_link) = ids();
    bench.tell(parent()).await;
    bench.create(&parent_link, EXACT, "e1").await;
    bench.tell(child(1)).await;
    let (_, made) = bench.make(&child_link, EXACT, "e2").await;
    assert_eq!(made.record.properties.get("Parent").and_then(|parent| parent.as_text()), Some("e1"));
}

#[tokio::test]
async fn parent_and_child_that_become_linked_at_the_same_moment_miss_no_wake() {
    for seed in 0..30 {
        let bench = Bench::racing(seed).await;
        let (parent_link, child_link) = ids();
        bench.tell(child(1)).await;
        bench.tell(parent()).await;
        let (child_claim, child_made) = bench.make(&child_link, EXACT, "e2").await;
        let (parent_claim, parent_made) = bench.make(&parent_link, EXACT, "e1").await;
        tokio::join!(
            bench.tell(applied(&child_link, EXACT, child_claim, child_made)),
            bench.tell(applied(&parent_link, EXACT, parent_claim, parent_made)),
        );
        assert_found(&bench.link(&child_link).await, &parent_link, seed);
    }
}

#[tokio::test]
async fn a_child_that_is_given_a_parent_while_the_parent_becomes_linked_misses_no_wake() {
    for seed in 0..30 {
        let bench = Bench::racing(seed).await;
        let (parent_link, child_link) = ids();
        let orphan = [("Name", "Child"), ("VatNumber", "NL2"), ("ParentId", "")];
        bench.tell(seen(CRM, sighting("c2", 1, &orphan))).await;
        bench.create(&child_link, EXACT, "e2").await;
        bench.tell(parent()).await;
        let (claim, made) = bench.make(&parent_link, EXACT, "e1").await;
        tokio::join!(bench.tell(child(2)), bench.tell(applied(&parent_link, EXACT, claim, made)));
        assert_found(&bench.link(&child_link).await, &parent_link, seed);
    }
}

#[tokio::test]
async fn a_stale_answer_that_shows_the_parent_while_it_becomes_linked_misses_no_wake() {
    for seed in 0..30 {
        let bench = Bench::racing(seed).await;
        let account = |version, parent: &str| {
            sighting("e2", version, &[("Name", "Child"), ("VATNumber", "NL2"), ("Parent", parent)])
        };
        let customer = |version, name: &str| {
            sighting("c2", version, &[("Name", name), ("VatNumber", "NL2"), ("ParentId", "")])
        };
        bench.tell(seen(EXACT, account(1, ""))).await;
        bench.tell(seen(CRM, customer(1, "Child"))).await;
        bench.tell(seen(CRM, customer(2, "Renamed"))).await;
        let link = begun_by(EXACT, "e2");
        let (stale_claim, _) = bench.claim(&link, EXACT).await;
        // A person gave the account a parent, which is about to be linked.
        bench.tell(seen(EXACT, sighting("e1", 1, &[("Name", "Parent"), ("VATNumber", "NL1")]))).await;
        let parent_began = begun_by(EXACT, "e1");
        let (claim, made) = bench.make(&parent_began, CRM, "c1").await;
        let stale = OutcomeResult::Stale { now: Some(account(5, "e1")) };
        tokio::join!(
            bench.tell(outcome(&link, EXACT, stale_claim, stale)),
            bench.tell(applied(&parent_began, CRM, claim, made)),
        );
        let stored = bench.link(&link).await;
        assert_eq!(value(&stored, EXACT, "ParentId"), Some(linked(&parent_began)), "seed {seed}");
    }
}

#[tokio::test]
async fn a_child_whose_link_is_taken_over_while_its_parent_becomes_linked_misses_no_wake() {
    for seed in 0..30 {
        let bench = Bench::racing(seed).await;
        let (parent_link, _) = ids();
        bench.tell(parent()).await;
        let (claim, made) = bench.make(&parent_link, EXACT, "e1").await;
        // The account's create of a customer is in flight; the customer is renamed, given a
        // parent, and seen before the outcome.
        bench.tell(seen(EXACT, sighting("e2", 1, &[("Name", "Child"), ("Parent", "")]))).await;
        let own = begun_by(EXACT, "e2");
        let (own_claim, _) = bench.claim(&own, CRM).await;
        let customer = sighting("c2", 3, &[("Name", "Child, renamed"), ("ParentId", "c1")]);
        bench.tell(seen(CRM, customer)).await;
        let after = super::ours(sighting("c2", 1, &[("Name", "Child"), ("ParentId", "")]));
        tokio::join!(
            bench.tell(applied(&own, CRM, own_claim, after)),
            bench.tell(applied(&parent_link, EXACT, claim, made)),
        );
        let link = bench.link_of(System::CustomCrm, "c2").await.unwrap();
        assert_eq!(link.id, own);
        assert_found(&link, &parent_link, seed);
    }
}
