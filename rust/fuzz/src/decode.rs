//! Decoding of one image by recio-jpeg, with an assertion on its time. libFuzzer detects panics.

use std::time::Duration;

use cpu_time::ThreadTime;
use recio_jpeg::{Decoder, Error, Header, Options};

/// Limit of the image size: larger images find nothing more, and slow fuzzing down.
const MAX_PIXELS: usize = 1 << 16;

/// Limit of the CPU time for such an image, a hundred times that of the slowest one.
const MAX_TIME: Duration = Duration::from_secs(2);

/// Read the header of an image that is small enough.
pub fn header(jpeg: &[u8]) -> Option<Header> {
    let header = Header::read(jpeg).ok()?;
    let (width, height) = header.size();
    (width * height <= MAX_PIXELS).then_some(header)
}

/// Return the width and height of the decoded image.
pub fn size(header: &Header, options: &Options) -> (usize, usize) {
    let full = options.scale.size(header.size());
    options
        .region
        .map_or(full, |region| (region.width, region.height))
}

/// Decode all rows.
pub fn decode(
    decoder: &mut Decoder,
    jpeg: &[u8],
    header: &Header,
    options: &Options,
) -> Result<Vec<u8>, Error> {
    decode_rows(decoder, jpeg, header, options, 0..size(header, options).1)
}

/// Decode some rows, from top to bottom; the others are 0.
pub fn decode_rows(
    decoder: &mut Decoder,
    jpeg: &[u8],
    header: &Header,
    options: &Options,
    wanted: impl IntoIterator<Item = usize>,
) -> Result<Vec<u8>, Error> {
    let start = ThreadTime::now();
    let (width, height) = size(header, options);
    let stride = width * options.pixel_format.channels();
    let mut pixels = vec![0; stride * height];
    let outcome = decoder.start(jpeg, header, options).and_then(|mut rows| {
        for y in wanted {
            rows.read_row(y, &mut pixels[y * stride..][..stride])?;
        }
        rows.finish()
    });
    let taken = start.elapsed();
    assert!(
        taken < MAX_TIME,
        "{taken:?} for {width}x{height} pixels of {} bytes",
        jpeg.len()
    );
    outcome.map(|()| pixels)
}
