//! What the tags of a TIFF say about its pixels, checked; what is not supported is refused by name.

use super::directory::{Directory, Tag};
use crate::error::{Error, Result};

/// Maximum width of a tile, as in OpenCV.
const MAX_CHUNK_SIDE: usize = 1 << 24;

/// How a strip or tile is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// Fax codes, modified Huffman: rows begin at bytes, or at 16-bit words.
    Huffman {
        is_word_aligned: bool,
    },
    /// Fax codes of group 3, one-dimensional or with two-dimensional rows.
    Group3 {
        is_two_dimensional: bool,
    },
    /// Fax codes of group 4.
    Group4,
    Lzw,
    Jpeg,
    Deflate,
    PackBits,
}

/// What samples mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Photometric {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Cmyk,
    YCbCr,
}

/// What the sample after the colors means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// There is none.
    None,
    /// Colors are multiplied by it already, or it is unspecified.
    Associated,
    Unassociated,
}

/// Layout of the samples.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) size: (usize, usize),
    /// Bits per sample.
    pub(super) bits: usize,
    /// Samples per pixel.
    pub(super) samples: usize,
    pub(super) photometric: Photometric,
    pub(super) alpha: Alpha,
    pub(super) compression: Compression,
    pub(super) has_predictor: bool,
    /// Whether the bits of each compressed byte are in reverse order.
    pub(super) is_bit_reversed: bool,
    /// Whether the samples of a pixel are in different strips or tiles.
    pub(super) is_planar: bool,
    pub(super) is_tiled: bool,
    /// Width and height of a strip or tile.
    pub(super) chunk: (usize, usize),
    /// Pixels per chroma sample, horizontally and vertically.
    pub(super) subsampling: (usize, usize),
}

impl Layout {
    pub(super) fn read(directory: &Directory<'_>) -> Result<Self> {
        let size = (
            directory.required(Tag::ImageWidth)?,
            directory.required(Tag::ImageLength)?,
        );
        let value = |tag, default| Ok::<_, Error>(directory.value(tag)?.unwrap_or(default));
        let is_tiled = directory.value(Tag::TileWidth)?.is_some();
        let chunk = if is_tiled {
            (
                directory.required(Tag::TileWidth)?,
                directory.required(Tag::TileLength)?,
            )
        } else {
            (size.0, value(Tag::RowsPerStrip, size.1)?.min(size.1))
        };
        let photometric = photometric(directory)?;
        let subsampling = match directory.values(Tag::YCbCrSubSampling)? {
            _ if photometric != Photometric::YCbCr => (1, 1),
            Some(values) => (values.get(0).unwrap_or(2), values.get(1).unwrap_or(2)),
            None => (2, 2),
        };
        let compression = compression(directory)?;
        let layout = Self {
            size,
            bits: bits(directory)?,
            samples: value(Tag::SamplesPerPixel, 1)?,
            photometric,
            alpha: Alpha::None,
            compression,
            has_predictor: has_predictor(directory, compression)?,
            is_bit_reversed: value(Tag::FillOrder, 1)? == 2,
            is_planar: value(Tag::PlanarConfiguration, 1)? == 2,
            is_tiled,
            chunk,
            subsampling,
        };
        let layout = Self {
            is_planar: layout.is_planar && layout.samples > 1,
            alpha: alpha(directory, &layout)?,
            ..layout
        };
        layout.check(directory)?;
        Ok(layout)
    }

