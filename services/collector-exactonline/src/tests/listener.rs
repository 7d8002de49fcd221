//! What the port takes, and what it refuses.

use std::time::Duration;

use exactonline::NOTIFICATION_BYTES_MAX;
use reqwest::{Client, Method, StatusCode};
use tokio::time::sleep;

use super::bench::{Bench, PATH, until};

const FORGED: &str =
    r#"{"Content":{"Topic":"Accounts","Division":499156,"Action":"Update"},"HashCode":"00"}"#;

#[tokio::test]
async fn what_is_not_signed_is_refused_without_a_word_and_leads_to_nothing() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    for body in [FORGED, "{", "null", "\u{fffd}"] {
        assert_eq!(bench.post(body).await, StatusCode::UNAUTHORIZED, "{body}");
    }
    assert_eq!(bench.post(vec![0xff, 0xfe]).await, StatusCode::UNAUTHORIZED);
    assert_eq!((replica.posted("forged"), replica.posted("hint")), (5, 0));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.polls(), [1; 5]);
    replica.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_told_or_not() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let large = vec![b' '; NOTIFICATION_BYTES_MAX + 1];
    assert_eq!(bench.post(large.clone()).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.post(large[1..].to_vec()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(replica.posted("too-large"), 1);
    // Of unknown length, and without an end: it is refused while it is read.
    let mut stream = tokio::net::TcpStream::connect(bench.listens).await.unwrap();
    let head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("{:x}\r\n{}\r\n", large.len(), " ".repeat(large.len()));
    tokio::io::AsyncWriteExt::write_all(&mut stream, format!("{head}{chunk}").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
    replica.stop().await;
}

#[tokio::test]
async fn only_posts_to_a_connections_own_path_are_taken() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let call = async |method: Method, path: &str| {
        let url = format!("http://{}{path}", bench.listens);
        Client::new().request(method, url).send().await.unwrap().status()
    };
    assert_eq!(call(Method::POST, PATH).await, StatusCode::OK, "an address is tried with an empty body");
    assert_eq!(call(Method::GET, PATH).await, StatusCode::METHOD_NOT_ALLOWED);
    for path in ["/", "/exact", "/exact/other", "/exact/acme/", "/health/live"] {
        assert_eq!(call(Method::POST, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    replica.stop().await;
}

#[tokio::test]
async fn what_is_signed_and_none_of_ours_is_accepted_and_ignored() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    // Signed by another program with the simulator's secret; of a topic that is not kept, and of another division.
    let signed = [
        (
            r#"{"Topic":"GoodsDeliveries","Division":499156,"Action":"Update"}"#,
            "9D0CFCA2C586288F03B3FDE2DE07B1FC24338726DE2CFE9B25E88E478516A26E",
        ),
        (
            r#"{"Topic":"Accounts","Division":7,"Action":"Update"}"#,
            "0D91953AECC1FA15657B555A56968F1F0F0E7377FECA0AA8198B430B216DFC7C",
        ),
    ];
    for (content, hash) in signed {
        let body = format!(r#"{{"Content":{content},"HashCode":"{hash}"}}"#);
        assert_eq!(bench.post(body).await, StatusCode::OK);
    }
    assert_eq!((replica.posted("ignored"), replica.posted("hint")), (2, 0));
    replica.stop().await;
}

#[tokio::test]
async fn a_replayed_notification_leads_to_no_more_than_a_read_for_each_window() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let content = r#"{"Topic":"Accounts","Division":499156,"Action":"Update"}"#;
    let body = format!(
        r#"{{"Content":{content},"HashCode":"C016D1A697B034154AEFF433B96CD05A834D2B4A32561D5B067F2DDBDFE5F146"}}"#
    );
    for _ in 0..200 {
        assert_eq!(bench.post(body.clone()).await, StatusCode::OK);
    }
    until("it is read", || bench.polls()[0] > 1).await;
    sleep(Duration::from_secs(3)).await;
    assert!(bench.polls()[0] <= 3, "{:?}", bench.polls());
    assert_eq!(replica.posted("hint"), 200);
    replica.stop().await;
}
