//! Resampling: pixels of one size → rows of pixels of another size, equal to OpenCV's `cv::resize`.
//!
//! [`resize_rows`] makes only a window of the result and hands it over row by row, so that cropping costs nothing and
//! the caller can normalize and lay out each row while it is warm. The source's rows, too, are asked for one by one, from
//! the top, and only those that the window needs; [`needed`] says beforehand which pixels these are. It knows neither
//! where the window comes from nor where the rows go. [`resize_rows_f32`] does the same with a whole picture of floats.
//!
//! Of 8 bits, all methods but `Cubic` give OpenCV 4's pixels bit for bit. `Cubic` may differ by 1, as OpenCV differs
//! from itself: its vertical pass is in floats where its vectors reach and in integers beyond them. `Antialias`, which
//! OpenCV does not have, gives Pillow's.
mod across;
mod antialias;
mod area;
mod axis;
mod float;
pub(crate) mod kernel;
mod linear;
mod nearest;
mod pairs;
mod reach;
mod rows;
mod simd;

use std::ops::Range;

use crate::image::{Image, Rect, RowSource, Subpixel, View};
use axis::Axis;
pub use float::{FloatScratch, resize_f32, resize_rows_f32};
pub use reach::needed;
pub(crate) use simd::vectorise;

/// How a pixel is made from its neighbours. The numbers are OpenCV's, and up to 4 MXNet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// The pixel at the same fraction of the width and the height.
    Nearest = 0,
    /// The 2×2 pixels around the point; shrinking does not average.
    #[default]
    Linear = 1,
    /// The 4×4 pixels around the point, with A = −0.75.
    Cubic = 2,
    /// The mean of the area covered when shrinking in both directions; otherwise linear with sharper edges.
    Area = 3,
    /// The 8×8 pixels around the point.
    Lanczos4 = 4,
    /// The pixel under the centre: unlike `Nearest`, it does not shift the picture. For masks; MXNet has no number for it.
    NearestExact = 6,
    /// Pillow's `BILINEAR`: all pixels that are less than a target pixel away, the nearer ones counting more; to enlarge,
    /// as `Linear` but for the rounding. Neither OpenCV nor MXNet has a number for it.
    Antialias = 11,
}

impl Interpolation {
    /// MXNet's method 9: cubic to enlarge in both directions, area to shrink in both, otherwise linear.
    #[must_use]
    pub fn auto(source: (usize, usize), target: (usize, usize)) -> Self {
        if target.0 > source.0 && target.1 > source.1 {
            Self::Cubic
        } else if target.0 < source.0 && target.1 < source.1 {
            Self::Area
        } else {
            Self::Linear
        }
    }
}

/// The tables and rows that resampling needs. Reused, it makes later calls free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The row that is handed to the caller, longer by what fills up the last vector.
    row: Vec<u8>,
    nearest: nearest::Scratch,
    linear: linear::Scratch,
    boxes: area::BoxScratch,
    cells: area::CellScratch,
    cubic: kernel::Scratch<4>,
    lanczos: kernel::Scratch<8>,
    antialias: antialias::Scratch,
}

/// What is to be made: the same for every method.
#[derive(Clone, Copy)]
struct Job {
    x: Axis,
    y: Axis,
    window: Rect,
}

/// Says where in the source a target pixel lies: the pixel there, and how far beyond it.
type Locate = fn(Axis, usize) -> (isize, f32);

/// How a method computes, for one ratio of sizes.
#[derive(Clone, Copy)]
enum Way {
    Nearest(fn(Axis, usize) -> usize),
    Linear(Locate),
    /// Boxes of so many whole pixels across and down.
    Boxes(usize, usize),
    /// Boxes that cut pixels.
    Cells,
    Cubic,
    Lanczos4,
    Antialias,
}

/// Receives a row's number within the window and its samples.
type Sink<'a, T = u8> = &'a mut dyn FnMut(usize, &[T]);

/// Resizes `src` to `full` (width, height), but makes only the pixels in `window`: `row` receives the number of each of
/// its rows, from 0 at the top, and the row's `window.width × channels` samples.
///
/// The pixels are those that resizing everything and cropping it afterwards gives. Neither the source nor the result
/// may be without pixels, unless the window is.
///
/// # Panics
/// If the window leaves the result, the source has no pixels, or a pixel has other than 1, 3 or 4 channels.
pub fn resize_rows(
    src: &mut dyn RowSource,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    scratch: &mut Scratch,
    mut row: impl FnMut(usize, &[u8]),
) {
    let size = (src.width(), src.height());
    let Some(job) = Job::new(size, full, window) else {
        return;
    };
    match src.channels() {
        _ if size == full => job.copy(src, &mut row),
        1 => job.run::<1>(src, method, scratch, &mut row),
        3 => job.run::<3>(src, method, scratch, &mut row),
        4 => job.run::<4>(src, method, scratch, &mut row),
        channels => panic!("pixels of {channels} channels cannot be resized"),
    }
}

