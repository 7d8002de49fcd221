#![allow(clippy::unwrap_used)]

use super::*;

fn outgoing() -> Outgoing {
    Outgoing {
        exchange: String::new(),
        routing_key: "queue".to_owned(),
        id: "id".to_owned(),
        headers: BTreeMap::new(),
        at: "2026-03-01T12:00:00.75Z".parse().unwrap(),
        body: Vec::new(),
    }
}

#[test]
fn what_amqp_cannot_carry_is_refused_by_name() {
    let long = "x".repeat(256);
    let cases = [
        (Outgoing { exchange: long.clone(), ..outgoing() }, "exchange"),
        (Outgoing { routing_key: long.clone(), ..outgoing() }, "routing key"),
        (Outgoing { id: long.clone(), ..outgoing() }, "id"),
        (Outgoing { headers: [(long.clone(), String::new())].into(), ..outgoing() }, "header name"),
        (Outgoing { headers: [("name".to_owned(), "x".repeat(70_000))].into(), ..outgoing() }, "header list"),
    ];
    for (outgoing, expected) in cases {
        let error = Addressed::parse(outgoing).unwrap_err();
        assert!(matches!(error, BrokerError::TooLong { what, .. } if what == expected), "{error}");
    }
}

#[test]
fn the_attempt_travels_apart_from_the_senders_headers() {
    let read = |attempt: &str| {
        let headers = BTreeMap::from([(ATTEMPT_HEADER.to_owned(), attempt.to_owned())]);
        Message::new(String::new(), headers, None, Vec::new())
    };
    assert_eq!((read("4").attempt, read("4").headers.len()), (4, 0));
    for ill in ["", "0", "-1", "many", "4294967296"] {
        assert_eq!(read(ill).attempt, 1, "{ill:?}");
    }
}

#[test]
fn the_time_is_kept_in_whole_seconds() {
    let parsed = Addressed::parse(outgoing()).unwrap();
    assert_eq!(parsed.message.at, Some("2026-03-01T12:00:00Z".parse().unwrap()));
}

#[test]
fn an_endless_reason_is_cut_at_a_character() {
    let retried = Message::default().retried(&"é".repeat(5_000));
    assert_eq!(retried.headers[REASON_HEADER], "é".repeat(1_000));
}

#[test]
fn a_dead_letter_that_dies_again_keeps_its_first_origin() {
    let once = Message::default().dead("pair", "dead", "first");
    let twice = once.dead("dead", "dead", "second");
    assert_eq!((&*twice.headers[ORIGIN_HEADER], &*twice.headers[REASON_HEADER]), ("pair", "second"));
}
