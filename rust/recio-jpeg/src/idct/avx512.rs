//! Inverse DCT with AVX-512, four blocks at a time: a register contains the same row of all four,
//! as eight 16-bit numbers each.
//!
//! The arithmetic is that of `avx2.rs`. Together with the color conversion it saves 3 % of decoding
//! a region (AMD EPYC, Zen 5, a busy machine).
#![allow(unsafe_code)]
// The functions are inlined, and the numbers stay in registers.
#![allow(clippy::large_types_passed_by_value)]

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_storeu_si256, _mm512_add_epi16, _mm512_add_epi32,
    _mm512_castsi512_si256, _mm512_cmpneq_epi16_mask, _mm512_extracti64x4_epi64,
    _mm512_loadu_si512, _mm512_madd_epi16, _mm512_mask_mov_epi16, _mm512_mullo_epi16,
    _mm512_packs_epi16, _mm512_packs_epi32, _mm512_permutexvar_epi64, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_setr_epi64, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_slli_epi16, _mm512_srai_epi16, _mm512_srai_epi32, _mm512_sub_epi16, _mm512_sub_epi32,
    _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi8, _mm512_unpacklo_epi16, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    _mm512_xor_si512,
};

use super::{DequantTable, avx2, dc_only_sample, has_only_first_row};
use crate::block::{BLOCK_LEN, Block};
use crate::frame::BLOCK_SIZE;

/// Blocks that are transformed together.
const COUNT: usize = 4;

/// Width of these blocks.
const WIDTH: usize = COUNT * BLOCK_SIZE;

/// Zigzag index of the last coefficient in the low 4×4.
const SMALL: u8 = 9;

#[target_feature(enable = "avx2,avx512f,avx512bw")]
pub(super) fn transform_blocks(
    blocks: &[Block],
    last_indices: &[u8],
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    let Some(last_start) = blocks.len().checked_sub(COUNT) else {
        return avx2::transform_blocks(blocks, last_indices, dequant, out, stride);
    };
    for start in (0..blocks.len()).step_by(COUNT) {
        // The last group may contain blocks of the group before.
        let start = start.min(last_start);
        let (Some(blocks), Some(last_indices)) = (
            blocks[start..].first_chunk(),
            last_indices[start..].first_chunk::<COUNT>(),
        ) else {
            return;
        };
        let out = &mut out[start * BLOCK_SIZE..];
        match last_indices.iter().copied().max() {
            None | Some(0) => fill(blocks, dequant, out, stride),
            Some(1..=SMALL) => transform::<4>(blocks, dequant, out, stride),
            Some(_) => transform::<8>(blocks, dequant, out, stride),
        }
    }
}

fn fill(blocks: &[Block; COUNT], dequant: &DequantTable, out: &mut [u8], stride: usize) {
    let samples = blocks
        .each_ref()
        .map(|block| [dc_only_sample(block, dequant); BLOCK_SIZE]);
    for y in 0..BLOCK_SIZE {
        out[y * stride..][..WIDTH].copy_from_slice(samples.as_flattened());
    }
}

/// Transform blocks whose coefficients are in the low `N × N`, and write their samples side by
/// side.
#[target_feature(enable = "avx2,avx512f,avx512bw")]
fn transform<const N: usize>(
    blocks: &[Block; COUNT],
    dequant: &DequantTable,
    out: &mut [u8],
    stride: usize,
) {
    let mut rows = [_mm512_setzero_si512(); BLOCK_SIZE];
    for (half, rows) in rows[..N].chunks_mut(4).enumerate() {
        let dequant = load(&dequant.0, half);
        let dequantized = |block: &Block| _mm512_mullo_epi16(load(&block.0, half), dequant);
        let [a, b, c, d] = blocks;
        rows.copy_from_slice(&rows_of_blocks([
            dequantized(a),
            dequantized(b),
            dequantized(c),
            dequantized(d),
        ]));
    }
    let wrapped = _mm512_srai_epi16::<2>(_mm512_slli_epi16::<2>(rows[0]));
    if _mm512_cmpneq_epi16_mask(wrapped, rows[0]) != 0 {
        rows[0] = wrap(rows[0], wrapped, blocks.each_ref().map(has_only_first_row));
    }
    let columns = transpose(pass::<N, 11>(rows));
    write(pass::<N, 18>(columns), out, stride);
}

/// Load four rows of numbers, the upper or the lower ones.
#[target_feature(enable = "avx512f")]
fn load(numbers: &[i16; BLOCK_LEN], half: usize) -> __m512i {
    let rows = &numbers[half * BLOCK_LEN / 2..][..BLOCK_LEN / 2];
    // SAFETY: the slice has 64 bytes, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(rows.as_ptr().cast()) }
}

