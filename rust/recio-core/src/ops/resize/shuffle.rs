//! Tables of the AVX2 kernel in `simd.rs`: offsets, byte shuffles and weights of pairs of taps.
//!
//! The kernel computes [`STEP`] samples at once. The sources of four neighboring samples of the
//! result are close together, so one load of 16 bytes holds them; a shuffle precomputed for the
//! position puts each left sample next to its right one. A load never leaves the row: near its end
//! it starts earlier, and the shuffle compensates.

/// Samples per iteration of the kernel; the length of a row that it writes is a multiple.
pub(super) const STEP: usize = 16;

/// Samples computed from one load.
const BLOCK: usize = 4;

/// Samples per load.
pub(super) const LOAD: usize = 16;

/// Words of two registers that hold four blocks in the order 0, 2 and 1, 3: packing the registers
/// puts the blocks in sequence.
pub(super) type Registers = [[i64; 4]; 2];

/// Offsets and byte shuffles that load one pair of taps for [`STEP`] samples.
#[derive(Debug, Default)]
pub(super) struct Shuffle {
    /// Start of each block's load in the source row.
    pub(super) offsets: [usize; STEP / BLOCK],
    /// For each byte of a register, the index of a byte of the load: left sample, zero, right
    /// sample, zero.
    pub(super) indices: Registers,
}

impl Shuffle {
    /// Build the tables from the positions of the left and right taps in a row of `length` samples.
    /// Return `None` if those of a block are too far apart for one load, or the row is too short.
    pub(super) fn new(at: &[[usize; 2]; STEP], length: usize) -> Option<Self> {
        let mut shuffle = Self::default();
        let blocks = at.as_chunks::<BLOCK>().0;
        for (offset, block) in shuffle.offsets.iter_mut().zip(blocks) {
            let first = block.as_flattened().iter().min()?;
            *offset = (*first).min(length.checked_sub(LOAD)?);
        }
        for (k, at) in at.iter().enumerate() {
            let [left, right] = at.map(|at| at - shuffle.offsets[k / BLOCK]);
            if left.max(right) >= LOAD {
                return None;
            }
            // An index with its high bit set yields zero.
            put(
                &mut shuffle.indices,
                k,
                [left as u16 | 0x8000, right as u16 | 0x8000],
            );
        }
        Some(shuffle)
    }
}

/// Pack the weights of a pair of taps for [`STEP`] samples.
pub(super) fn pack(weights: &[[i16; 2]; STEP]) -> Registers {
    let mut packed = Registers::default();
    for (k, pair) in weights.iter().enumerate() {
        put(&mut packed, k, pair.map(|weight| weight as u16));
    }
    packed
}

/// Write the pair of sample `k` into its position.
fn put(registers: &mut Registers, k: usize, [left, right]: [u16; 2]) {
    let (block, within) = (k / BLOCK, k % BLOCK);
    let word = &mut registers[block % 2][block / 2 * 2 + within / 2];
    *word |= (i64::from(left) | i64::from(right) << 16) << (within % 2 * 32);
}
