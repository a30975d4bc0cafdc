//! Inverse DCT with AVX2, two blocks at a time: a register contains the same row of both, as eight
//! 16-bit numbers each.
//!
//! Products are added in pairs in 32 bits (`vpmaddwd`), so a rotation takes two multiplications for
//! four columns. Many blocks have coefficients in the low 4×4 only; for them the other terms, which
//! are zero, are omitted.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_load_si128, _mm_storeu_si128, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_blend_epi32, _mm256_broadcastsi128_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi16,
    _mm256_extracti128_si256, _mm256_madd_epi16, _mm256_movemask_epi8, _mm256_mullo_epi16,
    _mm256_packs_epi16, _mm256_packs_epi32, _mm256_permute4x64_epi64, _mm256_set_m128i,
    _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_slli_epi16,
    _mm256_srai_epi16, _mm256_srai_epi32, _mm256_sub_epi16, _mm256_sub_epi32, _mm256_unpackhi_epi8,
    _mm256_unpackhi_epi16, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi8,
    _mm256_unpacklo_epi16, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::{DequantTable, dc_only_sample, has_only_first_row};
use crate::block::{BLOCK_LEN, Block};
use crate::frame::BLOCK_SIZE;

/// Width of two blocks.
const PAIR: usize = 2 * BLOCK_SIZE;

/// Zigzag index of the last coefficient in the low 4×4.
const SMALL: u8 = 9;

#[target_feature(enable = "avx2")]
pub(super) fn transform_blocks(
    blocks: &[Block],
    last_indices: &[u8],
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    let last_indices = last_indices.chunks(2);
    for (i, (pair, last_indices)) in blocks.chunks(2).zip(last_indices).enumerate() {
        let out = &mut out[i * PAIR..];
        let (left, right) = (&pair[0], pair.last().unwrap_or(&pair[0]));
        match last_indices.iter().copied().max().unwrap_or(0) {
            0 => fill(
                [left, right].map(|block| dc_only_sample(block, dequant)),
                out,
                stride,
            ),
            1..=SMALL => transform::<4>(left, right, dequant, out, stride),
            _ => transform::<8>(left, right, dequant, out, stride),
        }
    }
}

fn fill([left, right]: [u8; 2], out: &mut [u8], stride: usize) {
    for y in 0..BLOCK_SIZE {
        let (a, b) = out[y * stride..][..PAIR].split_at_mut(BLOCK_SIZE);
        a.fill(left);
        b.fill(right);
    }
}

/// Transform two blocks whose coefficients are in the low `N × N`, and write their samples side by
/// side.
#[target_feature(enable = "avx2")]
fn transform<const N: usize>(
    left: &Block,
    right: &Block,
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    let mut rows = [_mm256_setzero_si256(); BLOCK_SIZE];
    for (y, row) in rows[..N].iter_mut().enumerate() {
        let pair = _mm256_set_m128i(load(&right.0, y), load(&left.0, y));
        let dequant = _mm256_broadcastsi128_si256(load(&dequant.0, y));
        *row = _mm256_mullo_epi16(pair, dequant);
    }
    let wrapped = _mm256_srai_epi16::<2>(_mm256_slli_epi16::<2>(rows[0]));
    if _mm256_movemask_epi8(_mm256_cmpeq_epi16(wrapped, rows[0])) != -1 {
        rows[0] = wrap(rows[0], wrapped, [left, right].map(has_only_first_row));
    }
    let columns = transpose(pass::<N, 11>(rows));
    write(pass::<N, 18>(columns), out, stride);
}

/// Wrap the first row of those of the two blocks that have no other (see
/// [`super::has_only_first_row`]).
#[cold]
#[target_feature(enable = "avx2")]
fn wrap(row: __m256i, wrapped: __m256i, [left, right]: [bool; 2]) -> __m256i {
    match (left, right) {
        (true, true) => wrapped,
        (true, false) => _mm256_blend_epi32::<0x0f>(row, wrapped),
        (false, true) => _mm256_blend_epi32::<0xf0>(row, wrapped),
        (false, false) => row,
    }
}

