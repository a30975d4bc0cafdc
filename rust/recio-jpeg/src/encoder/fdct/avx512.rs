//! Forward DCT with AVX-512, four blocks at a time: a lane of a register contains a row or a column
//! of a block, as eight 16-bit numbers.
//!
//! The arithmetic is that of `avx2.rs`.
#![allow(unsafe_code)]
// The functions are inlined, and the numbers stay in registers.
#![allow(clippy::large_types_passed_by_value)]

use std::arch::x86_64::{
    __m512i, _mm_loadu_si128, _mm256_loadu_si256, _mm512_abs_epi16, _mm512_add_epi16,
    _mm512_add_epi32, _mm512_broadcast_i32x4, _mm512_cmpgt_epu16_mask, _mm512_cvtepu8_epi16,
    _mm512_loadu_si512, _mm512_madd_epi16, _mm512_mask_sub_epi16, _mm512_movepi16_mask,
    _mm512_mulhi_epi16, _mm512_mulhi_epu16, _mm512_packs_epi32, _mm512_permutex2var_epi16,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_slli_epi16, _mm512_srai_epi16, _mm512_srai_epi32, _mm512_storeu_si512, _mm512_sub_epi16,
    _mm512_test_epi16_mask, _mm512_unpackhi_epi16, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi16, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::constants::{
    C0_298, C0_390, C0_541, C0_765, C0_899, C1_175, C1_501, C1_847, C1_961, C2_053, C2_562, C3_072,
};
use super::{Divisors, QuantizedBlock, STEP};
use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::frame::BLOCK_SIZE;

/// Rows or columns of four blocks.
type Rows = [__m512i; BLOCK_SIZE];

/// Coefficients of a block: of the upper half, and of the lower.
type Halves = [__m512i; 2];

#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn transform_blocks(
    samples: &[u8],
    stride: usize,
    divisors: &Divisors,
    blocks: &mut [QuantizedBlock],
) {
    for (i, blocks) in blocks.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
        let rows = load_samples(&samples[i * STEP * BLOCK_SIZE..], stride);
        let rows = pass::<11>(transpose(rows));
        let rows = pass::<15>(transpose(rows));
        for (halves, block) in separate(quantize(rows, divisors)).into_iter().zip(blocks) {
            write(zigzag(halves), block);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn load_samples(samples: &[u8], stride: usize) -> Rows {
    let mut rows = [_mm512_setzero_si512(); BLOCK_SIZE];
    for (y, out) in rows.iter_mut().enumerate() {
        let row = &samples[y * stride..][..STEP * BLOCK_SIZE];
        // SAFETY: the slice has 32 bytes, and the load needs no alignment.
        let row = unsafe { _mm256_loadu_si256(row.as_ptr().cast()) };
        *out = _mm512_sub_epi16(_mm512_cvtepu8_epi16(row), _mm512_set1_epi16(128));
    }
    rows
}

/// Transpose all blocks.
#[target_feature(enable = "avx512f,avx512bw")]
fn transpose(rows: Rows) -> Rows {
    let [a, b, c, d, e, f, g, h] = rows;
    let pairs = |x: [__m512i; 2], y: [__m512i; 2]| {
        [
            _mm512_unpacklo_epi32(x[0], y[0]),
            _mm512_unpackhi_epi32(x[0], y[0]),
            _mm512_unpacklo_epi32(x[1], y[1]),
            _mm512_unpackhi_epi32(x[1], y[1]),
        ]
    };
    let upper = pairs(interleave(a, b), interleave(c, d));
    let lower = pairs(interleave(e, f), interleave(g, h));
    let mut columns = rows;
    for (i, columns) in columns.as_chunks_mut().0.iter_mut().enumerate() {
        *columns = [
            _mm512_unpacklo_epi64(upper[i], lower[i]),
            _mm512_unpackhi_epi64(upper[i], lower[i]),
        ];
    }
    columns
}

/// Transform the columns, like `avx2::pass`, and round.
#[target_feature(enable = "avx512f,avx512bw")]
fn pass<const FRACTION: u32>(s: Rows) -> Rows {
    let sum = |x: usize| _mm512_add_epi16(s[x], s[7 - x]);
    let difference = |x: usize| _mm512_sub_epi16(s[x], s[7 - x]);
    let (s0, s1, s2, s3) = (sum(0), sum(1), sum(2), sum(3));
    let (a, b) = (_mm512_add_epi16(s0, s3), _mm512_add_epi16(s1, s2));
    let even = interleave(_mm512_sub_epi16(s1, s2), _mm512_sub_epi16(s0, s3));
    let outer = interleave(difference(3), difference(0));
    let inner = interleave(difference(2), difference(1));
    let odd = |outer_factors, inner_factors| {
        let products = [
            multiply(outer, outer_factors),
            multiply(inner, inner_factors),
        ];
        narrow::<FRACTION>([
            _mm512_add_epi32(products[0][0], products[1][0]),
            _mm512_add_epi32(products[0][1], products[1][1]),
        ])
    };
    [
        scale::<FRACTION>(_mm512_add_epi16(a, b)),
        odd(
            (C1_175 - C0_899, C1_501 - C0_899 + C1_175 - C0_390),
            (C1_175 - C0_390, C1_175),
        ),
        narrow::<FRACTION>(multiply(even, (C0_541, C0_541 + C0_765))),
        odd(
            (C1_175 - C1_961, C1_175),
            (C1_175 - C2_562, C3_072 - C2_562 + C1_175 - C1_961),
        ),
        scale::<FRACTION>(_mm512_sub_epi16(a, b)),
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
#[target_feature(enable = "avx512f,avx512bw")]
fn scale<const FRACTION: u32>(sum: __m512i) -> __m512i {
    if FRACTION == 11 {
        return _mm512_slli_epi16::<2>(sum);
    }
    _mm512_srai_epi16::<2>(_mm512_add_epi16(sum, _mm512_set1_epi16(2)))
}

#[target_feature(enable = "avx512f,avx512bw")]
fn interleave(a: __m512i, b: __m512i) -> [__m512i; 2] {
    [_mm512_unpacklo_epi16(a, b), _mm512_unpackhi_epi16(a, b)]
}

/// Multiply pairs by two factors and add the products, in 32 bits.
#[target_feature(enable = "avx512f,avx512bw")]
fn multiply(pairs: [__m512i; 2], (low, high): (i32, i32)) -> [__m512i; 2] {
    let factors = _mm512_set1_epi32(low & 0xffff | high << 16);
    [
        _mm512_madd_epi16(pairs[0], factors),
        _mm512_madd_epi16(pairs[1], factors),
    ]
}

/// Round to 16-bit integers.
#[target_feature(enable = "avx512f,avx512bw")]
fn narrow<const FRACTION: u32>(numbers: [__m512i; 2]) -> __m512i {
    let half = _mm512_set1_epi32(1 << (FRACTION - 1));
    _mm512_packs_epi32(
        _mm512_srai_epi32::<FRACTION>(_mm512_add_epi32(numbers[0], half)),
        _mm512_srai_epi32::<FRACTION>(_mm512_add_epi32(numbers[1], half)),
    )
}

#[target_feature(enable = "avx512f,avx512bw")]
fn quantize(rows: Rows, divisors: &Divisors) -> Rows {
    let mut quotients = rows;
    for (y, out) in quotients.iter_mut().enumerate() {
        let magnitude = _mm512_add_epi16(
            _mm512_abs_epi16(rows[y]),
            load_row(&divisors.corrections, y),
        );
        let product = _mm512_mulhi_epu16(magnitude, load_row(&divisors.reciprocals, y));
        // Signed, as in `avx2.rs`.
        let quotient = _mm512_mulhi_epi16(product, load_row(&divisors.scales, y));
        let is_negative = _mm512_movepi16_mask(rows[y]);
        *out = _mm512_mask_sub_epi16(quotient, is_negative, _mm512_setzero_si512(), quotient);
    }
    quotients
}

/// Load row `y` of a table for all blocks.
#[target_feature(enable = "avx512f,avx512bw")]
fn load_row(table: &[u16; BLOCK_LEN], y: usize) -> __m512i {
    let row = &table[y * BLOCK_SIZE..][..BLOCK_SIZE];
    // SAFETY: the slice has 16 bytes, and the load needs no alignment.
    _mm512_broadcast_i32x4(unsafe { _mm_loadu_si128(row.as_ptr().cast()) })
}

/// Collect the rows of each block.
#[target_feature(enable = "avx512f,avx512bw")]
fn separate(rows: Rows) -> [Halves; STEP] {
    let [a, b, c, d, e, f, g, h] = rows;
    let (upper, lower) = (transpose_lanes([a, b, c, d]), transpose_lanes([e, f, g, h]));
    [
        [upper[0], lower[0]],
        [upper[1], lower[1]],
        [upper[2], lower[2]],
        [upper[3], lower[3]],
    ]
}

#[target_feature(enable = "avx512f,avx512bw")]
fn transpose_lanes([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let even = [
        _mm512_shuffle_i32x4::<0x88>(a, b),
        _mm512_shuffle_i32x4::<0x88>(c, d),
    ];
    let odd = [
        _mm512_shuffle_i32x4::<0xdd>(a, b),
        _mm512_shuffle_i32x4::<0xdd>(c, d),
    ];
    [
        _mm512_shuffle_i32x4::<0x88>(even[0], even[1]),
        _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]),
        _mm512_shuffle_i32x4::<0xdd>(even[0], even[1]),
        _mm512_shuffle_i32x4::<0xdd>(odd[0], odd[1]),
    ]
}

/// Indices of the coefficients in zigzag order.
const ORDER: [u16; BLOCK_LEN] = order();

const fn order() -> [u16; BLOCK_LEN] {
    let mut order = [0; BLOCK_LEN];
    let mut k = 0;
    while k < BLOCK_LEN {
        order[k] = ZIGZAG[k] as u16;
        k += 1;
    }
    order
}

#[target_feature(enable = "avx512f,avx512bw")]
fn zigzag([upper, lower]: Halves) -> Halves {
    let mut halves = [upper, lower];
    let (orders, _) = ORDER.as_chunks::<{ BLOCK_LEN / 2 }>();
    for (half, order) in halves.iter_mut().zip(orders) {
        // SAFETY: the array has 64 bytes, and the load needs no alignment.
        let order = unsafe { _mm512_loadu_si512(order.as_ptr().cast()) };
        *half = _mm512_permutex2var_epi16(upper, order, lower);
    }
    halves
}

#[target_feature(enable = "avx512f,avx512bw")]
fn write([first, last]: Halves, block: &mut QuantizedBlock) {
    let nonzero = |half| u64::from(_mm512_test_epi16_mask(half, half));
    block.nonzero = nonzero(first) | nonzero(last) << 32;
    block.is_common = is_uncommon(first) & !1 | is_uncommon(last) == 0;
    let halves = block.coefficients.as_chunks_mut::<{ BLOCK_LEN / 2 }>().0;
    for (numbers, half) in halves.iter_mut().zip([first, last]) {
        // SAFETY: the array has 64 bytes, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), half) };
    }
}

/// Return the set of coefficients that are not from −127 to 126.
#[target_feature(enable = "avx512f,avx512bw")]
fn is_uncommon(coefficients: __m512i) -> u32 {
    let shifted = _mm512_add_epi16(coefficients, _mm512_set1_epi16(127));
    _mm512_cmpgt_epu16_mask(shifted, _mm512_set1_epi16(253))
}
