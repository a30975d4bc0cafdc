//! Image resizing: nearest, linear, cubic, area, Lanczos and antialiased, equal to OpenCV's
//! `cv::resize`.
//!
//! [`resize_rows`] computes only a window of the result and emits it row by row, so that cropping
//! is free and the caller can normalize and lay out each row while it is in the cache. Source rows
//! are requested one by one, from the top, and only those that the window needs;
//! [`required_region`] returns their region in advance. [`resize_rows_f32`] does the same with an
//! image of floats.
//!
//! For 8-bit values, all methods but `Cubic` return OpenCV 4's pixels bit for bit. `Cubic` may
//! differ by 1, as OpenCV differs from itself: its vertical pass uses floats in vector code and
//! integers in the remainder of a row. `Antialias`, which OpenCV does not have, returns Pillow's
//! pixels.
//!
//! ```text
//! mod              resize_rows, resize, Interpolation; the choice of an algorithm
//! axis             source positions and weights of a target pixel, along one axis
//! required_region  the source region that a window needs
//! nearest, linear, kernel (cubic, Lanczos), area, antialias    the methods, 8-bit values
//! float            all methods, float32: float_taps (linear, cubic, Lanczos), float_sums (area,
//!                  antialias), source_rows
//! output           the destination of the rows
//! horizontal_pass, row_ring    a resampled source row; the few of them in use
//! simd, shuffle    the AVX2 kernel of the horizontal pass and its tables
//! spread           another one, for images that shrink a lot
//! ```
mod antialias;
mod area;
mod axis;
mod float;
mod float_sums;
mod float_taps;
mod horizontal_pass;
pub(crate) mod kernel;
mod linear;
mod nearest;
mod output;
mod required_region;
mod row_ring;
mod shuffle;
mod simd;
mod source_rows;
mod spread;

use std::ops::Range;

use crate::image::{Image, Rect, RowSource, Subpixel, View};
use axis::Axis;
pub use float::{FloatScratch, resize_f32, resize_f32_into, resize_rows_f32};
use output::{Output, Target};
pub use required_region::required_region;
pub(crate) use simd::vectorize;

/// Interpolation method. The numbers are OpenCV's, and up to 4 MXNet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// The pixel at the same fraction of the width and the height.
    Nearest = 0,
    /// The 2×2 pixels around the point; downscaling does not average.
    #[default]
    Linear = 1,
    /// The 4×4 pixels around the point, with A = −0.75.
    Cubic = 2,
    /// The mean of the covered area when shrinking in both directions; otherwise linear with
    /// sharper edges.
    Area = 3,
    /// The 8×8 pixels around the point.
    Lanczos4 = 4,
    /// The pixel under the center: unlike `Nearest`, it does not shift the image. For masks; MXNet
    /// has no number for it.
    NearestExact = 6,
    /// Pillow's `BILINEAR`: all pixels less than a target pixel away, nearer ones weighted more;
    /// when enlarging, as `Linear` except for the rounding. Neither OpenCV nor MXNet has a number
    /// for it.
    Antialias = 11,
}

impl Interpolation {
    /// MXNet's method 9: cubic to enlarge in both directions, area to shrink in both, otherwise
    /// linear.
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

/// Tables and rows for resampling. Reused, it makes later calls free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The emitted row, padded to a multiple of the vector length.
    row: Vec<u8>,
    nearest: nearest::Scratch,
    linear: linear::Scratch,
    integer_area: area::IntegerScratch,
    fractional_area: area::FractionalScratch,
    cubic: kernel::Scratch<4>,
    lanczos: kernel::Scratch<8>,
    antialias: antialias::Scratch,
}

/// Geometry of a resize: both axes, and the window of the result. The same for every method.
#[derive(Clone, Copy)]
struct Geometry {
    x: Axis,
    y: Axis,
    window: Rect,
}

/// Locates a target pixel in the source: the pixel there, and the fraction of the step to the next.
type Locate = fn(Axis, usize) -> (isize, f32);

/// Algorithm of a method for one ratio of sizes.
#[derive(Clone, Copy)]
enum Algorithm {
    Nearest(fn(Axis, usize) -> usize),
    Linear(Locate),
    /// Area with an integer ratio: boxes of so many columns and rows.
    IntegerArea(usize, usize),
    /// Area with any other ratio: cells that cut pixels.
    FractionalArea,
    Cubic,
    Lanczos4,
    Antialias,
}

/// Receives a row: its number within the window, and its samples.
type EmitRow<'a, T = u8> = &'a mut dyn FnMut(usize, &[T]);

/// Resize `src` to `full` (width, height), but compute only the pixels in `window`: `row` receives
/// the number of each of its rows, from 0 at the top, and the row's `window.width × channels`
/// samples.
///
/// The pixels are those of resizing the entire image and cropping the result. Unless the window is
/// empty, neither the source nor the result may be.
///
/// # Panics
/// If the window leaves the result, the source has no pixels, or a pixel has other than 1, 3 or 4
/// channels.
pub fn resize_rows(
    src: &mut dyn RowSource,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    scratch: &mut Scratch,
    mut row: impl FnMut(usize, &[u8]),
) {
    resize_to(
        src,
        full,
        window,
        method,
        scratch,
        Target::Callback(&mut row),
    );
}

