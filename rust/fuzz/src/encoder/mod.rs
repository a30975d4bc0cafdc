//! The fuzzer's bytes → a JPEG that is valid, of kinds that encoders hardly make: any sampling that
//! a decoder must know, any legal order of scans, Huffman tables drawn for the symbols used,
//! coefficients as large as they may be.
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

use crate::fuzz_rng::Dice;
use blocks::Blocks;
use frame::Frame;
use write::Writer;

/// Makes a JPEG.
pub fn encode(dice: &mut Dice<'_>) -> Vec<u8> {
    let frame = Frame::draw(dice);
    let blocks = Blocks::draw(&frame, dice);
    let scans = script::draw(&frame, dice);
    let mut writer = Writer::start(&frame, dice);
    for scan in &scans {
        writer.scan(&frame, &blocks, scan);
    }
    writer.finish()
}
