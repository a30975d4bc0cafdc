//! What color maps do in different ways for 8-bit values and floats.

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::map::{Map, SAMPLES};
use crate::image::{Subpixel, View};
use crate::ops::resize::vectorize;

/// Samples whose sums are computed at once: pixels in vectors of any size.
const LANES: usize = 24;

/// Sample of an image whose colors are mapped.
pub trait ColorSample: Subpixel + Into<f32> {
    /// Map blocks of pixels with the vector kernel; return the number of samples done.
    fn map_blocks(map: &Map, row: &[[Self; SAMPLES]], out: &mut [[f32; SAMPLES]]) -> usize;

    /// Return the sums of R, G and B.
    fn sums(view: View<'_, Self>) -> [f64; 3];
}

impl ColorSample for u8 {
    #[cfg(target_arch = "x86_64")]
    fn map_blocks(map: &Map, row: &[[u8; SAMPLES]], out: &mut [[f32; SAMPLES]]) -> usize {
        if !avx2::is_available() {
            return 0;
        }
        match map.scale_offset {
            Some(scale_offset) => avx2::scale_u8(scale_offset, row, out),
            None => avx2::map_u8(&map.columns, row, out),
        }
        row.as_flattened().len()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn map_blocks(_: &Map, _: &[[u8; SAMPLES]], _: &mut [[f32; SAMPLES]]) -> usize {
        0
    }

    /// Return the exact sums.
    fn sums(view: View<'_>) -> [f64; 3] {
        /// Samples whose sums fit into 32 bits.
        const SEGMENT: usize = LANES << 20;
        let mut sums = [0_u64; 3];
        for y in 0..view.height {
            for segment in view.row(y).chunks(SEGMENT) {
                add_segment(segment, &mut sums);
            }
        }
        sums.map(|sum| sum as f64)
    }
}

fn add_segment(samples: &[u8], sums: &mut [u64; 3]) {
    let mut lanes = [0_u32; LANES];
    let (blocks, rest) = samples.as_chunks::<LANES>();
    vectorize(|| {
        for block in blocks {
            for k in 0..LANES {
                lanes[k] += u32::from(block[k]);
            }
        }
    });
    lanes
        .iter_mut()
        .zip(rest)
        .for_each(|(lane, &sample)| *lane += u32::from(sample));
    for pixel in lanes.as_chunks::<3>().0 {
        (0..3).for_each(|c| sums[c] += u64::from(pixel[c]));
    }
}

impl ColorSample for f32 {
    #[cfg(target_arch = "x86_64")]
    fn map_blocks(map: &Map, row: &[[f32; SAMPLES]], out: &mut [[f32; SAMPLES]]) -> usize {
        if !avx2::is_available() {
            return 0;
        }
        avx2::map_f32(&map.columns, row, out);
        row.as_flattened().len()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn map_blocks(_: &Map, _: &[[f32; SAMPLES]], _: &mut [[f32; SAMPLES]]) -> usize {
        0
    }

    /// Return the sums in doubles, which the order of the additions decides.
    fn sums(view: View<'_, f32>) -> [f64; 3] {
        /// Four pixels.
        const LANES: usize = 12;
        let mut lanes = [0.0; LANES];
        for y in 0..view.height {
            let (blocks, rest) = view.row(y).as_chunks::<LANES>();
            vectorize(|| {
                for block in blocks {
                    for k in 0..LANES {
                        lanes[k] += f64::from(block[k]);
                    }
                }
            });
            lanes
                .iter_mut()
                .zip(rest)
                .for_each(|(lane, &sample)| *lane += f64::from(sample));
        }
        let pixels = lanes.as_chunks::<3>().0;
        std::array::from_fn(|c| pixels.iter().map(|pixel| pixel[c]).sum())
    }
}
