//! The ledger by itself: what it grants and refuses, case by case; and days of virtual time in [`days`].
#![allow(clippy::unwrap_used)]

mod days;
mod world;

use jiff::{SignedDuration, Timestamp};

use super::{Counted, Granted, Ledger, Priority, Taken, Told, ToldOf, Why};
use crate::Limits;

const ACCOUNTS: &str = "crm/accounts";
const LIMITS: Limits =
    Limits { per_minute: 60, per_day: 5_000, errors_per_hour: 8, token_calls_per_day: 190 };
/// No endpoint is ever crowded.
const ROOMY: Limits = Limits { errors_per_hour: 10_000, ..LIMITS };

fn at(text: &str) -> Timestamp {
    format!("2026-11-22T{text}Z").parse().unwrap()
}

fn midnight() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

fn ask(ledger: &mut Ledger, limits: &Limits, now: &str, class: Priority) -> Taken {
    ledger.take(limits, at(now), class, Counted::MinuteAndDay, ACCOUNTS)
}

/// A call that must be granted.
fn call(ledger: &mut Ledger, limits: &Limits, now: &str) -> Granted {
    match ask(ledger, limits, now, Priority::Edit) {
        Taken::Granted(call) => call,
        wait @ Taken::Wait { .. } => panic!("{wait:?}"),
    }
}

/// How many calls are granted in a row at one moment.
fn granted(ledger: &mut Ledger, limits: &Limits, now: &str, class: Priority) -> u32 {
    let mut granted = 0;
    while matches!(ask(ledger, limits, now, class), Taken::Granted(_)) {
        granted += 1;
    }
    granted
}

/// Until when a call has to wait that must not be granted.
fn wait(ledger: &mut Ledger, limits: &Limits, now: &str, class: Priority) -> Timestamp {
    match ask(ledger, limits, now, class) {
        Taken::Wait { until, .. } => until,
        Taken::Granted(_) => panic!("granted at {now}"),
    }
}

fn told_minute(remaining: u32, reset: &str) -> Told {
    Told {
        minute: ToldOf { limit: Some(60), remaining: Some(remaining), reset: Some(at(reset)) },
        ..Told::default()
    }
}

fn told_day(remaining: u32) -> Told {
    Told {
        day: ToldOf { limit: Some(5_000), remaining: Some(remaining), reset: Some(midnight()) },
        ..Told::default()
    }
}

#[test]
fn a_minute_leaves_to_the_more_urgent_what_may_still_come_in_the_rest_of_it() {
    for (now, [scan, backfill, read, edit]) in [
        // As it begins: two fifths, three tenths, three twentieths and a tenth are left.
        ("10:00:01.000", [36, 42, 51, 54]),
        // In the middle half of that.
        ("10:00:29.500", [48, 51, 56, 57]),
        // In the end one call is left to edits.
        ("10:00:57.999", [59, 59, 59, 60]),
    ] {
        for (class, expected) in [
            (Priority::Scan, scan),
            (Priority::Backfill, backfill),
            (Priority::Read, read),
            (Priority::Edit, edit),
        ] {
            assert_eq!(granted(&mut Ledger::default(), &ROOMY, now, class), expected, "{class:?} at {now}");
        }
    }
}

#[test]
fn each_class_finds_something_after_the_less_urgent_took_all_they_may() {
    let mut ledger = Ledger::default();
    let classes = [Priority::Scan, Priority::Backfill, Priority::Read, Priority::Edit];
    let found = classes.map(|class| granted(&mut ledger, &ROOMY, "10:00:01", class));
    assert_eq!(found, [36, 6, 9, 3]);
}

#[test]
fn whoever_waits_is_told_the_moment_from_which_it_goes_on() {
    for class in [Priority::Edit, Priority::Read, Priority::Backfill, Priority::Scan] {
        let mut ledger = Ledger::default();
        let (mut now, mut calls) = (at("10:00:01"), 0);
        while now < at("10:01:00") {
            match ledger.take(&ROOMY, now, class, Counted::MinuteAndDay, ACCOUNTS) {
                Taken::Granted(_) => calls += 1,
                Taken::Wait { until, .. } => {
                    assert!(until > now);
                    // A millisecond before, it is not yet granted.
                    let before = until - SignedDuration::from_millis(1);
                    let asked = ledger.clone().take(&ROOMY, before, class, Counted::MinuteAndDay, ACCOUNTS);
                    assert!(matches!(asked, Taken::Wait { .. }), "{class:?} at {before}");
                    now = until;
                }
            }
        }
        assert_eq!(calls, if class == Priority::Edit { 60 } else { 59 }, "{class:?}");
    }
}

