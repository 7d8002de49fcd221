//! A configuration that is read anew while the collectors run.

use std::sync::Arc;
use std::time::Duration;

use collector::{Callback, Callbacks, Hints, Posted};
use model::{ConnectionName, System};
use reqwest::{Client, StatusCode};
use service::{Config, ConnectionConfig, Context, CustomCrmConfig, Reloads};
use simulator_customcrm::Simulator;
use store::{Key, Leased, Store};

use super::bench::{Bench, PATH, Post, until};
use super::{COLLECTIONS, customcrm, pairs};
use crate::serve;

/// How many collections are read.
const ALL: usize = COLLECTIONS.len();

fn connection(name: &str, customcrm: CustomCrmConfig) -> ConnectionConfig {
    ConnectionConfig {
        name: ConnectionName::parse(name).unwrap(),
        file: None,
        reading: mapping::Reading::Practical,
        is_test: false,
        literal: service::LiteralConfig::default(),
        customcrm: Some(customcrm),
        exactonline: None,
    }
}

/// How many cursors of a connection are told of.
fn cursors(context: &Context, connection: &str) -> usize {
    let line = format!("tandem_poll_age_seconds{{connection=\"{connection}\"");
    context.metrics.render().lines().filter(|text| text.starts_with(&line)).count()
}

#[tokio::test]
async fn connections_come_go_and_come_back_with_all_that_is_told_of_them_and_the_others_notice_nothing() {
    let bench = Bench::new().await;
    let other = Simulator::start(simulator_customcrm::Settings::default()).await.unwrap();
    let mut context = bench.context(bench.listens);
    let hooked = context.config.connections[0].customcrm.clone().unwrap();
    let acme = |webhooks| connection("acme", CustomCrmConfig { webhooks, ..hooked.clone() });
    let beta = connection("beta", CustomCrmConfig { poll_interval: bench.poll, ..customcrm(&other) });
    let config = |connections: Vec<ConnectionConfig>, listens| {
        let webhooks_listen = Some(bench.listens).filter(|_| listens);
        Arc::new(Config { connections, webhooks_listen, ..(*context.config).clone() })
    };
    let without = config(vec![acme(None), beta.clone()], false);
    let with = config(vec![beta.clone(), acme(hooked.webhooks.clone())], true);
    let alone = config(vec![beta], true);
    let (sender, reloads) = Reloads::channel();
    let put_in_force = |config: &Arc<Config>| sender.send_replace(Some((Arc::clone(config), pairs().into())));
    (context.config, context.reloads) = (without, reloads);
    let running = tokio::spawn(serve(bench.ports(), context.clone()));
    let have_read = |acme, beta| {
        let context = context.clone();
        move || (cursors(&context, "acme"), cursors(&context, "beta")) == (acme, beta)
    };
    until("all is read", have_read(ALL, ALL)).await;
    let calls = other.control.log().len();
    assert!(std::net::TcpStream::connect(bench.listens).is_err(), "nobody posts anything");

    put_in_force(&with);
    let post = async || {
        let request = Post::of("customer.updated").request(bench.listens);
        request.send().await.map(|answer| answer.status()).ok()
    };
    until_answered(&post, StatusCode::OK).await;
    let reads = bench.reads()[0];
    assert_eq!(post().await, Some(StatusCode::OK));
    until("it is read", || bench.reads()[0] > reads).await;

    put_in_force(&alone);
    until("nothing is told of it", have_read(0, ALL)).await;
    assert_eq!(post().await, Some(StatusCode::NOT_FOUND));
    assert_eq!(context.health.waits_for().into_keys().find(|check| check.starts_with("acme")), None);
    assert!(!context.metrics.render().contains("acme"), "{}", context.metrics.render());
    for (name, is_free) in [("acme", true), ("beta", false)] {
        let key = Key::of("test", name, &["collector", "customcrm", "customers"]);
        let leased = bench.store.lease(&key, "somebody", Duration::from_secs(1)).await.unwrap();
        assert_eq!(matches!(leased, Leased::Held { .. }), is_free, "{name}");
        bench.store.release(&key, "somebody").await.unwrap();
    }

    put_in_force(&with);
    until_answered(&post, StatusCode::OK).await;
    until("it is read again", have_read(ALL, ALL)).await;
    assert_eq!(other.control.log().len(), calls, "the other one was not called");
    context.stop.cancel();
    running.await.unwrap().unwrap();
    assert!(Client::new().get(format!("http://{}{PATH}", bench.listens)).send().await.is_err());
}

