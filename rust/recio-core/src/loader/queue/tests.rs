//! Tests of the queue.

use std::sync::Arc;

use super::*;
use crate::loader::batch_sampler::{BatchSampler, IndexStream, SkippedSamples};
use crate::loader::buffer_pool::BufferPool;
use crate::loader::epoch::ShardPolicy;

fn pool<T: Element>() -> Arc<BufferPool<T>> {
    BufferPool::new(1, (1, usize::MAX), None)
}

/// Batches of one sample.
fn queue<T: Element>(batches: usize, prefetch: usize) -> Queue<T> {
    of(batches, 1, LastBatch::Wrap, prefetch)
}

fn of<T: Element>(
    samples: usize,
    batch_size: usize,
    last_batch: LastBatch,
    prefetch: usize,
) -> Queue<T> {
    let spec = EpochSpec {
        samples,
        batch_size,
        last_batch,
        equal_samples: None,
        slice: None,
    };
    Queue::new(spec, prefetch, pool())
}

fn sample<T: Element>(queue: &Queue<T>, claim: &Claim, skipped: &[usize]) -> Sampled<(u64, usize)> {
    let error = |&sample: &usize| (sample, Arc::new(Error::image("bad")));
    let skip: SkippedSamples = skipped.iter().map(error).collect();
    let sampler = BatchSampler {
        spec: &queue.spec,
        stream: IndexStream::new(queue.spec.samples, &skip, |at: Cursor| {
            Ok((at.epoch, at.index))
        }),
    };
    sampler.sample(claim).unwrap()
}

/// Claims batches as a producer does, on past the ends of epochs.
fn claim<T: Element>(queue: &Queue<T>) -> Claim {
    loop {
        let claim = queue.claim().unwrap();
        let sampled = sample(queue, &claim, &[]);
        queue.push(&claim, &sampled);
        if let Sampled::Batch(_) = sampled {
            return claim;
        }
    }
}

/// Claims the ends of epochs, as a producer does that finds no batch.
fn claim_end<T: Element>(queue: &Queue<T>) {
    let claim = queue.claim().unwrap();
    let sampled = sample(queue, &claim, &[]);
    assert!(matches!(sampled, Sampled::End { .. }));
    queue.push(&claim, &sampled);
}

fn batch(id: u64) -> Produced<u8> {
    Produced {
        batch: Ok(Batch {
            data: pool().take().unwrap(),
            labels: vec![],
            masks: None,
            ids: vec![id],
            pad: 0,
        }),
        skipped: vec![],
    }
}

fn next(queue: &Queue<u8>) -> Option<u64> {
    match queue.next(Duration::ZERO).unwrap().0 {
        Next::Batch(batch) => Some(batch.unwrap().ids[0]),
        Next::End => None,
        Next::Pending => panic!("nothing is ready"),
    }
}

#[test]
fn batches_are_delivered_in_order_whichever_is_finished_first() {
    let queue = queue(3, 4);
    let claims = [0, 1, 2].map(|_| claim(&queue));
    for i in [2, 0, 1] {
        queue.complete(&claims[i], batch(i as u64));
    }
    claim_end(&queue);
    assert_eq!(
        [next(&queue), next(&queue), next(&queue), next(&queue)],
        [Some(0), Some(1), Some(2), None]
    );
}

