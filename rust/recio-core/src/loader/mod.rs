//! Batches of samples, in epoch order, made ahead by threads: order, prefetch, reset, checkpoint,
//! stop.
//!
//! ```text
//! producers (2 threads or more)     workers (a thread pool of the loader)
//!   claim the next batch              one task per image: read, plan, decode, augment,
//!   take buffers from the pool          write into the slot of the image
//!   a task for each image       ─▶    and of its mask, if it has one
//!   wait, deliver               ─▶ ready batches ─▶ next()
//! ```
//!
//! | module | contents |
//! |---|---|
//! | `options` | options of a loader, checked before a file is opened |
//! | `epoch` | number of batches in an epoch, handling of the last one, shards of equal length |
//! | `epoch_order` | order of the samples of each epoch: a permutation, or that of a sampler |
//! | `sampling` | orders of samplers: balanced over classes, weighted |
//! | `keyed_permutation` | permutation that is computed, for large data sets |
//! | `batch_sampler` | the samples of a batch |
//! | `global_batch` | the slice of a global batch that a rank has |
//! | `position` | position of a consumer, which a checkpoint holds; claims to the batches after it |
//! | `thread_counts` | number of threads, and of the batches that they make at a time |
//! | `threads` | workers and producers, started and stopped together |
//! | `queue` | queue between producers and consumer: claimed, ready and delivered batches |
//! | `producer` | threads that make batches |
//! | `filler` | the images of one batch, made in its buffer, or before it has one |
//! | `read_ahead` | records that are read before they are needed, where reads are slow |
//! | `coming_batches` | the batches after those in production, for reading ahead |
//! | `sample_task` | one image of a batch: read, decode, augment, write into its slot |
//! | `supply`, `supplied_batches` | batches of samples that the caller supplies one by one |
//! | `sample_cursors` | cursors for reading samples one by one, in epoch order |
//! | `merge_normalize` | normalization among the steps, merged with the one of the batch |
//! | `labels` | labels of a batch: their source and their layout |
//! | `label_list` | label list: labels of `path_imglist`, which replace those of the samples |
//! | `label_scan` | scan of all detection labels before the first epoch |
//! | `masks` | masks of images |
//! | `skip_report` | report of the skipped samples, for the consumer |
//! | `buffer` | memory of one array of a batch: recio's own, or the caller's |
//! | `buffer_pool` | buffer pool for batches |
//! | `batch_memory` | the buffer pools of a loader |
//! | `image_loader` | a running loader |
//! | `image_batch` | one batch of encoded images that the caller has |
//!
//! A producer hands all tasks of a batch to the thread pool at once. When the last of them begins,
//! the next producer claims the next batch: so no thread idles at the end of a batch, and no more
//! batches are made at a time than the threads need. Small batches need no pool: there are as many
//! producers as there would be workers, and each makes all images of its batches.
//!
//! Batches are numbered within their epoch and delivered in order, whichever is finished first.
//! Their contents depend on (seed, epoch, record) alone. Producers work ahead into the next epoch,
//! so its first batches are ready when it begins.

mod batch_memory;
mod batch_sampler;
pub mod buffer;
pub mod buffer_pool;
mod coming_batches;
mod epoch;
mod epoch_order;
mod filler;
mod global_batch;
mod image_batch;
mod image_loader;
mod keyed_permutation;
mod label_list;
mod label_scan;
mod labels;
mod lock;
mod masks;
mod merge_normalize;
mod options;
mod position;
mod producer;
mod queue;
mod read_ahead;
mod sample_cursors;
mod sample_task;
pub mod sampling;
mod skip_report;
mod supplied_batches;
mod supply;
mod thread_counts;
mod threads;

pub use crate::dataset::source::{Fingerprint, Source, StoredImage, StoredSample};
pub use epoch::{Cursor, LastBatch, ShardPolicy, Sharding};
pub use epoch_order::Sampler;
pub use image_batch::{EncodedImages, render_batch};
pub use image_loader::{ImageLoader, Loader};
pub use labels::Labels;
pub use lock::lock_unless_stuck;
pub use options::{LabelForm, MaskSource, Options, Shape};
pub use position::Position;
pub use queue::Next;
pub use sample_task::{DataFingerprint, ImagePreview};
pub use supply::{SuppliedImage, SuppliedSample, Supplier};
