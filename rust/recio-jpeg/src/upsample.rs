//! Subsampled components back to the picture's size, row by row (ITU-T T.81, A.1.1 leaves it to the decoder).
//!
//! What libjpeg calls fancy upsampling, a triangle filter: a new sample is three quarters of the nearest one and a quarter
//! of the next nearest, across, down, or both. Other ratios repeat samples, and so do components of one or two columns,
//! whose neighbours libjpeg does not look at. Ties round up and down in turn, as libjpeg has it.
//!
//! Rows come with one sample more on either side: the neighbour, or at a border the border's own sample once more, which
//! makes borders no special case.
//!
//! Plain loops, compiled once more for AVX2: pairs of samples are written as numbers of 16 bits, which the compiler
//! vectorises. Of ARM's 64-bit CPUs all have NEON, so there the compiler uses it as it is.

use crate::cpu::{Kind, Level};

/// How a component gets to the picture's size.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upsampling {
    /// It has that size.
    #[default]
    None,
    /// Triangle filter across.
    Across,
    /// Triangle filter down.
    Down,
    /// Triangle filter across and down.
    Both,
    /// Each sample so many times, across and down.
    Repeat(usize, usize),
}

impl Upsampling {
    /// libjpeg's choice for a component that is `width` samples wide and is enlarged so many times, of a picture whose
    /// blocks are `size` pixels wide.
    pub(crate) fn choose(ratios: (usize, usize), width: usize, size: usize) -> Self {
        let is_fancy = size > 1;
        match ratios {
            (1, 1) => Self::None,
            (2, 1) if is_fancy && width > 2 => Self::Across,
            (2, 2) if is_fancy && width > 2 => Self::Both,
            (1, 2) if is_fancy => Self::Down,
            (across, down) => Self::Repeat(across, down),
        }
    }

    /// How many times the component is enlarged, across and down.
    pub(crate) fn ratios(self) -> (usize, usize) {
        match self {
            Self::None => (1, 1),
            Self::Across => (2, 1),
            Self::Down => (1, 2),
            Self::Both => (2, 2),
            Self::Repeat(across, down) => (across, down),
        }
    }

    /// The component's rows that row `y` of the picture is made of, the nearest first. `rows` is how many there are.
    pub(crate) fn rows(self, y: usize, rows: usize) -> [usize; 2] {
        match self {
            Self::None | Self::Across => [y, y],
            Self::Repeat(_, down) => [y / down; 2],
            Self::Down | Self::Both if y.is_multiple_of(2) => [y / 2, (y / 2).saturating_sub(1)],
            Self::Down | Self::Both => [y / 2, (y / 2 + 1).min(rows - 1)],
        }
    }

    /// Whether samples beside the pixel's own are looked at.
    pub(crate) fn looks_aside(self) -> bool {
        matches!(self, Self::Across | Self::Both)
    }
}

/// Runs a kernel for whole rows, in a version compiled for the level. What `work` calls must be inlined to gain by it.
#[inline]
fn vectorise(level: Level, work: impl FnOnce()) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2(work: impl FnOnce()) {
            work();
        }
        if level.kind() == Kind::Avx2 {
            // SAFETY: the level says that the CPU has AVX2, and the function needs no more.
            #[allow(unsafe_code)]
            return unsafe { with_avx2(work) };
        }
    }
    let _: Kind = level.kind();
    work();
}

/// Doubles a row across: `row` has a sample more on either side.
pub(crate) fn across(level: Level, row: &[u8], out: &mut [u8]) {
    let n = out.len() / 2;
    let [left, here, right] = [0, 1, 2].map(|shift| &row[shift..][..n]);
    vectorise(level, || {
        let neighbours = left.iter().zip(here).zip(right);
        for (pair, ((&left, &here), &right)) in out.as_chunks_mut().0.iter_mut().zip(neighbours) {
            let three = 3 * u16::from(here);
            *pair = joined(
                (three + u16::from(left) + 1) >> 2,
                (three + u16::from(right) + 2) >> 2,
            );
        }
    });
}

/// Makes a row between two.
pub(crate) fn down(level: Level, [near, far]: [&[u8]; 2], is_upper: bool, out: &mut [u8]) {
    let round = if is_upper { 1 } else { 2 };
    vectorise(level, || {
        for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
            *out = ((3 * u16::from(near) + u16::from(far) + round) >> 2) as u8;
        }
    });
}

