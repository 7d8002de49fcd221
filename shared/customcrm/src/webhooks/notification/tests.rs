#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::{SignedDuration, Timestamp};
use model::EntityName;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

use super::{
    Delivery, NOTIFICATION_BYTES_MAX, Notification, NotificationError as Refused, NotificationJudge,
    TOLERANCE, ToldOf,
};
use crate::webhooks::declaration::tests::{STANDARD as STANDARD_API, collections, written};
use crate::{Encoding, Scheme, WebhooksDeclaration};

/// A secret, and what it signs, as the libraries of Standard Webhooks test themselves.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const VECTOR_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const VECTOR_SENT: i64 = 1_614_265_330;
const VECTOR_BODY: &str = r#"{"test": 2432232314}"#;
const VECTOR_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

const ID: &str = "msg_1";
const UPDATED: &str =
    r#"{"type":"customer.updated","timestamp":"2026-01-01T00:00:00Z","data":{"id":"c-17"}}"#;

/// What the default API declares.
fn standard() -> WebhooksDeclaration {
    written(STANDARD_API)
}

fn judge_of(declaration: &WebhooksDeclaration, secret: &str) -> NotificationJudge {
    NotificationJudge::new(declaration.meant(&collections()).unwrap(), &secret.into()).unwrap()
}

fn now() -> Timestamp {
    "2026-10-01T12:00:00Z".parse().unwrap()
}

/// What a CRM that knows the secret sends.
#[derive(Clone)]
struct Post {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Post {
    fn of(headers: &[(&str, &str)], body: &[u8]) -> Self {
        let header = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        Self { headers: headers.iter().map(header).collect(), body: body.to_vec() }
    }

