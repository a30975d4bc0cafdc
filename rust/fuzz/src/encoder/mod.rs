//! JPEG encoder for fuzzing: makes a valid JPEG of the fuzzer's bytes, of kinds that encoders
//! rarely produce: any supported sampling factors, any valid order of scans, random Huffman tables,
//! coefficients of up to the maximum size.
//!
//! ```text
//! frame ─▶ blocks of coefficients ┐
//!       └▶ script of scans ───────┴▶ tokens ─▶ Huffman tables ─▶ bytes
//! ```

mod blocks;
mod frame;
mod huffman;
mod script;
mod tokens;
mod write;

use crate::fuzz_rng::FuzzRng;
use blocks::Blocks;
use frame::Frame;
use write::Writer;

/// Encode a JPEG.
pub fn encode(rng: &mut FuzzRng<'_>) -> Vec<u8> {
    let frame = Frame::random(rng);
    let blocks = Blocks::random(&frame, rng);
    let scans = script::random(&frame, rng);
    let mut writer = Writer::start(&frame, rng);
    for scan in &scans {
        writer.scan(&frame, &blocks, scan);
    }
    writer.finish()
}
