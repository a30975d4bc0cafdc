//! What makers and consumer share: which batches are claimed, which are ready, which were delivered.
//!
//! All stands in one queue, in the order of delivery: batches that are made or being made, and the ends of epochs. Makers add
//! to its end, whoever has the baton; the consumer takes from its front.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::loader::batch_sampler::Pick;
use crate::loader::buffer_pool::Batch;
use crate::loader::epoch::{Cursor, Cut, LastBatch};
use crate::render::normalize::Element;

/// Leave to make one batch.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    pub(super) epoch: u64,
    /// The epoch of the last fresh start, from which on samples roll over.
    pub(super) base: u64,
    /// The batch's number in its epoch.
    pub(super) batch: usize,
    /// Where it begins.
    pub(super) at: Cursor,
    wanted: Arc<AtomicBool>,
}

impl Ticket {
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
pub(super) struct Made<T: Element> {
    pub(super) batch: Result<Batch<T>>,
    /// The damaged samples that were passed over for it.
    pub(super) passed: Vec<usize>,
}

/// What the consumer gets.
#[derive(Debug)]
pub(super) enum Given<T: Element> {
    Batch(Made<T>),
    /// The epoch's end, and the damaged samples passed over on the way to it.
    End(Vec<usize>),
    /// Nothing is ready yet.
    Pending,
}

/// The state machine.
#[derive(Debug)]
pub(super) struct State<T: Element> {
    cut: Cut,
    /// Batches that may be claimed and not delivered.
    prefetch: usize,
    places: Mutex<Places<T>>,
    /// A batch was delivered, or all changed: makers may go on.
    room: Condvar,
    /// Something was added to the queue, or made.
    ready: Condvar,
}

#[derive(Debug)]
struct Places<T: Element> {
    consumer: Position,
    /// What is to be claimed next.
    claim: Ticket,
    queue: VecDeque<Item<T>>,
    closed: bool,
}

#[derive(Debug)]
enum Item<T: Element> {
    Batch {
        ticket: Ticket,
        next: Cursor,
        made: Option<Made<T>>,
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
    fn claim(&self) -> Ticket {
        Ticket {
            epoch: self.epoch,
            base: self.base,
            batch: self.delivered,
            at: self.at,
            wanted: Arc::new(AtomicBool::new(true)),
        }
    }
}

impl<T: Element> Places<T> {
    /// Gives up all items from `keep` on.
    fn give_up(&mut self, keep: usize) {
        for item in self.queue.drain(keep..) {
            if let Item::Batch { ticket, .. } = item {
                ticket.wanted.store(false, Ordering::Relaxed);
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
        match self.queue.front_mut()? {
            Item::End { passed, .. } => {
                self.consumer.is_over = true;
                Some(Given::End(std::mem::take(passed)))
            }
            Item::Batch { next, made, .. } => {
                let made = made.take()?;
                self.consumer.at = *next;
                self.consumer.delivered += 1;
                self.queue.pop_front();
                Some(Given::Batch(made))
            }
        }
    }

    /// Adds what was picked for this ticket to the queue.
    fn push(&mut self, ticket: &Ticket, pick: &Pick) {
        let new = |epoch, batch, at| Ticket {
            epoch,
            base: ticket.base,
            batch,
            at,
            wanted: Arc::new(AtomicBool::new(true)),
        };
        match pick {
            Pick::Batch(picked) => {
                self.claim = new(ticket.epoch, ticket.batch + 1, picked.next);
                self.queue.push_back(Item::Batch {
                    ticket: ticket.clone(),
                    next: picked.next,
                    made: None,
                });
            }
            Pick::End(next, passed) => {
                self.claim = new(ticket.epoch + 1, 0, *next);
                self.queue.push_back(Item::End {
                    next: *next,
                    passed: passed.clone(),
                });
            }
        }
    }

    fn place_of(&self, ticket: &Ticket) -> Option<usize> {
        self.queue
            .iter()
            .position(|item| matches!(item, Item::Batch { ticket: other, .. } if other.is(ticket)))
    }
}

impl<T: Element> State<T> {
    pub(super) fn new(cut: Cut, prefetch: usize) -> Self {
        let consumer = Position::fresh(0);
        let places = Places {
            consumer,
            claim: consumer.claim(),
            queue: VecDeque::new(),
            closed: false,
        };
        Self {
            cut,
            prefetch,
            places: Mutex::new(places),
            room: Condvar::new(),
            ready: Condvar::new(),
        }
    }

    /// Waits until another batch may be made. None when the pipeline has been closed. What comes of it, `take` is told.
    pub(super) fn claim(&self) -> Option<Ticket> {
        let full = |places: &mut Places<T>| !places.closed && !self.has_room(places);
        let places = self
            .room
            .wait_while(self.lock(), full)
            .unwrap_or_else(PoisonError::into_inner);
        (!places.closed).then(|| places.claim.clone())
    }

    /// Batches are made no further ahead than into the epoch after the consumer's.
    fn has_room(&self, places: &Places<T>) -> bool {
        let batches = places.queue.iter();
        let batches = batches.filter(|item| matches!(item, Item::Batch { .. }));
        batches.count() < self.prefetch && places.claim.epoch <= places.consumer.epoch + 1
    }

    /// Queues what was picked for the ticket that was claimed last; gives whether that is still wanted.
    pub(super) fn take(&self, ticket: &Ticket, pick: &Pick) -> bool {
        let mut places = self.lock();
        let is_wanted = places.claim.is(ticket);
        if is_wanted {
            places.push(ticket, pick);
            self.ready.notify_all();
        }
        is_wanted
    }

    /// Puts another pick in the place of what was taken for this ticket: all that was claimed after it begins elsewhere.
    pub(super) fn take_again(&self, ticket: &Ticket, pick: &Pick) {
        let mut places = self.lock();
        if let Some(place) = places.place_of(ticket) {
            places.give_up(place + 1);
            places.queue.pop_back();
            places.push(ticket, pick);
            self.room.notify_all();
            self.ready.notify_all();
        }
    }

    /// Takes a batch that was made, if it is still wanted.
    pub(super) fn deliver(&self, ticket: &Ticket, batch: Made<T>) {
        let mut places = self.lock();
        if let Some(place) = places.place_of(ticket)
            && let Item::Batch { made, .. } = &mut places.queue[place]
        {
            *made = Some(batch);
            self.ready.notify_all();
        }
    }

    pub(super) fn next(&self, patience: Duration) -> Result<Given<T>> {
        let deadline = Instant::now() + patience;
        let mut places = self.lock();
        loop {
            if places.closed {
                return Err(Error::argument("the iterator is closed"));
            }
            if let Some(given) = places.give() {
                self.room.notify_all();
                return Ok(given);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Given::Pending);
            }
            places = self
                .ready
                .wait_timeout(places, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Begins a new epoch, unless the present one has just begun. At the end of an epoch the batches of the next one
    /// are already being made; in the middle of one, all that was claimed is given up, and so is what was left over from
    /// the epoch before. With `fresh` that is given up at the end too.
    pub(super) fn reset(&self, fresh: bool) {
        let mut places = self.lock();
        let here = places.consumer;
        let fresh = fresh && self.cut.last == LastBatch::RollOver;
        let batches = self.batches_of(&here);
        let is_at_start = here.delivered == 0 && batches > 0 && !here.is_over;
        if is_at_start && (!fresh || here.base == here.epoch) {
            return;
        }
        if (here.is_over || here.delivered == batches) && !fresh {
            self.go_on(&mut places);
        } else {
            places.go_to(Position::fresh(here.epoch + 1));
        }
        self.room.notify_all();
    }

    /// Goes on to the next epoch, of which batches may be ready.
    fn go_on(&self, places: &mut Places<T>) {
        let Position {
            epoch, base, at, ..
        } = places.consumer;
        let is_next = |first| Position {
            base,
            first,
            at: first,
            ..Position::fresh(epoch + 1)
        };
        match places.queue.front() {
            Some(&Item::End { next, .. }) => {
                places.queue.pop_front();
                places.consumer = is_next(next);
            }
            // No maker has come to the end yet.
            _ => places.go_to(is_next(self.cut.after(epoch, at))),
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
        let mut places = self.lock();
        places.go_to(position);
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
        let rolls_over = self.cut.last == LastBatch::RollOver;
        let is_cursor = |cursor: Cursor| {
            let of = if rolls_over {
                base..=epoch
            } else {
                epoch..=epoch
            };
            of.contains(&cursor.epoch) && cursor.place <= self.cut.samples
        };
        // The most epochs that a shuffled order can be drawn for, and that sums of them fit.
        let is_sound = base <= epoch && epoch < 1 << 40 && is_cursor(first) && is_cursor(at);
        if is_sound {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{position:?} is no position among {} samples",
            self.cut.samples
        )))
    }

    /// Batches of the present epoch, if no sample is passed over.
    pub(super) fn batches_of_epoch(&self) -> usize {
        self.batches_of(&self.lock().consumer)
    }

    fn batches_of(&self, consumer: &Position) -> usize {
        let number = consumer.epoch - consumer.base;
        self.cut.batches(consumer.epoch, number, consumer.first)
    }

    /// Gives everything up.
    pub(super) fn close(&self) {
        let mut places = self.lock();
        places.closed = true;
        places.give_up(0);
        self.room.notify_all();
        self.ready.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Places<T>> {
        // No code that can panic runs between two related changes.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loader::batch_sampler::{Damaged, Picker};
    use crate::loader::buffer_pool::Ring;

    /// Batches of one sample.
    fn state<T: Element>(batches: usize, prefetch: usize) -> State<T> {
        of(batches, 1, LastBatch::Wrap, prefetch)
    }

    fn of<T: Element>(
        samples: usize,
        batch_size: usize,
        last: LastBatch,
        prefetch: usize,
    ) -> State<T> {
        let cut = Cut {
            samples,
            batch_size,
            last,
            quota: None,
        };
        State::new(cut, prefetch)
    }

    fn pick<T: Element>(state: &State<T>, ticket: &Ticket, damaged: &[usize]) -> Pick {
        let error = |&sample: &usize| (sample, Arc::new(Error::image("bad")));
        let damaged: Damaged = damaged.iter().map(error).collect();
        let picker = Picker {
            cut: &state.cut,
            damaged: &damaged,
            sample: |at: Cursor| at.place,
        };
        picker.pick(ticket)
    }

    /// Claims batches as a maker does, on past the ends of epochs.
    fn claim<T: Element>(state: &State<T>) -> Ticket {
        loop {
            let ticket = state.claim().unwrap();
            let pick = pick(state, &ticket, &[]);
            state.take(&ticket, &pick);
            if let Pick::Batch(_) = pick {
                return ticket;
            }
        }
    }

    /// Claims the ends of epochs, as a maker does that finds no batch.
    fn claim_end<T: Element>(state: &State<T>) {
        let ticket = state.claim().unwrap();
        let pick = pick(state, &ticket, &[]);
        assert!(matches!(pick, Pick::End(..)));
        state.take(&ticket, &pick);
    }

    fn made(id: u64) -> Made<u8> {
        Made {
            batch: Ok(Batch {
                data: Ring::new(1, 1).take(),
                labels: vec![],
                masks: None,
                ids: vec![id],
                pad: 0,
            }),
            passed: vec![],
        }
    }

    fn next(state: &State<u8>) -> Option<u64> {
        match state.next(Duration::ZERO).unwrap() {
            Given::Batch(made) => Some(made.batch.unwrap().ids[0]),
            Given::End(_) => None,
            Given::Pending => panic!("nothing is ready"),
        }
    }

    #[test]
    fn batches_are_delivered_in_order_whoever_finishes_first() {
        let state = state(3, 4);
        let tickets = [0, 1, 2].map(|_| claim(&state));
        for i in [2, 0, 1] {
            state.deliver(&tickets[i], made(i as u64));
        }
        claim_end(&state);
        assert_eq!(
            [next(&state), next(&state), next(&state), next(&state)],
            [Some(0), Some(1), Some(2), None]
        );
    }

    #[test]
    fn makers_work_ahead_into_the_next_epoch_and_no_further() {
        let state = state::<u8>(2, 9);
        let claims: Vec<_> = (0..4)
            .map(|_| claim(&state))
            .map(|t| (t.epoch, t.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        claim_end(&state);
        assert!(!state.has_room(&state.lock()));
    }

    #[test]
    fn a_reset_at_the_end_keeps_what_is_ready_and_one_in_the_middle_does_not() {
        let one = state(1, 2);
        for id in 0..2 {
            one.deliver(&claim(&one), made(id));
        }
        assert_eq!((next(&one), next(&one)), (Some(0), None));
        one.reset(false);
        assert_eq!(next(&one), Some(1));

        let state = state(2, 2);
        let (first, second) = (claim(&state), claim(&state));
        state.deliver(&first, made(0));
        assert_eq!(next(&state), Some(0));
        state.reset(false);
        assert!(!second.is_wanted());
        state.deliver(&second, made(1));
        assert!(matches!(
            state.next(Duration::ZERO).unwrap(),
            Given::Pending
        ));
        let ticket = claim(&state);
        assert_eq!((ticket.epoch, ticket.batch), (1, 0));
    }

    #[test]
    fn a_reset_after_the_last_batch_needs_no_look_at_the_end() {
        let state = state(1, 1);
        state.deliver(&claim(&state), made(0));
        assert_eq!(next(&state), Some(0));
        // A maker may have claimed the end already, and not told it yet.
        let late = state.claim().unwrap();
        state.reset(false);
        assert!(!state.take(&late, &pick(&state, &late, &[])));
        let ticket = claim(&state);
        assert_eq!((ticket.epoch, ticket.batch), (1, 0));
    }

    #[test]
    fn an_iterator_without_batches_is_at_its_end() {
        let state = state::<u8>(0, 1);
        claim_end(&state);
        assert_eq!(next(&state), None);
        state.reset(false);
        claim_end(&state);
        assert_eq!(next(&state), None);
    }

    #[test]
    fn a_batch_that_is_picked_again_moves_those_behind_it() {
        let state = of(6, 2, LastBatch::Wrap, 3);
        let tickets = [0, 1, 2].map(|_| claim(&state));
        state.deliver(&tickets[1], made(1));
        state.take_again(&tickets[0], &pick(&state, &tickets[0], &[1]));
        assert_eq!(
            tickets.each_ref().map(Ticket::is_wanted),
            [true, false, false]
        );
        state.deliver(&tickets[0], made(7));
        assert_eq!(next(&state), Some(7));
        let again = claim(&state);
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
        let state = of::<u8>(5, 2, LastBatch::RollOver, 9);
        let claims: Vec<_> = (0..5)
            .map(|_| claim(&state))
            .map(|ticket| (ticket.epoch, ticket.batch))
            .collect();
        assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]);
        assert_eq!(state.batches_of_epoch(), 2);
        // A fresh start forgets what is left over.
        let deliver_two = || {
            let mut places = state.lock();
            places.consumer.delivered = 2;
            places.queue.drain(..2);
        };
        deliver_two();
        state.reset(false);
        assert_eq!(state.batches_of_epoch(), 3);
        state.reset(true);
        assert_eq!(state.batches_of_epoch(), 2);
        let ticket = claim(&state);
        assert_eq!((ticket.epoch, ticket.base), (2, 2));
    }
}
