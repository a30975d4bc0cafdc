//! JPEG, decoded by zune-jpeg (the decoder inside the `image` crate) with our own reading of the header before it and our
//! own reader under it. Lossless, hierarchical and arithmetic JPEGs are refused, and so are baseline ones in several scans.
//!
//! Errors: a header that is cut off; a scan that ends before its last block, by the end of the payload or by a marker; a
//! code that is in no Huffman table; a marker where none may be; a progressive JPEG without its end marker (it may lack
//! whole scans, which nothing else would tell).
//!
//! Accepted: bytes between segments, behind the last block and behind the image; a baseline JPEG without end marker; one
//! that lacks no more than a few bytes of its last blocks.
//!
//! Not noticed: most bits that flip within a scan (the codes soon fall into step again); what is missing before a restart
//! marker, or before a marker of a progressive JPEG.

mod header;
mod input;

use image::metadata::Orientation;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::{Pixels, Stored, convert, no_alpha, shape};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::picture::Picture;
use header::Header;
use input::{Input, end_of_scan};

/// A JPEG whose header is read.
#[derive(Debug)]
pub(super) struct Jpeg<'a> {
    bytes: &'a [u8],
    header: Header,
    max_scans: usize,
}

impl<'a> Jpeg<'a> {
    pub(super) fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        let header = Header::read(payload)?;
        let frame = header.frame;
        limits.check(frame.width, frame.height, Pixels::Rgb.channels())?;
        let end = if frame.is_progressive {
            payload.len()
        } else if header.scan_components == frame.components {
            end_of_scan(payload, header.scan)
        } else {
            return Err(several_scans());
        };
        Ok(Self {
            bytes: &payload[..end],
            header,
            max_scans: limits.scans,
        })
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.header.frame.width, self.header.frame.height)
    }

    pub(super) fn orientation(&self) -> Orientation {
        self.header.orientation
    }

    pub(super) fn decode(
        self,
        pixels: Pixels,
        into: &mut Picture,
        spare: &mut Picture,
    ) -> Result<()> {
        if pixels == Pixels::Rgba {
            return Err(no_alpha(self.stored_pixels().channels()));
        }
        let decoder = self.decoder()?;
        let space = self.space_for(pixels, decoder.input_colorspace());
        if space.num_components() == pixels.channels() {
            return self.run(decoder, space, into);
        }
        self.run(decoder, space, spare)?;
        shape(into, self.size(), pixels.channels());
        match space {
            ColorSpace::CMYK => convert::inks(&spare.data, pixels, &mut into.data),
            ColorSpace::YCbCr => convert::first(&spare.data, &mut into.data),
            _ => convert::channels(&spare.data, 3, pixels, convert::OPENCV, &mut into.data),
        }
        Ok(())
    }

    pub(super) fn decode_stored(self) -> Result<Stored> {
        let (mut picture, mut spare) = Default::default();
        let pixels = self.stored_pixels();
        self.decode(pixels, &mut picture, &mut spare)?;
        Ok(Stored::Bits8(picture))
    }

    fn stored_pixels(&self) -> Pixels {
        match self.header.frame.components {
            1 => Pixels::Grey,
            _ => Pixels::Rgb,
        }
    }

    /// What zune-jpeg is to decode to on the way to `pixels`.
    ///
    /// Its own CMYK → RGB rounds otherwise than OpenCV. Its Y alone comes out garbled where the chroma is halved down but
    /// not across (4:4:0), so there all three are decoded.
    fn space_for(&self, pixels: Pixels, stored: Option<ColorSpace>) -> ColorSpace {
        let frame = &self.header.frame;
        let (across, down) = frame.sampling;
        match (pixels, stored) {
            (_, Some(ColorSpace::CMYK)) if frame.components == 4 => ColorSpace::CMYK,
            (Pixels::Grey, Some(ColorSpace::YCbCr)) if down > across => ColorSpace::YCbCr,
            (Pixels::Grey, Some(ColorSpace::YCbCr | ColorSpace::Luma)) => ColorSpace::Luma,
            _ => ColorSpace::RGB,
        }
    }

    /// A decoder that has read the header. It is lenient up to here: bytes between two segments do no harm.
    fn decoder(&self) -> Result<JpegDecoder<Input<'a>>> {
        let (width, height) = self.size();
        let options = DecoderOptions::default()
            .set_max_width(width)
            .set_max_height(height)
            .jpeg_set_max_scans(self.max_scans)
            .set_strict_mode(false);
        let mut decoder = JpegDecoder::new_with_options(Input::new(self.bytes), options);
        decoder.decode_headers().map_err(failed)?;
        if decoder.dimensions() != Some((width, height)) {
            return Err(Error::image("the JPEG is damaged: it has two sizes"));
        }
        Ok(decoder)
    }

    fn run(
        &self,
        mut decoder: JpegDecoder<Input<'a>>,
        space: ColorSpace,
        into: &mut Picture,
    ) -> Result<()> {
        let options = decoder.options().jpeg_set_out_colorspace(space);
        decoder.set_options(options.set_strict_mode(true));
        shape(into, self.size(), space.num_components());
        decoder.decode_into(&mut into.data).map_err(failed)
    }
}

