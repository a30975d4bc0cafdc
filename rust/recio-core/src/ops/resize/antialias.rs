//! Antialiased linear interpolation: a target pixel is the mean of the source pixels around it, weighed by a triangle whose
//! half width is the distance of two target pixels, or of two source pixels where it enlarges.
//!
//! Of 8 bits it is Pillow's `resize` with `BILINEAR` (libImaging/Resample.c), bit for bit: the weights, made in doubles,
//! have 22 fraction bits; across comes first, and gives whole levels; then down. (Pillow 13 begins with down where the image
//! loses more than twice as many rows as columns: then they are a level apart at most.)
//!
//! Tried, in milliseconds, to 224×224×3 on one core of an AMD EPYC (`cargo bench -p recio-benches -- resize/Antialias`):
//!
//! |                                        | 340×300 | 500×375 | 1000×750 | 2048×1536 |
//! |----------------------------------------|---------|---------|----------|-----------|
//! | plain loops, AVX2 down only            |   0.376 |   0.559 |     1.79 |      4.68 |
//! | with the vector kernel across          |   0.115 |   0.171 |     0.63 |      2.36 |
//! | this, and down two rows at a time      |   0.160 |   0.210 |     0.76 |      2.53 |
//! | Pillow 13.0                            |   0.519 |   0.766 |     2.31 |      7.99 |
//!
//! Channels do not mix: Pillow multiplies colors by their alpha first, and OpenCV, whom all other methods follow, does not.

use std::ops::Range;

use super::area::Part;
use super::axis::Axis;
use super::pairs::STEP;
use super::rows::Rows;
use super::simd::{FINE, FineGather, vectorise};
use super::{Job, Sink};
use crate::image::RowSource;

/// One half of a level.
const HALF: i32 = 1 << (FINE - 1);

/// The columns, the weights of one target row, and the source rows in use.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    across: Across,
    down: Vec<i32>,
    rows: Rows<u8>,
    sums: Vec<i32>,
}

pub(super) fn run<const C: usize>(
    job: &Job,
    src: &mut dyn RowSource,
    scratch: &mut Scratch,
    row: &mut [u8],
    sink: Sink<'_>,
) {
    let Scratch {
        across,
        down,
        rows,
        sums,
    } = scratch;
    across.prepare::<C>(job);
    rows.reset(most(job.y, job.rows()), row.len());
    sums.resize(row.len(), 0);
    for (y, target) in job.rows().enumerate() {
        let triangle = Triangle::new(job.y, target);
        down.clear();
        down.extend(triangle.fixed());
        for at in triangle.span.clone() {
            rows.ensure(at, |out| across.run::<C>(src.row(at), out));
        }
        let sources = triangle.span.map(|at| rows.get(at));
        weigh(sources.zip(down.iter().copied()), sums, row);
        sink(y, row);
    }
}

/// The weighted mean of rows.
fn weigh<'a>(rows: impl Iterator<Item = (&'a [u8], i32)>, sums: &mut [i32], row: &mut [u8]) {
    vectorise(|| {
        sums.fill(HALF);
        for (samples, weight) in rows {
            for (sum, &sample) in sums.iter_mut().zip(samples) {
                *sum += weight * i32::from(sample);
            }
        }
        for (sample, &sum) in row.iter_mut().zip(&*sums) {
            *sample = (sum >> FINE) as u8;
        }
    });
}

/// Appends the parts of a target pixel, in floats.
pub(super) fn split(axis: Axis, target: usize, parts: &mut Vec<Part>) {
    let triangle = Triangle::new(axis, target);
    let shares = triangle.shares().map(|share| share as f32);
    parts.extend(
        triangle
            .span
            .clone()
            .zip(shares)
            .map(|(at, share)| Part { at, share }),
    );
}

/// The first and the last source pixel under a target pixel's triangle.
pub(super) fn reach(axis: Axis, target: usize) -> (usize, usize) {
    let span = Triangle::new(axis, target).span;
    (span.start, span.end - 1)
}

