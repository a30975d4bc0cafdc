//! Which record stands where in an epoch.

use std::ops::Range;
use std::sync::Arc;

use crate::rng::Rng;

/// Tells the stream of an epoch's order from those of its samples, which are numbered from 0.
const ORDER: u64 = u64::MAX;

/// The order of one epoch.
#[derive(Debug, Clone)]
pub(super) struct EpochOrder {
    part: Range<usize>,
    shuffled: Option<Vec<u32>>,
}

impl EpochOrder {
    /// The records of `part`, as they stand or, with a seed, in the order of this epoch.
    pub(super) fn new(part: Range<usize>, seed: Option<u64>, epoch: u64) -> Self {
        let shuffled = seed.map(|seed| Rng::new(seed, epoch, ORDER).permutation(part.len() as u32));
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

/// How many orders are kept: of the two epochs that are being made, and of one that is left over from.
const KEPT: usize = 3;

/// The orders of the epochs that are being made.
#[derive(Debug, Default)]
pub(super) struct OrderCache(Vec<(u64, Arc<EpochOrder>)>);

impl OrderCache {
    /// The order of an epoch, made if it is not there.
    pub(super) fn of(&mut self, epoch: u64, make: impl FnOnce() -> EpochOrder) -> Arc<EpochOrder> {
        if let Some((_, order)) = self.0.iter().find(|(of, _)| *of == epoch) {
            return Arc::clone(order);
        }
        let order = Arc::new(make());
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push((epoch, Arc::clone(&order)));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(seed: Option<u64>, epoch: u64) -> Vec<usize> {
        let order = EpochOrder::new(10..20, seed, epoch);
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
