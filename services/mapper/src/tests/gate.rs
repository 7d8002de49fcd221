//! S-7: nothing is created before both systems were read in full.

use link::Pending;

use super::bench::Bench;
use super::fakes::Pausing;
use super::said::{full_read, full_read_of};
use super::world::{name, shipped};
use super::{CRM, EXACT, begun_by, connection, seen, sighting};

#[tokio::test]
async fn nothing_is_created_before_both_systems_were_read_in_full() {
    let bench = Bench::new().await;
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Live")]))).await;
    bench.read(CRM, &[sighting("c1", 1, &[("Name", "Live")]), sighting("c2", 1, &[("Name", "Read")])]).await;
    let accounts: Vec<_> = ["e1", "e2", "e3"].map(|id| sighting(id, 1, &[("Name", id)])).into();
    let mut messages = full_read(EXACT, &accounts);
    // Even when the end of the read overtakes its records.
    messages.rotate_right(1);
    let last = messages.pop().unwrap();
    for message in messages {
        bench.tell(message.clone()).await;
        bench.tell(message).await;
        bench.tell(seen(CRM, sighting("c3", 1, &[("Name", "Another")]))).await;
        assert_eq!(bench.writes(), []);
    }
    assert!(bench.all().await.iter().all(link::Link::is_at_rest));
    bench.tell(last).await;
    assert_eq!(bench.writes().len(), 6);
}

#[tokio::test]
async fn after_that_each_unmatched_record_gets_one_create() {
    let bench = Bench::new().await;
    let customers = ["c1", "c2"].map(|id| sighting(id, 1, &[("Name", id), ("VatNumber", id)]));
    let accounts = [sighting("e1", 1, &[("Name", "e1")]), sighting("e2", 1, &[("VATNumber", "c2")])];
    bench.read_both(&customers, &accounts).await;
    let wanted = [(begun_by(CRM, "c1"), EXACT), (begun_by(EXACT, "e1"), CRM)];
    let mut writes = bench.writes();
    writes.sort();
    assert_eq!(writes, wanted);
    // Neither reading again, nor seeing again, nor a record that comes live asks twice.
    bench.read_both(&customers, &accounts).await;
    bench.tell(seen(CRM, customers[0].clone())).await;
    assert_eq!(bench.writes(), []);
    bench.tell(seen(CRM, sighting("c3", 1, &[("Name", "c3")]))).await;
    bench.tell(seen(CRM, sighting("c3", 2, &[("Name", "c3 again")]))).await;
    assert_eq!(bench.writes(), [(begun_by(CRM, "c3"), EXACT)]);
}

#[tokio::test]
async fn a_record_that_comes_while_the_pair_is_released_gets_its_create_too() {
    for seed in 0..30 {
        let bench = Bench::with_store(Pausing::new(Some(seed))).await;
        bench.read(CRM, &[]).await;
        let read = async {
            bench.read(EXACT, &[]).await;
        };
        let live = async {
            bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Live")]))).await;
        };
        tokio::join!(read, live);
        assert_eq!(bench.writes(), [(begun_by(CRM, "c1"), EXACT)], "seed {seed}");
        let link = bench.link(&begun_by(CRM, "c1")).await;
        assert!(matches!(link.pending[EXACT], Pending::Queued { .. }));
    }
}

/// A pair waits for the reads of others too, and the last of their records opens its gate: where the store fails just
/// then the message comes again.
#[tokio::test]
async fn a_pair_is_released_though_the_store_fails_when_the_last_record_is_taken_in() {
    let last = name("order-quotation");
    for call in 1.. {
        let store = Pausing::new(None);
        let bench = Bench::keeping(store.clone(), shipped()).await;
        let read = [
            (CRM, ["users", "customers", "contacts", "products", "quotes", "orders"].as_slice()),
            (EXACT, ["accounts", "contacts", "items", "salesorders"].as_slice()),
        ];
        for (system, entities) in read {
            for entity in entities {
                let [completed] = full_read_of(system, entity, &[]).try_into().unwrap();
                bench.tell(completed).await;
            }
        }
        let quotation = sighting("q1", 1, &[("Description", "Offer")]);
        let [observed, completed] = full_read_of(EXACT, "quotations", &[quotation]).try_into().unwrap();
        for message in [completed, observed] {
            let mut pairs = bench.pairs_of(&message);
            pairs.sort_by_key(|pair| *pair == last);
            for pair in pairs {
                if pair == last {
                    store.fail(call);
                }
                if bench.tries(&pair, &message).await.is_err() {
                    bench.tries(&pair, &message).await.unwrap();
                }
            }
        }
        let are_all_tried = !store.has_failed();
        store.fail(0);
        for pair in shipped() {
            let (is_released, _) = bench.links().released(&connection(), &pair.name).await.unwrap();
            assert!(is_released, "{}, when call {call} fails", pair.name);
        }
        if are_all_tried {
            return;
        }
    }
}
