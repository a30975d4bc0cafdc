//! The batches after those in production, and their files, for reading ahead.

use std::sync::Arc;

use crate::error::Result;
use crate::loader::batch_sampler::Sampled;
use crate::loader::position::Claim;
use crate::loader::producer::BatchProducer;
use crate::loader::queue::Queue;
use crate::loader::read_ahead::{Files, Key, Source, Upcoming};
use crate::render::normalize::Element;

/// The batches of a loader.
pub(super) struct ComingBatches<T: Element> {
    pub(super) producer: Arc<BatchProducer<T>>,
    pub(super) queue: Arc<Queue<T>>,
}

impl<T: Element> Upcoming for ComingBatches<T> {
    fn next_claim(&self) -> Claim {
        self.queue.next_claim()
    }

    fn last_epoch(&self) -> u64 {
        self.queue.last_epoch()
    }

    fn prepare(&self) {
        let epochs = self.next_claim().epoch..=self.last_epoch();
        self.producer.prepare_orders(epochs);
    }

    fn sample(&self, claim: &Claim) -> Result<Sampled<Key>> {
        self.producer.sample(claim)
    }
}

impl<T: Element> Source for ComingBatches<T> {
    fn files(&self) -> Files<'_> {
        self.producer.task().files()
    }
}
