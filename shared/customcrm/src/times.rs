//! Times as a CRM writes them.

use jiff::{Timestamp, fmt::strtime, tz::TimeZone};
use model::Content;
use rust_decimal::{Decimal, prelude::ToPrimitive as _};

/// How a CRM writes times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Times {
    /// RFC 3339.
    Rfc3339,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMilliseconds,
    /// By a pattern of `strftime`; in UTC unless the pattern has a zone.
    Pattern(String),
}

impl Times {
    /// Reads what a declaration says; `None` where no time can be written so.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "rfc3339" => Some(Self::Rfc3339),
            "epoch-seconds" => Some(Self::EpochSeconds),
            "epoch-milliseconds" => Some(Self::EpochMilliseconds),
            pattern => {
                let times = Self::Pattern(pattern.to_owned());
                // What it writes it must read again.
                let written = Content::Text(times.write(Timestamp::UNIX_EPOCH)?);
                (pattern.contains('%') && times.read(&written).is_some()).then_some(times)
            }
        }
    }

    /// What a declaration says of it.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::EpochSeconds => "epoch-seconds",
            Self::EpochMilliseconds => "epoch-milliseconds",
            Self::Pattern(pattern) => pattern,
        }
    }

    /// The time that this stands for.
    pub(crate) fn read(&self, content: &Content) -> Option<Timestamp> {
        match (self, content) {
            (Self::Rfc3339, Content::Text(text)) => text.parse().ok(),
            (Self::Pattern(pattern), Content::Text(text)) => read_by(pattern, text),
            (Self::EpochSeconds, content) => Timestamp::from_microsecond(number(content, 1_000_000)?).ok(),
            (Self::EpochMilliseconds, content) => Timestamp::from_microsecond(number(content, 1_000)?).ok(),
            (Self::Rfc3339 | Self::Pattern(_), _) => None,
        }
    }

    /// How this time is written; `None` where the pattern can't.
    pub(crate) fn write(&self, time: Timestamp) -> Option<String> {
        match self {
            Self::Rfc3339 => Some(time.to_string()),
            Self::EpochSeconds => Some(time.as_second().to_string()),
            Self::EpochMilliseconds => Some(time.as_millisecond().to_string()),
            Self::Pattern(pattern) => strtime::format(pattern, &time.to_zoned(TimeZone::UTC)).ok(),
        }
    }
}

fn read_by(pattern: &str, text: &str) -> Option<Timestamp> {
    let broken = strtime::parse(pattern, text).ok()?;
    if broken.offset().is_some() {
        return broken.to_timestamp().ok();
    }
    let datetime = broken.to_datetime().or_else(|_| broken.to_date().map(|date| date.at(0, 0, 0, 0))).ok()?;
    datetime.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A number, or one in a text, times so many microseconds.
fn number(content: &Content, microseconds: i64) -> Option<i64> {
    let number = match content {
        Content::Number(number) => *number,
        Content::Text(text) => text.parse().ok()?,
        _ => return None,
    };
    number.checked_mul(Decimal::from(microseconds))?.to_i64()
}
