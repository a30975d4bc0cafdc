//! The last step: rows of samples → normalized numbers of the batch's type, in the batch's layout, mirrored or not.
//!
//! A sample of 8 bits has 256 values, so each channel has a table of what becomes of them. That is exact by construction
//! (an entry is MXNet's formula in MXNet's order of operations) for every output type, and the table is made once for
//! an iterator, or once for an image whose contrast is drawn. Floats, and samples that have a mean of their own for each
//! place, are computed one by one; planes of float32 too, but several numbers at once, which is faster (26 µs instead of 42
//! for 224×224 pixels; 55 with the division by 1 that the formula has where nothing is divided by).
//!
//! Measured on a 224×224 image, float32, NCHW (`cargo bench -p recio-benches -- normalize`): see `benches/RESULTS.md`.

use std::sync::Arc;

use half::f16;

use crate::image::RowSink;
use crate::ops::deinterleave::part;
use crate::ops::resize::vectorise;

/// A type that a batch can have.
pub trait Element: Copy + Default + Send + Sync + 'static {
    /// Whether it is normalized; the others hold levels.
    const IS_FLOAT: bool;

    /// Whether computing numbers, several at once, is faster than looking them up.
    const IS_COMPUTED: bool = false;

    /// What becomes of a sample, given its mean.
    fn of(sample: f32, mean: f32, factor: Factor) -> Self;

    /// The samples themselves, for the type that leaves them as they are: then they are copied, not looked up.
    #[must_use]
    fn unchanged(_samples: &[u8]) -> Option<&[Self]> {
        None
    }
}

/// What a sample less its mean is multiplied by, and what is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// Divided by, first; the standard deviation where MXNet divides, else 1.
    pub divisor: f32,
    /// Multiplied by.
    pub factor: f32,
    /// Added.
    pub offset: f32,
}

/// How samples are normalized, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalize {
    /// Subtracted, in levels of 0–255.
    pub mean: [f32; 4],
    /// Subtracted instead, if given: an image of the output's size, channel by channel.
    pub mean_image: Option<Arc<[f32]>>,
    /// Divided by.
    pub std: [f32; 4],
    /// Multiplied by.
    pub scale: f32,
    /// Whether a sample is divided by `std` and then multiplied by `scale`, as in MXNet's Python and its detection
    /// iterator; its image iterator multiplies by their rounded quotient, which differs in the last bit.
    pub divide: bool,
}

impl Default for Normalize {
    fn default() -> Self {
        Self {
            mean: [0.0; 4],
            mean_image: None,
            std: [1.0; 4],
            scale: 1.0,
            divide: false,
        }
    }
}

impl Normalize {
    fn factor(&self, channel: usize, gain: Gain) -> Factor {
        let std = self.std[channel];
        if self.divide {
            return Factor {
                divisor: std,
                factor: self.scale,
                offset: 0.0,
            };
        }
        Factor {
            divisor: 1.0,
            factor: gain.contrast * self.scale / std,
            offset: gain.illumination * self.scale / std,
        }
    }
}

/// What is drawn for an image as a whole: its contrast, and what is added to all its levels. (`max_random_contrast`,
/// `max_random_illumination`)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Factor of all values.
    pub contrast: f32,
    /// Added to all values, from 0 to 255.
    pub illumination: f32,
}

impl Default for Gain {
    fn default() -> Self {
        Self {
            contrast: 1.0,
            illumination: 0.0,
        }
    }
}

impl Element for f32 {
    const IS_FLOAT: bool = true;
    const IS_COMPUTED: bool = true;

    #[inline]
    #[allow(clippy::float_cmp, reason = "exactly 1 is what is meant")]
    fn of(sample: f32, mean: f32, by: Factor) -> Self {
        let difference = sample - mean;
        // The same number, without the slowest of the operations.
        let quotient = if by.divisor == 1.0 {
            difference
        } else {
            difference / by.divisor
        };
        quotient * by.factor + by.offset
    }
}

impl Element for f16 {
    const IS_FLOAT: bool = true;

    /// As float32, rounded to the nearest.
    fn of(sample: f32, mean: f32, by: Factor) -> Self {
        Self::from_f32(f32::of(sample, mean, by))
    }
}

impl Element for u8 {
    const IS_FLOAT: bool = false;

    /// As it is; a float is rounded.
    fn of(sample: f32, _: f32, _: Factor) -> Self {
        sample.round_ties_even() as Self
    }

    fn unchanged(samples: &[u8]) -> Option<&[Self]> {
        Some(samples)
    }
}

impl Element for i8 {
    const IS_FLOAT: bool = false;