/// The most source pixels that one of these target pixels is made of.
fn most(axis: Axis, targets: Range<usize>) -> usize {
    let counts = targets.map(|target| Triangle::new(axis, target).span.len());
    counts.max().unwrap_or_default()
}

/// The source pixels that a target pixel is made of, and how they are weighed. The order of the operations is Pillow's.
struct Triangle {
    centre: f64,
    /// The slope of its sides.
    slope: f64,
    span: Range<usize>,
}

impl Triangle {
    fn new(axis: Axis, target: usize) -> Self {
        let scale = axis.quotient();
        let centre = (target as f64 + 0.5) * scale;
        let half = scale.max(1.0);
        // What is below 0 becomes 0.
        let first = (centre - half + 0.5) as usize;
        let end = (centre + half + 0.5) as usize;
        Self {
            centre,
            slope: 1.0 / half,
            span: first..end.min(axis.source),
        }
    }

    fn height(&self, at: usize) -> f64 {
        let distance = (at as f64 - self.centre + 0.5) * self.slope;
        (1.0 - distance.abs()).max(0.0)
    }

    /// The weights, whose sum is 1.
    fn shares(&self) -> impl Iterator<Item = f64> {
        let heights = self.span.clone().map(|at| self.height(at));
        let sum: f64 = heights.clone().sum();
        heights.map(move |height| height / sum)
    }

    fn fixed(&self) -> impl Iterator<Item = i32> {
        self.shares()
            .map(|share| (share * f64::from(1 << FINE) + 0.5) as i32)
    }
}

/// The horizontal pass: one source row → one row of whole levels, as wide as the window.
#[derive(Debug, Default)]
struct Across {
    /// How many weights a column has; those beyond its own are 0.
    taps: usize,
    weights: Vec<i32>,
    /// The first sample of each column's first source pixel.
    first: Vec<usize>,
    gather: FineGather,
    /// How many samples the vector kernel makes for a pixel, if it applies.
    lanes: Option<usize>,
    /// What it has made, where that is more than there are channels.
    wide: Vec<u8>,
}

/// Samples of a pixel for which the vector kernel always finds the sources in one load: one load's.
const WIDE: usize = 4;

impl Across {
    fn prepare<const C: usize>(&mut self, job: &Job) {
        self.taps = most(job.x, job.columns());
        self.weights.clear();
        self.first.clear();
        for (x, target) in job.columns().enumerate() {
            let triangle = Triangle::new(job.x, target);
            self.first.push(triangle.span.start * C);
            self.weights.extend(triangle.fixed());
            self.weights.resize((x + 1) * self.taps, 0);
        }
        self.wide
            .resize((self.first.len() * WIDE).next_multiple_of(STEP), 0);
        let length = job.x.source * C;
        let mut lanes = [C, WIDE].into_iter();
        self.lanes = lanes.find(|&lanes| self.prepare_kernel::<C>(lanes, length));
    }

    /// Prepares the vector kernel for making so many samples a pixel, the last channel repeated; `false` if it does not
    /// apply.
    fn prepare_kernel<const C: usize>(&mut self, lanes: usize, length: usize) -> bool {
        let Self {
            taps,
            weights,
            first,
            gather,
            ..
        } = self;
        let tap = |sample: usize, k: usize| {
            let (x, c) = (sample / lanes, (sample % lanes).min(C - 1));
            let weight = if k < *taps { weights[x * *taps + k] } else { 0 };
            ((first[x] + k * C).min(length - C) + c, weight)
        };
        gather.prepare((first.len() * lanes, *taps), length, tap)
    }

    fn run<const C: usize>(&mut self, source: &[u8], out: &mut [u8]) {
        match self.lanes {
            None => self.plain::<C>(source, out),
            Some(lanes) if lanes == C => self.gather.levels(source, out),
            Some(_) => {
                self.gather.levels(source, &mut self.wide);
                let pixels = out.as_chunks_mut::<C>().0.iter_mut();
                for (pixel, wide) in pixels.zip(self.wide.as_chunks::<WIDE>().0) {
                    pixel.copy_from_slice(&wide[..C]);
                }
            }
        }
    }

