//! Quantized coefficients → bits (ITU-T T.81, F.1.2).
//!
//! The time of this stage depends on the number of coefficients that are not zero. Their positions
//! are the bits of a number, and the bits to write are looked up by the zeros before a coefficient
//! and its value. Two symbols are written at once. Checks of a value and of the zeros before it
//! take a third of the instructions, so they are done once for a block.
// Inlined into the loop over coefficients, which is compiled for several instruction sets.
#![allow(clippy::inline_always)]

use super::bit_buffer::{BitPosition, Bytes};
use super::codes::{self, Bits, Codes};
use super::fdct::QuantizedBlock;
use crate::block::BLOCK_LEN;

/// Blocks of a component in a row of MCUs.
pub(super) struct ComponentBlocks<'a> {
    pub(super) codes: &'a Codes,
    /// Rows of blocks, `stride` apart.
    pub(super) blocks: &'a [QuantizedBlock],
    pub(super) stride: usize,
    /// Number of blocks in a row, and of rows, that have samples.
    pub(super) columns: usize,
    pub(super) rows: usize,
    /// Blocks of an MCU, horizontally and vertically.
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
}

impl ComponentBlocks<'_> {
    /// Return a block of an MCU; `None` if it has no samples.
    #[inline(always)]
    fn block(&self, mcu: usize, x: usize, y: usize) -> Option<&QuantizedBlock> {
        let column = mcu * self.horizontal + x;
        let has_samples = y < self.rows && column < self.columns;
        has_samples.then(|| &self.blocks[y * self.stride + column])
    }
}

/// Writer of rows of MCUs.
pub(super) struct EntropyEncoder {
    bytes: Box<Bytes>,
    position: BitPosition,
    /// Last DC coefficient of each component.
    predictions: [i32; 3],
}

impl Default for EntropyEncoder {
    fn default() -> Self {
        Self {
            bytes: Box::new([0; size_of::<Bytes>()]),
            position: BitPosition::default(),
            predictions: [0; 3],
        }
    }
}

impl EntropyEncoder {
    /// Write a row of MCUs.
    pub(super) fn encode_mcus(
        &mut self,
        count: usize,
        components: &[ComponentBlocks<'_>],
        out: &mut Vec<u8>,
    ) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
        {
            // SAFETY: the CPU has the instructions.
            #[allow(unsafe_code)]
            return unsafe { self.encode_mcus_bmi(count, components, out) };
        }
        self.encode_mcus_inline(count, components, out);
    }

    /// [`encode_mcus`](Self::encode_mcus), compiled for instructions that count zeros and shift by
    /// variable distances, which older CPUs do in several steps.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "bmi1,bmi2,lzcnt")]
    fn encode_mcus_bmi(
        &mut self,
        count: usize,
        components: &[ComponentBlocks<'_>],
        out: &mut Vec<u8>,
    ) {
        self.encode_mcus_inline(count, components, out);
    }

    #[inline(always)]
    fn encode_mcus_inline(
        &mut self,
        count: usize,
        components: &[ComponentBlocks<'_>],
        out: &mut Vec<u8>,
    ) {
        let mut position = self.position;
        for mcu in 0..count {
            for (component, prediction) in components.iter().zip(&mut self.predictions) {
                for y in 0..component.vertical {
                    for x in 0..component.horizontal {
                        position.reserve_block(&self.bytes, out);
                        let block = component.block(mcu, x, y);
                        let bytes = &mut *self.bytes;
                        encode_block(component.codes, block, prediction, &mut position, bytes);
                    }
                }
            }
        }
        self.position = position;
    }

    /// Write what is pending, and prepare for the next image.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.position.finish(&mut self.bytes, out);
        (self.position, self.predictions) = Default::default();
    }
}

/// Write a block. One without samples is written as short as possible: equal to the one before, as
/// in libjpeg.
#[inline(always)]
fn encode_block(
    codes: &Codes,
    block: Option<&QuantizedBlock>,
    prediction: &mut i32,
    position: &mut BitPosition,
    bytes: &mut Bytes,
) {
    let Some(block) = block else {
        return position.put_pair(bytes, codes.dc(0), codes.end_of_block());
    };
    let dc = i32::from(block.coefficients[0]);
    let held = codes.dc(dc - *prediction);
    *prediction = dc;
    let ac = AcCoefficients {
        codes,
        block,
        nonzero: block.nonzero & !1,
        last: 0,
    };
    if block.is_common && has_short_runs(block.nonzero) {
        ac.encode::<true>(held, position, bytes);
    } else {
        ac.encode::<false>(held, position, bytes);
    }
}

/// Whether no run of zeros between the DC coefficient and the last coefficient is longer than 15.
#[inline(always)]
fn has_short_runs(nonzero: u64) -> bool {
    // Set the 15 bits below each bit: all bits up to the last are set if there is no longer run.
    let mut covered = nonzero | 1;
    for shift in [1, 2, 4, 8] {
        covered |= covered >> shift;
    }
    covered & covered.wrapping_add(1) == 0
}

/// AC coefficients of a block that are not zero.
struct AcCoefficients<'a> {
    codes: &'a Codes,
    block: &'a QuantizedBlock,
    /// The coefficients that remain.
    nonzero: u64,
    /// Index of the coefficient before.
    last: u32,
}

impl AcCoefficients<'_> {
    /// Write the held bits, and the coefficients, all of which are common and after short runs of
    /// zeros if `COMMON`.
    #[inline(always)]
    fn encode<const COMMON: bool>(
        mut self,
        mut held: Bits,
        position: &mut BitPosition,
        bytes: &mut Bytes,
    ) {
        while self.nonzero != 0 {
            let bits = self.next::<COMMON>(&mut held, position, bytes);
            position.put_pair(bytes, held, bits);
            held = Bits::default();
            if self.nonzero == 0 {
                break;
            }
            held = self.next::<COMMON>(&mut held, position, bytes);
        }
        let end = match self.last {
            63 => Bits::default(),
            _ => self.codes.end_of_block(),
        };
        position.put_pair(bytes, held, end);
    }

    /// Return the bits of the next coefficient. If others come before them, these are written, and
    /// before them those that are held.
    #[inline(always)]
    fn next<const COMMON: bool>(
        &mut self,
        held: &mut Bits,
        position: &mut BitPosition,
        bytes: &mut Bytes,
    ) -> Bits {
        let k = self.nonzero.trailing_zeros();
        self.nonzero &= self.nonzero - 1;
        let run = k - self.last - 1;
        self.last = k;
        let coefficient = i32::from(self.block.coefficients[k as usize % BLOCK_LEN]);
        if COMMON || codes::is_common(run, coefficient) {
            return self.codes.common(run, coefficient);
        }
        if run > 15 {
            position.put(bytes, held.bits.into(), held.count);
            *held = Bits::default();
            for _ in 0..run / 16 {
                position.put_pair(bytes, *held, self.codes.sixteen_zeros());
            }
        }
        self.codes.ac(run % 16, coefficient)
    }
}