    /// Less the rounded mean, clamped; neither divided nor scaled.
    fn of(sample: f32, mean: f32, _: Factor) -> Self {
        (sample.round_ties_even() - mean.round()).clamp(-128.0, 127.0) as Self
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

type Tables<T> = [[T; 256]; 4];

/// How images are written into their slots of the batch.
#[derive(Debug)]
pub struct Finish<T> {
    normalize: Normalize,
    tables: Tables<T>,
    layout: Layout,
    channels: usize,
    height: usize,
    width: usize,
}

impl<T: Element> Finish<T> {
    /// For images of this size.
    #[must_use]
    pub fn new(
        normalize: &Normalize,
        layout: Layout,
        channels: usize,
        height: usize,
        width: usize,
    ) -> Self {
        Self {
            normalize: normalize.clone(),
            tables: tables(normalize, Gain::default()),
            layout,
            channels,
            height,
            width,
        }
    }

    /// Writes an image into its slot, row by row.
    #[must_use]
    pub fn image<'a>(&'a self, mirror: bool, gain: Gain, slot: &'a mut [T]) -> Finishing<'a, T> {
        let own = (gain != Gain::default()).then(|| Box::new(tables(&self.normalize, gain)));
        Finishing {
            finish: self,
            own,
            mirror,
            gain,
            slot,
        }
    }
}

fn tables<T: Element>(normalize: &Normalize, gain: Gain) -> Tables<T> {
    std::array::from_fn(|channel| {
        let (mean, by) = (normalize.mean[channel], normalize.factor(channel, gain));
        std::array::from_fn(|sample| T::of(sample as f32, mean, by))
    })
}

/// An image on its way into its slot.
#[derive(Debug)]
pub struct Finishing<'a, T> {
    finish: &'a Finish<T>,
    /// Tables for this image alone.
    own: Option<Box<Tables<T>>>,
    mirror: bool,
    gain: Gain,
    slot: &'a mut [T],
}

impl<T: Element> RowSink for Finishing<'_, T> {
    #[inline]
    fn row_u8(&mut self, y: usize, row: &[u8]) {
        let tables = self.own.as_deref().unwrap_or(&self.finish.tables);
        match (self.finish.layout, self.finish.channels) {
            _ if self.finish.normalize.mean_image.is_some() => self.one_by_one(y, row),
            (Layout::Nchw, 3) if T::IS_COMPUTED => self.computed(y, row),
            (Layout::Nchw, _) => {
                self.finish.planar(y, row, self.mirror, tables, self.slot);
            }
            (Layout::Nhwc, 1) => interleaved::<T, 1>(y, row, self.mirror, tables, self.slot),
            (Layout::Nhwc, 4) => interleaved::<T, 4>(y, row, self.mirror, tables, self.slot),
            (Layout::Nhwc, _) => interleaved::<T, 3>(y, row, self.mirror, tables, self.slot),
        }
    }

    fn row_f32(&mut self, y: usize, row: &[f32]) {
        self.one_by_one(y, row);
    }
}

impl<T: Element> Finishing<'_, T> {
    /// Computes a row of three planes: some pixels at a time are parted, then each channel's are normalized.
    fn computed(&mut self, y: usize, row: &[u8]) {
        let Finish { width, height, .. } = *self.finish;
        let normalize = &self.finish.normalize;
        let factors = std::array::from_fn(|c| normalize.factor(c, self.gain));
        let (mean, mirror) = (normalize.mean, self.mirror);
        let mut planes = self.slot.chunks_exact_mut(height * width);
        let planes = [(); 3].map(|()| planes.next().map(|plane| &mut plane[y * width..][..width]));
        let [Some(red), Some(green), Some(blue)] = planes else {
            return;
        };
        let out = [red, green, blue];
        vectorise(|| part_and_normalize(row.as_chunks().0, mirror, mean, factors, out));
    }

    /// Computes a row. The mean image is mirrored with the image, as in MXNet.
    fn one_by_one<S: Copy + Into<f32>>(&mut self, y: usize, row: &[S]) {
        let Finish {
            normalize,
            layout,
            channels,
            height,
            width,
            ..
        } = self.finish;
        for channel in 0..*channels {
            let by = normalize.factor(channel, self.gain);
            let plane = (channel * height + y) * width;
            let (start, step) = match layout {
                Layout::Nchw => (plane, 1),
                Layout::Nhwc => (y * width * channels + channel, *channels),
            };
            for x in 0..*width {
                let from = if self.mirror { width - 1 - x } else { x };
                let mean = match &normalize.mean_image {
                    Some(image) => image[plane + from],
                    None => normalize.mean[channel],
                };
                let sample = row[from * channels + channel].into();
                self.slot[start + x * step] = T::of(sample, mean, by);
            }
        }
    }
}