/// zune-jpeg 0.5.15 decodes these to wrong pixels wherever the chroma is subsampled downwards.
fn several_scans() -> Error {
    Error::image("a baseline JPEG whose components are in separate scans is not supported")
}

fn failed(error: DecodeErrors) -> Error {
    match error {
        DecodeErrors::IoErrors(_) | DecodeErrors::ExhaustedData => {
            Error::image("the JPEG ends before all of its image data")
        }
        DecodeErrors::Format(message) if message.starts_with("Too many scans") => {
            Error::limit(message)
        }
        DecodeErrors::Format(message) => Error::image(format!("the JPEG is damaged: {message}")),
        error => Error::image(format!("the JPEG is damaged: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const PLAIN: &[u8] = include_bytes!("../../../../../tests/data/odd-images/plain.jpg");
    const CUT: &[u8] = include_bytes!("../../../../../tests/data/odd-images/cut.jpg");
    const PROGRESSIVE: &[u8] =
        include_bytes!("../../../../../tests/data/odd-images/progressive.jpg");
    const END: &[u8] = &[0xff, 0xd9];
    const SHORT: &str = "the JPEG ends before all of its image data";

    fn decoded(payload: &[u8], limits: &Limits) -> Result<Vec<u8>> {
        let (mut into, mut spare) = Default::default();
        Jpeg::open(payload, limits)?.decode(Pixels::Rgb, &mut into, &mut spare)?;
        Ok(into.data)
    }

    fn decode(payload: &[u8]) -> Result<Vec<u8>> {
        decoded(payload, &Limits::default())
    }

    fn problem(payload: &[u8]) -> String {
        decode(payload).unwrap_err().to_string()
    }

    #[test]
    fn a_truncated_scan_is_an_error_with_and_without_an_end_marker() {
        assert_eq!(problem(CUT), SHORT);
        let scan = Header::read(PLAIN).unwrap().scan;
        for length in (scan..PLAIN.len() - 12).step_by(1499) {
            assert_eq!(problem(&PLAIN[..length]), SHORT);
            assert_eq!(problem(&[&PLAIN[..length], END].concat()), SHORT);
        }
    }

    #[test]
    fn a_progressive_image_must_have_its_end_marker() {
        for missing in [1, 2, 100, 10_000] {
            assert_eq!(problem(&PROGRESSIVE[..PROGRESSIVE.len() - missing]), SHORT);
        }
    }

    #[test]
    fn what_is_merely_odd_changes_no_pixel() {
        let body = PLAIN.strip_suffix(END).unwrap();
        let whole = decode(PLAIN).unwrap();
        let (start, rest) = PLAIN.split_at(20);
        for odd in [
            body.to_vec(),
            [PLAIN, &[0; 1000]].concat(),
            [PLAIN, PLAIN].concat(),
            [body, &[1, 2, 3], END].concat(),
            [body, &[0xff, 0xfe, 0, 4, 1, 2], END].concat(),
            [start, &[1; 9], rest].concat(),
        ] {
            assert!(decode(&odd).unwrap() == whole);
        }
    }

    /// Where the last rows fit into the decoder's read-ahead, the missing end marker must not pass for missing data.
    #[test]
    fn a_flat_image_without_end_marker_is_whole() {
        let flat = Picture::filled(16, 400, 3, 90);
        let mut payload = Vec::new();
        crate::encode::encode_jpeg(&flat.view(), 95, &mut payload).unwrap();
        let body = payload.strip_suffix(END).unwrap();
        assert!(decode(body).unwrap() == decode(&payload).unwrap());
        assert_eq!(problem(&body[..body.len() - 20]), SHORT);
    }

    #[test]
    fn separate_scans_of_a_baseline_image_are_refused() {
        let mut payload = PLAIN.to_vec();
        let scan = Header::read(PLAIN).unwrap().scan;
        // The scan header of three components becomes one of one; what is left of it counts as coded data.
        payload[scan - 12..scan - 9].copy_from_slice(&[0, 8, 1]);
        assert!(problem(&payload).contains("separate scans"));
    }

    #[test]
    fn a_size_of_four_gigapixels_is_refused_at_the_header() {
        let mut payload = PLAIN.to_vec();
        let frame = payload
            .windows(2)
            .position(|bytes| bytes == [0xff, 0xc0])
            .unwrap();
        payload[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
        let error = Jpeg::open(&payload, &Limits::default()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit(_)), "{error}");
        assert!(error.to_string().contains("65500x65500"), "{error}");
    }

    #[test]
    fn too_many_scans_are_over_the_limit() {
        let limits = Limits {
            scans: 2,
            ..Limits::default()
        };
        let error = decoded(PROGRESSIVE, &limits).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Limit(_)), "{error}");
        assert!(decoded(PLAIN, &limits).is_ok());
    }

    #[test]
    fn a_second_size_is_damage() {
        let frame = PLAIN
            .windows(2)
            .position(|bytes| bytes == [0xff, 0xc0])
            .unwrap();
        let mut other = PLAIN[frame..frame + 19].to_vec();
        other[6] += 1;
        let two = [&PLAIN[..2], &other, &PLAIN[2..]].concat();
        assert!(decode(&two).is_err());
    }
}