    /// Reject combinations that libtiff cannot convert to pixels, or that are too rare to test.
    fn check(&self, directory: &Directory<'_>) -> Result<()> {
        use Photometric::{BlackIsZero, Cmyk, Palette, Rgb, WhiteIsZero, YCbCr};
        let refused = |what: String| {
            Err(directory
                .input
                .unsupported(format_args!("{what} not supported")))
        };
        let (bits, samples) = (self.bits, self.samples);
        if !(1..=MAX_CHUNK_SIDE).contains(&self.chunk.0) || self.chunk.1 == 0 {
            return Err(directory.input.error(format_args!(
                "strips or tiles of {}x{} pixels",
                self.chunk.0, self.chunk.1
            )));
        }
        // OpenCV's limit.
        if !(1..=4).contains(&samples) {
            return refused(format!("{samples} samples per pixel are"));
        }
        let (has_depth, min_samples) = match self.photometric {
            WhiteIsZero | BlackIsZero => (bits == 16 || bits <= 8, 1),
            Palette => (bits <= 8, 1),
            Rgb => (bits == 8 || bits == 16, 3),
            Cmyk => (bits == 8, 4),
            YCbCr => (bits == 8, 3),
        };
        if !has_depth || samples < min_samples || bits < 8 && samples > 1 {
            return refused(format!(
                "{:?} pixels of {samples} samples of {bits} bits are",
                self.photometric
            ));
        }
        if self.is_planar && !matches!(self.photometric, BlackIsZero | Rgb | Cmyk) {
            return refused(format!(
                "separate planes of {:?} pixels are",
                self.photometric
            ));
        }
        if bits != 1 && self.compression.is_fax() {
            return refused(format!("fax compression of {bits}-bit samples is"));
        }
        if self.compression == Compression::Jpeg {
            let is_known = matches!(
                (self.photometric, samples),
                (BlackIsZero | WhiteIsZero, 1) | (Rgb | YCbCr, 3)
            );
            if bits != 8 || self.is_planar || !is_known {
                return refused(format!(
                    "JPEG compression of {:?} pixels of {samples} samples is",
                    self.photometric
                ));
            }
        } else if self.photometric == YCbCr {
            let (h, v) = self.subsampling;
            let is_known = matches!((h, v), (1 | 2 | 4, 1 | 2) | (4, 4));
            if !is_known || samples != 3 || self.has_predictor {
                return refused(format!("YCbCr pixels subsampled {h}x{v} are"));
            }
        }
        Ok(())
    }

    /// Return the number of strips or tiles horizontally.
    pub(super) fn columns(&self) -> usize {
        self.size.0.div_ceil(self.chunk.0)
    }

    /// Return the number of strips or tiles vertically.
    pub(super) fn rows(&self) -> usize {
        self.size.1.div_ceil(self.chunk.1)
    }

