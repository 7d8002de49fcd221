//! The tokens of a grant and how long they serve.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A fact of this API: a refresh is accepted from so long after the token before it was received.
const REFRESH_FROM: SignedDuration = SignedDuration::from_secs(570);
/// How much before its end an access token is used no more: a call takes a while to arrive.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// How far in the future a token may have been obtained: clocks of replicas differ a little.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(1);
/// A fact of this API: the life of an access token in seconds, when none is told.
const LIFE_SECONDS: i64 = 600;

/// A grant, as it is kept in the store and in the file. Deliberately without `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) refresh_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<String>,
    /// When they were received; unknown for a refresh token that a person put into the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) obtained_at: Option<Timestamp>,
    #[serde(default = "life", skip_serializing_if = "is_life")]
    pub(crate) expires_in: i64,
}

impl Tokens {
    pub(crate) fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(|tokens: &Self| !tokens.refresh_token.is_empty())
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, a number and a time always have a JSON form")
    }

    /// The access token, while it lives and can't be refreshed yet, unless it is the refused one.
    pub(crate) fn fresh(&self, now: Timestamp, refused: Option<&str>) -> Option<String> {
        let refresh_from = REFRESH_FROM.min(self.life() - MARGIN);
        self.younger_than(refresh_from, now, refused)
    }

    /// The access token, while it lives, unless it is the refused one.
    pub(crate) fn alive(&self, now: Timestamp, refused: Option<&str>) -> Option<String> {
        self.younger_than(self.life() - MARGIN, now, refused)
    }

    /// How long until a refresh is accepted; `None` when it is time or when nothing is known.
    pub(crate) fn refresh_in(&self, now: Timestamp) -> Option<SignedDuration> {
        let left = REFRESH_FROM - now.duration_since(self.obtained_at?);
        (left.is_positive() && left <= REFRESH_FROM).then_some(left)
    }

    fn younger_than(&self, age_max: SignedDuration, now: Timestamp, refused: Option<&str>) -> Option<String> {
        let age = now.duration_since(self.obtained_at?);
        let token = self.access_token.as_ref().filter(|token| Some(token.as_str()) != refused)?;
        (age < age_max && age > -SKEW_MAX).then(|| token.clone())
    }

    fn life(&self) -> SignedDuration {
        SignedDuration::from_secs(self.expires_in)
    }
}

const fn life() -> i64 {
    LIFE_SECONDS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_life(seconds: &i64) -> bool {
    *seconds == LIFE_SECONDS
}
