//! A file that is in memory alone, with a path by which it can be opened: writing and opening it
//! takes a few microseconds, and nothing is left over when a run ends by whatever way.

use std::fs::File;
use std::os::fd::AsRawFd;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::properties::Desk;

/// Such a file.
pub fn desk() -> Desk {
    let file = memfd_create("recio-fuzz", MemfdFlags::CLOEXEC);
    let file = File::from(file.expect("Linux has such files"));
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Desk::new(file, path.into())
}
