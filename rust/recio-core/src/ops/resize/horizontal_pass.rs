//! Horizontal pass of linear, cubic and Lanczos interpolation: a source row → a row as wide as the
//! window.

use std::ops::Range;

use super::axis::Taps;
use super::shuffle::STEP;
use super::simd::Gather;
use super::spread::Spread;

/// Taps of the window's columns, for the scalar loop and for the vector kernel.
#[derive(Debug)]
pub(super) struct HorizontalPass<const N: usize> {
    /// Positions are in samples, not pixels.
    columns: Vec<Taps<N>>,
    gather: Gather<N>,
    spread: Spread<N>,
}

impl<const N: usize> Default for HorizontalPass<N> {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            gather: Gather::default(),
            spread: Spread::default(),
        }
    }
}

/// Type of a sample between the two passes: a sum with 11 fraction bits, possibly truncated.
pub(super) trait Intermediate: Copy + Default {
    fn from_sum(sum: i32) -> Self;

    /// Compute a row with the vector kernel; return `false` if the kernel does not apply.
    fn gather<const N: usize>(gather: &Gather<N>, source: &[u8], out: &mut [Self]) -> bool;

    /// Compute the columns of the other vector kernel.
    fn spread<const C: usize, const N: usize>(spread: &Spread<N>, source: &[u8], out: &mut [Self]);
}

impl Intermediate for i16 {
    /// Seven fraction bits: a sample of 255 just fits.
    fn from_sum(sum: i32) -> Self {
        (sum >> 4) as i16
    }

    fn gather<const N: usize>(gather: &Gather<N>, source: &[u8], out: &mut [Self]) -> bool {
        gather.to_i16(source, out)
    }

    fn spread<const C: usize, const N: usize>(spread: &Spread<N>, source: &[u8], out: &mut [Self]) {
        spread.to_i16::<C>(source, out);
    }
}

impl Intermediate for i32 {
    fn from_sum(sum: i32) -> Self {
        sum
    }

    fn gather<const N: usize>(gather: &Gather<N>, source: &[u8], out: &mut [Self]) -> bool {
        gather.to_i32(source, out)
    }

    fn spread<const C: usize, const N: usize>(spread: &Spread<N>, source: &[u8], out: &mut [Self]) {
        spread.to_i32::<C>(source, out);
    }
}

impl<const N: usize> HorizontalPass<N> {
    /// Prepare for rows of `width` pixels; the columns' taps are in pixels.
    pub(super) fn prepare<const C: usize>(
        &mut self,
        columns: impl Iterator<Item = Taps<N>>,
        width: usize,
    ) {
        self.columns.clear();
        self.columns.extend(columns.map(|taps| Taps {
            at: taps.at.map(|at| at * C),
            ..taps
        }));
        if !self.gather.prepare::<C>(&self.columns, width * C) {
            self.spread.prepare::<C>(&self.columns, width * C);
        }
    }

    /// Return the length of an output row in samples; those after the window are padding.
    pub(super) fn length<const C: usize>(&self) -> usize {
        (self.columns.len() * C).next_multiple_of(STEP)
    }

    /// Resample a source row.
    pub(super) fn run<const C: usize, T: Intermediate>(&self, source: &[u8], out: &mut [T]) {
        if T::gather(&self.gather, source, out) {
            return;
        }
        T::spread::<C, N>(&self.spread, source, out);
        let done = self.spread.columns();
        self.scalar::<C, T>(0..done.start, source, out);
        self.scalar::<C, T>(done.end..self.columns.len(), source, out);
    }

    fn scalar<const C: usize, T: Intermediate>(
        &self,
        columns: Range<usize>,
        source: &[u8],
        out: &mut [T],
    ) {
        let pixels = &mut out.as_chunks_mut::<C>().0[columns.clone()];
        for (pixel, taps) in pixels.iter_mut().zip(&self.columns[columns]) {
            let mut sum = [0; C];
            for (&at, &weight) in taps.at.iter().zip(&taps.weight) {
                let samples = &source[at..at + C];
                for c in 0..C {
                    sum[c] += i32::from(weight) * i32::from(samples[c]);
                }
            }
            *pixel = sum.map(T::from_sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Axis;
    use super::*;

    fn paths_agree<
        const C: usize,
        const N: usize,
        T: Intermediate + PartialEq + std::fmt::Debug,
    >() {
        let weights = std::array::from_fn(|k| 0.3 * k as f32 - 0.2);
        for (width, target) in [
            (1, 5),
            (16, 9),
            (17, 40),
            (100, 100),
            (100, 61),
            (100, 7),
            (1000, 32),
            (1000, 1),
        ] {
            let axis = Axis::new(width, target);
            let taps = |x| axis.taps(axis.center(x).0, weights);
            let mut horizontal = HorizontalPass::<N>::default();
            horizontal.prepare::<C>((0..target).map(taps), width);
            let source: Vec<u8> = (0..width * C).map(|at| (at * at * 7) as u8).collect();
            let mut rows = [(); 2].map(|()| vec![T::default(); horizontal.length::<C>()]);
            horizontal.run::<C, T>(&source, &mut rows[0]);
            horizontal.scalar::<C, T>(0..target, &source, &mut rows[1]);
            assert_eq!(rows[0][..target * C], rows[1][..target * C]);
        }
    }

    #[test]
    fn the_vector_kernel_equals_the_scalar_loop() {
        paths_agree::<1, 2, i16>();
        paths_agree::<3, 2, i16>();
        paths_agree::<4, 2, i16>();
        paths_agree::<1, 4, i32>();
        paths_agree::<3, 4, i32>();
        paths_agree::<4, 8, i32>();
    }
}
