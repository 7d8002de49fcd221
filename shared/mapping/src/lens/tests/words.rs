use super::*;
use crate::InvalidWords;

fn numbers(word: &str, exact: &[i64]) -> (String, Vec<Word>) {
    (word.to_owned(), exact.iter().map(|number| Word::Number(*number)).collect())
}

fn text(word: &str, exact: &str) -> (String, Vec<Word>) {
    (word.to_owned(), vec![Word::Text(exact.to_owned())])
}

#[test]
fn a_word_of_the_crm_is_a_word_of_exact() {
    let lens = Lens::Enum { words: words() };
    assert_both(&lens, &value("Customer"), &content("Customer"), &content("C"));
    assert_eq!(get(&lens, EXACT, &content(" S ")), Ok(value("Suspect")));
}

#[test]
fn a_word_of_the_crm_may_be_several_numbers_of_which_the_first_is_written() {
    let lens = Lens::Enum { words: statuses() };
    assert_both(&lens, &value("Open"), &content("Open"), &Content::Number(number("25")));
    assert_eq!(get(&lens, EXACT, &Content::Number(number("40.0"))), Ok(value("Open")));
    for other in ["25.5", "26", "79228162514264337593543950335"] {
        let problem = get(&lens, EXACT, &Content::Number(number(other))).unwrap_err();
        assert_eq!(problem, LensProblem::UnknownWord { known: "25, 40, 5, 50, 70".to_owned() }, "{other}");
    }
    assert!(matches!(get(&lens, EXACT, &content("25")), Err(LensProblem::Kind { .. })));
}

#[test]
fn an_unknown_word_is_told_with_the_known_ones() {
    let lens = Lens::Enum { words: words() };
    for (system, known) in [(CRM, "None, Suspect, Prospect, Customer"), (EXACT, "A, S, P, C")] {
        for word in ["customer", "c", "Lead"] {
            let problem = get(&lens, system, &content(word)).unwrap_err();
            assert_eq!(problem, LensProblem::UnknownWord { known: known.to_owned() }, "{word} in {system}");
        }
    }
    assert!(put(&lens, EXACT, &value("Lead")).is_err());
}

#[test]
fn a_word_that_exact_never_says_is_read_in_the_crm_and_not_written_to_exact() {
    let words = Words::new(vec![numbers("Draft", &[]), numbers("Open", &[12])]).unwrap();
    let lens = Lens::Enum { words };
    assert_eq!(get(&lens, System::CustomCrm, &content("Draft")), Ok(value("Draft")));
    assert_eq!(put(&lens, System::CustomCrm, &value("Draft")), Ok(content("Draft")));
    assert_eq!(put(&lens, EXACT, &value("Draft")), Err(LensProblem::NoWord { word: "Draft".to_owned() }));
}

#[test]
fn a_table_whose_words_could_not_be_read_back_is_refused() {
    assert_eq!(Words::new(Vec::new()), Err(InvalidWords::NoRows));
    for (rows, part) in [
        (
            vec![numbers("Open", &[1]), numbers("Shut", &[2, 1])],
            "two of CustomCRM's words stand for Exact's \"1\"",
        ),
        (vec![numbers("Open", &[1, 1])], "two of CustomCRM's words"),
        (vec![numbers("Open", &[1]), numbers("Open", &[2])], "\"Open\" has two rows"),
        (vec![numbers("Open", &[1]), text("Shut", "S")], "some are numbers"),
        (vec![text("Open", " S")], "\" S\" is empty or has blanks"),
        (vec![text("", "S")], "\"\" is empty or has blanks"),
    ] {
        let told = Words::new(rows).unwrap_err().to_string();
        assert!(told.contains(part), "{part:?} is missing in: {told}");
    }
}

#[test]
fn a_table_of_ten_thousand_words_tells_some_of_them() {
    let rows = (0..10_000).map(|n| numbers(&format!("W{n}"), &[n])).collect();
    let lens = Lens::Enum { words: Words::new(rows).unwrap() };
    assert_both(&lens, &value("W9999"), &content("W9999"), &Content::Number(number("9999")));
    let told = get(&lens, CRM, &content("?")).unwrap_err().to_string();
    assert!(told.contains("W19 and 9980 more") && told.len() < 300, "{told}");
}
