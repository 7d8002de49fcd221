use super::*;

#[test]
fn every_lens_is_described_in_one_short_phrase() {
    for lens in lenses() {
        let told = lens.describe();
        assert!(!told.is_empty() && told.len() < 120 && !told.contains(['\n', '|']), "{told}");
    }
}

#[test]
fn the_phrases_say_what_happens_to_a_value() {
    let told = |lens: Lens| lens.describe();
    assert_eq!(told(Lens::Text { max: Some(50), over: Over::Refuse }), "text, at most 50 characters");
    assert_eq!(
        told(Lens::Text { max: Some(60), over: Over::Cut }),
        "text, at most 60 characters, a longer one is cut"
    );
    assert_eq!(
        told(Lens::Decimal { factor: number("0.01"), places: 4 }),
        "per cent, 4 decimal places, as a fraction in Exact"
    );
    assert_eq!(told(Lens::Date), "day, without a time zone");
    assert_eq!(told(Lens::Reference { pair: pair() }), "link of customer-account");
    assert_eq!(
        told(Lens::Enum { words: words() }),
        "one of: None = A, Suspect = S, Prospect = P, Customer = C"
    );
    assert_eq!(
        told(Lens::Enum { words: statuses() }),
        "one of: Open = 25 or 40, Rejected = 5, Accepted = 50 or 70"
    );
    let payment = Lens::Lookup { list: List::PaymentConditions, holds: Holds::Code };
    assert_eq!(told(payment), "code of Exact's payment conditions");
}

#[test]
fn a_lens_fits_the_types_that_exact_can_hold_it_in() {
    for (lens, edm) in [
        (Lens::Enum { words: words() }, "Edm.String"),
        (Lens::Enum { words: statuses() }, "Edm.Int16"),
        (Lens::Boolean { inverted: false, byte: true }, "Edm.Byte"),
        (Lens::Boolean { inverted: false, byte: false }, "Edm.Boolean"),
        (Lens::Lookup { list: List::ItemGroups, holds: Holds::Id }, "Edm.Guid"),
        (Lens::Lookup { list: List::ItemGroups, holds: Holds::Code }, "Edm.String"),
        (Lens::ActiveUntil, "Edm.DateTime"),
        (Lens::Integer { text: true }, "Edm.Int32"),
    ] {
        assert!(lens.edm_types().contains(&edm), "{lens:?}");
    }
    assert!(!Lens::Enum { words: words() }.edm_types().contains(&"Edm.Int16"));
}
