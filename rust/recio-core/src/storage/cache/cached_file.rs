//! The files of a cached object: its data, and the log of the ranges that are in it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use super::entry_log::{ENTRY_LEN, Entry, header, parse_entries};
use super::space::Space;
use crate::memory;

/// Extension of a log.
pub(super) const LOG: &str = "log";
/// Extension of a data file.
pub(super) const DATA: &str = "data";

/// Attempts to open a log that another process removes.
const ATTEMPTS: usize = 100;

/// What distinguishes the bytes of an object from those of all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ObjectKey {
    /// Without credentials.
    pub(super) url: String,
    pub(super) identity: String,
    pub(super) len: u64,
}

impl ObjectKey {
    /// Returns the name of the files without extension. That of another object may be equal, but
    /// the header of the log is not.
    fn file_stem(&self) -> String {
        // FNV-1a, of which all versions of all programs have the same result.
        let hash = header(self)
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        format!("{hash:016x}")
    }
}

/// The open files of an object. While they are open, no process removes them.
#[derive(Debug)]
pub(super) struct CachedFile {
    data: File,
    log: File,
    ranges: RwLock<Ranges>,
    space: Space,
    /// Whether a range could not be written.
    is_broken: AtomicBool,
}

/// Length and CRC32C of a range. With its offset it takes 20 to 40 bytes of memory.
#[derive(Debug, Clone, Copy)]
struct Stored {
    len: u32,
    crc: u32,
}

/// The ranges in the data file by offset, as far as the log was read.
#[derive(Debug)]
struct Ranges {
    entries: HashMap<u64, Stored>,
    /// Bytes of the log that were read.
    log_len: u64,
}

impl Ranges {
    fn get(&self, offset: u64) -> Option<Entry> {
        let Stored { len, crc } = *self.entries.get(&offset)?;
        Some(Entry { offset, len, crc })
    }

    fn insert(&mut self, Entry { offset, len, crc }: Entry) {
        self.entries.insert(offset, Stored { len, crc });
    }
}

impl CachedFile {
    /// Opens or creates the files of an object.
    pub(super) fn open(folder: &Path, key: &ObjectKey, space: Space) -> io::Result<Self> {
        let stem = folder.join(key.file_stem());
        let log = open_log(&stem.with_extension(LOG), key)?;
        let data = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(stem.with_extension(DATA))?;
        if data.metadata()?.len() != key.len {
            data.set_len(key.len)?;
        }
        let this = Self {
            data,
            ranges: RwLock::new(Ranges {
                entries: HashMap::new(),
                log_len: header(key).len() as u64,
            }),
            log,
            space,
            is_broken: AtomicBool::new(false),
        };
        this.read_log()?;
        Ok(this)
    }

    /// Fills `bytes` from `offset` if the data file has this range, or a longer one that begins
    /// there; returns whether it has.
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> bool {
        let Some(entry) = self.entry(offset) else {
            return false;
        };
        if entry.len as usize == bytes.len() {
            return self.read_entry(entry, bytes);
        }
        let range = offset..offset + bytes.len() as u64;
        let read = self.read_range(&range);
        read.is_some_and(|read| {
            bytes.copy_from_slice(&read);
            true
        })
    }

    /// Returns the bytes of a range if the data file has it, or a longer one that begins there.
    pub(super) fn read_range(&self, range: &Range<u64>) -> Option<Vec<u8>> {
        let entry = self.entry(range.start)?;
        let len = range.end - range.start;
        if u64::from(entry.len) < len {
            return None;
        }
        let mut bytes = memory::filled(0, entry.len as usize).ok()?;
        let is_valid = self.read_entry(entry, &mut bytes);
        bytes.truncate(len as usize);
        is_valid.then_some(bytes)
    }

