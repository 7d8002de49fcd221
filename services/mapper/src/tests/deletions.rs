//! Records that go, and what is entered anew in their place.

use link::Status;

use super::bench::Bench;
use super::said::applied;
use super::{CRM, EXACT, begun_by, gone, ours, record, seen, sighting};

#[tokio::test]
async fn a_customer_who_was_deleted_and_entered_anew_gets_their_account_back() {
    let bench = Bench::new().await;
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]))).await;
    bench.tell(seen(EXACT, sighting("e1", 1, &[("Name", "Acme"), ("VATNumber", "NL001")]))).await;
    bench.tell(seen(CRM, gone("c1", 2))).await;
    let link = begun_by(CRM, "c1");
    let (claim, write) = bench.claim(&link, EXACT).await;
    assert_eq!(write.values().len(), 1, "it is marked as no longer in use: {write:?}");
    let blocked = ours(sighting("e1", 2, &[("Name", "Acme"), ("VATNumber", "NL001")]));
    bench.tell(applied(&link, EXACT, claim, blocked)).await;
    assert_eq!(bench.all().await[0].status, Status::Ended);
    bench.tell(seen(CRM, sighting("c2", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]))).await;
    let [link] = &bench.all().await[..] else { panic!("one link") };
    assert_eq!((&link.status, link.record(CRM)), (&Status::Linked, Some(&record("c2"))));
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]))).await;
    assert_eq!(bench.all().await.len(), 1, "what is still heard of the deleted one makes nothing");
    bench.assert_sound().await;
}

#[tokio::test]
async fn what_is_queued_is_counted_by_what_it_asks() {
    let bench = Bench::new().await;
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]))).await;
    bench.tell(seen(EXACT, sighting("e1", 1, &[("Name", "Acme"), ("VATNumber", "NL001")]))).await;
    assert!(!bench.metrics().contains("tandem_queued_writes_total{"), "nothing was queued");
    bench.tell(seen(CRM, gone("c1", 2))).await;
    let queued = bench.metrics();
    let queued: Vec<&str> = queued.lines().filter(|line| line.starts_with("tandem_queued_writes")).collect();
    let [line] = queued[..] else { panic!("{queued:?}") };
    for label in [r#"change="delete""#, r#"system="exactonline""#] {
        assert!(line.contains(label), "{line}");
    }
    assert!(line.ends_with(" 1"), "{line}");
}
