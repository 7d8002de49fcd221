use std::collections::BTreeSet;

use super::*;

const WEATHER: Weather =
    Weather { every: Duration::from_secs(4), replicas: 2, flushes: true, refusals: true };
const HOUR: Duration = Duration::from_hours(1);

#[test]
fn the_same_seed_gives_the_same_faults_and_another_gives_others() {
    let faults = schedule(7, HOUR, WEATHER);
    assert_eq!(faults, schedule(7, HOUR, WEATHER));
    assert_ne!(faults, schedule(8, HOUR, WEATHER));
}

#[test]
fn in_an_hour_everything_goes_wrong_that_can_and_nothing_after_the_end() {
    let faults = schedule(7, HOUR, WEATHER);
    let names: BTreeSet<&str> = faults.iter().map(|due| due.fault.name()).collect();
    assert_eq!(names.len(), 25, "{names:?}");
    assert!(faults.is_sorted_by_key(|due| due.at));
    assert!(faults.iter().all(|due| due.at < HOUR));
}

/// Exact blocks an endpoint after ten of them in an hour, and the product lets it rest before.
#[test]
fn errors_that_exact_counts_are_few() {
    let counted = |due: &&Due| due.fault.name() == "Exact: 401";
    assert!(schedule(7, HOUR, WEATHER).iter().filter(counted).count() <= 3);
}

#[test]
fn without_flushes_redis_is_never_emptied() {
    let faults = schedule(7, HOUR, Weather { flushes: false, ..WEATHER });
    assert!(faults.iter().all(|due| due.fault != Fault::Flush));
}

#[test]
fn a_pause_outlasts_every_lease() {
    for due in schedule(7, HOUR, WEATHER) {
        if let Fault::Pause { lasts, .. } = due.fault {
            assert!(lasts >= LONGER_THAN_A_LEASE);
        }
    }
}
