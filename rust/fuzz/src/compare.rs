//! The property: what recio-jpeg calls good, and libjpeg-turbo too, has the same pixels in both.

use recio_jpeg::{ColorSpace, Decoder, Error, Header, Options, PixelFormat, Scale};

use crate::decode::{decode, header, size};
use crate::turbojpeg::TurboJpeg;

/// What the two said of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is not an image that is looked at.
    Skipped,
    /// recio-jpeg refuses it.
    Refused(Error),
    /// recio-jpeg decodes it; libjpeg-turbo refuses it, or warns of it, or is not installed.
    Alone,
    /// Both decode it, to the same pixels.
    Same,
}

/// Decodes an image with both, to each kind of pixels that its colours can become, in full and at
/// one scale more.
///
/// # Panics
/// If the pixels differ, or if it is not equally good to all pixel_formats of pixels and scales.
pub fn compare(jpeg: &[u8]) -> Verdict {
    let Some(header) = header(jpeg) else {
        return Verdict::Skipped;
    };
    let mut decoder = Decoder::new();
    // As good as random, and the same each time.
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

/// The pixel_formats of pixels that colours can become.
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
    let Some(theirs) = theirs.filter(|_| !is_filled(jpeg)) else {
        return Verdict::Alone;
    };
    assert_same(&ours, &theirs, header, options);
    Verdict::Same
}

/// Whether there is a byte 0xff of data that is repeated. The standard knows of no such data;
/// libjpeg takes it for one byte, as recio-jpeg does, but libjpeg-turbo loses some of a block if
/// there are dozens.
fn is_filled(jpeg: &[u8]) -> bool {
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
    let place = |at: usize| (at / channels % width, at / channels / width, at % channels);
    panic!(
        "{} samples of {} differ; the first: x, y, channel, value here and there: {:?}; {options:?}, {header:?}",
        differ().count(),
        ours.len(),
        differ().next().map(|(at, values)| (place(at), values)),
    );
}
