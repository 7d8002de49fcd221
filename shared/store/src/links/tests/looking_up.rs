//! Partners, waiting links and references: what is found, and that a commit notices what came meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use link::{Link, Rejection, Status};
use mapping::{Lookups, ReferenceNeed};
use model::{LinkId, Presence, PropertyName, Reference, System, UserId, Value};

use super::{Besides, CRM, Desk, EXACT, change, ids, record, side, view};
use crate::{Check, Standing};

const VAT: &str = "VatNumber";
const EMAIL: &str = "Email";

#[tokio::test]
async fn the_strongest_key_that_leads_to_a_partner_decides() {
    let desk = Desk::new();
    let by_email = desk.half(CRM, "c1", &[(EMAIL, "a@b.nl")]);
    let by_vat = desk.half(CRM, "c2", &[(VAT, "NL1")]);
    desk.add(&by_email).await;
    desk.add(&by_vat).await;
    let found = desk.candidates(EXACT, &[(EMAIL, "a@b.nl"), (VAT, "NL1")]).await;
    assert_eq!(found.partners, ids([&by_vat]));
    let found = desk.candidates(EXACT, &[(EMAIL, "a@b.nl"), (VAT, "NL9")]).await;
    assert_eq!(found.partners, ids([&by_email]));
}

#[tokio::test]
async fn all_links_that_one_key_leads_to_are_partners() {
    let desk = Desk::new();
    let (first, second) = (desk.half(CRM, "c1", &[(VAT, "NL1")]), desk.half(CRM, "c2", &[(VAT, "NL1")]));
    desk.add(&first).await;
    desk.add(&second).await;
    let found = desk.candidates(EXACT, &[(VAT, "nl.1")]).await;
    assert_eq!((found.partners, found.others), (ids([&first, &second]), ids([])));
}

#[tokio::test]
async fn records_of_the_same_side_and_linked_ones_are_others() {
    let desk = Desk::new();
    let same_side = desk.half(EXACT, "e1", &[(VAT, "NL1")]);
    let linked = desk.whole("c2", "e2", &[(VAT, "NL1")]);
    desk.add(&same_side).await;
    desk.add(&linked).await;
    let found = desk.candidates(EXACT, &[(VAT, "NL1")]).await;
    assert_eq!((found.partners, found.others), (ids([]), ids([&same_side, &linked])));
}

#[tokio::test]
async fn a_link_is_no_candidate_of_its_own_and_a_deleted_record_none_at_all() {
    let desk = Desk::new();
    desk.add(&desk.half(CRM, "own", &[(VAT, "NL1")])).await;
    let mut gone = desk.half(EXACT, "e1", &[(VAT, "NL1")]);
    gone.sides[EXACT].as_mut().unwrap().presence = Presence::Deleted;
    desk.add(&gone).await;
    let found = desk.candidates(CRM, &[(VAT, "NL1")]).await;
    assert_eq!((found.partners, found.others), (ids([]), ids([])));
}

#[tokio::test]
async fn a_partner_that_comes_while_none_was_found_is_not_missed() {
    let desk = Desk::new();
    let found = desk.candidates(CRM, &[(VAT, "NL1")]).await;
    desk.add(&desk.half(EXACT, "e1", &[(VAT, "NL1")])).await;
    let alone = desk.half(CRM, "own", &[(VAT, "NL1")]);
    let besides = Besides { checks: found.checks, ..Besides::default() };
    assert!(!desk.commit(vec![change(None, Some(&alone))], besides).await);
    assert_eq!(desk.link_of(CRM, "own").await, None);
}

/// A half link of a CRM record that refers to another one which is not linked.
fn child(desk: &Desk, id: &str, parent: &str) -> Link {
    let mut link = desk.half(CRM, id, &[]);
    let reference = Reference::Unlinked { pair: desk.name().clone(), system: CRM, record: record(parent) };
    let property = PropertyName::parse("ParentId").unwrap();
    link.sides[CRM].as_mut().unwrap().view.insert(property, Value::Reference(reference));
    link
}

async fn waiting_for(desk: &Desk, parent: &str) -> (Vec<LinkId>, Check) {
    let (waiting, check) =
        desk.links.waiting_for(&desk.connection, desk.name(), CRM, &record(parent)).await.unwrap();
    assert!(waiting.iter().all(|(pair, _)| pair == desk.name()));
    (waiting.into_iter().map(|(_, link)| link).collect(), check)
}

#[tokio::test]
async fn links_that_wait_for_a_record_are_found_until_they_wait_no_more() {
    let desk = Desk::new();
    let link = child(&desk, "c2", "c1");
    let stored = desk.add(&link).await;
    assert_eq!(waiting_for(&desk, "c1").await.0, std::slice::from_ref(&link.id));
    assert!(waiting_for(&desk, "c9").await.0.is_empty());
    let mut resolved = link.clone();
    resolved.sides[CRM] = Some(side("c2", &[]));
    assert!(desk.change(Some(&stored), Some(&resolved)).await);
    assert!(waiting_for(&desk, "c1").await.0.is_empty());
}

