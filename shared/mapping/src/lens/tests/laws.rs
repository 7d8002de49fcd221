//! The laws that every lens obeys, whatever it is given.

use jiff::{Timestamp, civil::Date};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use model::Reference;

/// Contents that some lens reads, so that the laws are tried on values and not only on refusals.
const READABLE: &[&str] = &[
    "",
    " \r\n ",
    "  25 ",
    "007",
    "--. -",
    "-12",
    "Customer",
    "S",
    "Open",
    "nl",
    "nl-be",
    "Deutschland",
    "eur",
    "+31  6 1234\t5678",
    "nl 0012.34567-B01",
    "Eva.Jansen@Example.com ",
    "2024-02-29",
    "0001-01-01",
    "9999-12-31",
    "2026-10-25T02:30:00",
    "2026-03-29T02:30:00.5",
    "2026-03-29T02:30:00.5Z",
    "9999-12-30T23:00:00+01:00",
    "/Date(1455753600000)/",
    "/Date(-62135596800000)/",
    "/Date(253402300799999)/",
    "/Date(9223372036854775807)/",
    "/Date(-9223372036854775808)/",
    "/Date(1455753600000+0100)/",
    "c5",
    "71b9c1d2",
    "u3",
    "u4",
    "guid-7",
    "30",
    "STD",
    "6F1E-A1",
    "E-mail: eva@example.com\nCalled twice.\ne-MAIL : other",
    "a\rb\r\nc\r\r\nd",
    "x\u{0}y",
    "\u{202e}cilbup\u{2066}",
    "Ze\u{301}e\u{301}\u{301}\u{301}\u{301}",
    "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f466} \u{1f468}\u{200d}\u{1f4bb}",
    "\u{feff} \u{a0}\u{2003}name\u{85}\u{2028}",
    "ŉ ß ﬃ İ",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(READABLE).prop_map(str::to_owned),
        2 => any::<String>(),
        2 => "[ \t\r\n:a-zA-Z0-9.@\u{0}\u{7}\u{301}\u{202e}\u{1f980}_/()-]{0,80}",
        1 => "-?[0-9]{1,32}",
        1 => "/Date\\(-?[0-9]{1,16}\\)/",
        1 => "[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-5][0-9](:[0-6][0-9](\\.[0-9]{1,9})?)?)?",
        1 => Just("\u{1f980}\u{0} x\u{301}\n".repeat(65_536 / 10)),
    ]
}

fn decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        select(vec![0, 1, 5, 12, 25, 40, 110]).prop_map(Decimal::from),
        select(vec!["12345678901234567.89", "0.000000001", "1.10", "0.055", "-0.00", "99.995"])
            .prop_map(number),
        select(vec![Decimal::MAX, Decimal::MIN, Decimal::new(1, 28), Decimal::new(-5, 28)]),
        (any::<i64>(), 0_u32..=28).prop_map(|(digits, scale)| Decimal::new(digits, scale)),
        (any::<[u32; 3]>(), any::<bool>(), 0_u32..=28).prop_map(|([low, middle, high], negative, scale)| {
            Decimal::from_parts(low, middle, high, negative, scale)
        }),
    ]
}

fn any_content() -> impl Strategy<Value = Content> {
    let flat = prop_oneof![
        1 => Just(Content::Null),
        1 => any::<bool>().prop_map(Content::Boolean),
        3 => decimal().prop_map(Content::Number),
        8 => text().prop_map(Content::Text),
    ];
    flat.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Content::List),
            vec((text(), inner), 0..4).prop_map(|members| Content::Object(members.into_iter().collect())),
        ]
    })
}

