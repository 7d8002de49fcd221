//! Partners find one another, and two records of one side never share a partner.

use contract::Message;
use link::{Link, Pending, Status};
use model::System;

use super::bench::Bench;
use super::{CRM, EXACT, gone, record, seen, sighting};
use crate::handler::Handled;

fn both() -> [Message; 2] {
    let customer = sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]);
    let account = sighting("e1", 1, &[("Name", "Acme"), ("VATNumber", "nl 001")]);
    [seen(CRM, customer), seen(EXACT, account)]
}

fn assert_one_link(links: &[Link]) {
    let [link] = links else { panic!("one link, not {links:?}") };
    assert_eq!(link.status, Status::Linked);
    assert_eq!(link.record(CRM), Some(&record("c1")));
    assert_eq!(link.record(EXACT), Some(&record("e1")));
    assert!(link.is_at_rest());
}

#[tokio::test]
async fn two_records_with_one_key_become_one_link_in_any_order() {
    for backwards in [false, true] {
        let bench = Bench::new().await;
        let mut messages = both();
        if backwards {
            messages.reverse();
        }
        for message in messages.clone().into_iter().chain(messages) {
            bench.tell(message).await;
        }
        assert_one_link(&bench.all().await);
        assert_eq!(bench.writes(), []);
        bench.assert_sound().await;
    }
}

#[tokio::test]
async fn two_records_with_one_key_become_one_link_when_both_are_seen_at_once() {
    for seed in 0..30 {
        let bench = Bench::with_store(super::fakes::Pausing::new(Some(seed))).await;
        let [first, second] = both();
        tokio::join!(bench.tell(first), bench.tell(second));
        assert_one_link(&bench.all().await);
        bench.assert_sound().await;
    }
}

/// The account goes to one of them, and the other keeps a link of its own.
#[tokio::test]
async fn of_two_customers_that_match_one_account_at_once_neither_takes_the_place_of_the_other() {
    for seed in 0..100 {
        let bench = Bench::with_store(super::fakes::Pausing::new(Some(seed))).await;
        let account = [("Name", "Acme"), ("VATNumber", "NL001"), ("Email", "info@acme.example")];
        bench.tell(seen(EXACT, sighting("e1", 1, &account))).await;
        let by_number = seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]));
        let by_email = seen(CRM, sighting("c2", 1, &[("Name", "Acme too"), ("Email", "info@acme.example")]));
        tokio::join!(bench.tell(by_number), bench.tell(by_email));
        for id in ["c1", "c2"] {
            assert!(bench.link_of(CRM, id).await.is_some(), "seed {seed}: {id} is forgotten");
        }
        let linked = bench.all().await.iter().filter(|link| link.has_both()).count();
        assert_eq!(linked, 1, "seed {seed}");
        bench.assert_sound().await;
    }
}

#[tokio::test]
async fn one_record_seen_twice_at_once_begins_one_link() {
    for seed in 0..30 {
        let bench = Bench::racing(seed).await;
        let [message, _] = both();
        tokio::join!(bench.tell(message.clone()), bench.tell(message));
        assert_eq!(bench.all().await.len(), 1, "seed {seed}");
        assert_eq!(bench.writes().len(), 1, "seed {seed}");
    }
}

