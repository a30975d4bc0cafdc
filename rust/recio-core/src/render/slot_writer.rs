//! Slot writer: the sink that normalizes rows into an image's slot of a batch.
//!
//! Each row is normalized, converted to the batch's type, laid out and, if asked for, mirrored. An
//! 8-bit value has 256 possible results, so each channel has a lookup table. That is exact by
//! construction (an entry is MXNet's formula in MXNet's order of operations) for every type, and
//! the table is built once for an iterator, or once for an image whose contrast is random. Floats
//! are computed, several at once. So are planes of float32 from 8-bit values, which is faster than
//! the table: 26 µs instead of 42 for 224×224 pixels (55 with the division by 1 that the formula
//! has where nothing is divided by). Only values with a mean image are computed one by one.
//!
//! Measured on a 224×224 image, float32, NCHW (`cargo bench -p recio-benches -- normalize`): see
//! `benches/RESULTS.md`.

use crate::image::RowSink;
use crate::ops::deinterleave::Sample;
use crate::ops::resize::vectorize;
use crate::render::normalize::{Element, Gain, Normalize, ScaleOffset};

/// Memory layout of an image in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Planes, one for each channel.
    Nchw,
    /// Interleaved channels.
    Nhwc,
}

type Tables<T> = [[T; 256]; 4];

/// Writes images into their slots of a batch.
#[derive(Debug)]
pub struct Normalizer<T> {
    normalize: Normalize,
    tables: Tables<T>,
    layout: Layout,
    channels: usize,
    height: usize,
    width: usize,
}

impl<T: Element> Normalizer<T> {
    /// Return a normalizer for images of this size.
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

    /// Return the sink that writes an image into its slot.
    #[must_use]
    pub fn image<'a>(&'a self, mirror: bool, gain: Gain, slot: &'a mut [T]) -> SlotWriter<'a, T> {
        let image_tables =
            (gain != Gain::default()).then(|| Box::new(tables(&self.normalize, gain)));
        SlotWriter {
            normalizer: self,
            image_tables,
            mirror,
            gain,
            slot,
        }
    }
}

fn tables<T: Element>(normalize: &Normalize, gain: Gain) -> Tables<T> {
    std::array::from_fn(|channel| {
        let (mean, by) = (
            normalize.mean[channel],
            normalize.scale_offset(channel, gain),
        );
        std::array::from_fn(|sample| T::of(sample as f32, mean, by))
    })
}

/// Sink that writes one image into its slot.
#[derive(Debug)]
pub struct SlotWriter<'a, T> {
    normalizer: &'a Normalizer<T>,
    /// Lookup tables for this image only.
    image_tables: Option<Box<Tables<T>>>,
    mirror: bool,
    gain: Gain,
    slot: &'a mut [T],
}

impl<T: Element> RowSink for SlotWriter<'_, T> {
    #[inline]
    fn row_u8(&mut self, y: usize, row: &[u8]) {
        match (self.normalizer.layout, self.normalizer.channels) {
            _ if self.normalizer.normalize.mean_image.is_some() => self.row_by_value(y, row),
            (Layout::Nchw, 3) if T::IS_COMPUTED => self.planar_computed(y, row),
            (Layout::Nchw, 3) if self.planar_unchanged(y, row) => {}
            _ => self.row_by_table(y, row),
        }
    }

    fn row_f32(&mut self, y: usize, row: &[f32]) {
        match (self.normalizer.layout, self.normalizer.channels) {
            _ if self.normalizer.normalize.mean_image.is_some() => self.row_by_value(y, row),
            (Layout::Nchw, 3) => self.planar_computed(y, row),
            (Layout::Nhwc, 3) => self.interleaved_computed(y, row),
            _ => self.row_by_value(y, row),
        }
    }
}

