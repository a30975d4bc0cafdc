//! Offsets of records, in 4 bytes each.

/// Records that share a base.
const BLOCK: usize = 4096;

/// Ascending offsets.
///
/// Records begin at multiples of 4, so the distance from the first one of a block of records is
/// kept as a number of words, in 32 bits. Where that is not possible, as after a file with another
/// length, all take 8 bytes.
#[derive(Debug)]
pub(super) enum Offsets {
    Compact {
        /// Offset of the first record of each block.
        bases: Vec<u64>,
        /// Distance of each record from its base, in words of 4 bytes.
        words: Vec<u32>,
    },
    Wide(Vec<u64>),
}

impl Offsets {
    pub(super) fn new(offsets: Vec<u64>) -> Self {
        let Some(words) = words(&offsets) else {
            return Self::Wide(offsets);
        };
        let bases = offsets.chunks(BLOCK).map(|block| block[0]).collect();
        Self::Compact { bases, words }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Compact { words, .. } => words.len(),
            Self::Wide(offsets) => offsets.len(),
        }
    }

    /// Returns the offset of a record; none after the last one.
    pub(super) fn get(&self, i: usize) -> Option<u64> {
        match self {
            Self::Compact { bases, words } => {
                let words = u64::from(*words.get(i)?);
                Some(bases[i / BLOCK] + 4 * words)
            }
            Self::Wide(offsets) => offsets.get(i).copied(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// Returns the number of offsets that are less than one.
    pub(super) fn count_before(&self, end: u64) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(|offset| offset < end) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Returns the distance of each offset from its base; none if one does not fit.
fn words(offsets: &[u64]) -> Option<Vec<u32>> {
    let mut words = Vec::with_capacity(offsets.len());
    for block in offsets.chunks(BLOCK) {
        for offset in block {
            let distance = offset - block[0];
            let is_aligned = distance.is_multiple_of(4);
            words.push(u32::try_from(distance / 4).ok().filter(|_| is_aligned)?);
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(offsets: &[u64], is_compact: bool) {
        let kept = Offsets::new(offsets.to_vec());
        assert_eq!(matches!(kept, Offsets::Compact { .. }), is_compact);
        assert!(kept.iter().eq(offsets.iter().copied()));
        assert_eq!((kept.len(), kept.get(offsets.len())), (offsets.len(), None));
        for end in [0, 1, 4000, 1 << 20, u64::MAX] {
            assert_eq!(
                kept.count_before(end),
                offsets.partition_point(|&o| o < end)
            );
        }
    }

    #[test]
    fn offsets_are_those_that_were_put_in() {
        check(&[], true);
        check(&[0], true);
        let many: Vec<u64> = (0..10_000).map(|i| 40 * i).collect();
        check(&many, true);
        let far: Vec<u64> = (0..10_000).map(|i| ((i / 5000) << 40) + 4 * i).collect();
        check(&far, false);
        let blocks: Vec<u64> = (0..10_000).map(|i| ((i / 4096) << 40) + 4 * i).collect();
        check(&blocks, true);
        let odd: Vec<u64> = (0..10).map(|i| 4 * i + u64::from(i > 5)).collect();
        check(&odd, false);
    }
}
