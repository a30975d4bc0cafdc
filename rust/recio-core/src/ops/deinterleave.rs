//! Pixels of three samples → the samples of each channel side by side.
//!
//! A shuffle brings a channel's samples out of each third of 16 pixels to their places. Plain loops are not vectorised by
//! the compiler: with them, a 224×224 image takes 41 µs to part and normalize, with the kernel 26.
#![allow(unsafe_code)]

/// Pixels that a kernel parts at once.
const STEP: usize = 16;

/// Parts pixels, from the last to the first if mirrored; each part has room for them.
pub(crate) fn part(row: &[[u8; 3]], mirror: bool, parts: &mut [[u8; 64]; 3]) {
    #[cfg(target_arch = "x86_64")]
    let done = if std::arch::is_x86_feature_detected!("ssse3") {
        // SAFETY: the CPU has SSSE3, and the function needs no more.
        unsafe { kernel::part(row, mirror, parts) }
    } else {
        0
    };
    #[cfg(not(target_arch = "x86_64"))]
    let done = 0;
    for (x, pixel) in row.iter().enumerate().skip(done) {
        for (part, &sample) in parts.iter_mut().zip(pixel) {
            part[if mirror { row.len() - 1 - x } else { x }] = sample;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm_or_si128, _mm_shuffle_epi8, _mm_storeu_si128,
    };

    use super::STEP;

    /// Parts as many whole steps as there are. Gives the number of pixels done.
    #[target_feature(enable = "ssse3")]
    pub(super) fn part(row: &[[u8; 3]], mirror: bool, parts: &mut [[u8; 64]; 3]) -> usize {
        let steps = row.as_chunks::<STEP>().0;
        let all = if mirror { &MIRRORED } else { &STRAIGHT };
        for (i, pixels) in steps.iter().enumerate() {
            let thirds = pixels.as_flattened().as_chunks::<STEP>().0;
            let thirds = [load(&thirds[0]), load(&thirds[1]), load(&thirds[2])];
            let first = if mirror {
                row.len() - (i + 1) * STEP
            } else {
                i * STEP
            };
            for (part, picks) in parts.iter_mut().zip(all) {
                let place = |third: usize| _mm_shuffle_epi8(thirds[third], load(&picks[third]));
                let samples = _mm_or_si128(_mm_or_si128(place(0), place(1)), place(2));
                store(&mut part[first..][..STEP], samples);
            }
        }
        steps.len() * STEP
    }

    /// For each channel, and each third of 16 pixels, the byte that belongs to a pixel; one with its high bit set for none.
    const STRAIGHT: [[[u8; STEP]; 3]; 3] = picks(false);
    const MIRRORED: [[[u8; STEP]; 3]; 3] = picks(true);

    const fn picks(mirror: bool) -> [[[u8; STEP]; 3]; 3] {
        let mut picks = [[[0x80; STEP]; 3]; 3];
        let mut at = 0;
        while at < 3 * STEP {
            let to = if mirror { STEP - 1 - at / 3 } else { at / 3 };
            picks[at % 3][at / STEP][to] = (at % STEP) as u8;
            at += 1;
        }
        picks
    }

    #[target_feature(enable = "ssse3")]
    fn load(bytes: &[u8; STEP]) -> __m128i {
        // SAFETY: there are 16 bytes, and no alignment is asked for.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "ssse3")]
    fn store(out: &mut [u8], bytes: __m128i) {
        assert_eq!(out.len(), STEP);
        // SAFETY: there is room for 16 bytes, and no alignment is asked for.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_comes_to_its_channel_and_place() {
        for count in [0, 1, 15, 16, 17, 40, 64] {
            let row: Vec<[u8; 3]> = (0..count).map(|x| [x, 100 + x, 200 - x]).collect();
            let mut parts = [[0; 64]; 3];
            let pixel = |parts: &[[u8; 64]; 3], x: usize| parts.map(|part| part[x]);
            part(&row, false, &mut parts);
            assert!((0..row.len()).all(|x| pixel(&parts, x) == row[x]));
            part(&row, true, &mut parts);
            assert!((0..row.len()).all(|x| pixel(&parts, x) == row[row.len() - 1 - x]));
        }
    }
}
