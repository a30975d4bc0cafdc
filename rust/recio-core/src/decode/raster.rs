//! Decoding of PNG, WebP, BMP, GIF and TIFF: what these formats have in common.

use std::mem;

use super::bmp::Bmp;
use super::gif::Gif;
use super::orient::{self, Orientation};
use super::png::Png;
use super::tiff::Tiff;
use super::webp::WebP;
use super::{Pixels, Stored, no_alpha, set_shape};
use crate::error::Result;
use crate::image::Image;
use crate::limits::{Format, Limits};
use crate::memory;

/// Properties of an image that its header determines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Properties {
    /// Width and height as stored.
    pub(super) size: (usize, usize),
    /// Samples per pixel of the image as stored, in OpenCV's opinion: 1, 3 or 4.
    pub(super) channels: usize,
    /// Whether the samples as stored have 16 bits.
    pub(super) is_16_bit: bool,
    pub(super) orientation: Orientation,
    /// Whether the orientation belongs to the image as stored too.
    pub(super) is_stored_oriented: bool,
}

impl Properties {
    /// Return the properties of an image of 8-bit samples without orientation.
    pub(super) fn of(size: (usize, usize), channels: usize) -> Self {
        Self {
            size,
            channels,
            is_16_bit: false,
            orientation: Orientation::NoTransforms,
            is_stored_oriented: false,
        }
    }

    pub(super) fn area(&self) -> usize {
        self.size.0 * self.size.1
    }

    fn stored_pixels(&self) -> Pixels {
        match self.channels {
            1 => Pixels::Gray,
            3 => Pixels::Rgb,
            _ => Pixels::Rgba,
        }
    }
}

/// A decoder of one format, with the header parsed.
pub(super) trait Decode {
    fn properties(&self) -> &Properties;

    /// Return the bytes that `read` needs at most, besides the image and small buffers.
    fn working_bytes(&self, pixels: Pixels) -> usize;

    /// Decode rows without padding into `into`, with 8 bits per sample, not oriented. `spare` is a
    /// buffer with any contents.
    fn read(self: Box<Self>, pixels: Pixels, into: &mut [u8], spare: &mut Vec<u8>) -> Result<()>;

    /// Decode rows without padding, with 16 bits per sample, not oriented.
    fn read_16(self: Box<Self>) -> Result<Vec<u16>> {
        unreachable!("only formats with 16-bit samples are asked for them")
    }
}

/// An image of a format other than JPEG, with its header parsed.
pub(super) struct Raster<'a> {
    decoder: Box<dyn Decode + 'a>,
    limits: Limits,
}

impl<'a> Raster<'a> {
    pub(super) fn open(payload: &'a [u8], format: Format, limits: &Limits) -> Result<Self> {
        let decoder: Box<dyn Decode + 'a> = match format {
            Format::Png => Box::new(Png::open(payload, limits)?),
            Format::WebP => Box::new(WebP::open(payload, limits)?),
            Format::Bmp => Box::new(Bmp::open(payload)?),
            Format::Gif => Box::new(Gif::open(payload)?),
            Format::Tiff => Box::new(Tiff::open(payload, limits)?),
            Format::Jpeg => unreachable!("recio-jpeg decodes JPEG"),
        };
        let properties = decoder.properties();
        let (width, height) = properties.size;
        let bytes = properties.channels.max(Pixels::Rgb.channels());
        limits.check(width, height, bytes << usize::from(properties.is_16_bit))?;
        Ok(Self {
            decoder,
            limits: *limits,
        })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        self.decoder.properties().size
    }

    /// Return the samples per pixel of the image as stored.
    pub(super) fn channels(&self) -> usize {
        self.decoder.properties().channels
    }

    pub(super) fn orientation(&self) -> Orientation {
        self.decoder.properties().orientation
    }

    /// Decode into `into` with the orientation applied.
    pub(super) fn decode(
        self,
        pixels: Pixels,
        orientation: Orientation,
        into: &mut Image,
        spare: &mut Image,
    ) -> Result<()> {
        let properties = *self.decoder.properties();
        if pixels == Pixels::Rgba && properties.channels != 4 {
            return Err(no_alpha(properties.channels));
        }
        let is_oriented = orientation != Orientation::NoTransforms;
        let image = properties.area() * pixels.channels();
        let images = image << usize::from(is_oriented);
        let working = self.decoder.working_bytes(pixels);
        self.check_memory(images.saturating_add(working))?;
        set_shape(into, properties.size, pixels.channels());
        self.decoder.read(pixels, &mut into.data, &mut spare.data)?;
        if is_oriented {
            mem::swap(into, spare);
            orient::apply(orientation, spare, into);
        }
        Ok(())
    }

    /// Check that decoding may use so many bytes, and that there are so many.
    fn check_memory(&self, bytes: usize) -> Result<()> {
        self.limits.check_memory(bytes)?;
        memory::check(bytes)
    }

    /// Decode the image as stored, in the memory of `image` if it has 8 bits per sample.
    pub(super) fn decode_stored(self, mut image: Image) -> Result<Stored> {
        let properties = *self.decoder.properties();
        let orientation = if properties.is_stored_oriented {
            properties.orientation
        } else {
            Orientation::NoTransforms
        };
        if properties.is_16_bit {
            return self.decode_16(&properties, orientation);
        }
        let (pixels, mut spare) = (properties.stored_pixels(), Image::default());
        self.decode(pixels, orientation, &mut image, &mut spare)?;
        Ok(Stored::Bits8(image))
    }

    fn decode_16(self, properties: &Properties, orientation: Orientation) -> Result<Stored> {
        let is_oriented = orientation != Orientation::NoTransforms;
        let image = 2 * properties.area() * properties.channels;
        let working = self.decoder.working_bytes(properties.stored_pixels());
        let images = image << usize::from(is_oriented);
        self.check_memory(images.saturating_add(working))?;
        let mut image = Image {
            width: properties.size.0,
            height: properties.size.1,
            channels: properties.channels,
            data: self.decoder.read_16()?,
        };
        if is_oriented {
            let mut oriented = Image::default();
            orient::apply(orientation, &image, &mut oriented);
            image = oriented;
        }
        Ok(Stored::Bits16 {
            width: image.width,
            height: image.height,
            channels: image.channels,
            data: image.data,
        })
    }
}

impl std::fmt::Debug for Raster<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Raster")
            .field(self.decoder.properties())
            .finish()
    }
}