/// Resizes all of `src`.
///
/// # Panics
/// As [`resize_rows`].
#[must_use]
pub fn resize(mut src: View<'_>, width: usize, height: usize, method: Interpolation) -> Image {
    collect((width, height), src.channels, |sink| {
        let whole = Rect::of_size(width, height);
        let scratch = &mut Scratch::default();
        resize_rows(&mut src, (width, height), whole, method, scratch, sink);
    })
}

/// A picture of the rows that `make` hands over.
fn collect<T: Subpixel>(
    (width, height): (usize, usize),
    channels: usize,
    make: impl FnOnce(Sink<'_, T>),
) -> Image<T> {
    let mut data = Vec::with_capacity(width * height * channels);
    make(&mut |_, row| data.extend_from_slice(row));
    Image {
        width,
        height,
        channels,
        data,
    }
}

impl Job {
    /// `None` if the window is empty: there is nothing to do.
    fn new(source: (usize, usize), full: (usize, usize), window: Rect) -> Option<Self> {
        assert!(
            window.x + window.width <= full.0 && window.y + window.height <= full.1,
            "{window:?} leaves the result of {full:?}"
        );
        if window.width == 0 || window.height == 0 {
            return None;
        }
        assert!(source.0 > 0 && source.1 > 0, "there are no pixels");
        Some(Self {
            x: Axis::new(source.0, full.0),
            y: Axis::new(source.1, full.1),
            window,
        })
    }

    /// The window's columns in the result.
    fn columns(&self) -> Range<usize> {
        self.window.x..self.window.x + self.window.width
    }

    /// The window's rows in the result.
    fn rows(&self) -> Range<usize> {
        self.window.y..self.window.y + self.window.height
    }

    /// Whether area interpolation averages; where one direction enlarges, it is linear in both.
    fn shrinks(&self) -> bool {
        self.x.scale >= 1.0 && self.y.scale >= 1.0
    }

    fn way(&self, method: Interpolation) -> Way {
        let ratios = self.x.whole().zip(self.y.whole());
        match (method, ratios) {
            (Interpolation::Nearest, _) => Way::Nearest(Axis::nearest),
            (Interpolation::NearestExact, _) => Way::Nearest(Axis::nearest_exact),
            // Halves round up at the tie, as the linear arithmetic does; other boxes round to even.
            (Interpolation::Linear, _) | (Interpolation::Area, Some((2, 2))) => {
                Way::Linear(Axis::centre)
            }
            (Interpolation::Area, Some((x, y))) if self.shrinks() => Way::Boxes(x, y),
            (Interpolation::Area, None) if self.shrinks() => Way::Cells,
            (Interpolation::Area, _) => Way::Linear(Axis::edge),
            (Interpolation::Cubic, _) => Way::Cubic,
            (Interpolation::Lanczos4, _) => Way::Lanczos4,
            (Interpolation::Antialias, _) => Way::Antialias,
        }
    }

    fn copy<T: Subpixel>(&self, src: &mut dyn RowSource<T>, sink: Sink<'_, T>) {
        let (columns, channels) = (self.columns(), src.channels());
        let samples = columns.start * channels..columns.end * channels;
        for (y, at) in self.rows().enumerate() {
            sink(y, &src.row(at)[samples.clone()]);
        }
    }

    fn run<const C: usize>(
        &self,
        src: &mut dyn RowSource,
        method: Interpolation,
        scratch: &mut Scratch,
        sink: Sink<'_>,
    ) {
        let samples = self.window.width * C;
        let Scratch { row, .. } = scratch;
        row.resize(samples.next_multiple_of(pairs::STEP), 0);
        let sink: Sink<'_> = &mut |y, row| sink(y, &row[..samples]);
        match self.way(method) {
            Way::Nearest(locate) => {
                nearest::run::<_, C>(self, src, locate, &mut scratch.nearest, row, sink);
            }
            Way::Linear(locate) => {
                linear::run::<C>(self, src, locate, &mut scratch.linear, row, sink);
            }
            Way::Boxes(x, y) => area::boxes::<C>(self, src, (x, y), &mut scratch.boxes, row, sink),
            Way::Cells => area::cells::<C>(self, src, &mut scratch.cells, row, sink),
            Way::Cubic => {
                kernel::run::<C, 4>(self, src, kernel::cubic, &mut scratch.cubic, row, sink);
            }
            Way::Lanczos4 => {
                kernel::run::<C, 8>(self, src, kernel::lanczos4, &mut scratch.lanczos, row, sink);
            }
            Way::Antialias => antialias::run::<C>(self, src, &mut scratch.antialias, row, sink),
        }
    }
}

#[cfg(test)]
mod tests;
