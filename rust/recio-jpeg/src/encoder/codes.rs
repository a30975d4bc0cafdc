//! Default Huffman codes, and the bits of common coefficients (ITU-T T.81, F.1.2 and K.3).
// Inlined into the loop over coefficients, which is compiled for several instruction sets.
#![allow(clippy::inline_always)]

use std::sync::LazyLock;

use crate::default_tables;
use crate::huffman::TableClass;
use crate::transcode::HuffmanCode;

/// Symbol for the end of a block.
const END_OF_BLOCK: u8 = 0;

/// Symbol for 16 zeros.
const SIXTEEN_ZEROS: u8 = 0xf0;

/// Coefficients from `-COMMON` to `COMMON - 1` are in the table of common coefficients.
pub(super) const COMMON: i32 = 128;

/// Number of common coefficients after up to 15 zeros.
const COMMON_LEN: usize = 16 * 2 * COMMON as usize;

/// Bits to write, right-aligned, and their number.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits {
    pub(super) bits: u32,
    pub(super) count: u32,
}

impl Bits {
    /// Append the magnitude of a coefficient of `size` bits (F.1.2.1).
    #[inline(always)]
    fn with_magnitude(self, coefficient: i32, size: u32) -> Self {
        let magnitude = (coefficient + (coefficient >> 31)) as u32 & ((1 << size) - 1);
        Self {
            bits: self.bits << size | magnitude,
            count: self.count + size,
        }
    }
}

/// Return the number of bits of a coefficient's magnitude.
#[inline(always)]
fn size(coefficient: i32) -> u32 {
    32 - coefficient.unsigned_abs().leading_zeros()
}

/// Whether a coefficient after `run` zeros is in the table of common coefficients.
#[inline(always)]
pub(super) fn is_common(run: u32, coefficient: i32) -> bool {
    run >> 4 | (coefficient + COMMON) as u32 >> 8 == 0
}

/// Codes of luma, or of chroma.
pub(super) struct Codes {
    dc: [Bits; 256],
    ac: [Bits; 256],
    /// Code and magnitude of common coefficients after up to 15 zeros: 24 bits, and their number.
    common: [u32; COMMON_LEN],
}

/// Codes of luma and of chroma.
pub(super) static CODES: LazyLock<[Codes; 2]> = LazyLock::new(|| [0, 1].map(Codes::new));

impl Codes {
    /// Create the codes of the default tables with this number.
    fn new(number: usize) -> Self {
        let (dc, ac) = (table(TableClass::Dc, number), table(TableClass::Ac, number));
        let common = std::array::from_fn(|index| {
            let (run, value) = (index as u32 >> 8, (index as i32 & 255) - COMMON);
            let coded = with_symbol(&ac, run, value);
            coded.bits << 8 | coded.count
        });
        Self { dc, ac, common }
    }

    /// Return the bits of a DC coefficient's difference.
    #[inline(always)]
    pub(super) fn dc(&self, difference: i32) -> Bits {
        let size = size(difference);
        self.dc[size as usize % 256].with_magnitude(difference, size)
    }

    /// Return the bits of a common AC coefficient after up to 15 zeros.
    #[inline(always)]
    pub(super) fn common(&self, run: u32, coefficient: i32) -> Bits {
        debug_assert!(is_common(run, coefficient));
        let index = (run << 8) as i32 + coefficient + COMMON;
        // The remainder lets the compiler drop the bounds check.
        let coded = self.common[index as usize % COMMON_LEN];
        Bits {
            bits: coded >> 8,
            count: coded & 0xff,
        }
    }

    /// Return the bits of any AC coefficient after up to 15 zeros.
    pub(super) fn ac(&self, run: u32, coefficient: i32) -> Bits {
        with_symbol(&self.ac, run, coefficient)
    }

    pub(super) fn end_of_block(&self) -> Bits {
        self.ac[usize::from(END_OF_BLOCK)]
    }

    pub(super) fn sixteen_zeros(&self) -> Bits {
        self.ac[usize::from(SIXTEEN_ZEROS)]
    }
}

/// Return the code of each symbol of a default table.
fn table(class: TableClass, number: usize) -> [Bits; 256] {
    let mut tables = default_tables::TABLES.iter();
    let definition = tables.find(|table| (table.0, table.1) == (class, number));
    let code = HuffmanCode::of_definition(definition.map_or(&[], |table| table.2));
    std::array::from_fn(|symbol| {
        let (bits, count) = code.code(symbol as u8);
        Bits {
            bits: bits.into(),
            count: count.into(),
        }
    })
}

fn with_symbol(ac: &[Bits; 256], run: u32, coefficient: i32) -> Bits {
    let size = size(coefficient);
    ac[(run << 4 | size) as usize % 256].with_magnitude(coefficient, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        let [luma, chroma] = &*CODES;
        let bits = |bits, count| Bits { bits, count };
        assert_eq!(luma.dc(0), bits(0b00, 2));
        assert_eq!(chroma.dc(-3), bits(0b1000, 4));
        assert_eq!(luma.dc(2047), bits(0b1_1111_1110 << 11 | 2047, 20));
        assert_eq!(luma.end_of_block(), bits(0b1010, 4));
        assert_eq!(chroma.sixteen_zeros(), bits(0b11_1111_1010, 10));
        assert_eq!(luma.ac(1, -1), bits(0b1_1000, 5));
    }

    #[test]
    fn common_coefficients_have_the_same_bits() {
        for codes in &*CODES {
            for run in 0..16 {
                for value in -COMMON..COMMON {
                    assert_eq!(codes.common(run, value), codes.ac(run, value));
                }
            }
        }
    }
}
