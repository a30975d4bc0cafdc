//! JPEG decoding of a region by recio-jpeg, equal to libjpeg-turbo.
//!
//! Errors, each with the byte offset: a truncated header; a scan that ends before its last block,
//! at the end of the payload or at a marker; a code that is in no Huffman table; an unexpected
//! marker; scans out of order; a progressive JPEG with incomplete scans. With
//! [`OnDamage::Fill`], these are no errors, and the pixels are those of libjpeg-turbo.
//!
//! Accepted: bytes between segments, after the last block and after the image; padding before
//! markers; application segments and comments with an impossible length; a missing end marker if
//! nothing else is missing. In strict mode, more than a few bytes of data after the last block
//! are an error too: the usual effect of a lost sector, and absent from 2,600 undamaged
//! photographs.
//!
//! Not detected: most bit flips in a scan (the codes soon synchronize again); damage after the last
//! pixel of the decoded region, and above and beside it before a restart marker. A payload that
//! ends too early is detected in all cases but one: below the region, in the last scan of a
//! progressive JPEG if that is a refinement scan.

use recio_jpeg::{ColorSpace, Decoder, Header, OnDamage, Options, Region, Rows, Scale};

use super::channel_order::exchange_red_and_blue;
use super::orient::Orientation;
use super::{Pixels, convert, no_alpha};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{Image, Rect, RowSource};
use crate::limits::Limits;
use crate::memory;

/// Bytes of data after the last block that are no sign of damage: webcams align their data.
const MAX_PADDING: usize = 16;

/// A JPEG with its header parsed.
#[derive(Debug)]
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    header: Header,
    scale: Scale,
    on_damage: OnDamage,
    is_strict: bool,
    limits: Limits,
}

/// Buffers and tables for decoding JPEGs.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    decoder: Decoder,
    /// A row of CMYK, before conversion.
    cmyk: Vec<u8>,
    /// A row as wide as the used region of the image.
    row: Vec<u8>,
}

impl Scratch {
    pub(super) fn trim(&mut self, max_bytes: usize) {
        self.decoder.trim(max_bytes);
    }
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        let header = Header::read(payload).map_err(failed)?;
        let (width, height) = header.size();
        limits.check(width, height, Pixels::Rgb.channels())?;
        limits.check_memory(header.coefficient_bytes())?;
        Ok(Self {
            bytes: payload,
            header,
            scale: Scale::Full,
            on_damage: OnDamage::Error,
            is_strict: false,
            limits: *limits,
        })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.scale.size(self.header.size())
    }

    pub(super) fn orientation(&self) -> Orientation {
        Orientation::from_exif(self.header.orientation())
    }

    /// Tolerate damage, as far as an image can be decoded.
    pub(super) fn fill_damage(&mut self) {
        self.on_damage = OnDamage::Fill;
    }

    /// Reject data that remains after all blocks are decoded.
    pub(super) fn set_strict(&mut self) {
        self.is_strict = true;
    }

    /// Select the smallest scale that is at least 1/`times`. Return the divisor of the size.
    pub(super) fn shrink(&mut self, times: usize) -> usize {
        self.scale = match times {
            0 | 1 => Scale::Full,
            2 | 3 => Scale::Half,
            4..8 => Scale::Quarter,
            _ => Scale::Eighth,
        };
        self.scale.divisor()
    }

    /// Check the memory for images of this many bytes, and for all coefficients if required,
    /// against the limits.
    pub(super) fn check_memory(&self, image_bytes: usize) -> Result<()> {
        let coefficients = self.header.coefficient_bytes();
        self.limits
            .check_memory(image_bytes.saturating_add(coefficients))
    }

    /// Decode a region; colors in the order B, G, R if `is_bgr`.
    pub(super) fn decode(
        self,
        (pixels, is_bgr): (Pixels, bool),
        region: Rect,
        into: &mut Image,
        scratch: &mut Scratch,
    ) -> Result<()> {
        self.check_memory(region.width * region.height * pixels.channels())?;
        let max_padding = if self.is_strict {
            MAX_PADDING
        } else {
            usize::MAX
        };
        let Scratch { decoder, cmyk, row } = scratch;
        let mut source = self.start(pixels, region, decoder, cmyk)?;
        (into.width, into.height, into.channels) = (region.width, region.height, pixels.channels());
        let length = region.width * pixels.channels();
        row.resize(if is_bgr { length } else { 0 }, 0);
        into.data.truncate(region.height * length);
        let missing = region.height * length - into.data.len();
        memory::reserve(&mut into.data, missing)?;
        for y in 0..region.height {
            let columns = y * length..(y + 1) * length;
            // In newly allocated memory, a row of zeros is still in the cache when it is
            // overwritten.
            into.data.resize(into.data.len().max(columns.end), 0);
            if is_bgr {
                source.write(y, row)?;
                exchange_red_and_blue(row, &mut into.data[columns]);
            } else {
                source.write(y, &mut into.data[columns])?;
            }
        }
        let extra_bytes = source.rows.extraneous_bytes();
        source.finish()?;
        if extra_bytes > max_padding {
            return Err(Error::image(format!(
                "{extra_bytes} bytes of image data remain after the last pixel, a sign of damage before them"
            )));
        }
        Ok(())
    }

    /// Call `work` with the rows of a region, decoded on demand; only pixels in `required`,
    /// relative to the region, are valid.
    pub(super) fn stream(
        self,
        pixels: Pixels,
        (region, required): (Rect, Rect),
        scratch: &mut Scratch,
        work: impl FnOnce(&mut dyn RowSource),
    ) -> Result<()> {
        let decoded = Rect {
            x: region.x + required.x,
            y: region.y + required.y,
            ..required
        };
        let Scratch { decoder, cmyk, row } = scratch;
        row.resize(region.width * pixels.channels(), 0);
        let mut rows = RegionRows {
            source: self.start(pixels, decoded, decoder, cmyk)?,
            region,
            required,
            row,
            row_number: None,
            outcome: Ok(()),
        };
        work(&mut rows);
        rows.outcome?;
        rows.source.finish()
    }

    /// Decode the image as stored.
    pub(super) fn decode_stored(
        self,
        is_bgr: bool,
        into: &mut Image,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let pixels = self.stored_pixels();
        let (width, height) = self.size();
        let region = Rect::of_size(width, height);
        self.decode(
            (pixels, is_bgr && pixels == Pixels::Rgb),
            region,
            into,
            scratch,
        )
    }

    pub(super) fn stored_pixels(&self) -> Pixels {
        match self.header.color_space() {
            ColorSpace::Gray => Pixels::Gray,
            _ => Pixels::Rgb,
        }
    }

    fn start<'s>(
        self,
        pixels: Pixels,
        region: Rect,
        decoder: &'s mut Decoder,
        cmyk: &'s mut Vec<u8>,
    ) -> Result<Source<'s>>
    where
        'a: 's,
    {
        let is_cmyk = matches!(
            self.header.color_space(),
            ColorSpace::Cmyk | ColorSpace::Ycck
        );
        let options = Options {
            pixel_format: match pixels {
                Pixels::Rgba => return Err(no_alpha(self.stored_pixels().channels())),
                _ if is_cmyk => recio_jpeg::PixelFormat::Cmyk,
                Pixels::Gray => recio_jpeg::PixelFormat::Gray,
                Pixels::Rgb => recio_jpeg::PixelFormat::Rgb,
            },
            scale: self.scale,
            region: Some(Region {
                x: region.x,
                y: region.y,
                width: region.width,
                height: region.height,
            }),
            on_damage: self.on_damage,
            max_scans: self.limits.scans,
        };
        let rows = decoder.start(self.bytes, &self.header, &options);
        cmyk.resize(if is_cmyk { 4 * region.width } else { 0 }, 0);
        Ok(Source {
            rows: rows.map_err(|error| failed_in_scan(error, self.is_strict))?,
            pixels,
            cmyk,
            is_strict: self.is_strict,
        })
    }
}

