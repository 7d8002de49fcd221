//! What the port takes, and what it refuses.

use std::time::Duration;

use customcrm::NOTIFICATION_BYTES_MAX;
use jiff::SignedDuration;
use reqwest::{Client, Method, StatusCode};
use service::ServiceError;
use tokio::time::sleep;

use super::bench::{Bench, PATH, Post, until};
use super::context_of;
use crate::{HINTED, check, serve};

/// Holds that nothing was read since.
async fn nothing_is_read(bench: &Bench, since: [usize; 6]) {
    sleep(HINTED.window_min * 2 + Duration::from_secs(1)).await;
    assert_eq!(bench.reads(), since);
}

#[tokio::test]
async fn what_is_not_signed_is_refused_without_a_word_and_leads_to_nothing() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let before = bench.reads();
    let forged =
        |signature: &str| Post { signature: Some(signature.to_owned()), ..Post::of("customer.updated") };
    for signature in ["", "v1,AAAA", "v1a,AAAA", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
        assert_eq!(forged(signature).to(&replica).await, StatusCode::UNAUTHORIZED, "{signature}");
    }
    let bare = Client::new().post(format!("http://{}{PATH}", replica.listens)).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    assert_eq!((replica.posted("forged"), replica.posted("hint")), (5, 0));
    nothing_is_read(&bench, before).await;
    replica.stop().await;
}

#[tokio::test]
async fn a_replayed_notification_is_refused_by_every_replica() {
    let bench = Bench::new().await;
    let (first, second) = (bench.start_and_rest().await, bench.start_another().await);
    let before = bench.reads()[0];
    let post = Post::of("customer.updated");
    assert_eq!(post.to(&first).await, StatusCode::OK);
    until("it is read, and looked for again twice", || bench.reads()[0] == before + 3).await;
    let read = bench.reads();
    for replica in [&first, &first, &second] {
        assert_eq!(post.to(replica).await, StatusCode::CONFLICT);
    }
    assert_eq!((first.posted("replayed"), second.posted("replayed")), (2, 1));
    assert_eq!((first.posted("hint"), second.posted("hint")), (1, 0));
    nothing_is_read(&bench, read).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn of_posts_of_one_notification_at_once_one_is_taken_in() {
    let bench = Bench::new().await;
    let (first, second) = (bench.start_and_rest().await, bench.start_another().await);
    let post = Post::of("customer.updated");
    let posts = (0..10).map(|at| post.to(if at % 2 == 0 { &first } else { &second }));
    let answers: Vec<StatusCode> = futures_util::future::join_all(posts).await;
    let taken = answers.iter().filter(|answer| **answer == StatusCode::OK).count();
    assert_eq!((taken, first.posted("hint") + second.posted("hint")), (1, 1), "{answers:?}");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn an_attempt_that_the_crm_itself_repeats_is_no_replay() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let post = Post::of("customer.updated");
    assert_eq!(post.to(&replica).await, StatusCode::OK);
    let again = Post { at: post.at + SignedDuration::from_secs(5), ..post };
    assert_eq!(again.to(&replica).await, StatusCode::OK, "its answer may have been lost");
    assert_eq!((replica.posted("hint"), replica.posted("replayed")), (2, 0));
    replica.stop().await;
}

#[tokio::test]
async fn what_was_sent_more_than_five_minutes_ago_is_refused() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let before = bench.reads();
    for minutes in [-6, 6] {
        let post = Post::of("customer.updated");
        let post = Post { at: post.at + SignedDuration::from_mins(minutes), ..post };
        assert_eq!(post.to(&replica).await, StatusCode::UNAUTHORIZED, "{minutes}");
    }
    assert_eq!((replica.posted("late"), replica.posted("hint")), (2, 0));
    nothing_is_read(&bench, before).await;
    let post = Post::of("customer.updated");
    let post = Post { at: post.at - SignedDuration::from_mins(4), ..post };
    assert_eq!(post.to(&replica).await, StatusCode::OK);
    replica.stop().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_though_it_is_signed() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let post = Post::of("customer.updated");
    let room = NOTIFICATION_BYTES_MAX - post.body.len();
    let large = Post { body: format!("{}{}", post.body, " ".repeat(room + 1)), ..post.clone() };
    assert_eq!(large.to(&replica).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!((replica.posted("too-large"), replica.posted("hint")), (1, 0));
    let largest = Post { body: format!("{}{}", post.body, " ".repeat(room)), ..post };
    assert_eq!(largest.to(&replica).await, StatusCode::OK);
    replica.stop().await;
}

#[tokio::test]
async fn what_is_signed_and_tells_of_nothing_kept_is_accepted_and_ignored() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let before = bench.reads();
    for kind in ["lead.created", "customer", ""] {
        assert_eq!(Post::of(kind).to(&replica).await, StatusCode::OK, "{kind}");
    }
    let no_json = Post { body: "type=customer.updated".to_owned(), ..Post::of("") };
    assert_eq!(no_json.to(&replica).await, StatusCode::OK);
    assert_eq!((replica.posted("ignored"), replica.posted("hint")), (4, 0));
    nothing_is_read(&bench, before).await;
    replica.stop().await;
}

#[tokio::test]
async fn a_collection_that_no_pair_keeps_is_ignored() {
    let bench = Bench::new().await;
    let with_all = bench.context(bench.listens);
    let customcrm = with_all.config.connections[0].customcrm.clone().unwrap();
    let customers = super::pairs().into_iter().take(1).collect();
    let context = context_of(customcrm, Some(bench.listens), customers);
    let replica = bench.start_with(context).await;
    assert_eq!(Post::of("order.updated").to(&replica).await, StatusCode::OK);
    assert_eq!((replica.posted("ignored"), replica.posted("hint")), (1, 0));
    assert_eq!(Post::of("customer.updated").to(&replica).await, StatusCode::OK);
    assert_eq!(replica.posted("hint"), 1);
    replica.stop().await;
}

#[tokio::test]
async fn only_posts_to_a_connections_own_path_are_taken() {
    let bench = Bench::new().await;
    let replica = bench.start_and_rest().await;
    let call = async |method: Method, path: &str| {
        let url = format!("http://{}{path}", replica.listens);
        Client::new().request(method, url).send().await.unwrap().status()
    };
    assert_eq!(call(Method::GET, PATH).await, StatusCode::METHOD_NOT_ALLOWED);
    for path in ["/", "/crm", "/crm/other", "/crm/acme/", "/health/live"] {
        assert_eq!(call(Method::POST, path).await, StatusCode::NOT_FOUND, "{path}");
    }
    replica.stop().await;
}

#[tokio::test]
async fn a_secret_that_can_t_sign_is_refused_at_the_start_with_what_to_do() {
    let bench = Bench { secret: "hidden".to_owned(), ..Bench::new().await };
    let expected = "/run/secrets/crm-webhook: connection.acme.customcrm.webhooks.secret_file: holds a secret that does not begin with whsec_; put the secret there as CustomCRM shows it: whsec_ and at least 24 random bytes in Base64";
    for refused in [
        check(&bench.context(bench.listens)).unwrap_err(),
        serve(bench.ports(), bench.context(bench.listens)).await.unwrap_err(),
    ] {
        let ServiceError::Configuration(problems) = &refused else { panic!("{refused}") };
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
        assert!(!format!("{refused:?}").contains("hidden"));
    }
}
