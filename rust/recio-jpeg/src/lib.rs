//! JPEG decoder and encoder for training, in pure Rust.
//!
//! The decoder produces the pixels of libjpeg-turbo, bit for bit, of a region, row by row, and
//! computes only what these pixels need. It allocates no memory for an image after the first ones.
//! The encoder produces the bytes of libjpeg-turbo.
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
//! ```
//! use recio_jpeg::{ChannelOrder, EncodeOptions, Encoder, ImageRows};
//!
//! let pixels = [200; 64 * 48 * 3];
//! let image = ImageRows::new(&pixels, 64 * 3, (64, 48), ChannelOrder::Rgb)?;
//! let mut jpeg = Vec::new();
//! Encoder::new().encode(&image, &EncodeOptions::default(), &mut jpeg);
//! # Ok::<(), recio_jpeg::EncodeError>(())
//! ```
//!
//! | file | purpose | ITU-T T.81 |
//! |---|---|---|
//! | `marker.rs` | markers and segments | B.1.1 |
//! | `header.rs`, `frame.rs` | size, components, color space | B.2.1, B.2.2, A.1.1 |
//! | `orientation.rs` | Exif orientation | |
//! | `tables.rs`, `huffman.rs` | quantization and Huffman tables | B.2.4, C.2, F.2.2.3 |
//! | `default_tables.rs` | Huffman tables of files that define none | K.3 |
//! | `scan.rs`, `scan_state.rs` | scan headers, MCUs, restarts | A.2, B.2.3, E.2.4 |
//! | `unstuff.rs`, `bit_reader.rs` | entropy-coded data → bits | B.1.1.5, F.2.2.5 |
//! | `entropy.rs` | bits → coefficients, sequential | F.2.2 |
//! | `progressive.rs` | bits → coefficients, progressive | G.1.2 |
//! | `block.rs`, `coefficients.rs` | storage of coefficients | A.3.6 |
//! | `idct/` | coefficients → samples | A.3.3, A.3.4 |
//! | `upsample.rs` | upsampling of chroma rows | |
//! | `color/` | color conversion: samples → pixels | JFIF |
//! | `decoder/` | decoding of a region, row by row | |
//! | `transcode/` | coefficients → a baseline JPEG that decodes faster | F.1, K.2 |
//! | `encoder/` | pixels → JPEG | A.1–A.3, F.1, K.1–K.3 |
//! | `cpu.rs` | detection of SIMD instructions | |
//!
//! **Input is untrusted**: every number of a file is checked before it is used, no file content can
//! cause a panic, and each block consumes at least one bit or the JPEG is at its end. `unsafe` code
//! is in the SIMD kernels only (`idct/`, `color/`, `encoder/fdct/`, `encoder/color/`, and the calls
//! into loops compiled for other instructions in `upsample.rs` and `encoder/entropy.rs`), each with
//! its reason.
#![deny(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bit_reader;
mod block;
mod coefficients;
mod color;
mod cpu;
mod decoder;
mod default_tables;
mod encoder;
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
pub use encoder::{ChannelOrder, EncodeError, EncodeOptions, Encoder, ImageRows, Subsampling};
pub use error::{Error, Result};
pub use header::{ColorSpace, Header};
pub use orientation::exif_orientation;
pub use scan::OnDamage;
pub use transcode::{make_baseline, make_seekable};
