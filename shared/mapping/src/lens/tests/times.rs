use jiff::{Timestamp, civil::Date};
use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000;

/// Days since 1970-01-01 by counting, without any library.
fn days(date: Date) -> i64 {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let year = i64::from(date.year());
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leaps = |years: i64| years / 4 - years / 100 + years / 400;
    let before = |year: i64| 365 * (year - 1) + leaps(year - 1);
    let months: i64 = lengths.iter().take(usize::try_from(date.month()).unwrap() - 1).sum();
    before(year) - before(1970) + months + i64::from(date.day()) - 1
}

fn ticks(milliseconds: i64) -> Content {
    Content::Text(format!("/Date({milliseconds})/"))
}

#[track_caller]
fn assert_day(date: Date) {
    let iso = date.to_string();
    assert_both(&Lens::Date, &Value::Date(date), &content(&iso), &content(&format!("{iso}T00:00:00")));
    for time_of_day in [0, 1, 2 * 3_600_000 + 1_800_000, DAY - 1] {
        let read = get(&Lens::Date, EXACT, &ticks(days(date) * DAY + time_of_day));
        assert_eq!(read, Ok(Value::Date(date)), "{date} and {time_of_day} ms");
    }
}

#[test]
fn a_day_is_the_same_day_on_both_sides_whatever_its_clock_did() {
    for (year, month, day) in [
        (2024, 2, 29),
        (1900, 2, 28),
        (2000, 2, 29),
        (2026, 3, 29),
        (2026, 10, 25),
        (1937, 7, 1),
        (1970, 1, 1),
        (1969, 12, 31),
        (1, 1, 1),
        (9999, 12, 31),
    ] {
        assert_day(date(year, month, day));
    }
    assert_eq!(get(&Lens::Date, EXACT, &ticks(1_455_753_600_000)), Ok(Value::Date(date(2016, 2, 18))));
    assert_eq!(
        get(&Lens::Date, EXACT, &content("2026-03-29T02:30:00.123")),
        Ok(Value::Date(date(2026, 3, 29)))
    );
}

#[test]
fn what_is_no_day_is_told_with_the_form_that_belongs_there() {
    for text in [
        "29-02-2024",
        "2023-02-29",
        "2024-2-9",
        "20240209",
        "2024-02-09T00:00:00",
        "2024-13-01",
        "+024-01-01",
        "/Date(0)/",
    ] {
        let problem = get(&Lens::Date, CRM, &content(text)).unwrap_err();
        assert_eq!(problem.to_string(), "holds no date: write it as 2026-01-31", "{text:?}");
    }
    for text in [
        "/Date(x)/",
        "/Date()/",
        "Date(0)",
        "/Date(0+0100)/",
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00+01:00",
        "2024-01-01T25:00:00",
    ] {
        assert!(matches!(get(&Lens::Date, EXACT, &content(text)), Err(LensProblem::Date { .. })), "{text:?}");
    }
}

#[test]
fn a_year_that_can_not_be_written_with_four_digits_is_refused() {
    for milliseconds in
        [i64::MIN, i64::MAX, days(date(1, 1, 1)) * DAY - 1, (days(date(9999, 12, 31)) + 1) * DAY]
    {
        assert_eq!(get(&Lens::Date, EXACT, &ticks(milliseconds)), Err(LensProblem::Year), "{milliseconds}");
        assert_eq!(
            get(&Lens::Timestamp, EXACT, &ticks(milliseconds)),
            Err(LensProblem::Year),
            "{milliseconds}"
        );
    }
    assert_eq!(get(&Lens::Date, CRM, &content("0000-12-31")), Err(LensProblem::Year));
    for system in System::BOTH {
        assert_eq!(put(&Lens::Date, system, &Value::Date(date(0, 12, 31))), Err(LensProblem::Year));
        assert_eq!(put(&Lens::Timestamp, system, &Value::Timestamp(Timestamp::MIN)), Err(LensProblem::Year));
    }
}

#[test]
fn a_moment_is_the_same_moment_on_both_sides_to_the_millisecond() {
    let moment = |text: &str| Value::Timestamp(text.parse().unwrap());
    let lens = Lens::Timestamp;
    let ours = "2026-10-25T00:30:00.125Z";
    assert_both(&lens, &moment(ours), &content(ours), &content("2026-10-25T00:30:00.125"));
    assert_eq!(get(&lens, CRM, &content("2026-10-25T02:30:00.1259+02:00")), Ok(moment(ours)));
    assert_eq!(get(&lens, EXACT, &ticks(1_792_888_200_125)), Ok(moment(ours)));
    assert_both(
        &lens,
        &moment("0001-01-01T00:00:00Z"),
        &content("0001-01-01T00:00:00Z"),
        &content("0001-01-01T00:00:00"),
    );
    for text in ["2026-10-25T02:30:00", "2026-10-25", "/Date(0)/", "now"] {
        assert!(matches!(get(&lens, CRM, &content(text)), Err(LensProblem::Moment { .. })), "{text:?}");
    }
    assert!(matches!(get(&lens, EXACT, &content(ours)), Err(LensProblem::Moment { .. })));
}

proptest! {
    #[test]
    fn every_day_of_ten_thousand_years_survives_both_systems(
        year in 1_i16..=9999, month in 1_i8..=12, day in 1_i8..=31,
    ) {
        if let Ok(date) = Date::new(year, month, day) {
            assert_day(date);
        }
    }
}
