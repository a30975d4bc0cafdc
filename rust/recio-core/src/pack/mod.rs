//! Packing: a list of image files → a record file with its index. The engine of im2rec.
//!
//! ```text
//! list ─▶ coordinator ─▶ workers: opener, transcode, rewrite, masks ─▶ coordinator ─▶ outputs
//!         jobs           memory_budget                                  in list order
//! ```
//!
//! The calling thread is the coordinator. It sends the lines of the list to worker threads, a
//! limited number at a time, and writes their records in the order of the list. The output is
//! therefore the same for any number of threads. Objects of a store are fetched by threads of their
//! own, many at a time, before they come to the workers. A line that cannot be packed is skipped
//! and reported with the reason; only what prevents writing the output is an error. Masks are
//! packed into a record file of their own; if an image or its mask cannot be packed, both are
//! skipped.

mod coordinator;
mod failure;
mod image_file;
mod label_check;
mod list;
mod masks;
mod memory_budget;
mod opener;
mod options;
mod outputs;
mod report;
mod resume;
mod rewrite;
mod transcode;
mod worker;

use std::ops::Range;
use std::thread::{self, Scope};

use crossbeam_channel::unbounded;

use crate::error::{Error, Result};
use crate::progress::OnProgress;
use crate::storage::folder::Folder;
use crate::storage::location::Location;
use coordinator::Coordinator;
use label_check::LabelCheck;
pub use list::PackList;
use masks::MaskFolder;
use memory_budget::{CloseOnDrop, MemoryBudget};
use opener::{FETCHES, Opener};
pub use options::{MaskOptions, PackOptions};
use outputs::Outputs;
pub use report::{PackReport, PackedFile, SkippedLine};
pub use resume::{KeptPart, packed_already};
pub use transcode::{Color, Encoding, Transcode};
use worker::Worker;

/// Lines that are sent to workers and not written yet, per thread, so that no worker is idle.
const LINES_PER_THREAD: usize = 32;
/// Bytes of files and records in memory. One that is larger is packed alone. In addition, each
/// thread has one decoded image.
const MAX_BYTES_IN_MEMORY: usize = 256 << 20;

/// A part of a list that is packed into one record file.
#[derive(Debug, Clone)]
pub struct ListPart {
    /// The lines, by position.
    pub lines: Range<usize>,
    /// Length that the record file must not exceed, unless it has one record: it has the first of
    /// the lines. If not given, it has all.
    pub max_bytes: Option<u64>,
}

/// Packs the files of a part of `list`, whose paths are relative to `root`, into `rec` and its
/// `.idx`.
///
/// All files, with those of masks, are written, or none. `on_progress` is called on this thread. If
/// it stops the packing, nothing is written and the result is `None`.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if `root` cannot be read or the output cannot be
/// written.
///
/// # Panics
/// If the list has fewer lines.
pub fn pack(
    list: &PackList,
    part: ListPart,
    root: &Location,
    rec: &Location,
    options: &PackOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<PackReport>> {
    let entries = &list.entries[part.lines];
    let max_bytes = part.max_bytes.unwrap_or(u64::MAX);
    let images = Folder::new(root, options.allow_outside)?;
    let masks = options.masks.as_ref();
    let mask_rec = masks.map(|masks| &masks.rec);
    let masks = masks
        .map(|masks| MaskFolder::new(masks, options.allow_outside))
        .transpose()?;
    let outputs = Outputs::create(rec, mask_rec, options)?;
    let budget = MemoryBudget::new(MAX_BYTES_IN_MEMORY);
    let threads = options.threads.max(1);
    let opener = Opener {
        images: &images,
        masks: masks.as_ref(),
        budget: &budget,
    };
    let fetches = if opener.is_remote() { FETCHES } else { 0 };
    thread::scope(|scope| {
        // On every return, also by an error, workers must stop waiting for memory.
        let _close_on_return = CloseOnDrop(&budget);
        let (jobs, mut queue) = unbounded();
        if fetches > 0 {
            let (fetched, fetched_queue) = unbounded();
            let unfetched = std::mem::replace(&mut queue, fetched_queue);
            for number in 0..fetches {
                let (unfetched, fetched) = (unfetched.clone(), fetched.clone());
                let fetch = move || opener.run(&unfetched, &fetched);
                spawn(scope, format!("recio-fetch-{number}"), fetch)?;
            }
        }
        for number in 0..threads {
            let worker = Worker::new(opener, options, queue.clone());
            spawn(scope, format!("recio-pack-{number}"), || worker.run())?;
        }
        // If all workers end, sending a job must fail instead of waiting.
        drop(queue);
        let labels = LabelCheck::new(options.pack_label);
        Coordinator::new(
            entries,
            jobs,
            &budget,
            outputs,
            max_bytes,
            labels,
            on_progress,
        )
        .run((threads * LINES_PER_THREAD).max(2 * fetches))
    })
}

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let spawned = thread::Builder::new().name(name).spawn_scoped(scope, work);
    spawned.map(drop).map_err(|cause| Error::thread(&cause))
}

#[cfg(test)]
mod tests;
