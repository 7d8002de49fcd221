#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{Health, Needs, Pairs};

/// How long a unit takes to end when it is asked to.
const ENDS_AFTER: Duration = Duration::from_secs(3);

/// What happened, in order: a connection's name behind `+` when it began, `-` when it was asked to end.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What happened since this was asked last.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A service whose configuration is read anew as a test wants it.
struct Bench {
    context: Context,
    sender: watch::Sender<Option<(Arc<Config>, Pairs)>>,
    log: Log,
    task: JoinHandle<Outcome>,
}

/// Connections of these names; what stands behind a colon makes them others.
fn config(connections: &[&str]) -> Arc<Config> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tandem.toml");
    let mut text = String::new();
    for connection in connections {
        let (name, other) = connection.split_once(':').unwrap_or((connection, "false"));
        writeln!(text, "[[connection]]\nname = \"{name}\"\ntest = {other}").unwrap();
    }
    std::fs::write(&file, text).unwrap();
    Arc::new(Config::load(&file, Needs::NOTHING).unwrap())
}

/// What a unit does: the connection `fails` fails after a minute, `ends` ends then, and `fails-late` when it is asked to end.
async fn serve(context: Context, log: Log) -> Outcome {
    let [connection] = &context.config.connections[..] else { panic!("it has one connection") };
    let (name, test) = (connection.name.to_string(), connection.is_test);
    let failure = || Err(ServiceError::NoServers { service: name.clone() });
    log.add(format!("+{name}{}", if test { ":true" } else { "" }));
    context.health.set(&format!("{name} customers"), Check::Waiting("starting".to_owned()));
    context.metrics.set_webhooks_kept(&name, true);
    tokio::select! {
        () = context.stop.cancelled() => {}
        () = sleep(Duration::from_mins(1)), if name == "fails" => return failure(),
        () = sleep(Duration::from_mins(1)), if name == "ends" => return Ok(()),
    }
    log.add(format!("-{name}"));
    sleep(ENDS_AFTER).await;
    if name == "fails-late" { failure() } else { Ok(()) }
}

impl Bench {
    fn start(connections: &[&str]) -> Self {
        let (sender, reloads) = Reloads::channel();
        let context = Context {
            config: config(connections),
            pairs: Vec::new().into(),
            stop: CancellationToken::new(),
            health: Health::new(),
            metrics: Arc::new(telemetry::Metrics::new("test")),
            reloads,
        };
        let log = Log::default();
        let unit_log = log.clone();
        let unit = move |context| serve(context, unit_log.clone());
        let task = tokio::spawn(for_each_connection(context.clone(), unit));
        Self { context, sender, log, task }
    }

    fn reload(&self, connections: &[&str]) {
        self.sender.send_replace(Some((config(connections), Vec::new().into())));
    }

    /// The connections of which anything is told.
    fn told(&self) -> (Vec<String>, Vec<&'static str>) {
        let checks = self.context.health.waits_for().into_keys().collect();
        let metrics = self.context.metrics.render();
        let is_told = |name: &&str| metrics.contains(&format!("connection=\"{name}\""));
        (checks, ["acme", "beta", "gamma"].into_iter().filter(is_told).collect())
    }
}

/// Longer than anything takes, and shorter than a minute.
async fn settle() {
    sleep(ENDS_AFTER * 3).await;
}

#[tokio::test(start_paused = true)]
async fn connections_that_were_added_removed_or_changed_begin_end_or_begin_anew_and_the_others_notice_nothing()
 {
    let bench = Bench::start(&["acme", "beta", "gamma"]);
    settle().await;
    assert_eq!(bench.log.take(), ["+acme", "+beta", "+gamma"]);
    bench.reload(&["delta", "beta:true", "acme"]);
    settle().await;
    let mut log = bench.log.take();
    assert_eq!(log.pop().as_deref(), Some("+beta:true"), "after the one before has ended");
    log.sort();
    assert_eq!(log, ["+delta", "-beta", "-gamma"]);
    let checks = ["acme customers", "beta customers", "delta customers"].map(str::to_owned).to_vec();
    assert_eq!(bench.told(), (checks, vec!["acme", "beta"]), "nothing is told of what went");
    bench.reload(&["acme", "beta:true", "delta"]);
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new(), "nothing is otherwise");
    bench.context.stop.cancel();
    bench.task.await.unwrap().unwrap();
    let mut log = bench.log.take();
    log.sort();
    assert_eq!(log, ["-acme", "-beta", "-delta"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_still_ending_begins_anew_with_what_is_in_force_when_it_has_ended() {
    let bench = Bench::start(&["acme"]);
    settle().await;
    bench.reload(&["acme:true"]);
    sleep(ENDS_AFTER / 3).await;
    bench.reload(&[]);
    sleep(ENDS_AFTER / 3).await;
    bench.reload(&["acme"]);
    let asked = Instant::now();
    while bench.log.0.lock().unwrap().len() < 3 {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(asked.elapsed() <= ENDS_AFTER / 2, "one is there at a time, and the next begins at once");
    assert_eq!(bench.log.take(), ["+acme", "-acme", "+acme"]);
    settle().await;
    assert_eq!(bench.log.take(), Vec::<String>::new());
    bench.context.stop.cancel();
    bench.task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_without_connections_is_ready_and_takes_the_first_one() {
    let bench = Bench::start(&[]);
    settle().await;
    assert_eq!(bench.told(), (vec![], vec![]));
    bench.reload(&["acme"]);
    settle().await;
    assert_eq!(bench.told(), (vec!["acme customers".to_owned()], vec!["acme"]));
    bench.reload(&[]);
    settle().await;
    assert_eq!(bench.told(), (vec![], vec![]));
    assert!(!bench.task.is_finished());
    bench.context.stop.cancel();
    bench.task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_or_ends_unasked_ends_all_in_good_order() {
    for (name, told) in [
        ("fails", "1 task(s) did not end well: fails failed: fails is one process of several"),
        ("ends", "1 task(s) did not end well: ends ended unasked"),
    ] {
        let bench = Bench::start(&["acme", name]);
        let error = bench.task.await.unwrap().unwrap_err();
        assert!(error.to_string().starts_with(told), "{error}");
        assert!(bench.context.stop.is_cancelled());
        assert_eq!(bench.log.take().last().unwrap(), "-acme", "it was waited for");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_when_its_connection_goes_holds_up_nobody() {
    let bench = Bench::start(&["acme", "fails-late"]);
    settle().await;
    bench.reload(&["acme"]);
    settle().await;
    assert_eq!(bench.log.take(), ["+acme", "+fails-late", "-fails-late"]);
    assert!(!bench.task.is_finished());
    bench.context.stop.cancel();
    bench.task.await.unwrap().unwrap();
}
