//! Faults that tests ask for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fault for the next calls that it fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FaultFields", into = "FaultFields")]
pub struct Fault {
    /// What happens.
    pub effect: Effect,
    /// Only calls with this HTTP method; any if nothing.
    pub method: Option<String>,
    /// Only calls of this collection (`me` for `GET /me`); any if nothing.
    pub collection: Option<String>,
    /// For how many calls.
    pub count: u32,
}

/// What a fault does to a call of a known user that is within the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The call is performed, then the connection is cut without an answer.
    LoseAnswer,
    /// The connection is cut without an answer, and the call is not performed.
    CutOff,
    /// The call is not performed and answered with this status, 400 to 599.
    FailBefore(u16),
    /// The call is not performed and answered with 429 and `Retry-After`, in seconds.
    Throttle(u64),
    /// The call waits this long before it is performed. A delay goes together with one other fault. A caller who
    /// gives up during the delay leaves the call unperformed and out of the log.
    Delay(Duration),
    /// A page of a listing is given twice: its cursor leads to the same page once more. Hits listings only.
    RepeatPage,
    /// The records of a page come in the opposite order, its cursor leads on as ever. Hits listings only.
    ReversePage,
}

/// What a call is, as far as faults tell calls apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aim<'call> {
    pub(crate) method: &'call str,
    pub(crate) collection: &'call str,
    pub(crate) is_listing: bool,
}

impl Effect {
    fn is_of_pages(&self) -> bool {
        matches!(self, Self::RepeatPage | Self::ReversePage)
    }
}

impl Fault {
    /// A fault for the next call, whatever it is.
    pub fn next(effect: Effect) -> Self {
        Self { effect, method: None, collection: None, count: 1 }
    }

    /// The same for `count` calls.
    pub fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// The same only for calls with this method and of this collection.
    pub fn on(self, method: &str, collection: &str) -> Self {
        Self { method: Some(method.to_owned()), collection: Some(collection.to_owned()), ..self }
    }

    fn fits(&self, call: Aim<'_>) -> bool {
        self.count > 0
            && (call.is_listing || !self.effect.is_of_pages())
            && self.method.as_deref().is_none_or(|only| only.eq_ignore_ascii_case(call.method))
            && self.collection.as_deref().is_none_or(|only| only == call.collection)
    }
}

/// The faults that are still to come, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.0.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the delay of a call, if one is to come.
    pub(crate) fn take_delay(&mut self, call: Aim<'_>) -> Option<Duration> {
        match self.take(call, |effect| matches!(effect, Effect::Delay(_)))? {
            Effect::Delay(delay) => Some(delay),
            _ => None,
        }
    }

    /// Takes what else is to happen to a call.
    pub(crate) fn take_other(&mut self, call: Aim<'_>) -> Option<Effect> {
        self.take(call, |effect| !matches!(effect, Effect::Delay(_)))
    }

    fn take(&mut self, call: Aim<'_>, wanted: fn(&Effect) -> bool) -> Option<Effect> {
        let fault = self.0.iter_mut().find(|fault| wanted(&fault.effect) && fault.fits(call))?;
        fault.count -= 1;
        let effect = fault.effect.clone();
        self.0.retain(|fault| fault.count > 0);
        Some(effect)
    }
}

/// A fault as the control API has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFields {
    kind: FaultName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection: Option<String>,
    #[serde(default = "once")]
    count: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultName {
    LoseAnswer,
    CutOff,
    FailBefore,
    Throttle,
    Delay,
    RepeatPage,
    ReversePage,
}

const fn once() -> u32 {
    1
}

impl TryFrom<FaultFields> for Fault {
    type Error = String;

    fn try_from(fields: FaultFields) -> Result<Self, String> {
        let effect = match (fields.kind, fields.status, fields.retry_after, fields.delay_ms) {
            (FaultName::LoseAnswer, None, None, None) => Effect::LoseAnswer,
            (FaultName::CutOff, None, None, None) => Effect::CutOff,
            (FaultName::FailBefore, Some(status @ 400..=599), None, None) => Effect::FailBefore(status),
            (FaultName::Throttle, None, seconds, None) => Effect::Throttle(seconds.unwrap_or(1)),
            (FaultName::Delay, None, None, Some(delay)) => Effect::Delay(Duration::from_millis(delay)),
            (FaultName::RepeatPage, None, None, None) => Effect::RepeatPage,
            (FaultName::ReversePage, None, None, None) => Effect::ReversePage,
            _ => {
                return Err(
                    "fail_before needs status (400 to 599), delay needs delay_ms, throttle may have \
                            retry_after, the other kinds have none of them"
                        .to_owned(),
                );
            }
        };
        Ok(Self { effect, method: fields.method, collection: fields.collection, count: fields.count })
    }
}

impl From<Fault> for FaultFields {
    fn from(fault: Fault) -> Self {
        let (kind, status, retry_after, delay_ms) = match fault.effect {
            Effect::LoseAnswer => (FaultName::LoseAnswer, None, None, None),
            Effect::CutOff => (FaultName::CutOff, None, None, None),
            Effect::FailBefore(status) => (FaultName::FailBefore, Some(status), None, None),
            Effect::Throttle(seconds) => (FaultName::Throttle, None, Some(seconds), None),
            Effect::Delay(delay) => {
                (FaultName::Delay, None, None, Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
            }
            Effect::RepeatPage => (FaultName::RepeatPage, None, None, None),
            Effect::ReversePage => (FaultName::ReversePage, None, None, None),
        };
        Self {
            kind,
            status,
            retry_after,
            delay_ms,
            method: fault.method,
            collection: fault.collection,
            count: fault.count,
        }
    }
}
