//! Quantization tables of a quality (ITU-T T.81, K.1, scaled as by libjpeg), and division by them.

use crate::block::BLOCK_LEN;
use crate::tables::QuantizationTable;

/// Table K.1, in row order.
const LUMA: [u8; BLOCK_LEN] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// Table K.2, in row order.
const CHROMA: [u8; BLOCK_LEN] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// Return the tables of luma and chroma for a quality from 1 to 100.
pub(super) fn tables(quality: u8) -> [QuantizationTable; 2] {
    let percent = match u32::from(quality) {
        quality @ ..50 => 5000 / quality,
        quality => 200 - 2 * quality,
    };
    let scaled = |step| ((u32::from(step) * percent + 50) / 100).clamp(1, 255) as u16;
    [LUMA, CHROMA].map(|table| table.map(scaled))
}

/// Divisors of the coefficients of a component, in row order.
///
/// The forward transform returns eight times the coefficients. A division is rounded, halves away
/// from zero. The vector kernels replace it by two multiplications: with 2^r / divisor, where r is
/// chosen so that this fits 16 bits, and with 2^(32 − r) to shift the product by the rest of r.
/// Robison's correction of the dividend makes the result exact (N-Bit Unsigned Division Via N-Bit
/// Multiply-Add, ARITH 2005).
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(super) struct Divisors {
    pub(super) steps: [u16; BLOCK_LEN],
    pub(super) corrections: [u16; BLOCK_LEN],
    pub(super) reciprocals: [u16; BLOCK_LEN],
    pub(super) scales: [u16; BLOCK_LEN],
}

impl Divisors {
    pub(super) fn new(table: &QuantizationTable) -> Self {
        let divisors = table.map(|step| step << 3);
        let parts = divisors.map(reciprocal);
        Self {
            steps: divisors,
            corrections: parts.map(|part| part.0),
            reciprocals: parts.map(|part| part.1),
            scales: parts.map(|part| part.2),
        }
    }
}

/// Return the correction, the reciprocal and the scale of a divisor of 8 or more.
fn reciprocal(divisor: u16) -> (u16, u16, u16) {
    let wide = u32::from(divisor);
    let bits = 16 + wide.ilog2();
    let (quotient, rest, half) = ((1 << bits) / wide, (1 << bits) % wide, divisor / 2);
    let (correction, quotient, bits) = match rest {
        0 => (half, quotient / 2, bits - 1),
        rest if rest <= wide / 2 => (half + 1, quotient, bits),
        _ => (half, quotient + 1, bits),
    };
    (correction, quotient as u16, 1 << (32 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplications_divide_exactly() {
        for step in 1..=255_u16 {
            let divisor = step << 3;
            let (correction, reciprocal, scale) = reciprocal(divisor);
            let high = |a: u16, b: u16| ((u32::from(a) * u32::from(b)) >> 16) as u16;
            for dividend in 0..=16_384 {
                let quotient = high(high(dividend + correction, reciprocal), scale);
                assert_eq!(
                    quotient,
                    (dividend + divisor / 2) / divisor,
                    "{dividend}/{divisor}"
                );
            }
        }
    }

    #[test]
    fn quality_scales_the_tables() {
        assert_eq!(tables(50).map(|table| table[1]), [11, 18]);
        assert_eq!(tables(75).map(|table| table[1]), [6, 9]);
        assert_eq!(tables(100), [[1; BLOCK_LEN]; 2]);
        assert_eq!(tables(1).map(|table| table[0]), [255, 255]);
    }
}
