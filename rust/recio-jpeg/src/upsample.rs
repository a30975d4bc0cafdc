//! Upsampling of component rows to the size of the image (left to the decoder by ITU-T T.81,
//! A.1.1).
//!
//! The ratio 2:1 uses libjpeg's "fancy upsampling", a triangle filter: a new sample is 3/4 of the
//! nearest sample and 1/4 of the next nearest, horizontally, vertically, or both. Other ratios
//! repeat samples, and so do components of one or two columns, for which libjpeg uses no neighbors.
//! Ties are rounded up and down alternately, as in libjpeg.
//!
//! Rows have one additional sample on each side: the neighbor or, at a border, the repeated border
//! sample. So borders are no special case.
//!
//! The loops are scalar code, compiled a second time for AVX2: pairs of samples are written as
//! 16-bit numbers, which compilers vectorize. All 64-bit ARM CPUs have NEON, so no second version
//! is needed there. A third version, for AVX-512, was no faster.

use crate::cpu::{InstructionSet, SimdLevel};

/// Upsampling method of a component.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upsampling {
    /// The component has the size of the image.
    #[default]
    None,
    /// Triangle filter, horizontally.
    H2V1,
    /// Triangle filter, vertically.
    H1V2,
    /// Triangle filter in both directions.
    H2V2,
    /// Repeat each sample, horizontally and vertically.
    Repeat(usize, usize),
}

impl Upsampling {
    /// Choose the method as libjpeg does. `factors` are the horizontal and vertical factors,
    /// `width` is the width of the component in samples, and `size` that of a transformed block of
    /// the image.
    pub(crate) fn choose(factors: (usize, usize), width: usize, size: usize) -> Self {
        let is_fancy = size > 1;
        match factors {
            (1, 1) => Self::None,
            (2, 1) if is_fancy && width > 2 => Self::H2V1,
            (2, 2) if is_fancy && width > 2 => Self::H2V2,
            (1, 2) if is_fancy => Self::H1V2,
            (horizontal, vertical) => Self::Repeat(horizontal, vertical),
        }
    }

    /// Return the horizontal and vertical factors.
    pub(crate) fn factors(self) -> (usize, usize) {
        match self {
            Self::None => (1, 1),
            Self::H2V1 => (2, 1),
            Self::H1V2 => (1, 2),
            Self::H2V2 => (2, 2),
            Self::Repeat(horizontal, vertical) => (horizontal, vertical),
        }
    }

    /// Return the two rows of the component from which row `y` of the image is made, the nearest
    /// first. `rows` is the component's number of rows.
    pub(crate) fn rows(self, y: usize, rows: usize) -> [usize; 2] {
        match self {
            Self::None | Self::H2V1 => [y, y],
            Self::Repeat(_, vertical) => [y / vertical; 2],
            Self::H1V2 | Self::H2V2 if y.is_multiple_of(2) => [y / 2, (y / 2).saturating_sub(1)],
            Self::H1V2 | Self::H2V2 => [y / 2, (y / 2 + 1).min(rows - 1)],
        }
    }

    /// Whether the samples to the left and right are needed.
    pub(crate) fn needs_neighbors(self) -> bool {
        matches!(self, Self::H2V1 | Self::H2V2)
    }
}

/// Run a kernel in a version compiled for the level. The functions that `work` calls must be
/// inlined.
#[inline]
fn vectorize(level: SimdLevel, work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2(work: impl FnOnce()) {
            work();
        }
        if matches!(
            level.instruction_set(),
            InstructionSet::Avx2 | InstructionSet::Avx512
        ) {
            // SAFETY: these `SimdLevel`s exist only on CPUs with AVX2, which is all that the
            // function needs.
            #[allow(unsafe_code)]
            return unsafe { with_avx2(work) };
        }
    }
    let _: InstructionSet = level.instruction_set();
    work();
}

/// Double a row horizontally. `row` has one additional sample on each side.
pub(crate) fn h2v1(level: SimdLevel, row: &[u8], out: &mut [u8]) {
    let n = out.len() / 2;
    let [left, center, right] = [0, 1, 2].map(|shift| &row[shift..][..n]);
    vectorize(level, || {
        let neighbors = left.iter().zip(center).zip(right);
        for (pair, ((&left, &center), &right)) in out.as_chunks_mut().0.iter_mut().zip(neighbors) {
            let three = 3 * u16::from(center);
            *pair = pack_pair(
                (three + u16::from(left) + 1) >> 2,
                (three + u16::from(right) + 2) >> 2,
            );
        }
    });
}

