//! What the stored vectors of resizing and warping are made of and told by, for tests: noise, and digests of pixels. The
//! scripts in `tests/data` that made the vectors have the same. Then, rows of noise that are made as they are asked for.

use std::ops::Range;

use crate::image::{Image, Rect, RowSource, View};

/// A picture in which every pixel counts.
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

/// A digest of pixels (Fowler, Noll and Vo's).
pub(crate) fn fnv1a(data: &[u8]) -> u64 {
    data.iter().fold(0xCBF2_9CE4_8422_2325, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// A picture that refuses to look back, and remembers which rows were asked for.
pub(crate) struct Downward<'a> {
    pub(crate) view: View<'a>,
    /// From the first of them to the last.
    pub(crate) asked: Range<usize>,
}

impl<'a> Downward<'a> {
    pub(crate) fn new(view: View<'a>) -> Self {
        let asked = 0..0;
        Self { view, asked }
    }
}

impl RowSource for Downward<'_> {
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
        assert!(y + 1 >= self.asked.end, "{y} after {:?}", self.asked);
        let is_first = self.asked.is_empty();
        let first = if is_first { y } else { self.asked.start };
        self.asked = first..y + 1;
        self.view.row(y)
    }
}

/// The picture with all pixels outside a rectangle turned into their opposites.
pub(crate) fn poisoned(picture: &Image, clean: Rect) -> Image {
    let columns = clean.x..clean.x + clean.width;
    let rows = clean.y..clean.y + clean.height;
    let mut poisoned = picture.clone();
    let pixels = poisoned.data.chunks_exact_mut(picture.channels);
    for (at, pixel) in pixels.enumerate() {
        let (x, y) = (at % picture.width, at / picture.width);
        if !columns.contains(&x) || !rows.contains(&y) {
            pixel.iter_mut().for_each(|sample| *sample = !*sample);
        }
    }
    poisoned
}
