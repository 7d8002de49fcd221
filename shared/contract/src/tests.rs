use std::collections::BTreeMap;

use jiff::Timestamp;
use link::{Link, Pending, Rejection, Side, Status, Turn, Write};
use model::{
    ConnectionName, Content, EntityName, LineKey, LinkId, PairName, Presence, Properties, PropertyName,
    Record, RecordId, Reference, System, SystemPair, UserId, Value, Version, View,
};
use uuid::Uuid;

use crate::{
    Lane, Message, MessageError, Names, Observed, Outcome, OutcomeResult, PairEntities, ReadCompleted,
    ReadPart, RetryTier, Sighting, Topology, Woken, WriteQueued, read_link, write_link,
};

fn connection() -> ConnectionName {
    ConnectionName::parse("acme").unwrap()
}

fn pair() -> PairName {
    PairName::parse("customer-account").unwrap()
}

fn record_id(id: &str) -> RecordId {
    RecordId::parse(id).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn sighting() -> Sighting {
    Sighting {
        record: Record {
            id: record_id("c 17/ü"),
            version: Some(Version(u64::MAX)),
            modified_by: Some(UserId::parse("u1").unwrap()),
            modified_at: Some(at("2026-11-22T20:59:13.123Z")),
            presence: Presence::Present,
            properties: Properties::from([
                ("Name".to_owned(), Content::from("Zoë \"Ünal\" \u{1f980}")),
                ("CreditLimit".to_owned(), Content::Number("12345678901234567.89".parse().unwrap())),
                ("Lines".to_owned(), Content::List(vec![Content::Object(Properties::new()), Content::Null])),
                ("IsActive".to_owned(), Content::Boolean(true)),
            ]),
        },
        by_us: true,
    }
}

fn outcome(result: OutcomeResult) -> Message {
    Message::Outcome(Outcome {
        connection: connection(),
        pair: pair(),
        link: LinkId::begun_by(System::CustomCrm, &record_id("c17")),
        system: System::ExactOnline,
        claim: 3,
        queued_at: at("2026-11-22T21:00:00Z"),
        lane: Lane::Backfill,
        result,
    })
}

fn messages() -> Vec<Message> {
    let part = ReadPart { read: Uuid::from_u128(1), page: Uuid::from_u128(2), index: 7 };
    let link = LinkId::begun_by(System::ExactOnline, &record_id("e9"));
    vec![
        Message::Observed(Observed {
            connection: connection(),
            system: System::CustomCrm,
            entity: EntityName::parse("customers").unwrap(),
            sighting: sighting(),
            part: Some(part),
        }),
        Message::ReadCompleted(ReadCompleted {
            connection: connection(),
            system: System::ExactOnline,
            entity: EntityName::parse("accounts").unwrap(),
            read: Uuid::from_u128(1),
            pages: vec![(Uuid::from_u128(2), 200), (Uuid::from_u128(3), 1)],
        }),
        Message::WriteQueued(WriteQueued {
            connection: connection(),
            pair: pair(),
            link: link.clone(),
            system: System::CustomCrm,
        }),
        Message::Woken(Woken { connection: connection(), pair: pair(), link, lane: Lane::Live }),
        outcome(OutcomeResult::Applied { record: record_id("e9"), after: Some(sighting()) }),
        outcome(OutcomeResult::Applied { record: record_id("e9"), after: None }),
        outcome(OutcomeResult::Adopted { found: sighting() }),
        outcome(OutcomeResult::Rejected { words: "Mandatory: Name".to_owned() }),
        outcome(OutcomeResult::Stale { now: None }),
        outcome(OutcomeResult::Gone),
        outcome(OutcomeResult::FoundSeveral { candidates: vec![record_id("a"), record_id("b")] }),
    ]
}

#[test]
fn every_message_reads_back_as_it_was_written() {
    for message in messages() {
        let bytes = message.write(Uuid::from_u128(9), "test", at("2026-11-22T21:00:00Z"));
        assert_eq!(Message::read(&bytes).unwrap(), message);
    }
}

#[test]
fn a_message_is_a_cloud_event() {
    let bytes = messages()[0].write(Uuid::from_u128(9), "collector-customcrm", at("2026-11-22T21:00:00Z"));
    let event: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "tandem.observed.v1");
    assert_eq!(event["source"], "/tandem/collector-customcrm");
    assert_eq!(event["datacontenttype"], "application/json");
}

