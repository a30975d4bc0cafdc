//! RecordIO image data: records in, batches of pixels out.
//!
//! ```text
//! file.rec ─▶ read ─▶ dataset ─▶ plan ─────▶ decode ─────▶ render ─────▶ loader ─▶ ndarray
//! file.idx    record  sample i   size and    the region    stages: ops,  batches in
//! list.lst                       random      that the      normalize     epoch order,
//!                                parameters  plan needs    to a slot     threads, prefetch
//!
//! folder ─▶ list.lst ─▶ pack ─▶ write ─▶ file.rec, file.idx, file.rsum      (im2rec)
//! file.rec, file.idx ─▶ tools ─▶ write                        (merge, split, shuffle, repair)
//! file.rec, file.idx ─▶ tools ─▶ a report                                   (verify, info)
//! ```
//!
//! The rooms, lowest first. A room uses only rooms above it in this table, and
//! `tests/style/test_architecture.py` fails where one does not.
//!
//! | module | contents | errors |
//! |---|---|---|
//! | [`printable`](mod@printable), [`error`], [`memory`], [`limits`], [`rng`], [`image`], [`boxes`], [`progress`] | escaped text; errors with positions; allocations that may fail; limits; random numbers; images, views, rows; bounding boxes; progress reports | |
//! | [`format`] | bytes ⇄ values: frames, record headers, `.idx`, `.lst`, `.rsum` | malformed bytes, with offset |
//! | [`storage`] | local files and objects of stores: positioned reads, uploads; a folder that paths must not leave | I/O, paths outside |
//! | [`read`] | records of one file: by offset, in sequence, scanned, salvaged | damage, with path, record and offset |
//! | [`text`] | lines of text files with numbers, dense or sparse | I/O |
//! | [`write`](mod@write) | record files, in place, or hidden until complete | I/O |
//! | [`dataset`] | samples by number, from record files or image files; shards; detection labels | as `read` |
//! | [`decode`], [`encode`] | image bytes → rows of pixels; pixels → JPEG, PNG | not an image, over the limits, damaged |
//! | [`ops`] | pixels → pixels: resize, warp, border, color | none |
//! | [`plan`] | steps, an image's size and random numbers → a [`Plan`](plan::Plan) | steps that contradict each other |
//! | [`render`] | carries out a plan on one image, row by row | the image's; those of user functions |
//! | [`loader`] | samples → batches: epoch order, threads, prefetch, checkpoints | the first of a batch |
//! | [`pack`] | a list and a folder → a record file: the engine of im2rec | I/O; bad images are skipped and reported |
//! | [`tools`] | merge, split, shuffle, verify, repair, info | damage, I/O |
//!
//! Three rules hold everywhere. *Plan before pixels*: an image's size is known from its header, so
//! all random parameters are sampled before it is decoded, and only what reaches the batch is
//! computed. *Randomness is a function* of (seed, epoch, record), never of threads or time. *No
//! global state*: an iterator owns its threads, its files and its memory; only the connections to
//! stores of objects, and the thread that serves them, belong to the process.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod boxes;
pub mod dataset;
pub mod decode;
pub mod encode;
pub mod error;
pub mod format;
pub mod image;
pub mod limits;
pub mod loader;
pub mod memory;
pub mod ops;
pub mod pack;
pub mod plan;
pub mod printable;
pub mod progress;
pub mod read;
pub mod render;
pub mod rng;
pub mod storage;
pub mod text;
pub mod tools;
pub mod write;

pub use error::{Error, ErrorKind, Position, Result};
