use std::collections::VecDeque;
use std::time::Duration;

use crms::{COLLECTIONS, Crm, PocketBase, Webhook, skipped};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::runs;

#[tokio::test]
async fn pocketbase_does_what_a_person_asks_and_ends_with_its_handle() {
    let server = match PocketBase::start(None).await {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let crm = &server.crm;
    for collection in COLLECTIONS {
        let records = crm.records(collection).await;
        assert!(!records.is_empty(), "{collection}");
        assert!(records.iter().all(|record| record["id"].as_str().unwrap().len() == 15), "{records:?}");
    }
    let id = crm.create("customers", &json!({ "Name": "Bakkerij", "CreditLimit": "12.50" })).await;
    let made = crm.record("customers", &id).await.unwrap();
    crm.change("customers", &id, &json!({ "City": "Gouda" })).await;
    let changed = crm.record("customers", &id).await.unwrap();
    let [name, city, limit] = ["Name", "City", "CreditLimit"].map(|name| changed[name].clone());
    assert_eq!([name, city, limit], ["Bakkerij", "Gouda", "12.50"]);
    assert!(changed["updated"].as_str() > made["updated"].as_str(), "{changed}");

    let lines = json!([{ "ProductId": "product00000001", "Quantity": 1 }]);
    let order = crm.create("orders", &json!({ "Status": "Draft", "Lines": lines })).await;
    let before = crm.record("orders", &order).await.unwrap();
    crm.add_line("orders", &order, &json!({ "ProductId": "product00000002", "Quantity": 2 })).await;
    crm.change_line("orders", &order, 1, &json!({ "Quantity": 3 })).await;
    crm.remove_line("orders", &order, 0).await;
    let left = crm.record("orders", &order).await.unwrap();
    assert_eq!(told(&left["Lines"]), [("product00000002", "3")]);
    assert_eq!(left["updated"], before["updated"], "a line that changes leaves its document's time alone");

    crm.delete("orders", &order).await;
    assert_eq!(crm.record("orders", &order).await, None);
    let pid = server.pid();
    assert!(runs(pid));
    drop(server);
    assert!(!runs(pid));
}

/// Each line's product and quantity.
fn told(lines: &Value) -> Vec<(&str, &str)> {
    let lines = lines.as_array().unwrap().iter();
    lines.map(|line| (line["ProductId"].as_str().unwrap(), line["Quantity"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn pocketbase_tells_of_changes_with_a_signature_of_the_body() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/crm", listener.local_addr().unwrap());
    let webhook = Webhook { url, secret: "a secret of the two".to_owned() };
    // PocketBase waits for the answer within the call that changes something.
    let (send, mut receive) = tokio::sync::mpsc::channel(100);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if send.send(posted(stream).await).await.is_err() {
                return;
            }
        }
    });
    let server = match PocketBase::start(Some(&webhook)).await {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let crm: &Crm = &server.crm;
    let id = crm.create("customers", &json!({ "Name": "Bakkerij" })).await;
    crm.change("customers", &id, &json!({ "City": "Gouda" })).await;
    crm.delete("customers", &id).await;
    crm.change_line("orders", "order0000000001", 0, &json!({ "Quantity": 5 })).await;
    let expected = [
        json!({ "type": "customers.create", "id": id }),
        json!({ "type": "customers.update", "id": id }),
        json!({ "type": "customers.delete", "id": id }),
        json!({ "type": "order_lines.update", "id": "order0000000001" }),
    ];
    let mut last = VecDeque::new();
    while last != expected {
        let next = tokio::time::timeout(Duration::from_secs(10), receive.recv()).await;
        let (signature, body) = next.unwrap_or_else(|_| panic!("only told {last:?}")).unwrap();
        let mut hmac = Hmac::<Sha256>::new_from_slice(webhook.secret.as_bytes()).unwrap();
        hmac.update(body.as_bytes());
        assert_eq!(signature, hex::encode(hmac.finalize().into_bytes()), "{body}");
        last.push_back(serde_json::from_str::<Value>(&body).unwrap());
        if last.len() > expected.len() {
            last.pop_front();
        }
    }
}

/// Takes one POST and answers it; gives its signature and its body.
async fn posted(mut stream: TcpStream) -> (String, String) {
    let mut text = String::new();
    let mut bytes = [0; 4096];
    loop {
        let read = stream.read(&mut bytes).await.unwrap();
        text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let header = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).unwrap()
        };
        if body.len() == header("Content-Length").parse::<usize>().unwrap() {
            let answer = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
            return (header("X-Signature"), body.to_owned());
        }
    }
}