#[test]
fn a_used_up_minute_waits_until_the_next_has_begun_on_a_clock_that_is_behind_too() {
    let mut ledger = Ledger::default();
    while matches!(ask(&mut ledger, &ROOMY, "10:00:57.999", Priority::Edit), Taken::Granted(_)) {}
    assert_eq!(wait(&mut ledger, &ROOMY, "10:00:57.999", Priority::Edit), at("10:01:01"));
    assert_eq!(wait(&mut ledger, &ROOMY, "10:01:00.999", Priority::Edit), at("10:01:01"));
    let _ = call(&mut ledger, &ROOMY, "10:01:01");
}

#[test]
fn a_call_near_the_edge_counts_in_both_minutes() {
    // Before the edge it may arrive after it; after the edge it may have been before it on Exact's clock.
    for (now, first, second) in [
        ("10:00:57.999", 1, 0),
        ("10:00:58.000", 1, 1),
        ("10:00:59.999", 1, 1),
        ("10:01:00.000", 1, 1),
        ("10:01:00.999", 1, 1),
        ("10:01:01.000", 0, 1),
    ] {
        let mut ledger = Ledger::default();
        let _ = call(&mut ledger, &ROOMY, now);
        let used = ["10:00:30", "10:01:30"].map(|in_| ledger.minutes.used(60_000, at(in_).as_millisecond()));
        assert_eq!(used, [first, second], "{now}");
    }
}

#[test]
fn calls_of_the_last_seconds_leave_the_next_minute_to_the_more_urgent() {
    let mut ledger = Ledger::default();
    assert_eq!(granted(&mut ledger, &ROOMY, "10:00:59", Priority::Backfill), 42);
    assert_eq!(granted(&mut ledger, &ROOMY, "10:01:01", Priority::Edit), 12);
}

#[test]
fn a_call_without_division_does_not_count_for_the_day() {
    let limits = Limits { per_day: 3, ..ROOMY };
    let mut ledger = Ledger::default();
    assert_eq!(granted(&mut ledger, &limits, "23:00:10", Priority::Edit), 3);
    let me = ledger.take(&limits, at("23:00:10"), Priority::Read, Counted::Minute, "current/me");
    assert!(matches!(me, Taken::Granted(_)));
}

#[test]
fn one_replica_s_clock_is_behind_and_no_minute_is_used_twice() {
    let mut ledger = Ledger::default();
    while matches!(ask(&mut ledger, &ROOMY, "10:01:57.9", Priority::Edit), Taken::Granted(_)) {}
    // Its clock still shows the minute before.
    assert_eq!(wait(&mut ledger, &ROOMY, "10:01:56", Priority::Edit), at("10:02:01"));
}

#[test]
fn a_clock_that_was_wrong_and_is_set_back_gives_no_call_twice_and_stops_nobody_for_long() {
    let mut ledger = Ledger::default();
    assert_eq!(granted(&mut ledger, &ROOMY, "13:00:01", Priority::Edit), 54);
    assert_eq!(granted(&mut ledger, &ROOMY, "10:00:57.999", Priority::Edit), 6);
    assert_eq!(granted(&mut ledger, &ROOMY, "10:01:01", Priority::Edit), 54);
}

#[test]
fn what_an_answer_tells_lowers_what_is_left_and_never_raises_it() {
    let mut ledger = Ledger::default();
    let calls: Vec<Granted> = (0..10).map(|_| call(&mut ledger, &ROOMY, "10:00:10")).collect();
    let left = |ledger: &Ledger| 60 - ledger.minutes.used(60_000, at("10:00:10").as_millisecond());
    // An early answer comes late: it knows of one call.
    ledger.told(&ROOMY, &calls[0], &told_minute(59, "10:01:00"));
    assert_eq!(left(&ledger), 50);
    // Others have used twenty; of our ten, eight are still under way and may come on top of that.
    ledger.told(&ROOMY, &calls[1], &told_minute(30, "10:01:00"));
    assert_eq!(left(&ledger), 22);
    for more in [40, 60, 100, u32::MAX] {
        ledger.told(&ROOMY, &calls[2], &told_minute(more, "10:01:00"));
        assert_eq!(left(&ledger), 22, "{more}");
    }
    // It is told of another minute than ours, or of none.
    for reset in ["09:50:00", "10:05:00", "10:00:40"] {
        ledger.told(&ROOMY, &calls[3], &told_minute(0, reset));
        assert_eq!(left(&ledger), 22, "{reset}");
    }
    ledger.told(&ROOMY, &calls[4], &told_minute(0, "10:01:00"));
    assert_eq!(left(&ledger), 0);
    // The next minute is another one.
    assert_eq!(granted(&mut ledger, &ROOMY, "10:01:01", Priority::Edit), 54);
}

