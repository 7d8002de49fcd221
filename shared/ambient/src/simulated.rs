//! The surroundings of a simulation.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

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

/// One of several processes of a simulation: its clock may be wrong, and it may stop, for a while or for good. Clones are
/// the same process.
#[derive(Debug, Clone, Default)]
pub struct Process(Arc<State>);

#[derive(Debug, Default)]
struct State {
    ahead_milliseconds: AtomicI64,
    is_paused: AtomicBool,
    is_dead: AtomicBool,
    /// The tasks that go on when it does.
    waiting: Mutex<Vec<Waker>>,
}

impl Process {
    /// Sets how far its clock is ahead of the simulation's, or behind it.
    pub fn set_ahead(&self, by: SignedDuration) {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or_default();
        self.0.ahead_milliseconds.store(milliseconds, Ordering::Relaxed);
    }

    /// Stops all of its tasks where they are, while the clock goes on, as `SIGSTOP` does.
    pub fn pause(&self) {
        self.0.is_paused.store(true, Ordering::Relaxed);
    }

    /// Lets its tasks go on, as `SIGCONT` does.
    pub fn resume(&self) {
        self.0.is_paused.store(false, Ordering::Relaxed);
        self.wake();
    }

    /// Ends all of its tasks where they are, as `SIGKILL` does: what they held is dropped.
    pub fn kill(&self) {
        self.0.is_dead.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Whether it was killed.
    pub fn is_dead(&self) -> bool {
        self.0.is_dead.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        let waiting = std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.0.ahead_milliseconds.load(Ordering::Relaxed))
    }

    /// Whether a task must wait; it is woken when that may have changed.
    fn holds_up(&self, context: &Context<'_>) -> bool {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        self.0.is_paused.load(Ordering::Relaxed)
    }
}

/// Runs a future as this process: while it is polled, [`now`](crate::now) is what the clock of the process shows. A task
/// that it spawns is none of the process unless it is [`carried`].
pub fn run_as<F: Future>(process: Process, future: F) -> impl Future<Output = F::Output> {
    RunAs { process: Some(process), future: Some(Box::pin(future)) }
}

/// Makes a future run as the process that is running now, for a task that is spawned here.
pub fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let process = SURROUNDINGS.with_borrow(|surroundings| surroundings.as_ref()?.process.clone());
    RunAs { process, future: Some(Box::pin(future)) }
}

struct RunAs<F> {
    /// None outside of a simulation.
    process: Option<Process>,
    /// None once the process is dead.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for RunAs<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let process = self.process.clone();
        if process.as_ref().is_some_and(Process::is_dead) {
            self.future = None;
        }
        let Some(future) = &mut self.future else { return Poll::Pending };
        let Some(process) = process else { return future.as_mut().poll(context) };
        if process.holds_up(context) {
            return Poll::Pending;
        }
        let before = swap(Some(process));
        let polled = future.as_mut().poll(context);
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