#[test]
fn a_message_that_is_none_of_ours_is_refused_and_not_guessed() {
    assert!(matches!(Message::read(b"not json"), Err(MessageError::Envelope(_))));
    let bytes = messages()[2].write(Uuid::from_u128(9), "test", at("2026-11-22T21:00:00Z"));
    let text = String::from_utf8(bytes).unwrap();
    let unknown = text.replace("write-queued.v1", "write-queued.v2");
    assert!(matches!(Message::read(unknown.as_bytes()), Err(MessageError::UnknownType { .. })));
    let system = text.replace("\"customcrm\"", "\"oracle\"");
    assert!(matches!(Message::read(system.as_bytes()), Err(MessageError::UnknownSystem { .. })));
}

fn view(values: &[(&str, Value)]) -> View {
    values.iter().map(|(name, value)| (PropertyName::parse(name).unwrap(), value.clone())).collect()
}

fn full_link() -> Link {
    let values = view(&[
        ("Empty", Value::Empty),
        ("Text", Value::Text("Zoë".to_owned())),
        ("Money", Value::Decimal("12345678901234567.89".parse().unwrap())),
        ("Yes", Value::Boolean(true)),
        ("Day", Value::Date("2024-02-29".parse().unwrap())),
        ("Moment", Value::Timestamp(at("2026-11-22T20:59:13.123Z"))),
        (
            "Linked",
            Value::Reference(Reference::Linked(LinkId::begun_by(System::CustomCrm, &record_id("c5")))),
        ),
        ("Person", Value::Reference(Reference::Person("eva@example.com".to_owned()))),
        (
            "Stranger",
            Value::Reference(Reference::UnknownPerson { system: System::CustomCrm, user: "u9".to_owned() }),
        ),
        (
            "Unlinked",
            Value::Reference(Reference::Unlinked {
                pair: pair(),
                system: System::ExactOnline,
                record: record_id("e5"),
            }),
        ),
    ]);
    let side = |record: &str, presence| Side {
        record: record_id(record),
        version: Some(Version(7)),
        modified_at: Some(at("2026-11-22T20:59:13Z")),
        view: values.clone(),
        presence,
        admitted: presence == Presence::Present,
        stand_in: (presence == Presence::Present).then(|| "SO-17".to_owned()),
    };
    let mut link = Link::begin(connection(), pair(), System::CustomCrm, side("c17", Presence::Present));
    link.sides.exactonline = Some(side("e9", Presence::Deleted));
    link.status = Status::Ambiguous(vec![record_id("e1"), record_id("e2")]);
    link.agreed = values
        .iter()
        .map(|(name, value)| {
            let text = PropertyName::parse("Text").unwrap();
            let exactonline = if *name == text { Value::Text("ZOË".to_owned()) } else { value.clone() };
            (name.clone(), SystemPair { customcrm: value.clone(), exactonline })
        })
        .collect();
    let since = at("2026-11-22T21:00:00Z");
    let write = Write::Update { record: record_id("e9"), version: Some(Version(7)), values: values.clone() };
    link.pending.exactonline = Pending::InFlight { write, claim: 4, attempt: 2, since };
    link.pending.customcrm = Pending::Queued { since };
    link.rejected.customcrm = Some(Rejection { words: "no".to_owned(), values, at: since });
    link.conflicts = std::iter::once(PropertyName::parse("Text").unwrap()).collect();
    let turn = Turn { to: System::ExactOnline, at: since, count: 3 };
    link.turns = std::iter::once((PropertyName::parse("Text").unwrap(), turn)).collect();
    link.claims = 4;
    let edited = [(PropertyName::parse("Text").unwrap(), at("2026-11-22T20:59:13Z"))];
    link.edited = SystemPair { customcrm: edited.clone().into(), exactonline: edited.into() };
    let former = [(record_id("c3"), Some(Version(5))), (record_id("c4"), None)];
    link.former = SystemPair { customcrm: former.clone().into(), exactonline: former.into() };
    let keys =
        SystemPair { customcrm: Some(line("customcrm:L1")), exactonline: Some(line("exactonline:X1")) };
    link.lines = [(line("customcrm:L1"), keys), (line("customcrm:L2"), SystemPair::default())].into();
    link.awaits_lines = SystemPair { customcrm: true, exactonline: true };
    link.follows = Some(PairName::parse("quote-quotation").unwrap());
    link.trace = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    link
}

