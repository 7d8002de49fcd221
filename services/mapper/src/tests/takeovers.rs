//! A write's record that turns out to belong to another link.

use contract::{Message, OutcomeResult, ReadPart};
use link::Status;
use model::{LinkId, Value};
use uuid::Uuid;

use super::bench::{Bench, value};
use super::said::{applied, outcome};
use crate::handler::Handled;

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
    // Called otherwise by now, so that nobody takes it for the record being created.
    let found = sighting("e1", 1, &[("Name", "Acme BV")]);
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
        let edited = sighting("e1", 7, &[("Name", "Acme BV"), ("City", "Delft")]);
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

#[tokio::test]
async fn a_record_whose_create_is_in_flight_is_not_taken_for_new_whoever_changed_it_since() {
    for in_full_read in [false, true] {
        let bench = Bench::released().await;
        let (link, claim) = creating(&bench).await;
        let edited = sighting("e1", 2, &[("Name", "Acme"), ("City", "Delft")]);
        let mut message = seen(EXACT, edited.clone());
        if let (Message::Observed(observed), true) = (&mut message, in_full_read) {
            observed.part = Some(ReadPart { read: Uuid::from_u128(1), page: Uuid::from_u128(2), index: 0 });
        }
        for attempt in [1, 50] {
            let handled = bench.handle(&message, attempt).await;
            assert!(matches!(handled, Handled::Later(..)), "{handled:?}");
        }
        bench.tell(outcome(&link, EXACT, claim, OutcomeResult::Adopted { found: edited })).await;
        let [only] = bench.all().await.try_into().unwrap();
        assert_eq!((&only.id, only.status.clone()), (&link, Status::Linked));
    }
}
