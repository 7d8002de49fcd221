//! What writing costs: a call for each write, and the feeds, which all writes of a moment share.

use contract::Sighting;
use exactonline::{Priority, Source};
use futures_util::future::join_all;
use mapping::LinePut;
use tokio::time::Instant;
use writer::Target as _;

use super::bench::{Bench, aim, entity, header, lines, of_lines, properties};
use crate::feed::VOUCHES_FOR;

/// The calls so far: all, and those that write.
fn calls(bench: &Bench) -> (usize, usize) {
    let counts = bench.control().counts();
    let writes = |(endpoint, _): &(&String, &usize)| !endpoint.starts_with("GET ");
    (counts.calls, counts.by_endpoint.iter().filter(writes).map(|(_, count)| count).sum())
}

/// The calls that something took.
async fn cost<T>(bench: &Bench, what: &str, work: impl Future<Output = T>) -> (T, usize, usize) {
    let before = calls(bench);
    let done = work.await;
    let after = calls(bench);
    let (all, writes) = (after.0 - before.0, after.1 - before.1);
    println!("{what}: {writes} calls that write, {} that read", all - writes);
    (done, all, writes)
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
    let create = bench.division.create(aim(&name), &new, "key");
    let (made, all, writes) = cost(&bench, "an account created", create).await;
    made.unwrap();
    assert_eq!((all, writes), (1, 1));
}

#[tokio::test]
async fn an_account_is_changed_by_one_call_and_one_read_before_and_after_it_serve_all_of_a_moment() {
    let bench = ready().await;
    let (name, known) = (entity("accounts"), accounts(&bench, 20).await);
    let put = header(r#"{"City":"Gent"}"#);
    let update = async |seen: &Sighting| {
        let (id, version) = (&seen.record.id, seen.record.version);
        bench.division.update(aim(&name), id, version, &put).await
    };
    tokio::time::sleep(VOUCHES_FOR).await;
    let (told, _, writes) = cost(&bench, "an account changed", update(&known[0])).await;
    assert_eq!((told.unwrap().unwrap().by_us, writes), (true, 1));

    tokio::time::sleep(VOUCHES_FOR).await;
    let all = join_all(known[1..].iter().map(update));
    let (told, all, writes) = cost(&bench, "nineteen accounts changed at once", all).await;
    assert!(told.into_iter().all(|told| told.unwrap().is_some_and(|told| told.by_us)));
    assert_eq!(writes, 19);
    assert!(all <= 19 + 8, "{all}");
}

#[tokio::test]
async fn an_order_of_twenty_lines_is_created_by_one_call_and_a_line_changed_by_one() {
    let bench = ready().await;
    let orders = entity("salesorders");
    let new = bench.order_of("ref", &[1; 20]);
    let create = bench.division.create(aim(&orders), &new, "key");
    let (made, _, writes) = cost(&bench, "an order of twenty lines created", create).await;
    let made = made.unwrap();
    assert_eq!((lines(&made.record).len(), writes), (20, 1));

    let seen = bench.settled(&made.record.id).await;
    let (line, _) = lines(&seen.record).remove(0);
    let put = of_lines(vec![LinePut::Change { id: line, properties: properties(r#"{"Quantity":7}"#) }]);
    let (told, _, writes) = cost(&bench, "a line changed", bench.update(&seen, &put)).await;
    assert!(told.unwrap().is_some());
    assert_eq!(writes, 1);
}
