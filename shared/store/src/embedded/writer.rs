//! One commit at a time, for all that wait.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::Inner;
use super::tables::Tables;

/// What waits to be written.
#[derive(Default)]
pub(super) struct Writer {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Box<dyn Job>>,
    /// Whether somebody is working through the queue.
    served: bool,
}

/// What became of a piece of work, told after the commit.
type Told<T> = oneshot::Receiver<Result<T, Arc<redb::Error>>>;

trait Job: Send {
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<(), redb::Error>;
    fn finish(self: Box<Self>, committed: Result<(), Arc<redb::Error>>);
}

struct Work<T, W> {
    work: Option<W>,
    result: Option<T>,
    tell: oneshot::Sender<Result<T, Arc<redb::Error>>>,
}

impl<T: Send, W> Job for Work<T, W>
where
    W: FnOnce(&mut Tables<'_>) -> Result<T, redb::Error> + Send,
{
    fn run(&mut self, tables: &mut Tables<'_>) -> Result<(), redb::Error> {
        if let Some(work) = self.work.take() {
            self.result = Some(work(tables)?);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, committed: Result<(), Arc<redb::Error>>) {
        let Self { result, tell, .. } = *self;
        let outcome = match (committed, result) {
            (Ok(()), Some(result)) => Ok(result),
            (Err(error), _) => Err(error),
            (Ok(()), None) => return,
        };
        // Whoever asked may have stopped waiting; the work stands.
        let _ = tell.send(outcome);
    }
}

impl Inner {
    /// Queues `work` and sees that somebody does it.
    pub(super) fn write<T: Send + 'static>(
        inner: &Arc<Self>,
        work: impl FnOnce(&mut Tables<'_>) -> Result<T, redb::Error> + Send + 'static,
    ) -> Told<T> {
        let (tell, told) = oneshot::channel();
        let mut queue = inner.queue();
        queue.jobs.push(Box::new(Work { work: Some(work), result: None, tell }));
        if !mem::replace(&mut queue.served, true) {
            drop(queue);
            let turn = Turn { inner: Arc::clone(inner), over: false };
            if inner.path.is_some() {
                tokio::task::spawn_blocking(move || turn.serve());
            } else {
                turn.serve();
            }
        }
        told
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.writer.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs all jobs in one transaction. If one fails, none is kept.
    fn commit(&self, jobs: &mut [Box<dyn Job>]) -> Result<(), Arc<redb::Error>> {
        self.opened.write(|database| {
            let transaction = database.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            for job in jobs {
                job.run(&mut tables)?;
            }
            let changed = tables.changed;
            drop(tables);
            if changed {
                transaction.commit()?;
            } else {
                transaction.abort()?;
            }
            Ok(())
        })
    }
}

/// The turn to work through the queue. Only one exists at a time.
struct Turn {
    inner: Arc<Inner>,
    over: bool,
}

impl Turn {
    fn serve(mut self) {
        let mut jobs = mem::take(&mut self.inner.queue().jobs);
        loop {
            let committed = self.inner.commit(&mut jobs);
            let mut queue = self.inner.queue();
            let next = mem::take(&mut queue.jobs);
            queue.served = !next.is_empty();
            self.over = next.is_empty();
            drop(queue);
            if next.is_empty() {
                // The file is let go of before the answers, so that who then drops the store may open it again.
                drop(self);
                finish(jobs, &committed);
                return;
            }
            finish(jobs, &committed);
            jobs = next;
        }
    }
}

fn finish(jobs: Vec<Box<dyn Job>>, committed: &Result<(), Arc<redb::Error>>) {
    for job in jobs {
        job.finish(committed.clone());
    }
}

impl Drop for Turn {
    /// A turn that a dying runtime never began must not hold up the next one; what waited is told by its channel.
    fn drop(&mut self) {
        if !self.over {
            let mut queue = self.inner.queue();
            queue.served = false;
            queue.jobs.clear();
        }
    }
}
