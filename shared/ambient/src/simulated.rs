//! The surroundings of a simulation.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use tokio::time::Instant;

thread_local! {
    static SURROUNDINGS: RefCell<Option<Surroundings>> = const { RefCell::new(None) };
}

struct Surroundings {
    /// What the clock showed when tokio's showed `began`.
    start: Timestamp,
    began: Instant,
    random: StdRng,
    /// Whose task is running.
    process: Option<Process>,
}

/// While this lives, the thread that it was made on is surrounded by a simulation.
#[derive(Debug)]
#[must_use = "the simulation ends when this is dropped"]
pub struct Simulation {
    // It ends on the thread where it began.
    _on_this_thread: PhantomData<*const ()>,
}

/// Surrounds this thread by a simulation: the clock shows `start` now and goes on as tokio's does, and all chance comes
/// from `seed`. To be called within the runtime whose clock that is.
pub fn simulate(seed: u64, start: Timestamp) -> Simulation {
    let random = StdRng::seed_from_u64(seed);
    SURROUNDINGS.set(Some(Surroundings { start, began: Instant::now(), random, process: None }));
    Simulation { _on_this_thread: PhantomData }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        SURROUNDINGS.set(None);
    }
}

/// One of several processes of a simulation, with a clock that may be wrong. Clones are the same process.
#[derive(Debug, Clone, Default)]
pub struct Process {
    ahead_milliseconds: Arc<AtomicI64>,
}

impl Process {
    /// Sets how far its clock is ahead of the simulation's, or behind it.
    pub fn set_ahead(&self, by: SignedDuration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or_default();
        self.ahead_milliseconds.store(milliseconds, Ordering::Relaxed);
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead_milliseconds.load(Ordering::Relaxed))
    }
}

/// Runs a future as this process: while it is polled, [`now`](crate::now) is what the clock of the process shows. A task
/// that it spawns is none of the process unless it is [`carried`].
pub fn run_as<F: Future>(process: Process, future: F) -> impl Future<Output = F::Output> {
    RunAs { process: Some(process), future: Box::pin(future) }
}

/// Makes a future run as the process that is running now, for a task that is spawned here.
pub fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let process = SURROUNDINGS.with_borrow(|surroundings| surroundings.as_ref()?.process.clone());
    RunAs { process, future: Box::pin(future) }
}

struct RunAs<F> {
    /// None outside of a simulation.
    process: Option<Process>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for RunAs<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(process) = self.process.clone() else { return self.future.as_mut().poll(context) };
        let before = swap(Some(process));
        let polled = self.future.as_mut().poll(context);
        swap(before);
        polled
    }
}

/// Makes `process` the running one; gives the one before.
fn swap(process: Option<Process>) -> Option<Process> {
    SURROUNDINGS.with_borrow_mut(|surroundings| match surroundings {
        Some(surroundings) => std::mem::replace(&mut surroundings.process, process),
        None => None,
    })
}

pub(crate) fn now() -> Option<Timestamp> {
    SURROUNDINGS.with_borrow(|surroundings| {
        let surroundings = surroundings.as_ref()?;
        let passed = SignedDuration::try_from(surroundings.began.elapsed()).unwrap_or(SignedDuration::MAX);
        let ahead = surroundings.process.as_ref().map_or(SignedDuration::ZERO, Process::ahead);
        surroundings.start.saturating_add(passed).ok()?.saturating_add(ahead).ok()
    })
}

pub(crate) fn fill(buffer: &mut [u8]) -> bool {
    SURROUNDINGS.with_borrow_mut(|surroundings| match surroundings {
        Some(surroundings) => {
            surroundings.random.fill_bytes(buffer);
            true
        }
        None => false,
    })
}
