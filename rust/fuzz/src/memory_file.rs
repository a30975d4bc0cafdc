//! File in memory with a path. It is written and opened within microseconds, and nothing is left
//! over however a run ends.

use std::fs::File;
use std::os::fd::AsRawFd;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::properties::InputFile;

/// Create a file in memory.
pub fn memory_file() -> InputFile {
    let file = memfd_create("recio-fuzz", MemfdFlags::CLOEXEC);
    let file = File::from(file.expect("Linux supports memfd_create"));
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    InputFile::new(file, path.into())
}