#[test]
fn producers_work_ahead_into_the_next_epoch_and_no_further() {
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
fn a_reset_at_the_end_keeps_ready_batches_and_one_in_the_middle_does_not() {
    let one = queue(1, 2);
    for id in 0..2 {
        one.complete(&claim(&one), batch(id));
    }
    assert_eq!((next(&one), next(&one)), (Some(0), None));
    one.reset(false);
    assert_eq!(next(&one), Some(1));

    let queue = queue(2, 2);
    let (first, second) = (claim(&queue), claim(&queue));
    queue.complete(&first, batch(0));
    assert_eq!(next(&queue), Some(0));
    queue.reset(false);
    assert!(!second.is_wanted());
    queue.complete(&second, batch(1));
    assert!(matches!(
        queue.next(Duration::ZERO).unwrap().0,
        Next::Pending
    ));
    let claim = claim(&queue);
    assert_eq!((claim.epoch, claim.batch), (1, 0));
}

#[test]
fn a_reset_after_the_last_batch_needs_no_request_for_the_end() {
    let queue = queue(1, 1);
    queue.complete(&claim(&queue), batch(0));
    assert_eq!(next(&queue), Some(0));
    // A producer may have claimed the end already, and not pushed it yet.
    let late = queue.claim().unwrap();
    queue.reset(false);
    assert!(!queue.push(&late, &sample(&queue, &late, &[])));
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
fn a_batch_sampled_again_moves_those_after_it() {
    let queue = of(6, 2, LastBatch::Wrap, 3);
    let claims = [0, 1, 2].map(|_| claim(&queue));
    queue.complete(&claims[1], batch(1));
    queue.replace(&claims[0], &sample(&queue, &claims[0], &[1]));
    assert_eq!(
        claims.each_ref().map(Claim::is_wanted),
        [true, false, false]
    );
    queue.complete(&claims[0], batch(7));
    assert_eq!(next(&queue), Some(7));
    let again = claim(&queue);
    assert_eq!((again.batch, again.at.index), (1, 3));
}

#[test]
fn a_consumer_goes_on_from_the_position_of_another() {
    let first = of(5, 2, LastBatch::RollOver, 9);
    for id in 0..3 {
        first.complete(&claim(&first), batch(id));
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
        at: Cursor { epoch: 1, index: 6 },
        ..position
    };
    assert!(second.go_to(wrong).is_err());
}

#[test]
fn positions_that_no_consumer_reaches_are_refused() {
    let queue = of::<u8>(5, 2, LastBatch::RollOver, 1);
    let start = Position::fresh(3);
    let wrong = [
        // Epochs of samples would have to be passed before the next batch.
        Position {
            epoch: 1 << 39,
            base: 0,
            ..start
        },
        Position {
            first: Cursor::start(0),
            at: Cursor::start(0),
            base: 0,
            ..start
        },
        Position {
            delivered: 3,
            at: Cursor { epoch: 3, index: 5 },
            ..start
        },
        Position {
            delivered: usize::MAX,
            ..start
        },
        Position {
            at: Cursor { epoch: 3, index: 2 },
            ..start
        },
        Position {
            delivered: 2,
            at: Cursor { epoch: 3, index: 2 },
            ..start
        },
        Position { base: 4, ..start },
        Position {
            first: Cursor { epoch: 3, index: 1 },
            ..start
        },
    ];
    for position in wrong {
        assert!(queue.go_to(position).is_err(), "{position:?}");
    }
    queue.go_to(start).unwrap();
}

#[test]
fn set_epoch_stays_within_an_epoch_and_goes_to_the_beginning_of_another() {
    let queue = of::<u8>(5, 2, LastBatch::Discard, 9);
    let position = Position {
        delivered: 1,
        at: Cursor { epoch: 2, index: 2 },
        ..Position::fresh(2)
    };
    queue.go_to(position).unwrap();
    assert!(!queue.set_epoch(2).unwrap());
    assert_eq!(queue.position(), position);
    for epoch in [7, 2, 3] {
        assert!(queue.set_epoch(epoch).unwrap());
        assert_eq!(queue.position(), Position::fresh(epoch));
    }
    assert!(queue.set_epoch(u64::MAX).is_err());
}

#[test]
fn positions_of_other_shards_have_as_many_batches() {
    let spec =
        |part: usize, last| EpochSpec::of_shard([4, 5][part], (9, 2), ShardPolicy::Pad, 2, last);
    let (short, long) = (spec(0, LastBatch::Wrap), spec(1, LastBatch::Wrap));
    for (delivered, index, other) in [(0, 0, 0), (1, 2, 2), (2, 4, 4), (3, 4, 5)] {
        let at = |index| Cursor { epoch: 1, index };
        let position = Position {
            delivered,
            at: at(index),
            ..Position::fresh(1)
        };
        let expected = Position {
            at: at(other),
            ..position
        };
        assert_eq!(position.of_other_shard(&short, &long).unwrap(), expected);
        assert_eq!(expected.of_other_shard(&long, &short).unwrap(), position);
    }
    let skipped = Position {
        delivered: 1,
        at: Cursor { epoch: 1, index: 3 },
        ..Position::fresh(1)
    };
    assert!(skipped.of_other_shard(&short, &long).is_err());
    let rolling = [0, 1].map(|part| spec(part, LastBatch::RollOver));
    assert!(
        Position::fresh(1)
            .of_other_shard(&rolling[0], &rolling[1])
            .is_err()
    );
}

#[test]
fn positions_of_equal_shards_that_roll_over_are_the_same() {
    let spec = EpochSpec::of_shard(5, (10, 2), ShardPolicy::Pad, 2, LastBatch::RollOver);
    let queue = Queue::<u8>::new(spec, 1, pool());
    for _ in 0..13 {
        let position = queue.position();
        assert_eq!(position.of_other_shard(&spec, &spec).unwrap(), position);
        let claim = claim(&queue);
        queue.complete(&claim, batch(0));
        if next(&queue).is_none() {
            queue.reset(false);
            assert!(next(&queue).is_some());
        }
    }
    assert!(queue.position().epoch > 3);
}

#[test]
fn epochs_that_roll_over_differ_in_their_numbers_of_batches() {
    let queue = of::<u8>(5, 2, LastBatch::RollOver, 9);
    let claims: Vec<_> = (0..5)
        .map(|_| claim(&queue))
        .map(|claim| (claim.epoch, claim.batch))
        .collect();
    assert_eq!(claims, [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]);
    assert_eq!(queue.batches(), 2);
    // A fresh start forgets what is left over.
    let deliver_two = || {
        let mut state = queue.lock();
        state.consumer.delivered = 2;
        state.entries.drain(..2);
    };
    deliver_two();
    queue.reset(false);
    assert_eq!(queue.batches(), 3);
    queue.reset(true);
    assert_eq!(queue.batches(), 2);
    let claim = claim(&queue);
    assert_eq!((claim.epoch, claim.base), (2, 2));
}