    /// Keeps the bytes of a range, unless the cache is full.
    pub(super) fn insert(&self, bytes: &[u8], offset: u64) {
        let Ok(len) = u32::try_from(bytes.len()) else {
            return;
        };
        let needed = bytes.len() as u64 + ENTRY_LEN as u64;
        if self.is_broken.load(Ordering::Relaxed) || !self.space.take(needed) {
            return;
        }
        let crc = crc32c::crc32c(bytes);
        if self.write(Entry { offset, len, crc }, bytes).is_err() {
            // The disk is full, or the log ends within an entry.
            self.is_broken.store(true, Ordering::Relaxed);
        }
    }

    fn write(&self, entry: Entry, bytes: &[u8]) -> io::Result<()> {
        self.data.write_all_at(bytes, entry.offset)?;
        // Entries of other processes are not mixed with it: it is one append.
        if (&self.log).write(&entry.to_bytes())? < ENTRY_LEN {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.write_ranges().insert(entry);
        Ok(())
    }

    /// Returns the entry at an offset, also if another process has added it.
    fn entry(&self, offset: u64) -> Option<Entry> {
        let ranges = || self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        let known = ranges().get(offset);
        if known.is_some() || !self.read_log().ok()? {
            return known;
        }
        ranges().get(offset)
    }

    /// Reads an entry's bytes, and forgets the entry if they are not those that were written.
    fn read_entry(&self, entry: Entry, bytes: &mut [u8]) -> bool {
        let read = self.data.read_exact_at(bytes, entry.offset);
        let is_valid = read.is_ok() && crc32c::crc32c(bytes) == entry.crc;
        if !is_valid {
            self.write_ranges().entries.remove(&entry.offset);
        }
        is_valid
    }

    /// Reads what was appended to the log; returns whether there was anything.
    fn read_log(&self) -> io::Result<bool> {
        let mut ranges = self.write_ranges();
        let added = self.log.metadata()?.len().saturating_sub(ranges.log_len);
        let mut bytes = memory::filled(0, added as usize).map_err(io::Error::other)?;
        self.log.read_exact_at(&mut bytes, ranges.log_len)?;
        let entries = parse_entries(&bytes);
        ranges.log_len += (entries.len() * ENTRY_LEN) as u64;
        let any = !entries.is_empty();
        entries.into_iter().for_each(|entry| ranges.insert(entry));
        Ok(any)
    }

    fn write_ranges(&self) -> std::sync::RwLockWriteGuard<'_, Ranges> {
        // An entry is complete or not there.
        self.ranges.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the log of an object with a lock that keeps others from removing it. If no other process
/// uses it, what a killed process left at its end is removed.
fn open_log(path: &PathBuf, key: &ObjectKey) -> io::Result<File> {
    for _ in 0..ATTEMPTS {
        let log = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let is_alone = log.try_lock().is_ok();
        if !is_alone {
            // Where files cannot be locked, nothing is ever removed.
            _ = log.lock_shared();
        }
        let is_current = fs::metadata(path)
            .is_ok_and(|other| Some(other.ino()) == log.metadata().ok().map(|log| log.ino()));
        if !is_current {
            continue;
        }
        if is_alone {
            recover(&log, key)?;
            // For others, the object is used from now on.
            _ = log.set_modified(std::time::SystemTime::now());
            _ = log.lock_shared();
        }
        let mut present = vec![0; header(key).len()];
        if log.read_exact_at(&mut present, 0).is_ok() && present == header(key) {
            return Ok(log);
        }
        if present.iter().any(|&byte| byte != 0) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

/// Writes the header of a new log, and removes the end of a log from the first damaged entry on.
fn recover(log: &File, key: &ObjectKey) -> io::Result<()> {
    let header = header(key);
    let mut bytes = memory::filled(0, log.metadata()?.len() as usize).map_err(io::Error::other)?;
    log.read_exact_at(&mut bytes, 0)?;
    match bytes.strip_prefix(&header[..]) {
        Some(entries) => {
            let valid = header.len() + parse_entries(entries).len() * ENTRY_LEN;
            log.set_len(valid as u64)
        }
        // Another object's.
        None if bytes.len() > header.len() => Ok(()),
        None => {
            log.set_len(0)?;
            let mut log = log;
            log.write_all(&header)
        }
    }
}
