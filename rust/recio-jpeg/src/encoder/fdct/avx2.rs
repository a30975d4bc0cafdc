//! Forward DCT with AVX2, two blocks at a time: a lane of a register contains a row or a column of
//! a block, as eight 16-bit numbers.
//!
//! Products are added in pairs in 32 bits (`vpmaddwd`). The constants of the odd part are
//! multiplied out, so that each of its numbers is a sum of four products.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm_storeu_si128, _mm256_abs_epi8,
    _mm256_abs_epi16, _mm256_add_epi16, _mm256_add_epi32, _mm256_andnot_si256,
    _mm256_broadcastsi128_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_cvtepu8_epi16,
    _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_max_epu8, _mm256_movemask_epi8,
    _mm256_mulhi_epi16, _mm256_mulhi_epu16, _mm256_or_si256, _mm256_packs_epi16,
    _mm256_packs_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_sign_epi16, _mm256_slli_epi16,
    _mm256_srai_epi16, _mm256_srai_epi32, _mm256_sub_epi16, _mm256_unpackhi_epi16,
    _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi16, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64,
};

use super::constants::{
    C0_298, C0_390, C0_541, C0_765, C0_899, C1_175, C1_501, C1_847, C1_961, C2_053, C2_562, C3_072,
};
use super::{Divisors, QuantizedBlock};
use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::frame::BLOCK_SIZE;

/// Blocks that are transformed together.
const COUNT: usize = 2;

/// Rows or columns of two blocks.
type Rows = [__m256i; BLOCK_SIZE];

#[target_feature(enable = "avx2")]
pub(super) fn transform_blocks(
    samples: &[u8],
    stride: usize,
    divisors: &Divisors,
    blocks: &mut [QuantizedBlock],
) {
    for (i, pair) in blocks.as_chunks_mut::<COUNT>().0.iter_mut().enumerate() {
        let rows = load_samples(&samples[i * COUNT * BLOCK_SIZE..], stride);
        let rows = pass::<11>(transpose(rows));
        let rows = pass::<15>(transpose(rows));
        write(zigzag(quantize(rows, divisors)), pair);
    }
}

#[target_feature(enable = "avx2")]
fn load_samples(samples: &[u8], stride: usize) -> Rows {
    let mut rows = [_mm256_setzero_si256(); BLOCK_SIZE];
    for (y, out) in rows.iter_mut().enumerate() {
        let row = &samples[y * stride..][..COUNT * BLOCK_SIZE];
        // SAFETY: the slice has 16 bytes, and the load needs no alignment.
        let row = unsafe { _mm_loadu_si128(row.as_ptr().cast()) };
        *out = _mm256_sub_epi16(_mm256_cvtepu8_epi16(row), _mm256_set1_epi16(128));
    }
    rows
}

/// Transpose both blocks.
#[target_feature(enable = "avx2")]
fn transpose(rows: Rows) -> Rows {
    let [a, b, c, d, e, f, g, h] = rows;
    let pairs = |x: [__m256i; 2], y: [__m256i; 2]| {
        [
            _mm256_unpacklo_epi32(x[0], y[0]),
            _mm256_unpackhi_epi32(x[0], y[0]),
            _mm256_unpacklo_epi32(x[1], y[1]),
            _mm256_unpackhi_epi32(x[1], y[1]),
        ]
    };
    let upper = pairs(interleave(a, b), interleave(c, d));
    let lower = pairs(interleave(e, f), interleave(g, h));
    let mut columns = rows;
    for (i, columns) in columns.as_chunks_mut().0.iter_mut().enumerate() {
        *columns = [
            _mm256_unpacklo_epi64(upper[i], lower[i]),
            _mm256_unpackhi_epi64(upper[i], lower[i]),
        ];
    }
    columns
}

