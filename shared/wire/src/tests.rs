use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const BOUNDS: Bounds =
    Bounds { connect: Duration::from_secs(1), call: Duration::from_millis(300), body_bytes: 20 };

fn get(wire: &Wire, url: &str) -> RequestBuilder {
    wire.request(Method::GET, url.parse().unwrap()).query(&[("filter", "secret")])
}

/// Answers one call with these bytes and ends the connection; the address to call.
async fn answering(bytes: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 2_048];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn a_call_that_never_left_is_told_from_one_that_may_have_been_carried_out() {
    let wire = Wire::new(BOUNDS).unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let unreached = wire.send(get(&wire, &format!("http://{closed}/"))).await.unwrap_err();
    assert!(matches!(unreached, Failure::Unreachable(_)), "{unreached:?}");
    for half in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        let lost = wire.send(get(&wire, &answering(half).await)).await.unwrap_err();
        assert!(matches!(lost, Failure::Lost(_)), "{lost:?}");
        assert!(!format!("{lost:?}").contains("secret"));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_lost() {
    let wire = Wire::new(BOUNDS).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lost = wire.send(get(&wire, &format!("http://{}/", silent.local_addr().unwrap()))).await.unwrap_err();
    assert!(matches!(lost, Failure::Lost(_)), "{lost:?}");
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_bound_and_a_refusal_is_one_without_its_words() {
    let wire = Wire::new(BOUNDS).unwrap();
    let fits = answering("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n01234567890123456789").await;
    assert_eq!(wire.send(get(&wire, &fits)).await.unwrap().body.len(), 20);
    let large = answering("HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n012345678901234567890").await;
    let failure = wire.send(get(&wire, &large)).await.unwrap_err();
    assert!(matches!(failure, Failure::TooLarge { bytes_max: 20 }), "{failure:?}");
    let refusal = answering("HTTP/1.1 409 Conflict\r\ncontent-length: 99\r\n\r\nhalf").await;
    let answer = wire.send(get(&wire, &refusal)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::CONFLICT, ""));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_must_have_left_is_not_sent() {
    let _carried = carried_by(Arc::new(Echo(Client::new())));
    let wire = Wire::new(BOUNDS).unwrap();
    let latest = Instant::now() + Duration::from_secs(5);
    leaving_before(latest, async {
        let call = || wire.send(get(&wire, "http://nowhere.invalid/there"));
        tokio::time::sleep(Duration::from_millis(4_999)).await;
        assert_eq!(call().await.unwrap().body, "/there");
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(matches!(call().await.unwrap_err(), Failure::Late));
    })
    .await;
    wire.send(get(&wire, "http://nowhere.invalid/there")).await.unwrap();
}

/// Answers with the path of the call, or not at all.
struct Echo(Client);

impl Carry for Echo {
    fn carry(&self, call: Request) -> BoxFuture<'static, Result<Response, Failure>> {
        Box::pin(async move {
            if call.url().path() == "/never" {
                return std::future::pending().await;
            }
            let path = call.url().path().to_owned();
            Ok(Response::from(http::Response::new(path)))
        })
    }

    fn client(&self) -> Client {
        self.0.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_carrier_takes_the_place_of_tcp_while_its_guard_lives() {
    let carried = carried_by(Arc::new(Echo(Client::new())));
    let wire = Wire::new(BOUNDS).unwrap();
    drop(carried);
    assert_eq!(wire.send(get(&wire, "http://nowhere.invalid/there")).await.unwrap().body, "/there");
    let never = wire.send(get(&wire, "http://nowhere.invalid/never")).await.unwrap_err();
    assert!(matches!(never, Failure::Lost(_)), "{never:?}");
    assert!(Wire::new(BOUNDS).unwrap().carrier.is_none(), "those that are made later use TCP again");
}