/// Decoded rows, converted to gray or RGB.
struct Source<'a> {
    rows: Rows<'a>,
    pixels: Pixels,
    /// A row of CMYK; empty if the JPEG has another color space.
    cmyk: &'a mut Vec<u8>,
    is_strict: bool,
}

impl Source<'_> {
    fn write(&mut self, y: usize, row: &mut [u8]) -> Result<()> {
        let is_cmyk = !self.cmyk.is_empty();
        let decoded = if is_cmyk { &mut *self.cmyk } else { &mut *row };
        let outcome = self.rows.read_row(y, decoded);
        outcome.map_err(|error| failed_in_scan(error, self.is_strict))?;
        if is_cmyk {
            convert::cmyk(self.cmyk, self.pixels, row);
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let outcome = self.rows.finish();
        outcome.map_err(|error| failed_in_scan(error, self.is_strict))
    }
}

/// Rows of a region, decoded on demand.
struct RegionRows<'a> {
    source: Source<'a>,
    region: Rect,
    required: Rect,
    row: &'a mut Vec<u8>,
    /// Number of the row in `row`.
    row_number: Option<usize>,
    /// The first error; rows after it are invalid.
    outcome: Result<()>,
}

impl RowSource for RegionRows<'_> {
    fn width(&self) -> usize {
        self.region.width
    }

    fn height(&self) -> usize {
        self.region.height
    }

    fn channels(&self) -> usize {
        self.source.pixels.channels()
    }

    fn row(&mut self, y: usize) -> &[u8] {
        let is_required = (self.required.y..self.required.y + self.required.height).contains(&y);
        if is_required && self.row_number != Some(y) && self.outcome.is_ok() {
            let channels = self.channels();
            let start = self.required.x * channels;
            let columns = &mut self.row[start..][..self.required.width * channels];
            self.outcome = self.source.write(y - self.required.y, columns);
            self.row_number = Some(y);
        }
        self.row
    }
}

/// Convert an error after the header. Name the remedy, unless the image is only checked.
fn failed_in_scan(error: recio_jpeg::Error, is_strict: bool) -> Error {
    if error.is_in_scan_data() && !is_strict {
        return Error::image(format!(
            "{error}; on_damage=\"fill\" decodes it as libjpeg does"
        ));
    }
    failed(error)
}

pub(super) fn failed(error: recio_jpeg::Error) -> Error {
    match error {
        recio_jpeg::Error::OutOfMemory { .. } => Error::new(ErrorKind::Memory(error.to_string())),
        recio_jpeg::Error::TooManyScans { .. } => Error::limit(format!(
            "{error}: limits=Limits(scans=...) or --max-scans raises it"
        )),
        recio_jpeg::Error::Unsupported(_) => Error::unsupported(error.to_string()),
        error => Error::image(error.to_string()),
    }
}