    /// Return the samples of a pixel that are in one strip or tile.
    pub(super) fn chunk_samples(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Return whether chroma samples belong to several pixels of the stored rows.
    pub(super) fn is_subsampled(&self) -> bool {
        self.photometric == Photometric::YCbCr && self.compression != Compression::Jpeg
    }

    /// Return the bytes of a row of a strip or tile; of subsampled ones, of the rows that share
    /// chroma samples.
    pub(super) fn stride(&self) -> usize {
        let (h, v) = self.subsampling;
        if self.is_subsampled() {
            return self.chunk.0.div_ceil(h) * (h * v + 2);
        }
        (self.chunk.0 * self.chunk_samples() * self.bits).div_ceil(8)
    }

    /// Return the number of channels of the image in OpenCV.
    pub(super) fn channels(&self) -> usize {
        match self.photometric {
            Photometric::WhiteIsZero | Photometric::BlackIsZero => 1,
            Photometric::Palette if self.bits == 1 => 1,
            Photometric::Palette => 3,
            _ => self.samples,
        }
    }

    /// Return whether stored rows are rows of R, G, B of 8 bits.
    pub(super) fn is_plain_rgb(&self) -> bool {
        let is_rgb = self.photometric == Photometric::Rgb || self.compression == Compression::Jpeg;
        is_rgb && (self.bits, self.samples, self.is_planar) == (8, 3, false)
    }

    /// Return whether OpenCV keeps 16 bits.
    pub(super) fn is_16_bit(&self) -> bool {
        self.bits == 16 && self.samples != 2
    }
}

impl Compression {
    fn is_fax(self) -> bool {
        matches!(
            self,
            Self::Huffman { .. } | Self::Group3 { .. } | Self::Group4
        )
    }
}

fn bits(directory: &Directory<'_>) -> Result<usize> {
    let Some(values) = directory.values(Tag::BitsPerSample)? else {
        return Ok(1);
    };
    let bits = values.get(0).unwrap_or(1);
    if values.iter().any(|other| other != bits) {
        return Err(directory
            .input
            .unsupported("samples of different numbers of bits are not supported"));
    }
    if !matches!(bits, 1 | 2 | 4 | 8 | 16) {
        return Err(directory
            .input
            .unsupported(format_args!("{bits} bits per sample are not supported")));
    }
    let formats = directory.values(Tag::SampleFormat)?;
    let format = formats.and_then(|formats| formats.iter().find(|format| *format != 1));
    match format {
        // Undefined: as unsigned.
        None | Some(4) => Ok(bits),
        Some(2) => Err(directory
            .input
            .unsupported("signed samples are not supported")),
        Some(3) => Err(directory
            .input
            .unsupported("floating-point samples are not supported")),
        Some(other) => Err(directory
            .input
            .unsupported(format_args!("the sample format {other} is not supported"))),
    }
}

fn photometric(directory: &Directory<'_>) -> Result<Photometric> {
    Ok(match directory.required(Tag::PhotometricInterpretation)? {
        0 => Photometric::WhiteIsZero,
        1 => Photometric::BlackIsZero,
        2 => Photometric::Rgb,
        3 => Photometric::Palette,
        5 if directory.value(Tag::InkSet)?.unwrap_or(1) == 1 => Photometric::Cmyk,
        6 => Photometric::YCbCr,
        other => {
            let name = match other {
                4 => "transparency masks",
                5 => "inks other than CMYK",
                8..=10 => "L*a*b* colors",
                32_844 | 32_845 => "logarithmic luminance (LogL, LogLuv)",
                _ => "",
            };
            return Err(unsupported(
                directory,
                "the photometric interpretation",
                other,
                name,
            ));
        }
    })
}

fn compression(directory: &Directory<'_>) -> Result<Compression> {
    let options = |tag| Ok::<usize, Error>(directory.value(tag)?.unwrap_or(0));
    let refuse_uncompressed = |options: usize| {
        if options & 2 == 0 {
            return Ok(());
        }
        Err(directory
            .input
            .unsupported("the uncompressed mode of fax codes is not supported"))
    };
    Ok(match directory.value(Tag::Compression)?.unwrap_or(1) {
        1 => Compression::None,
        2 => Compression::Huffman {
            is_word_aligned: false,
        },
        3 => {
            let options = options(Tag::T4Options)?;
            refuse_uncompressed(options)?;
            Compression::Group3 {
                is_two_dimensional: options & 1 != 0,
            }
        }
        4 => {
            refuse_uncompressed(options(Tag::T6Options)?)?;
            Compression::Group4
        }
        5 => Compression::Lzw,
        7 => Compression::Jpeg,
        8 | 32_946 => Compression::Deflate,
        32_771 => Compression::Huffman {
            is_word_aligned: true,
        },
        32_773 => Compression::PackBits,
        other => {
            let name = match other {
                6 => "old-style JPEG",
                32_809 => "ThunderScan",
                33_003 | 33_005 | 34_712 => "JPEG 2000",
                34_661 => "JBIG",
                34_676 | 34_677 => "SGILog",
                34_887 => "LERC",
                34_925 => "LZMA",
                50_000 | 34_926 => "Zstandard",
                50_001 | 34_927 => "WebP",
                50_002 => "JPEG XL",
                _ => "",
            };
            return Err(unsupported(directory, "the compression", other, name));
        }
    })
}

fn unsupported(directory: &Directory<'_>, what: &str, value: usize, name: &str) -> Error {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" ({name})")
    };
    directory
        .input
        .unsupported(format_args!("{what} {value}{name} is not supported"))
}

/// Return whether samples are stored as differences. As in libtiff, the tag counts only with LZW
/// and Deflate.
fn has_predictor(directory: &Directory<'_>, compression: Compression) -> Result<bool> {
    if !matches!(compression, Compression::Lzw | Compression::Deflate) {
        return Ok(false);
    }
    match directory.value(Tag::Predictor)?.unwrap_or(1) {
        1 => Ok(false),
        2 if bits(directory)? >= 8 => Ok(true),
        other => Err(directory
            .input
            .unsupported(format_args!("the predictor {other} is not supported"))),
    }
}

/// Return the meaning of the sample after the colors, as libtiff does.
fn alpha(directory: &Directory<'_>, layout: &Layout) -> Result<Alpha> {
    let extra = directory.value(Tag::ExtraSamples)?;
    Ok(match extra {
        Some(1) => Alpha::Associated,
        Some(2) => Alpha::Unassociated,
        Some(0) if layout.samples > 3 => Alpha::Associated,
        None if layout.samples == 4 && layout.photometric == Photometric::Rgb => Alpha::Associated,
        _ => Alpha::None,
    })
}
