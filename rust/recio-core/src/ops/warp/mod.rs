//! Affine warping of 8-bit images, equal to OpenCV's `cv::warpAffine` with a constant border.
//!
//! [`warp_rows`] computes only a window of the canvas and emits it row by row, like
//! [`resize_rows`](super::resize::resize_rows). [`canvas`] builds the matrix of MXNet's
//! augmentation.
//!
//! The pixels are those of OpenCV 4.8.1, bit for bit: points are rounded to 1/32 pixel, and weights
//! to 15 fraction bits. OpenCV 5.0 uses other arithmetic, and its pixels differ.
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

/// Affine transformation: a 2×3 matrix that maps points of the source to points of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f32; 3]; 2]);

/// Tables and rows for warping. Reused, it makes later calls free of allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    buffers: RowBuffers,
    linear: Table<2>,
    cubic: Table<4>,
    lanczos: Table<8>,
}

/// Buffers as wide as the window.
#[derive(Debug, Default)]
struct RowBuffers {
    /// Offset of each column from the start of its row, in the source.
    columns: Vec<Point>,
    /// The emitted row.
    row: Vec<u8>,
}

/// Receives a row: its number within the window, and its samples.
type EmitRow<'a> = &'a mut dyn FnMut(usize, &[u8]);

/// Source, grid, window and border value of a warp. The same for every method.
struct Warp<'a> {
    src: View<'a>,
    grid: Grid,
    window: Rect,
    value: [u8; 4],
}

/// Warp `src` onto a canvas of size `full` (width, height), but compute only the pixels in
/// `window`: `row` receives the number of each of its rows, from 0 at the top, and the row's
/// `window.width × channels` samples.
///
/// `value` is the border's value for each channel. The pixels are those of warping the entire image
/// and cropping the result. `Area` and `Antialias` act as `Linear`. A matrix without an inverse
/// repeats the source's first pixel over the canvas, as in OpenCV.
///
/// # Panics
/// If the window leaves the canvas, or a pixel has other than 1, 3 or 4 channels.
#[allow(
    clippy::too_many_arguments,
    reason = "source, transformation, window, border and output"
)]
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
    let warp = Warp {
        src,
        grid: Grid::new(affine),
        window,
        value,
    };
    match src.channels {
        1 => warp.run::<1>(method, scratch, &mut row),
        3 => warp.run::<3>(method, scratch, &mut row),
        4 => warp.run::<4>(method, scratch, &mut row),
        channels => panic!("pixels of {channels} channels cannot be warped"),
    }
}

impl Warp<'_> {
    fn run<const C: usize>(&self, method: Interpolation, scratch: &mut Scratch, emit: EmitRow<'_>) {
        let Scratch {
            buffers,
            linear,
            cubic,
            lanczos,
        } = scratch;
        match method {
            Interpolation::Nearest | Interpolation::NearestExact => {
                self.emit_rows::<C>(&Nearest, buffers, emit);
            }
            Interpolation::Linear | Interpolation::Area | Interpolation::Antialias => {
                self.emit_rows::<C>(linear.filled(weights::linear), buffers, emit);
            }
            Interpolation::Cubic => self.emit_rows::<C>(cubic.filled(kernel::cubic), buffers, emit),
            Interpolation::Lanczos4 => {
                self.emit_rows::<C>(lanczos.filled(kernel::lanczos4), buffers, emit);
            }
        }
    }

    fn emit_rows<const C: usize>(
        &self,
        sampler: &impl Sampler,
        buffers: &mut RowBuffers,
        emit: EmitRow<'_>,
    ) {
        let RowBuffers { columns, row } = buffers;
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
            emit(y, row);
        }
    }
}

#[cfg(test)]
mod tests;
