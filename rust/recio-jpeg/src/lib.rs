//! A JPEG decoder for training.
//!
//! It gives libjpeg-turbo's pixels, bit for bit, and does only what the pixels need that are asked for: of a region, row by
//! row. Nothing is allocated for an image after the first ones. It is Rust without C.
//!
//! ```
//! # let jpeg: &[u8] = include_bytes!("../../../tests/data/odd-images/plain.jpg");
//! use recio_jpeg::{Decoder, Header, Options, Region};
//!
//! let header = Header::read(jpeg)?;
//! let options = Options {
//!     region: Some(Region { x: 10, y: 20, width: 64, height: 48 }),
//!     ..Options::default()
//! };
//! let mut decoder = Decoder::new();
//! let mut rows = decoder.start(jpeg, &header, &options)?;
//! let mut pixels = vec![0; 64 * 48 * 3];
//! for (y, row) in pixels.chunks_exact_mut(64 * 3).enumerate() {
//!     rows.read_row(y, row)?;
//! }
//! rows.finish()?;
//! # Ok::<(), recio_jpeg::Error>(())
//! ```
//!
//! | file | does | ITU-T T.81 |
//! |---|---|---|
//! | `marker.rs` | segments | B.1.1 |
//! | `header.rs`, `frame.rs`, `orientation.rs` | what is known before a pixel is decoded | B.2.1, B.2.2, A.1.1 |
//! | `tables.rs`, `huffman.rs`, `default_tables.rs` | tables, ready for use | B.2.4, C.2, F.2.2.3, K.3 |
//! | `scan.rs` | scans and their MCUs, restarts | A.2, B.2.3, E.2.4 |
//! | `unstuff.rs`, `bit_reader.rs` | coded data → bits | B.1.1.5, F.2.2.5 |
//! | `entropy.rs` | bits → coefficients, sequential | F.2.2 |
//! | `progressive.rs` | bits → coefficients, progressive | G.1.2 |
//! | `block.rs`, `coefficients.rs` | where coefficients are held | A.3.6 |
//! | `idct/` | coefficients → samples | A.3.3, A.3.4 |
//! | `upsample.rs` | samples → as many as there are pixels | |
//! | `color/` | samples → pixels | JFIF |
//! | `decoder/` | all of it, for a region, row by row | |
//! | `transcode/` | coefficients → a JPEG of which regions are decoded sooner | F.1, K.2 |
//! | `cpu.rs` | which vector instructions there are | |
//!
//! **Input is hostile**: no number of a file is believed before it is checked; no code panics on what a file holds; each
//! block costs at least a bit or the JPEG is at its end. `unsafe` is in kernels only (`idct/`, `color/`, and the call into
//! loops compiled for AVX2 in `upsample.rs`), each with its reason.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bit_reader;
mod block;
mod coefficients;
mod color;
mod cpu;
mod decoder;
mod default_tables;
mod entropy;
mod error;
mod frame;
mod header;
mod huffman;
mod idct;
mod marker;
mod orientation;
mod progressive;
mod scan;
mod scan_state;
mod tables;
mod transcode;
mod unstuff;
mod upsample;

pub use color::PixelFormat;
pub use decoder::{Decoder, Options, Region, Rows, Scale};
pub use error::{Error, Result};
pub use header::{ColorSpace, Header};
pub use scan::OnDamage;
pub use transcode::make_seekable;
