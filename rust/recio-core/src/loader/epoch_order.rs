//! Epoch order: the permutation of each epoch.

use std::ops::Range;
use std::sync::Arc;

use crate::loader::keyed_permutation::KeyedPermutation;
use crate::rng::Rng;

/// Sample number of the random stream of an epoch's order; those of samples are numbered from 0.
const ORDER: u64 = u64::MAX;

/// Samples up to which a permutation is a table, which has all permutations: 256 KiB. With more,
/// it is computed.
const MAX_TABLE: usize = 1 << 16;

/// The order of one epoch.
#[derive(Debug, Clone)]
pub(super) struct EpochOrder {
    shard: Range<usize>,
    shuffled: Shuffled,
}

#[derive(Debug, Clone)]
enum Shuffled {
    No,
    Table(Vec<u32>),
    Keyed(KeyedPermutation),
}

impl EpochOrder {
    /// The samples of `shard`, in their own order or, with a seed, permuted for this epoch.
    pub(super) fn new(shard: Range<usize>, seed: Option<u64>, epoch: u64) -> Self {
        let len = shard.len();
        let shuffled = match seed.map(|seed| Rng::new(seed, epoch, ORDER)) {
            None => Shuffled::No,
            Some(mut rng) if len <= MAX_TABLE => Shuffled::Table(rng.permutation(len as u32)),
            Some(mut rng) => Shuffled::Keyed(KeyedPermutation::new(len as u64, &mut rng)),
        };
        Self { shard, shuffled }
    }

    /// Returns the sample at an index of the order.
    pub(super) fn sample(&self, index: usize) -> usize {
        let number = match &self.shuffled {
            Shuffled::No => index,
            Shuffled::Table(table) => table[index] as usize,
            Shuffled::Keyed(permutation) => permutation.at(index as u64) as usize,
        };
        self.shard.start + number
    }
}

/// Orders kept: those of two epochs in production, and of one that is left over from.
const KEPT: usize = 3;

/// The orders of the epochs in production.
#[derive(Debug, Default)]
pub(super) struct OrderCache(Vec<(u64, Arc<EpochOrder>)>);

impl OrderCache {
    /// Returns the order of an epoch, computing it if it is not kept.
    pub(super) fn get(
        &mut self,
        epoch: u64,
        compute: impl FnOnce() -> EpochOrder,
    ) -> Arc<EpochOrder> {
        if let Some((_, order)) = self.0.iter().find(|(of, _)| *of == epoch) {
            return Arc::clone(order);
        }
        let order = Arc::new(compute());
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
        (0..10).map(|index| order.sample(index)).collect()
    }

    #[test]
    fn an_epoch_has_every_sample_of_the_shard_once() {
        let mut all = epoch(Some(1), 0);
        assert_ne!(all, (10..20).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (10..20).collect::<Vec<_>>());
        assert_eq!(epoch(None, 3), all);
    }

    #[test]
    fn large_shards_are_shuffled_too() {
        for len in [MAX_TABLE, MAX_TABLE + 1] {
            let order = EpochOrder::new(10..10 + len, Some(1), 0);
            let mut all: Vec<usize> = (0..len).map(|index| order.sample(index)).collect();
            assert!(all[..100].iter().filter(|&&sample| sample < 110).count() < 10);
            all.sort_unstable();
            assert!(all.into_iter().eq(10..10 + len));
        }
    }

    #[test]
    fn seed_and_epoch_determine_the_order() {
        assert_eq!(epoch(Some(1), 4), epoch(Some(1), 4));
        assert_ne!(epoch(Some(1), 4), epoch(Some(1), 5));
        assert_ne!(epoch(Some(1), 4), epoch(Some(2), 4));
    }
}