/// Convert registers with four rows of one block each to registers with one row of four blocks.
#[target_feature(enable = "avx512f")]
fn rows_of_blocks([a, b, c, d]: [__m512i; COUNT]) -> [__m512i; COUNT] {
    let (ab_low, ab_high) = (
        _mm512_shuffle_i32x4::<0x44>(a, b),
        _mm512_shuffle_i32x4::<0xee>(a, b),
    );
    let (cd_low, cd_high) = (
        _mm512_shuffle_i32x4::<0x44>(c, d),
        _mm512_shuffle_i32x4::<0xee>(c, d),
    );
    [
        _mm512_shuffle_i32x4::<0x88>(ab_low, cd_low),
        _mm512_shuffle_i32x4::<0xdd>(ab_low, cd_low),
        _mm512_shuffle_i32x4::<0x88>(ab_high, cd_high),
        _mm512_shuffle_i32x4::<0xdd>(ab_high, cd_high),
    ]
}

/// Wrap the first row of the blocks that have no other (see [`super::has_only_first_row`]).
#[cold]
#[target_feature(enable = "avx512f,avx512bw")]
fn wrap(row: __m512i, wrapped: __m512i, have_only_first_row: [bool; COUNT]) -> __m512i {
    let masks = have_only_first_row.map(|is_wrapped| if is_wrapped { 0xff } else { 0 });
    _mm512_mask_mov_epi16(row, u32::from_le_bytes(masks), wrapped)
}

/// Transform the columns, like `scalar::pass`. Rows from `N` on are zero.
#[target_feature(enable = "avx512f,avx512bw")]
fn pass<const N: usize, const SHIFT: u32>(s: [__m512i; BLOCK_SIZE]) -> [__m512i; BLOCK_SIZE] {
    let [a, b, c, d] = even::<N, SHIFT>(s);
    let [e, f, g, h] = odd::<N>(s);
    let pairs = [(a, e), (b, f), (c, g), (d, h)];
    let mut out = s;
    for (i, (even, odd)) in pairs.into_iter().enumerate() {
        out[i] = narrow::<SHIFT>(add(even, odd));
        out[7 - i] = narrow::<SHIFT>(sub(even, odd));
    }
    out
}

#[target_feature(enable = "avx512f,avx512bw")]
fn narrow<const SHIFT: u32>([low, high]: Wide) -> __m512i {
    _mm512_packs_epi32(
        _mm512_srai_epi32::<SHIFT>(low),
        _mm512_srai_epi32::<SHIFT>(high),
    )
}

/// 32-bit numbers: the columns in the low half of each lane, and those in the high half.
type Wide = [__m512i; 2];

/// Even part, with the rounding term.
#[target_feature(enable = "avx512f,avx512bw")]
fn even<const N: usize, const SHIFT: u32>(s: [__m512i; BLOCK_SIZE]) -> [Wide; 4] {
    let round = _mm512_set1_epi32(1 << (SHIFT - 1));
    let [c, d] = rotate(s[2], s[6], [4433, 4433 - 15137], [4433 + 6270, 4433]);
    let (a, b) = if N == BLOCK_SIZE {
        (
            scale(_mm512_add_epi16(s[0], s[4]), round),
            scale(_mm512_sub_epi16(s[0], s[4]), round),
        )
    } else {
        let a = scale(s[0], round);
        (a, a)
    };
    [add(a, d), add(b, c), sub(b, c), sub(a, d)]
}

/// Odd part.
#[target_feature(enable = "avx512f,avx512bw")]
fn odd<const N: usize>(s: [__m512i; BLOCK_SIZE]) -> [Wide; 4] {
    if N < BLOCK_SIZE {
        // The same sums without the terms that are zero.
        let [l, k] = rotate(s[1], s[3], [11363, 9633], [9633, -2259]);
        let [j, i] = rotate(s[1], s[3], [6437, -11362], [2260, -6436]);
        return [l, k, j, i];
    }
    let (e, f) = (_mm512_add_epi16(s[7], s[3]), _mm512_add_epi16(s[5], s[1]));
    let [g, h] = rotate(e, f, [9633 - 16069, 9633], [9633, 9633 - 3196]);
    let [i, l] = rotate(s[7], s[1], [2446 - 7373, -7373], [-7373, 12299 - 7373]);
    let [j, k] = rotate(s[5], s[3], [16819 - 20995, -20995], [-20995, 25172 - 20995]);
    [add(l, h), add(k, g), add(j, h), add(i, g)]
}

