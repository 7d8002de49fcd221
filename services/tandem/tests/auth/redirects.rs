//! The redirect that comes in by itself: the test plays the browser and the Ingress.

use crate::{Asked, Shop};

/// What the port answers to a request of this path and query: its status and its words.
async fn get(address: &str, target: &str) -> (u16, String) {
    let answer = reqwest::get(format!("http://{address}{target}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Where the program waits.
fn address(asked: &mut Asked) -> String {
    let said = asked.until("in three minutes").to_owned();
    said.split("must lead to ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_that_comes_in_becomes_a_grant_and_strangers_are_ignored() {
    let shop = Shop::open().await;
    shop.configure(&["[auth]\nlisten = \"127.0.0.1:0\""]);
    let mut asked = Asked::on(&shop, &[]);
    let address = address(&mut asked);
    let redirect = asked.agree().await;
    let (_, answer) = redirect.split_once("https://app.example").unwrap();
    assert!(answer.starts_with("/back?code="), "{answer}");
    for (target, status) in [
        ("/", 404),
        ("/back", 400),
        ("/back?code=abc", 400),
        ("/back?code=abc&state=guessed", 400),
        ("/back?error=access_denied&state=guessed", 400),
    ] {
        assert_eq!(get(&address, target).await.0, status, "{target}");
    }
    let posted = reqwest::Client::new().post(format!("http://{address}{answer}")).send().await.unwrap();
    assert_eq!(posted.status(), 405);
    assert_eq!(shop.token_calls(), 0);

    let (status, words) = get(&address, answer).await;
    assert!(status == 200 && words.contains("You can close this page"), "{words}");
    let ended = asked.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("User: Connector"), "{}", ended.stdout);
    assert!(shop.filed()["refresh_token"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_that_comes_in_ends_the_wait() {
    let shop = Shop::open().await;
    shop.configure(&["[auth]\nlisten = \"127.0.0.1:0\""]);
    let mut asked = Asked::on(&shop, &[]);
    let address = address(&mut asked);
    let state = asked.state();
    assert_eq!(get(&address, &format!("/back?error=access_denied&state={state}")).await.0, 200);
    let ended = asked.end();
    assert!(
        ended.code == Some(1) && ended.stderr.contains("gave no consent (access_denied)"),
        "{}",
        ended.stderr
    );
    assert!(!shop.grant_file().exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_that_does_not_come_in_can_be_pasted_and_no_terminal_is_needed_for_one_that_does() {
    let shop = Shop::open().await;
    shop.configure(&["[auth]\nlisten = \"127.0.0.1:0\""]);
    let asked = Asked::on(&shop, &[]);
    let redirect = asked.agree().await;
    let ended = asked.paste(&redirect);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let mut asked = Asked::on(&shop, &[]);
    let address = address(&mut asked);
    let redirect = asked.agree().await;
    asked.close_input();
    let (_, answer) = redirect.split_once("https://app.example").unwrap();
    assert_eq!(get(&address, answer).await.0, 200);
    assert_eq!(asked.end().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_told_before_anybody_is_asked() {
    let shop = Shop::open().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    shop.configure(&[&format!("[auth]\nlisten = \"{listen}\"")]);
    let ended = crate::asked::refused(&shop, &[]);
    assert!(ended.code == Some(1) && ended.stderr.contains("change auth.listen"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}