#[tokio::test]
async fn links_are_counted_where_they_stand_and_nowhere_once_they_get_on() {
    let desk = Desk::new();
    let standing = async || desk.links.standing(&desk.connection, desk.name()).await.unwrap();
    let parked = child(&desk, "c2", "c1");
    let mut held = desk.whole("c3", "e3", &[]);
    held.conflicts.insert(PropertyName::parse("Name").unwrap());
    let mut ambiguous = desk.half(CRM, "c4", &[]);
    ambiguous.status = Status::Ambiguous(vec![record("e8"), record("e9")]);
    let mut refused = desk.whole("c5", "e5", &[]);
    refused.rejected[EXACT] = Some(Rejection { values: view(&[]), words: "no".to_owned(), at: super::at(0) });
    for link in [&parked, &ambiguous, &refused] {
        desk.add(link).await;
    }
    let stored = desk.add(&held).await;
    let expected = Standing { all: 4, unmatched: 2, parked: 1, held: 2, refused: 1, pending: 0 };
    assert_eq!(standing().await, expected);
    held.conflicts.clear();
    assert!(desk.change(Some(&stored), Some(&held)).await);
    assert_eq!(standing().await, Standing { held: 1, ..expected });
}

#[tokio::test]
async fn a_link_that_comes_to_wait_is_not_missed_by_the_one_it_waits_for() {
    let desk = Desk::new();
    let (waiting, check) = waiting_for(&desk, "c1").await;
    assert!(waiting.is_empty());
    desk.add(&child(&desk, "c2", "c1")).await;
    let parent = desk.whole("c1", "e1", &[]);
    let besides = |check| Besides { checks: vec![check], ..Besides::default() };
    assert!(!desk.commit(vec![change(None, Some(&parent))], besides(check)).await);
    let (waiting, check) = waiting_for(&desk, "c1").await;
    assert_eq!(waiting.len(), 1);
    assert!(desk.commit(vec![change(None, Some(&parent))], besides(check)).await);
}

async fn look_up(desk: &Desk, system: System, id: &str) -> (Option<LinkId>, Vec<Check>) {
    let needs = BTreeSet::from([ReferenceNeed { pair: desk.name().clone(), record: record(id) }]);
    let mut lookups = Lookups::default();
    let checks = desk.links.look_up_links(&desk.connection, system, &needs, &mut lookups).await.unwrap();
    let found = lookups.links.remove(&(desk.name().clone(), system, record(id)));
    assert!(lookups.links.is_empty());
    (found, checks)
}

#[tokio::test]
async fn a_reference_stands_for_a_link_only_when_both_sides_know_the_record() {
    let desk = Desk::new();
    let whole = desk.whole("c1", "e1", &[]);
    desk.add(&whole).await;
    desk.add(&desk.half(CRM, "c2", &[])).await;
    for (system, id) in [(CRM, "c1"), (EXACT, "e1")] {
        assert_eq!(look_up(&desk, system, id).await, (Some(whole.id.clone()), Vec::new()));
    }
    for (system, id) in [(CRM, "c2"), (CRM, "c3"), (EXACT, "c1")] {
        let (found, checks) = look_up(&desk, system, id).await;
        assert_eq!((found, checks.len()), (None, 1));
    }
}

#[tokio::test]
async fn a_record_that_becomes_linked_meanwhile_is_not_missed_by_what_refers_to_it() {
    for half_before in [false, true] {
        let desk = Desk::new();
        let whole = desk.whole("c1", "e1", &[]);
        let before = if half_before { Some(desk.add(&desk.half(CRM, "c1", &[])).await) } else { None };
        let (_, checks) = look_up(&desk, CRM, "c1").await;
        assert!(desk.change(before.as_ref(), Some(&whole)).await);

        let besides = Besides { checks, ..Besides::default() };
        assert!(!desk.commit(vec![change(None, Some(&child(&desk, "c2", "c1")))], besides).await);
        assert_eq!(look_up(&desk, CRM, "c1").await.0, Some(whole.id));
    }
}

#[tokio::test]
async fn a_record_that_another_link_takes_over_meanwhile_is_not_missed_either() {
    let desk = Desk::new();
    let half = desk.add(&desk.half(CRM, "c1", &[])).await;
    let other = desk.add(&desk.half(EXACT, "e1", &[])).await;
    let (_, checks) = look_up(&desk, CRM, "c1").await;
    let mut joined = Link::clone(&other.link);
    joined.sides[CRM] = Some(side("c1", &[]));
    let changes = vec![change(Some(&other), Some(&joined)), change(Some(&half), None)];
    assert!(desk.commit(changes, Besides::default()).await);
    let besides = Besides { checks, ..Besides::default() };
    assert!(!desk.commit(vec![change(None, Some(&child(&desk, "c2", "c1")))], besides).await);
}

