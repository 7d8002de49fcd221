use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use super::*;

const START: &str = "2026-03-01T23:59:00Z";

fn in_simulation<T>(seed: u64, work: impl AsyncFnOnce() -> T) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let _simulation = simulate(seed, START.parse().unwrap());
        work().await
    })
}

fn drawn() -> (Uuid, Uuid, f64) {
    (new_id(), new_random_id(), fraction())
}

#[test]
fn time_in_a_simulation_is_what_has_been_slept() {
    in_simulation(1, async || {
        assert_eq!(now(), START.parse::<Timestamp>().unwrap());
        assert_eq!(today(), jiff::civil::date(2026, 3, 1));
        sleep(Duration::from_hours(1)).await;
        assert_eq!(now(), "2026-03-02T00:59:00Z".parse::<Timestamp>().unwrap());
        assert_eq!(today(), jiff::civil::date(2026, 3, 2));
    });
}

#[test]
fn one_seed_gives_the_same_chance_again_and_another_gives_another() {
    let [first, again, other] = [7, 7, 8].map(|seed| in_simulation(seed, async || drawn()));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!((0.0..1.0).contains(&first.2));
}

#[test]
fn ids_of_later_moments_sort_behind() {
    in_simulation(1, async || {
        let mut ids = Vec::new();
        for _ in 0..50 {
            ids.push(new_id());
            sleep(Duration::from_millis(1)).await;
        }
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert_eq!(new_random_id().get_version_num(), 4);
    });
}

#[test]
fn a_process_has_its_own_clock_and_its_tasks_too() {
    in_simulation(1, async || {
        let true_time = now();
        let ahead = SignedDuration::from_secs(90);
        let process = Process::default();
        process.set_ahead(ahead);
        let (own, carried_on, strange) = run_as(process, async {
            let carried_on = tokio::spawn(carried(async { now() }));
            let strange = tokio::spawn(async { now() });
            tokio::task::yield_now().await;
            (now(), carried_on.await.unwrap(), strange.await.unwrap())
        })
        .await;
        assert_eq!([own, carried_on, strange], [true_time + ahead, true_time + ahead, true_time]);
        assert_eq!(now(), true_time, "nobody else's clock was moved");
    });
}

#[tokio::test]
async fn without_a_simulation_all_is_the_machines() {
    std::thread::spawn(|| in_simulation(1, async || ())).join().unwrap();
    let before = Timestamp::now();
    assert!((before..before + SignedDuration::from_secs(30)).contains(&now()));
    assert_ne!(drawn(), drawn());
    assert_ne!(unblock(|| std::thread::current().id()).await, std::thread::current().id());
}

#[test]
fn what_blocks_is_done_at_once_in_a_simulation() {
    in_simulation(1, async || {
        let here = std::thread::current().id();
        assert_eq!(unblock(move || std::thread::current().id()).await, here);
    });
}

#[test]
fn a_process_that_is_paused_goes_on_later_and_one_that_is_killed_never_does() {
    in_simulation(1, async || {
        let (process, steps) = (Process::default(), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&steps);
        let task = tokio::spawn(run_as(process.clone(), async move {
            loop {
                sleep(Duration::from_secs(1)).await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }));
        let mut seen = Vec::new();
        let pause = || process.pause();
        let (resume, kill) = (|| process.resume(), || process.kill());
        for change in [&pause as &dyn Fn(), &resume, &kill, &resume] {
            sleep(Duration::from_millis(10_500)).await;
            seen.push(steps.load(Ordering::Relaxed));
            change();
        }
        sleep(Duration::from_secs(10)).await;
        seen.push(steps.load(Ordering::Relaxed));
        assert_eq!(seen, [10, 10, 21, 21, 21], "what fell due meanwhile is due when it goes on");
        assert_eq!(Arc::strong_count(&steps), 1, "what it held is dropped");
        task.abort();
    });
}
