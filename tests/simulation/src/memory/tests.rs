use ::store::Embedded;
use ambient::simulate;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::time::sleep;

use super::*;

/// Keys that meet each other often.
fn key(random: &mut StdRng) -> Key {
    Key::of("test", "scope", &[["a", "b", "c"][random.random_range(0..3)]])
}

fn member(random: &mut StdRng) -> String {
    ["x", "y", "z"][random.random_range(0..3)].to_owned()
}

fn change(random: &mut StdRng) -> Change {
    let key = key(random);
    match random.random_range(0..8) {
        0 => Change::Set { key, value: member(random) },
        1 => Change::SetFor {
            key,
            value: member(random),
            keep: Duration::from_secs(random.random_range(1..20)),
        },
        2 => Change::Delete(key),
        3 => Change::Add { key, member: member(random) },
        4 => Change::Remove { key, member: member(random) },
        5 => {
            let at = ambient::now() + Duration::from_secs(random.random_range(0..20));
            Change::Schedule { key, member: member(random), at }
        }
        6 => Change::Unschedule { key, member: member(random) },
        _ => Change::Append { key, value: member(random), keep: random.random_range(1..4) },
    }
}

/// What a store shows, with its numbers told apart by their order only.
async fn shown(store: &impl Store, random: &mut StdRng, numbers: &mut Vec<u64>) -> String {
    let (key, limit) = (key(random), random.random_range(1..4));
    let entry = store.get(&key).await.unwrap();
    let entry = entry.map(|entry| (order(numbers, entry.revision), entry.value));
    let (due, list) =
        (store.due(&key, ambient::now(), limit).await.unwrap(), store.list(&key, limit).await.unwrap());
    let members = store.members(&key).await.unwrap();
    format!("{entry:?} {members:?} {} {due:?} {list:?}", store.count(&key).await.unwrap())
}

fn order(numbers: &mut Vec<u64>, number: u64) -> usize {
    numbers.iter().position(|known| *known == number).unwrap_or_else(|| {
        numbers.push(number);
        numbers.len() - 1
    })
}

/// Does the same random things with a store; gives what it answered.
async fn answers(store: impl Store, seed: u64) -> Vec<String> {
    let (mut random, mut numbers, mut told) = (StdRng::seed_from_u64(seed), Vec::new(), Vec::new());
    for _ in 0..120 {
        sleep(Duration::from_millis(random.random_range(1..4_000))).await;
        let (lease, holder) = (key(&mut random), member(&mut random));
        match random.random_range(0..5) {
            0 => {
                let keep = Duration::from_secs(random.random_range(1..10));
                told.push(match store.lease(&lease, &holder, keep).await.unwrap() {
                    Leased::Held { token } => format!("held {}", order(&mut numbers, token)),
                    Leased::Taken => "taken".to_owned(),
                });
            }
            1 if random.random_bool(0.3) => store.release(&lease, &holder).await.unwrap(),
            2 => told.push(shown(&store, &mut random, &mut numbers).await),
            _ => {
                let mut batch = Batch::new();
                if random.random_bool(0.5) {
                    let revision = numbers.get(random.random_range(0..8)).copied().unwrap_or(1);
                    batch = batch.when(match random.random_range(0..4) {
                        0 => Check::Absent(lease),
                        1 => Check::Revision(lease, revision),
                        2 => Check::Members(lease, BTreeSet::from([holder])),
                        _ => Check::Lease { key: lease, token: revision },
                    });
                }
                for _ in 0..random.random_range(0..3) {
                    batch = batch.then(change(&mut random));
                }
                told.push(match store.apply(batch).await.unwrap() {
                    Applied::Done { revision: 0 } => "nothing to do".to_owned(),
                    Applied::Done { revision } => format!("done {}", order(&mut numbers, revision)),
                    Applied::Refused(key) => format!("refused {key}"),
                });
            }
        }
    }
    told
}

#[test]
fn it_answers_as_the_embedded_store_does() {
    for seed in 0..60 {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let [own, embedded] = runtime.block_on(async {
            let start: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
            let own = {
                let _simulation = simulate(seed, start);
                answers(Memory::default(), seed).await
            };
            let _simulation = simulate(seed, start);
            [own, answers(Embedded::in_memory().unwrap(), seed).await]
        });
        assert_eq!(own, embedded, "seed {seed}");
    }
}
