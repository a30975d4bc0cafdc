//! Queue between producers and consumer: batches claimed, ready and delivered.
//!
//! Its entries are in the order of delivery: batches that are ready or being made, and ends of
//! epochs. Producers add to its end, one at a time; the consumer takes from its front.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::loader::batch_sampler::Sampled;
use crate::loader::buffer_pool::{Batch, BufferPool};
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::position::{Claim, Position};
use crate::render::normalize::Element;

/// Answer to a consumer that asks for a batch.
#[derive(Debug)]
pub enum Next<B> {
    /// The next batch of the epoch.
    Batch(B),
    /// The end of the epoch.
    End,
    /// Nothing is ready yet.
    Pending,
}

/// A batch, or the error that its making met, and the samples skipped for it.
#[derive(Debug)]
pub(super) struct Produced<T: Element> {
    pub(super) batch: Result<Batch<T>>,
    pub(super) skipped: Vec<usize>,
}

/// A result for the consumer, and the samples that were skipped for it.
type Delivery<T> = (Next<Result<Batch<T>>>, Vec<usize>);

/// The queue.
#[derive(Debug)]
pub(super) struct Queue<T: Element> {
    spec: EpochSpec,
    /// Batches that may be claimed and not delivered yet.
    max_claimed: usize,
    /// Where producers wait for memory of their batches.
    buffers: Arc<BufferPool<T>>,
    state: Mutex<State<T>>,
    /// Signals that a batch was delivered, or that entries were dropped: producers may go on.
    room: Condvar,
    /// Signals that an entry was added, or that a batch is ready.
    ready: Condvar,
}

#[derive(Debug)]
struct State<T: Element> {
    consumer: Position,
    next_claim: Claim,
    entries: VecDeque<Entry<T>>,
    /// Whether the consumer waits.
    is_awaited: bool,
    is_closed: bool,
}

#[derive(Debug)]
enum Entry<T: Element> {
    Batch {
        claim: Claim,
        next: Cursor,
        produced: Option<Produced<T>>,
    },
    End {
        next: Cursor,
        skipped: Vec<usize>,
    },
}

impl<T: Element> State<T> {
    /// Drops the entries from `keep` on.
    fn truncate(&mut self, keep: usize) {
        for entry in self.entries.drain(keep..) {
            if let Entry::Batch { claim, .. } = entry {
                claim.cancel();
            }
        }
    }

    /// Goes on from a position; all that was claimed is dropped.
    fn go_to(&mut self, position: Position) {
        self.truncate(0);
        self.next_claim = position.claim();
        self.consumer = position;
    }

    /// The epoch after the consumer's is the last one of which batches are made.
    fn last_epoch(&self) -> u64 {
        self.consumer.epoch + 1
    }

    /// Takes the first entry, if it is ready. The end of an epoch stays in the queue.
    fn deliver(&mut self) -> Delivery<T> {
        match self.entries.front_mut() {
            Some(Entry::End { skipped, .. }) => {
                self.consumer.is_over = true;
                (Next::End, std::mem::take(skipped))
            }
            Some(Entry::Batch { next, produced, .. }) => {
                let Some(Produced { batch, skipped }) = produced.take() else {
                    return (Next::Pending, Vec::new());
                };
                self.consumer.at = *next;
                self.consumer.delivered += 1;
                self.entries.pop_front();
                (Next::Batch(batch), skipped)
            }
            None => (Next::Pending, Vec::new()),
        }
    }

    /// Adds the entry of a claim.
    fn push<S>(&mut self, claim: &Claim, sampled: &Sampled<S>) {
        match sampled {
            Sampled::Batch(batch) => {
                self.next_claim = claim.next_batch(batch.next);
                self.entries.push_back(Entry::Batch {
                    claim: claim.clone(),
                    next: batch.next,
                    produced: None,
                });
            }
            Sampled::End { next, skipped } => {
                self.next_claim = claim.next_epoch(*next);
                self.entries.push_back(Entry::End {
                    next: *next,
                    skipped: skipped.clone(),
                });
            }
        }
        self.mark_awaited();
    }

    /// Marks the first entry, if the consumer waits for it.
    fn mark_awaited(&self) {
        if let (true, Some(Entry::Batch { claim, .. })) = (self.is_awaited, self.entries.front()) {
            claim.expect();
        }
    }

    fn index_of(&self, claim: &Claim) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| matches!(entry, Entry::Batch { claim: other, .. } if other.is(claim)))
    }
}