/// Doubles across a row between two. The rows have a sample more on either side; `sums` is memory.
pub(crate) fn both(level: Level, [near, far]: [&[u8]; 2], sums: &mut Vec<u16>, out: &mut [u8]) {
    let n = out.len() / 2;
    sums.resize(n + 2, 0);
    let sums = &mut sums[..n + 2];
    vectorise(level, || {
        for ((sum, &near), &far) in sums.iter_mut().zip(near).zip(far) {
            *sum = 3 * u16::from(near) + u16::from(far);
        }
        let [left, here, right] = [0, 1, 2].map(|shift| &sums[shift..][..n]);
        let neighbours = left.iter().zip(here).zip(right);
        for (pair, ((&left, &here), &right)) in out.as_chunks_mut().0.iter_mut().zip(neighbours) {
            *pair = joined((3 * here + left + 8) >> 4, (3 * here + right + 7) >> 4);
        }
    });
}

/// Repeats each sample of a row.
pub(crate) fn repeat(row: &[u8], times: usize, out: &mut [u8]) {
    for (out, &sample) in out.chunks_mut(times).zip(row) {
        out.fill(sample);
    }
}

/// Two samples, side by side.
#[inline]
fn joined(left: u16, right: u16) -> [u8; 2] {
    (left | right << 8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_across_takes_three_parts_of_the_nearest() {
        let mut out = [0; 6];
        across(Level::PLAIN, &[10, 10, 20, 41, 41], &mut out);
        assert_eq!(out, [10, 13, 17, 25, 36, 41]);
    }

    #[test]
    fn rows_between_round_down_above_and_up_below() {
        let mut out = [0; 2];
        down(Level::PLAIN, [&[10, 0], &[12, 2]], true, &mut out);
        assert_eq!(out, [10, 0]);
        down(Level::PLAIN, [&[10, 0], &[12, 2]], false, &mut out);
        assert_eq!(out, [11, 1]);
    }

    #[test]
    fn doubling_both_ways_weighs_nine_three_three_one() {
        let mut out = [0; 2];
        both(
            Level::PLAIN,
            [&[0, 160, 16], &[0, 0, 0]],
            &mut Vec::new(),
            &mut out,
        );
        // (9·160 + 8) / 16 and (9·160 + 3·16 + 7) / 16
        assert_eq!(out, [90, 93]);
    }

    #[test]
    fn all_levels_give_the_same_samples() {
        for n in [1, 2, 15, 16, 17, 31, 33, 100] {
            let rows =
                [7, 13].map(|step| (0..n + 2).map(|i| (i * i * step) as u8).collect::<Vec<_>>());
            let [near, far] = [&rows[0][..], &rows[1][..]];
            let run = |level| {
                let mut outs = [(); 3].map(|()| vec![0; 2 * n]);
                across(level, near, &mut outs[0]);
                both(level, [near, far], &mut Vec::new(), &mut outs[1]);
                down(level, [near, far], true, &mut outs[2][..n]);
                outs
            };
            assert_eq!(run(Level::best()), run(Level::PLAIN));
        }
    }

    #[test]
    fn borders_have_no_neighbours() {
        assert_eq!(Upsampling::Both.rows(0, 3), [0, 0]);
        assert_eq!(Upsampling::Both.rows(3, 3), [1, 2]);
        assert_eq!(Upsampling::Both.rows(5, 3), [2, 2]);
        assert_eq!(Upsampling::Repeat(4, 2).rows(5, 3), [2, 2]);
    }

    #[test]
    fn narrow_components_are_repeated() {
        assert_eq!(Upsampling::choose((2, 2), 2, 8), Upsampling::Repeat(2, 2));
        assert_eq!(Upsampling::choose((2, 2), 3, 8), Upsampling::Both);
        assert_eq!(Upsampling::choose((2, 1), 3, 1), Upsampling::Repeat(2, 1));
        assert_eq!(Upsampling::choose((1, 2), 1, 8), Upsampling::Down);
        assert_eq!(Upsampling::choose((4, 1), 9, 8), Upsampling::Repeat(4, 1));
    }
}