/// Pixels that are parted at a time.
const PARTED: usize = 64;

#[inline]
fn part_and_normalize<T: Element>(
    row: &[[u8; 3]],
    mirror: bool,
    mean: [f32; 4],
    factors: [Factor; 3],
    mut out: [&mut [T]; 3],
) {
    let mut parts = [[0_u8; PARTED]; 3];
    for (i, pixels) in row.chunks(PARTED).enumerate() {
        part(pixels, mirror, &mut parts);
        let first = if mirror {
            row.len() - i * PARTED - pixels.len()
        } else {
            i * PARTED
        };
        for (c, (out, part)) in out.iter_mut().zip(&parts).enumerate() {
            let (mean, by) = (mean[c], factors[c]);
            let out = &mut out[first..][..pixels.len()];
            for (number, &sample) in out.iter_mut().zip(part) {
                *number = T::of(f32::from(sample), mean, by);
            }
        }
    }
}

impl<T: Element> Finish<T> {
    fn planar(&self, y: usize, row: &[u8], mirror: bool, tables: &Tables<T>, slot: &mut [T]) {
        let planes = slot
            .chunks_exact_mut(self.height * self.width)
            .take(self.channels);
        for ((channel, plane), table) in planes.enumerate().zip(tables) {
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
}

fn interleaved<T: Element, const C: usize>(
    y: usize,
    row: &[u8],
    mirror: bool,
    tables: &Tables<T>,
    slot: &mut [T],
) {
    let out = &mut slot[y * row.len()..][..row.len()];
    let look_up =
        |pixel: &[u8; C]| -> [T; C] { std::array::from_fn(|c| tables[c][pixel[c] as usize]) };
    let pixels = row.as_chunks::<C>().0.iter();
    match T::unchanged(row) {
        Some(row) if mirror => copy(row.as_chunks::<C>().0.iter().rev().copied(), out),
        Some(row) => out.copy_from_slice(row),
        None if mirror => copy(pixels.map(look_up).rev(), out),
        None => copy(pixels.map(look_up), out),
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

    const IMAGENET: Normalize = Normalize {
        mean: [123.68, 116.28, 103.53, 0.0],
        mean_image: None,
        std: [58.395, 57.12, 57.375, 1.0],
        scale: 1.0,
        divide: false,
    };

    fn finished<T: Element + PartialEq>(
        layout: Layout,
        mirror: bool,
        normalize: &Normalize,
    ) -> Vec<T> {
        let finish = Finish::new(normalize, layout, 3, 2, 2);
        let mut slot = vec![T::default(); 12];
        let mut image = finish.image(mirror, Gain::default(), &mut slot);
        image.row_u8(0, &[1, 2, 3, 4, 5, 6]);
        image.row_u8(1, &[7, 8, 9, 10, 11, 12]);
        // Floats of the same values end up the same.
        let mut floats = vec![T::default(); 12];
        let mut image = finish.image(mirror, Gain::default(), &mut floats);
        image.row_f32(0, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        image.row_f32(1, &[7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        assert!(slot == floats);
        slot
    }

    #[test]
    fn layouts_and_mirror_put_samples_where_they_belong() {
        let plain = Normalize::default();
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

    #[test]
    fn where_it_divides_it_divides() {
        let divide = Normalize {
            scale: 0.5,
            divide: true,
            ..IMAGENET
        };
        let expected = (1.0f32 - 123.68) / 58.395 * 0.5;
        assert_eq!(
            finished::<f32>(Layout::Nchw, false, &divide)[0].to_bits(),
            expected.to_bits()
        );
    }

    #[test]
    fn contrast_and_illumination_are_an_images_own() {
        let finish = Finish::new(&IMAGENET, Layout::Nchw, 3, 2, 2);
        let gain = Gain {
            contrast: 1.25,
            illumination: 7.0,
        };
        let mut slot = [0.0f32; 12];
        finish
            .image(false, gain, &mut slot)
            .row_u8(0, &[1, 2, 3, 4, 5, 6]);
        let expected = (1.0f32 - 123.68) * (1.25 / 58.395) + 7.0 / 58.395;
        assert_eq!(slot[0].to_bits(), expected.to_bits());
    }

    #[test]
    fn a_mean_image_has_a_mean_for_each_place_and_is_mirrored_with_the_image() {
        let normalize = Normalize {
            mean_image: Some((0..12).map(|i| i as f32).collect()),
            ..Normalize::default()
        };
        let out: Vec<f32> = finished(Layout::Nchw, true, &normalize);
        assert_eq!(
            out,
            [
                3.0, 1.0, 7.0, 5.0, 0.0, -2.0, 4.0, 2.0, -3.0, -5.0, 1.0, -1.0
            ]
        );
    }
}
