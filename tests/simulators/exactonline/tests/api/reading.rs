use reqwest::Method;
use serde_json::json;
use simulator_exactonline::{Limits, Settings, Switches};

use crate::company::{Company, calm, reply};

const SYNTAX: &str = "Bad Request - Error in query syntax.";

#[tokio::test]
async fn the_own_user_tells_the_division_and_the_server_clock() {
    let company = Company::open().await;
    let url = format!(
        "{}/api/v1/current/Me?$select=CurrentDivision,UserID,ServerTime,ServerUtcOffset",
        company.running.base_url
    );
    let me = company.get_as(&company.token, &url).await;
    assert_eq!(me.header("X-RateLimit-Limit"), None);
    let record = me.results().remove(0);
    assert_eq!(record["CurrentDivision"], json!(company.running.division));
    assert_eq!(record["UserID"], json!(company.running.api_user_id.to_string()));
    assert_eq!(record["ServerUtcOffset"], json!(3_600));
    assert_eq!(record["ServerTime"], json!("2026-01-15T11:00:30"));
    assert!(record.get("FullName").is_none());
}

#[tokio::test]
async fn in_summer_the_wall_clock_is_two_hours_ahead() {
    let start_at = Some("2026-07-01T10:00:00Z".parse().unwrap());
    let company = Company::open_with(Settings { start_at, ..calm() }).await;
    let id = company.create(r#"{"Name":"Summer"}"#).await;
    // 2026-07-01T12:00:00 as if it were UTC.
    assert_eq!(company.account(&id).await["Created"], json!("/Date(1782907200000)/"));
}

#[tokio::test]
async fn divisions_and_users_are_listed() {
    let company = Company::open().await;
    let divisions = company.get("system/Divisions?$select=Code,Current,Status,DivisionMoveDate").await;
    assert_eq!(divisions.column("Code"), [json!(company.running.division)]);
    assert_eq!(divisions.column("DivisionMoveDate"), [json!(null)]);
    let single = company.get(&format!("system/Divisions({})", company.running.division)).await;
    assert_eq!(single.json()["d"]["Current"], json!(true));
    let users = company.get("users/Users?$filter=Email eq 'bea@example.com'&$select=UserID,FullName").await;
    assert_eq!(users.column("UserID"), [json!(company.running.human_id.to_string())]);
}

#[tokio::test]
async fn the_divisions_of_the_licence_are_listed_with_a_status_of_their_own() {
    let company = Company::open_with(Settings { further_divisions: vec![9], ..calm() }).await;
    let own = company.running.division;
    let divisions = company.get("hrm/Divisions?$select=Code,Description,Main,Status").await;
    assert_eq!(divisions.column("Code"), [json!(9), json!(own)]);
    assert_eq!(divisions.column("Main"), [json!(false), json!(true)]);
    // Here 0 is a regular company, in the other list an inactive one.
    assert_eq!(divisions.column("Status"), [json!(0), json!(0)]);
    let single = company.get(&format!("hrm/Divisions({own})")).await;
    assert_eq!(single.json()["d"]["Description"], json!(format!("Company {own}")));
    // This one is known to the other list only.
    let unknown = company.get("hrm/Divisions?$select=DivisionMoveDate").await;
    assert_eq!(unknown.status, 400);
}

#[tokio::test]
async fn a_division_out_of_scope_is_forbidden_with_the_reason() {
    let company = Company::open().await;
    let url = format!("{}/api/v1/77/crm/Accounts?$top=1", company.running.base_url);
    let answer = company.get_as(&company.token, &url).await;
    assert_eq!(answer.error(), (403, "Forbidden - User division is not within division scope.".to_owned()));
    assert_eq!(answer.header("Reason"), Some("NoDivisionAccess"));
}

#[tokio::test]
async fn paths_match_in_any_case_and_unknown_ones_are_not_found() {
    let company = Company::open().await;
    for path in ["CRM/accounts", "crm/ACCOUNTS"] {
        assert_eq!(company.get(&format!("{path}?$select=ID&$filter=Name eq 'x'")).await.status, 200);
    }
    for path in ["crm/Nothing", "crm", "crm/Accounts(guid'00000000-0000-0000-0000-000000000001')"] {
        assert_eq!(company.get(path).await.status, 404, "{path}");
    }
    assert_eq!(company.send(Method::POST, "sync/CRM/Accounts", "{}").await.status, 405);
    assert_eq!(company.send(Method::PATCH, "crm/Accounts", "{}").await.status, 405);
}

#[tokio::test]
async fn only_json_is_spoken() {
    let company = Company::open().await;
    for accept in ["application/xml", "*/*", "application/atom+xml"] {
        let request = company.http.get(company.url("users/Users")).bearer_auth(&company.token);
        assert_eq!(reply(request.header("Accept", accept)).await.status, 415, "{accept}");
    }
}

#[tokio::test]
async fn a_list_of_accounts_needs_a_selection_and_a_filter() {
    let company = Company::open().await;
    let answer = company.get("crm/Accounts?$filter=Name eq 'x'").await;
    assert_eq!(
        answer.error(),
        (400, "Please add a $select or a $top=1 statement to the query string.".to_owned())
    );
    assert_eq!(company.get("crm/Accounts?$filter=Name eq 'x'&$top=1").await.status, 200);
    for path in ["crm/Accounts?$select=ID", "crm/Accounts?$select=ID&$filter=TradeName eq 'x'"] {
        let (status, message) = company.get(path).await.error();
        assert_eq!(status, 400);
        let start = "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a \
                     $filter parameter with one of the following fields in the url:Accountant,AccountManager,";
        assert!(message.starts_with(start), "{message}");
        assert_eq!(message.split(',').count(), 46);
    }
    let marked = "crm/Accounts?$select=ID&$filter=TradeName ne null and City eq 'x'";
    assert_eq!(company.get(marked).await.status, 200);
}

#[tokio::test]
async fn both_demands_on_lists_can_be_switched_off() {
    let switches = Switches { select_required: false, filter_required: false, ..Switches::default() };
    let company = Company::open_with(Settings { switches, ..calm() }).await;
    assert_eq!(company.get("crm/Accounts").await.status, 200);
    assert_eq!(company.get("bulk/CRM/Accounts").await.status, 400, "bulk always needs a selection");
    assert_eq!(company.get("bulk/CRM/Accounts?$select=ID").await.status, 200);
}

#[tokio::test]
async fn an_unknown_property_or_option_is_bad_syntax() {
    let company = Company::open().await;
    for query in [
        "$select=ID,Nothing&$filter=Name eq 'x'",
        "$select=ID,Timestamp&$filter=Name eq 'x'",
        "$select=id&$filter=Name eq 'x'",
        "$select=ID&$filter=Nothing eq 'x'",
        "$select=ID&$filter=Name eq Email",
        "$select=ID&$filter=Name eq 'x'&$skip=5",
        "$select=ID&$filter=Name eq 'x'&$orderby=Nothing",
        "$select=ID&$filter=Name eq 'x'&$expand=Parent",
        "$select=ID&$filter=Name eq 'x'&$search=x",
        "$select=ID&$select=ID&$filter=Name eq 'x'",
    ] {
        let answer = company.get(&format!("crm/Accounts?{query}")).await;
        assert_eq!(answer.error(), (400, SYNTAX.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_padded_code_is_found_by_its_padding_or_by_trim_only() {
    let company = Company::open().await;
    company.create(r#"{"Name":"Twenty-five","Code":"25"}"#).await;
    let find = async |filter: &str| {
        company.get(&format!("crm/Accounts?$select=Code&$filter={filter}")).await.results().len()
    };
    assert_eq!(find("Code eq '25'").await, 0);
    assert_eq!(find("Code eq '                25'").await, 1);
    assert_eq!(find("trim(Code) eq '25'").await, 1);
}

#[tokio::test]
async fn pages_hold_sixty_and_follow_each_other_by_next() {
    let company = Company::open().await;
    let bodies: Vec<String> = (0..130).map(|number| format!(r#"{{"Name":"Account {number}"}}"#)).collect();
    company.control().seed_accounts(&bodies).unwrap();
    let mut address = company.url(
        "crm/Accounts?$select=ID,Name&$filter=startswith(Name,'Account ') eq true&$inlinecount=allpages",
    );
    let mut sizes = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    loop {
        let page = company.get_as(&company.token, &address).await;
        sizes.push(page.results().len());
        ids.extend(page.column("ID").iter().map(ToString::to_string));
        assert_eq!(page.json()["d"]["__count"], json!("130"));
        let Some(next) = page.json()["d"]["__next"].as_str().map(str::to_owned) else { break };
        assert!(next.contains("$select=ID,Name") && next.contains("$skiptoken=guid'"), "{next}");
        address = next;
    }
    assert_eq!((sizes, ids.len()), (vec![60, 60, 10], 130));
}

#[tokio::test]
async fn a_next_page_is_where_a_proxy_says_that_it_was_called() {
    let limits = Limits { page_size: 1, ..calm().limits };
    let company = Company::open_with(Settings { limits, ..calm() }).await;
    for name in ["a", "b"] {
        company.create(&format!(r#"{{"Name":"{name}"}}"#)).await;
    }
    let path = "crm/Accounts?$select=Name&$filter=Name ne ''";
    for (scheme, expected) in [(None, "http://127.0.0.1:"), (Some("https"), "https://127.0.0.1:")] {
        let mut request = company.request(&company.token, Method::GET, path, "");
        if let Some(scheme) = scheme {
            request = request.header("X-Forwarded-Proto", scheme);
        }
        let page: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
        let next = page["d"]["__next"].as_str().unwrap();
        assert!(next.starts_with(expected), "{next}");
    }
}

#[tokio::test]
async fn an_ordered_list_keeps_its_order_over_pages() {
    let limits = Limits { page_size: 2, ..calm().limits };
    let company = Company::open_with(Settings { limits, ..calm() }).await;
    for name in ["b", "a", "c", "a", "it's"] {
        company.create(&format!(r#"{{"Name":"{name}"}}"#)).await;
    }
    let mut address = company.url("crm/Accounts?$select=Name&$filter=Name ne ''&$orderby=Name desc&$top=4");
    let mut names = Vec::new();
    loop {
        let page = company.get_as(&company.token, &address).await;
        names.extend(page.column("Name"));
        let Some(next) = page.json()["d"]["__next"].as_str().map(str::to_owned) else { break };
        address = next;
    }
    assert_eq!(names, ["it's", "c", "b", "a"]);
}

#[tokio::test]
async fn a_record_has_metadata_lower_case_guids_and_deferred_lists() {
    let company = Company::open().await;
    let id = company.create(r#"{"Name":"Shape","Blocked":true}"#).await;
    assert_eq!(id, id.to_lowercase());
    let record = company.account(&id).await;
    let address = company.url(&format!("crm/Accounts(guid'{id}')"));
    assert_eq!(record["__metadata"]["uri"], json!(address));
    assert_eq!(record["__metadata"]["type"], json!("Exact.Web.Api.Models.Account"));
    assert_eq!(record["BankAccounts"]["__deferred"]["uri"], json!(format!("{address}/BankAccounts")));
    assert_eq!(record["Blocked"], json!(true));
    assert_eq!(record["IsAccountant"], json!(0), "flags of type Byte are numbers");
    assert_eq!(record["Created"], json!("/Date(1768474830000)/"), "the wall clock, as if it were UTC");
    assert!(record.get("Timestamp").is_none());
    let expanded =
        company.get(&format!("crm/Accounts(guid'{id}')?$expand=BankAccounts&$select=BankAccounts")).await;
    assert_eq!(expanded.json()["d"]["BankAccounts"], json!({"results": []}));
}

#[tokio::test]
async fn slashes_are_escaped_and_row_versions_are_text_where_switched_so() {
    let switches = Switches { escape_slashes: true, int64_as_string: true, ..Switches::default() };
    let company = Company::open_with(Settings { switches, ..calm() }).await;
    company.create(r#"{"Name":"a/b"}"#).await;
    let answer = company.get("sync/CRM/Accounts?$select=Name,Created,Timestamp").await;
    assert!(answer.text.contains(r#""a\/b""#) && answer.text.contains(r#""\/Date(1768474830000)\/""#));
    assert!(answer.results()[0]["Timestamp"].is_string());
}

#[tokio::test]
async fn a_count_is_plain_text_and_takes_no_json() {
    let company = Company::open().await;
    company.create(r#"{"Name":"One"}"#).await;
    let url = company.url("crm/Accounts/$count?$filter=Name eq 'One'");
    let answer = reply(company.http.get(&url).bearer_auth(&company.token)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "1"));
    assert_eq!(company.get_as(&company.token, &url).await.status, 415);
}

#[tokio::test]
async fn a_missing_right_looks_like_no_data() {
    let company = Company::open().await;
    company.create(r#"{"Name":"Hidden"}"#).await;
    let rights = |endpoint: &str| format!("users/UserHasRights?endpoint='{endpoint}'&action='GET'");
    assert_eq!(company.get(&rights("crm/Accounts")).await.json(), json!({"d": {"UserHasRights": true}}));
    let missing_rights = vec!["CRM/Accounts".to_owned()];
    company.control().set_switches(Switches { missing_rights, ..Switches::default() });
    assert_eq!(company.get("crm/Accounts?$select=ID&$filter=Name ne ''").await.results().len(), 0);
    assert_eq!(company.get(&rights("crm/Accounts")).await.json(), json!({"d": {"UserHasRights": false}}));
    assert_eq!(company.get("sync/CRM/Accounts?$select=ID").await.results().len(), 1);
}
