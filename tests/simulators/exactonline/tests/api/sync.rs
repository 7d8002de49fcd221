use reqwest::Method;
use serde_json::{Value, json};
use simulator_exactonline::{Limits, Settings, Switches};

use crate::company::{Company, calm};

fn numbers(values: &[Value]) -> Vec<i64> {
    values.iter().map(|value| value.as_i64().unwrap()).collect()
}

#[tokio::test]
async fn every_change_raises_the_row_version_above_all_others() {
    let company = Company::open().await;
    let first = company.create(r#"{"Name":"First"}"#).await;
    company.create(r#"{"Name":"Second"}"#).await;
    let before = company.get("sync/CRM/Accounts?$filter=Timestamp gt 1L&$select=Name,Timestamp").await;
    assert_eq!(before.column("Name"), ["First", "Second"]);
    let highest = numbers(&before.column("Timestamp"))[1];
    company.put(&first, r#"{"City":"Delft"}"#).await;
    let path = format!("sync/CRM/Accounts?$filter=Timestamp gt {highest}L&$select=ID,Timestamp");
    let after = company.get(&path).await;
    assert_eq!(after.column("ID"), [json!(first)]);
    let all = company.get("sync/CRM/Accounts?$select=Name,Timestamp").await;
    assert_eq!(all.column("Name"), ["Second", "First"], "ascending, each record once");
}

#[tokio::test]
async fn feeds_are_filtered_by_their_row_version_only() {
    let company = Company::open().await;
    for path in [
        "sync/CRM/Accounts?$filter=Name eq 'x'",
        "sync/CRM/Accounts?$filter=Timestamp gt 1 and Modified gt datetime'2026-01-01T00:00:00'",
        "sync/CRM/Accounts?$orderby=Name",
        "sync/Deleted?$filter=EntityKey eq guid'00000000-0000-0000-0000-000000000001'",
    ] {
        let answer = company.get(path).await;
        assert_eq!(answer.error(), (400, "Bad Request - Error in query syntax.".to_owned()), "{path}");
    }
    assert_eq!(company.get("sync/Deleted?$filter=Timestamp gt 5L and EntityType eq 2").await.status, 200);
}

#[tokio::test]
async fn feeds_and_bulk_have_large_pages() {
    let limits = Limits { large_page_size: 3, ..calm().limits };
    let company = Company::open_with(Settings { limits, ..calm() }).await;
    let bodies: Vec<String> = (0..7).map(|number| format!(r#"{{"Name":"Account {number}"}}"#)).collect();
    company.control().seed_accounts(&bodies).unwrap();
    for path in ["sync/CRM/Accounts?$filter=Timestamp gt 1&$select=Name", "bulk/CRM/Accounts?$select=Name"] {
        let mut address = company.url(path);
        let mut sizes = Vec::new();
        loop {
            let page = company.get_as(&company.token, &address).await;
            sizes.push(page.results().len());
            let Some(next) = page.json()["d"]["__next"].as_str().map(str::to_owned) else { break };
            address = next;
        }
        assert_eq!(sizes, [3, 3, 1], "{path}");
    }
    company.control().seed_accounts(&[r#"{"Name":"A"}"#, r#"{"Name":"B"}"#]).unwrap();
    let last = company.get("bulk/CRM/Accounts?$select=Name&$top=3").await;
    assert_eq!(last.json()["d"].get("__next"), None, "a page that is just full is the last one");
    let nine = company.get("bulk/CRM/Accounts?$select=Name&$inlinecount=allpages").await;
    assert_eq!(nine.json()["d"]["__count"], json!("9"));
    let third = company.get_as(&company.token, nine.json()["d"]["__next"].as_str().unwrap()).await;
    let third = company.get_as(&company.token, third.json()["d"]["__next"].as_str().unwrap()).await;
    assert_eq!((third.results().len(), third.json()["d"].get("__next")), (3, None));
    assert_eq!(Limits::default().large_page_size, 1_000);
}

#[tokio::test]
async fn a_deletion_has_its_own_row_with_a_version_of_the_same_counter() {
    let company = Company::open().await;
    let id = company.create(r#"{"Name":"Gone"}"#).await;
    let created = numbers(&company.get("sync/CRM/Accounts?$select=Timestamp").await.column("Timestamp"))[0];
    let human = company.running.human_token.clone();
    let path = format!("crm/Accounts(guid'{id}')");
    assert_eq!(company.send_as(&human, Method::DELETE, &path, "").await.status, 204);
    assert!(company.get("sync/CRM/Accounts?$select=ID").await.results().is_empty());
    let rows =
        company.get(&format!("sync/Deleted?$filter=Timestamp gt {created}L and EntityType eq 2")).await;
    let row = rows.results().remove(0);
    assert_eq!(row["EntityKey"], json!(id));
    assert_eq!(row["EntityType"], json!(2));
    assert_eq!(row["DeletedBy"], json!(company.running.human_id.to_string()));
    assert_eq!(row["Division"], json!(company.running.division));
    company.control().advance_clock(62 * 86_400);
    let token = company.fresh_token(&company.control().grant()).await;
    let later = company.get_as(&token, &company.url("sync/Deleted")).await;
    assert!(later.results().is_empty(), "the log keeps two months");
}

#[tokio::test]
async fn a_moved_or_linked_division_gives_every_record_a_new_row_version() {
    for lower_versions_after_a_move in [false, true] {
        let switches = Switches { lower_versions_after_a_move, ..Switches::default() };
        let company = Company::open_with(Settings { switches, ..calm() }).await;
        company.create(r#"{"Name":"Moved"}"#).await;
        company.create(r#"{"Name":"Moved too"}"#).await;
        let versions =
            async || numbers(&company.get("sync/CRM/Accounts?$select=Timestamp").await.column("Timestamp"));
        let date = async |name: &str| {
            company.get(&format!("system/Divisions?$select={name}")).await.column(name).remove(0)
        };
        let before = versions().await;
        company.control().move_division();
        let moved = versions().await;
        assert!(moved[0] < moved[1] && (moved[1] < before[0]) == lower_versions_after_a_move);
        assert_eq!(date("DivisionMoveDate").await, json!("/Date(1768474830000)/"));
        assert_eq!(date("DivisionHRLinkUnlinkDate").await, json!(null));
        company.control().link_division();
        assert_eq!(versions().await[0] == moved[0], lower_versions_after_a_move);
        assert_eq!(date("DivisionHRLinkUnlinkDate").await, json!("/Date(1768474830000)/"));
    }
}

#[tokio::test]
async fn a_feed_lags_behind_where_switched_so() {
    let switches = Switches { sync_lag_milliseconds: 5_000, ..Switches::default() };
    let company = Company::open_with(Settings { switches, ..calm() }).await;
    company.create(r#"{"Name":"Late"}"#).await;
    assert!(company.get("sync/CRM/Accounts?$select=ID").await.results().is_empty());
    company.control().advance_clock(5);
    assert_eq!(company.get("sync/CRM/Accounts?$select=ID").await.results().len(), 1);
}
