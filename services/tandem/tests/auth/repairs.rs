//! A grant that is lost, or was never there, while Tandem runs.

use std::path::Path;
use std::time::Duration;

use exactonline::Error;
use secrecy::SecretString;
use serde_json::Value;
use servers::{Binary, Process, Redis, wait_until_async};
use uuid::Uuid;

use crate::{Asked, Shop};

/// What rests is looked at again after half a minute.
const REPAIRED_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_is_lost_while_a_client_has_the_store_open_is_repaired_for_its_next_call() {
    let shop = Shop::open().await;
    let running = shop.client(shop.stored());
    assert!(matches!(running.me().await, Err(Error::NoGrant { .. })));
    for _ in 0..2 {
        let asked = Asked::on(&shop, &[]);
        let redirect = asked.agree().await;
        let ended = asked.paste(&redirect);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains("the Tandem that runs takes it into its store"), "{}", ended.stdout);
        running.me().await.unwrap();
        shop.exact.control().revoke();
        assert!(matches!(running.me().await, Err(Error::Unauthorised { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_that_share_a_redis_take_the_grant_up_wherever_they_run() {
    let shop = Shop::open().await;
    let (url, namespace) = (Redis::shared_url(), format!("auth-{}", Uuid::new_v4().simple()));
    let namespace = &namespace[..32];
    std::fs::write(shop.folder.path().join("redis"), &url).unwrap();
    shop.configure(&["[store]\nurl_file = \"redis\""]);
    shop.configure_too(&format!("namespace = \"{namespace}\""), "");
    let store = store::Redis::open(&SecretString::from(url)).unwrap();
    // On another machine, with a grant file of its own.
    let file = shop.folder.path().join("of-another.json");
    let elsewhere = shop.client_with(file.clone(), namespace, store);
    assert!(matches!(elsewhere.me().await, Err(Error::NoGrant { .. })));
    let asked = Asked::on(&shop, &[]);
    let redirect = asked.agree().await;
    let ended = asked.paste(&redirect);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    elsewhere.me().await.unwrap();
    assert_eq!(std::fs::read(file).unwrap(), std::fs::read(shop.grant_file()).unwrap(), "and has it twice");
    assert_eq!(shop.token_calls(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tandem_that_runs_without_a_grant_says_what_to_run_and_goes_on_once_it_was_run() {
    let shop = Shop::open().await;
    let crm = simulator_customcrm::Simulator::start(simulator_customcrm::Settings::default()).await.unwrap();
    shop.configure(&["[health]\nlisten = \"127.0.0.1:0\""]);
    let pairs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/pairs");
    let url = &crm.base_url;
    shop.configure_too(
        &format!("pairs = \"{}\"", pairs.display()),
        &format!("[connection.customcrm]\nurl = \"{url}\"\ntoken_file = \"crm-token\"\n"),
    );
    std::fs::write(shop.folder.path().join("crm-token"), &crm.api_token).unwrap();

    let tandem = Tandem::run(&shop).await;
    let command = format!("`tandem auth exactonline --config {} --connection acme`", shop.config().display());
    wait_until_async("the collectors of Exact to rest", REPAIRED_WITHIN, async || {
        let (status, answer) = tandem.get("/health/ready").await;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let is_told = answer["rests"].as_object().is_some_and(|rests| {
            rests.values().any(|reason| reason.as_str().is_some_and(|reason| reason.contains(&command)))
        });
        if is_told && status == 200 { Ok(()) } else { Err(format!("{status} {answer}")) }
    })
    .await;
    assert!(
        tandem
            .get("/metrics")
            .await
            .1
            .contains("tandem_grant_usable{connection=\"acme\",service=\"tandem\"} 0")
    );

    let asked = Asked::on(&shop, &[]);
    let redirect = asked.agree().await;
    let ended = asked.paste(&redirect);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    wait_until_async("the connection to go on", REPAIRED_WITHIN, async || {
        let (status, answer) = tandem.get("/health/ready").await;
        let rests = serde_json::from_str::<Value>(&answer).unwrap_or_default()["rests"].clone();
        let metrics = tandem.get("/metrics").await.1;
        let serves = metrics.contains("tandem_grant_usable{connection=\"acme\",service=\"tandem\"} 1");
        if status == 200 && rests == serde_json::json!({}) && serves { Ok(()) } else { Err(answer) }
    })
    .await;
    assert!(tandem.program.stderr().contains(&command), "the log says it, too");
}

/// `tandem run` on the configuration of a shop.
struct Tandem {
    program: Process,
    address: String,
}

impl Tandem {
    async fn run(shop: &Shop) -> Self {
        let binary = Binary::at(env!("CARGO_BIN_EXE_tandem")).unwrap();
        let arguments = [Path::new("run"), Path::new("--config"), &shop.config()];
        let program = Process::spawn(&binary, arguments, [("RUST_BACKTRACE", "1")]).unwrap();
        let address = wait_until_async("the health port", REPAIRED_WITHIN, async || {
            let log = program.stderr();
            let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let told = events.into_iter().find(|event| event["message"] == "health listens");
            told.and_then(|event| event["address"].as_str().map(str::to_owned)).ok_or(log)
        })
        .await;
        Self { program, address }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.address)).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}
