//! JPEG, by recio-jpeg: libjpeg-turbo's pixels, of the part that is needed.
//!
//! Errors: a header that is cut off; a scan that ends before its last block, by the end of the payload or by a marker; a
//! code that is in no Huffman table; a marker where none may be; scans out of turn; a progressive JPEG whose scans do not
//! bring all (libjpeg smooths such an image instead). Each names the byte.
//!
//! Accepted: bytes between segments, behind the last block and behind the image; a missing end marker, if nothing else is. If it is
//! strict, more than a few bytes of data behind the last block are an error too: what a lost sector leaves of most images, while
//! of 2,600 sound photographs none has one.
//!
//! Not noticed: most bits that flip within a scan (the codes soon fall into step again); damage below the part that is
//! decoded, and in rows of it above that begin with restarts. That the payload ends too early is noticed in any case but
//! one: in the last scan of a progressive JPEG, if that refines, below the part.

use image::metadata::Orientation;
use recio_jpeg::{ColorSpace, Decoder, Header, OnDamage, Options, Region, Rows, Scale};

use super::{Pixels, Stored, convert, no_alpha};
use crate::error::{Error, Result};
use crate::image::{Image, Rect, RowSource};
use crate::limits::Limits;

/// Bytes of data behind the last block that are no sign of damage: webcams align theirs.
const PADDING: usize = 16;

/// A JPEG whose header is read.
#[derive(Debug)]
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    header: Header,
    scale: Scale,
    on_damage: OnDamage,
    is_strict: bool,
    limits: Limits,
}

/// What decoding a JPEG needs on the way.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    decoder: Decoder,
    /// A row of inks, on its way to colors.
    inks: Vec<u8>,
    /// A row as wide as the part of the picture that is used.
    row: Vec<u8>,
}

impl Scratch {
    pub(super) fn trim(&mut self, most: usize) {
        self.decoder.trim(most);
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
        Orientation::from_exif(self.header.orientation()).unwrap_or(Orientation::NoTransforms)
    }

    /// Lets damage pass, as far as a picture can be made.
    pub(super) fn fill_damage(&mut self) {
        self.on_damage = OnDamage::Fill;
    }

    /// Refuses data that is left over when all of it has been decoded.
    pub(super) fn be_strict(&mut self) {
        self.is_strict = true;
    }

    /// Decodes at the smallest scale that is no smaller than one by `times`. Gives by what the size is divided.
    pub(super) fn shrink(&mut self, times: usize) -> usize {
        self.scale = match times {
            0 | 1 => Scale::Full,
            2 | 3 => Scale::Half,
            4..8 => Scale::Quarter,
            _ => Scale::Eighth,
        };
        self.scale.divisor()
    }

    /// Refuses what takes more memory than the limits allow: pictures of so many bytes, and all coefficients if need be.
    pub(super) fn check_memory(&self, pictures: usize) -> Result<()> {
        let coefficients = self.header.coefficient_bytes();
        self.limits
            .check_memory(pictures.saturating_add(coefficients))
    }

    /// Decodes a part of it.
    pub(super) fn decode(
        self,
        pixels: Pixels,
        part: Rect,
        into: &mut Image,
        scratch: &mut Scratch,
    ) -> Result<()> {
        self.check_memory(part.width * part.height * pixels.channels())?;
        let most = if self.is_strict { PADDING } else { usize::MAX };
        let Scratch { decoder, inks, .. } = scratch;
        let mut source = self.start(pixels, part, decoder, inks)?;
        (into.width, into.height, into.channels) = (part.width, part.height, pixels.channels());
        let length = part.width * pixels.channels();
        into.data.truncate(part.height * length);
        into.data
            .reserve_exact(part.height * length - into.data.len());
        for y in 0..part.height {
            let row = y * length..(y + 1) * length;
            // Where the memory is new, a row of zeros is still in the cache when it is written over.
            into.data.resize(into.data.len().max(row.end), 0);
            source.write(y, &mut into.data[row])?;
        }
        let left_over = source.rows.extraneous_bytes();
        source.rows.finish().map_err(failed)?;
        if left_over > most {
            return Err(Error::image(format!(
                "{left_over} bytes of its data are left over behind the last pixel, a sign of damage before them"
            )));
        }
        Ok(())
    }

