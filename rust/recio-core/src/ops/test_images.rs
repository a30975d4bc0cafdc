//! Test images: noise and digests of pixels, as in the scripts in `tests/data` that computed the
//! test vectors; and a row source that checks the order of requests.

use std::ops::Range;

use crate::image::{Image, Rect, RowSource, View};

/// Return an image of pseudorandom values.
pub(crate) fn noise(width: usize, height: usize, channels: usize) -> Image {
    let count = width * height * channels;
    let mut state = count as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let data = (0..count).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 56) as u8
    });
    Image {
        width,
        height,
        channels,
        data: data.collect(),
    }
}

/// Return the FNV-1a digest of pixels.
pub(crate) fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Row source that panics if rows are not requested from the top down, and records which were.
pub(crate) struct TopDown<'a> {
    pub(crate) view: View<'a>,
    /// From the first requested row to the last.
    pub(crate) requested: Range<usize>,
}

impl<'a> TopDown<'a> {
    pub(crate) fn new(view: View<'a>) -> Self {
        let requested = 0..0;
        Self { view, requested }
    }
}

impl RowSource for TopDown<'_> {
    fn width(&self) -> usize {
        self.view.width
    }

    fn height(&self) -> usize {
        self.view.height
    }

    fn channels(&self) -> usize {
        self.view.channels
    }

    fn row(&mut self, y: usize) -> &[u8] {
        assert!(
            y + 1 >= self.requested.end,
            "{y} after {:?}",
            self.requested
        );
        let is_first = self.requested.is_empty();
        let first = if is_first { y } else { self.requested.start };
        self.requested = first..y + 1;
        self.view.row(y)
    }
}

/// Return the image with all values outside a region inverted.
pub(crate) fn invert_outside(image: &Image, region: Rect) -> Image {
    let columns = region.x..region.x + region.width;
    let rows = region.y..region.y + region.height;
    let mut inverted = image.clone();
    let pixels = inverted.data.chunks_exact_mut(image.channels);
    for (at, pixel) in pixels.enumerate() {
        let (x, y) = (at % image.width, at / image.width);
        if !columns.contains(&x) || !rows.contains(&y) {
            pixel.iter_mut().for_each(|sample| *sample = !*sample);
        }
    }
    inverted
}
