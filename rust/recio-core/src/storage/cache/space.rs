//! Bytes of a cache folder, and removal of objects that no process uses.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::cached_file::{DATA, LOG};

/// Bytes that a process may write before it looks again at what others have written, as a fraction
/// of the cache: each process may exceed the limit by so much.
const STEPS: u64 = 64;
/// Bytes of a unit of `st_blocks`.
const DISK_BLOCK: u64 = 512;

/// The bytes that may be written to a cache folder.
#[derive(Debug)]
pub(super) struct Space {
    folder: PathBuf,
    max_bytes: u64,
    budget: Mutex<Budget>,
}

#[derive(Debug, Default)]
struct Budget {
    /// Bytes that may be written before the folder is looked at again.
    left: u64,
    is_full: bool,
}

impl Space {
    pub(super) fn new(folder: &Path, max_bytes: u64) -> Self {
        Self {
            folder: folder.to_path_buf(),
            max_bytes,
            budget: Mutex::default(),
        }
    }

    /// Takes bytes; returns whether they may be written. Once the cache is full, it stays full for
    /// this process.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        if budget.left < bytes && !budget.is_full {
            let step = (self.max_bytes / STEPS).max(bytes);
            budget.left = self.free_for(step);
        }
        budget.is_full |= budget.left < bytes;
        if !budget.is_full {
            budget.left -= bytes;
        }
        !budget.is_full
    }

    /// Returns whether the cache is full for this process.
    pub(super) fn is_full(&self) -> bool {
        let budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.is_full
    }

    /// Returns how many of `wanted` bytes are free, after removing objects that are not used if
    /// that is needed.
    fn free_for(&self, wanted: u64) -> u64 {
        let mut objects = objects_in(&self.folder);
        let mut used: u64 = objects.iter().map(|object| object.bytes).sum();
        objects.sort_by_key(|object| object.used);
        for object in objects {
            if used + wanted <= self.max_bytes {
                break;
            }
            if remove_unless_used(&object.log) {
                used -= object.bytes;
            }
        }
        self.max_bytes.saturating_sub(used).min(wanted)
    }
}

/// The files of an object in a cache folder.
struct CachedBytes {
    log: PathBuf,
    /// Bytes on the disk.
    bytes: u64,
    used: SystemTime,
}

fn objects_in(folder: &Path) -> Vec<CachedBytes> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let logs = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == LOG));
    logs.filter_map(|log| {
        let metadata = fs::metadata(&log).ok()?;
        let data = fs::metadata(log.with_extension(DATA)).map_or(0, |data| data.blocks());
        Some(CachedBytes {
            bytes: (metadata.blocks() + data) * DISK_BLOCK,
            used: metadata.modified().ok()?,
            log,
        })
    })
    .collect()
}

/// Removes the files of an object that no process has open; returns whether it did.
fn remove_unless_used(log: &Path) -> bool {
    let Ok(file) = File::open(log) else {
        return false;
    };
    // The lock is held until both are removed: who waits for it sees that the log is gone.
    file.try_lock().is_ok()
        && fs::remove_file(log.with_extension(DATA)).is_ok()
        && fs::remove_file(log).is_ok()
}
