//! A model check of the link protocol: every order of what can happen in a small world, and not a sample of it.
//!
//! The world is one link of a pair of plain records with two properties ([`words`]), the two systems ([`remote`]), the
//! queues between collectors, mappers and writers, the store ([`state`]), and people. What the mapper and the writer
//! decide is decided by [`link::step`] itself; around it their protocol is modelled step by step: read, commit by
//! comparison, claim, search, look at the feed, send, report. [`action::Action`] lists what may happen, [`bounds`] how
//! often, and the promises that are held in every state are in `promises.rs`, against the [`account`] of what people
//! entered. The first promise that is broken is told with the shortest way there.
//!
//! # What is modelled
//!
//! - CustomCRM refuses a write on another version than the record's, and answers with the record. Exact Online writes
//!   whatever comes, trims a name, answers a create without a version, and tells a change by its feed: there the
//!   writer looks at the feed before it sends, and an edit that falls between the two is written over unseen.
//! - A record that was made does not show at once in searches and feeds. A create in flight is repeated only when
//!   what was sent before would show.
//! - Messages have no order, may be late, and are delivered again: by the broker, because their handler crashed before
//!   it could acknowledge, or because the sweeper has published again what an outbox still held. All of these are one
//!   thing here, a message that stays in its bag after it was taken, and a late publication is a late delivery.
//! - Two mappers and two writers, where the bounds say so. What is read and what is committed are two moments where
//!   they say that too, and whoever is late reads again.
//! - Crashes of a mapper and of a writer at every moment, lost answers, reads after a write that fail.
//! - People who edit on either side at any moment, and delete.
//!
//! # What bounds it
//!
//! Each edit, deletion, crash, repetition and lost answer is counted down. Everything else follows from these, and
//! since versions, claims and counts only move one way no state comes twice on a way: every way ends, and it has to end
//! at rest. The worlds of the tests are gone through to the end; so are the larger ones of the command `model-check`.
//!
//! # What is left out
//!
//! - Lines, references, stand-ins, refusals by the remote, several links, the gate before the first create, and what
//!   matching does when it finds several.
//! - Time: every step is taken long after the one before, so the oscillation breaker never counts. That the writer waits
//!   long enough before it repeats a create is taken for granted, and that a write to Exact is not on its way for longer
//!   than it takes to claim the next one.
//! - People do not edit what a record is searched by.
//!
//! One thing is let pass: a rendition that no answer of our own tells, because the read after the write failed or showed
//! somebody else's edit, because the partner was seen before the outcome of its create, or because it was adopted. It is
//! taken for an edit, and costs one write. What is not gone through is a read after a write that fails where somebody else
//! has changed another property right before that write: what is seen of that change is from before the write, is taken
//! for an edit, and is taken back, or held for a person when the property is edited once more.

pub mod account;
pub mod action;
pub mod bounds;
pub mod check;
mod clock;
mod mapper;
mod promises;
pub mod remote;
pub mod state;
pub mod words;
pub mod worlds;
mod writer;

#[cfg(test)]
mod tests;
