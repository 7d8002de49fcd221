//! What goes wrong with notifications when tests ask for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A fault for the next notifications that it fits. With several webhooks each has a notification of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FaultFields", into = "FaultFields")]
pub struct WebhookFault {
    /// What happens.
    pub effect: WebhookEffect,
    /// Only notifications of this type, such as `customer.updated`; any if nothing.
    pub r#type: Option<String>,
    /// For how many notifications.
    pub count: u32,
}

/// What happens to a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookEffect {
    /// It is never posted.
    Lose,
    /// It is delivered twice: the same `webhook-id`, each with the time and signature of its attempt.
    Duplicate,
    /// It is posted so much later.
    Delay(Duration),
    /// It is posted after the next notification for the same address has been, whatever becomes of that.
    Reorder,
    /// Its body names another record than the one that was signed. It is posted once, whatever is answered.
    AlterBody,
    /// It is signed with another secret. It is posted once, whatever is answered.
    ForgeSignature,
    /// It is signed properly for a time so much earlier. It is posted once, whatever is answered.
    Antedate(Duration),
    /// Once it is taken, the very same request comes again: its `webhook-id`, its time, its signature.
    Replay,
}

impl WebhookEffect {
    /// Whether a notification is posted again where it is not taken.
    pub(super) fn is_retried(self) -> bool {
        !matches!(self, Self::AlterBody | Self::ForgeSignature | Self::Antedate(_))
    }
}

impl WebhookFault {
    /// A fault for the next notification, whatever it tells.
    pub fn next(effect: WebhookEffect) -> Self {
        Self { effect, r#type: None, count: 1 }
    }

    /// The same for `count` notifications.
    pub fn times(self, count: u32) -> Self {
        Self { count, ..self }
    }

    /// The same only for notifications of this type.
    pub fn on(self, r#type: &str) -> Self {
        Self { r#type: Some(r#type.to_owned()), ..self }
    }
}

/// The faults that are still to come, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<WebhookFault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: WebhookFault) {
        self.0.push(fault);
    }

    pub(crate) fn all(&self) -> Vec<WebhookFault> {
        self.0.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes what is to happen to a notification of this type.
    pub(super) fn take(&mut self, r#type: &str) -> Option<WebhookEffect> {
        let fits = |fault: &&mut WebhookFault| {
            fault.count > 0 && fault.r#type.as_deref().is_none_or(|only| only == r#type)
        };
        let fault = self.0.iter_mut().find(fits)?;
        fault.count -= 1;
        let effect = fault.effect;
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
    by_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(default = "once")]
    count: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultName {
    Lose,
    Duplicate,
    Delay,
    Reorder,
    AlterBody,
    ForgeSignature,
    Antedate,
    Replay,
}

const fn once() -> u32 {
    1
}

impl TryFrom<FaultFields> for WebhookFault {
    type Error = &'static str;

    fn try_from(fields: FaultFields) -> Result<Self, &'static str> {
        let effect = match (fields.kind, fields.by_ms.map(Duration::from_millis)) {
            (FaultName::Lose, None) => WebhookEffect::Lose,
            (FaultName::Duplicate, None) => WebhookEffect::Duplicate,
            (FaultName::Delay, Some(by)) => WebhookEffect::Delay(by),
            (FaultName::Reorder, None) => WebhookEffect::Reorder,
            (FaultName::AlterBody, None) => WebhookEffect::AlterBody,
            (FaultName::ForgeSignature, None) => WebhookEffect::ForgeSignature,
            (FaultName::Antedate, Some(by)) => WebhookEffect::Antedate(by),
            (FaultName::Replay, None) => WebhookEffect::Replay,
            _ => return Err("delay and antedate need by_ms, the other kinds don't have it"),
        };
        Ok(Self { effect, r#type: fields.r#type, count: fields.count })
    }
}

impl From<WebhookFault> for FaultFields {
    fn from(fault: WebhookFault) -> Self {
        let milliseconds = |by: Duration| Some(u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
        let (kind, by_ms) = match fault.effect {
            WebhookEffect::Lose => (FaultName::Lose, None),
            WebhookEffect::Duplicate => (FaultName::Duplicate, None),
            WebhookEffect::Delay(by) => (FaultName::Delay, milliseconds(by)),
            WebhookEffect::Reorder => (FaultName::Reorder, None),
            WebhookEffect::AlterBody => (FaultName::AlterBody, None),
            WebhookEffect::ForgeSignature => (FaultName::ForgeSignature, None),
            WebhookEffect::Antedate(by) => (FaultName::Antedate, milliseconds(by)),
            WebhookEffect::Replay => (FaultName::Replay, None),
        };
        Self { kind, by_ms, r#type: fault.r#type, count: fault.count }
    }
}
