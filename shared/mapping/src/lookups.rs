//! What a mapping needs to know beyond the record: which link a record belongs to, who a user is.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use jiff::civil::Date;
use model::{Content, LinkId, PairName, RecordId, System, SystemPair, UserId};

/// A record that a reference points at and whose link must be looked up before the record can be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferenceNeed {
    /// The pair whose links know the record.
    pub pair: PairName,
    /// The record.
    pub record: RecordId,
}

/// The answers, gathered before the mapping is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookups {
    /// Which link a record belongs to, where both sides of that link are known.
    pub links: BTreeMap<(PairName, System, RecordId), LinkId>,
    /// Which record a link has in a system.
    pub records: BTreeMap<(PairName, LinkId, System), RecordId>,
    /// Exact's lists, such as payment conditions: each code's own id, by [`List::name`](crate::List::name). A list that is not there
    /// has not been read, and then its codes are not judged.
    pub lists: Shared<BTreeMap<String, BTreeMap<String, String>>>,
    /// What the connection gives for this deployment's pairs, by name, such as `literal.account`.
    pub given: BTreeMap<String, Content>,
    /// The day on which the mapping is asked, in the company's zone: what is past by then.
    pub today: Date,
    /// The user directory: each system's users by their e-mail, in lower case.
    pub people: Shared<SystemPair<BTreeMap<UserId, String>>>,
}

/// What many look things up in at a time, kept once: whoever changes it has a copy from then on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shared<T>(Arc<T>);

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl Lookups {
    pub(crate) fn user(&self, system: System, email: &str) -> Option<&UserId> {
        self.people[system].iter().find(|(_, known)| known.as_str() == email).map(|(user, _)| user)
    }

    pub(crate) fn is_known_person(&self, email: &str) -> bool {
        System::BOTH.into_iter().all(|system| self.user(system, email).is_some())
    }
}
