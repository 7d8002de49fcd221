//! Outcomes that come late, twice, after the record itself, or for nothing.

use contract::OutcomeResult;
use link::{Pending, Status, Write};
use model::{PropertyName, Value};

use super::bench::{Bench, value};
use super::said::{applied, outcome};
use super::{CRM, EXACT, begun_by, ours, record, seen, sighting};
use crate::handler::Handled;

const KEYED: [(&str, &str); 2] = [("Name", "Acme"), ("VatNumber", "NL001")];

#[tokio::test]
async fn a_created_record_is_linked_and_its_echo_writes_nothing() {
    let bench = Bench::released().await;
    bench.tell(seen(CRM, sighting("c1", 1, &KEYED))).await;
    let link = begun_by(CRM, "c1");
    let (claim, made) = bench.make(&link, EXACT, "e1").await;
    bench.writes();
    for _ in 0..2 {
        bench.tell(applied(&link, EXACT, claim, made.clone())).await;
        bench.tell(seen(EXACT, made.clone())).await;
    }
    let [only] = bench.all().await.try_into().unwrap();
    assert_eq!((only.status.clone(), only.record(EXACT)), (Status::Linked, Some(&record("e1"))));
    assert!(only.is_at_rest());
    assert_eq!(bench.writes(), []);
}

#[tokio::test]
async fn a_record_with_a_key_that_is_seen_before_its_creates_outcome_is_recognised() {
    let bench = Bench::released().await;
    bench.tell(seen(CRM, sighting("c1", 1, &KEYED))).await;
    let link = begun_by(CRM, "c1");
    let (claim, made) = bench.make(&link, EXACT, "e1").await;
    bench.writes();
    bench.tell(seen(EXACT, made.clone())).await;
    let joined = bench.link(&link).await;
    assert_eq!((joined.status, joined.pending[EXACT].clone()), (Status::Linked, Pending::None));
    bench.tell(applied(&link, EXACT, claim, made)).await;
    assert_eq!(bench.all().await.len(), 1);
    assert_eq!(bench.writes(), []);
    bench.assert_sound().await;
}

#[tokio::test]
async fn a_record_of_our_own_without_a_key_waits_for_its_creates_outcome() {
    let bench = Bench::released().await;
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Acme")]))).await;
    let link = begun_by(CRM, "c1");
    let (claim, made) = bench.make(&link, EXACT, "e1").await;
    bench.writes();
    let message = seen(EXACT, made.clone());
    assert!(matches!(bench.handle(&message, 1).await, Handled::Later(..)));
    assert_eq!(bench.link_of(EXACT, "e1").await, None);
    bench.tell(applied(&link, EXACT, claim, made)).await;
    bench.tell_again(message, 2).await;
    assert_eq!(bench.all().await.len(), 1);
    assert_eq!(bench.writes(), []);
}

#[tokio::test]
async fn a_record_without_a_key_that_a_person_made_does_not_wait() {
    let bench = Bench::released().await;
    bench.tell(seen(EXACT, sighting("e1", 1, &[("Name", "Acme")]))).await;
    assert_eq!(bench.writes(), [(begun_by(EXACT, "e1"), CRM)]);
}

#[tokio::test]
async fn outcome_and_record_at_once_give_one_link() {
    for seed in 0..30 {
        let bench = Bench::racing(seed).await;
        bench.tell(seen(CRM, sighting("c1", 1, &KEYED))).await;
        let link = begun_by(CRM, "c1");
        let (claim, made) = bench.make(&link, EXACT, "e1").await;
        bench.writes();
        let outcome = applied(&link, EXACT, claim, made.clone());
        tokio::join!(bench.tell(outcome), bench.tell(seen(EXACT, made)));
        let [only] = bench.all().await.try_into().unwrap();
        assert_eq!((only.status.clone(), only.is_at_rest()), (Status::Linked, true), "seed {seed}");
        assert_eq!(bench.writes(), [], "seed {seed}");
    }
}

#[tokio::test]
async fn an_outcome_for_a_link_that_is_gone_changes_nothing() {
    let bench = Bench::released().await;
    bench.tell(seen(CRM, sighting("c1", 1, &KEYED))).await;
    let before = bench.all().await;
    bench.writes();
    let absent = begun_by(CRM, "c9");
    let made = ours(sighting("e9", 1, &[("Name", "Nine")]));
    for result in [
        OutcomeResult::Applied { record: record("e9"), after: Some(made.clone()) },
        OutcomeResult::Adopted { found: made },
        OutcomeResult::Rejected { words: "no".to_owned() },
        OutcomeResult::Stale { now: None },
        OutcomeResult::Gone,
        OutcomeResult::FoundSeveral { candidates: vec![record("e9")] },
    ] {
        bench.tell(outcome(&absent, EXACT, 1, result)).await;
    }
    assert_eq!(bench.all().await, before);
    assert_eq!(bench.link_of(EXACT, "e9").await, None);
    assert!(bench.history(&absent).await.is_empty());
    assert_eq!(bench.writes(), []);
}

#[tokio::test]
async fn a_refused_create_is_tried_again_only_after_an_edit() {
    let bench = Bench::released().await;
    bench.tell(seen(CRM, sighting("c1", 1, &KEYED))).await;
    let link = begun_by(CRM, "c1");
    let (claim, _) = bench.claim(&link, EXACT).await;
    bench.writes();
    let words = "the name is taken".to_owned();
    bench.tell(outcome(&link, EXACT, claim, OutcomeResult::Rejected { words: words.clone() })).await;
    bench.tell(seen(CRM, sighting("c1", 1, &KEYED))).await;
    assert_eq!(bench.writes(), []);
    assert_eq!(bench.link(&link).await.rejected[EXACT].as_ref().map(|refused| &refused.words), Some(&words));
    bench.tell(seen(CRM, sighting("c1", 2, &[("Name", "Acme II"), ("VatNumber", "NL001")]))).await;
    assert_eq!(bench.writes(), [(link, EXACT)]);
}

#[tokio::test]
async fn a_stale_write_takes_in_what_is_there_now_and_says_the_rest_again() {
    let bench = Bench::released().await;
    bench.tell(seen(CRM, sighting("c1", 1, &[KEYED[0], KEYED[1], ("City", "")]))).await;
    let link = begun_by(CRM, "c1");
    bench.create(&link, EXACT, "e1").await;
    bench.tell(seen(CRM, sighting("c1", 2, &[("Name", "Renamed"), KEYED[1], ("City", "")]))).await;
    let (claim, _) = bench.claim(&link, EXACT).await;
    bench.writes();
    let now = sighting("e1", 5, &[("Name", "Acme"), ("VATNumber", "NL001"), ("City", "Delft")]);
    bench.tell(outcome(&link, EXACT, claim, OutcomeResult::Stale { now: Some(now) })).await;
    let mut writes = bench.writes();
    writes.sort();
    assert_eq!(writes, [(link.clone(), CRM), (link.clone(), EXACT)]);
    let (_, write) = bench.claim(&link, EXACT).await;
    let Write::Update { values, .. } = write else { panic!("{write:?}") };
    let name = PropertyName::parse("Name").unwrap();
    assert_eq!(values.get(&name), Some(&Value::Text("Renamed".to_owned())));
    assert_eq!(value(&bench.link(&link).await, EXACT, "City"), Some(Value::Text("Delft".to_owned())));
}