#[test]
fn a_link_reads_back_as_it_was_stored() {
    let mut link = full_link();
    assert_eq!(read_link(&write_link(&link)).unwrap(), link);
    let (record, version, since) = (record_id("e9"), Some(Version(7)), at("2026-11-22T21:00:00Z"));
    let values = link.sides.exactonline.as_ref().unwrap().view.clone();
    for write in [Write::Create { values }, Write::Delete { record, version }] {
        link.pending.exactonline = Pending::InFlight { write, claim: 5, attempt: 1, since };
        assert_eq!(read_link(&write_link(&link)).unwrap(), link);
    }
    for status in [
        Status::Unmatched,
        Status::Linked,
        Status::Missing,
        Status::DeletedAgainstEdit,
        Status::Ended,
        Status::Unlinked,
    ] {
        link.status = status;
        assert_eq!(read_link(&write_link(&link)).unwrap(), link);
    }
}

fn line(key: &str) -> LineKey {
    LineKey::parse(key).unwrap()
}

/// Memory and traffic of the store grow with it; one of a customer with all its rows filled.
#[test]
fn a_link_of_thirty_properties_takes_less_than_3_kib() {
    let values: View = (0..30)
        .map(|at| {
            (
                PropertyName::parse(&format!("StreetAddress{at}")).unwrap(),
                Value::Text(format!("Keizersgracht {at}")),
            )
        })
        .collect();
    let mut link = full_link();
    link.status = Status::Linked;
    link.pending = SystemPair { customcrm: Pending::None, exactonline: Pending::None };
    link.rejected = SystemPair::default();
    link.lines.clear();
    for side in [&mut link.sides.customcrm, &mut link.sides.exactonline].into_iter().flatten() {
        side.view = values.clone();
    }
    let both = |value: &Value| SystemPair { customcrm: value.clone(), exactonline: value.clone() };
    link.agreed = values.iter().map(|(name, value)| (name.clone(), both(value))).collect();
    let bytes = write_link(&link).len();
    assert!(bytes < 3 * 1024, "{bytes} bytes");
    assert_eq!(read_link(&write_link(&link)).unwrap(), link);
}

#[test]
fn the_first_stored_form_of_a_link_stays_readable() {
    let stored = r#"{"v1":{"id":"customcrm:c17","connection":"acme","pair":"customer-account","status":"linked",
        "customcrm":{"record":"c17","version":2,"view":{"Name":{"t":"AB"},"Fax":"-"}},
        "exactonline":{"record":"e9","view":{"Name":{"t":"ab"},"Limit":{"n":"1.10"}}},
        "agreed":{"Name":{"~":[{"t":"AB"},{"t":"ab"}]},"Fax":{"=":"-"}},
        "to_exactonline":{"queued":{"since":"2026-11-22T21:00:00Z"}},"claims":1}}"#;
    let link = read_link(stored).unwrap();
    assert_eq!(link.status, Status::Linked);
    assert_eq!(link.agreed.len(), 2);
    assert_eq!(link.pending.exactonline, Pending::Queued { since: at("2026-11-22T21:00:00Z") });
    assert_eq!(link.sides.customcrm.as_ref().unwrap().version, Some(Version(2)));
}

