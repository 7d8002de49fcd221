use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::{Names, eventually};
use crate::{Key, Spent, Store, Window};

/// Windows so long that none ends while a test runs: they began in 2001 and end in 2033.
const NARROW: u32 = 1_000_000_000;
const WIDE: u32 = 2_000_000_000;

fn window(seconds: u32, limit: u32) -> Window {
    Window { seconds, limit }
}

/// How many calls are granted in a row, at most 1,000.
async fn granted<S: Store>(store: &S, key: &Key, windows: &[Window], leave: u32) -> usize {
    let mut count = 0;
    while count < 1_000 && store.spend(key, windows, leave).await.unwrap() == Spent::Granted {
        count += 1;
    }
    count
}

pub(crate) async fn concurrent_spenders_never_exceed_any_window<S: Store>(store: S, names: Names) {
    let key = names.key(&["quota"]);
    for (windows, expected) in
        [([window(NARROW, 20), window(WIDE, 50)], 20), ([window(NARROW, 90), window(WIDE, 50)], 30)]
    {
        let mut spenders = JoinSet::new();
        for _ in 0..8 {
            let (store, key) = (store.clone(), key.clone());
            spenders.spawn(async move {
                let mut count = 0;
                for _ in 0..10 {
                    count += usize::from(store.spend(&key, &windows, 0).await.unwrap() == Spent::Granted);
                }
                count
            });
        }
        assert_eq!(spenders.join_all().await.into_iter().sum::<usize>(), expected, "{windows:?}");
    }
}

pub(crate) async fn leave_reserves_calls_for_others<S: Store>(store: S, names: Names) {
    let (key, windows) = (names.key(&["quota"]), [window(NARROW, 10)]);
    assert_eq!(granted(&store, &key, &windows, 4).await, 6);
    assert_eq!(granted(&store, &key, &windows, 3).await, 1);
    assert_eq!(granted(&store, &key, &windows, 0).await, 3);
    assert_eq!(granted(&store, &names.key(&["other"]), &windows, 11).await, 0);
    assert_eq!(granted(&store, &names.key(&["none"]), &[window(NARROW, 0)], 0).await, 0);
}

pub(crate) async fn a_refusal_counts_in_no_window<S: Store>(store: S, names: Names) {
    let key = names.key(&["quota"]);
    let (narrow, wide) = (window(NARROW, 2), window(WIDE, 10));
    assert_eq!(granted(&store, &key, &[narrow, wide], 0).await, 2);
    for _ in 0..5 {
        assert!(matches!(store.spend(&key, &[wide, narrow], 0).await.unwrap(), Spent::Wait(_)));
    }
    assert_eq!(granted(&store, &key, &[wide], 0).await, 8);
}

pub(crate) async fn a_correction_only_lowers_what_is_left<S: Store>(store: S, names: Names) {
    let (key, window) = (names.key(&["quota"]), window(NARROW, 10));
    assert_eq!(store.spend(&key, &[window], 0).await.unwrap(), Spent::Granted);
    store.correct(&key, window, 4).await.unwrap();
    for too_much in [5, 10, 99] {
        store.correct(&key, window, too_much).await.unwrap();
    }
    assert_eq!(granted(&store, &key, &[window], 0).await, 4);
    let fresh = names.key(&["fresh"]);
    store.correct(&fresh, window, 3).await.unwrap();
    assert_eq!(granted(&store, &fresh, &[window], 0).await, 3);
}

pub(crate) async fn an_exhausted_budget_rests_until_told<S: Store>(store: S, names: Names) {
    let (key, narrow, wide) = (names.key(&["quota"]), window(NARROW, 10), window(WIDE, 10));
    let in_millis = |millis| Timestamp::now() + SignedDuration::from_millis(millis);
    store.exhaust(&key, narrow, in_millis(-1)).await.unwrap();
    assert_eq!(store.spend(&key, &[narrow, wide], 0).await.unwrap(), Spent::Granted, "a rest that is over");

    let until = in_millis(300);
    store.exhaust(&key, narrow, until).await.unwrap();
    // An earlier end does not shorten it.
    store.exhaust(&key, narrow, in_millis(50)).await.unwrap();
    let Spent::Wait(wait) = store.spend(&key, &[narrow, wide], 0).await.unwrap() else {
        panic!("granted during a rest")
    };
    assert!(wait > Duration::from_millis(50) && wait <= Duration::from_millis(300), "{wait:?}");
    assert_eq!(store.spend(&key, &[wide], 0).await.unwrap(), Spent::Granted, "another window");

    let when = async || {
        let spent = store.spend(&key, &[narrow, wide], 0).await.unwrap();
        (spent == Spent::Granted).then(Timestamp::now)
    };
    assert!(eventually("the rest to end", when).await >= until);
    // What was used before the rest still counts.
    assert_eq!(granted(&store, &key, &[narrow], 0).await, 8);
}

pub(crate) async fn windows_are_aligned_to_the_clock<S: Store>(store: S, names: Names) {
    let ends = |moment: Timestamp, seconds: i64| moment.as_millisecond().div_euclid(seconds * 1_000);
    for seconds in [60, 86_400] {
        let (key, window) = (names.key(&["quota"]), window(seconds, 0));
        let before = Timestamp::now();
        let Spent::Wait(wait) = store.spend(&key, &[window], 0).await.unwrap() else {
            panic!("granted out of nothing")
        };
        let after = Timestamp::now() + SignedDuration::from_millis(2);
        let wait = SignedDuration::try_from(wait).unwrap();
        // The end of the wait lies between these two; so does a full minute or a UTC midnight.
        let (first, last) = (ends(before + wait, seconds.into()), ends(after + wait, seconds.into()));
        assert_eq!(first + 1, last, "{seconds} s: {wait:?} from {before}");
        assert!(wait <= SignedDuration::from_secs(seconds.into()));
    }
}

pub(crate) async fn a_window_that_ends_grants_again<S: Store>(store: S, names: Names) {
    let (key, window) = (names.key(&["quota"]), window(1, 1));
    let start = Timestamp::now();
    let three_calls = async {
        let mut calls = 0;
        while calls < 3 {
            match store.spend(&key, &[window], 0).await.unwrap() {
                Spent::Granted => calls += 1,
                Spent::Wait(wait) => {
                    assert!(wait <= Duration::from_secs(1), "{wait:?}");
                    tokio::time::sleep(wait).await;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), three_calls).await.expect("each second grants a call");
    // Three calls of one a second fall into three seconds, so a whole one lies between the first and the last.
    let passed = Timestamp::now().duration_since(start);
    assert!(passed > SignedDuration::from_secs(1), "{passed:?}");
}

pub(crate) async fn budgets_do_not_share<S: Store>(store: S, names: Names) {
    let window = [window(NARROW, 2)];
    for scope in ["connection-1", "connection-2"] {
        assert_eq!(granted(&store, &names.scoped(scope, &["quota"]), &window, 0).await, 2, "{scope}");
    }
}