/// Resize an image.
///
/// # Panics
/// As [`resize_rows`].
#[must_use]
pub fn resize(src: View<'_>, width: usize, height: usize, method: Interpolation) -> Image {
    let mut image = Image::default();
    resize_into(src, (width, height), method, &mut image);
    image
}

/// Resize an image into `image`, whose memory is reused.
///
/// # Panics
/// As [`resize_rows`].
pub fn resize_into(
    mut src: View<'_>,
    (width, height): (usize, usize),
    method: Interpolation,
    image: &mut Image,
) {
    image.resize((width, height), src.channels);
    let (window, target) = (Rect::of_size(width, height), Target::Image(&mut image.data));
    let scratch = &mut Scratch::default();
    resize_to(&mut src, (width, height), window, method, scratch, target);
}

fn resize_to<'a>(
    src: &mut dyn RowSource,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    scratch: &'a mut Scratch,
    target: Target<'a, u8>,
) {
    let size = (src.width(), src.height());
    let Some(geometry) = Geometry::new(size, full, window) else {
        return;
    };
    match src.channels() {
        _ if size == full => geometry.copy(src, target),
        1 => geometry.run::<1>(src, method, scratch, target),
        3 => geometry.run::<3>(src, method, scratch, target),
        4 => geometry.run::<4>(src, method, scratch, target),
        channels => panic!("pixels of {channels} channels cannot be resized"),
    }
}

impl Geometry {
    /// Return the geometry; `None` if the window is empty.
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

    /// Return the columns of the result that the window covers.
    fn columns(&self) -> Range<usize> {
        self.window.x..self.window.x + self.window.width
    }

    /// Return the rows of the result that the window covers.
    fn rows(&self) -> Range<usize> {
        self.window.y..self.window.y + self.window.height
    }

    /// Return whether area interpolation averages; if one direction enlarges, it is linear in both.
    fn shrinks(&self) -> bool {
        self.x.scale >= 1.0 && self.y.scale >= 1.0
    }

    fn algorithm(&self, method: Interpolation) -> Algorithm {
        let ratios = self.x.integer_ratio().zip(self.y.integer_ratio());
        match (method, ratios) {
            (Interpolation::Nearest, _) => Algorithm::Nearest(Axis::nearest),
            (Interpolation::NearestExact, _) => Algorithm::Nearest(Axis::nearest_exact),
            // 2×2 boxes round ties up, as the linear arithmetic does; other boxes round them to
            // even.
            (Interpolation::Linear, _) | (Interpolation::Area, Some((2, 2))) => {
                Algorithm::Linear(Axis::center)
            }
            (Interpolation::Area, Some((x, y))) if self.shrinks() => Algorithm::IntegerArea(x, y),
            (Interpolation::Area, None) if self.shrinks() => Algorithm::FractionalArea,
            (Interpolation::Area, _) => Algorithm::Linear(Axis::edge),
            (Interpolation::Cubic, _) => Algorithm::Cubic,
            (Interpolation::Lanczos4, _) => Algorithm::Lanczos4,
            (Interpolation::Antialias, _) => Algorithm::Antialias,
        }
    }

    fn copy<T: Subpixel>(&self, src: &mut dyn RowSource<T>, target: Target<'_, T>) {
        let (columns, channels) = (self.columns(), src.channels());
        let samples = columns.start * channels..columns.end * channels;
        let mut output = Output::new(target, &mut [], samples.len());
        for (y, at) in self.rows().enumerate() {
            output.copy(y, &src.row(at)[samples.clone()]);
        }
    }

    fn run<'a, const C: usize>(
        &self,
        src: &mut dyn RowSource,
        method: Interpolation,
        scratch: &'a mut Scratch,
        target: Target<'a, u8>,
    ) {
        let samples = self.window.width * C;
        scratch
            .row
            .resize(samples.next_multiple_of(shuffle::STEP), 0);
        let output = &mut Output::new(target, &mut scratch.row, samples);
        match self.algorithm(method) {
            Algorithm::Nearest(locate) => {
                nearest::run::<_, C>(self, src, locate, &mut scratch.nearest, output);
            }
            Algorithm::Linear(locate) => {
                linear::run::<C>(self, src, locate, &mut scratch.linear, output);
            }
            Algorithm::IntegerArea(x, y) => {
                area::run_integer::<C>(self, src, (x, y), &mut scratch.integer_area, output);
            }
            Algorithm::FractionalArea => {
                area::run_fractional::<C>(self, src, &mut scratch.fractional_area, output);
            }
            Algorithm::Cubic => {
                kernel::run::<C, 4>(self, src, kernel::cubic, &mut scratch.cubic, output);
            }
            Algorithm::Lanczos4 => {
                kernel::run::<C, 8>(self, src, kernel::lanczos4, &mut scratch.lanczos, output);
            }
            Algorithm::Antialias => {
                antialias::run::<C>(self, src, &mut scratch.antialias, output);
            }
        }
    }
}

#[cfg(test)]
mod tests;
