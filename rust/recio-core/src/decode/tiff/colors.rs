//! Samples of a TIFF → R, G, B, A of 8 bits, as `TIFFReadRGBAImage` of libtiff 4.2.

use super::directory::{Directory, Tag};
use super::layout::{Alpha, Layout, Photometric};
use crate::error::Result;

/// Conversion of the samples of a layout.
pub(super) struct Colors {
    layout: Layout,
    /// R, G, B of each sample of at most 8 bits; gray, or colors of a palette.
    map: Vec<[u8; 3]>,
}

/// A row of samples: of all samples of a pixel, or one row for each.
#[derive(Clone, Copy)]
pub(super) struct SampleRow<'a> {
    pub(super) planes: &'a [&'a [u8]],
    /// Samples of a pixel in each plane.
    pub(super) stride: usize,
    pub(super) bits: usize,
}

impl SampleRow<'_> {
    /// Return sample `s` of pixel `x`.
    #[inline]
    pub(super) fn get(&self, x: usize, s: usize) -> u16 {
        let (plane, at) = if self.stride == 1 && self.planes.len() > 1 {
            (self.planes[s], x)
        } else {
            (self.planes[0], x * self.stride + s)
        };
        match self.bits {
            16 => u16::from_ne_bytes([plane[2 * at], plane[2 * at + 1]]),
            8 => plane[at].into(),
            bits => {
                let (per_byte, shift) = (8 / bits, 8 - bits);
                (plane[at / per_byte] << (at % per_byte * bits) >> shift).into()
            }
        }
    }
}

impl Colors {
    pub(super) fn read(directory: &Directory<'_>, layout: &Layout) -> Result<Self> {
        let map = match layout.photometric {
            Photometric::Palette => palette(directory, layout.bits)?,
            Photometric::WhiteIsZero => gray(layout.bits, true),
            _ => gray(layout.bits, false),
        };
        Ok(Self {
            layout: layout.clone(),
            map,
        })
    }

    /// Convert the first pixels of a row.
    pub(super) fn convert(&self, row: SampleRow<'_>, out: &mut [[u8; 4]]) {
        match (row.bits, row.planes) {
            // By far the most frequent layout has a loop of its own.
            (8, [plane]) => self.convert_samples(|x, s| plane[x * row.stride + s].into(), out),
            _ => self.convert_samples(|x, s| row.get(x, s), out),
        }
    }

    /// Convert pixels; `sample` returns a sample of a pixel.
    #[inline]
    fn convert_samples(&self, sample: impl Fn(usize, usize) -> u16, out: &mut [[u8; 4]]) {
        match self.layout.photometric {
            Photometric::Cmyk => {
                each(out, |x| from_cmyk([0, 1, 2, 3].map(|s| sample(x, s) as u8)));
            }
            Photometric::Rgb => each(out, |x| self.rgba(|s| sample(x, s), [0, 1, 2])),
            // Libtiff takes separate planes of gray for colors.
            Photometric::BlackIsZero if self.layout.is_planar => {
                each(out, |x| self.rgba(|s| sample(x, s), [0; 3]));
            }
            _ => each(out, |x| {
                let sample = sample(x, 0);
                let index = if self.layout.bits == 16 {
                    sample >> 8
                } else {
                    sample
                };
                let [r, g, b] = self.map[usize::from(index)];
                [r, g, b, 255]
            }),
        }
    }

    /// Return R, G, B, A of a pixel; colors are multiplied by unassociated alpha.
    #[inline]
    fn rgba(&self, sample: impl Fn(usize) -> u16, colors: [usize; 3]) -> [u8; 4] {
        let sample = |s| {
            let sample = sample(s);
            if self.layout.bits == 16 {
                ((u32::from(sample) + 128) / 257) as u8
            } else {
                sample as u8
            }
        };
        let [r, g, b] = colors.map(sample);
        if self.layout.alpha == Alpha::None {
            return [r, g, b, 255];
        }
        let alpha = sample(colors[2] + 1);
        if self.layout.alpha == Alpha::Associated {
            return [r, g, b, alpha];
        }
        let multiplied = |color| ((u32::from(alpha) * u32::from(color) + 127) / 255) as u8;
        [multiplied(r), multiplied(g), multiplied(b), alpha]
    }
}

#[inline]
fn each(out: &mut [[u8; 4]], convert: impl Fn(usize) -> [u8; 4]) {
    out.iter_mut()
        .enumerate()
        .for_each(|(x, pixel)| *pixel = convert(x));
}

fn from_cmyk([c, m, y, k]: [u8; 4]) -> [u8; 4] {
    let light = 255 - u32::from(k);
    let [r, g, b] = [c, m, y].map(|ink| (light * (255 - u32::from(ink)) / 255) as u8);
    [r, g, b, 255]
}

/// Return the gray of each sample.
fn gray(bits: usize, is_inverted: bool) -> Vec<[u8; 3]> {
    let max = (1_u32 << bits.min(8)) - 1;
    let value = |sample| if is_inverted { max - sample } else { sample };
    (0..=max)
        .map(|sample| [(value(sample) * 255 / max) as u8; 3])
        .collect()
}

/// Return the color of each sample: the high bytes of the colors in the file, unless all of these
/// are below 256.
fn palette(directory: &Directory<'_>, bits: usize) -> Result<Vec<[u8; 3]>> {
    let count = 1 << bits;
    let values = directory
        .values(Tag::ColorMap)?
        .filter(|values| values.len() >= 3 * count);
    let values = values.ok_or_else(|| {
        directory.input.error(format_args!(
            "the tag ColorMap with {count} colors is missing"
        ))
    })?;
    let values: Vec<usize> = values.iter().take(3 * count).collect();
    let shift = if values.iter().any(|value| *value > 255) {
        8
    } else {
        0
    };
    let color = |i| [0, 1, 2].map(|channel| (values[channel * count + i] >> shift) as u8);
    Ok((0..count).map(color).collect())
}