    /// Signed as Standard Webhooks has it, and sent at this moment.
    fn signed(id: &str, at: Timestamp, body: &[u8]) -> Self {
        let sent = at.as_second().to_string();
        let signature = signature(SECRET, &[id.as_bytes(), b".", sent.as_bytes(), b".", body].concat());
        Self::of(&[("webhook-id", id), ("webhook-timestamp", &sent), ("webhook-signature", &signature)], body)
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    fn twice(mut self, name: &'static str) -> Self {
        let value = self.headers[name].clone();
        self.headers.append(name, value);
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

fn signature(secret: &str, content: &[u8]) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(content);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// What becomes of a post to the webhooks of the default API.
fn judged(post: &Post) -> Result<Notification, Refused> {
    judge_of(&standard(), SECRET).judge(&post.headers, &post.body, now())
}

fn updated() -> Post {
    Post::signed(ID, now(), UPDATED.as_bytes())
}

fn of(collection: &str) -> ToldOf {
    ToldOf::Collection(EntityName::parse(collection).unwrap())
}

/// Webhooks that say nothing of what they tell.
fn bare() -> WebhooksDeclaration {
    WebhooksDeclaration { type_at: None, id_at: None, types: [].into(), ..standard() }
}

fn hmac(encoding: Encoding, prefix: Option<&str>) -> WebhooksDeclaration {
    WebhooksDeclaration {
        scheme: Scheme::Hmac,
        header: Some("X-Hub-Signature-256".to_owned()),
        encoding: Some(encoding),
        prefix: prefix.map(str::to_owned),
        ..bare()
    }
}

fn unsigned(header: &'static str) -> Result<Notification, Refused> {
    Err(Refused::Unsigned { header: HeaderName::from_static(header) })
}

#[test]
fn the_vector_of_standard_webhooks_is_believed_at_its_time() {
    let judge = judge_of(&bare(), SECRET);
    let headers = [
        ("webhook-id", VECTOR_ID),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", VECTOR_SIGNATURE),
    ];
    let post = Post::of(&headers, VECTOR_BODY.as_bytes());
    let at = Timestamp::from_second(VECTOR_SENT).unwrap();
    let delivery = Delivery { id: VECTOR_ID.to_owned(), at };
    let expected = Notification {
        told_of: ToldOf::Everything,
        is_deletion: false,
        delivery: Some(delivery),
        record: None,
    };
    assert_eq!(judge.judge(&post.headers, &post.body, at), Ok(expected));
    assert_eq!(judge.judge(&post.headers, &post.body, now()), Err(Refused::Late));
}

#[test]
fn a_notification_tells_of_the_collection_of_its_type_and_names_its_record() {
    let told = judged(&updated()).unwrap();
    assert_eq!((told.told_of, told.record.as_deref()), (of("customers"), Some("c-17")));
    for entity in ["contact", "product", "order", "quote", "user"] {
        for happened in ["created", "updated", "deleted"] {
            let body = format!(r#"{{"type":"{entity}.{happened}","data":{{"id":7}}}}"#);
            let told = judged(&Post::signed(ID, now(), body.as_bytes())).unwrap();
            assert_eq!((told.told_of, told.record.as_deref()), (of(&format!("{entity}s")), Some("7")));
        }
    }
}

#[test]
fn of_several_types_that_fit_the_longest_counts() {
    let types = [("*", "users"), ("order.*", "orders"), ("order.line.*", "products"), ("order.x", "quotes")];
    let types = types.map(|(kind, collection)| (kind.to_owned(), collection.to_owned())).into();
    let judge = judge_of(&WebhooksDeclaration { types, ..standard() }, SECRET);
    let told = |kind: &str| {
        let post = Post::signed(ID, now(), format!(r#"{{"type":"{kind}"}}"#).as_bytes());
        judge.judge(&post.headers, &post.body, now()).unwrap().told_of
    };
    assert_eq!(told("order.made"), of("orders"));
    assert_eq!(told("order.line.made"), of("products"));
    assert_eq!(told("order.x"), of("quotes"));
    assert_eq!(told("order.xy"), of("orders"));
    assert_eq!(told("order"), of("users"));
}

#[test]
fn a_deletion_is_told_by_the_types_that_are_declared() {
    let told = |deletions: &[&str], kind: &str| {
        let deletions = deletions.iter().map(|pattern| (*pattern).to_owned()).collect();
        let judge = judge_of(&WebhooksDeclaration { deletions, ..standard() }, SECRET);
        let post = Post::signed(ID, now(), format!(r#"{{"type":"{kind}"}}"#).as_bytes());
        judge.judge(&post.headers, &post.body, now()).unwrap().is_deletion
    };
    let deletions = ["order.gone", "quote.lost.*", "*.deleted"];
    for kind in ["order.gone", "quote.lost.at-last", "customer.deleted"] {
        assert!(told(&deletions, kind), "{kind}");
        assert!(!told(&[], kind), "{kind}");
    }
    for kind in ["order.gone.not", "customer.lost.x", "customer.deleted.not", "customer.updated"] {
        assert!(!told(&deletions, kind), "{kind}");
    }
}

#[test]
fn what_is_signed_and_tells_of_nothing_kept_is_authentic() {
    let lead = Post::signed(ID, now(), br#"{"type":"lead.created"}"#);
    let refused = judged(&lead).unwrap_err();
    assert_eq!(refused, Refused::OtherType { kind: "lead.created".to_owned() });
    assert!(refused.is_authentic());
    for body in [&b""[..], b"{}", b"[]", b"type=customer.updated", br#"{"type":7}"#, &[0xff]] {
        let refused = judged(&Post::signed(ID, now(), body)).unwrap_err();
        assert_eq!(refused, Refused::Incomplete, "{}", String::from_utf8_lossy(body));
        assert!(refused.is_authentic());
    }
    let long = "x".repeat(1_000);
    let refused = judged(&Post::signed(ID, now(), format!(r#"{{"type":"{long}"}}"#).as_bytes()));
    assert!(refused.unwrap_err().to_string().len() < 150);
}

#[test]
fn a_post_that_lacks_a_header_or_has_it_twice_is_unsigned() {
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert_eq!(judged(&updated().without(header)), unsigned(header));
        assert_eq!(judged(&updated().twice(header)), unsigned(header));
    }
    assert_eq!(judged(&Post::of(&[], b"")), unsigned("webhook-id"));
}

#[test]
fn an_id_that_can_t_be_remembered_and_a_moment_that_is_none_are_refused() {
    for id in [String::new(), "x".repeat(257)] {
        assert_eq!(judged(&Post::signed(&id, now(), UPDATED.as_bytes())), unsigned("webhook-id"));
    }
    assert!(judged(&Post::signed(&"x".repeat(256), now(), UPDATED.as_bytes())).is_ok());
    for moment in ["", "soon", "1e9", "+1790856000", "-1", "1790856000.5", "99999999999999999999"] {
        let refused = judged(&updated().with("webhook-timestamp", moment));
        assert_eq!(refused, unsigned("webhook-timestamp"), "{moment}");
    }
}

#[test]
fn a_signature_is_of_the_id_the_moment_and_the_body() {
    let later = (now().as_second() + 1).to_string();
    assert_eq!(judged(&updated().with("webhook-id", "msg_2")), Err(Refused::Forged));
    assert_eq!(judged(&updated().with("webhook-timestamp", &later)), Err(Refused::Forged));
    let mut other = updated();
    other.body.push(b' ');
    assert_eq!(judged(&other), Err(Refused::Forged));
    let strange = judge_of(&standard(), "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let post = updated();
    assert_eq!(strange.judge(&post.headers, &post.body, now()), Err(Refused::Forged));
}

#[test]
fn of_several_signatures_one_of_the_first_eight_must_be_right() {
    let right = updated().header("webhook-signature").to_owned();
    let wrong = format!("v1,{}", STANDARD.encode([7; 32]));
    for signatures in
        [format!("{right} {wrong}"), format!("{wrong} {right}"), format!("v1a,AAAA v2,{wrong} x {right}")]
    {
        assert!(judged(&updated().with("webhook-signature", &signatures)).is_ok(), "{signatures}");
    }
    let many = format!("{}{right}", format!("{wrong} ").repeat(8));
    let bare = right.strip_prefix("v1,").unwrap();
    for signatures in
        ["", "v1,", "v1", &wrong, bare, &format!("v1a,{bare}"), &format!("v2,{bare}"), &right[..40], &many]
    {
        let refused = judged(&updated().with("webhook-signature", signatures));
        assert_eq!(refused, Err(Refused::Forged), "{signatures}");
    }
}

#[test]
fn what_was_sent_more_than_five_minutes_from_now_is_late_either_way() {
    let second = SignedDuration::from_secs(1);
    for (at, is_late) in [
        (now() - TOLERANCE, false),
        (now() + TOLERANCE, false),
        (now() - TOLERANCE - second, true),
        (now() + TOLERANCE + second, true),
        (Timestamp::UNIX_EPOCH, true),
        ("9999-12-30T00:00:00Z".parse().unwrap(), true),
    ] {
        let refused = judged(&Post::signed(ID, at, UPDATED.as_bytes())).err();
        assert_eq!(refused, is_late.then_some(Refused::Late), "{at}");
    }
    let forged = updated().with("webhook-timestamp", "0");
    assert_eq!(
        judged(&forged),
        Err(Refused::Forged),
        "who does not know the secret learns nothing of clocks"
    );
}

#[test]
fn attempts_of_one_notification_are_told_apart_by_their_moments() {
    let delivery = |id: &str, at| judged(&Post::signed(id, at, UPDATED.as_bytes())).unwrap().delivery;
    let first = delivery(ID, now()).unwrap().to_string();
    assert_eq!(delivery(ID, now()).unwrap().to_string(), first);
    assert_ne!(delivery(ID, now() + SignedDuration::from_secs(5)).unwrap().to_string(), first);
    assert_ne!(delivery("msg_2", now()).unwrap().to_string(), first);
}

#[test]
fn an_hmac_of_the_body_that_another_program_made_is_believed() {
    // The example of GitHub's documentation.
    let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!");
    let hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let base64 = STANDARD.encode(hex::decode(hex).unwrap());
    let judged = |encoding, prefix, value: &str| {
        let post = Post::of(&[("x-hub-signature-256", value)], body);
        let judge = judge_of(&hmac(encoding, prefix), secret);
        judge.judge(&post.headers, &post.body, now())
    };
    let told = judged(Encoding::Hex, Some("sha256="), &format!("sha256={hex}")).unwrap();
    let expected =
        Notification { told_of: ToldOf::Everything, is_deletion: false, delivery: None, record: None };
    assert_eq!(told, expected);
    assert!(judged(Encoding::Hex, None, &hex.to_ascii_uppercase()).is_ok());
    assert!(judged(Encoding::Base64, None, &base64).is_ok());
    for (encoding, prefix, value) in [
        (Encoding::Hex, Some("sha256="), hex),
        (Encoding::Hex, None, &format!("sha256={hex}")),
        (Encoding::Hex, None, &hex[..62]),
        (Encoding::Hex, None, &base64),
        (Encoding::Hex, None, ""),
        (Encoding::Base64, None, hex),
        (Encoding::Base64, None, &hex.replacen('7', "8", 1)),
    ] {
        assert_eq!(judged(encoding, prefix, value), Err(Refused::Forged), "{value}");
    }
    let post = Post::of(&[("x-hub-signature", hex)], body);
    let refused = judge_of(&hmac(Encoding::Hex, None), secret).judge(&post.headers, &post.body, now());
    assert_eq!(refused, unsigned("x-hub-signature-256"));
}

#[test]
fn what_is_too_large_is_refused_before_anything_is_looked_at() {
    let large = vec![b' '; NOTIFICATION_BYTES_MAX + 1];
    assert_eq!(judged(&Post::signed(ID, now(), &large)), Err(Refused::TooLarge));
    assert_eq!(judged(&Post::signed(ID, now(), &large[1..])), Err(Refused::Incomplete));
}

#[test]
fn a_secret_that_is_none_of_standard_webhooks_is_refused_and_not_told() {
    let refused = |secret: &str| {
        let webhooks = standard().meant(&collections()).unwrap();
        NotificationJudge::new(webhooks, &secret.into()).unwrap_err()
    };
    for (secret, what) in [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("", "does not begin with whsec_"),
        ("whsec_hidden secret", "is not in Base64"),
        ("whsec_", "is shorter than Standard Webhooks allows"),
        ("whsec_aGlkZGVu", "is shorter than Standard Webhooks allows"),
    ] {
        let problem = refused(secret);
        assert_eq!(problem.key, "webhooks.secret_file");
        assert!(problem.what.contains(what), "{problem}");
        assert!(problem.remedy.contains("whsec_ and at least 24 random bytes in Base64"), "{problem}");
        assert!(!problem.to_string().contains("hidden"), "{problem}");
    }
    let judge = judge_of(&standard(), SECRET);
    let debug = format!("{judge:?}");
    assert!(!debug.contains("MfKQ") && debug.contains("REDACTED"), "{debug}");
}

#[test]
fn only_what_is_signed_and_of_now_is_authentic() {
    let header = HeaderName::from_static("webhook-id");
    for refused in [Refused::TooLarge, Refused::Unsigned { header }, Refused::Forged, Refused::Late] {
        assert!(!refused.is_authentic(), "{refused}");
    }
}

#[test]
fn a_deeply_nested_body_does_no_harm() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(judged(&Post::signed(ID, now(), deep.as_bytes())), Err(Refused::Incomplete));
}

proptest! {
    #[test]
    fn no_post_of_any_content_is_believed_or_does_harm(
        headers in prop::collection::vec("[ -~]{0,60}", 3),
        body in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let headers: Vec<_> = names.into_iter().zip(headers.iter().map(String::as_str)).collect();
        let refused = judged(&Post::of(&headers, &body));
        prop_assert!(refused.is_err_and(|refused| !refused.is_authentic()));
    }

    #[test]
    fn a_notification_with_any_byte_changed_is_refused(at in 0..UPDATED.len(), bit in 0..8) {
        let mut post = updated();
        post.body[at] ^= 1_u8 << bit;
        prop_assert_eq!(judged(&post), Err(Refused::Forged));
    }

    #[test]
    fn a_signature_with_any_character_changed_is_refused(at in 0..47_usize, other in "[ -~]") {
        let mut post = updated();
        let mut signature = post.header("webhook-signature").to_owned();
        prop_assume!(signature[at..=at] != other);
        signature.replace_range(at..=at, &other);
        post = post.with("webhook-signature", &signature);
        prop_assert_eq!(judged(&post), Err(Refused::Forged));
    }

    #[test]
    fn whatever_is_signed_now_is_believed(id in "[!-~]{1,256}", body in any::<Vec<u8>>()) {
        let post = Post::signed(&id, now(), &body);
        let told = judge_of(&bare(), SECRET).judge(&post.headers, &post.body, now()).unwrap();
        prop_assert_eq!(told.told_of, ToldOf::Everything);
        prop_assert_eq!(told.delivery, Some(Delivery { id, at: now() }));
    }
}
