//! The last step: rows of 8-bit samples → normalised numbers of the batch's type, in the batch's layout, mirrored or not.
//!
//! A sample has 256 values, so each channel has a table of what becomes of them. That is exact by construction (an
//! entry is MXNet's formula in MXNet's order of operations) for every output type, and the table is made once for
//! an iterator.
//!
//! Measured on a 224×224 image, float32, NCHW (`cargo bench -p recio-benches -- finish`): see `benches/RESULTS.md`.

use half::f16;

/// A type that a batch can have.
pub trait Element: Copy + Default + Send + Sync + 'static {
    /// What becomes of a sample.
    fn of(sample: u8, normalise: &Normalise, channel: usize) -> Self;

    /// The samples themselves, for the type that leaves them as they are: then they are copied, not looked up.
    #[must_use]
    fn unchanged(_samples: &[u8]) -> Option<&[Self]> {
        None
    }
}

/// `(sample − mean) · scale / std` for each channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalise {
    /// Subtracted, in levels of 0–255.
    pub mean: [f32; 4],
    /// Divided by.
    pub std: [f32; 4],
    /// Multiplied by.
    pub scale: f32,
}

impl Default for Normalise {
    fn default() -> Self {
        Self {
            mean: [0.0; 4],
            std: [1.0; 4],
            scale: 1.0,
        }
    }
}

impl Element for f32 {
    /// MXNet multiplies by a rounded quotient, which differs from a division in the last bit.
    fn of(sample: u8, normalise: &Normalise, channel: usize) -> Self {
        let factor = normalise.scale / normalise.std[channel];
        (f32::from(sample) - normalise.mean[channel]) * factor + 0.0
    }
}

impl Element for f16 {
    /// As float32, rounded to the nearest.
    fn of(sample: u8, normalise: &Normalise, channel: usize) -> Self {
        Self::from_f32(f32::of(sample, normalise, channel))
    }
}

impl Element for u8 {
    /// As it is.
    fn of(sample: u8, _: &Normalise, _: usize) -> Self {
        sample
    }

    fn unchanged(samples: &[u8]) -> Option<&[Self]> {
        Some(samples)
    }
}

impl Element for i8 {
    /// Less the rounded mean, clamped; neither divided nor scaled.
    fn of(sample: u8, normalise: &Normalise, channel: usize) -> Self {
        (f32::from(sample) - normalise.mean[channel].round()).clamp(-128.0, 127.0) as Self
    }
}

/// Where the samples of an image stand in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Channel by channel.
    Nchw,
    /// Pixel by pixel.
    Nhwc,
}

/// Writes rows into an image's slot of the batch.
#[derive(Debug)]
pub struct Finish<T> {
    tables: [[T; 256]; 4],
    layout: Layout,
    channels: usize,
    height: usize,
    width: usize,
}

impl<T: Element> Finish<T> {
    /// For images of this size.
    #[must_use]
    pub fn new(
        normalise: &Normalise,
        layout: Layout,
        channels: usize,
        height: usize,
        width: usize,
    ) -> Self {
        let table = |channel| std::array::from_fn(|sample| T::of(sample as u8, normalise, channel));
        Self {
            tables: std::array::from_fn(table),
            layout,
            channels,
            height,
            width,
        }
    }

    /// Writes row `y`, `width × channels` samples, into `slot`.
    #[inline]
    pub fn row(&self, y: usize, row: &[u8], mirror: bool, slot: &mut [T]) {
        match self.layout {
            Layout::Nhwc => match self.channels {
                1 => self.interleaved::<1>(y, row, mirror, slot),
                4 => self.interleaved::<4>(y, row, mirror, slot),
                _ => self.interleaved::<3>(y, row, mirror, slot),
            },
            Layout::Nchw => self.planar(y, row, mirror, slot),
        }
    }

    fn planar(&self, y: usize, row: &[u8], mirror: bool, slot: &mut [T]) {
        let planes = slot
            .chunks_exact_mut(self.height * self.width)
            .take(self.channels);
        for ((channel, plane), table) in planes.enumerate().zip(&self.tables) {
            let out = &mut plane[y * self.width..][..self.width];
            let samples = row[channel..].iter().step_by(self.channels);
            if mirror {
                out.iter_mut()
                    .rev()
                    .zip(samples)
                    .for_each(|(out, &sample)| *out = table[sample as usize]);
            } else {
                out.iter_mut()
                    .zip(samples)
                    .for_each(|(out, &sample)| *out = table[sample as usize]);
            }
        }
    }

    fn interleaved<const C: usize>(&self, y: usize, row: &[u8], mirror: bool, slot: &mut [T]) {
        let out = &mut slot[y * row.len()..][..row.len()];
        match T::unchanged(row) {
            Some(row) if mirror => copy(row.as_chunks::<C>().0.iter().rev().copied(), out),
            Some(row) => out.copy_from_slice(row),
            None if mirror => copy(self.pixels::<C>(row).rev(), out),
            None => copy(self.pixels::<C>(row), out),
        }
    }

    /// The pixels of a row, looked up.
    fn pixels<const C: usize>(&self, row: &[u8]) -> impl DoubleEndedIterator<Item = [T; C]> {
        let look_up = |pixel: &[u8; C]| std::array::from_fn(|c| self.tables[c][pixel[c] as usize]);
        row.as_chunks().0.iter().map(look_up)
    }
}

fn copy<T, const C: usize>(pixels: impl Iterator<Item = [T; C]>, out: &mut [T]) {
    out.as_chunks_mut()
        .0
        .iter_mut()
        .zip(pixels)
        .for_each(|(out, pixel)| *out = pixel);
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGENET: Normalise = Normalise {
        mean: [123.68, 116.28, 103.53, 0.0],
        std: [58.395, 57.12, 57.375, 1.0],
        scale: 1.0,
    };

    fn finished<T: Element>(layout: Layout, mirror: bool, normalise: &Normalise) -> Vec<T> {
        let finish = Finish::new(normalise, layout, 3, 2, 2);
        let mut slot = vec![T::default(); 12];
        finish.row(0, &[1, 2, 3, 4, 5, 6], mirror, &mut slot);
        finish.row(1, &[7, 8, 9, 10, 11, 12], mirror, &mut slot);
        slot
    }

    #[test]
    fn layouts_and_mirror_put_samples_where_they_belong() {
        let plain = Normalise::default();
        assert_eq!(
            finished::<u8>(Layout::Nchw, false, &plain),
            [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]
        );
        assert_eq!(
            finished::<u8>(Layout::Nchw, true, &plain),
            [4, 1, 10, 7, 5, 2, 11, 8, 6, 3, 12, 9]
        );
        assert_eq!(
            finished::<u8>(Layout::Nhwc, false, &plain),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        );
        assert_eq!(
            finished::<u8>(Layout::Nhwc, true, &plain),
            [4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]
        );
    }

    #[test]
    fn numbers_are_those_of_the_formula() {
        let expected = (1.0f32 - 123.68) * (1.0f32 / 58.395);
        assert_eq!(
            finished::<f32>(Layout::Nchw, false, &IMAGENET)[0].to_bits(),
            expected.to_bits()
        );
        assert_eq!(
            finished::<f16>(Layout::Nchw, false, &IMAGENET)[0],
            f16::from_f32(expected)
        );
        assert_eq!(finished::<i8>(Layout::Nchw, false, &IMAGENET)[0], 1 - 124);
    }
}
