//! What a system's connector gives to its writer.

use std::error::Error;
use std::future::Future;

use contract::{Lane, Sighting};
use mapping::{Lines, Problem, Put};
use model::{Content, EntityName, FailureClass, Properties, RecordId, Version};

/// What a record is searched by before it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchKey {
    /// Properties, as the system calls them, and their values as it holds them: all of them must be equal.
    pub conditions: Vec<(String, Content)>,
    /// Whether only a record that our own user made counts, whoever changed it since: the property is not unique.
    pub only_ours: bool,
    /// What the new record is to hold, as the system calls it, where the search is for one that is ours.
    pub wanted: Option<Properties>,
}

/// What a call is about, and how urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim<'a> {
    /// The entity.
    pub entity: &'a EntityName,
    /// The lines of its records, when they are documents.
    pub lines: Option<&'a Lines>,
    /// The lane that the write came by: what people edited goes before backfill, in the system's quota too.
    pub lane: Lane,
}

/// The other record that a refused value belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duplicate {
    /// This one.
    Of(RecordId),
    /// The system does not name it: it may be found by a search.
    Unnamed,
}

/// As many writes share the reads that vouch for them, and no system answers more calls at a time.
pub const AT_ONCE: usize = 16;

/// A system of one connection, as its writer writes it.
pub trait Target: Send + Sync + 'static {
    /// How it fails.
    type Error: Error + Send + Sync + 'static;

    /// What a failure means.
    fn class(error: &Self::Error) -> FailureClass;

    /// Whether it refused a value because another record has it.
    fn duplicate(error: &Self::Error) -> Option<Duplicate>;

    /// Whether the system, or [`Self::update`], refuses a write to a record that was changed since it was seen. Where
    /// neither can tell, the record is read and compared right before.
    fn refuses_stale_writes(&self, _aim: Aim<'_>) -> bool {
        true
    }

    /// How many writes of a lane may be between their claim and their answer at a time. What is claimed must leave within
    /// five seconds: where few calls may be made in that time, few may be claimed.
    fn at_once(&self) -> usize {
        AT_ONCE
    }

    /// Waits until a write may go out: there is quota for it, and the entity was read a moment ago.
    fn ready(&self, aim: Aim<'_>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The records that meet these conditions.
    fn search(
        &self,
        aim: Aim<'_>,
        key: &SearchKey,
    ) -> impl Future<Output = Result<Vec<Sighting>, Self::Error>> + Send;

    /// The record as it is now; `None` when it is gone.
    fn record(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
    ) -> impl Future<Output = Result<Option<Sighting>, Self::Error>> + Send;

    /// Whether there is such a record, of an entity that may be none of the pairs'.
    fn exists(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send {
        async move { Ok(self.record(aim, record).await?.is_some()) }
    }

    /// What the system would refuse of this, as far as it can be told without asking: checked before anything is sent.
    fn check(&self, _aim: Aim<'_>, _put: &Put, _creating: bool) -> Vec<Problem> {
        Vec::new()
    }

    /// Creates a record, its lines among its properties. The same `key` with the same properties is the same request.
    fn create(
        &self,
        aim: Aim<'_>,
        properties: &Properties,
        key: &str,
    ) -> impl Future<Output = Result<Sighting, Self::Error>> + Send;

    /// Changes a record, lines and all, that was last seen at this version; fails as [`FailureClass::Stale`] when
    /// anything of it is known to have changed since. Answers with the record after the write, where the system tells.
    fn update(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
        put: &Put,
    ) -> impl Future<Output = Result<Option<Sighting>, Self::Error>> + Send;

    /// Deletes a record that was last seen at this version; fails as [`FailureClass::Stale`] when it is known to have
    /// changed since, and as [`FailureClass::Gone`] when it is not there any more.
    fn delete(
        &self,
        aim: Aim<'_>,
        record: &RecordId,
        version: Option<Version>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}