/// Return a·p + b·q for both pairs of factors.
#[target_feature(enable = "avx512f,avx512bw")]
fn rotate(p: __m512i, q: __m512i, first: [i16; 2], second: [i16; 2]) -> [Wide; 2] {
    let pairs = [_mm512_unpacklo_epi16(p, q), _mm512_unpackhi_epi16(p, q)];
    let factors = |[a, b]: [i16; 2]| _mm512_set1_epi32(i32::from(a as u16) | i32::from(b) << 16);
    let (first, second) = (factors(first), factors(second));
    [
        [
            _mm512_madd_epi16(pairs[0], first),
            _mm512_madd_epi16(pairs[1], first),
        ],
        [
            _mm512_madd_epi16(pairs[0], second),
            _mm512_madd_epi16(pairs[1], second),
        ],
    ]
}

/// Scale to 13 fraction bits and add the rounding term.
#[target_feature(enable = "avx512f,avx512bw")]
fn scale(numbers: __m512i, round: __m512i) -> Wide {
    let zero = _mm512_setzero_si512();
    // In the high half of 32 bits the numbers are multiplied by 2¹⁶; the shift leaves 2¹³.
    let low = _mm512_srai_epi32::<3>(_mm512_unpacklo_epi16(zero, numbers));
    let high = _mm512_srai_epi32::<3>(_mm512_unpackhi_epi16(zero, numbers));
    add([low, high], [round, round])
}

#[target_feature(enable = "avx512f")]
fn add(a: Wide, b: Wide) -> Wide {
    [_mm512_add_epi32(a[0], b[0]), _mm512_add_epi32(a[1], b[1])]
}

#[target_feature(enable = "avx512f")]
fn sub(a: Wide, b: Wide) -> Wide {
    [_mm512_sub_epi32(a[0], b[0]), _mm512_sub_epi32(a[1], b[1])]
}

/// Transpose the block in each lane.
#[target_feature(enable = "avx512f,avx512bw")]
fn transpose(r: [__m512i; BLOCK_SIZE]) -> [__m512i; BLOCK_SIZE] {
    let pairs = |a, b| [_mm512_unpacklo_epi16(a, b), _mm512_unpackhi_epi16(a, b)];
    let [a, e] = pairs(r[0], r[1]);
    let [b, f] = pairs(r[2], r[3]);
    let [c, g] = pairs(r[4], r[5]);
    let [d, h] = pairs(r[6], r[7]);
    let quads = |a, b| [_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)];
    let ([i, j], [k, l]) = (quads(a, b), quads(c, d));
    let ([m, n], [o, p]) = (quads(e, f), quads(g, h));
    let halves = |a, b| [_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b)];
    let ([r0, r1], [r2, r3]) = (halves(i, k), halves(j, l));
    let ([r4, r5], [r6, r7]) = (halves(m, o), halves(n, p));
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// Transpose columns of 16-bit numbers to rows of bytes, and write them.
#[target_feature(enable = "avx2,avx512f,avx512bw")]
fn write(columns: [__m512i; BLOCK_SIZE], out: &mut [u8], stride: usize) {
    let shift = _mm512_set1_epi8(-128);
    let pack = |i: usize| {
        let all = _mm512_packs_epi16(columns[i], columns[i + 4]);
        _mm512_xor_si512(all, shift)
    };
    // Each register packs columns 0 to 3 and 4 to 7 with these rows: 0 and 4, 1 and 5, 2 and 6, 3
    // and 7.
    let (a, b, c, d) = (pack(0), pack(1), pack(2), pack(3));
    let (low, high) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
    let (low2, high2) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
    let rows = [
        (
            _mm512_unpacklo_epi16(low, low2),
            _mm512_unpacklo_epi16(high, high2),
        ),
        (
            _mm512_unpackhi_epi16(low, low2),
            _mm512_unpackhi_epi16(high, high2),
        ),
    ];
    for (i, (left, right)) in rows.into_iter().enumerate() {
        let first = _mm512_unpacklo_epi32(left, right);
        let second = _mm512_unpackhi_epi32(left, right);
        write_two(first, &mut out[4 * i * stride..], stride);
        write_two(second, &mut out[(4 * i + 2) * stride..], stride);
    }
}

/// Write two rows; each lane contains both rows of one block.
#[target_feature(enable = "avx2,avx512f")]
fn write_two(rows: __m512i, out: &mut [u8], stride: usize) {
    let rows = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), rows);
    store(&mut out[..WIDTH], _mm512_castsi512_si256(rows));
    store(
        &mut out[stride..][..WIDTH],
        _mm512_extracti64x4_epi64::<1>(rows),
    );
}

#[target_feature(enable = "avx2")]
fn store(out: &mut [u8], bytes: __m256i) {
    assert_eq!(out.len(), WIDTH);
    // SAFETY: the slice has 32 bytes.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) };
}