/// Waits for this answer. While the connection begins the sender is asked to try again.
async fn until_answered(post: &impl AsyncFn() -> Option<StatusCode>, status: StatusCode) {
    let answered = async {
        loop {
            match post().await {
                Some(answer) if answer == status => return,
                None | Some(StatusCode::SERVICE_UNAVAILABLE | StatusCode::NOT_FOUND) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Some(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), answered).await.unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_is_waited_for_where_it_is_asked_for_while_the_collectors_run() {
    let bench = Bench::new().await;
    let mut context = bench.context(bench.listens);
    let with = Arc::clone(&context.config);
    let mut connection = with.connections[0].clone();
    connection.customcrm.as_mut().unwrap().webhooks = None;
    let without = Config { connections: vec![connection], webhooks_listen: None, ..(*with).clone() };
    let (sender, reloads) = Reloads::channel();
    (context.config, context.reloads) = (Arc::new(without), reloads);
    let running = tokio::spawn(serve(bench.ports(), context.clone()));
    until("all is read", || cursors(&context, "acme") == ALL).await;
    let taken = std::net::TcpListener::bind(bench.listens).unwrap();
    sender.send_replace(Some((with, pairs().into())));
    until("it is told", || context.health.waits_for().contains_key("webhooks")).await;
    assert!(context.health.waits_for()["webhooks"].contains("webhooks cannot listen on"));
    drop(taken);
    until("it is open", || !context.health.waits_for().contains_key("webhooks")).await;
    let answer = Post::of("customer.updated").request(bench.listens).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    context.stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_port_that_is_taken_at_the_start_ends_the_collectors_in_good_order() {
    let bench = Bench::new().await;
    let _taken = std::net::TcpListener::bind(bench.listens).unwrap();
    let context = bench.context(bench.listens);
    let error = serve(bench.ports(), context).await.unwrap_err();
    assert!(matches!(error, service::ServiceError::WebhooksListener { .. }), "{error}");
}

/// What is posted right before a connection begins anew is not lost with what it was gathered by.
#[tokio::test]
async fn a_notification_that_was_accepted_leads_to_a_read_though_the_connection_goes_in_that_moment() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let customers = model::EntityName::parse("customers").unwrap();
    let key = Key::of("test", "acme", &["hint", "customcrm", customers.as_str(), "changed"]);
    assert_eq!(Post::of("customer.updated").to(&replica).await, StatusCode::OK);
    replica.stop().await;
    assert!(bench.store.get(&key).await.unwrap().is_some(), "another replica finds the hint");
}

#[tokio::test]
async fn who_posts_to_a_connection_that_is_only_beginning_is_asked_to_repeat_it() {
    let bench = Bench::new().await;
    let context = bench.context(bench.listens);
    let (callbacks, mut tasks) = (Callbacks::default(), context.tasks());
    let acme = ConnectionName::parse("acme").unwrap();
    let there = Callback {
        path: "/crm/there".to_owned(),
        hints: Hints::new(bench.store.clone(), "test", &acme, System::CustomCrm),
        bytes_max: 1,
        judge: Box::new(|_, _| Posted::Validation),
        gather: Duration::ZERO,
    };
    callbacks.add(there, &mut tasks, &context);
    let (listening, stop) = (context.clone(), context.stop.clone());
    let serving = tokio::spawn(async move { callbacks.serve(listening).await });
    until("it listens", || std::net::TcpStream::connect(bench.listens).is_ok()).await;
    for (path, expected) in [
        (PATH, StatusCode::SERVICE_UNAVAILABLE),
        ("/crm/nobody", StatusCode::NOT_FOUND),
        ("/crm/there", StatusCode::OK),
    ] {
        let answer = Client::new().post(format!("http://{}{path}", bench.listens)).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{path}");
    }
    stop.cancel();
    serving.await.unwrap().unwrap();
    tasks.join().await.unwrap();
}
