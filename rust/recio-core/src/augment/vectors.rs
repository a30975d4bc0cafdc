//! What the stored vectors of resizing and warping are made of and told by, for tests: noise, and digests of pixels. The
//! scripts in `tests/data` that made the vectors have the same.

use crate::picture::Picture;

/// A picture in which every pixel counts.
pub(super) fn noise(width: usize, height: usize, channels: usize) -> Picture {
    let count = width * height * channels;
    let mut state = count as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let data = (0..count).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 56) as u8
    });
    Picture {
        width,
        height,
        channels,
        data: data.collect(),
    }
}

/// A digest of pixels (Fowler, Noll and Vo's).
pub(super) fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