/// Transform the columns, like `scalar::pass`, and round.
#[target_feature(enable = "avx2")]
fn pass<const FRACTION: i32>(s: Rows) -> Rows {
    let sum = |x: usize| _mm256_add_epi16(s[x], s[7 - x]);
    let difference = |x: usize| _mm256_sub_epi16(s[x], s[7 - x]);
    let (s0, s1, s2, s3) = (sum(0), sum(1), sum(2), sum(3));
    let (a, b) = (_mm256_add_epi16(s0, s3), _mm256_add_epi16(s1, s2));
    let even = interleave(_mm256_sub_epi16(s1, s2), _mm256_sub_epi16(s0, s3));
    let outer = interleave(difference(3), difference(0));
    let inner = interleave(difference(2), difference(1));
    let odd = |outer_factors, inner_factors| {
        let products = [
            multiply(outer, outer_factors),
            multiply(inner, inner_factors),
        ];
        narrow::<FRACTION>([
            _mm256_add_epi32(products[0][0], products[1][0]),
            _mm256_add_epi32(products[0][1], products[1][1]),
        ])
    };
    [
        scale::<FRACTION>(_mm256_add_epi16(a, b)),
        odd(
            (C1_175 - C0_899, C1_501 - C0_899 + C1_175 - C0_390),
            (C1_175 - C0_390, C1_175),
        ),
        narrow::<FRACTION>(multiply(even, (C0_541, C0_541 + C0_765))),
        odd(
            (C1_175 - C1_961, C1_175),
            (C1_175 - C2_562, C3_072 - C2_562 + C1_175 - C1_961),
        ),
        scale::<FRACTION>(_mm256_sub_epi16(a, b)),
        odd(
            (C1_175, C1_175 - C0_390),
            (C2_053 - C2_562 + C1_175 - C0_390, C1_175 - C2_562),
        ),
        narrow::<FRACTION>(multiply(even, (C0_541 - C1_847, C0_541))),
        odd(
            (C0_298 - C0_899 + C1_175 - C1_961, C1_175 - C0_899),
            (C1_175, C1_175 - C1_961),
        ),
    ]
}

/// Scale a sum without fraction bits: the first pass appends two, the second drops them.
#[target_feature(enable = "avx2")]
fn scale<const FRACTION: i32>(sum: __m256i) -> __m256i {
    if FRACTION == 11 {
        return _mm256_slli_epi16::<2>(sum);
    }
    _mm256_srai_epi16::<2>(_mm256_add_epi16(sum, _mm256_set1_epi16(2)))
}

#[target_feature(enable = "avx2")]
fn interleave(a: __m256i, b: __m256i) -> [__m256i; 2] {
    [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)]
}

/// Multiply pairs by two factors and add the products, in 32 bits.
#[target_feature(enable = "avx2")]
fn multiply(pairs: [__m256i; 2], (low, high): (i32, i32)) -> [__m256i; 2] {
    let factors = _mm256_set1_epi32(low & 0xffff | high << 16);
    [
        _mm256_madd_epi16(pairs[0], factors),
        _mm256_madd_epi16(pairs[1], factors),
    ]
}

/// Round to 16-bit integers.
#[target_feature(enable = "avx2")]
fn narrow<const FRACTION: i32>(numbers: [__m256i; 2]) -> __m256i {
    let half = _mm256_set1_epi32(1 << (FRACTION - 1));
    _mm256_packs_epi32(
        _mm256_srai_epi32::<FRACTION>(_mm256_add_epi32(numbers[0], half)),
        _mm256_srai_epi32::<FRACTION>(_mm256_add_epi32(numbers[1], half)),
    )
}

#[target_feature(enable = "avx2")]
fn quantize(rows: Rows, divisors: &Divisors) -> Rows {
    let mut quotients = rows;
    for (y, out) in quotients.iter_mut().enumerate() {
        let magnitude = _mm256_add_epi16(
            _mm256_abs_epi16(rows[y]),
            load_row(&divisors.corrections, y),
        );
        let product = _mm256_mulhi_epu16(magnitude, load_row(&divisors.reciprocals, y));
        // Both are less than 2¹⁵. The compiler would merge an unsigned multiplication with the one
        // before, and do both in 32 bits, in three times the instructions.
        let quotient = _mm256_mulhi_epi16(product, load_row(&divisors.scales, y));
        *out = _mm256_sign_epi16(quotient, rows[y]);
    }
    quotients
}

