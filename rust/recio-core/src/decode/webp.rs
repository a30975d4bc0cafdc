//! WebP, by the crate `image-webp`, after the checks of libwebp that it omits; of an animation, the
//! first frame.
//!
//! As in OpenCV 4.8.1, EXIF orientation is ignored.
//!
//! The crate takes 2.1 times the CPU time of libwebp for a lossy photograph, 1.35 times for a
//! lossless one. Nothing of that can be saved here: of a lossy image, 45 % is reading coefficients
//! with the crate's arithmetic decoder, 20 % its loop filter, 10 % its inverse transform, 4 %
//! colors; of a lossless one, 60 % is reading codes. Libwebp itself would be C code that decodes
//! untrusted bytes, and had an exploited overflow (CVE-2023-4863), so it is not used.

use std::io::{Cursor, ErrorKind};

use image_webp::{DecodingError, WebPDecoder};

use super::convert::{self, CVT_COLOR};
use super::input::Input;
use super::raster::{Decode, Properties};
use super::{Pixels, too_much_memory};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::memory;

/// Size of the header of the file, and of a chunk.
const FILE_HEADER: usize = 12;
const CHUNK_HEADER: usize = 8;
const EXTENDED_HEADER: usize = 10;
const IS_ANIMATED: u8 = 2;

/// A WebP with its headers parsed.
pub(super) struct WebP<'a> {
    input: Input<'a>,
    properties: Properties,
    decoder: WebPDecoder<Cursor<&'a [u8]>>,
}

impl<'a> WebP<'a> {
    pub(super) fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        let input = Input::little_endian("WebP", payload);
        check_container(&input)?;
        let mut decoder =
            WebPDecoder::new(Cursor::new(payload)).map_err(|error| failed(&input, &error))?;
        decoder.set_memory_limit(limits.bytes);
        let (width, height) = decoder.dimensions();
        let channels = if decoder.has_alpha() { 4 } else { 3 };
        Ok(Self {
            input,
            properties: Properties::of((width as usize, height as usize), channels),
            decoder,
        })
    }

    fn read_into(&mut self, into: &mut [u8]) -> Result<()> {
        let outcome = if self.decoder.is_animated() {
            self.decoder.read_frame(into).map(|_| ())
        } else {
            self.decoder.read_image(into)
        };
        outcome.map_err(|error| failed(&self.input, &error))
    }
}

impl Decode for WebP<'_> {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn working_bytes(&self, pixels: Pixels) -> usize {
        let area = self.properties.area();
        let is_converted = pixels.channels() != self.properties.channels;
        // The decoder allocates an image with alpha, or planes.
        area * (4 + usize::from(is_converted) * self.properties.channels)
    }

    fn read(
        mut self: Box<Self>,
        pixels: Pixels,
        into: &mut [u8],
        spare: &mut Vec<u8>,
    ) -> Result<()> {
        let channels = self.properties.channels;
        if pixels.channels() == channels {
            return self.read_into(into);
        }
        let area = self.properties.area();
        memory::resize(spare, area * channels, 0)?;
        self.read_into(spare)?;
        convert::channels(spare, channels, pixels, CVT_COLOR, into);
        Ok(())
    }
}

/// Check the sizes of the file and its chunks, and the headers of the frame, as libwebp does.
fn check_container(input: &Input<'_>) -> Result<()> {
    let size = input.u32(4)? as usize;
    if size < FILE_HEADER {
        return Err(input.error(format_args!("the size {size} at byte 4 is too small")));
    }
    input.slice(CHUNK_HEADER, size)?;
    let end = CHUNK_HEADER + size;
    let mut at = FILE_HEADER;
    let mut canvas = None;
    if input.slice(at, 4)? == b"VP8X" {
        let length = input.u32(at + 4)? as usize;
        if length != EXTENDED_HEADER {
            return Err(input.error(format_args!(
                "the chunk VP8X at byte {at} has {length} bytes, not {EXTENDED_HEADER}"
            )));
        }
        if input.u8(at + CHUNK_HEADER)? & IS_ANIMATED != 0 {
            return Ok(());
        }
        let side = |offset| Ok::<u64, Error>(1 + input.number(at + CHUNK_HEADER + offset, 3)?);
        canvas = Some((side(4)?, side(7)?));
        at = find_frame(input, at + CHUNK_HEADER + EXTENDED_HEADER, end)?;
    }
    let size = check_frame(input, at, end)?;
    if canvas.is_some_and(|canvas| canvas != size) {
        return Err(input.error(format_args!(
            "the frame of {}x{} pixels at byte {at} does not fill the canvas",
            size.0, size.1
        )));
    }
    Ok(())
}

/// Return the offset of the first chunk with an image.
fn find_frame(input: &Input<'_>, mut at: usize, end: usize) -> Result<usize> {
    while !matches!(input.slice(at, 4)?, b"VP8 " | b"VP8L") {
        let length = chunk_length(input, at, end)?;
        at += CHUNK_HEADER + length.next_multiple_of(2);
    }
    Ok(at)
}

/// Return the length of a chunk, which must end within the file.
fn chunk_length(input: &Input<'_>, at: usize, end: usize) -> Result<usize> {
    let length = input.u32(at + 4)? as usize;
    if at + CHUNK_HEADER + length > end {
        return Err(input.error(format_args!(
            "the chunk of {length} bytes at byte {at} ends after the image, at byte {end}"
        )));
    }
    Ok(length)
}

/// Check the header of a frame and return its width and height.
fn check_frame(input: &Input<'_>, at: usize, end: usize) -> Result<(u64, u64)> {
    let (kind, length) = (input.slice(at, 4)?, chunk_length(input, at, end)?);
    let frame = at + CHUNK_HEADER;
    if kind == b"VP8L" {
        let bits = input.number(frame + 1, 4)?;
        return Ok((1 + (bits & 0x3fff), 1 + (bits >> 14 & 0x3fff)));
    }
    let tag = input.number(frame, 3)? as usize;
    let (profile, is_shown, first_partition) = (tag >> 1 & 7, tag >> 4 & 1 == 1, tag >> 5);
    if profile > 3 || !is_shown || first_partition >= length {
        return Err(input.error(format_args!(
            "the header of the frame at byte {frame} is damaged"
        )));
    }
    let side = |offset| Ok::<u64, Error>(u64::from(input.u16(frame + offset)? & 0x3fff));
    Ok((side(6)?, side(8)?))
}

fn failed(input: &Input<'_>, error: &DecodingError) -> Error {
    match error {
        DecodingError::MemoryLimitExceeded => too_much_memory("WebP"),
        DecodingError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            input.error("the image data end too early")
        }
        DecodingError::UnsupportedFeature(what) => {
            input.unsupported(format_args!("{what} are not supported"))
        }
        error => input.error(error),
    }
}