/// Load row `y`, eight 16-bit numbers.
#[target_feature(enable = "avx2")]
fn load(numbers: &[i16; BLOCK_LEN], y: usize) -> __m128i {
    let row = &numbers[y * BLOCK_SIZE..][..BLOCK_SIZE];
    // SAFETY: the slice has 16 bytes, and blocks and dequantization tables are aligned to 32.
    unsafe { _mm_load_si128(row.as_ptr().cast()) }
}

/// Transform the columns, like `scalar::pass`. Rows from `N` on are zero.
#[target_feature(enable = "avx2")]
fn pass<const N: usize, const SHIFT: i32>(s: [__m256i; BLOCK_SIZE]) -> [__m256i; BLOCK_SIZE] {
    let [a, b, c, d] = even::<N, SHIFT>(s);
    let [e, f, g, h] = odd::<N>(s);
    let pairs = [(a, e), (b, f), (c, g), (d, h)];
    let mut out = s;
    for (i, (even, odd)) in pairs.into_iter().enumerate() {
        out[i] = narrow::<SHIFT>(
            _mm256_add_epi32(even[0], odd[0]),
            _mm256_add_epi32(even[1], odd[1]),
        );
        out[7 - i] = narrow::<SHIFT>(
            _mm256_sub_epi32(even[0], odd[0]),
            _mm256_sub_epi32(even[1], odd[1]),
        );
    }
    out
}

#[target_feature(enable = "avx2")]
fn narrow<const SHIFT: i32>(low: __m256i, high: __m256i) -> __m256i {
    _mm256_packs_epi32(
        _mm256_srai_epi32::<SHIFT>(low),
        _mm256_srai_epi32::<SHIFT>(high),
    )
}

/// 32-bit numbers: the columns in the low half of each lane, and those in the high half.
type Wide = [__m256i; 2];

/// Even part, with the rounding term.
#[target_feature(enable = "avx2")]
fn even<const N: usize, const SHIFT: i32>(s: [__m256i; BLOCK_SIZE]) -> [Wide; 4] {
    let round = _mm256_set1_epi32(1 << (SHIFT - 1));
    let [c, d] = rotate(s[2], s[6], [4433, 4433 - 15137], [4433 + 6270, 4433]);
    let (a, b) = if N == BLOCK_SIZE {
        (
            scale(_mm256_add_epi16(s[0], s[4]), round),
            scale(_mm256_sub_epi16(s[0], s[4]), round),
        )
    } else {
        let a = scale(s[0], round);
        (a, a)
    };
    [add(a, d), add(b, c), sub(b, c), sub(a, d)]
}

/// Odd part.
#[target_feature(enable = "avx2")]
fn odd<const N: usize>(s: [__m256i; BLOCK_SIZE]) -> [Wide; 4] {
    if N < BLOCK_SIZE {
        // The same sums without the terms that are zero.
        let [l, k] = rotate(s[1], s[3], [11363, 9633], [9633, -2259]);
        let [j, i] = rotate(s[1], s[3], [6437, -11362], [2260, -6436]);
        return [l, k, j, i];
    }
    let (e, f) = (_mm256_add_epi16(s[7], s[3]), _mm256_add_epi16(s[5], s[1]));
    let [g, h] = rotate(e, f, [9633 - 16069, 9633], [9633, 9633 - 3196]);
    let [i, l] = rotate(s[7], s[1], [2446 - 7373, -7373], [-7373, 12299 - 7373]);
    let [j, k] = rotate(s[5], s[3], [16819 - 20995, -20995], [-20995, 25172 - 20995]);
    [add(l, h), add(k, g), add(j, h), add(i, g)]
}

/// Return a·p + b·q for both pairs of factors.
#[target_feature(enable = "avx2")]
fn rotate(p: __m256i, q: __m256i, first: [i16; 2], second: [i16; 2]) -> [Wide; 2] {
    let pairs = [_mm256_unpacklo_epi16(p, q), _mm256_unpackhi_epi16(p, q)];
    let factors = |[a, b]: [i16; 2]| _mm256_set1_epi32(i32::from(a as u16) | i32::from(b) << 16);
    let (first, second) = (factors(first), factors(second));
    [
        [
            _mm256_madd_epi16(pairs[0], first),
            _mm256_madd_epi16(pairs[1], first),
        ],
        [
            _mm256_madd_epi16(pairs[0], second),
            _mm256_madd_epi16(pairs[1], second),
        ],
    ]
}

