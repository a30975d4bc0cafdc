//! RecordIO image data: records in, batches of pixels out.
//!
//! ```text
//! file.rec ─▶ record/ ─▶ plan/ ─▶ decode/ ─▶ augment/ ─▶ batch ─▶ (the binding) ─▶ ndarray
//! file.idx     frames     what will  header,    resize,      one slot
//! list.lst     headers    be needed  pixels     colours,     of N×C×H×W
//!                        └─────────── studio: one image ──┘ normalise
//!                 └────────── pipeline/: order, threads, prefetch, stop, reset ──────────┘
//!
//! folder ─▶ list.lst ─▶ pack/ ─▶ file.rec, file.idx          (im2rec; encode makes its images)
//! ```
//!
//! | module | takes | gives | fails with |
//! |---|---|---|---|
//! | [`record`] | bytes or a file | an `ImageRecord { header, labels, image }` | damage, with path, record and byte offset |
//! | [`plan`] | an image's size, steps, a random stream | a [`Plan`](plan::Plan) | steps that make no sense |
//! | [`decode`] | an image's bytes, the part of it that a plan uses | its rows ([`Scanlines`](picture::Scanlines)), 8 bits; JPEGs by the crate recio-jpeg | not an image, over the limits, damaged |
//! | [`augment`] | a picture and its plan | rows of the output's pixels | nothing |
//! | [`studio`] | an image, its steps | all of the above for one image, and calls of the caller's functions | the caller's own errors |
//! | [`batch`] | | the memory of batches, used again | nothing |
//! | [`pipeline`] | options | batches in order | the first of the above, for the batch that it is in |
//! | [`pack`] | a list and a folder | a `.rec` and its `.idx`, whole or not at all | I/O errors; bad images are skipped and told |
//!
//! Three rules hold everywhere. *Plan before pixels*: an image's size is known from its header, so all random choices
//! are made before it is decoded, and only what reaches the batch is computed. *Randomness is a function* of (seed,
//! epoch, record), never of threads or time. *No global state*: an iterator owns its threads, its files and its memory.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod augment;
pub mod batch;
pub mod decode;
pub mod encode;
pub mod error;
pub mod inspect;
pub mod limits;
pub mod pack;
pub mod picture;
pub mod pipeline;
pub mod plan;
pub mod record;
mod staged;
pub mod studio;

pub use error::{Error, ErrorKind, Position, Result};