    /// Has `work` take the rows of a part of it as they are decoded; of these, what lies in `needed` means something.
    pub(super) fn stream(
        self,
        pixels: Pixels,
        (part, needed): (Rect, Rect),
        scratch: &mut Scratch,
        work: impl FnOnce(&mut dyn RowSource),
    ) -> Result<()> {
        let region = Rect {
            x: part.x + needed.x,
            y: part.y + needed.y,
            ..needed
        };
        let Scratch { decoder, inks, row } = scratch;
        row.resize(part.width * pixels.channels(), 0);
        let mut lines = Lines {
            source: self.start(pixels, region, decoder, inks)?,
            part,
            needed,
            row,
            made: None,
            outcome: Ok(()),
        };
        work(&mut lines);
        lines.outcome?;
        lines.source.rows.finish().map_err(failed)
    }

    pub(super) fn decode_stored(self) -> Result<Stored> {
        let mut picture = Image::default();
        let pixels = self.stored_pixels();
        let (width, height) = self.size();
        let whole = Rect::of_size(width, height);
        self.decode(pixels, whole, &mut picture, &mut Scratch::default())?;
        Ok(Stored::Bits8(picture))
    }

    fn stored_pixels(&self) -> Pixels {
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
        inks: &'s mut Vec<u8>,
    ) -> Result<Source<'s>>
    where
        'a: 's,
    {
        let is_inks = matches!(
            self.header.color_space(),
            ColorSpace::Cmyk | ColorSpace::Ycck
        );
        let options = Options {
            pixel_format: match pixels {
                Pixels::Rgba => return Err(no_alpha(self.stored_pixels().channels())),
                _ if is_inks => recio_jpeg::PixelFormat::Cmyk,
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
        inks.resize(if is_inks { 4 * region.width } else { 0 }, 0);
        Ok(Source {
            rows: rows.map_err(failed)?,
            pixels,
            inks,
        })
    }
}

/// Rows of gray or RGB.
struct Source<'a> {
    rows: Rows<'a>,
    pixels: Pixels,
    /// Empty if the JPEG is not made of inks.
    inks: &'a mut Vec<u8>,
}

impl Source<'_> {
    fn write(&mut self, y: usize, row: &mut [u8]) -> Result<()> {
        if self.inks.is_empty() {
            return self.rows.read_row(y, row).map_err(failed);
        }
        self.rows.read_row(y, self.inks).map_err(failed)?;
        convert::inks(self.inks, self.pixels, row);
        Ok(())
    }
}

/// The rows of a part of a picture, decoded when they are asked for.
struct Lines<'a> {
    source: Source<'a>,
    part: Rect,
    needed: Rect,
    row: &'a mut Vec<u8>,
    /// The row that is in `row`.
    made: Option<usize>,
    /// The first error; after it, rows mean nothing.
    outcome: Result<()>,
}

impl RowSource for Lines<'_> {
    fn width(&self) -> usize {
        self.part.width
    }

    fn height(&self) -> usize {
        self.part.height
    }

    fn channels(&self) -> usize {
        self.source.pixels.channels()
    }

    fn row(&mut self, y: usize) -> &[u8] {
        let is_needed = (self.needed.y..self.needed.y + self.needed.height).contains(&y);
        if is_needed && self.made != Some(y) && self.outcome.is_ok() {
            let channels = self.channels();
            let columns = &mut self.row[self.needed.x * channels..][..self.needed.width * channels];
            self.outcome = self.source.write(y - self.needed.y, columns);
            self.made = Some(y);
        }
        self.row
    }
}

fn failed(error: recio_jpeg::Error) -> Error {
    match error {
        recio_jpeg::Error::TooManyScans { .. } => Error::limit(error.to_string()),
        error => Error::image(error.to_string()),
    }
}