fn any_date() -> impl Strategy<Value = Date> {
    prop_oneof![
        select(vec![Date::MIN, Date::MAX, date(0, 12, 31), date(1, 1, 1), date(2024, 2, 29)]),
        (-9999_i16..=9999, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| date(year, month, day)),
    ]
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second()..Timestamp::MAX.as_second();
    prop_oneof![
        select(vec![Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH]),
        (seconds, 0_i32..1_000_000_000).prop_map(|(second, nanosecond)| {
            Timestamp::new(second, if second < 0 { -nanosecond } else { nanosecond }).unwrap()
        }),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let link = LinkId::begun_by(CRM, &RecordId::parse("c5").unwrap());
    let strange = LinkId::begun_by(EXACT, &RecordId::parse("nowhere").unwrap());
    let references = vec![
        Reference::Linked(link),
        Reference::Linked(strange),
        Reference::Unlinked { pair: pair(), system: CRM, record: RecordId::parse("c6").unwrap() },
        Reference::Person("eva@example.com".to_owned()),
        Reference::Person("only-here@example.com".to_owned()),
        Reference::UnknownPerson { system: EXACT, user: "guid-9".to_owned() },
    ];
    prop_oneof![
        1 => Just(Value::Empty),
        6 => text().prop_map(Value::Text),
        2 => text().prop_map(Value::StandIn),
        6 => decimal().prop_map(Value::Decimal),
        1 => any::<bool>().prop_map(Value::Boolean),
        2 => any_date().prop_map(Value::Date),
        2 => any_moment().prop_map(Value::Timestamp),
        2 => select(references).prop_map(Value::Reference),
    ]
}

/// What a system holds of a canonical value, where its form has not all of it.
fn held(lens: &Lens, system: System, value: &Value) -> Value {
    match (lens, system, value) {
        (Lens::Text { max: Some(max), over: Over::Cut }, EXACT, Value::Text(text)) => {
            let cut: String = text.chars().take(*max).collect();
            let cut = cut.trim();
            if cut.is_empty() { Value::Empty } else { Value::Text(cut.to_owned()) }
        }
        (Lens::ActiveUntil, EXACT, Value::Empty) => Value::Boolean(true),
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_is_put_is_what_is_got(content in any_content(), source in select(System::BOTH.to_vec())) {
        for lens in lenses() {
            let Ok(value) = get(&lens, source, &content) else { continue };
            for target in System::BOTH {
                let Ok(written) = put(&lens, target, &value) else { continue };
                let expected = held(&lens, target, &value);
                prop_assert_eq!(get(&lens, target, &written), Ok(expected), "{:?} in {}", lens, target);
            }
        }
    }

    #[test]
    fn putting_back_what_was_got_changes_nothing(content in any_content(), system in select(System::BOTH.to_vec())) {
        for lens in lenses() {
            let Ok(value) = get(&lens, system, &content) else { continue };
            let Ok(once) = put(&lens, system, &value) else { continue };
            let again = get(&lens, system, &once).and_then(|value| put(&lens, system, &value));
            prop_assert_eq!(again, Ok(once), "{:?} in {}", lens, system);
        }
    }

    #[test]
    fn the_canonical_form_of_a_canonical_value_is_itself(value in any_value()) {
        for lens in lenses() {
            let Ok(written) = put(&lens, CRM, &value) else { continue };
            let canonical = get(&lens, CRM, &written);
            prop_assert!(canonical.is_ok(), "{:?} writes what it can't read: {:?}", lens, canonical);
            let canonical = canonical.unwrap();
            let again = put(&lens, CRM, &canonical).and_then(|written| get(&lens, CRM, &written));
            prop_assert_eq!(again, Ok(canonical), "{:?}", lens);
        }
    }

    #[test]
    fn whatever_is_written_can_be_read(value in any_value(), system in select(System::BOTH.to_vec())) {
        for lens in lenses() {
            let Ok(written) = put(&lens, system, &value) else { continue };
            prop_assert!(get(&lens, system, &written).is_ok(), "{:?} in {}: {:?}", lens, system, written);
            prop_assert!(!written.as_text().is_some_and(|text| text.trim().is_empty()), "{:?} is no null", lens);
            if let (Lens::Text { max: Some(max), .. }, EXACT, Content::Text(text)) = (&lens, system, &written) {
                prop_assert!(text.chars().count() <= *max);
            }
        }
    }

    #[test]
    fn no_problem_tells_what_was_read_or_written(nested in any_content(), secret in "[Q-Z]{9}") {
        let contents = [
            Content::Text(secret.clone()),
            Content::List(vec![Content::Text(secret.clone()), nested]),
            Content::Text(format!("/Date({secret})/")),
        ];
        for (lens, system) in lenses().into_iter().flat_map(|lens| System::BOTH.map(|system| (lens.clone(), system))) {
            let mut problems: Vec<LensProblem> =
                contents.iter().filter_map(|content| get(&lens, system, content).err()).collect();
            if !matches!(lens, Lens::Lookup { .. }) {
                problems.extend(put(&lens, system, &Value::Text(secret.repeat(20))).err());
            }
            for problem in problems {
                prop_assert!(!problem.to_string().contains(&secret), "{:?}: {}", lens, problem);
            }
        }
    }
}

#[test]
fn the_readable_contents_are_read_by_every_lens() {
    let numbers = ["1", "0", "25", "5.5"].map(|text| Content::Number(number(text)));
    let flags = [Content::Boolean(true)];
    for (lens, system) in
        lenses().into_iter().flat_map(|lens| System::BOTH.map(|system| (lens.clone(), system)))
    {
        let contents = READABLE.iter().map(|text| content(text)).chain(numbers.clone()).chain(flags.clone());
        let filled =
            contents.filter(|content| get(&lens, system, content).is_ok_and(|value| !value.is_empty()));
        let unread = lens == Lens::Lookup { list: List::Units, holds: Holds::Id } && system == EXACT;
        assert_ne!(filled.count() == 0, !unread, "{lens:?} in {system}");
    }
}
