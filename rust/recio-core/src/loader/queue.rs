//! What producers and consumer share: which batches are claimed, which are ready, which were delivered.
//!
//! All stands in one queue, in the order of delivery: batches that are made or being made, and the ends of epochs. Makers add
//! to its end, whoever has the claim_token; the consumer takes from its front.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::loader::batch_sampler::Sampled;
use crate::loader::buffer_pool::Batch;
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::render::normalize::Element;

/// Leave to make one batch.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) epoch: u64,
    /// The epoch of the last fresh start, from which on samples roll over.
    pub(super) base: u64,
    /// The batch's number in its epoch.
    pub(super) batch: usize,
    /// Where it begins.
    pub(super) at: Cursor,
    wanted: Arc<AtomicBool>,
}

impl Claim {
    /// Leave to make the batch of this number that begins there.
    #[cfg(test)]
    pub(super) fn new(epoch: u64, batch: usize, at: Cursor) -> Self {
        Self {
            epoch,
            base: 0,
            batch,
            at,
            wanted: Arc::new(AtomicBool::new(true)),
        }
    }

    /// Whether its batch is still wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wanted, &other.wanted)
    }
}

/// Where the consumer is: enough to go on from there in another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The epoch.
    pub epoch: u64,
    /// The epoch of the last fresh start, from which on samples roll over.
    pub base: u64,
    /// Where the epoch's first batch began.
    pub first: Cursor,
    /// The batches of the epoch that were delivered.
    pub delivered: usize,
    /// Where the next one begins.
    pub at: Cursor,
    /// Whether the epoch's end was delivered too.
    pub is_over: bool,
}

/// A batch as it is delivered.
#[derive(Debug)]
pub(super) struct Produced<T: Element> {
    pub(super) batch: Result<Batch<T>>,
    /// The damaged samples that were passed over for it.
    pub(super) passed: Vec<usize>,
}

/// What the consumer gets.
#[derive(Debug)]
pub(super) enum Given<T: Element> {
    Batch(Produced<T>),
    /// The epoch's end, and the damaged samples passed over on the way to it.
    End(Vec<usize>),
    /// Nothing is ready yet.
    Pending,
}

/// The queue machine.
#[derive(Debug)]
pub(super) struct Queue<T: Element> {
    spec: EpochSpec,
    /// Batches that may be claimed and not delivered.
    prefetch: usize,
    state: Mutex<QueueState<T>>,
    /// A batch was delivered, or all changed: producers may go on.
    room: Condvar,
    /// Something was added to the queue, or made.
    ready: Condvar,
}

#[derive(Debug)]
struct QueueState<T: Element> {
    consumer: Position,
    /// What is to be claimed next.
    claim: Claim,
    entries: VecDeque<Entry<T>>,
    closed: bool,
}

#[derive(Debug)]
enum Entry<T: Element> {
    Batch {
        claim: Claim,
        next: Cursor,
        made: Option<Produced<T>>,
    },
    End {
        next: Cursor,
        passed: Vec<usize>,
    },
}

impl Position {
    /// The beginning of an epoch, with nothing left over.
    fn fresh(epoch: u64) -> Self {
        let first = Cursor { epoch, place: 0 };
        Self {
            epoch,
            base: epoch,
            first,
            delivered: 0,
            at: first,
            is_over: false,
        }
    }

    /// Leave to make the batch that comes next.
    fn claim(&self) -> Claim {
        Claim {
            epoch: self.epoch,
            base: self.base,
            batch: self.delivered,
            at: self.at,
            wanted: Arc::new(AtomicBool::new(true)),
        }
    }
}

