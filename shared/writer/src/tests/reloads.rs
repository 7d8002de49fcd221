//! A configuration that is read anew while the writer runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use broker::Broker;
use contract::{Lane, OutcomeResult};
use mapping::{Constant, Place};
use model::{ConnectionName, Content, FailureClass};
use service::{Config, ConnectionConfig, Context, InForce, Reloads};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::bench::Bench;
use super::fakes::{Scripted, refusal};
use super::served::{PATIENCE, Running, configured, context_of, edited, queue};
use super::{EXACT, connection, record};

/// A writer whose configuration is read anew as a test wants it, and the systems that were made for its connections.
struct Reloaded {
    context: Context,
    sender: watch::Sender<Option<InForce>>,
    made: Arc<Mutex<Vec<(ConnectionName, Scripted)>>>,
    running: Running,
}

fn zeta() -> ConnectionConfig {
    configured(ConnectionName::parse("zeta").unwrap(), None)
}

/// The connection of the links, as it is called and as another one.
fn acme() -> ConnectionConfig {
    configured(connection(), None)
}

fn other_acme() -> ConnectionConfig {
    ConnectionConfig { is_test: true, ..acme() }
}

impl Reloaded {
    fn of(bench: &Bench, connections: Vec<ConnectionConfig>) -> Self {
        let (sender, reloads) = Reloads::channel();
        let context = Context { reloads, ..context_of(bench, connections) };
        let made = Arc::new(Mutex::new(Vec::new()));
        let (links, pair, noted) = (bench.links.clone(), bench.pair.name.clone(), Arc::clone(&made));
        let running = Running::making(bench, context.clone(), move |connection| {
            let system = Scripted::new(links.clone(), pair.clone());
            noted.lock().unwrap().push((connection.name.clone(), system.clone()));
            system
        });
        Self { context, sender, made, running }
    }

    fn put_in_force(&self, connections: Vec<ConnectionConfig>) {
        let config = Config { connections, ..(*self.context.config).clone() };
        self.sender.send_replace(Some((Arc::new(config), self.context.pairs.clone())));
    }

    /// The systems that were made for a connection so far, first ones first.
    fn systems(&self, connection: &ConnectionName) -> Vec<Scripted> {
        let made = self.made.lock().unwrap();
        made.iter().filter(|(name, _)| name == connection).map(|(_, system)| system.clone()).collect()
    }

    /// Waits for the system that is made as the so manyth for a connection.
    async fn system(&self, connection: &ConnectionName, number: usize) -> Scripted {
        until(&format!("system {number} of {connection}"), || self.systems(connection).len() >= number).await;
        self.systems(connection).remove(number - 1)
    }
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let asked = Instant::now();
    while !is_so() {
        assert!(asked.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_in_hand_is_finished_as_it_began_and_what_comes_then_goes_to_the_system_as_it_is_called_now()
{
    let bench = Bench::new().await;
    let (first, second) = (edited(&bench, "c1", "a1").await, edited(&bench, "c2", "a2").await);
    let writer = Reloaded::of(&bench, vec![acme(), zeta()]);
    let before = writer.system(&connection(), 1).await;
    before.hold();
    queue(&bench, Lane::Live, bench.queued(&first)).await;
    until("the first write is in hand", || before.calls().len() == 1).await;

    writer.put_in_force(vec![zeta(), other_acme()]);
    let now = writer.system(&connection(), 2).await;
    // On this one thread it is in force as soon as anybody else can see that it was made.
    queue(&bench, Lane::Live, bench.queued(&second)).await;
    assert_eq!(bench.outcome_within(PATIENCE).await.unwrap().link, second);
    assert_eq!((before.calls().len(), now.calls().len()), (1, 1));
    before.resume.notify_one();
    assert_eq!(bench.outcome_within(PATIENCE).await.unwrap().link, first, "it was not cut off");
    writer.running.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_the_same_is_written_by_the_same_system_whatever_becomes_of_the_others() {
    let bench = Bench::new().await;
    let link = edited(&bench, "c1", "a1").await;
    let writer = Reloaded::of(&bench, vec![acme(), zeta()]);
    let system = writer.system(&connection(), 1).await;
    let other_zeta = ConnectionConfig { is_test: true, ..zeta() };
    let gamma = configured(ConnectionName::parse("gamma").unwrap(), None);
    writer.put_in_force(vec![gamma, other_zeta, acme()]);
    writer.system(&zeta().name, 2).await;
    queue(&bench, Lane::Live, bench.queued(&link)).await;
    assert_eq!(bench.outcome_within(PATIENCE).await.unwrap().link, link);
    assert_eq!((system.calls().len(), writer.systems(&connection()).len()), (1, 1));
    writer.running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_of_a_connection_that_is_not_there_waits_and_is_carried_out_when_it_is() {
    let bench = Bench::new().await;
    let link = edited(&bench, "c1", "a1").await;
    let writer = Reloaded::of(&bench, vec![zeta()]);
    queue(&bench, Lane::Live, bench.queued(&link)).await;
    let line = format!(
        "tandem_unknown_connections_total{{queue=\"{}\",service=\"writer\"}} 1",
        bench.topology.names.writes(EXACT, Lane::Live)
    );
    until("the write waits", || writer.context.metrics.render().contains(&line)).await;
    writer.put_in_force(vec![acme(), zeta()]);
    let outcome = bench.outcome_within(Duration::from_secs(10)).await.expect("it comes back within a rest");
    assert!(matches!(outcome.result, OutcomeResult::Applied { .. }));
    assert_eq!(bench.broker.depth(&bench.topology.names.dead_letters()).await.unwrap(), 0);
    writer.running.stop().await;
}

#[tokio::test]
async fn nothing_is_told_of_a_connection_that_went_or_is_called_otherwise() {
    let mut bench = Bench::new().await;
    let content = Content::from("$literal.account");
    let constant = Constant { place: Place::START, system: EXACT, name: "Parent".to_owned(), content };
    bench.pair.constants.push(constant);
    let link = edited(&bench, "c1", "a1").await;
    let refused = |account| vec![configured(connection(), account), zeta()];
    let writer = Reloaded::of(&bench, refused(Some(record("g1"))));
    let told = || {
        let health = &writer.context.health;
        let all = [health.waits_for(), health.rests()].into_iter().flat_map(BTreeMap::into_keys);
        all.filter(|check| check.starts_with("acme")).collect::<Vec<_>>()
    };
    until("the missing account is told", || told() == ["acme literal"]).await;
    writer.put_in_force(refused(None));
    until("it is asked for no longer", || told().is_empty()).await;

    let system = writer.system(&connection(), 2).await;
    system.fail_write(refusal(FailureClass::Auth, "the token is refused"));
    queue(&bench, Lane::Live, bench.queued(&link)).await;
    until("the refused write is told", || told() == ["acme exactonline customer-account"]).await;
    writer.context.metrics.set_grant_usable("acme");
    writer.put_in_force(vec![zeta()]);
    until("nothing is told of it", || told().is_empty()).await;
    until("nor counted", || !writer.context.metrics.render().contains("connection=\"acme\"")).await;
    writer.running.stop().await;
}
