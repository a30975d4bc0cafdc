//! Color conversion and downsampling without SIMD instructions.

use super::{CHROMA_OFFSET, Factors, Y_OFFSET};

pub(super) fn convert_row(factors: &Factors, pixels: &[u8], [y, cb, cr]: [&mut [u8]; 3]) {
    let samples = y.iter_mut().zip(cb).zip(cr);
    for (&pixel, ((y, cb), cr)) in pixels.as_chunks().0.iter().zip(samples) {
        *y = component(pixel, factors.y, Y_OFFSET);
        *cb = component(pixel, factors.cb, CHROMA_OFFSET);
        *cr = component(pixel, factors.cr, CHROMA_OFFSET);
    }
}

#[inline]
fn component([a, b, c]: [u8; 3], factors: [i32; 3], offset: i32) -> u8 {
    let [a, b, c] = [a, b, c].map(i32::from);
    ((factors[0] * a + factors[1] * b + factors[2] * c + offset) >> 16) as u8
}

pub(super) fn average_pairs(row: &[u8], out: &mut [u8]) {
    for (x, (out, pair)) in out.iter_mut().zip(row.as_chunks::<2>().0).enumerate() {
        let bias = x as u16 % 2;
        *out = ((pair.iter().copied().map(u16::from).sum::<u16>() + bias) >> 1) as u8;
    }
}

pub(super) fn average_squares([upper, lower]: [&[u8]; 2], out: &mut [u8]) {
    let pairs = upper.as_chunks().0.iter().zip(lower.as_chunks().0);
    for (x, (out, (&[a, b], &[c, d]))) in out.iter_mut().zip(pairs).enumerate() {
        let bias = 1 + x as u16 % 2;
        *out = (([a, b, c, d].map(u16::from).iter().sum::<u16>() + bias) >> 2) as u8;
    }
}