#[tokio::test]
async fn the_records_of_the_links_that_values_refer_to_are_found() {
    let desk = Desk::new();
    let parent = desk.whole("c1", "e1", &[]);
    desk.add(&parent).await;
    let mut values = view(&[("Name", "Child")]);
    let reference = Value::Reference(Reference::Linked(parent.id.clone()));
    values.insert(PropertyName::parse("ParentId").unwrap(), reference);
    for (system, id) in [(CRM, "c1"), (EXACT, "e1")] {
        let mut lookups = Lookups::default();
        let looked = desk.links.look_up_records(&desk.connection, &desk.pair, system, &values, &mut lookups);
        looked.await.unwrap();
        let key = (desk.name().clone(), parent.id.clone(), system);
        assert_eq!(lookups.records, BTreeMap::from([(key, record(id))]));
    }
}

#[tokio::test]
async fn users_are_known_by_their_address_in_lower_case_once_they_were_read() {
    let desk = Desk::new();
    let user = UserId::parse("u1").unwrap();
    assert_eq!(desk.links.people(&desk.connection, CRM).await.unwrap(), None);
    let read = BTreeMap::from([(user.clone(), " Anna@Example.NL ".to_owned())]);
    desk.links.set_people(&desk.connection, CRM, &read).await.unwrap();
    let people = desk.links.people(&desk.connection, CRM).await.unwrap().unwrap();
    assert_eq!(people, BTreeMap::from([(user, "anna@example.nl".to_owned())]));
    assert_eq!(desk.links.people(&desk.connection, EXACT).await.unwrap(), None);
}

#[tokio::test]
async fn a_list_is_known_once_it_was_read() {
    let desk = Desk::new();
    let lists = async || desk.links.lists(&desk.connection).await.unwrap();
    assert_eq!(*lists().await, BTreeMap::new());
    let units = |code: &str| BTreeMap::from([(code.to_owned(), "guid".to_owned())]);
    for code in ["pc", "\u{202e}st\u{fc}k \u{1f4e6}:{}%"] {
        desk.links.set_list(&desk.connection, "units", &units(code)).await.unwrap();
        assert_eq!(*lists().await, BTreeMap::from([("units".to_owned(), units(code))]));
    }
    let other = model::ConnectionName::parse("other").unwrap();
    assert_eq!(*desk.links.lists(&other).await.unwrap(), BTreeMap::new());
}

/// Each process keeps what it has read of them.
#[tokio::test]
async fn what_another_process_has_changed_of_users_and_lists_is_known_at_once() {
    let desk = Desk::new();
    let another = crate::Links::new(desk.links.store().clone(), "test");
    let (pair, user) = (desk.pair.name.clone(), UserId::parse("u1").unwrap());
    let known = async || desk.links.known(&desk.connection, &pair, None).await.unwrap().named;
    assert!(known().await.directories.is_none() && known().await.lists.is_empty());
    for email in ["anna@example.nl", "eva@example.nl"] {
        let people = BTreeMap::from([(user.clone(), email.to_owned())]);
        another.set_people(&desk.connection, CRM, &people).await.unwrap();
        another.set_people(&desk.connection, EXACT, &people).await.unwrap();
        another
            .set_list(&desk.connection, "units", &BTreeMap::from([(email.to_owned(), "guid".to_owned())]))
            .await
            .unwrap();
        for _ in 0..2 {
            let named = known().await;
            assert_eq!(named.directories.unwrap().people[EXACT].get(&user).map(String::as_str), Some(email));
            assert!(named.lists["units"].contains_key(email));
        }
    }
}

#[tokio::test]
async fn the_place_of_a_deleted_record_is_free_once_its_link_has_ended() {
    for (status, is_free) in [
        (Status::Ended, true),
        (Status::Linked, false),
        (Status::Missing, false),
        (Status::DeletedAgainstEdit, false),
        (Status::Unlinked, false),
    ] {
        let desk = Desk::new();
        let mut link = desk.whole("c1", "e1", &[(VAT, "NL1")]);
        link.sides[CRM].as_mut().unwrap().presence = Presence::Deleted;
        link.status = status.clone();
        desk.add(&link).await;
        let found = desk.candidates(CRM, &[(VAT, "NL1")]).await;
        let expected = if is_free { (ids([&link]), ids([])) } else { (ids([]), ids([&link])) };
        assert_eq!((found.partners, found.others), expected, "{status:?}");
        let found = desk.candidates(EXACT, &[(VAT, "NL1")]).await;
        assert_eq!((found.partners, found.others), (ids([]), ids([&link])), "{status:?}");
    }
}

#[tokio::test]
async fn a_record_that_another_one_has_replaced_leads_to_the_link_that_knows() {
    let desk = Desk::new();
    let mut link = desk.whole("c2", "e1", &[]);
    link.former[CRM].insert(record("c1"), None);
    let stored = desk.add(&link).await;
    assert_eq!(desk.link_of(CRM, "c1").await, Some(link.id.clone()));
    assert!(desk.change(Some(&stored), None).await);
    assert_eq!(desk.link_of(CRM, "c1").await, None);
}
