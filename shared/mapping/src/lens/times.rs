//! Days and moments.
//!
//! Exact's `/Date(ms)/` is a wall clock labelled as UTC: a day that was written as midnight comes back as that
//! midnight. Days are counted as days of the calendar, so that no zone, and no end of a clock's range, moves them.

use jiff::{
    Span, Timestamp,
    civil::{Date, DateTime, date},
    tz::TimeZone,
};
use model::{Content, System};

use super::LensProblem;

const MILLISECONDS_OF_DAY: i64 = 86_400_000;
const EPOCH: Date = date(1970, 1, 1);

pub(super) fn get_date(system: System, text: &str) -> Result<Date, LensProblem> {
    let text = text.trim();
    match system {
        System::CustomCrm => day(text).ok_or(LensProblem::Date { form: "2026-01-31" }),
        System::ExactOnline => match ticks(text) {
            Some(milliseconds) => day_at(milliseconds),
            None => {
                clock(text).map(DateTime::date).ok_or(LensProblem::Date { form: "/Date(1769817600000)/" })
            }
        },
    }
    .and_then(writable)
}

pub(super) fn put_date(system: System, date: Date) -> Result<Content, LensProblem> {
    let date = writable(date)?;
    Ok(Content::Text(match system {
        System::CustomCrm => date.to_string(),
        System::ExactOnline => format!("{date}T00:00:00"),
    }))
}

pub(super) fn get_moment(system: System, text: &str) -> Result<Timestamp, LensProblem> {
    let text = text.trim();
    let moment = match system {
        System::CustomCrm => {
            text.parse::<Timestamp>().map_err(|_| LensProblem::Moment { form: "2026-01-31T09:30:00Z" })?
        }
        System::ExactOnline => match ticks(text) {
            Some(milliseconds) => Timestamp::from_millisecond(milliseconds).map_err(|_| LensProblem::Year)?,
            None => clock(text)
                .ok_or(LensProblem::Moment { form: "/Date(1769851800000)/" })?
                .to_zoned(TimeZone::UTC)
                .map_err(|_| LensProblem::Year)?
                .timestamp(),
        },
    };
    to_the_millisecond(moment)
}

pub(super) fn put_moment(system: System, moment: Timestamp) -> Result<Content, LensProblem> {
    let moment = to_the_millisecond(moment)?;
    Ok(Content::Text(match system {
        System::CustomCrm => moment.to_string(),
        System::ExactOnline => TimeZone::UTC.to_datetime(moment).to_string(),
    }))
}

/// The number in `/Date(ms)/`.
fn ticks(text: &str) -> Option<i64> {
    text.strip_prefix("/Date(")?.strip_suffix(")/")?.parse().ok()
}

/// A day of four, two and two digits.
fn day(text: &str) -> Option<Date> {
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || ![year, month, day].into_iter().all(is_digits) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// A day, or a day and a time, without a zone.
fn clock(text: &str) -> Option<DateTime> {
    let Some((day_text, time)) = text.split_once('T') else { return Some(day(text)?.into()) };
    let is_time = time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    Some(day(day_text)?.to_datetime(time.parse().ok().filter(|_| is_time)?))
}

fn day_at(milliseconds: i64) -> Result<Date, LensProblem> {
    let days = milliseconds.div_euclid(MILLISECONDS_OF_DAY);
    let span = Span::new().try_days(days).map_err(|_| LensProblem::Year)?;
    EPOCH.checked_add(span).map_err(|_| LensProblem::Year)
}

/// Both systems write a year with four digits, from 0001.
fn writable(date: Date) -> Result<Date, LensProblem> {
    if date.year() >= 1 { Ok(date) } else { Err(LensProblem::Year) }
}

fn to_the_millisecond(moment: Timestamp) -> Result<Timestamp, LensProblem> {
    writable(TimeZone::UTC.to_datetime(moment).date())?;
    Timestamp::from_millisecond(moment.as_millisecond()).map_err(|_| LensProblem::Year)
}