impl<T: Element> QueueState<T> {
    /// Gives up all items from `keep` on.
    fn give_up(&mut self, keep: usize) {
        for item in self.entries.drain(keep..) {
            if let Entry::Batch { claim, .. } = item {
                claim.wanted.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Goes on from there, whatever was claimed.
    fn go_to(&mut self, position: Position) {
        self.give_up(0);
        self.claim = position.claim();
        self.consumer = position;
    }

    /// What stands at the front of the queue, if it is ready. The end of an epoch stays there.
    fn give(&mut self) -> Option<Given<T>> {
        match self.entries.front_mut()? {
            Entry::End { passed, .. } => {
                self.consumer.is_over = true;
                Some(Given::End(std::mem::take(passed)))
            }
            Entry::Batch { next, made, .. } => {
                let made = made.take()?;
                self.consumer.at = *next;
                self.consumer.delivered += 1;
                self.entries.pop_front();
                Some(Given::Batch(made))
            }
        }
    }

    /// Adds what was picked for this claim to the queue.
    fn push(&mut self, claim: &Claim, pick: &Sampled) {
        let new = |epoch, batch, at| Claim {
            epoch,
            base: claim.base,
            batch,
            at,
            wanted: Arc::new(AtomicBool::new(true)),
        };
        match pick {
            Sampled::Batch(picked) => {
                self.claim = new(claim.epoch, claim.batch + 1, picked.next);
                self.entries.push_back(Entry::Batch {
                    claim: claim.clone(),
                    next: picked.next,
                    made: None,
                });
            }
            Sampled::End(next, passed) => {
                self.claim = new(claim.epoch + 1, 0, *next);
                self.entries.push_back(Entry::End {
                    next: *next,
                    passed: passed.clone(),
                });
            }
        }
    }

    fn place_of(&self, claim: &Claim) -> Option<usize> {
        self.entries
            .iter()
            .position(|item| matches!(item, Entry::Batch { claim: other, .. } if other.is(claim)))
    }
}

impl<T: Element> Queue<T> {
    pub(super) fn new(spec: EpochSpec, prefetch: usize) -> Self {
        let consumer = Position::fresh(0);
        let state = QueueState {
            consumer,
            claim: consumer.claim(),
            entries: VecDeque::new(),
            closed: false,
        };
        Self {
            spec,
            prefetch,
            state: Mutex::new(state),
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    /// Waits until another batch may be made. None when the pipeline has been closed. What comes of it, `take` is told.
    pub(super) fn claim(&self) -> Option<Claim> {
        let full = |state: &mut QueueState<T>| !state.closed && !self.has_room(state);
        let state = self
            .room
            .wait_while(self.lock(), full)
            .unwrap_or_else(PoisonError::into_inner);
        (!state.closed).then(|| state.claim.clone())
    }

    /// Batches are made no further ahead than into the epoch after the consumer's.
    fn has_room(&self, state: &QueueState<T>) -> bool {
        let batches = state.entries.iter();
        let batches = batches.filter(|item| matches!(item, Entry::Batch { .. }));
        batches.count() < self.prefetch && state.claim.epoch <= state.consumer.epoch + 1
    }

    /// Queues what was picked for the claim that was claimed last; gives whether that is still wanted.
    pub(super) fn take(&self, claim: &Claim, pick: &Sampled) -> bool {
        let mut state = self.lock();
        let is_wanted = state.claim.is(claim);
        if is_wanted {
            state.push(claim, pick);
            self.ready.notify_all();
        }
        is_wanted
    }

    /// Puts another pick in the place of what was taken for this claim: all that was claimed after it begins elsewhere.
    pub(super) fn take_again(&self, claim: &Claim, pick: &Sampled) {
        let mut state = self.lock();
        if let Some(place) = state.place_of(claim) {
            state.give_up(place + 1);
            state.entries.pop_back();
            state.push(claim, pick);
            self.room.notify_all();
            self.ready.notify_all();
        }
    }

    /// Takes a batch that was made, if it is still wanted.
    pub(super) fn deliver(&self, claim: &Claim, batch: Produced<T>) {
        let mut state = self.lock();
        if let Some(place) = state.place_of(claim)
            && let Entry::Batch { made, .. } = &mut state.entries[place]
        {
            *made = Some(batch);
            self.ready.notify_all();
        }
    }

    pub(super) fn next(&self, patience: Duration) -> Result<Given<T>> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(Error::argument("the iterator is closed"));
            }
            if let Some(given) = state.give() {
                self.room.notify_all();
                return Ok(given);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Given::Pending);
            }
            state = self
                .ready
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Begins a new epoch, unless the present one has just begun. At the end of an epoch the batches of the next one
    /// are already being made; in the middle of one, all that was claimed is given up, and so is what was left over from
    /// the epoch before. With `fresh` that is given up at the end too.
    pub(super) fn reset(&self, fresh: bool) {
        let mut state = self.lock();
        let here = state.consumer;
        let fresh = fresh && self.spec.last == LastBatch::RollOver;
        let batches = self.batches_of(&here);
        let is_at_start = here.delivered == 0 && batches > 0 && !here.is_over;
        if is_at_start && (!fresh || here.base == here.epoch) {
            return;
        }
        if (here.is_over || here.delivered == batches) && !fresh {
            self.go_on(&mut state);
        } else {
            state.go_to(Position::fresh(here.epoch + 1));
        }
        self.room.notify_all();
    }

    /// Goes on to the next epoch, of which batches may be ready.
    fn go_on(&self, state: &mut QueueState<T>) {
        let Position {
            epoch, base, at, ..
        } = state.consumer;
        let is_next = |first| Position {
            base,
            first,
            at: first,
            ..Position::fresh(epoch + 1)
        };
        match state.entries.front() {
            Some(&Entry::End { next, .. }) => {
                state.entries.pop_front();
                state.consumer = is_next(next);
            }
            // No producer has come to the end yet.
            _ => state.go_to(is_next(self.spec.after(epoch, at))),
        }
    }

    /// Where the consumer is.
    pub(super) fn position(&self) -> Position {
        self.lock().consumer
    }

    /// Goes on from where a consumer was.
    ///
    /// # Errors
    /// A position that no epoch of these samples has.
    pub(super) fn go_to(&self, position: Position) -> Result<()> {
        self.check(&position)?;
        let mut state = self.lock();
        state.go_to(position);
        self.room.notify_all();
        Ok(())
    }

    fn check(&self, position: &Position) -> Result<()> {
        let Position {
            epoch,
            base,
            first,
            at,
            ..
        } = *position;
        let rolls_over = self.spec.last == LastBatch::RollOver;
        let is_cursor = |cursor: Cursor| {
            let of = if rolls_over {
                base..=epoch
            } else {
                epoch..=epoch
            };
            of.contains(&cursor.epoch) && cursor.place <= self.spec.samples
        };
        // The most epochs that a shuffled order can be drawn for, and that sums of them fit.
        let is_sound = base <= epoch && epoch < 1 << 40 && is_cursor(first) && is_cursor(at);
        if is_sound {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{position:?} is no position among {} samples",
            self.spec.samples
        )))
    }

    /// Batches of the present epoch, if no sample is passed over.
    pub(super) fn batches_of_epoch(&self) -> usize {
        self.batches_of(&self.lock().consumer)
    }

    fn batches_of(&self, consumer: &Position) -> usize {
        let number = consumer.epoch - consumer.base;
        self.spec.batches(consumer.epoch, number, consumer.first)
    }

    /// Gives everything up.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.give_up(0);
        self.room.notify_all();
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<T>> {
        // No code that can panic runs between two related changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::batch_sampler::{BatchSampler, SkippedSamples};
    use crate::loader::buffer_pool::BufferPool;

    /// Batches of one sample.
    fn queue<T: Element>(batches: usize, prefetch: usize) -> Queue<T> {
        of(batches, 1, LastBatch::Wrap, prefetch)
    }

    fn of<T: Element>(
        samples: usize,
        batch_size: usize,
        last: LastBatch,
        prefetch: usize,
    ) -> Queue<T> {
        let spec = EpochSpec {
            samples,
            batch_size,
            last,
            quota: None,
        };
        Queue::new(spec, prefetch)
    }

    fn pick<T: Element>(queue: &Queue<T>, claim: &Claim, damaged: &[usize]) -> Sampled {
        let error = |&sample: &usize| (sample, Arc::new(Error::image("bad")));
        let damaged: SkippedSamples = damaged.iter().map(error).collect();
        let sampler = BatchSampler {
            spec: &queue.spec,
            damaged: &damaged,
            sample: |at: Cursor| at.place,
        };
        sampler.pick(claim)
    }

    /// Claims batches as a producer does, on past the ends of epochs.
    fn claim<T: Element>(queue: &Queue<T>) -> Claim {
        loop {
            let claim = queue.claim().unwrap();
            let pick = pick(queue, &claim, &[]);
            queue.take(&claim, &pick);
            if let Sampled::Batch(_) = pick {
                return claim;
            }
        }
    }

    /// Claims the ends of epochs, as a producer does that finds no batch.
    fn claim_end<T: Element>(queue: &Queue<T>) {
        let claim = queue.claim().unwrap();
        let pick = pick(queue, &claim, &[]);
        assert!(matches!(pick, Sampled::End(..)));
        queue.take(&claim, &pick);
    }

    fn made(id: u64) -> Produced<u8> {
        Produced {
            batch: Ok(Batch {
                data: BufferPool::new(1, 1).take(),
                labels: vec![],
                masks: None,
                ids: vec![id],
                pad: 0,
            }),
            passed: vec![],
        }
    }

    fn next(queue: &Queue<u8>) -> Option<u64> {
        match queue.next(Duration::ZERO).unwrap() {
            Given::Batch(made) => Some(made.batch.unwrap().ids[0]),
            Given::End(_) => None,
            Given::Pending => panic!("nothing is ready"),
        }
    }

    #[test]
    fn batches_are_delivered_in_order_whoever_finishes_first() {
        let queue = queue(3, 4);
        let claims = [0, 1, 2].map(|_| claim(&queue));
        for i in [2, 0, 1] {
            queue.deliver(&claims[i], made(i as u64));
        }
        claim_end(&queue);
        assert_eq!(
            [next(&queue), next(&queue), next(&queue), next(&queue)],
            [Some(0), Some(1), Some(2), None]
        );
    }

    #[test]
    fn makers_work_ahead_into_the_next_epoch_and_no_further() {
        let queue = queue::<u8>(2, 9);
        let claims: Vec<_> = (0..4)
            .map(|_| claim(&queue))
            .map(|t| (t.epoch, t.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        claim_end(&queue);
        assert!(!queue.has_room(&queue.lock()));
    }

    #[test]
    fn a_reset_at_the_end_keeps_what_is_ready_and_one_in_the_middle_does_not() {
        let one = queue(1, 2);
        for id in 0..2 {
            one.deliver(&claim(&one), made(id));
        }
        assert_eq!((next(&one), next(&one)), (Some(0), None));
        one.reset(false);
        assert_eq!(next(&one), Some(1));

        let queue = queue(2, 2);
        let (first, second) = (claim(&queue), claim(&queue));
        queue.deliver(&first, made(0));
        assert_eq!(next(&queue), Some(0));
        queue.reset(false);
        assert!(!second.is_wanted());
        queue.deliver(&second, made(1));
        assert!(matches!(
            queue.next(Duration::ZERO).unwrap(),
            Given::Pending
        ));
        let claim = claim(&queue);
        assert_eq!((claim.epoch, claim.batch), (1, 0));
    }

    #[test]
    fn a_reset_after_the_last_batch_needs_no_look_at_the_end() {
        let queue = queue(1, 1);
        queue.deliver(&claim(&queue), made(0));
        assert_eq!(next(&queue), Some(0));
        // A producer may have claimed the end already, and not told it yet.
        let late = queue.claim().unwrap();
        queue.reset(false);
        assert!(!queue.take(&late, &pick(&queue, &late, &[])));
        let claim = claim(&queue);
        assert_eq!((claim.epoch, claim.batch), (1, 0));
    }

    #[test]
    fn an_iterator_without_batches_is_at_its_end() {
        let queue = queue::<u8>(0, 1);
        claim_end(&queue);
        assert_eq!(next(&queue), None);
        queue.reset(false);
        claim_end(&queue);
        assert_eq!(next(&queue), None);
    }

    #[test]
    fn a_batch_that_is_picked_again_moves_those_behind_it() {
        let queue = of(6, 2, LastBatch::Wrap, 3);
        let claims = [0, 1, 2].map(|_| claim(&queue));
        queue.deliver(&claims[1], made(1));
        queue.take_again(&claims[0], &pick(&queue, &claims[0], &[1]));
        assert_eq!(
            claims.each_ref().map(Claim::is_wanted),
            [true, false, false]
        );
        queue.deliver(&claims[0], made(7));
        assert_eq!(next(&queue), Some(7));
        let again = claim(&queue);
        assert_eq!((again.batch, again.at.place), (1, 3));
    }

    #[test]
    fn a_consumer_goes_on_from_where_another_was() {
        let first = of(5, 2, LastBatch::RollOver, 9);
        for id in 0..3 {
            first.deliver(&claim(&first), made(id));
        }
        while next(&first).is_some() {}
        first.reset(false);
        assert_eq!(next(&first), Some(2));
        let position = first.position();
        let second = of::<u8>(5, 2, LastBatch::RollOver, 1);
        second.go_to(position).unwrap();
        assert_eq!(second.position(), position);
        let (here, there) = (claim(&first), claim(&second));
        assert_eq!(
            (here.epoch, here.batch, here.at),
            (there.epoch, there.batch, there.at)
        );
        let wrong = Position {
            at: Cursor { epoch: 1, place: 6 },
            ..position
        };
        assert!(second.go_to(wrong).is_err());
    }

    #[test]
    fn epochs_that_roll_over_have_their_own_numbers_of_batches() {
        let queue = of::<u8>(5, 2, LastBatch::RollOver, 9);
        let claims: Vec<_> = (0..5)
            .map(|_| claim(&queue))
            .map(|claim| (claim.epoch, claim.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]);
        assert_eq!(queue.batches_of_epoch(), 2);
        // A fresh start forgets what is left over.
        let deliver_two = || {
            let mut state = queue.lock();
            state.consumer.delivered = 2;
            state.entries.drain(..2);
        };
        deliver_two();
        queue.reset(false);
        assert_eq!(queue.batches_of_epoch(), 3);
        queue.reset(true);
        assert_eq!(queue.batches_of_epoch(), 2);
        let claim = claim(&queue);
        assert_eq!((claim.epoch, claim.base), (2, 2));
    }
}
