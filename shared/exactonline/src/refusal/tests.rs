#![allow(clippy::unwrap_used)]

use model::FailureClass;
use reqwest::{StatusCode, header::HeaderMap};

use super::{Reason, is_block, refusal};
use wire::Effect;

use crate::Error;

fn said(words: &str) -> String {
    format!(r#"{{"error":{{"code":"","message":{{"lang":"","value":"{words}"}}}}}}"#)
}

#[track_caller]
fn check(effect: Effect, status: u16, body: &str, expected: FailureClass) {
    let status = StatusCode::from_u16(status).unwrap();
    assert_eq!(refusal(effect, status, &HeaderMap::new(), body, &[]).class(), expected, "{status}");
}

#[test]
fn a_business_rule_is_a_refusal_though_its_status_is_500() {
    let body = said(r"Verplicht: Naam\r\nOngeldig: Btw-nummer");
    check(Effect::Write, 500, &body, FailureClass::Rejected);
    let error = refusal(Effect::Write, StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), &body, &[]);
    assert!(error.to_string().contains("Verplicht: Naam\r\nOngeldig: Btw-nummer"), "{error}");
}

#[test]
fn a_failure_of_its_own_is_transient_for_a_read_and_ambiguous_for_a_write() {
    let own =
        said("A problem has occurred. The cause of this issue will be investigated as soon as possible.");
    for (status, body) in
        [(500, own.as_str()), (500, "<html>oops</html>"), (502, ""), (503, ""), (504, ""), (408, "")]
    {
        check(Effect::Read, status, body, FailureClass::Transient);
        check(Effect::Write, status, body, FailureClass::Ambiguous);
    }
    check(Effect::Write, 302, "", FailureClass::Transient);
}

#[test]
fn a_missing_right_stops_reads_and_a_division_out_of_scope_stops_all() {
    check(Effect::Read, 403, &said("Forbidden"), FailureClass::Auth);
    check(Effect::Write, 403, &said("Forbidden"), FailureClass::Rejected);
    // Every reason that Exact gives: whatever is asked, only a person can repair it.
    for reason in [
        "BlockedUser",
        "InactiveUser",
        "BlockedCustomer",
        "LicenseExpired",
        "DivisionBlocked",
        "NoDivisionAccess",
    ] {
        let headers: HeaderMap = [("reason".parse().unwrap(), reason.parse().unwrap())].into_iter().collect();
        for effect in [Effect::Read, Effect::Write] {
            let error = refusal(effect, StatusCode::FORBIDDEN, &headers, &said("Forbidden"), &[]);
            assert_eq!(error.class(), FailureClass::Auth);
            assert!(error.to_string().contains(&format!("Forbidden ({reason})")), "{error}");
        }
    }
}

#[test]
fn the_words_are_bounded_and_hold_no_token() {
    let body = said(&format!("token s3cret {}", "é".repeat(2_000)));
    let Error::Refused { words, .. } =
        refusal(Effect::Write, StatusCode::BAD_REQUEST, &HeaderMap::new(), &body, &["s3cret"])
    else {
        panic!("not refused")
    };
    assert!(words.starts_with("token (token) é"), "{words}");
    assert_eq!(words.chars().count(), 1_000);
}

#[test]
fn a_block_is_told_by_its_words() {
    assert!(is_block(StatusCode::FORBIDDEN, &said("API rate limit exceeded")));
    assert!(!is_block(StatusCode::FORBIDDEN, &said("Forbidden")));
}

#[test]
fn the_reason_is_told_by_the_words_in_either_language() {
    for (words, reason) in [
        ("Mandatory: Relationship", Reason::Mandatory),
        ("Verplicht: Factuur voor\r\nVerplicht: Besteld door", Reason::Mandatory),
        ("Invalid reference: Cost unit", Reason::Reference),
        ("Ongeldige referentie: Leveren aan\r\nOngeldige referentie: Besteld door", Reason::Reference),
        ("Data already exists", Reason::Duplicate),
        ("Gegeven bestaat reeds.", Reason::Duplicate),
        ("Bestaat reeds: Code", Reason::Duplicate),
        ("Moet zijn: Uniek - Artikel, Valuta, Eenheid, Aantal, Actief vanaf", Reason::Duplicate),
        ("Ongeldig: Klant (Type)", Reason::Value),
        ("Ongeldig: Btw-percentage", Reason::Value),
        ("Error processing request stream. Error encountered in converting the value", Reason::Value),
        ("Kan niet verwijderen: Relatie - Gebruikt in: Documenten", Reason::InUse),
        ("In gebruik: Boekstuknummer", Reason::InUse),
        ("Not allow to update in Basic : Warehouse", Reason::Licence),
        ("Artikel: Non actief", Reason::State),
        ("Artikel: Toekomstig", Reason::State),
        ("Geblokkeerd: Btw code", Reason::State),
        ("Reeds verwerkt", Reason::State),
        ("Something was said first\r\nVerplicht: Inkoop", Reason::Mandatory),
        // A name that reads like a reason is none.
        ("Het artikel \"Verplicht: nummer\" is vreemd", Reason::Other),
        ("", Reason::Other),
    ] {
        assert_eq!(Reason::of(words), reason, "{words}");
    }
}

#[test]
fn a_refusal_says_in_exacts_words_what_is_wrong_and_then_what_to_do() {
    let body = said("Gegeven bestaat reeds.");
    let error = refusal(Effect::Write, StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), &body, &[]);
    assert_eq!(
        error.to_string(),
        "Exact Online refuses (status 500): Gegeven bestaat reeds. (another record of Exact Online has this already: \
         change one of the two)"
    );
}
