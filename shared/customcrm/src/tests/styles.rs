//! What is sent to a CRM of another style, and what is made of its answers: against a server that answers as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use mapping::{LinePut, Put};
use model::{ConnectionName, Content, FailureClass, Presence, Version};
use secrecy::SecretString;
use store::Embedded;
use tokio::net::TcpListener;
use url::Url;

use super::{id, properties};
use crate::{ChangesCursor, CustomCrm, Declaration, Error, Settings};

/// A call as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Call {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

type Answers = Arc<dyn Fn(&Call) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync>;

#[derive(Clone)]
struct Crm {
    answers: Answers,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Crm {
    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The calls as method, path with query, and body.
    fn said(&self) -> Vec<String> {
        let said = |call: &Call| format!("{} {} {}", call.method, call.path, call.body).trim().to_owned();
        self.calls().iter().map(said).collect()
    }
}

async fn answer(State(crm): State<Crm>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let call = Call {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: headers.collect(),
        body: String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap(),
    };
    let (status, headers, body) = (crm.answers)(&call);
    crm.calls.lock().unwrap().push(call);
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A declaration, and a CRM that answers so.
async fn started(
    declaration: &str,
    answers: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static,
) -> (Crm, CustomCrm<Embedded>) {
    with_headers(declaration, move |call| {
        let (status, body) = answers(call);
        (status, Vec::new(), body)
    })
    .await
}

async fn with_headers(
    declaration: &str,
    answers: impl Fn(&Call) -> (u16, Vec<(&'static str, String)>, String) + Send + Sync + 'static,
) -> (Crm, CustomCrm<Embedded>) {
    let crm = Crm { answers: Arc::new(answers), calls: Arc::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/api", listener.local_addr().unwrap()).parse().unwrap();
    let routes = Router::new().fallback(answer).with_state(crm.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let settings = Settings {
        user: Some("tandem".to_owned()),
        client_secret: Some("c1ient".to_owned().into()),
        ..Settings::new(url, SecretString::from("s3cret".to_owned()))
    };
    let declaration =
        Declaration::parse("crm.toml", declaration).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let connection = ConnectionName::parse("acme").unwrap();
    let client =
        CustomCrm::new(&settings, declaration, Embedded::in_memory().unwrap(), "test", &connection).unwrap();
    (crm, client)
}

fn declared(sections: &str) -> String {
    format!(
        "crm = \"Other\"\n{sections}\n[collections.customers]\npath = \"crm/customers\"\n{}",
        "names = { Id = \"id\", Name = \"attributes.name\" }\nnumbers_as_texts = [\"CreditLimit\"]",
    )
}

const PLAIN: &str =
    "[authentication]\nscheme = \"none\"\n[record]\nid = \"id\"\n[paging]\nstyle = \"none\"\nsize = 2\n";

fn put(json: &str) -> Put {
    Put { properties: properties(json), lines: Vec::new() }
}

#[tokio::test]
async fn each_way_to_say_who_calls_is_said_so() {
    for (scheme, header, expected) in [
        ("scheme = \"none\"", "authorization", None),
        ("scheme = \"bearer\"", "authorization", Some("Bearer s3cret")),
        ("scheme = \"basic\"", "authorization", Some("Basic dGFuZGVtOnMzY3JldA==")),
        ("scheme = \"header\"\nheader = \"X-Key\"\nprefix = \"key \"", "x-key", Some("key s3cret")),
    ] {
        let declaration = declared(&PLAIN.replace("scheme = \"none\"", scheme));
        let (crm, client) = started(&declaration, |_| (200, "[]".to_owned())).await;
        client.scan("customers", None, 10).await.unwrap();
        assert_eq!(crm.calls()[0].headers.get(header).map(String::as_str), expected, "{scheme}");
    }
}

#[tokio::test]
async fn a_token_of_oauth_serves_until_it_is_refused_and_is_then_had_anew() {
    for (scheme, in_body, grant) in [
        ("client-credentials", false, "grant_type=client_credentials&scope=crm"),
        (
            "refresh-token",
            true,
            "grant_type=refresh_token&refresh_token=s3cret&scope=crm&client_id=tandem&client_secret=c1ient",
        ),
    ] {
        let credentials = if in_body { "body" } else { "header" };
        let oauth = format!(
            "scheme = \"{scheme}\"\ntoken_path = \"oauth/token\"\nscope = \"crm\"\ncredentials = \"{credentials}\""
        );
        let declaration = declared(&PLAIN.replace("scheme = \"none\"", &oauth));
        let given = Mutex::new(0);
        let (crm, client) = started(&declaration, move |call| {
            if call.path == "/api/oauth/token" {
                let mut given = given.lock().unwrap();
                *given += 1;
                return (
                    200,
                    format!(r#"{{"access_token":"t{given}","expires_in":3600,"token_type":"bearer"}}"#),
                );
            }
            let is_old = call.headers["authorization"] == "Bearer t1" && call.path.contains("later");
            if is_old { (401, "{}".to_owned()) } else { (200, "[]".to_owned()) }
        })
        .await;
        client.scan("customers", None, 10).await.unwrap();
        client.scan("customers", None, 10).await.unwrap();
        let refused = client.record("customers", &id("later")).await.unwrap_err();
        assert_eq!(refused.class(), FailureClass::Auth);
        client.scan("customers", None, 10).await.unwrap();
        let calls = crm.calls();
        let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
        let (token, list) = ("/api/oauth/token", "/api/crm/customers");
        assert_eq!(paths, [token, list, list, "/api/crm/customers/later", token, list]);
        assert_eq!(calls[0].body, grant);
        assert_eq!(calls[0].headers.contains_key("authorization"), !in_body);
        assert_eq!(calls[5].headers["authorization"], "Bearer t2");
    }
}

#[tokio::test]
async fn a_refresh_token_that_changes_with_each_answer_is_refused_in_words() {
    let oauth = "scheme = \"refresh-token\"\ntoken_path = \"token\"";
    let declaration = declared(&PLAIN.replace("scheme = \"none\"", oauth));
    let (_crm, client) =
        started(&declaration, |_| (200, r#"{"access_token":"t","refresh_token":"other"}"#.to_owned())).await;
    let error = client.scan("customers", None, 10).await.unwrap_err();
    assert!(error.to_string().contains("use client-credentials"), "{error}");
}

/// All marks of a scan, and the ids that it shows.
async fn scanned(client: &CustomCrm<Embedded>) -> Vec<String> {
    let (mut ids, mut mark) = (Vec::new(), None);
    loop {
        let page = client.scan("customers", mark.as_deref(), 2).await.unwrap();
        ids.extend(page.records.iter().map(|record| record.id.to_string()));
        mark = page.next;
        if mark.is_none() {
            return ids;
        }
    }
}

#[tokio::test]
async fn pages_are_asked_for_in_each_style() {
    let page = |ids: &[&str]| {
        let records: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        format!("[{}]", records.join(","))
    };
    let all = move |call: &Call| {
        let is_first = ["page=1", "offset=0"].iter().any(|first| call.path.contains(first))
            || (!call.path.contains("page=") && !call.path.contains("offset="));
        page(if is_first { &["a", "b"] } else { &["c"] })
    };
    let style = |style: &str| {
        declared(
            &PLAIN.replace("style = \"none\"", style).replace("size = 2", "size = 2\nsize_parameter = \"n\""),
        )
    };

    let answers = all;
    let (crm, client) =
        started(&style("style = \"page\"\nparameter = \"page\""), move |call| (200, answers(call))).await;
    assert_eq!(scanned(&client).await, ["a", "b", "c"]);
    assert_eq!(crm.said(), ["GET /api/crm/customers?n=2&page=1", "GET /api/crm/customers?n=2&page=2"]);

    let (crm, client) =
        started(&style("style = \"offset\"\nparameter = \"offset\""), move |call| (200, answers(call))).await;
    assert_eq!(scanned(&client).await, ["a", "b", "c"]);
    assert_eq!(crm.said(), ["GET /api/crm/customers?n=2", "GET /api/crm/customers?n=2&offset=2"]);

    let (crm, client) = with_headers(&style("style = \"link\""), move |call| {
        let next = "</api/crm/customers?page=2>; rel=\"next\", </api/crm/customers?page=9>; rel=\"last\"";
        let link = if call.path.contains("page=2") { "<x>; rel=\"prev\"" } else { next };
        (200, vec![("link", link.to_owned())], answers(call))
    })
    .await;
    assert_eq!(scanned(&client).await, ["a", "b", "c"]);
    assert_eq!(crm.said()[1], "GET /api/crm/customers?page=2");

    let answer = "[answer]\nlist = \"data\"\n";
    let next =
        style("style = \"next\"\nnext = \"links.next\"").replace("[record]", &format!("{answer}[record]"));
    let (crm, client) = started(&next, move |call| {
        let next = if call.path.contains("page=2") { "null" } else { "\"/api/crm/customers?page=2\"" };
        (200, format!(r#"{{"data":{},"links":{{"next":{next}}}}}"#, answers(call)))
    })
    .await;
    assert_eq!(scanned(&client).await, ["a", "b", "c"]);
    assert_eq!(crm.said()[1], "GET /api/crm/customers?page=2");
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_followed_for_the_secret_would_go_with_it() {
    let next = PLAIN.replace("style = \"none\"", "style = \"next\"\nnext = \"next\"");
    let declaration = declared(&next.replace("[record]", "[answer]\nlist = \"data\"\n[record]"));
    let (crm, client) = started(&declaration, |_| {
        (
            200,
            r#"{"data":[{"id":"a"}],"next":"http://elsewhere.example/api/crm/customers?page=2"}"#.to_owned(),
        )
    })
    .await;
    let page = client.scan("customers", None, 2).await.unwrap();
    let error = client.scan("customers", page.next.as_deref(), 2).await.unwrap_err();
    assert!(error.to_string().contains("at another address than its own"), "{error}");
    assert_eq!(crm.calls().len(), 1);
}

#[tokio::test]
async fn properties_are_called_and_written_as_declared_both_ways() {
    let wrapped = PLAIN.replace("[record]", "[answer]\nrecord = \"data\"\nsent = \"data\"\n[record]");
    let (crm, client) = started(&declared(&wrapped), |_| {
        let record = r#"{"id":7,"attributes":{"name":"Acme"},"CreditLimit":"12345678901234567.10"}"#;
        (200, format!(r#"{{"data":{record}}}"#))
    })
    .await;
    let sent = properties(r#"{"Name":"Acme","CreditLimit":12345678901234567.10}"#);
    let made = client.create("customers", &sent, "k").await.unwrap();
    let body = r#"{"data":{"CreditLimit":"12345678901234567.1","attributes":{"name":"Acme"}}}"#;
    assert_eq!(crm.said(), [format!("POST /api/crm/customers {body}")]);
    assert_eq!(made.id, id("7"));
    assert_eq!(made.properties["Name"], Content::from("Acme"));
    assert_eq!(made.properties["CreditLimit"], Content::Number("12345678901234567.10".parse().unwrap()));
    assert!(made.version.is_some(), "the store's moment stands for the version");
}

#[tokio::test]
async fn each_way_to_change_a_record_is_said_so() {
    let update = |update: &str| declared(&format!("{PLAIN}{update}"));
    let record = r#"{"id":"a","attributes":{"name":"Old"},"City":"Gent"}"#;
    let answers = move |_: &Call| (200, record.to_owned());
    let change = || put(r#"{"Name":"New","Notes":null}"#);

    let (crm, client) = started(&update(""), answers).await;
    client.update("customers", &id("a"), Version(1), &change()).await.unwrap();
    assert_eq!(crm.said(), [r#"PATCH /api/crm/customers/a {"Notes":null,"attributes":{"name":"New"}}"#]);
    assert_eq!(crm.calls()[0].headers["content-type"], "application/merge-patch+json");

    let (crm, client) = started(&update("[update]\nmethod = \"json-patch\""), answers).await;
    client.update("customers", &id("a"), Version(1), &change()).await.unwrap();
    let operations =
        r#"[{"op":"add","path":"/Notes","value":null},{"op":"add","path":"/attributes/name","value":"New"}]"#;
    assert_eq!(crm.said(), [format!("PATCH /api/crm/customers/a {operations}")]);

    let (crm, client) = started(&update("[update]\nmethod = \"put\""), answers).await;
    client.update("customers", &id("a"), Version(1), &change()).await.unwrap();
    let whole = r#"{"City":"Gent","Notes":null,"attributes":{"name":"New"},"id":"a"}"#;
    assert_eq!(
        crm.said(),
        ["GET /api/crm/customers/a".to_owned(), format!("PUT /api/crm/customers/a {whole}")]
    );
}

#[tokio::test]
async fn a_version_that_stands_in_a_property_is_sent_there() {
    let plain = PLAIN.replace("id = \"id\"", "id = \"id\"\nversion = \"rev\"");
    let declaration = declared(&format!("lock = \"version-property\"\n{plain}"));
    let (crm, client) = started(&declaration, |_| (200, r#"{"id":"a","rev":8}"#.to_owned())).await;
    let after = client.update("customers", &id("a"), Version(7), &put(r#"{"City":"Ulm"}"#)).await.unwrap();
    assert_eq!(crm.said(), [r#"PATCH /api/crm/customers/a {"City":"Ulm","rev":7}"#]);
    assert_eq!(after.version, Some(Version(8)));
}

#[tokio::test]
async fn a_create_at_an_id_of_ours_is_the_same_request_each_time() {
    let declaration =
        declared(&format!("{PLAIN}[create]\nmethod = \"put\"\nheaders = {{ X-Source = \"tandem\" }}"));
    let (crm, client) = started(&declaration, |_| (201, r#"{"id":"k1"}"#.to_owned())).await;
    for _ in 0..2 {
        client.create("customers", &properties(r#"{"City":"Ulm"}"#), "k1").await.unwrap();
    }
    assert_eq!(crm.said(), [r#"PUT /api/crm/customers/k1 {"City":"Ulm"}"#; 2]);
    assert_eq!(crm.calls()[0].headers["x-source"], "tandem");
    assert!(client.repeats_creates());
}

#[tokio::test]
async fn what_goes_is_archived_where_that_is_declared() {
    let declaration = declared(PLAIN) + "\narchive = { state = \"archived\" }";
    let (crm, client) = started(&declaration, |_| (200, r#"{"id":"a"}"#.to_owned())).await;
    client.delete("customers", &id("a"), Version(1)).await.unwrap();
    assert_eq!(crm.said(), [r#"PATCH /api/crm/customers/a {"state":"archived"}"#]);
}

#[tokio::test]
async fn a_search_is_said_as_declared_and_judged_again_by_us() {
    let search = "[search]\nparameter = \"filter\"\nvalue = '{property} = \"{value}\"'\njoin = \" && \"\nescape = '\\'";
    let (crm, client) = started(&declared(&format!("{PLAIN}{search}")), |_| {
        (200, r#"[{"id":"a","City":"GENT","Zip":"1"},{"id":"b","City":"Gentbrugge","Zip":"1"}]"#.to_owned())
    })
    .await;
    let (city, zip) = (Content::from("gent"), Content::from("1"));
    let found = client.search("customers", &[("City", &city), ("Zip", &zip)]).await.unwrap();
    assert_eq!(found.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["a"]);
    let asked = crm.calls()[0].path.clone();
    let url = Url::parse(&format!("http://crm.example{asked}")).unwrap();
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(query, [("filter".to_owned(), "City = \"gent\" && Zip = \"1\"".to_owned())]);

    let odd = Content::from("a\" || \"\\");
    client.search("customers", &[("City", &odd)]).await.unwrap();
    let url = Url::parse(&format!("http://crm.example{}", crm.calls()[1].path)).unwrap();
    assert_eq!(url.query_pairs().next().unwrap().1, r#"City = "a\" || \"\\""#);
}

#[tokio::test]
async fn a_record_is_looked_up_by_a_search_where_its_address_would_not_say_that_it_is_gone() {
    let lookup = PLAIN.replace("[record]", "[answer]\nlookup = \"search\"\n[record]");
    let declaration = declared(&format!("{lookup}[search]\nparameter = \"{{property}}\""));
    let (crm, client) = started(&declaration, |call| {
        (200, if call.path.ends_with("id=a") { r#"[{"id":"a"}]"# } else { "[]" }.to_owned())
    })
    .await;
    assert_eq!(client.record("customers", &id("a")).await.unwrap().id, id("a"));
    let gone = client.look("customers", &id("b")).await.unwrap();
    assert_eq!((gone.presence, gone.version.is_some()), (Presence::Deleted, true));
    assert_eq!(crm.said(), ["GET /api/crm/customers?id=a", "GET /api/crm/customers?id=b"]);
}

#[tokio::test]
async fn times_are_read_and_asked_for_as_the_crm_writes_them() {
    for (time, written, asked) in [
        ("epoch-seconds", "1800000005", "1800000003"),
        ("epoch-milliseconds", "1800000005000", "1800000003000"),
        ("%Y-%m-%d %H:%M:%S", "\"2027-01-15 08:00:05\"", "2027-01-15+08%3A00%3A03"),
        ("%Y-%m-%d %H:%M:%S%.3fZ", "\"2027-01-15 08:00:05.250Z\"", "2027-01-15+08%3A00%3A03.250Z"),
        ("rfc3339", "\"2027-01-15T09:00:05+01:00\"", "2027-01-15T08%3A00%3A03Z"),
        ("%Y-%m-%d", "\"2027-01-15\"", "2027-01-14"),
    ] {
        let timed =
            PLAIN.replace("id = \"id\"", &format!("id = \"id\"\nmodified_at = \"at\"\ntime = \"{time}\""));
        let declaration = declared(&format!("{timed}[incremental]\nparameter = \"since\""));
        let (crm, client) =
            started(&declaration, move |_| (200, format!(r#"[{{"id":"a","at":{written}}}]"#))).await;
        let page = client.changes("customers", &ChangesCursor::start(), 10).await.unwrap();
        assert_eq!(page.records.len(), 1, "{time}");
        client.changes("customers", &page.next, 10).await.unwrap();
        let said = crm.said();
        assert_eq!(said[0], "GET /api/crm/customers");
        assert_eq!(said[1], format!("GET /api/crm/customers?since={asked}"), "{time}");
    }
}

#[tokio::test]
async fn what_a_refusal_says_is_found_where_it_is_declared_to_be() {
    let errors = "[errors]\nmessage = [\"message\"]\nproperties = \"data\"\ntext = \"message\"\nduplicate = \"of\"\nduplicate_words = [\"not_unique\"]\nstatuses = { 422 = \"stale\", 403 = \"transient\" }";
    let (_crm, client) = started(&declared(&format!("{PLAIN}{errors}")), |call| match call.path.rsplit('/').next() {
        Some("stale") => (422, "{}".to_owned()),
        Some("later") => (403, "{}".to_owned()),
        _ => (400, r#"{"message":"No. s3cret","data":{"Code":{"code":"not_unique","message":"is taken"}},"of":"c9"}"#.to_owned()),
    })
    .await;
    let update = async |record: &str| {
        client.update("customers", &id(record), Version(1), &put(r#"{"City":"Ulm"}"#)).await.unwrap_err()
    };
    assert_eq!(update("stale").await.class(), FailureClass::Stale);
    assert_eq!(update("later").await.class(), FailureClass::Transient);
    let taken = client.create("customers", &properties(r#"{"City":"Ulm"}"#), "k").await.unwrap_err();
    assert_eq!(taken.duplicate_of(), Some(&id("c9")));
    let Error::Duplicate { words, .. } = taken else { panic!("{taken:?}") };
    assert_eq!(words, "No. (token): Code is taken");
}

#[tokio::test]
async fn a_crm_that_says_that_no_call_is_left_is_not_called_before_it_has_some_again() {
    let limits = "[limits]\nremaining_header = \"X-Left\"\nreset_header = \"X-Reset\"";
    let (crm, client) = with_headers(&declared(&format!("{PLAIN}{limits}")), |_| {
        (200, vec![("x-left", "0".to_owned()), ("x-reset", "30".to_owned())], "[]".to_owned())
    })
    .await;
    client.scan("customers", None, 10).await.unwrap();
    let FailureClass::Throttled { after } = client.scan("customers", None, 10).await.unwrap_err().class()
    else {
        panic!("it was called")
    };
    assert!((28..=30).contains(&after.as_secs()), "{after:?}");
    assert_eq!(crm.calls().len(), 1);
}

/// Orders whose lines are as declared.
fn orders(lines: &str) -> String {
    format!(
        "crm = \"Other\"\n{PLAIN}[search]\nparameter = \"{{property}}\"\n[collections.orders]\npath = \"orders\"\n{lines}"
    )
}

fn changed_lines() -> Put {
    Put {
        properties: properties(r#"{"Notes":"x"}"#),
        lines: vec![
            LinePut::Change { id: id("1"), properties: properties(r#"{"Quantity":3}"#) },
            LinePut::Remove { id: id("2") },
            LinePut::Add(properties(r#"{"Quantity":4}"#)),
        ],
    }
}

#[tokio::test]
async fn of_lines_that_are_patched_only_those_are_sent_that_change() {
    let lines =
        "lines = { style = \"patched\", property = \"Lines\", id = \"LineId\", removed = \"Deleted\" }";
    let (crm, client) = started(&orders(lines), |_| (200, r#"{"id":"o"}"#.to_owned())).await;
    client.update("orders", &id("o"), Version(1), &changed_lines()).await.unwrap();
    let list = r#"[{"LineId":"1","Quantity":3},{"Deleted":true,"LineId":"2"},{"Quantity":4}]"#;
    assert_eq!(crm.said(), [format!(r#"PATCH /api/orders/o {{"Lines":{list},"Notes":"x"}}"#)]);
    client.update("orders", &id("o"), Version(1), &put(r#"{"Notes":"y"}"#)).await.unwrap();
    assert_eq!(
        crm.said()[1],
        r#"PATCH /api/orders/o {"Notes":"y"}"#,
        "no line changes, so none is spoken of"
    );
}

#[tokio::test]
async fn lines_that_are_sent_whole_keep_what_is_not_ours() {
    let lines = "lines = { style = \"whole\", property = \"Lines\", id = \"LineId\" }";
    let order =
        r#"{"id":"o","Lines":[{"LineId":"1","Quantity":1,"Colour":"red"},{"LineId":"2","Quantity":2}]}"#;
    let (crm, client) = started(&orders(lines), move |_| (200, order.to_owned())).await;
    client.update("orders", &id("o"), Version(1), &changed_lines()).await.unwrap();
    let said = crm.said();
    let begin = r#"PATCH /api/orders/o {"Lines":[{"Colour":"red","LineId":"1","Quantity":3},{"LineId":""#;
    assert!(said[1].starts_with(begin) && said[1].contains(r#""Quantity":4}],"Notes":"x"}"#), "{}", said[1]);
    assert!(!said[1].contains(r#""LineId":"2""#), "{}", said[1]);
}

#[tokio::test]
async fn a_line_without_an_id_has_one_that_stays_while_it_stays() {
    let lines = "lines = { style = \"whole\", property = \"Lines\", id = \"LineId\" }";
    let order = r#"{"id":"o","Lines":[{"Quantity":1},{"Quantity":1},{"Quantity":2}]}"#;
    let (_crm, client) = started(&orders(lines), move |_| (200, order.to_owned())).await;
    let ids = async || {
        let record = client.record("orders", &id("o")).await.unwrap();
        let Content::List(lines) = &record.properties["Lines"] else { panic!("{record:?}") };
        let id = |line: &Content| match line {
            Content::Object(line) => line["LineId"].clone(),
            other => panic!("{other:?}"),
        };
        lines.iter().map(id).collect::<Vec<_>>()
    };
    let first = ids().await;
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2], "{first:?}");
    assert_eq!(ids().await, first);
}

#[tokio::test]
async fn lines_that_are_records_of_their_own_are_written_one_by_one() {
    let lines = "[collections.orders.lines]\nstyle = \"children\"\nproperty = \"Lines\"\nid = \"LineId\"\npath = \"order_lines\"\nparent = \"of\"\nnames = { LineId = \"id\" }";
    let (crm, client) = started(&orders(lines), |call| match (call.method.as_str(), call.path.as_str()) {
        ("DELETE", _) => (204, String::new()),
        (_, "/api/order_lines?of=o") => {
            (200, r#"[{"id":"1","of":"o","Quantity":3},{"id":"9","of":"other"}]"#.to_owned())
        }
        (_, path) if path.starts_with("/api/order_lines") => (200, r#"{"id":"3"}"#.to_owned()),
        _ => (200, r#"{"id":"o"}"#.to_owned()),
    })
    .await;
    let after = client.update("orders", &id("o"), Version(1), &changed_lines()).await.unwrap();
    assert_eq!(
        crm.said(),
        [
            r#"PATCH /api/orders/o {"Notes":"x"}"#,
            r#"PATCH /api/order_lines/1 {"Quantity":3}"#,
            "DELETE /api/order_lines/2",
            r#"POST /api/order_lines {"Quantity":4,"of":"o"}"#,
            "GET /api/orders/o",
            "GET /api/order_lines?of=o",
        ]
    );
    let expected = Content::Object(properties(r#"{"LineId":"1","of":"o","Quantity":3}"#));
    assert_eq!(after.properties["Lines"], Content::List(vec![expected]));
}
