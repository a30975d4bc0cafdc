//! How the vector kernel of `simd.rs` finds pairs of taps in a row, and what it weighs them with: tables, no arithmetic.
//!
//! The kernel makes [`STEP`] samples at once. Four neighbouring samples of the result have their sources close together,
//! so one load of 16 bytes holds them; a shuffle prepared for the place puts each left sample beside its right one. A load
//! never leaves the row: near its end it starts earlier, and the shuffle makes up for that.

/// Samples that the kernel makes at once; rows that it writes are a multiple of this long.
pub(super) const STEP: usize = 16;

/// Samples made from one load.
const BLOCK: usize = 4;

/// Samples in a load.
pub(super) const LOAD: usize = 16;

/// Words for two registers that hold four blocks in the order 0, 2 and 1, 3, in which packing the registers puts the
/// blocks in sequence.
pub(super) type Registers = [[i64; 4]; 2];

/// Where a pair of taps of [`STEP`] samples is.
#[derive(Debug, Default)]
pub(super) struct Shuffle {
    /// Where each block's load starts in the source row.
    pub(super) from: [usize; STEP / BLOCK],
    /// For each byte of a register, the byte of the load: a sample of the left pixel, zero, one of the right, zero.
    pub(super) picks: Registers,
}

impl Shuffle {
    /// Takes the positions of the left and the right taps in a row of `length` samples; `None` if those of a block are too
    /// far apart for one load, or the row is too short.
    pub(super) fn new(at: &[[usize; 2]; STEP], length: usize) -> Option<Self> {
        let mut shuffle = Self::default();
        let blocks = at.as_chunks::<BLOCK>().0;
        for (from, block) in shuffle.from.iter_mut().zip(blocks) {
            let first = block.as_flattened().iter().min()?;
            *from = (*first).min(length.checked_sub(LOAD)?);
        }
        for (k, at) in at.iter().enumerate() {
            let [left, right] = at.map(|at| at - shuffle.from[k / BLOCK]);
            if left.max(right) >= LOAD {
                return None;
            }
            // A pick with its high bit set gives zero.
            put(
                &mut shuffle.picks,
                k,
                [left as u16 | 0x8000, right as u16 | 0x8000],
            );
        }
        Some(shuffle)
    }
}

/// The weights of a pair of taps of [`STEP`] samples.
pub(super) fn pack(weights: &[[i16; 2]; STEP]) -> Registers {
    let mut packed = Registers::default();
    for (k, pair) in weights.iter().enumerate() {
        put(&mut packed, k, pair.map(|weight| weight as u16));
    }
    packed
}

/// Puts the pair that belongs to sample `k` into its place.
fn put(registers: &mut Registers, k: usize, [left, right]: [u16; 2]) {
    let (block, within) = (k / BLOCK, k % BLOCK);
    let word = &mut registers[block % 2][block / 2 * 2 + within / 2];
    *word |= (i64::from(left) | i64::from(right) << 16) << (within % 2 * 32);
}