#[tokio::test]
async fn a_key_that_is_edited_finds_its_partner_before_one_is_made() {
    let bench = Bench::new().await;
    bench.tell(seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL9")]))).await;
    bench.tell(seen(EXACT, sighting("e1", 1, &[("Name", "Acme"), ("VATNumber", "NL001")]))).await;
    bench.tell(seen(CRM, sighting("c1", 2, &[("Name", "Acme"), ("VatNumber", "NL001")]))).await;
    assert_one_link(&bench.all().await);
    bench.read_both(&[], &[]).await;
    assert_eq!(bench.writes(), []);
}

async fn assert_held(bench: &Bench, system: System, ids: &[&str]) {
    for id in ids {
        let link = bench.link_of(system, id).await.expect("it has a link");
        assert!(matches!(link.status, Status::Ambiguous(_)), "{id} is {:?}", link.status);
        assert_eq!(link.pending[system.other()], Pending::None);
    }
    assert_eq!(bench.writes(), []);
}

#[tokio::test]
async fn two_records_of_one_side_with_one_key_are_held_and_create_nothing() {
    for system in System::BOTH {
        let bench = Bench::new().await;
        let key = if system == CRM { "VatNumber" } else { "VATNumber" };
        let twins = ["t1", "t2"].map(|id| sighting(id, 1, &[("Name", id), (key, "NL001")]));
        bench.read(system, &twins).await;
        bench.read(system.other(), &[]).await;
        assert_held(&bench, system, &["t1", "t2"]).await;
        // The record that both could be the partner of is held as well.
        let key = if system == CRM { "VATNumber" } else { "VatNumber" };
        bench.tell(seen(system.other(), sighting("p1", 1, &[("Name", "p"), (key, "NL001")]))).await;
        assert_held(&bench, system.other(), &["p1"]).await;
        bench.assert_sound().await;
    }
}

#[tokio::test]
async fn an_edit_of_the_key_lets_a_held_record_go() {
    let bench = Bench::new().await;
    let twins = ["c1", "c2"].map(|id| sighting(id, 1, &[("Name", id), ("VatNumber", "NL001")]));
    bench.read_both(&twins, &[]).await;
    assert_held(&bench, CRM, &["c1", "c2"]).await;
    bench.tell(seen(CRM, sighting("c2", 2, &[("Name", "c2"), ("VatNumber", "NL002")]))).await;
    assert_eq!(bench.writes(), [(super::begun_by(CRM, "c2"), EXACT)]);
}

#[tokio::test]
async fn after_the_store_was_emptied_links_are_found_again_and_nothing_is_created_twice() {
    let bench = Bench::released().await;
    let customer = sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]);
    bench.tell(seen(CRM, customer.clone())).await;
    let link = super::begun_by(CRM, "c1");
    let (_, made) = bench.make(&link, EXACT, "e1").await;

    let emptied = Bench::new().await;
    // What was under way arrives first, then live changes, then the full reads.
    let late = super::said::applied(&link, EXACT, 1, made.clone());
    emptied.tell(late).await;
    emptied.tell(seen(EXACT, made.clone())).await;
    emptied.tell(seen(CRM, customer.clone())).await;
    emptied.read_both(&[customer], &[made]).await;
    assert_one_link(&emptied.all().await);
    assert_eq!(emptied.writes(), []);
}

#[tokio::test]
async fn a_message_waits_until_the_users_of_both_systems_are_known() {
    let bench = Bench::without_users();
    let [message, _] = both();
    assert!(matches!(bench.handle(&message, 1).await, Handled::Later(..)));
    assert!(bench.all().await.is_empty());
}

#[tokio::test]
async fn a_record_that_is_gone_does_not_come_back_with_an_older_sighting() {
    for racing in [None, Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7)] {
        let bench = match racing {
            Some(seed) => Bench::racing(seed).await,
            None => Bench::released().await,
        };
        let old = seen(CRM, sighting("c1", 1, &[("Name", "Acme"), ("VatNumber", "NL001")]));
        let gone = seen(CRM, gone("c1", 2));
        if racing.is_some() {
            tokio::join!(bench.tell(gone), bench.tell(old));
        } else {
            bench.tell(gone).await;
            bench.tell(old).await;
        }
        let link = bench.link_of(CRM, "c1").await.unwrap();
        assert_eq!((link.status, link.pending[EXACT].clone()), (Status::Ended, Pending::None), "{racing:?}");
        // Unless its system says that it is there again.
        bench.writes();
        bench.tell(seen(CRM, sighting("c1", 3, &[("Name", "Acme"), ("VatNumber", "NL001")]))).await;
        assert_eq!(bench.writes(), [(super::begun_by(CRM, "c1"), EXACT)]);
    }
}
