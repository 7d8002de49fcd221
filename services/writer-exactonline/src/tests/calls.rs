//! What writing costs: a call for each write, and the feeds, which all writes of a moment share.

use contract::Sighting;
use exactonline::{Priority, Source};
use futures_util::future::join_all;
use tokio::time::Instant;
use writer::Target as _;

use super::bench::{Bench, aim, changed, entity, header, lines, of_lines, properties};
use crate::feed::VOUCHES_FOR;

/// The calls so far: those that write, and those that read.
#[derive(Clone, Copy)]
struct Calls {
    writes: usize,
    reads: usize,
}

impl Calls {
    fn of(bench: &Bench) -> Self {
        let counts = bench.control().counts();
        let is_read = |endpoint: &String| endpoint.starts_with("GET ");
        let reads =
            counts.by_endpoint.iter().filter(|(endpoint, _)| is_read(endpoint)).map(|(_, count)| count);
        let reads = reads.sum();
        Self { writes: counts.calls - reads, reads }
    }

    /// What was made since, as (writes, reads).
    fn since(self, bench: &Bench, what: &str) -> (usize, usize) {
        let now = Self::of(bench);
        let (writes, reads) = (now.writes - self.writes, now.reads - self.reads);
        println!("{what}: {writes} calls that write, {reads} that read");
        (writes, reads)
    }
}

/// A bench that knows who we are.
async fn ready() -> Bench {
    let bench = Bench::start().await;
    bench.division.ready(aim(&entity("accounts"))).await.unwrap();
    bench
}

async fn accounts(bench: &Bench, count: usize) -> Vec<Sighting> {
    let accounts = entity("accounts");
    let mut made = Vec::new();
    for number in 0..count {
        let new = properties(&format!(r#"{{"Name":"N{number}"}}"#));
        made.push(bench.division.create(aim(&accounts), &new, "key").await.unwrap().record.id);
    }
    bench.division.read_since(&accounts, Instant::now(), &[Source::Own], Priority::Edit).await.unwrap();
    let told = made.iter().map(|id| bench.told("accounts", id));
    join_all(told).await.into_iter().map(Option::unwrap).collect()
}

#[tokio::test]
async fn an_account_is_created_by_one_call() {
    let bench = ready().await;
    let (name, new) = (entity("accounts"), properties(r#"{"Name":"New"}"#));
    let before = Calls::of(&bench);
    bench.division.create(aim(&name), &new, "key").await.unwrap();
    assert_eq!(before.since(&bench, "an account created"), (1, 0));
}

#[tokio::test]
async fn an_account_is_changed_by_one_call_and_one_read_before_and_after_it_serve_all_of_a_moment() {
    let bench = ready().await;
    let (name, known) = (entity("accounts"), accounts(&bench, 20).await);
    let put = header(r#"{"City":"Gent"}"#);
    let update = async |seen: &Sighting| {
        let (id, version) = (&seen.record.id, seen.record.version);
        bench.division.update(aim(&name), id, version, &put).await.unwrap().unwrap()
    };
    tokio::time::sleep(VOUCHES_FOR).await;
    let before = Calls::of(&bench);
    assert!(update(&known[0]).await.by_us);
    assert_eq!(before.since(&bench, "an account changed"), (1, 2));

    tokio::time::sleep(VOUCHES_FOR).await;
    let before = Calls::of(&bench);
    assert!(join_all(known[1..].iter().map(update)).await.iter().all(|told| told.by_us));
    let (writes, reads) = before.since(&bench, "nineteen accounts changed at once");
    assert_eq!(writes, 19);
    // Two, and more where some writes come back much later than others.
    assert!(reads < 19, "{reads}");
}

#[tokio::test]
async fn an_order_of_twenty_lines_is_created_by_one_call_and_a_line_changed_by_one() {
    let bench = ready().await;
    let orders = entity("salesorders");
    let before = Calls::of(&bench);
    let made = bench.division.create(aim(&orders), &bench.order_of("ref", &[1; 20]), "key").await.unwrap();
    let (writes, _) = before.since(&bench, "an order of twenty lines created");
    assert_eq!((lines(&made.record).len(), writes), (20, 1));

    let seen = bench.settled(&made.record.id).await;
    let (line, _) = lines(&seen.record).remove(0);
    let put = of_lines(vec![changed(&line, r#"{"Quantity":7}"#)]);
    let before = Calls::of(&bench);
    assert!(bench.update(&seen, &put).await.unwrap().is_some());
    let (writes, _) = before.since(&bench, "a line changed");
    assert_eq!(writes, 1);
}
