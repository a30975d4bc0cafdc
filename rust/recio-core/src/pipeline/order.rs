//! Which record stands where in an epoch.

use std::ops::Range;

use crate::plan::Stream;

/// Tells the stream of an epoch's order from those of its samples, which are numbered from 0.
const ORDER: u64 = u64::MAX;

/// The order of one epoch.
#[derive(Debug, Clone)]
pub(super) struct Order {
    part: Range<usize>,
    shuffled: Option<Vec<u32>>,
}

impl Order {
    /// The records of `part`, as they stand or, with a seed, in the order of this epoch.
    pub(super) fn new(part: Range<usize>, seed: Option<u64>, epoch: u64) -> Self {
        let shuffled =
            seed.map(|seed| Stream::new(seed, epoch, ORDER).permutation(part.len() as u32));
        Self { part, shuffled }
    }

    /// The record at `place`.
    pub(super) fn record(&self, place: usize) -> usize {
        let place = self
            .shuffled
            .as_ref()
            .map_or(place, |order| order[place] as usize);
        self.part.start + place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(seed: Option<u64>, epoch: u64) -> Vec<usize> {
        let order = Order::new(10..20, seed, epoch);
        (0..10).map(|place| order.record(place)).collect()
    }

    #[test]
    fn an_epoch_has_every_record_of_the_part_once() {
        let mut all = epoch(Some(1), 0);
        assert_ne!(all, (10..20).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (10..20).collect::<Vec<_>>());
        assert_eq!(epoch(None, 3), all);
    }

    #[test]
    fn seed_and_epoch_make_the_order() {
        assert_eq!(epoch(Some(1), 4), epoch(Some(1), 4));
        assert_ne!(epoch(Some(1), 4), epoch(Some(1), 5));
        assert_ne!(epoch(Some(1), 4), epoch(Some(2), 4));
    }
}