/// Scale to 13 fraction bits and add the rounding term.
#[target_feature(enable = "avx2")]
fn scale(numbers: __m256i, round: __m256i) -> Wide {
    let zero = _mm256_setzero_si256();
    // In the high half of 32 bits the numbers are multiplied by 2¹⁶; the shift leaves 2¹³.
    let low = _mm256_srai_epi32::<3>(_mm256_unpacklo_epi16(zero, numbers));
    let high = _mm256_srai_epi32::<3>(_mm256_unpackhi_epi16(zero, numbers));
    [_mm256_add_epi32(low, round), _mm256_add_epi32(high, round)]
}

#[target_feature(enable = "avx2")]
fn add(a: Wide, b: Wide) -> Wide {
    [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])]
}

#[target_feature(enable = "avx2")]
fn sub(a: Wide, b: Wide) -> Wide {
    [_mm256_sub_epi32(a[0], b[0]), _mm256_sub_epi32(a[1], b[1])]
}

/// Transpose the block in each lane.
#[target_feature(enable = "avx2")]
fn transpose(r: [__m256i; BLOCK_SIZE]) -> [__m256i; BLOCK_SIZE] {
    let pairs = |a, b| [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)];
    let [a, e] = pairs(r[0], r[1]);
    let [b, f] = pairs(r[2], r[3]);
    let [c, g] = pairs(r[4], r[5]);
    let [d, h] = pairs(r[6], r[7]);
    let quads = |a, b| [_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)];
    let ([i, j], [k, l]) = (quads(a, b), quads(c, d));
    let ([m, n], [o, p]) = (quads(e, f), quads(g, h));
    let halves = |a, b| [_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)];
    let ([r0, r1], [r2, r3]) = (halves(i, k), halves(j, l));
    let ([r4, r5], [r6, r7]) = (halves(m, o), halves(n, p));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Transpose columns of 16-bit numbers to rows of bytes, and write them.
#[target_feature(enable = "avx2")]
fn write(columns: [__m256i; BLOCK_SIZE], out: &mut [u8], stride: usize) {
    let shift = _mm256_set1_epi8(-128);
    let pack = |i: usize| {
        let both = _mm256_packs_epi16(columns[i], columns[i + 4]);
        _mm256_xor_si256(both, shift)
    };
    // Each register packs columns 0 to 3 and 4 to 7 with these rows: 0 and 4, 1 and 5, 2 and 6, 3
    // and 7.
    let (a, b, c, d) = (pack(0), pack(1), pack(2), pack(3));
    let (low, high) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
    let (low2, high2) = (_mm256_unpacklo_epi8(c, d), _mm256_unpackhi_epi8(c, d));
    let rows = [
        (
            _mm256_unpacklo_epi16(low, low2),
            _mm256_unpacklo_epi16(high, high2),
        ),
        (
            _mm256_unpackhi_epi16(low, low2),
            _mm256_unpackhi_epi16(high, high2),
        ),
    ];
    for (i, (left, right)) in rows.into_iter().enumerate() {
        let first = _mm256_unpacklo_epi32(left, right);
        let second = _mm256_unpackhi_epi32(left, right);
        write_two(first, &mut out[4 * i * stride..], stride);
        write_two(second, &mut out[(4 * i + 2) * stride..], stride);
    }
}

/// Write two rows; each lane contains both rows of one block.
#[target_feature(enable = "avx2")]
fn write_two(rows: __m256i, out: &mut [u8], stride: usize) {
    let rows = _mm256_permute4x64_epi64::<0b11_01_10_00>(rows);
    store(&mut out[..PAIR], _mm256_castsi256_si128(rows));
    store(
        &mut out[stride..][..PAIR],
        _mm256_extracti128_si256::<1>(rows),
    );
}

#[target_feature(enable = "avx2")]
fn store(out: &mut [u8], bytes: __m128i) {
    assert_eq!(out.len(), PAIR);
    // SAFETY: the slice has 16 bytes.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), bytes) };
}