/// With the lines of documents, the pair that a link follows, and what a new record is given for an empty property.
#[test]
fn the_stored_form_of_links_with_lines_stays_readable() {
    let stored = r#"{"v1":{"id":"customcrm:o1","connection":"acme","pair":"order-quotation","status":{"ambiguous":["q1"]},
        "customcrm":{"record":"o1","version":2,"modified_at":"2026-11-24T10:00:00Z","view":{"Lines[customcrm:L1]":{"b":true}},
            "not_admitted":true,"stand_in":"SO-17"},
        "exactonline":{"record":"q1","deleted":true,"view":{"Lines[customcrm:L1].Quantity":{"n":"2"},"At":{"m":"2026-11-24T10:00:00Z"},
            "Due":{"d":"2026-12-01"},"Owner":{"p":"eva@example.com"},"By":{"q":{"system":"customcrm","user":"u9"}},
            "Customer":{"l":"customcrm:c1"},"Contact":{"u":{"pair":"contact-contact","system":"customcrm","record":"p1"}},
            "Ref":{"s":"SO-17"}}},
        "to_exactonline":{"in-flight":{"write":{"update":{"record":"q1","version":7,"values":{}}},"claim":3,"attempt":2,"since":"2026-11-24T10:00:00Z"}},
        "to_customcrm":{"in-flight":{"write":{"create":{"values":{"Name":{"t":"A"}}}},"claim":2,"attempt":1,"since":"2026-11-24T10:00:00Z"}},
        "rejected_by_customcrm":{"words":"no","values":{},"at":"2026-11-24T10:00:00Z"},
        "conflicts":["Name"],"turns":{"Name":{"to":"exactonline","at":"2026-11-24T10:00:00Z","count":3}},"claims":3,
        "lines":{"customcrm:L1":["customcrm:L1",null]},"awaits_lines_of_exactonline":true,
        "follows":"quote-quotation","trace":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}"#;
    let link = read_link(stored).unwrap();
    assert_eq!(link.follows.as_ref().map(PairName::as_str), Some("quote-quotation"));
    assert_eq!(link.lines[&line("customcrm:L1")].customcrm, Some(line("customcrm:L1")));
    assert!(link.awaits_lines.exactonline && !link.awaits_lines.customcrm);
    assert_eq!(link.sides.exactonline.as_ref().unwrap().view.len(), 8);
    assert!(matches!(link.pending.exactonline, Pending::InFlight { claim: 3, attempt: 2, .. }));
    assert_eq!(read_link(&write_link(&link)).unwrap(), link);
}

#[test]
fn a_link_document_that_can_not_be_read_is_an_error_with_a_remedy() {
    let error = read_link("{\"v9\":{}}").unwrap_err().to_string();
    assert!(error.contains("restore it from a backup"), "{error}");
}

#[test]
fn each_pair_has_a_queue_bound_to_its_two_entities_and_each_writer_two() {
    let entities = PairEntities {
        pair: pair(),
        customcrm: EntityName::parse("customers").unwrap(),
        exactonline: EntityName::parse("accounts").unwrap(),
    };
    let topology = Topology::new(Names::new("t"), &[entities]);
    let queue = "t.pair.customer-account".to_owned();
    assert_eq!(
        topology.bindings,
        [
            (queue.clone(), "*.customcrm.customers".to_owned()),
            (queue.clone(), "*.exactonline.accounts".to_owned()),
        ]
    );
    assert_eq!(
        topology.work_queues,
        [
            queue,
            "t.write.customcrm.live".to_owned(),
            "t.write.customcrm.backfill".to_owned(),
            "t.write.exactonline.live".to_owned(),
            "t.write.exactonline.backfill".to_owned(),
        ]
    );
    assert_eq!(topology.names.writes(System::CustomCrm, Lane::Live), "t.write.customcrm.live");
}

#[test]
fn retries_rest_longer_the_more_often_they_were_tried() {
    let rests: Vec<_> = (1..12).map(|attempt| RetryTier::after_attempt(attempt).delay()).collect();
    assert!(rests.is_sorted());
    assert_eq!(rests.first(), Some(&RetryTier::Seconds5.delay()));
    assert_eq!(rests.last(), Some(&RetryTier::Hour1.delay()));
}
