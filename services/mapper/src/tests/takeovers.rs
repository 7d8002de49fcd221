//! A write's record that turns out to belong to another link.

use contract::OutcomeResult;
use link::Status;
use model::{LinkId, Value};

use super::bench::{Bench, applied, outcome, value};
use super::{CRM, EXACT, begun_by, ours, record, seen, sighting};

/// A customer without any key, whose create is in flight under this claim.
async fn creating(bench: &Bench) -> (LinkId, u64) {
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))).await;
    let link = begun_by(CRM, "c1");
    let (claim, _) = bench.claim(&link, EXACT).await;
    bench.writes();
    (link, claim)
}

#[tokio::test]
async fn an_adopted_record_that_has_a_half_link_of_its_own_is_absorbed() {
    let bench = Bench::released().await;
    let (link, claim) = creating(&bench).await;
    let found = sighting("e1", 1, &[("Name", "Acme")]);
    bench.tell(seen(EXACT, found.clone())).await;
    assert_eq!(bench.all().await.len(), 2);
    bench.tell(outcome(&link, EXACT, claim, OutcomeResult::Adopted { found })).await;
    let [only] = bench.all().await.try_into().unwrap();
    assert_eq!((&only.id, only.status.clone()), (&link, Status::Linked));
    assert_eq!(only.record(EXACT), Some(&record("e1")));
    bench.assert_sound().await;
    assert_eq!(bench.history(&link).await.iter().filter(|note| note.contains("linked with")).count(), 1);
}

#[tokio::test]
async fn what_the_absorbed_link_knew_better_is_kept() {
    for adopted in [false, true] {
        let bench = Bench::released().await;
        let (link, claim) = creating(&bench).await;
        let edited = sighting("e1", 7, &[("Name", "Acme"), ("City", "Delft")]);
        bench.tell(seen(EXACT, edited)).await;
        bench.writes();
        let older = ours(sighting("e1", 1, &[("Name", "Acme"), ("City", "")]));
        let message = if adopted {
            outcome(&link, EXACT, claim, OutcomeResult::Adopted { found: older })
        } else {
            applied(&link, EXACT, claim, older)
        };
        bench.tell(message).await;
        let [only] = bench.all().await.try_into().unwrap();
        assert_eq!(value(&only, EXACT, "City"), Some(Value::Text("Delft".to_owned())), "{adopted}");
        bench.assert_sound().await;
    }
}

/// A linked pair of other records.
async fn linked_elsewhere(bench: &Bench) -> LinkId {
    bench.tell(seen(CRM, sighting("c2", 1, &[("Name", "Two"), ("VatNumber", "NL2")]))).await;
    let other = begun_by(CRM, "c2");
    bench.create(&other, EXACT, "e2").await;
    bench.writes();
    other
}

#[tokio::test]
async fn a_record_that_is_linked_with_another_is_held_for_a_person() {
    for adopted in [false, true] {
        let bench = Bench::released().await;
        let other = linked_elsewhere(&bench).await;
        let (link, claim) = creating(&bench).await;
        let before = bench.link(&other).await;
        let found = sighting("e2", 9, &[("Name", "Two")]);
        let message = if adopted {
            outcome(&link, EXACT, claim, OutcomeResult::Adopted { found })
        } else {
            applied(&link, EXACT, claim, found)
        };
        bench.tell(message).await;
        assert_eq!(bench.link(&link).await.status, Status::Ambiguous(vec![record("e2")]), "{adopted}");
        assert_eq!(bench.link(&other).await, before);
        assert_eq!(bench.writes(), []);
        bench.assert_sound().await;
    }
}

#[tokio::test]
async fn a_record_that_was_made_twice_keeps_its_own_link_and_a_person_is_told() {
    let bench = Bench::released().await;
    let (link, claim) = creating(&bench).await;
    bench.tell(applied(&link, EXACT, claim, ours(sighting("e1", 1, &[("Name", "Acme")])))).await;
    bench.tell(seen(EXACT, sighting("e2", 2, &[("Name", "Acme")]))).await;
    bench.writes();
    bench.tell(applied(&link, EXACT, claim, ours(sighting("e2", 1, &[("Name", "Acme")])))).await;
    assert_eq!(bench.link_of(EXACT, "e1").await.map(|link| link.id), Some(link.clone()));
    assert_eq!(bench.link_of(EXACT, "e2").await.map(|link| link.id), Some(begun_by(EXACT, "e2")));
    assert!(bench.history(&link).await.iter().any(|note| note.contains("made twice")));
    bench.assert_sound().await;
}
