//! Epoch order: the permutation of each epoch.

use std::fmt::Debug;
use std::ops::{Range, RangeInclusive};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use crate::error::{Error, Result};
use crate::loader::epoch::Cursor;
use crate::loader::keyed_permutation::KeyedPermutation;
use crate::loader::lock::lock;
use crate::loader::read_ahead::Key;
use crate::memory;
use crate::rng::Rng;

/// Sample number of the random stream of an epoch's order; those of samples are numbered from 0.
const ORDER: u64 = u64::MAX;

/// Samples up to which a permutation is a table, which has all permutations: 256 KiB. With more,
/// it is computed.
const MAX_TABLE: usize = 1 << 16;

/// Bits of the epoch in the number that seeds the augmentation of a sample. Those above it hold the
/// repeats of the sample in the epoch, so that each has parameters of its own.
pub(super) const EPOCH_BITS: u32 = 40;

/// Sampler of the caller's: the samples of each epoch.
pub trait Sampler: Send + Sync + Debug {
    /// Returns the number of samples of every epoch.
    fn epoch_len(&self) -> usize;

    /// Returns the number of records that it was made for, if it knows that.
    fn records(&self) -> Option<usize>;

    /// Returns the samples of an epoch in order; they may repeat.
    ///
    /// # Errors
    /// An error of the caller's, or not as many samples as every epoch has.
    fn order(&self, epoch: u64) -> Result<Vec<u32>>;
}

/// The order of one epoch.
#[derive(Debug)]
enum EpochOrder {
    /// That of the samples of a shard.
    Ascending(Range<usize>),
    /// A permutation of the samples of a shard, as a table.
    Table(usize, Vec<u32>),
    /// A permutation of the samples of a shard, computed.
    Keyed(usize, KeyedPermutation),
    /// That of a sampler: samples, and how often each has come before, unless none repeats.
    Sampled(Vec<u32>, Option<Vec<u32>>),
}

impl EpochOrder {
    /// The samples of `shard`, in their own order or, with a seed, permuted for this epoch.
    fn of_shard(shard: Range<usize>, seed: Option<u64>, epoch: u64) -> Self {
        let len = shard.len();
        match seed.map(|seed| order_rng(seed, epoch)) {
            None => Self::Ascending(shard),
            Some(mut rng) if len <= MAX_TABLE => {
                Self::Table(shard.start, rng.permutation(len as u32))
            }
            Some(mut rng) => Self::Keyed(shard.start, KeyedPermutation::new(len as u64, &mut rng)),
        }
    }

    /// The samples that a sampler returned, of `records` there are.
    fn of_sampler(order: Vec<u32>, records: usize) -> Result<Self> {
        let mut seen = memory::filled(0_u32, records)?;
        let mut repeats = memory::filled(0_u32, order.len())?;
        let mut any = false;
        for (repeat, &sample) in repeats.iter_mut().zip(&order) {
            let Some(seen) = seen.get_mut(sample as usize) else {
                return Err(Error::argument(format!(
                    "the sampler returned record {sample}, but there are {records}, numbered from 0"
                )));
            };
            any |= *seen > 0;
            *repeat = *seen;
            *seen += 1;
        }
        Ok(Self::Sampled(order, any.then_some(repeats)))
    }

    /// Returns the sample at a position in an epoch of this order, and the number of the epoch for
    /// the seed of its augmentation.
    fn sample(&self, Cursor { epoch, index }: Cursor) -> (u64, usize) {
        match self {
            Self::Ascending(shard) => (epoch, shard.start + index),
            Self::Table(start, table) => (epoch, start + table[index] as usize),
            Self::Keyed(start, permutation) => {
                (epoch, start + permutation.at(index as u64) as usize)
            }
            Self::Sampled(samples, repeats) => {
                let repeat = repeats.as_ref().map_or(0, |repeats| repeats[index]);
                let epoch = epoch | u64::from(repeat) << EPOCH_BITS;
                (epoch, samples[index] as usize)
            }
        }
    }
}

/// Returns the random stream of an epoch's order.
pub(super) fn order_rng(seed: u64, epoch: u64) -> Rng {
    Rng::new(seed, epoch, ORDER)
}

/// The samples that orders are made of.
#[derive(Debug)]
pub(super) struct OrderedSamples {
    /// Number of records.
    pub(super) records: usize,
    /// The records that are samples, unless all are.
    pub(super) kept: Option<Vec<usize>>,
    /// The range of the samples that are in orders.
    pub(super) shard: Range<usize>,
}

/// The orders of all epochs.
#[derive(Debug)]
pub(super) struct EpochOrders {
    samples: OrderedSamples,
    /// The seed, if samples are shuffled.
    seed: Option<u64>,
    sampler: Option<Arc<dyn Sampler>>,
    cache: Mutex<OrderCache>,
    computing: Computing,
}

impl EpochOrders {
    /// The orders of samples, shuffled if there is a seed; or those of a sampler.
    ///
    /// # Errors
    /// The sampler was made for another number of records.
    pub(super) fn new(
        samples: OrderedSamples,
        seed: Option<u64>,
        sampler: Option<Arc<dyn Sampler>>,
    ) -> Result<Self> {
        let made_for = sampler.as_ref().and_then(|sampler| sampler.records());
        if let Some(records) = made_for
            && records != samples.records
        {
            return Err(Error::argument(format!(
                "the sampler is for {records} records, but there are {}",
                samples.records
            )));
        }
        Ok(Self {
            samples,
            seed,
            sampler,
            cache: Mutex::default(),
            computing: Computing::default(),
        })
    }

