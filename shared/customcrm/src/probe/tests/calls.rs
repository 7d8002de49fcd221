//! Which calls are made, as somebody who listens sees them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::TWO;
use crate::{Declaration, Settings, Verdict, probe};

const OAUTH: &str = r#"
crm = "Least"
[authentication]
scheme = "client-credentials"
token_path = "oauth/token"
[record]
id = "id"
[paging]
style = "none"
size = 100
[collections.customers]
path = "customers"
[collections.orders]
path = "orders"
"#;

/// Reads one call and answers it; gives its method and path.
async fn answered(stream: TcpStream) -> String {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await.unwrap();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        match line.trim().to_lowercase().strip_prefix("content-length: ") {
            Some(told) => length = told.parse().unwrap(),
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let call: Vec<&str> = first.split_whitespace().take(2).collect();
    let answer = match call[..] {
        ["POST", _] => r#"{"access_token":"a","token_type":"bearer","expires_in":600}"#,
        [_, "/customers" | "/orders"] => TWO,
        _ => r#"{"id":1}"#,
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all((head + answer).as_bytes()).await.unwrap();
    call.join(" ")
}

#[tokio::test]
async fn nothing_is_sent_but_reads_and_the_one_call_for_a_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let server = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let call = answered(stream).await;
            seen.lock().unwrap().push(call);
        }
    });
    let declaration = Declaration::parse("crm.toml", OAUTH).unwrap();
    let user = Some("tandem".to_owned());
    let settings = Settings { user, ..Settings::new(url.parse().unwrap(), "secret".to_owned().into()) };
    let report = probe(&settings, &declaration, &BTreeSet::new()).await.unwrap();
    server.abort();

    assert!(
        report
            .findings
            .iter()
            .any(|finding| { finding.line == "authentication.scheme" && finding.verdict == Verdict::Holds })
    );
    let calls = calls.lock().unwrap();
    let (reads, others): (Vec<&String>, Vec<&String>) =
        calls.iter().partition(|call| call.starts_with("GET "));
    assert_eq!(others, ["POST /oauth/token"]);
    assert!(reads.len() >= 4, "{reads:?}");
}
