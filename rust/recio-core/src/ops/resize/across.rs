//! The horizontal pass of the methods that weigh neighbours: one source row → one row as wide as the window.

use super::axis::Taps;
use super::pairs::STEP;
use super::simd::Gather;

/// The taps of the window's columns, for the plain loop and for the vector kernel.
#[derive(Debug)]
pub(super) struct Across<const N: usize> {
    /// In samples, not pixels.
    columns: Vec<Taps<N>>,
    gather: Gather<N>,
}

impl<const N: usize> Default for Across<N> {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            gather: Gather::default(),
        }
    }
}

/// A sample between the passes: a sum with 11 fraction bits, or what is kept of it.
pub(super) trait Partial: Copy + Default {
    fn from_sum(sum: i32) -> Self;

    /// Makes a row with the vector kernel; `false` if that does not apply.
    fn gather<const N: usize>(gather: &Gather<N>, source: &[u8], out: &mut [Self]) -> bool;
}

impl Partial for i16 {
    /// Seven fraction bits: a sample of 255 just fits.
    fn from_sum(sum: i32) -> Self {
        (sum >> 4) as i16
    }

    fn gather<const N: usize>(gather: &Gather<N>, source: &[u8], out: &mut [Self]) -> bool {
        gather.narrow(source, out)
    }
}

impl Partial for i32 {
    fn from_sum(sum: i32) -> Self {
        sum
    }

    fn gather<const N: usize>(gather: &Gather<N>, source: &[u8], out: &mut [Self]) -> bool {
        gather.wide(source, out)
    }
}

impl<const N: usize> Across<N> {
    /// Takes the columns' taps, in pixels, for rows of `width` pixels.
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
        self.gather.prepare::<C>(&self.columns, width * C);
    }

    /// The samples in a row that this makes; those beyond the window mean nothing.
    pub(super) fn length<const C: usize>(&self) -> usize {
        (self.columns.len() * C).next_multiple_of(STEP)
    }

    /// Resamples a source row.
    pub(super) fn run<const C: usize, T: Partial>(&self, source: &[u8], out: &mut [T]) {
        if !T::gather(&self.gather, source, out) {
            self.plain::<C, T>(source, out);
        }
    }

    fn plain<const C: usize, T: Partial>(&self, source: &[u8], out: &mut [T]) {
        for (pixel, taps) in out.as_chunks_mut::<C>().0.iter_mut().zip(&self.columns) {
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

    fn paths_agree<const C: usize, const N: usize, T: Partial + PartialEq + std::fmt::Debug>() {
        let weights = std::array::from_fn(|k| 0.3 * k as f32 - 0.2);
        for (width, target) in [(1, 5), (16, 9), (17, 40), (100, 100), (100, 61), (100, 7)] {
            let axis = Axis::new(width, target);
            let taps = |x| axis.taps(axis.centre(x).0, weights);
            let mut across = Across::<N>::default();
            across.prepare::<C>((0..target).map(taps), width);
            let source: Vec<u8> = (0..width * C).map(|at| (at * at * 7) as u8).collect();
            let mut rows = [(); 2].map(|()| vec![T::default(); across.length::<C>()]);
            across.run::<C, T>(&source, &mut rows[0]);
            across.plain::<C, T>(&source, &mut rows[1]);
            assert_eq!(rows[0][..target * C], rows[1][..target * C]);
        }
    }

    #[test]
    fn the_vector_kernel_equals_the_plain_loop() {
        paths_agree::<1, 2, i16>();
        paths_agree::<3, 2, i16>();
        paths_agree::<4, 2, i16>();
        paths_agree::<1, 4, i32>();
        paths_agree::<3, 4, i32>();
        paths_agree::<4, 8, i32>();
    }
}
