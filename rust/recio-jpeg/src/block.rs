//! Blocks of coefficients and their zigzag order (ITU-T T.81, A.3.6).

/// Coefficients in a block.
pub(crate) const BLOCK_LEN: usize = 64;

/// Coefficients of one block in row order, before dequantization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(32))]
pub(crate) struct Block(pub(crate) [i16; BLOCK_LEN]);

impl Block {
    pub(crate) const ZERO: Self = Self([0; BLOCK_LEN]);
}

/// Zigzag order: position of the k-th coded coefficient within a block.
pub(crate) const ZIGZAG: [u8; BLOCK_LEN] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

impl Block {
    /// Return the k-th coefficient in zigzag order; k is less than 64.
    #[inline]
    pub(crate) fn zigzag_mut(&mut self, k: usize) -> &mut i16 {
        // The mask lets the compiler drop the bounds check.
        &mut self.0[usize::from(ZIGZAG[k % BLOCK_LEN] & 63)]
    }
}
