//! Listings: order, pages, times, tombstones and filters.

use crate::crm::Crm;

/// All ids of a listing, page by page.
async fn all(crm: &Crm, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = crm.get(&format!("/customers?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        ids.extend(page.ids());
        let next = page.member("next_cursor");
        match next.as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

fn seeded(crm: &Crm, count: usize) -> Vec<String> {
    let records = (0..count).map(|number| format!("{{\"Name\":\"Customer {number}\"}}"));
    crm.running.control.seed("customers", records).unwrap()
}

#[tokio::test]
async fn pages_lose_no_record_that_shares_its_time_with_others() {
    let crm = Crm::start().await;
    crm.running.control.freeze_clock(Some("2026-11-22T10:00:00Z".parse().unwrap()));
    let mut expected = seeded(&crm, 25);
    expected.sort();
    for limit in [1, 7, 25, 500] {
        assert_eq!(all(&crm, &format!("limit={limit}")).await, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn records_come_in_the_order_of_their_last_change() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    let mut ids = Vec::new();
    for second in 1..=4 {
        control.freeze_clock(Some(format!("2026-11-22T10:00:0{second}Z").parse().unwrap()));
        ids.extend(seeded(&crm, 1));
    }
    control.freeze_clock(Some("2026-11-22T10:00:05Z".parse().unwrap()));
    crm.patch(&format!("/customers/{}", ids[1]), r#"{"City":"Delft"}"#).await;
    let by_change = [&ids[0], &ids[2], &ids[3], &ids[1]].map(Clone::clone);
    assert_eq!(all(&crm, "limit=3").await, by_change);
}

#[tokio::test]
async fn a_record_that_changes_between_pages_is_seen_again() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    control.freeze_clock(Some("2026-11-22T10:00:00Z".parse().unwrap()));
    seeded(&crm, 4);
    control.freeze_clock(Some("2026-11-22T10:00:01Z".parse().unwrap()));
    let first = crm.get("/customers?limit=2").await;
    crm.patch(&format!("/customers/{}", first.ids()[0]), r#"{"City":"Delft"}"#).await;
    let cursor = first.member("next_cursor");
    let rest = crm.get(&format!("/customers?limit=9&cursor={}", cursor.as_str().unwrap())).await;
    assert_eq!(rest.ids().len(), 3);
    assert_eq!(rest.ids()[2], first.ids()[0]);
}

#[tokio::test]
async fn updated_since_includes_its_own_millisecond() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    let mut ids = Vec::new();
    for millisecond in [100, 200, 300] {
        control.freeze_clock(Some(format!("2026-11-22T10:00:00.{millisecond}Z").parse().unwrap()));
        ids.extend(seeded(&crm, 1));
    }
    assert_eq!(all(&crm, "updated_since=2026-11-22T10:00:00.200Z&limit=1").await, ids[1..]);
    assert_eq!(all(&crm, "updated_since=2026-11-22T12:00:00.200%2B02:00").await, ids[1..]);
    assert_eq!(all(&crm, "updated_since=2026-11-22T10:00:00.2001Z").await, ids[2..]);
    assert_eq!(all(&crm, "updated_since=2026-11-22T10:00:00.301Z").await, [""; 0]);
}

#[tokio::test]
async fn a_tombstone_is_listed_on_demand_for_90_days() {
    let crm = Crm::start().await;
    let control = &crm.running.control;
    control.freeze_clock(Some("2026-01-01T00:00:00Z".parse().unwrap()));
    let path = crm.customer(r#"{"Name":"A","CustomerNumber":"1"}"#).await;
    control.freeze_clock(Some("2026-01-01T00:00:01Z".parse().unwrap()));
    crm.delete(&path).await;
    assert_eq!(all(&crm, "").await, [""; 0]);
    assert_eq!(all(&crm, "include_deleted=false").await, [""; 0]);
    let listed = crm.get("/customers?include_deleted=true&updated_since=2026-01-01T00:00:01Z").await;
    let tombstone = serde_json::json!({
        "Id": path.trim_start_matches("/customers/"), "IsDeleted": true,
        "ModifiedAt": "2026-01-01T00:00:01.000Z", "Version": 2,
    });
    assert_eq!(listed.member("data"), serde_json::json!([tombstone]));
    control.freeze_clock(Some("2026-04-01T00:00:01Z".parse().unwrap()));
    assert_eq!(all(&crm, "include_deleted=true").await.len(), 1);
    control.freeze_clock(Some("2026-04-01T00:00:01.001Z".parse().unwrap()));
    assert_eq!(all(&crm, "include_deleted=true").await.len(), 0);
    crm.get(&path).await.problem(410);
}

#[tokio::test]
async fn filters_find_the_exact_value_whatever_its_case() {
    let crm = Crm::start().await;
    let path = crm
        .customer(r#"{"Name":"A","Email":"Info@A.example","CustomerNumber":"C1","VatNumber":"NL1"}"#)
        .await;
    crm.customer(r#"{"Name":"B","Email":"info@b.example","CustomerNumber":"C11","VatNumber":"NL1"}"#).await;
    let id = path.trim_start_matches("/customers/").to_owned();
    let upper = id.to_uppercase();
    for filter in [
        "filter[Email]=INFO@a.EXAMPLE",
        "filter%5BCustomerNumber%5D=c1",
        "filter[VatNumber]=nl1&filter[CustomerNumber]=c1",
        &format!("filter[Id]={upper}"),
    ] {
        assert_eq!(all(&crm, filter).await, [id.as_str()], "{filter}");
    }
    assert_eq!(all(&crm, "filter[VatNumber]=NL1&limit=1").await.len(), 2);
    assert_eq!(all(&crm, "filter[CustomerNumber]=C").await.len(), 0);
    crm.patch(&path, r#"{"Email":"new@a.example"}"#).await;
    assert_eq!(all(&crm, "filter[Email]=info@a.example").await.len(), 0);
    assert_eq!(all(&crm, "filter[Email]=new@a.example").await.len(), 1);
    crm.delete(&path).await;
    assert_eq!(all(&crm, "filter[Email]=new@a.example").await.len(), 0);
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let crm = Crm::start().await;
    for query in [
        "limit=0",
        "limit=501",
        "limit=ten",
        "limit=1&limit=2",
        "updated_since=yesterday",
        "updated_since=2026-11-22",
        "updated_since=2026-11-22T10:00:00",
        "include_deleted=1",
        "filter[Name]=A",
        "filter[Extra]=A",
        "filter=A",
        "since=2026-11-22T10:00:00Z",
        "cursor=",
        "cursor=abc",
        "cursor=!",
    ] {
        crm.get(&format!("/customers?{query}")).await.problem(400);
    }
    assert_eq!(crm.get("/customers?limit=500").await.status, 200);
}

#[tokio::test]
async fn a_cursor_goes_on_with_its_own_listing_only() {
    let crm = Crm::start().await;
    seeded(&crm, 4);
    let page = crm.get("/customers?limit=2&updated_since=2026-01-01T00:00:00Z").await;
    let cursor = page.member("next_cursor").as_str().unwrap().to_owned();
    assert_eq!(crm.get(&format!("/customers?limit=1&cursor={cursor}")).await.ids().len(), 1);
    for path in ["/customers?include_deleted=true", "/customers?filter[Email]=a", "/users?limit=2"] {
        crm.get(&format!("{path}&cursor={cursor}")).await.problem(400);
    }
    let same = [r#"{"Name":"A","VatNumber":"1","OrganizationNumber":"1"}"#; 2];
    crm.running.control.seed("customers", same).unwrap();
    let filtered = crm.get("/customers?limit=1&filter[VatNumber]=1").await.member("next_cursor");
    let filtered = filtered.as_str().unwrap();
    let other = crm.get(&format!("/customers?filter[OrganizationNumber]=1&cursor={filtered}")).await;
    other.problem(400);
    assert_eq!(crm.get(&format!("/customers?filter[VatNumber]=1&cursor={filtered}")).await.status, 200);
    let mut tampered = cursor.into_bytes();
    tampered[2] = if tampered[2] == b'A' { b'B' } else { b'A' };
    crm.get(&format!("/customers?cursor={}", String::from_utf8(tampered).unwrap())).await.problem(400);
}

#[tokio::test]
async fn a_page_has_100_records_unless_told() {
    let crm = Crm::start().await;
    seeded(&crm, 101);
    assert_eq!(crm.get("/customers").await.ids().len(), 100);
}
