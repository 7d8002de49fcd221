//! What an outcome tells need not be told by a collector, and nothing else is left out there.

use std::time::Duration;

use contract::OutcomeResult;
use link::Write;
use mapping::{Pair, Reading};
use model::{EntityName, PairName, Version, View};
use store::Told;
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, pair};
use super::{EXACT, connection, orders, record, sighting};
use crate::telling::told;
use crate::work::Handled;

fn update() -> Write {
    Write::Update { record: record("a1"), version: Some(Version(1)), values: View::new() }
}

fn applied(version: u64) -> OutcomeResult {
    OutcomeResult::Applied { record: record("a1"), after: Some(sighting("a1", version, &[])) }
}

#[tokio::test(start_paused = true)]
async fn the_version_that_an_update_has_led_to_is_noted() {
    let bench = Bench::new().await;
    let link = bench.linked("c1", "a1", &[("Name", "Acme")]).await;
    bench.edit(&link, &[("Name", "Acme II")]).await;
    bench.target.shows_updated(sighting("a1", 7, &[("Name", "Acme II")]));
    let (work, stop) = (bench.work(), CancellationToken::new());
    assert_eq!(bench.handle_by(&work, &link, 1).await, Handled::Done);
    let noted = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    tokio::join!(work.telling.note(&bench.links, EXACT, &stop), noted);
    let (entity, seen) = (&bench.pair.entities[EXACT], record("a1"));
    let versions = [(&seen, Version(7)), (&seen, Version(6)), (&seen, Version(8))];
    let found = bench.links.told(&connection(), EXACT, entity, &versions).await.unwrap();
    assert_eq!(found, [Some(bench.pair.name.clone()), None, None]);
}

#[test]
fn an_update_of_a_record_that_one_pair_keeps_is_told() {
    let pair = pair();
    let expected = Told {
        pair: pair.name.clone(),
        entity: pair.entities[EXACT].clone(),
        record: record("a1"),
        version: Version(2),
    };
    assert_eq!(told(&update(), &applied(2), &pair, [&pair].into_iter(), EXACT), Some(expected));
}

#[test]
fn what_another_pair_must_hear_of_is_left_to_the_collector() {
    let pair = pair();
    let mut other = Pair { name: PairName::parse("another").unwrap(), ..pair.clone() };
    assert_eq!(told(&update(), &applied(2), &pair, [&other, &pair].into_iter(), EXACT), None);
    other.entities[EXACT] = EntityName::parse("contacts").unwrap();
    assert!(told(&update(), &applied(2), &pair, [&other, &pair].into_iter(), EXACT).is_some());
}

#[test]
fn what_an_outcome_does_not_show_in_full_is_left_to_the_collector() {
    let (pair, document) = (pair(), orders::orders(Reading::Practical));
    let only =
        |pair, write: &Write, result: &OutcomeResult| told(write, result, pair, [pair].into_iter(), EXACT);
    assert_eq!(only(&document, &update(), &applied(2)), None, "lines");
    let unseen = OutcomeResult::Applied { record: record("a1"), after: None };
    assert_eq!(only(&pair, &update(), &unseen), None);
    let stale = OutcomeResult::Stale { now: Some(sighting("a1", 2, &[])) };
    assert_eq!(only(&pair, &update(), &stale), None);
    assert_eq!(only(&pair, &Write::Create { values: View::new() }, &applied(2)), None, "a new record");
    let mut without_version = sighting("a1", 2, &[]);
    without_version.record.version = None;
    let unversioned = OutcomeResult::Applied { record: record("a1"), after: Some(without_version) };
    assert_eq!(only(&pair, &update(), &unversioned), None);
}
