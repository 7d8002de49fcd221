//! People's edits go before backfill, and so does what they wait for.

use contract::{Lane, Message, Names, OutcomeResult, ReadPart};
use jiff::SignedDuration;
use model::LinkId;
use uuid::Uuid;

use super::bench::Bench;
use super::said::outcome;
use super::{CRM, EXACT, begun_by, ours, seen, sighting};
use crate::handler::Handled;

fn parent() -> Message {
    seen(CRM, sighting("c1", 1, &[("Name", "Parent"), ("VatNumber", "NL1")]))
}

fn child(version: u64) -> Message {
    seen(CRM, sighting("c2", version, &[("Name", "Child"), ("VatNumber", "NL2"), ("ParentId", "c1")]))
}

/// The same record as a full read shows it.
fn read_in_full(message: Message) -> Message {
    let Message::Observed(mut observed) = message else { panic!("{message:?} is no observation") };
    observed.part = Some(ReadPart { read: Uuid::now_v7(), page: Uuid::now_v7(), index: 0 });
    Message::Observed(observed)
}

/// The links that are to be written to Exact, each with its lane; and those that are woken with theirs.
async fn follows(bench: &Bench, message: &Message) -> (Vec<(LinkId, Lane)>, Vec<(LinkId, Lane)>) {
    let Handled::Done(outbox) = bench.handle(message, 1).await else { panic!("{message:?} was not handled") };
    let (mut written, mut woken) = (Vec::new(), Vec::new());
    for follows in outbox {
        match Message::read(follows.body.as_bytes()).unwrap() {
            Message::WriteQueued(queued) => {
                let named = |lane: &Lane| Names::new("test").writes(EXACT, *lane) == follows.routing_key;
                written.push((queued.link, Lane::BOTH.into_iter().find(named).unwrap()));
            }
            Message::Woken(told) => woken.push((told.link, told.lane)),
            other => panic!("{other:?} follows from nothing"),
        }
    }
    (written, woken)
}

#[tokio::test]
async fn what_a_persons_record_waits_for_is_taken_out_of_the_backfill() {
    let bench = Bench::released().await;
    let (parent_link, child_link) = (begun_by(CRM, "c1"), begun_by(CRM, "c2"));
    let (written, _) = follows(&bench, &read_in_full(parent())).await;
    assert_eq!(written, [(parent_link.clone(), Lane::Backfill)]);
    let (written, _) = follows(&bench, &child(1)).await;
    assert_eq!(written, [(child_link.clone(), Lane::Live)], "the parent may be written at any moment");
    bench.age(&parent_link, EXACT, SignedDuration::from_secs(3)).await;
    let (written, _) = follows(&bench, &child(2)).await;
    assert_eq!(written, [(parent_link, Lane::Live)]);
}

#[tokio::test]
async fn what_a_full_read_shows_hurries_nothing() {
    let bench = Bench::released().await;
    follows(&bench, &read_in_full(parent())).await;
    bench.age(&begun_by(CRM, "c1"), EXACT, SignedDuration::from_secs(3)).await;
    let (written, _) = follows(&bench, &read_in_full(child(1))).await;
    assert_eq!(written, [(begun_by(CRM, "c2"), Lane::Backfill)]);
}

#[tokio::test]
async fn a_link_is_woken_and_written_as_urgently_as_what_it_waited_for_was() {
    for lane in Lane::BOTH {
        let bench = Bench::released().await;
        let (parent_link, child_link) = (begun_by(CRM, "c1"), begun_by(CRM, "c2"));
        bench.tell(child(1)).await;
        bench.create(&child_link, EXACT, "e2").await;
        bench.tell(parent()).await;
        let (claim, _) = bench.claim(&parent_link, EXACT).await;
        let after = Some(ours(sighting("e1", 1, &[("Name", "Parent"), ("VATNumber", "NL1")])));
        let made = OutcomeResult::Applied { record: super::record("e1"), after };
        let Message::Outcome(mut outcome) = outcome(&parent_link, EXACT, claim, made) else { unreachable!() };
        outcome.lane = lane;
        let (_, woken) = follows(&bench, &Message::Outcome(outcome)).await;
        assert_eq!(woken, [(child_link.clone(), lane)]);

        let (link, connection) = (child_link.clone(), super::connection());
        let wake = contract::Woken { connection, pair: bench.pair().clone(), link, lane };
        let (written, _) = follows(&bench, &Message::Woken(wake)).await;
        assert_eq!(written, [(child_link, lane)]);
    }
}