#[test]
fn a_call_too_many_closes_the_limit_that_its_headers_name_until_its_reset() {
    let untold = Told::default();
    let minute = told_minute(49, "10:01:00");
    let both = Told { day: told_day(0).day, ..minute };
    for (told, next, for_all) in [
        (minute, at("10:01:01"), true),
        (untold, at("10:01:01"), true),
        // A reset that is no end of this minute: seen once.
        (told_minute(0, "10:01:30"), at("10:01:31"), true),
        // Told to a clock that is wrong.
        (told_minute(0, "11:30:00"), at("10:01:01"), true),
        (told_minute(0, "10:00:00"), at("10:01:01"), true),
        (told_day(0), at("10:15:20"), false),
        (both, at("10:15:20"), false),
    ] {
        let mut ledger = Ledger::default();
        let one_too_many = call(&mut ledger, &ROOMY, "10:00:20");
        assert_eq!(ledger.exceeded(&one_too_many, &told, at("10:00:20")), next, "{told:?}");
        assert_eq!(wait(&mut ledger, &ROOMY, "10:00:21", Priority::Edit), next, "{told:?}");
        let me = ledger.take(&ROOMY, at("10:00:21"), Priority::Read, Counted::Minute, "current/me");
        assert_eq!(matches!(me, Taken::Wait { .. }), for_all, "{told:?}");
    }
}

#[test]
fn a_used_up_day_is_looked_at_now_and_then_by_one_call_and_ends_at_midnight() {
    let mut ledger = Ledger::default();
    let (early, one_too_many) =
        (call(&mut ledger, &ROOMY, "10:00:20"), call(&mut ledger, &ROOMY, "10:00:20"));
    let _ = ledger.exceeded(&one_too_many, &told_day(0), at("10:00:21"));
    // An answer to a call of before proves nothing.
    ledger.told(&ROOMY, &early, &told_day(4_000));
    assert_eq!(wait(&mut ledger, &ROOMY, "10:01:20", Priority::Edit), at("10:15:21"));
    let look = call(&mut ledger, &ROOMY, "10:15:21");
    assert_eq!(wait(&mut ledger, &ROOMY, "10:15:22", Priority::Edit), at("10:30:21"));
    let _ = ledger.exceeded(&look, &told_day(0), at("10:15:23"));
    assert_eq!(wait(&mut ledger, &ROOMY, "10:15:30", Priority::Edit), at("10:30:23"));

    // The contract has grown: the look is answered as if nothing had been.
    let mut grown = ledger.clone();
    let look = call(&mut grown, &ROOMY, "10:31:00");
    grown.told(&ROOMY, &look, &told_day(3_990));
    let _ = call(&mut grown, &ROOMY, "10:31:01");

    let last = call(&mut ledger, &ROOMY, "23:50:00");
    assert_eq!(
        ledger.exceeded(&last, &told_day(0), at("23:50:00")),
        midnight() + SignedDuration::from_secs(1)
    );
    let after = midnight() + SignedDuration::from_secs(1);
    let taken = ledger.take(&ROOMY, after, Priority::Scan, Counted::MinuteAndDay, ACCOUNTS);
    assert!(matches!(taken, Taken::Granted(_)), "{taken:?}");
}

/// Lets calls of an endpoint fail at this moment until it rests; how many did, and until when it rests.
fn failures(ledger: &mut Ledger, now: &str) -> (u32, Timestamp) {
    let mut failed = 0;
    loop {
        match ask(ledger, &LIMITS, now, Priority::Edit) {
            Taken::Granted(call) => ledger.failed(&LIMITS, &call, &Told::default(), at(now)),
            Taken::Wait { until, why } => {
                assert_eq!(why, Why::EndpointRests);
                return (failed, until);
            }
        }
        failed += 1;
    }
}

