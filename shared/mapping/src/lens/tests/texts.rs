use super::*;

fn text(max: usize, over: Over) -> Lens {
    Lens::Text { max: Some(max), over }
}

#[test]
fn a_text_is_kept_to_the_letter_but_for_blanks_at_its_ends_and_line_ends() {
    let lens = Lens::Text { max: None, over: Over::Refuse };
    let hostile = "Müßig\u{0}\u{7} \u{202e}gnirts\u{202c} Ze\u{301} \u{1f469}\u{200d}\u{1f466}\n\n\ttab";
    assert_both(&lens, &value(hostile), &content(hostile), &content(hostile));
    assert_eq!(get(&lens, EXACT, &content(" a\r\nb\rc\n\r\n ")), Ok(value("a\nb\nc")));
    let long = "\u{1f980}".repeat(65_536);
    assert_both(&lens, &value(&long), &content(&long), &content(&long));
}

#[test]
fn a_blank_text_is_empty_and_empty_is_null() {
    for lens in lenses() {
        for system in System::BOTH {
            assert_eq!(put(&lens, system, &Value::Empty), Ok(Content::Null), "{lens:?}");
            assert_eq!(put(&lens, system, &value(" \n ")), Ok(Content::Null), "{lens:?}");
            if lens == Lens::ActiveUntil && system == EXACT {
                continue;
            }
            assert_eq!(get(&lens, system, &Content::Null), Ok(Value::Empty), "{lens:?}");
            if !matches!(lens, Lens::Decimal { .. } | Lens::Boolean { .. } | Lens::ActiveUntil)
                && !matches!(&lens, Lens::Enum { words } if words.are_numbers() && system == EXACT)
            {
                assert_eq!(get(&lens, system, &content(" \t ")), Ok(Value::Empty), "{lens:?}");
            }
        }
    }
}

#[test]
fn a_text_that_is_too_long_for_exact_is_refused_or_cut_and_is_never_cut_in_the_crm() {
    let long = value("Bäckerei Müßig");
    let problem = LensProblem::TooLong { length: 14, max: 9 };
    assert_eq!(put(&text(9, Over::Refuse), EXACT, &long), Err(problem.clone()));
    assert_eq!(problem.to_string(), "is 14 characters long; at most 9 fit: shorten it");
    assert_eq!(put(&text(9, Over::Cut), EXACT, &long), Ok(content("Bäckerei")));
    assert_eq!(put(&text(14, Over::Refuse), EXACT, &long), Ok(content("Bäckerei Müßig")));
    for over in [Over::Cut, Over::Refuse] {
        assert_eq!(put(&text(9, over), CRM, &long), Ok(content("Bäckerei Müßig")));
    }
    assert_eq!(
        put(&text(2, Over::Cut), EXACT, &value("\u{1f980}\u{1f980}\u{1f980}")),
        Ok(content("\u{1f980}\u{1f980}"))
    );
    let mail = Lens::Email { max: Some(5) };
    assert_eq!(put(&mail, EXACT, &value("a@b.nl")), Err(LensProblem::TooLong { length: 6, max: 5 }));
}

#[test]
fn what_stands_in_for_an_empty_text_is_written_as_a_text() {
    let stand_in = Value::StandIn(" ORD-17 ".to_owned());
    assert_eq!(put(&text(10, Over::Refuse), EXACT, &stand_in), Ok(content("ORD-17")));
    assert_eq!(
        put(&text(3, Over::Refuse), EXACT, &stand_in),
        Err(LensProblem::TooLong { length: 6, max: 3 })
    );
}

#[test]
fn a_code_is_one_code_however_it_was_written() {
    let vat = Lens::Code { upper: true, compact: true, pad: None, max: Some(20) };
    assert_both(&vat, &value("NL001234567B01"), &content("NL001234567B01"), &content("NL001234567B01"));
    for written in ["nl 0012.34567-B01", " NL\u{a0}001234567.b01\n"] {
        assert_eq!(get(&vat, CRM, &content(written)), Ok(value("NL001234567B01")), "{written:?}");
    }
    let plain = Lens::Code { upper: false, compact: false, pad: None, max: None };
    assert_eq!(get(&plain, CRM, &content(" a-b c ")), Ok(value("a-b c")));
}

#[test]
fn a_code_of_digits_is_padded_in_exact_only() {
    let lens = Lens::Code { upper: false, compact: false, pad: Some(18), max: Some(18) };
    assert_both(&lens, &value("25"), &content("25"), &content("                25"));
    assert_both(&lens, &value("K25"), &content("K25"), &content("K25"));
    assert_eq!(put(&lens, EXACT, &value("٢٥")), Ok(content("٢٥")), "digits of other scripts are letters");
}

#[test]
fn a_phone_number_keeps_its_form_but_for_blanks() {
    let lens = Lens::Phone { max: Some(25) };
    assert_both(&lens, &value("+31 (0)6-12 34"), &content("+31 (0)6-12 34"), &content("+31 (0)6-12 34"));
    assert_eq!(get(&lens, CRM, &content("  06\t 12\n34 ")), Ok(value("06 12 34")));
}

#[test]
fn a_country_is_its_code_and_a_known_name_is_looked_up() {
    for written in ["DE", " de ", "Deutschland", "GERMANY", "Duitsland", "allemagne"] {
        assert_eq!(get(&Lens::Country, CRM, &content(written)), Ok(value("DE")), "{written:?}");
    }
    for (name, code) in [("UK", "GB"), ("Holland", "NL"), ("Österreich", "AT")] {
        assert_eq!(get(&Lens::Country, EXACT, &content(name)), Ok(value(code)), "{name:?}");
    }
    for unknown in ["Atlantis", "ZZ", "\u{e9}", "E ", "D", "DE BE", "DE\u{0}", "A A", "\u{130}E"] {
        assert_eq!(
            get(&Lens::Country, EXACT, &content(unknown)),
            Err(LensProblem::UnknownCountry),
            "{unknown:?}"
        );
    }
    assert_eq!(put(&Lens::Country, EXACT, &value("nl")), Ok(content("NL")));
}

#[test]
fn a_language_has_the_form_of_a_code_with_or_without_a_region() {
    for (written, code) in
        [("nl", "NL"), (" nl-be", "NL-BE"), ("fr_BE", "FR-BE"), ("deu", "DEU"), ("es-419", "ES-419")]
    {
        assert_eq!(get(&Lens::Language, CRM, &content(written)), Ok(value(code)), "{written:?}");
    }
    for unknown in ["Nederlands", "n", "nl-", "nl-BEL", "n1", "nl-be-x", "é"] {
        assert_eq!(get(&Lens::Language, CRM, &content(unknown)), Err(LensProblem::Language), "{unknown:?}");
    }
}

#[test]
fn a_currency_has_the_form_of_a_code() {
    assert_eq!(get(&Lens::Currency, CRM, &content(" eur ")), Ok(value("EUR")));
    for unknown in ["€", "EURO", "E1R", "euŕ"] {
        assert_eq!(get(&Lens::Currency, EXACT, &content(unknown)), Err(LensProblem::Currency), "{unknown:?}");
    }
}