/// Interpolate a row between two rows.
pub(crate) fn h1v2(level: SimdLevel, [near, far]: [&[u8]; 2], is_upper: bool, out: &mut [u8]) {
    let round = if is_upper { 1 } else { 2 };
    vectorize(level, || {
        for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
            *out = ((3 * u16::from(near) + u16::from(far) + round) >> 2) as u8;
        }
    });
}

/// Double horizontally a row between two rows, which have one additional sample on each side.
/// `sums` is scratch memory.
pub(crate) fn h2v2(level: SimdLevel, [near, far]: [&[u8]; 2], sums: &mut Vec<u16>, out: &mut [u8]) {
    let n = out.len() / 2;
    sums.resize(n + 2, 0);
    let sums = &mut sums[..n + 2];
    vectorize(level, || {
        for ((sum, &near), &far) in sums.iter_mut().zip(near).zip(far) {
            *sum = 3 * u16::from(near) + u16::from(far);
        }
        let [left, center, right] = [0, 1, 2].map(|shift| &sums[shift..][..n]);
        let neighbors = left.iter().zip(center).zip(right);
        for (pair, ((&left, &center), &right)) in out.as_chunks_mut().0.iter_mut().zip(neighbors) {
            *pair = pack_pair((3 * center + left + 8) >> 4, (3 * center + right + 7) >> 4);
        }
    });
}

/// Repeat each sample of a row.
pub(crate) fn repeat(row: &[u8], times: usize, out: &mut [u8]) {
    for (out, &sample) in out.chunks_mut(times).zip(row) {
        out.fill(sample);
    }
}

/// Return two adjacent samples in order.
#[inline]
fn pack_pair(left: u16, right: u16) -> [u8; 2] {
    (left | right << 8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h2v1_weighs_three_to_one() {
        let mut out = [0; 6];
        h2v1(SimdLevel::SCALAR, &[10, 10, 20, 41, 41], &mut out);
        assert_eq!(out, [10, 13, 17, 25, 36, 41]);
    }

    #[test]
    fn h1v2_rounds_upper_rows_down_and_lower_rows_up() {
        let mut out = [0; 2];
        h1v2(SimdLevel::SCALAR, [&[10, 0], &[12, 2]], true, &mut out);
        assert_eq!(out, [10, 0]);
        h1v2(SimdLevel::SCALAR, [&[10, 0], &[12, 2]], false, &mut out);
        assert_eq!(out, [11, 1]);
    }

    #[test]
    fn h2v2_weighs_nine_three_three_one() {
        let mut out = [0; 2];
        h2v2(
            SimdLevel::SCALAR,
            [&[0, 160, 16], &[0, 0, 0]],
            &mut Vec::new(),
            &mut out,
        );
        // (9·160 + 8) / 16 and (9·160 + 3·16 + 7) / 16
        assert_eq!(out, [90, 93]);
    }

    #[test]
    fn all_simd_levels_produce_the_same_samples() {
        for n in [1, 2, 15, 16, 17, 31, 33, 100] {
            let rows =
                [7, 13].map(|step| (0..n + 2).map(|i| (i * i * step) as u8).collect::<Vec<_>>());
            let [near, far] = [&rows[0][..], &rows[1][..]];
            let run = |level| {
                let mut outs = [(); 3].map(|()| vec![0; 2 * n]);
                h2v1(level, near, &mut outs[0]);
                h2v2(level, [near, far], &mut Vec::new(), &mut outs[1]);
                h1v2(level, [near, far], true, &mut outs[2][..n]);
                outs
            };
            for level in SimdLevel::available() {
                assert_eq!(run(level), run(SimdLevel::SCALAR), "{level:?}");
            }
        }
    }

    #[test]
    fn borders_have_no_neighbours() {
        assert_eq!(Upsampling::H2V2.rows(0, 3), [0, 0]);
        assert_eq!(Upsampling::H2V2.rows(3, 3), [1, 2]);
        assert_eq!(Upsampling::H2V2.rows(5, 3), [2, 2]);
        assert_eq!(Upsampling::Repeat(4, 2).rows(5, 3), [2, 2]);
    }

    #[test]
    fn samples_of_narrow_components_are_repeated() {
        assert_eq!(Upsampling::choose((2, 2), 2, 8), Upsampling::Repeat(2, 2));
        assert_eq!(Upsampling::choose((2, 2), 3, 8), Upsampling::H2V2);
        assert_eq!(Upsampling::choose((2, 1), 3, 1), Upsampling::Repeat(2, 1));
        assert_eq!(Upsampling::choose((1, 2), 1, 8), Upsampling::H1V2);
        assert_eq!(Upsampling::choose((4, 1), 9, 8), Upsampling::Repeat(4, 1));
    }
}
