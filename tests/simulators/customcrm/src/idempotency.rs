//! First answers, kept for callers who repeat a call under the same key.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::problem::Answer;

/// How long an answer is given again.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A key of one user.
type Key = (String, String);

/// What a call is recognised by: a digest of its path and its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(path: &str, body: &[u8]) -> Self {
        Self(Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize().into())
    }
}

/// What is known of a key.
#[derive(Debug)]
pub(crate) enum Known {
    /// Nothing, or no more.
    No,
    /// The same call was answered so.
    Same(Answer),
    /// Another call was made under it.
    Other,
}

/// The answers of the last 24 hours.
#[derive(Debug, Default)]
pub(crate) struct FirstAnswers {
    answers: HashMap<Key, (Fingerprint, Answer)>,
    in_order: VecDeque<(Timestamp, Key)>,
}

impl FirstAnswers {
    pub(crate) fn look_up(&mut self, user_id: &str, key: &str, call: Fingerprint, now: Timestamp) -> Known {
        while self.in_order.front().is_some_and(|(at, _)| now.duration_since(*at) >= KEPT) {
            if let Some((_, expired)) = self.in_order.pop_front() {
                self.answers.remove(&expired);
            }
        }
        match self.answers.get(&(user_id.to_owned(), key.to_owned())) {
            None => Known::No,
            Some((first, answer)) if *first == call => Known::Same(answer.clone()),
            Some(_) => Known::Other,
        }
    }

    pub(crate) fn keep(
        &mut self,
        user_id: &str,
        key: &str,
        call: Fingerprint,
        answer: &Answer,
        now: Timestamp,
    ) {
        let key = (user_id.to_owned(), key.to_owned());
        self.in_order.push_back((now, key.clone()));
        self.answers.insert(key, (call, answer.clone()));
    }
}
