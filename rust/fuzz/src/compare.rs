//! Comparison of the pixels of recio-jpeg and libjpeg-turbo, for images that both accept.

use recio_jpeg::{ColorSpace, Decoder, Error, Header, Options, PixelFormat, Scale};

use crate::decode::{decode, header, size};
use crate::turbojpeg::TurboJpeg;

/// Result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The image has no header or is too large.
    Skipped,
    /// recio-jpeg rejects the image.
    Refused(Error),
    /// recio-jpeg decodes the image; libjpeg-turbo rejects it, warns about it, or is not installed.
    Alone,
    /// Both decode the image to the same pixels.
    Same,
}

/// Decode an image with both, to each pixel format of its color space, at full size and at one
/// other scale.
///
/// # Panics
/// If the pixels differ, or if some pixel formats and scales can be decoded and others not.
pub fn compare(jpeg: &[u8]) -> Verdict {
    let Some(header) = header(jpeg) else {
        return Verdict::Skipped;
    };
    let mut decoder = Decoder::new();
    // Arbitrary, but the same each time.
    let other = [Scale::Half, Scale::Quarter, Scale::Eighth][jpeg.len() % 3];
    let mut verdicts = Vec::new();
    for scale in [Scale::Full, other] {
        for &pixel_format in pixel_formats(header.color_space()) {
            let options = Options {
                pixel_format,
                scale,
                ..Options::default()
            };
            verdicts.push(compare_as(&mut decoder, jpeg, &header, &options));
        }
    }
    let error = |verdict: &Verdict| match verdict {
        Verdict::Refused(error) => Some(error.clone()),
        _ => None,
    };
    let first = error(&verdicts[0]);
    assert!(
        verdicts.iter().all(|verdict| error(verdict) == first),
        "{verdicts:?} of {header:?}"
    );
    verdicts.swap_remove(0)
}

/// Return the pixel formats that a color space can be converted to.
pub fn pixel_formats(color_space: ColorSpace) -> &'static [PixelFormat] {
    match color_space {
        ColorSpace::Gray | ColorSpace::YCbCr | ColorSpace::Rgb => {
            &[PixelFormat::Rgb, PixelFormat::Gray]
        }
        ColorSpace::Cmyk | ColorSpace::Ycck => &[PixelFormat::Cmyk],
    }
}

fn compare_as(decoder: &mut Decoder, jpeg: &[u8], header: &Header, options: &Options) -> Verdict {
    let ours = match decode(decoder, jpeg, header, options) {
        Ok(ours) => ours,
        Err(error) => return Verdict::Refused(error),
    };
    let theirs =
        TurboJpeg::shared().and_then(|turbojpeg| turbojpeg.decode(jpeg, header.size(), options));
    let Some(theirs) = theirs.filter(|_| !has_repeated_ff(jpeg)) else {
        return Verdict::Alone;
    };
    assert_same(&ours, &theirs, header, options);
    Verdict::Same
}

/// Whether a data byte 0xff is repeated. The standard does not allow this; libjpeg and recio-jpeg
/// treat it as one byte, but libjpeg-turbo loses some of the block if there are dozens.
fn has_repeated_ff(jpeg: &[u8]) -> bool {
    jpeg.windows(3).any(|bytes| bytes == [0xff, 0xff, 0])
}

fn assert_same(ours: &[u8], theirs: &[u8], header: &Header, options: &Options) {
    if ours == theirs {
        return;
    }
    let differ = || {
        (0..)
            .zip(ours.iter().zip(theirs))
            .filter(|(_, (a, b))| a != b)
    };
    let (width, channels) = (size(header, options).0, options.pixel_format.channels());
    let position = |index: usize| {
        (
            index / channels % width,
            index / channels / width,
            index % channels,
        )
    };
    panic!(
        "{} samples of {} differ; the first: x, y, channel, value of each: {:?}; {options:?}, {header:?}",
        differ().count(),
        ours.len(),
        differ()
            .next()
            .map(|(index, values)| (position(index), values)),
    );
}
