//! Trouble made on purpose, and the log of calls.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The call is carried out, then the connection breaks without an answer.
    LoseAnswer,
    /// The connection breaks without an answer, and the call is not carried out.
    BreakOff,
    /// The call is answered with this status and not carried out.
    FailBefore {
        /// The status.
        status: u16,
    },
    /// The call is refused with 429 as if the minute were used up.
    Throttle,
    /// The call is carried out after this time of the real clock.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
}

impl FaultKind {
    /// Whether the caller gets no answer.
    pub(crate) fn loses_the_answer(&self) -> bool {
        matches!(self, Self::LoseAnswer | Self::BreakOff)
    }
}

/// A fault that waits for the calls that it matches. People's calls are never hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only calls with this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose path and query contain this text. Without it, calls of the token endpoint are spared.
    #[serde(default)]
    pub path_contains: Option<String>,
    /// How many calls are hit.
    #[serde(default = "once")]
    pub count: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the next call whatever it is.
    pub fn next(kind: FaultKind) -> Self {
        Self { kind, method: None, path_contains: None, count: 1 }
    }

    /// Whether this call is hit.
    pub(crate) fn hits(&self, method: &str, path: &str) -> bool {
        let path = path.to_lowercase();
        self.count > 0
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && match &self.path_contains {
                Some(part) => path.contains(&part.to_lowercase()),
                None => !path.contains("/oauth2/"),
            }
    }
}

/// A call that was answered, or would have been.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedCall {
    /// The method.
    pub method: String,
    /// Path and query as they came.
    pub path: String,
    /// The user of the token, if it was known.
    pub user: Option<Uuid>,
    /// The status of the answer.
    pub status: u16,
    /// When, on the simulator's clock, RFC 3339.
    pub at: String,
    /// Whether the answer was lost on purpose.
    pub lost: bool,
}