    fn plain<const C: usize>(&self, source: &[u8], out: &mut [u8]) {
        let columns = self.first.iter().zip(self.weights.chunks_exact(self.taps));
        for (pixel, (&first, weights)) in out.as_chunks_mut::<C>().0.iter_mut().zip(columns) {
            let mut sums = [HALF; C];
            for (samples, &weight) in source[first..].as_chunks::<C>().0.iter().zip(weights) {
                for c in 0..C {
                    sums[c] += weight * i32::from(samples[c]);
                }
            }
            *pixel = sums.map(|sum| (sum >> FINE) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Interpolation, resize};
    use super::*;
    use crate::image::{Rect, View};
    use crate::ops::vectors::noise;

    /// Computed with Pillow 13, across before down: gray, 7×4.
    #[test]
    fn the_pixels_are_pillows() {
        #[rustfmt::skip]
        let source = [
            0, 255, 10, 200, 90, 30, 250,
            5, 0, 255, 128, 64, 77, 3,
            99, 12, 0, 255, 255, 1, 200,
            7, 8, 9, 250, 13, 254, 17,
        ];
        let resized = |width, height| {
            let source = View::new(&source, 7, 4, 1);
            resize(source, width, height, Interpolation::Antialias).data
        };
        assert_eq!(resized(3, 2), [77, 133, 90, 29, 143, 111]);
        let across = [111, 123, 121, 56, 132, 48, 41, 166, 126, 8, 124, 118];
        assert_eq!(resized(3, 4), across);
        #[rustfmt::skip]
        let down = [
            1, 179, 83, 178, 82, 44, 176,
            52, 6, 128, 192, 160, 39, 102,
            35, 9, 6, 251, 86, 178, 72,
        ];
        assert_eq!(resized(7, 3), down);
        let mixed = [
            [16, 68, 112, 113, 155, 151, 100, 60, 87, 137],
            [46, 26, 16, 39, 167, 196, 124, 122, 108, 93],
        ];
        assert_eq!(resized(10, 2), mixed.as_flattened());
        assert_eq!(
            resized(9, 6)[..9],
            [0, 170, 146, 52, 200, 114, 57, 103, 250]
        );
        assert_eq!(resized(1, 1), [105]);
    }

    fn paths_agree<const C: usize>() {
        for (width, target) in [
            (1, 5),
            (16, 9),
            (17, 40),
            (100, 100),
            (100, 61),
            (100, 7),
            (900, 3),
        ] {
            let job = Job::new((width, 1), (target, 1), Rect::of_size(target, 1)).unwrap();
            let mut across = Across::default();
            across.prepare::<C>(&job);
            let source = noise(width, 1, C).data;
            let mut rows = [(); 2].map(|()| vec![0; (target * C).next_multiple_of(STEP)]);
            across.run::<C>(&source, &mut rows[0]);
            across.plain::<C>(&source, &mut rows[1]);
            assert_eq!(
                rows[0][..target * C],
                rows[1][..target * C],
                "{width} to {target}"
            );
        }
    }

    #[test]
    fn the_vector_kernel_equals_the_plain_loop() {
        paths_agree::<1>();
        paths_agree::<3>();
        paths_agree::<4>();
    }

    #[test]
    fn the_weights_of_a_pixel_sum_to_one_and_are_not_below_zero() {
        for (source, target) in [(5, 2), (300, 224), (7, 1), (1, 9), (224, 300), (4096, 3)] {
            for at in 0..target {
                let triangle = Triangle::new(Axis::new(source, target), at);
                let weights: Vec<i32> = triangle.fixed().collect();
                let off = weights.iter().sum::<i32>() - (1 << FINE);
                assert!(
                    off.unsigned_abs() as usize <= weights.len(),
                    "{source} to {target}, {at}: {off}"
                );
                assert!(weights.iter().all(|&weight| weight >= 0));
            }
        }
    }
}