    /// Returns a function that returns the key of the sample at a position. It looks an order up
    /// once for all samples of an epoch.
    ///
    /// The function fails with the error of the sampler, or if a sample of it does not exist.
    pub(super) fn key_at(&self) -> impl FnMut(Cursor) -> Result<Key> + '_ {
        let mut last: Option<(u64, Arc<EpochOrder>)> = None;
        move |at| {
            if last.as_ref().is_none_or(|(epoch, _)| *epoch != at.epoch) {
                last = Some((at.epoch, self.order(at.epoch)?));
            }
            let (_, order) = last.as_ref().expect("it was set above");
            Ok(self.key_in(order, at))
        }
    }

    fn key_in(&self, order: &EpochOrder, at: Cursor) -> Key {
        let (epoch, number) = order.sample(at);
        let record = match &self.samples.kept {
            // A sampler returns records.
            Some(kept) if self.sampler.is_none() => kept[number],
            _ => number,
        };
        (epoch, record)
    }

    /// Computes the orders of epochs that a sampler makes, and keeps them for a while.
    pub(super) fn prepare(&self, epochs: RangeInclusive<u64>) {
        if self.sampler.is_some() {
            epochs.for_each(|epoch| drop(self.order(epoch)));
        }
    }

    /// Returns the order of an epoch, which is kept for a while.
    fn order(&self, epoch: u64) -> Result<Arc<EpochOrder>> {
        if let Some(order) = lock(&self.cache).get(epoch) {
            return Ok(order);
        }
        let _turn = self.computing.turn()?;
        // Another thread may have computed it meanwhile.
        if let Some(order) = lock(&self.cache).get(epoch) {
            return Ok(order);
        }
        // Without the lock of the cache: a sampler is a function of the caller's.
        let order = Arc::new(self.compute(epoch)?);
        lock(&self.cache).put(epoch, &order);
        Ok(order)
    }

    fn compute(&self, epoch: u64) -> Result<EpochOrder> {
        let OrderedSamples {
            records,
            ref kept,
            ref shard,
        } = self.samples;
        let Some(sampler) = &self.sampler else {
            return Ok(EpochOrder::of_shard(shard.clone(), self.seed, epoch));
        };
        let order = sampler.order(epoch)?;
        if let Some(kept) = kept
            && let Some(record) = order
                .iter()
                .find(|&&record| kept.binary_search(&(record as usize)).is_err())
        {
            return Err(Error::argument(format!(
                "the sampler returned record {record}, which has no objects"
            )));
        }
        EpochOrder::of_sampler(order, records)
    }
}

/// Lets one thread at a time compute an order: a sampler takes seconds for many millions, and need
/// not be safe to be called by several threads at once.
#[derive(Debug, Default)]
struct Computing {
    turn: Mutex<()>,
    thread: Mutex<Option<ThreadId>>,
}

/// The right to compute an order.
struct Turn<'a> {
    thread: &'a Mutex<Option<ThreadId>>,
    _turn: MutexGuard<'a, ()>,
}

impl Computing {
    /// Waits until no other thread computes an order.
    ///
    /// # Errors
    /// The current thread does already.
    fn turn(&self) -> Result<Turn<'_>> {
        let current = Some(thread::current().id());
        if *lock(&self.thread) == current {
            return Err(Error::argument(
                "a sampler asks its own iterator for its order",
            ));
        }
        let turn = lock(&self.turn);
        *lock(&self.thread) = current;
        Ok(Turn {
            thread: &self.thread,
            _turn: turn,
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *lock(self.thread) = None;
    }
}

/// Orders kept: those of two epochs in production, and of one that is left over from.
const KEPT: usize = 3;

/// The orders of the epochs in production.
#[derive(Debug, Default)]
struct OrderCache(Vec<(u64, Arc<EpochOrder>)>);

impl OrderCache {
    fn get(&self, epoch: u64) -> Option<Arc<EpochOrder>> {
        let (_, order) = self.0.iter().find(|(of, _)| *of == epoch)?;
        Some(Arc::clone(order))
    }

    fn put(&mut self, epoch: u64, order: &Arc<EpochOrder>) {
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push((epoch, Arc::clone(order)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(order: &EpochOrder, len: usize) -> Vec<usize> {
        let sample = |index| order.sample(Cursor { epoch: 0, index }).1;
        (0..len).map(sample).collect()
    }

    fn epoch(seed: Option<u64>, epoch: u64) -> Vec<usize> {
        let order = EpochOrder::of_shard(10..20, seed, epoch);
        samples(&order, 10)
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
            let order = EpochOrder::of_shard(10..10 + len, Some(1), 0);
            let mut all = samples(&order, len);
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

    #[test]
    fn each_repeat_of_a_sample_has_an_augmentation_of_its_own() {
        let order = EpochOrder::of_sampler(vec![3, 1, 3, 3], 4).unwrap();
        let keys: Vec<_> = (0..4)
            .map(|index| order.sample(Cursor { epoch: 5, index }))
            .collect();
        let epochs = [5, 5, 5 + (1 << EPOCH_BITS), 5 + (2 << EPOCH_BITS)];
        let expected: Vec<_> = epochs.into_iter().zip([3, 1, 3, 3]).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_sample_that_does_not_exist_is_an_error() {
        assert!(EpochOrder::of_sampler(vec![3], 3).is_err());
    }
}