/// Load row `y` of a table for both blocks.
#[target_feature(enable = "avx2")]
fn load_row(table: &[u16; BLOCK_LEN], y: usize) -> __m256i {
    let row = &table[y * BLOCK_SIZE..][..BLOCK_SIZE];
    // SAFETY: the slice has 16 bytes, and the load needs no alignment.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(row.as_ptr().cast()) })
}

/// Shuffle that moves coefficients of a row to their positions in eight numbers of the zigzag
/// order.
type Shuffle = [u8; 16];

/// Shuffles of eight numbers of the zigzag order, one for each row that has some of them.
const SHUFFLES: [[Option<Shuffle>; BLOCK_SIZE]; BLOCK_SIZE] = shuffles();

const fn shuffles() -> [[Option<Shuffle>; BLOCK_SIZE]; BLOCK_SIZE] {
    let mut shuffles = [[None; BLOCK_SIZE]; BLOCK_SIZE];
    let mut k = 0;
    while k < BLOCK_LEN {
        let (row, x) = ((ZIGZAG[k] / 8) as usize, ZIGZAG[k] % 8);
        let mut bytes = match shuffles[k / 8][row] {
            Some(bytes) => bytes,
            None => [0x80; 16],
        };
        (bytes[k % 8 * 2], bytes[k % 8 * 2 + 1]) = (2 * x, 2 * x + 1);
        shuffles[k / 8][row] = Some(bytes);
        k += 1;
    }
    shuffles
}

/// Permute the coefficients of both blocks to zigzag order.
#[target_feature(enable = "avx2")]
fn zigzag(rows: Rows) -> Rows {
    let mut out = [_mm256_setzero_si256(); BLOCK_SIZE];
    for (numbers, shuffles) in out.iter_mut().zip(&SHUFFLES) {
        for (shuffle, row) in shuffles.iter().zip(rows) {
            if let Some(shuffle) = shuffle {
                let moved = _mm256_shuffle_epi8(row, broadcast(shuffle));
                *numbers = _mm256_or_si256(*numbers, moved);
            }
        }
    }
    out
}

#[target_feature(enable = "avx2")]
fn broadcast(bytes: &[u8; 16]) -> __m256i {
    // SAFETY: the array has 16 bytes, and the load needs no alignment.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn write(rows: Rows, [left, right]: &mut [QuantizedBlock; COUNT]) {
    (left.nonzero, right.nonzero) = (0, 0);
    let zero = _mm256_setzero_si256();
    let dc = _mm256_broadcastsi128_si256(_mm_cvtsi32_si128(0xff));
    let mut greatest = zero;
    for (i, rows) in rows.as_chunks::<2>().0.iter().enumerate() {
        let bytes = _mm256_packs_epi16(rows[0], rows[1]);
        let ac = if i == 0 {
            _mm256_andnot_si256(dc, bytes)
        } else {
            bytes
        };
        greatest = _mm256_max_epu8(greatest, _mm256_abs_epi8(ac));
        let nonzero = !_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, zero)) as u32;
        left.nonzero |= u64::from(nonzero & 0xffff) << (16 * i);
        right.nonzero |= u64::from(nonzero >> 16) << (16 * i);
    }
    // The magnitude of −128 is 128, and that of numbers saturated from above is 127.
    let limit = _mm256_set1_epi8(127);
    let is_uncommon = _mm256_cmpeq_epi8(_mm256_max_epu8(greatest, limit), greatest);
    let uncommon = _mm256_movemask_epi8(is_uncommon) as u32;
    (left.is_common, right.is_common) = (uncommon as u16 == 0, uncommon >> 16 == 0);
    let left = left.coefficients.as_chunks_mut::<BLOCK_SIZE>().0.iter_mut();
    let right = right
        .coefficients
        .as_chunks_mut::<BLOCK_SIZE>()
        .0
        .iter_mut();
    for (row, (left, right)) in rows.into_iter().zip(left.zip(right)) {
        // SAFETY: the arrays have 16 bytes, and the stores need no alignment.
        unsafe {
            _mm_storeu_si128(left.as_mut_ptr().cast(), _mm256_castsi256_si128(row));
            _mm_storeu_si128(
                right.as_mut_ptr().cast(),
                _mm256_extracti128_si256::<1>(row),
            );
        }
    }
}