#[test]
fn an_endpoint_rests_before_it_is_blocked_and_no_other_does() {
    let mut ledger = Ledger::default();
    for minute in 0..4 {
        let now = format!("10:0{minute}:30");
        let failing = call(&mut ledger, &LIMITS, &now);
        ledger.failed(&LIMITS, &failing, &Told::default(), at(&now));
    }
    assert_eq!(failures(&mut ledger, "10:10:30"), (4, at("11:00:30")));
    let other = ledger.take(&LIMITS, at("10:10:30"), Priority::Scan, Counted::MinuteAndDay, "crm/contacts");
    assert!(matches!(other, Taken::Granted(_)));
    // As the errors grow old, so many may come again.
    assert_eq!(failures(&mut ledger, "11:00:30"), (1, at("11:01:30")));
    assert_eq!(failures(&mut ledger, "11:10:30"), (7, at("12:00:30")));
}

#[test]
fn calls_under_way_are_errors_that_may_come() {
    let mut ledger = Ledger::default();
    let first = call(&mut ledger, &LIMITS, "10:00:10");
    ledger.failed(&LIMITS, &first, &Told::default(), at("10:00:11"));
    let under_way: Vec<Granted> = (0..7).map(|_| call(&mut ledger, &LIMITS, "10:00:12")).collect();
    let crowded = ask(&mut ledger, &LIMITS, "10:00:12", Priority::Edit);
    assert!(matches!(crowded, Taken::Wait { why: Why::EndpointCrowded, .. }), "{crowded:?}");
    ledger.told(&LIMITS, &under_way[0], &Told::default());
    let _ = call(&mut ledger, &LIMITS, "10:00:13");
    // Those of a process that ended are forgotten.
    assert_eq!(granted(&mut ledger, &LIMITS, "10:01:14", Priority::Edit), 7);
}

#[test]
fn a_block_that_comes_all_the_same_rests_longer_each_time_and_is_looked_at_by_one_call_at_a_time() {
    let mut ledger = Ledger::default();
    let (first, late) = (call(&mut ledger, &LIMITS, "10:00:10"), call(&mut ledger, &LIMITS, "10:00:10"));
    assert_eq!(ledger.blocked(&first, at("10:00:10")), at("11:00:10"));
    // What else was under way is the same block.
    assert_eq!(ledger.blocked(&late, at("10:00:11")), at("11:00:10"));
    assert_eq!(wait(&mut ledger, &LIMITS, "10:30:00", Priority::Edit), at("11:00:10"));
    let look = call(&mut ledger, &LIMITS, "11:00:10");
    assert_eq!(wait(&mut ledger, &LIMITS, "11:00:10", Priority::Edit), at("11:00:10.2"));
    assert_eq!(ledger.blocked(&look, at("11:00:11")), at("13:00:11"));
    let look = call(&mut ledger, &LIMITS, "13:00:11");
    assert_eq!(ledger.blocked(&look, at("13:00:12")), at("17:00:12"));
    let look = call(&mut ledger, &LIMITS, "17:00:12");
    ledger.told(&LIMITS, &look, &Told::default());
    let _ = call(&mut ledger, &LIMITS, "17:00:13");
}

#[test]
fn refusals_that_name_no_limit_time_and_again_are_a_block_of_their_endpoint() {
    let mut ledger = Ledger::default();
    for now in ["10:00:10", "10:01:10", "10:02:10"] {
        let refused = call(&mut ledger, &LIMITS, now);
        let _ = ledger.exceeded(&refused, &Told::default(), at(now));
    }
    assert_eq!(wait(&mut ledger, &LIMITS, "10:03:10", Priority::Edit), at("11:02:10"));
    let other = ledger.take(&LIMITS, at("10:03:10"), Priority::Scan, Counted::MinuteAndDay, "crm/contacts");
    assert!(matches!(other, Taken::Granted(_)));
}

#[test]
fn token_calls_that_fail_leave_the_refreshes_of_the_day_their_calls() {
    let mut ledger = Ledger::default();
    let (start, end) = (at("00:00:02"), midnight());
    let (mut now, mut made) = (start, Vec::new());
    while now < end {
        match ledger.take_token_call(&LIMITS, now) {
            Ok(()) => {
                made.push(now);
                ledger.token_call_failed(now);
            }
            Err(until) => now = until,
        }
    }
    // First it is tried again after ten seconds, and twice as long each time; then as often as a token is refreshed.
    let waits: Vec<i64> = made.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect();
    assert_eq!(waits[..8], [10, 20, 40, 80, 160, 320, 600, 600]);
    assert!(made.len() <= 190 && waits.iter().all(|wait| *wait <= 600), "{} {waits:?}", made.len());
}