impl<T: Element> Queue<T> {
    pub(super) fn new(spec: EpochSpec, max_claimed: usize, buffers: Arc<BufferPool<T>>) -> Self {
        let consumer = Position::fresh(0);
        let state = State {
            consumer,
            next_claim: consumer.claim(),
            entries: VecDeque::new(),
            is_awaited: false,
            is_closed: false,
        };
        Self {
            spec,
            max_claimed,
            buffers,
            state: Mutex::new(state),
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    /// Waits until another batch may be made, and returns the claim to it; none when the queue is
    /// closed. What was sampled for the claim is then [`push`](Self::push)ed.
    pub(super) fn claim(&self) -> Option<Claim> {
        let is_full = |state: &mut State<T>| !state.is_closed && !self.has_room(state);
        let state = self
            .room
            .wait_while(self.lock(), is_full)
            .unwrap_or_else(PoisonError::into_inner);
        (!state.is_closed).then(|| state.next_claim.clone())
    }

    /// Batches are made no further ahead than into the epoch after the consumer's.
    fn has_room(&self, state: &State<T>) -> bool {
        let batches = state.entries.iter();
        let batches = batches.filter(|entry| matches!(entry, Entry::Batch { .. }));
        batches.count() < self.max_claimed && state.next_claim.epoch <= state.last_epoch()
    }

    /// Returns the claim that follows those of producers.
    pub(super) fn next_claim(&self) -> Claim {
        self.lock().next_claim.clone()
    }

    /// Returns the last epoch of which batches may be claimed now.
    pub(super) fn last_epoch(&self) -> u64 {
        self.lock().last_epoch()
    }

    /// Adds what was sampled for the last claim; returns whether that is still wanted.
    pub(super) fn push<S>(&self, claim: &Claim, sampled: &Sampled<S>) -> bool {
        let mut state = self.lock();
        let is_wanted = state.next_claim.is(claim);
        if is_wanted {
            state.push(claim, sampled);
            if let Sampled::End { .. } = sampled {
                self.ready.notify_all();
            }
        }
        is_wanted
    }

    /// Replaces what was sampled for a claim. All that was claimed after it is dropped, as it
    /// begins elsewhere.
    pub(super) fn replace<S>(&self, claim: &Claim, sampled: &Sampled<S>) {
        let mut state = self.lock();
        if let Some(index) = state.index_of(claim) {
            state.truncate(index + 1);
            state.entries.pop_back();
            state.push(claim, sampled);
            self.wake_producers(state);
            self.ready.notify_all();
        }
    }

    /// Adds the batch of a claim, if it is still wanted.
    pub(super) fn complete(&self, claim: &Claim, batch: Produced<T>) {
        let mut state = self.lock();
        if let Some(index) = state.index_of(claim)
            && let Entry::Batch { produced, .. } = &mut state.entries[index]
        {
            *produced = Some(batch);
            if index == 0 {
                self.ready.notify_all();
            }
        }
    }

    /// Takes the next batch or the end of the epoch, waiting for it for at most this long.
    ///
    /// # Errors
    /// The queue is closed.
    pub(super) fn next(&self, timeout: Duration) -> Result<Delivery<T>> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return Err(Error::new(ErrorKind::Closed));
            }
            let (next, skipped) = state.deliver();
            if !matches!(next, Next::Pending) {
                state.is_awaited = false;
                self.wake_producers(state);
                return Ok((next, skipped));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok((Next::Pending, skipped));
            }
            if !state.is_awaited {
                state.is_awaited = true;
                state.mark_awaited();
                self.wake_producers(state);
                state = self.lock();
                continue;
            }
            state = self
                .ready
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Goes to the beginning of an epoch, unless the consumer is within it; returns whether it
    /// moved. From the end of an epoch to the next this is a [`reset`](Self::reset).
    ///
    /// # Errors
    /// The number is too large.
    pub(super) fn set_epoch(&self, epoch: u64) -> Result<bool> {
        let target = Position::fresh(epoch);
        target.check(&self.spec)?;
        let mut state = self.lock();
        let consumer = state.consumer;
        if consumer.epoch == epoch && !consumer.is_over {
            return Ok(false);
        }
        if consumer.epoch + 1 == epoch && self.is_at_end(&consumer) {
            self.continue_with_next_epoch(&mut state);
        } else {
            state.go_to(target);
        }
        self.wake_producers(state);
        Ok(true)
    }

    fn is_at_end(&self, consumer: &Position) -> bool {
        consumer.is_over || consumer.delivered == consumer.batches(&self.spec)
    }

    /// Begins the next epoch, unless the present one has just begun.
    ///
    /// At the end of an epoch, batches of the next one are already being made. In the middle of an
    /// epoch, all claimed batches are dropped, and so are samples left over from the epoch before;
    /// with `fresh`, also at the end.
    pub(super) fn reset(&self, fresh: bool) {
        let mut state = self.lock();
        let consumer = state.consumer;
        let fresh = fresh && self.spec.last_batch == LastBatch::RollOver;
        let batches = consumer.batches(&self.spec);
        let is_at_start = consumer.delivered == 0 && batches > 0 && !consumer.is_over;
        if is_at_start && (!fresh || consumer.base == consumer.epoch) {
            return;
        }
        if self.is_at_end(&consumer) && !fresh {
            self.continue_with_next_epoch(&mut state);
        } else {
            state.go_to(Position::fresh(consumer.epoch + 1));
        }
        self.wake_producers(state);
    }

    /// Moves the consumer to the next epoch, of which batches may be ready.
    fn continue_with_next_epoch(&self, state: &mut State<T>) {
        let consumer = state.consumer;
        if let Some(&Entry::End { next, .. }) = state.entries.front() {
            state.entries.pop_front();
            state.consumer = consumer.next_epoch(next);
        } else {
            // No producer has reached the end yet.
            let first = self.spec.next_start(consumer.epoch, consumer.at);
            state.go_to(consumer.next_epoch(first));
        }
    }

    /// Returns the position of the consumer.
    pub(super) fn position(&self) -> Position {
        self.lock().consumer
    }

    /// Moves the consumer to a position.
    ///
    /// # Errors
    /// Epochs of these samples do not have it.
    pub(super) fn go_to(&self, position: Position) -> Result<()> {
        position.check(&self.spec)?;
        let mut state = self.lock();
        state.go_to(position);
        self.wake_producers(state);
        Ok(())
    }

    /// Returns the number of batches of the present epoch, if no sample is skipped.
    pub(super) fn batches(&self) -> usize {
        self.position().batches(&self.spec)
    }

    /// Drops all entries; from then on there are no claims and no batches.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.truncate(0);
        self.wake_producers(state);
        self.ready.notify_all();
    }

    /// Makes producers look again: at the room for batches, and whether those that wait for memory
    /// still may.
    fn wake_producers(&self, state: MutexGuard<'_, State<T>>) {
        // A batch that is dropped with this lock takes the one of the pool, never the reverse.
        drop(state);
        self.room.notify_all();
        self.buffers.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code that can panic runs between two related changes.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
