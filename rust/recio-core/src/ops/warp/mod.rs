//! Warping: a picture turned, sheared, scaled and moved by a matrix → rows of a canvas, equal to OpenCV's 8-bit
//! `cv::warpAffine` with a border of one value.
//!
//! [`warp_rows`] makes only a window of the canvas and hands it over row by row, as resampling to a size does. It knows
//! neither where the matrix comes from ([`canvas`] builds MXNet's) nor where the rows go.
//!
//! The pixels are those of OpenCV 4.8.1, bit for bit: points are rounded to 1/32 pixel, and weights to 15 fraction bits.
//! OpenCV 5.0 has other arithmetic, and other pixels.
mod canvas;
mod grid;
mod plane;
mod sampler;
mod weights;

use crate::image::{Rect, View};
use crate::ops::resize::{Interpolation, kernel};
pub use canvas::{AffineParams, canvas};
use grid::{Grid, Point};
use plane::Plane;
use sampler::{Nearest, Sampler};
use weights::Table;

/// A 2×3 matrix that maps points of the source to points of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f32; 3]; 2]);

/// The tables and rows that warping needs. Reused, it makes later calls free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    lines: Lines,
    linear: Table<2>,
    cubic: Table<4>,
    lanczos: Table<8>,
}

/// What is as wide as the window.
#[derive(Debug, Default)]
struct Lines {
    /// How far into the source each column lies, beyond its row's start.
    columns: Vec<Point>,
    /// The row that is handed to the caller.
    row: Vec<u8>,
}

/// Receives a row's number within the window and its samples.
type Sink<'a> = &'a mut dyn FnMut(usize, &[u8]);

/// What is to be warped: the same for every method.
struct Job<'a> {
    src: View<'a>,
    grid: Grid,
    window: Rect,
    value: [u8; 4],
}

/// Warps `src` onto a canvas of size `full` (width, height), but makes only the pixels in `window`: `row` receives the
/// number of each of its rows, from 0 at the top, and the row's `window.width × channels` samples.
///
/// `value` has the border's level for each channel. The pixels are those that warping everything and cropping it
/// afterwards gives. `Area` acts as `Linear`. A matrix without an inverse spreads the source's first pixel over the
/// canvas, as OpenCV does.
///
/// # Panics
/// If the window leaves the canvas, or a pixel has other than 1, 3 or 4 channels.
#[allow(clippy::too_many_arguments)] // what, how, which part of it, and where to
pub fn warp_rows(
    src: View<'_>,
    affine: Affine,
    full: (usize, usize),
    window: Rect,
    method: Interpolation,
    value: [u8; 4],
    scratch: &mut Scratch,
    mut row: impl FnMut(usize, &[u8]),
) {
    assert!(
        window.x + window.width <= full.0 && window.y + window.height <= full.1,
        "{window:?} leaves the canvas of {full:?}"
    );
    let job = Job {
        src,
        grid: Grid::new(affine),
        window,
        value,
    };
    match src.channels {
        1 => job.run::<1>(method, scratch, &mut row),
        3 => job.run::<3>(method, scratch, &mut row),
        4 => job.run::<4>(method, scratch, &mut row),
        channels => panic!("pixels of {channels} channels cannot be warped"),
    }
}

impl Job<'_> {
    fn run<const C: usize>(&self, method: Interpolation, scratch: &mut Scratch, sink: Sink<'_>) {
        let Scratch {
            lines,
            linear,
            cubic,
            lanczos,
        } = scratch;
        match method {
            Interpolation::Nearest | Interpolation::NearestExact => {
                self.rows::<C>(&Nearest, lines, sink);
            }
            Interpolation::Linear | Interpolation::Area | Interpolation::Antialias => {
                self.rows::<C>(linear.filled(weights::linear), lines, sink);
            }
            Interpolation::Cubic => self.rows::<C>(cubic.filled(kernel::cubic), lines, sink),
            Interpolation::Lanczos4 => {
                self.rows::<C>(lanczos.filled(kernel::lanczos4), lines, sink);
            }
        }
    }

    fn rows<const C: usize>(&self, sampler: &impl Sampler, lines: &mut Lines, sink: Sink<'_>) {
        let Lines { columns, row } = lines;
        let Rect { x, width, .. } = self.window;
        columns.clear();
        columns.extend((x..x + width).map(|x| self.grid.column(x)));
        row.resize(width * C, 0);
        let plane = Plane::<C>::new(self.src, self.value);
        for y in 0..self.window.height {
            let start = self.grid.row(self.window.y + y);
            for (pixel, &column) in row.as_chunks_mut().0.iter_mut().zip(&*columns) {
                *pixel = sampler.sample(&plane, start + column);
            }
            sink(y, row);
        }
    }
}

#[cfg(test)]
mod tests;