impl<T: Element> SlotWriter<'_, T> {
    fn row_by_table(&mut self, y: usize, row: &[u8]) {
        let Normalizer {
            layout, channels, ..
        } = *self.normalizer;
        let tables = self
            .image_tables
            .as_deref()
            .unwrap_or(&self.normalizer.tables);
        match (layout, channels) {
            (Layout::Nchw, _) => {
                self.normalizer
                    .planar(y, row, self.mirror, tables, self.slot);
            }
            (Layout::Nhwc, 1) => interleaved::<T, 1>(y, row, self.mirror, tables, self.slot),
            (Layout::Nhwc, 4) => interleaved::<T, 4>(y, row, self.mirror, tables, self.slot),
            (Layout::Nhwc, _) => interleaved::<T, 3>(y, row, self.mirror, tables, self.slot),
        }
    }

    /// Compute a row of three planes: pixels are deinterleaved in blocks, then each channel is
    /// normalized.
    fn planar_computed<S: Sample>(&mut self, y: usize, row: &[S]) {
        let (mirror, mean, factors) = (self.mirror, self.normalizer.normalize.mean, self.factors());
        let Some(out) = self.planes(y) else { return };
        vectorize(|| deinterleave_and_normalize(row.as_chunks().0, mirror, mean, factors, out));
    }

    /// Deinterleave a row into three planes, if the type does not change the values. Return whether
    /// it is done.
    fn planar_unchanged(&mut self, y: usize, row: &[u8]) -> bool {
        let mirror = self.mirror;
        let planes = self.planes(y).map(|planes| planes.map(T::unchanged_mut));
        let Some([Some(red), Some(green), Some(blue)]) = planes else {
            return false;
        };
        u8::deinterleave(row.as_chunks().0, mirror, [red, green, blue]);
        true
    }

    /// Compute a row of interleaved pixels.
    fn interleaved_computed(&mut self, y: usize, row: &[f32]) {
        let (mean, factors) = (self.normalizer.normalize.mean, self.factors());
        let out = self.slot[y * row.len()..][..row.len()]
            .as_chunks_mut::<3>()
            .0;
        let pixels = row.as_chunks::<3>().0;
        vectorize(|| {
            for (out, pixel) in out.iter_mut().zip(pixels) {
                *out = std::array::from_fn(|c| T::of(pixel[c], mean[c], factors[c]));
            }
        });
        if self.mirror {
            out.reverse();
        }
    }

    fn factors(&self) -> [ScaleOffset; 3] {
        std::array::from_fn(|c| self.normalizer.normalize.scale_offset(c, self.gain))
    }

    /// Return a row of each of three planes.
    fn planes(&mut self, y: usize) -> Option<[&mut [T]; 3]> {
        let Normalizer { width, height, .. } = *self.normalizer;
        let mut planes = self.slot.chunks_exact_mut(height * width);
        let mut next = || Some(&mut planes.next()?[y * width..][..width]);
        Some([next()?, next()?, next()?])
    }

    /// Computes a row value by value. The mean image is mirrored with the image, as in MXNet.
    fn row_by_value<S: Copy + Into<f32>>(&mut self, y: usize, row: &[S]) {
        let Normalizer {
            normalize,
            layout,
            channels,
            height,
            width,
            ..
        } = self.normalizer;
        for channel in 0..*channels {
            let by = normalize.scale_offset(channel, self.gain);
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

/// Pixels of a block.
const BLOCK: usize = 64;

#[inline]
fn deinterleave_and_normalize<S: Sample, T: Element>(
    row: &[[S; 3]],
    mirror: bool,
    mean: [f32; 4],
    factors: [ScaleOffset; 3],
    mut out: [&mut [T]; 3],
) {
    let mut planes = [[S::default(); BLOCK]; 3];
    for (i, pixels) in row.chunks(BLOCK).enumerate() {
        let block = planes.each_mut().map(|plane| &mut plane[..pixels.len()]);
        S::deinterleave(pixels, mirror, block);
        let first = if mirror {
            row.len() - i * BLOCK - pixels.len()
        } else {
            i * BLOCK
        };
        for (c, (out, plane)) in out.iter_mut().zip(&planes).enumerate() {
            let (mean, by) = (mean[c], factors[c]);
            let out = &mut out[first..][..pixels.len()];
            for (value, &sample) in out.iter_mut().zip(plane) {
                *value = T::of(sample.into(), mean, by);
            }
        }
    }
}

impl<T: Element> Normalizer<T> {
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
    use half::f16;

    use super::*;

    const IMAGENET: Normalize = Normalize {
        mean: [123.68, 116.28, 103.53, 0.0],
        mean_image: None,
        std: [58.395, 57.12, 57.375, 1.0],
        scale: 1.0,
        divide: false,
    };

    fn normalized<T: Element + PartialEq>(
        layout: Layout,
        mirror: bool,
        normalize: &Normalize,
    ) -> Vec<T> {
        let normalizer = Normalizer::new(normalize, layout, 3, 2, 2);
        let mut slot = vec![T::default(); 12];
        let mut image = normalizer.image(mirror, Gain::default(), &mut slot);
        image.row_u8(0, &[1, 2, 3, 4, 5, 6]);
        image.row_u8(1, &[7, 8, 9, 10, 11, 12]);
        // Floats of the same values have the same results.
        let mut floats = vec![T::default(); 12];
        let mut image = normalizer.image(mirror, Gain::default(), &mut floats);
        image.row_f32(0, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        image.row_f32(1, &[7.0, 8.0, 9.0, 10.0, 11.0, 12.0]);
        assert!(slot == floats);
        slot
    }

    #[test]
    fn layouts_and_mirror_order_the_values() {
        let plain = Normalize::default();
        assert_eq!(
            normalized::<u8>(Layout::Nchw, false, &plain),
            [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12]
        );
        assert_eq!(
            normalized::<u8>(Layout::Nchw, true, &plain),
            [4, 1, 10, 7, 5, 2, 11, 8, 6, 3, 12, 9]
        );
        assert_eq!(
            normalized::<u8>(Layout::Nhwc, false, &plain),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
        );
        assert_eq!(
            normalized::<u8>(Layout::Nhwc, true, &plain),
            [4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]
        );
    }

    #[test]
    fn values_follow_the_formula() {
        let expected = (1.0f32 - 123.68) * (1.0f32 / 58.395);
        assert_eq!(
            normalized::<f32>(Layout::Nchw, false, &IMAGENET)[0].to_bits(),
            expected.to_bits()
        );
        assert_eq!(
            normalized::<f16>(Layout::Nchw, false, &IMAGENET)[0],
            f16::from_f32(expected)
        );
        assert_eq!(normalized::<i8>(Layout::Nchw, false, &IMAGENET)[0], 1 - 124);
    }

    #[test]
    fn divide_divides_before_it_scales() {
        let divide = Normalize {
            scale: 0.5,
            divide: true,
            ..IMAGENET
        };
        let expected = (1.0f32 - 123.68) / 58.395 * 0.5;
        assert_eq!(
            normalized::<f32>(Layout::Nchw, false, &divide)[0].to_bits(),
            expected.to_bits()
        );
    }

    #[test]
    fn gain_applies_to_one_image() {
        let normalizer = Normalizer::new(&IMAGENET, Layout::Nchw, 3, 2, 2);
        let gain = Gain {
            contrast: 1.25,
            illumination: 7.0,
        };
        let mut slot = [0.0f32; 12];
        normalizer
            .image(false, gain, &mut slot)
            .row_u8(0, &[1, 2, 3, 4, 5, 6]);
        let expected = (1.0f32 - 123.68) * (1.25 / 58.395) + 7.0 / 58.395;
        assert_eq!(slot[0].to_bits(), expected.to_bits());
    }

    #[test]
    fn a_mean_image_has_a_mean_for_each_pixel_and_is_mirrored_with_the_image() {
        let normalize = Normalize {
            mean_image: Some((0..12).map(|i| i as f32).collect()),
            ..Normalize::default()
        };
        let out: Vec<f32> = normalized(Layout::Nchw, true, &normalize);
        assert_eq!(
            out,
            [
                3.0, 1.0, 7.0, 5.0, 0.0, -2.0, 4.0, 2.0, -3.0, -5.0, 1.0, -1.0
            ]
        );
    }
}
