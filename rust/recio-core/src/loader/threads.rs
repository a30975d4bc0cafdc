//! Threads of a loader: producers, and the pool of workers that they give work to.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle, ThreadId};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};
use crate::loader::lock::lock;
use crate::loader::thread_counts::ThreadCounts;
use crate::storage::wait;

/// The threads of a loader. They start together, or none does.
#[derive(Debug)]
pub(super) struct Threads {
    counts: ThreadCounts,
    running: Mutex<Option<Running>>,
    /// Whether they shall not wait for storage any more.
    is_stopped: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Running {
    ids: Vec<ThreadId>,
    handles: Vec<JoinHandle<()>>,
    /// Each thread has a sender, and drops it when it ends.
    ended: Receiver<Infallible>,
}

/// The threads that make the images of a producer's batches.
#[derive(Debug, Clone, Copy)]
pub(super) enum Makers<'a> {
    /// A pool of workers.
    Pool(&'a ThreadPool),
    /// The producer itself, which has this number.
    This(usize),
}

/// Threads that are being started.
struct Spawner {
    handles: Vec<JoinHandle<()>>,
    alive: Sender<Infallible>,
    is_stopped: Arc<AtomicBool>,
}

impl Threads {
    /// Threads that are not started yet.
    pub(super) fn new(counts: ThreadCounts) -> Self {
        Self {
            counts,
            running: Mutex::default(),
            is_stopped: Arc::default(),
        }
    }

    /// Makes all reads that wait for storage return.
    pub(super) fn stop_waits(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Starts workers and producers, unless they were started before. Each producer calls `produce`
    /// with its [`Makers`]. The pool of the workers ends when all producers have returned.
    ///
    /// # Errors
    /// A thread cannot be started. Then none is running.
    pub(super) fn start(
        &self,
        produce: impl Fn(Makers<'_>) + Clone + Send + 'static,
    ) -> Result<()> {
        let mut running = lock(&self.running);
        if running.is_none() {
            let is_stopped = Arc::clone(&self.is_stopped);
            *running = Some(Running::start(self.counts, is_stopped, produce)?);
        }
        Ok(())
    }

    /// Whether the current thread is one of them.
    pub(super) fn is_current(&self) -> bool {
        let current = std::thread::current().id();
        let running = lock(&self.running);
        running
            .as_ref()
            .is_some_and(|running| running.ids.contains(&current))
    }

    /// Waits for at most this long until all have ended; returns whether they have. One of them
    /// does not wait for itself.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        if self.is_current() {
            return true;
        }
        let ended = lock(&self.running)
            .as_ref()
            .map(|running| running.ended.clone());
        let Some(ended) = ended else { return true };
        if ended.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
            return false;
        }
        let handles = lock(&self.running)
            .as_mut()
            .map(|running| std::mem::take(&mut running.handles));
        join(handles.unwrap_or_default());
        true
    }

    /// Makes later calls of [`wait`](Self::wait) return at once.
    pub(super) fn abandon(&self) {
        if let Some(running) = &mut *lock(&self.running) {
            running.handles.clear();
            running.ended = bounded(0).1;
        }
    }
}

impl Running {
    fn start(
        counts: ThreadCounts,
        is_stopped: Arc<AtomicBool>,
        produce: impl Fn(Makers<'_>) + Clone + Send + 'static,
    ) -> Result<Self> {
        let (alive, ended) = bounded(0);
        let mut spawner = Spawner {
            handles: Vec::new(),
            alive,
            is_stopped,
        };
        let outcome = spawner.start(counts, produce);
        let handles = spawner.handles;
        if let Err(cause) = outcome {
            join(handles);
            return Err(Error::thread(&cause));
        }
        Ok(Self {
            ids: handles.iter().map(|thread| thread.thread().id()).collect(),
            handles,
            ended,
        })
    }
}

impl Spawner {
    /// Starts all threads. If that fails, those that were started end.
    fn start(
        &mut self,
        ThreadCounts {
            workers, producers, ..
        }: ThreadCounts,
        produce: impl Fn(Makers<'_>) + Clone + Send + 'static,
    ) -> io::Result<()> {
        let pool = match workers {
            0 => None,
            workers => Some(Arc::new(self.start_pool(workers)?)),
        };
        let (all_started, begin) = bounded(producers);
        for number in 0..producers {
            let (pool, begin, produce) = (pool.clone(), begin.clone(), produce.clone());
            let name = match pool {
                Some(_) => "recio-producer".into(),
                None => worker_name(number),
            };
            self.spawn(name, move || {
                if begin.recv().is_ok() {
                    produce(pool.as_deref().map_or(Makers::This(number), Makers::Pool));
                }
            })?;
        }
        for _ in 0..producers {
            // There is room for all, and `begin` exists.
            _ = all_started.send(());
        }
        Ok(())
    }

    fn start_pool(&mut self, workers: usize) -> io::Result<ThreadPool> {
        let mut cause = None;
        let pool = ThreadPoolBuilder::new()
            .num_threads(workers)
            .spawn_handler(|thread| {
                let name = worker_name(thread.index());
                self.spawn(name, || thread.run()).map_err(|error| {
                    let kind = error.kind();
                    cause = Some(error);
                    kind.into()
                })
            })
            .build();
        pool.map_err(|error| cause.unwrap_or_else(|| io::Error::other(error)))
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let (alive, is_stopped) = (self.alive.clone(), Arc::clone(&self.is_stopped));
        let thread = Builder::new().name(name).spawn(move || {
            let _alive = alive;
            wait::stop_this_thread_when(move || is_stopped.load(Ordering::Relaxed));
            work();
        })?;
        self.handles.push(thread);
        Ok(())
    }
}

/// Name of a thread that makes images.
fn worker_name(number: usize) -> String {
    format!("recio-{number}")
}

fn join(handles: Vec<JoinHandle<()>>) {
    for thread in handles {
        // A thread that panicked has ended too.
        drop(thread.join());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counts(workers: usize, producers: usize) -> ThreadCounts {
        ThreadCounts {
            workers,
            producers,
            max_claimed: 1,
            max_buffers: 1,
            early_images: 0,
        }
    }

    #[test]
    fn threads_are_waited_for_and_start_once() {
        let threads = Threads::new(counts(2, 3));
        let (go, gate) = bounded::<()>(0);
        let runs = Arc::new(AtomicUsize::new(0));
        let produce = {
            let runs = Arc::clone(&runs);
            move |makers: Makers<'_>| {
                let Makers::Pool(pool) = makers else {
                    panic!("there are workers")
                };
                pool.install(|| runs.fetch_add(1, Ordering::Relaxed));
                _ = gate.recv();
            }
        };
        threads.start(produce.clone()).unwrap();
        threads.start(produce).unwrap();
        assert!(!threads.wait(Duration::from_millis(10)));
        drop(go);
        assert!(threads.wait(Duration::MAX) && threads.wait(Duration::ZERO));
        assert_eq!(runs.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn threads_that_are_abandoned_are_not_waited_for() {
        let threads = Threads::new(counts(0, 1));
        let (go, gate) = bounded::<()>(0);
        threads.start(move |_| _ = gate.recv()).unwrap();
        threads.abandon();
        assert!(threads.wait(Duration::ZERO));
        drop(go);
    }
}
