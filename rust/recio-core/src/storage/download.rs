//! Copying an object into a local file, several ranges at once.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::stored_file::StoredFile;
use super::wait;
use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::progress::Interrupt;

/// Ranges that are read at once. With their size, this bounds the memory: 64 MiB.
const THREADS: u64 = 8;
/// Bytes of a range: large enough that its transfer takes longer than the wait for its first byte.
const RANGE: u64 = 8 << 20;
/// Time between two looks at whether to stop.
const INTERVAL: Duration = Duration::from_millis(50);

/// Copies an object into an existing local file, from an offset in it.
///
/// # Errors
/// The object cannot be read, or the file cannot be written. [`ErrorKind::Interrupted`].
pub fn download(
    object: &StoredFile,
    target: &Path,
    offset: u64,
    interrupt: &Interrupt<'_>,
) -> Result<()> {
    let target_file = File::options().write(true).open(target);
    let target_file = target_file.map_err(|error| Error::from(error).at_path(target))?;
    let copy = Download {
        object,
        target: &target_file,
        target_path: target,
        offset,
        next: AtomicU64::new(0),
        is_stopped: Arc::default(),
    };
    let (sender, finished) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..THREADS.min(object.len().div_ceil(RANGE)) {
            let (copy, sender) = (&copy, sender.clone());
            scope.spawn(move || _ = sender.send(copy.run()));
        }
        drop(sender);
        let outcome = wait_for_all(&finished, interrupt);
        copy.is_stopped.store(true, Ordering::Relaxed);
        outcome
    })
}

/// Waits until all threads have finished, or one fails.
fn wait_for_all(finished: &mpsc::Receiver<Result<()>>, interrupt: &Interrupt<'_>) -> Result<()> {
    loop {
        match finished.recv_timeout(INTERVAL) {
            Ok(outcome) => outcome?,
            Err(mpsc::RecvTimeoutError::Timeout) => interrupt.poll()?,
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

struct Download<'a> {
    object: &'a StoredFile,
    target: &'a File,
    target_path: &'a Path,
    /// Where the object begins in the target.
    offset: u64,
    /// Number of the next range.
    next: AtomicU64,
    is_stopped: Arc<AtomicBool>,
}

impl Download<'_> {
    /// Copies one range after another, as long as there are some.
    fn run(&self) -> Result<()> {
        let is_stopped = Arc::clone(&self.is_stopped);
        wait::stoppable(
            move || is_stopped.load(Ordering::Relaxed),
            || self.copy_ranges(),
        )
    }

    fn copy_ranges(&self) -> Result<()> {
        let mut bytes = Vec::new();
        loop {
            let start = self
                .next
                .fetch_add(1, Ordering::Relaxed)
                .saturating_mul(RANGE);
            let len = self.object.len().saturating_sub(start).min(RANGE);
            if len == 0 {
                return Ok(());
            }
            if self.is_stopped.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::Interrupted));
            }
            memory::resize(&mut bytes, len as usize, 0)?;
            self.object.read_exact_at(&mut bytes, start)?;
            let written = self.target.write_all_at(&bytes, self.offset + start);
            written.map_err(|error| Error::from(error).at_path(self.target_path))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::location::Location;

    #[test]
    fn all_ranges_are_copied_after_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a"), folder.path().join("b"));
        let bytes: Vec<u8> = (0..2 * RANGE + 3).map(|i| (i % 251) as u8).collect();
        std::fs::write(&source, &bytes).unwrap();
        std::fs::write(&target, "12345").unwrap();
        let file = Location::from(source).open().unwrap();
        download(&file, &target, 5, &Interrupt::never()).unwrap();
        let copied = std::fs::read(&target).unwrap();
        assert!(copied[..5] == *b"12345" && copied[5..] == bytes);
    }

    #[test]
    fn a_failure_stops_all_threads() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::File::create(&source)
            .unwrap()
            .set_len(20 * RANGE)
            .unwrap();
        std::fs::write(&target, "").unwrap();
        let file = Location::from(source.clone()).open().unwrap();
        std::fs::File::create(&source)
            .unwrap()
            .set_len(3 * RANGE)
            .unwrap();
        let error = download(&file, &target, 0, &Interrupt::never()).unwrap_err();
        assert!(error.to_string().contains("truncated"), "{error}");
    }
}
