//! Deinterleaving of RGB pixels into one plane per channel.
//!
//! A byte shuffle moves a channel's samples from each third of 16 pixels to their positions. The
//! compiler does not vectorize scalar loops on bytes: with them, deinterleaving and normalizing a
//! 224×224 image takes 41 µs, with the kernel 26; a 112×112 image of bytes takes 9 µs instead of
//! 1.5. Loops on floats are vectorized, but not if they mirror.
#![allow(unsafe_code)]

/// Type of the samples of an image.
pub(crate) trait Sample: Copy + Default + Into<f32> {
    /// Deinterleave pixels into planes of the same length, from the last to the first if mirrored.
    fn deinterleave(row: &[[Self; 3]], mirror: bool, planes: [&mut [Self]; 3]);
}

impl Sample for u8 {
    #[inline]
    fn deinterleave(row: &[[u8; 3]], mirror: bool, planes: [&mut [u8]; 3]) {
        #[cfg(target_arch = "x86_64")]
        if row.len() >= kernel::STEP && std::arch::is_x86_feature_detected!("ssse3") {
            // SAFETY: the CPU supports SSSE3, the only requirement.
            return unsafe { kernel::deinterleave(row, mirror, planes) };
        }
        deinterleave_samples(row, mirror, planes);
    }
}

impl Sample for f32 {
    #[inline]
    fn deinterleave(row: &[[f32; 3]], mirror: bool, planes: [&mut [f32]; 3]) {
        deinterleave_samples(row, mirror, planes);
    }
}

#[inline]
fn deinterleave_samples<S: Copy>(
    row: &[[S; 3]],
    mirror: bool,
    [first, second, third]: [&mut [S]; 3],
) {
    let planes = first.iter_mut().zip(&mut *second).zip(&mut *third);
    for (((first, second), third), &pixel) in planes.zip(row) {
        [*first, *second, *third] = pixel;
    }
    if mirror {
        [first, second, third].into_iter().for_each(<[S]>::reverse);
    }
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm_or_si128, _mm_shuffle_epi8, _mm_storeu_si128,
    };

    /// Pixels of a step.
    pub(super) const STEP: usize = 16;

    /// Deinterleave a row of at least one step into planes of the same length.
    #[target_feature(enable = "ssse3")]
    pub(super) fn deinterleave(row: &[[u8; 3]], mirror: bool, mut planes: [&mut [u8]; 3]) {
        let indices = if mirror { &MIRRORED } else { &STRAIGHT };
        let last = row.len() - STEP;
        for start in (0..row.len()).step_by(STEP) {
            // The last step may contain pixels of the step before.
            let start = start.min(last);
            let thirds = row[start..][..STEP].as_flattened().as_chunks::<STEP>().0;
            let thirds = [load(&thirds[0]), load(&thirds[1]), load(&thirds[2])];
            let first = if mirror { last - start } else { start };
            for (plane, indices) in planes.iter_mut().zip(indices) {
                let select = |third: usize| _mm_shuffle_epi8(thirds[third], load(&indices[third]));
                let samples = _mm_or_si128(_mm_or_si128(select(0), select(1)), select(2));
                store(&mut plane[first..][..STEP], samples);
            }
        }
    }

    /// Shuffle indices for each channel and each third of 16 pixels; an index with its high bit set
    /// selects zero.
    const STRAIGHT: [[[u8; STEP]; 3]; 3] = shuffle_indices(false);
    const MIRRORED: [[[u8; STEP]; 3]; 3] = shuffle_indices(true);

    const fn shuffle_indices(mirror: bool) -> [[[u8; STEP]; 3]; 3] {
        let mut indices = [[[0x80; STEP]; 3]; 3];
        let mut at = 0;
        while at < 3 * STEP {
            let to = if mirror { STEP - 1 - at / 3 } else { at / 3 };
            indices[at % 3][at / STEP][to] = (at % STEP) as u8;
            at += 1;
        }
        indices
    }

    #[target_feature(enable = "ssse3")]
    fn load(bytes: &[u8; STEP]) -> __m128i {
        // SAFETY: there are 16 bytes, and no alignment is required.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "ssse3")]
    fn store(out: &mut [u8], bytes: __m128i) {
        assert_eq!(out.len(), STEP);
        // SAFETY: there are 16 bytes, and no alignment is required.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<S: Sample + PartialEq + From<u8>>(count: u8) {
        let pixel = |x| [x, 100 + x, 200 - x].map(S::from);
        let row: Vec<[S; 3]> = (0..count).map(pixel).collect();
        for mirror in [false, true] {
            let mut planes = [(); 3].map(|()| vec![S::default(); row.len()]);
            let [red, green, blue] = &mut planes;
            S::deinterleave(&row, mirror, [red, green, blue]);
            let pixels = (0..row.len()).map(|x| [planes[0][x], planes[1][x], planes[2][x]]);
            let mut expected = row.clone();
            if mirror {
                expected.reverse();
            }
            assert!(pixels.eq(expected), "{count} pixels");
        }
    }

    #[test]
    fn each_sample_moves_to_its_channel_and_position() {
        for count in [0, 1, 15, 16, 17, 40, 64, 100] {
            check::<u8>(count);
            check::<f32>(count);
        }
    }
}
