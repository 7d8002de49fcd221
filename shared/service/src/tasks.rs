//! Tasks that live and die together.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use telemetry::Chain;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{ServiceError, TaskFailure};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// A service's tasks as one: the first to end, or `stop`, ends them all.
pub struct Tasks {
    stop: CancellationToken,
    grace: Duration,
    running: JoinSet<Outcome>,
    names: HashMap<Id, String>,
}

impl Tasks {
    /// No tasks yet. Once `stop` is cancelled, each has `grace` to end.
    pub fn new(stop: CancellationToken, grace: Duration) -> Self {
        Self { stop, grace, running: JoinSet::new(), names: HashMap::new() }
    }

    /// Starts a task. It must end when the token given to [`Tasks::new`] is cancelled, and not before.
    pub fn spawn<E>(
        &mut self,
        name: impl Into<String>,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) where
        E: Error + Send + Sync + 'static,
    {
        let handle = self.running.spawn(ambient::carried(async move { task.await.map_err(Into::into) }));
        self.names.insert(handle.id(), name.into());
    }

    /// Runs until the first task ends or `stop` is cancelled, then cancels `stop` and waits for all.
    ///
    /// Fails with every task that failed, panicked, ended before it was asked to, or outlived the grace (such a task
    /// is aborted). Without tasks it waits for `stop`.
    pub async fn join(mut self) -> Result<(), ServiceError> {
        let mut failures = Vec::new();
        if self.running.is_empty() {
            self.stop.cancelled().await;
        } else if let Some(Some(first)) =
            self.stop.run_until_cancelled(self.running.join_next_with_id()).await
        {
            let (task, outcome) = self.named(first);
            // Cancelled in the same moment: it had been asked after all.
            let asked = self.stop.is_cancelled();
            self.stop.cancel();
            let early = (!asked).then(|| TaskFailure::Ended { task: task.clone() });
            note(&mut failures, failure(task, outcome).or(early));
        }
        let deadline = Instant::now() + self.grace;
        while !self.running.is_empty() {
            let Ok(next) = timeout_at(deadline, self.running.join_next_with_id()).await else { break };
            if let Some(ended) = next {
                let (task, outcome) = self.named(ended);
                note(&mut failures, failure(task, outcome));
            }
        }
        let mut deaf: Vec<_> = std::mem::take(&mut self.names).into_values().collect();
        deaf.sort_unstable();
        for task in deaf {
            note(&mut failures, Some(TaskFailure::Deaf { task, grace: self.grace }));
        }
        self.running.abort_all();
        if failures.is_empty() { Ok(()) } else { Err(ServiceError::Tasks(failures)) }
    }

    fn named(&mut self, ended: Result<(Id, Outcome), JoinError>) -> (String, Result<Outcome, JoinError>) {
        let (id, outcome) = by_id(ended);
        (self.names.remove(&id).unwrap_or_default(), outcome)
    }
}

/// Which task has ended, and how.
pub(crate) fn by_id<T>(ended: Result<(Id, T), JoinError>) -> (Id, Result<T, JoinError>) {
    match ended {
        Ok((id, outcome)) => (id, Ok(outcome)),
        Err(error) => (error.id(), Err(error)),
    }
}

/// What was wrong with the end of a task.
pub(crate) fn failure<E: Into<Box<dyn Error + Send + Sync>>>(
    task: String,
    outcome: Result<Result<(), E>, JoinError>,
) -> Option<TaskFailure> {
    match outcome {
        Ok(Ok(())) => None,
        Ok(Err(source)) => Some(TaskFailure::Failed { task, source: source.into() }),
        Err(_) => Some(TaskFailure::Panicked { task }),
    }
}

/// Told when it happens: what follows may take the whole grace.
fn note(failures: &mut Vec<TaskFailure>, failure: Option<TaskFailure>) {
    if let Some(failure) = failure {
        tracing::error!(error = %Chain(&failure), "a task did not end well");
        failures.push(failure);
    }
}
