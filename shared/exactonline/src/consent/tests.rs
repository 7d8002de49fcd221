#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use secrecy::ExposeSecret as _;
use url::Url;

use super::{Code, Consent, ConsentError};

const STATE: &str = "f00d";

fn consent() -> Consent {
    let site = Url::parse("https://start.exactonline.nl").unwrap();
    Consent::ask(&site, "app", "https://sync.example.com/exact/back", STATE)
}

fn code(answer: Result<Code, ConsentError>) -> Result<String, ConsentError> {
    answer.map(|code| code.0.expose_secret().to_owned())
}

#[test]
fn the_address_holds_exactly_the_documented_parameters() {
    let consent = consent();
    let url = consent.url();
    assert!(url.as_str().starts_with("https://start.exactonline.nl/api/oauth2/auth?"), "{url}");
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expected = [
        ("client_id", "app"),
        ("redirect_uri", "https://sync.example.com/exact/back"),
        ("response_type", "code"),
        ("state", STATE),
        ("force_login", "1"),
    ];
    let pairs: BTreeSet<(&str, &str)> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(pairs, expected.into());
}

#[test]
fn a_country_is_asked_on_its_own_site() {
    for host in ["nl", "be", "de", "co.uk", "fr", "es", "com"].map(|land| format!("start.exactonline.{land}"))
    {
        let site = Url::parse(&format!("https://{host}/")).unwrap();
        let consent = Consent::ask(&site, "app", "https://sync.example.com/back", STATE);
        assert_eq!(consent.url().host_str(), Some(host.as_str()));
        assert_eq!(consent.url().path(), "/api/oauth2/auth");
    }
}

#[test]
fn a_pasted_answer_gives_its_code_decoded_once() {
    let expected = Ok("stampNL001.ab+c=!d%21".to_owned());
    for pasted in [
        "https://sync.example.com/exact/back?code=stampNL001.ab%2Bc%3D%21d%2521&state=f00d",
        "  https://sync.example.com/exact/back?state=f00d&code=stampNL001.ab%2Bc%3D!d%2521#_=_ \r\n",
        // What a browser shows of an address, and one without the state.
        "sync.example.com/exact/back?code=stampNL001.ab%2Bc%3D%21d%2521",
        "\"https://sync.example.com/exact/back?code=stampNL001.ab%2Bc%3D%21d%2521&state=f00d\"",
        // The code alone.
        "stampNL001.ab%2Bc%3D%21d%2521",
        "stampNL001.ab+c=!d%2521\n",
    ] {
        assert_eq!(code(consent().pasted(pasted)), expected, "{pasted}");
    }
    assert_eq!(code(consent().pasted("stampNL001.ab!cd")), Ok("stampNL001.ab!cd".to_owned()));
}

#[test]
fn the_answer_to_another_question_is_refused() {
    let of_another = "https://sync.example.com/exact/back?code=abc&state=beef";
    assert_eq!(code(consent().pasted(of_another)), Err(ConsentError::OtherState));
    assert_eq!(code(consent().pasted("x?state=&code=abc")), Err(ConsentError::OtherState));
    // Whoever calls the redirect address must know the state; a person who pastes is trusted without.
    assert_eq!(code(consent().redirected("code=abc")), Err(ConsentError::OtherState));
    assert_eq!(code(consent().redirected("code=abc&state=beef")), Err(ConsentError::OtherState));
    assert_eq!(code(consent().redirected("error=access_denied")), Err(ConsentError::OtherState));
    assert_eq!(code(consent().redirected("code=abc%21&state=f00d")), Ok("abc!".to_owned()));
}

#[test]
fn a_denial_is_told_in_exacts_words_and_can_not_steer_the_terminal() {
    let answer = "https://sync.example.com/exact/back?error=access_denied&error_description=No%20%1B%5B2Jthanks&state=f00d";
    let denied = ConsentError::Denied { words: "access_denied: No [2Jthanks".to_owned() };
    assert_eq!(code(consent().pasted(answer)), Err(denied));
    let denied = ConsentError::Denied { words: "access_denied".to_owned() };
    assert_eq!(code(consent().redirected("error=access_denied&state=f00d")), Err(denied));
}

#[test]
fn what_is_no_answer_is_refused_before_it_costs_a_call() {
    let long = "a".repeat(5_000);
    for pasted in
        ["", "  ", "https://sync.example.com/exact/back", "a?state=f00d", "a?code=", "two words", &long]
    {
        assert_eq!(code(consent().pasted(pasted)), Err(ConsentError::NoAnswer), "{pasted}");
    }
}
