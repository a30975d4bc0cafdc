//! A thread that syncs a file while it is written, so that the final sync has little left to do.

use std::fs::File;
use std::io;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded};

use crate::error::{Error, Result};

/// Bytes written between two syncs.
const SYNC_INTERVAL: u64 = 16 << 20;

/// Syncs a file on its own thread.
pub(super) struct BackgroundSync {
    requests: Sender<()>,
    thread: JoinHandle<io::Result<File>>,
    /// Bytes written since the last request.
    written: u64,
}

impl BackgroundSync {
    /// Starts the thread. `file` must be open for writing.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(file: File) -> Result<Self> {
        let (requests, queue) = bounded(1);
        let sync_on_request = move || {
            queue.iter().try_for_each(|()| file.sync_data())?;
            Ok(file)
        };
        let thread = thread::Builder::new()
            .name("recio-sync".into())
            .spawn(sync_on_request)
            .map_err(|cause| Error::thread(&cause))?;
        Ok(Self {
            requests,
            thread,
            written: 0,
        })
    }

    /// Requests a sync if one is due after the file has grown by so many bytes.
    pub(super) fn file_has_grown(&mut self, bytes: u64) {
        self.written += bytes;
        if self.written >= SYNC_INTERVAL {
            self.written = 0;
            // A full channel means that a sync is pending already, a closed one that a sync has
            // failed, which `finish` reports.
            _ = self.requests.try_send(());
        }
    }

    /// Stops the thread and returns its file, which must be closed after the final sync: the kernel
    /// reports an error once, so closing it earlier would hide an error from that sync.
    pub(super) fn finish(self) -> io::Result<File> {
        drop(self.requests);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the sync thread panicked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syncs_and_finishes() {
        let file = tempfile::tempfile().unwrap();
        let mut sync = BackgroundSync::start(file).unwrap();
        (0..10).for_each(|_| sync.file_has_grown(SYNC_INTERVAL));
        sync.finish().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn finish_reports_a_failed_sync() {
        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let mut sync = BackgroundSync::start(file).unwrap();
        sync.file_has_grown(SYNC_INTERVAL);
        assert!(sync.finish().is_err());
    }
}
