//! What is committed to be published is found until it has been.

use std::slice::from_ref;

use super::{Besides, CRM, Desk, at, change, message};

#[tokio::test]
async fn what_is_committed_is_found_after_its_time_until_it_is_published() {
    let desk = Desk::new();
    let (first, second) = (message(10), message(20));
    let besides = Besides { outbox: vec![second.clone(), first.clone()], ..Besides::default() };
    assert!(desk.commit(vec![change(None, Some(&desk.half(CRM, "c1", &[])))], besides).await);

    assert!(desk.outbox(at(9)).await.is_empty());
    assert_eq!(desk.outbox(at(10)).await, from_ref(&first));
    assert_eq!(desk.outbox(at(60)).await, [first.clone(), second.clone()]);
    assert_eq!(desk.links.outbox(&desk.connection, at(60), 1).await.unwrap(), from_ref(&first));

    desk.links.published(&desk.connection, &[first.id]).await.unwrap();
    assert_eq!(desk.outbox(at(60)).await, from_ref(&second));
    desk.links.published(&desk.connection, &[first.id, second.id]).await.unwrap();
    assert!(desk.outbox(at(60)).await.is_empty());
}

#[tokio::test]
async fn one_connection_never_finds_what_another_one_left() {
    let desk = Desk::new();
    let besides = Besides { outbox: vec![message(0)], ..Besides::default() };
    assert!(desk.commit(Vec::new(), besides).await);
    let other = model::ConnectionName::parse("other").unwrap();
    assert!(desk.links.outbox(&other, at(60), 10).await.unwrap().is_empty());
}
