//! Brings a file to the disk while it is being written, so that the sync at its end has little left to wait for.

use std::fs::File;
use std::io;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded};

/// Bytes between two syncs.
const EVERY: u64 = 16 << 20;

/// A thread that syncs a file again and again.
pub(super) struct Syncer {
    ask: Sender<()>,
    thread: JoinHandle<io::Result<File>>,
    next: u64,
}

impl Syncer {
    /// For a file that is open for writing.
    pub(super) fn start(file: File) -> io::Result<Self> {
        let (ask, asked) = bounded(1);
        let sync = move || {
            asked.iter().try_for_each(|()| file.sync_data())?;
            Ok(file)
        };
        let thread = thread::Builder::new()
            .name("recio-sync".into())
            .spawn(sync)?;
        Ok(Self {
            ask,
            thread,
            next: EVERY,
        })
    }

    /// Tells how many bytes have been written.
    pub(super) fn wrote(&mut self, bytes: u64) {
        if bytes >= self.next {
            self.next = bytes + EVERY;
            // If it is full, a sync is due already; if nobody receives, `finish` says why.
            _ = self.ask.try_send(());
        }
    }

    /// Waits for the thread, and gives its file back, to be closed after the sync at the end. The kernel tells of an error
    /// once: what this finds, or a close, that sync does not.
    pub(super) fn finish(self) -> io::Result<File> {
        drop(self.ask);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the syncing thread panicked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_syncs_on_the_way_and_ends() {
        let file = tempfile::tempfile().unwrap();
        let mut syncer = Syncer::start(file).unwrap();
        (0..10).for_each(|step| syncer.wrote(step * EVERY));
        syncer.finish().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_error_is_told_at_the_end() {
        // A pipe cannot be synced.
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(writer));
        let mut syncer = Syncer::start(file).unwrap();
        syncer.wrote(EVERY);
        assert!(syncer.finish().is_err());
    }
}
