//! A large CRM is read in little memory: this process holds the reader, and a server that makes each page up.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Query;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use customcrm::{ChangesCursor, CustomCrm, Declaration, Settings};
use jiff::Timestamp;
use model::ConnectionName;
use serde::Deserialize;
use store::Embedded;
use tokio::net::TcpListener;

const RECORDS: u32 = 100_000;
const PAGE: u32 = 500;
/// What the process may have held at any time.
const PEAK_KIB_MAX: u64 = 64 * 1024;

/// The time that the server has taken, in nanoseconds: the reader waits for it.
static SERVED: AtomicU64 = AtomicU64::new(0);

#[derive(Deserialize)]
struct Asked {
    cursor: Option<u32>,
}

/// A page of customers with all the properties of the default schema.
async fn page(Query(asked): Query<Asked>) -> impl IntoResponse {
    let began = Instant::now();
    let from = asked.cursor.unwrap_or(0);
    let until = (from + PAGE).min(RECORDS);
    let mut body = String::from("{\"data\":[");
    for number in from..until {
        let at = Timestamp::from_second(1_790_000_000 + i64::from(number / 3)).unwrap();
        let comma = if number == from { "" } else { "," };
        write!(
            body,
            r#"{comma}{{"Id":"c{number}","Version":{number},"ModifiedAt":"{at}","ModifiedBy":"u1","IsDeleted":false,"#
        )
        .unwrap();
        for property in
            ["CustomerNumber", "Name", "OrganizationNumber", "VatNumber", "Email", "Phone", "Website"]
        {
            write!(body, r#""{property}":"{property} of number {number}","#).unwrap();
        }
        for property in
            ["StreetAddress1", "ZipCode", "City", "State", "Country", "Currency", "Language", "Status"]
        {
            write!(body, r#""{property}":"{number}","#).unwrap();
        }
        write!(
            body,
            r#""AnnualRevenue":{number}.25,"CreditLimit":1000.5,"DiscountPercent":0,"EmployeeCount":12,"IsActive":true,"OwnerId":null,"Description":"{}"}}"#,
            "A few words, as people write them. ".repeat(6)
        )
        .unwrap();
    }
    let next = if until < RECORDS { format!("\"{until}\"") } else { "null".to_owned() };
    write!(body, "],\"next_cursor\":{next}}}").unwrap();
    SERVED.fetch_add(u64::try_from(began.elapsed().as_nanos()).unwrap(), Ordering::Relaxed);
    ([(CONTENT_TYPE, "application/json")], body)
}

/// The most that this process has held, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_hundred_thousand_records_are_read_in_one_pass_under_64_mib() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    let routes = Router::new().route("/api/v1/customers", get(page));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let settings = Settings::new(url.parse().unwrap(), "token".to_owned().into());
    let connection = ConnectionName::parse("acme").unwrap();
    let store = Embedded::in_memory().unwrap();
    let client = CustomCrm::new(&settings, Declaration::default_api(), store, "test", &connection).unwrap();

    let (mut cursor, mut read, mut slowest) = (ChangesCursor::start(), 0, Duration::ZERO);
    let began = Instant::now();
    loop {
        let page_began = Instant::now();
        let page = client.changes("customers", &cursor, PAGE).await.unwrap();
        slowest = slowest.max(page_began.elapsed());
        read += page.records.len();
        cursor = page.next.to_string().parse().unwrap();
        if !page.more {
            break;
        }
    }
    let (took, peak) = (began.elapsed(), peak_kib());
    let served = Duration::from_nanos(SERVED.load(Ordering::Relaxed));
    println!(
        "{read} records in {took:?}: a page of {PAGE} takes {:?}, beside {:?} of the server; {slowest:?} the slowest, both \
         together; {peak} KiB at most",
        took.saturating_sub(served) / (RECORDS / PAGE),
        served / (RECORDS / PAGE),
    );
    assert_eq!(read, RECORDS as usize);
    assert!(peak < PEAK_KIB_MAX, "the process held {peak} KiB");
}