#[test]
fn a_day_of_refreshes_and_a_burst_of_other_token_calls_stay_within_the_limit() {
    let mut ledger = Ledger::default();
    let mut calls = 0;
    for minutes in (0..24 * 60).step_by(10) {
        let now = at("00:00:03") + SignedDuration::from_mins(minutes);
        ledger.take_token_call(&LIMITS, now).expect("a refresh finds its call");
        calls += 1;
        // Something asks for tokens as often as it gets any.
        while ledger.take_token_call(&LIMITS, now).is_ok() {
            calls += 1;
        }
    }
    assert!(calls <= 190, "{calls}");
}

#[test]
fn other_limits_are_kept_as_configured() {
    let premium = Limits { per_minute: 100, per_day: 9_000, ..ROOMY };
    assert_eq!(granted(&mut Ledger::default(), &premium, "10:00:57.999", Priority::Edit), 100);
    let none = Limits { per_minute: 0, per_day: 0, ..ROOMY };
    assert_eq!(granted(&mut Ledger::default(), &none, "10:00:30", Priority::Edit), 0);
    let endless = Limits { per_minute: u32::MAX, per_day: u32::MAX, ..ROOMY };
    assert!(matches!(ask(&mut Ledger::default(), &endless, "00:00:30", Priority::Scan), Taken::Granted(_)));
    let single = Limits { per_minute: 1, per_day: 1, ..ROOMY };
    assert_eq!(granted(&mut Ledger::default(), &single, "23:59:57.999", Priority::Scan), 1);
}

fn told_limits(minute: u32, day: u32) -> Told {
    let of = |limit, remaining, reset| ToldOf {
        limit: Some(limit),
        remaining: Some(remaining),
        reset: Some(reset),
    };
    Told { minute: of(minute, 59, at("10:01:00")), day: of(day, 4_999, midnight()) }
}

#[test]
fn a_limit_that_exact_tells_holds_where_it_is_below_the_configured_one() {
    let limits = Limits { per_minute: 10_000, per_day: 10_000, ..ROOMY };
    let mut ledger = Ledger::default();
    let first = call(&mut ledger, &limits, "10:00:57.999");
    ledger.told(&limits, &first, &told_limits(60, 5_000));
    assert_eq!(granted(&mut ledger, &limits, "10:00:57.999", Priority::Edit), 59);
    let left = ledger.left(&limits, at("10:01:01.500")).map(|(_, left)| left.calls);
    // Calls near the edge of a minute count in both.
    assert_eq!(left[0], 60);

    // The contract has grown: the configured one holds again where it is lower.
    let limits = Limits { per_minute: 40, ..limits };
    let later = call(&mut ledger, &limits, "10:02:30.000");
    let told = ToldOf { limit: Some(300), remaining: Some(299), reset: Some(at("10:03:00")) };
    ledger.told(&limits, &later, &Told { minute: told, ..Told::default() });
    assert_eq!(granted(&mut ledger, &limits, "10:02:57.999", Priority::Edit), 39);
}

#[test]
fn of_a_limit_that_is_shared_others_may_use_what_is_not_ours() {
    let limits = Limits { per_minute: 40, ..ROOMY };
    for (remaining, left) in [(59, 39), (41, 39), (29, 29), (0, 0)] {
        let mut ledger = Ledger::default();
        let first = call(&mut ledger, &limits, "10:00:57.000");
        let told = ToldOf { limit: Some(60), remaining: Some(remaining), reset: Some(at("10:01:00")) };
        ledger.told(&limits, &first, &Told { minute: told, ..Told::default() });
        assert_eq!(granted(&mut ledger, &limits, "10:00:57.999", Priority::Edit), left, "{remaining}");
    }
}

#[test]
fn a_limit_of_nothing_is_not_believed() {
    let mut ledger = Ledger::default();
    let first = call(&mut ledger, &ROOMY, "10:00:57.000");
    ledger.told(&ROOMY, &first, &told_limits(0, 0));
    assert_eq!(granted(&mut ledger, &ROOMY, "10:00:57.999", Priority::Edit), 59);
}
