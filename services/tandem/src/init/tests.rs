use std::path::PathBuf;

use customcrm::Declaration;

use super::InitError;
use super::draft::Draft;
use super::interview::Interview;
use super::terminal::Terminal;
use crate::arguments::{InitOf, InitOptions};
use crate::shipped::DECLARATIONS;

/// What the answers make, and what was said meanwhile.
fn asked(answers: &str) -> (Result<String, InitError>, String) {
    let out = PathBuf::from("customcrm.toml");
    let options = InitOptions { of: InitOf::CustomCrm, url: None, token_file: None, out };
    let mut said = Vec::new();
    let text = Interview::new(Terminal::new(answers.as_bytes(), &mut said, true), &options).declaration();
    (text, String::from_utf8(said).unwrap())
}

#[test]
fn an_end_of_input_takes_the_declaration_of_the_default_api() {
    assert_eq!(asked("").0.unwrap(), DECLARATIONS[0].1);
}

#[test]
fn an_api_that_is_known_gets_its_declaration() {
    for (index, (name, text)) in DECLARATIONS.iter().enumerate() {
        let (made, said) = asked(&format!("{}\n", index + 1));
        assert_eq!(made.unwrap(), *text, "{name}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn another_api_of_which_nothing_is_known_gets_a_declaration_that_can_work() {
    let (made, _) = asked("6\n");
    let made = made.unwrap();
    for line in ["scheme = \"bearer\"", "id = \"id\"", "style = \"none\"", "[collections.users]"] {
        assert!(made.contains(line), "{line} is missing in\n{made}");
    }
    assert!(Declaration::parse("made", &made).is_ok());
}

#[test]
fn an_answer_that_can_not_work_is_asked_for_again_with_what_is_wrong() {
    let (made, said) = asked("9\n6\nAcme\nbarer\nbearer\n");
    assert!(said.contains("write a number from 1 to 6"), "{said}");
    assert!(said.contains("did you mean \"bearer\"?"), "{said}");
    assert!(made.unwrap().contains("crm = \"Acme\""));
}

#[test]
fn an_answer_is_no_more_than_a_text_of_the_file() {
    let odd = "a\"\nb = 1\\";
    let draft = Draft { crm: odd.to_owned(), ..Draft::new() };
    assert_eq!(draft.declaration().unwrap().crm, odd);
}
