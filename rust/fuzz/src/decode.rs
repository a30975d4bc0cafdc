//! One image through recio-jpeg. That it does not panic, libFuzzer sees; that it does not take long
//! is asserted here.

use std::time::Duration;

use cpu_time::ThreadTime;
use recio_jpeg::{Decoder, Error, Header, Options};

/// PixelFormat of the largest image that is looked at: larger ones tell nothing more, and cost
/// runs.
const MOST_PIXELS: usize = 1 << 16;

/// Time that no such image may take, of the CPU: a hundred times what the slowest took.
const MOST_TIME: Duration = Duration::from_secs(2);

/// The header, of an image that is small enough to fuzz with.
pub fn header(jpeg: &[u8]) -> Option<Header> {
    let header = Header::read(jpeg).ok()?;
    let (width, height) = header.size();
    (width * height <= MOST_PIXELS).then_some(header)
}

/// Width and height of what the options ask for.
pub fn size(header: &Header, options: &Options) -> (usize, usize) {
    let whole = options.scale.size(header.size());
    options
        .region
        .map_or(whole, |region| (region.width, region.height))
}

/// All rows.
pub fn decode(
    decoder: &mut Decoder,
    jpeg: &[u8],
    header: &Header,
    options: &Options,
) -> Result<Vec<u8>, Error> {
    decode_rows(decoder, jpeg, header, options, 0..size(header, options).1)
}

/// Some rows, from the top down; those that are left out are 0.
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
        taken < MOST_TIME,
        "{taken:?} for {width}x{height} pixels of {} bytes",
        jpeg.len()
    );
    outcome.map(|()| pixels)
}
