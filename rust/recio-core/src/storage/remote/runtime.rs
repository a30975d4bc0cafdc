//! The thread `recio-storage`, which carries out all requests of a process.
//!
//! One thread is enough: it only moves bytes between sockets and buffers. The first request of a
//! process starts it, and it ends with the process.

use std::future::Future;
use std::process;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::Receiver;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::error::{Error, Result};
use crate::storage::per_process::PerProcess;
use crate::storage::wait;

static RUNTIME: PerProcess<Runtime> = PerProcess::new();

/// Runtime that runs until all its clones are dropped.
#[derive(Debug, Clone)]
struct Runtime {
    handle: Handle,
    _running: Arc<oneshot::Sender<()>>,
}

/// Threads that look up names of hosts, which the system only does while the caller waits.
const MAX_LOOKUPS: usize = 4;

/// Returns the runtime of this process.
///
/// # Errors
/// That its thread cannot be started.
pub(super) fn handle() -> Result<Handle> {
    Ok(RUNTIME.get_or_try_make(Runtime::start)?.handle)
}

impl Runtime {
    fn start() -> Result<Self> {
        let mut builder = Builder::new_current_thread();
        let runtime = builder
            .enable_all()
            .max_blocking_threads(MAX_LOOKUPS)
            .build()?;
        let handle = runtime.handle().clone();
        let (running, has_ended) = oneshot::channel();
        let run = move || _ = runtime.block_on(has_ended);
        let thread = thread::Builder::new().name("recio-storage".into());
        thread.spawn(run).map_err(|error| Error::thread(&error))?;
        Ok(Self {
            handle,
            _running: Arc::new(running),
        })
    }
}

/// Result of a request that is in progress. Dropping it cancels the request.
#[derive(Debug)]
pub(super) struct Pending<T> {
    receiver: Receiver<Result<T>>,
    task: AbortHandle,
    process: u32,
}

impl<T: Send + 'static> Pending<T> {
    /// Starts a request.
    ///
    /// # Errors
    /// As [`handle`].
    pub(super) fn start(request: impl Future<Output = Result<T>> + Send + 'static) -> Result<Self> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let task = handle()?.spawn(async move {
            // Nobody waits for a request that was cancelled.
            _ = sender.send(request.await);
        });
        let task = task.abort_handle();
        Ok(Self {
            receiver,
            task,
            process: process::id(),
        })
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// Those of the request; `Interrupted`.
    pub(super) fn wait(&self) -> Result<T> {
        let lost = || Err(std::io::Error::other("the request was lost").into());
        wait::receive(&self.receiver)?.unwrap_or_else(lost)
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        // The locks of another process's runtime may be held by threads that are not here.
        if self.process == process::id() {
            self.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future;

    use super::*;

    #[test]
    fn requests_run_in_the_thread_of_storage() {
        let name = async { Ok(thread::current().name().map(String::from)) };
        let name = Pending::start(name).unwrap().wait().unwrap();
        assert_eq!(name.as_deref(), Some("recio-storage"));
    }

    #[test]
    fn a_request_that_panics_is_an_error() {
        let request = async { panic!("a request") };
        let error = Pending::<()>::start(request).unwrap().wait().unwrap_err();
        assert_eq!(error.to_string(), "the request was lost");
    }

    #[test]
    fn a_dropped_request_is_cancelled() {
        let (sender, receiver) = crossbeam_channel::bounded::<()>(0);
        let request = async move {
            future::pending::<()>().await;
            drop(sender);
            Ok(())
        };
        drop(Pending::start(request).unwrap());
        assert!(receiver.recv().is_err());
    }
}
