//! The files of a cached object: its data, and the log of the blocks that are in it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use super::block_table::BlockTable;
use super::entry_log::{ENTRY_LEN, Entry, header, parse_entries};
use super::space::Space;
use crate::memory;

/// Bytes of a block, the unit that is read, checked and kept: most small records are in one or two,
/// and their neighbors, which come with them, are needed in the same epoch.
pub(super) const BLOCK: u64 = 16 << 10;

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
    /// Length of the object.
    len: u64,
    blocks: RwLock<Blocks>,
    space: Space,
    /// Whether a block could not be written.
    is_broken: AtomicBool,
}

/// The blocks in the data file, as far as the log was read.
#[derive(Debug)]
struct Blocks {
    table: BlockTable,
    /// Bytes of the log that were read.
    log_len: u64,
}

impl CachedFile {
    /// Opens or creates the files of an object.
    pub(super) fn open(folder: &Path, key: &ObjectKey, space: Space) -> io::Result<Self> {
        if u32::try_from(key.len.div_ceil(BLOCK)).is_err() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
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
            log,
            len: key.len,
            blocks: RwLock::new(Blocks {
                table: BlockTable::default(),
                log_len: header(key).len() as u64,
            }),
            space,
            is_broken: AtomicBool::new(false),
        };
        this.read_log()?;
        Ok(this)
    }

    /// Returns whether no more blocks can be kept.
    pub(super) fn is_full(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed) || self.space.is_full()
    }

    /// Returns the bytes of the object that blocks have.
    pub(super) fn bytes_of(&self, blocks: &Range<u32>) -> Range<u64> {
        u64::from(blocks.start) * BLOCK..self.len.min(u64::from(blocks.end) * BLOCK)
    }

    /// Fills `bytes`, which are those of some blocks, as far as the data file has them. Returns the
    /// blocks from the first to the last that are missing.
    pub(super) fn read(&self, blocks: Range<u32>, bytes: &mut [u8]) -> Range<u32> {
        let mut crcs = self.crcs(blocks.clone());
        // Another process may have added some.
        if crcs.contains(&None) && self.read_log().unwrap_or(false) {
            crcs = self.crcs(blocks.clone());
        }
        let mut missing = blocks.end..blocks.start;
        let mut is_missing = |block| {
            missing = missing.start.min(block)..missing.end.max(block + 1);
        };
        let mut next = blocks.start;
        for run in crcs.chunk_by(|one, other| one.is_some() == other.is_some()) {
            let run_blocks = next..next + run.len() as u32;
            next = run_blocks.end;
            if run[0].is_none() {
                run_blocks.for_each(&mut is_missing);
                continue;
            }
            let all = self.bytes_of(&blocks).start;
            let range = self.bytes_of(&run_blocks);
            let bytes = &mut bytes[(range.start - all) as usize..(range.end - all) as usize];
            self.read_present(run_blocks, run, bytes, &mut is_missing);
        }
        if missing.start < missing.end {
            missing
        } else {
            0..0
        }
    }

    /// Reads blocks that are in the data file. Those whose bytes are not the ones that were written
    /// are forgotten, and missing.
    fn read_present(
        &self,
        blocks: Range<u32>,
        crcs: &[Option<u32>],
        bytes: &mut [u8],
        is_missing: &mut impl FnMut(u32),
    ) {
        let offset = self.bytes_of(&blocks).start;
        let is_read = self.data.read_exact_at(bytes, offset).is_ok();
        for ((block, crc), bytes) in blocks.zip(crcs).zip(bytes.chunks(BLOCK as usize)) {
            if !is_read || *crc != Some(crc32c::crc32c(bytes)) {
                self.write_blocks().table.remove(block);
                is_missing(block);
            }
        }
    }

    /// Keeps blocks, unless the cache is full.
    pub(super) fn insert(&self, blocks: Range<u32>, bytes: &[u8]) {
        let needed = bytes.len() + blocks.len() * ENTRY_LEN;
        if self.is_full() || !self.space.take(needed as u64) {
            return;
        }
        let chunks = bytes.chunks(BLOCK as usize).map(crc32c::crc32c);
        let entries = blocks.clone().zip(chunks);
        let entries: Vec<_> = entries.map(|(block, crc)| Entry { block, crc }).collect();
        let offset = self.bytes_of(&blocks).start;
        if self.write(offset, bytes, &entries).is_err() {
            // The disk is full, or the log ends within an entry.
            self.is_broken.store(true, Ordering::Relaxed);
        }
    }

    fn write(&self, offset: u64, bytes: &[u8], entries: &[Entry]) -> io::Result<()> {
        self.data.write_all_at(bytes, offset)?;
        let log: Vec<u8> = entries.iter().flat_map(|entry| entry.to_bytes()).collect();
        // Entries of other processes are not mixed with these: it is one append.
        if (&self.log).write(&log)? < log.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.add(&mut self.write_blocks(), entries)
    }

    fn add(&self, blocks: &mut Blocks, entries: &[Entry]) -> io::Result<()> {
        let is_known = |entry: &&Entry| u64::from(entry.block) * BLOCK < self.len;
        entries
            .iter()
            .filter(is_known)
            .try_for_each(|entry| blocks.table.insert(entry.block, entry.crc))
            .map_err(io::Error::other)
    }

    fn crcs(&self, blocks: Range<u32>) -> Vec<Option<u32>> {
        let known = self.blocks.read().unwrap_or_else(PoisonError::into_inner);
        blocks.map(|block| known.table.get(block)).collect()
    }

    /// Reads what was appended to the log; returns whether there was anything.
    fn read_log(&self) -> io::Result<bool> {
        let mut blocks = self.write_blocks();
        let added = self.log.metadata()?.len().saturating_sub(blocks.log_len);
        let mut bytes = memory::filled(0, added as usize).map_err(io::Error::other)?;
        self.log.read_exact_at(&mut bytes, blocks.log_len)?;
        let entries = parse_entries(&bytes);
        blocks.log_len += (entries.len() * ENTRY_LEN) as u64;
        self.add(&mut blocks, &entries)?;
        Ok(!entries.is_empty())
    }

    fn write_blocks(&self) -> RwLockWriteGuard<'_, Blocks> {
        // An entry is complete or not there.
        self.blocks.write().unwrap_or_else(PoisonError::into_inner)
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
