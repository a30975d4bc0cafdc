//! Supply of samples: those that the caller supplies one by one, written into a batch as they are
//! taken.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{Error, Result};
use crate::image::DynamicImage;
use crate::loader::batch_sampler::SampleStream;
use crate::loader::buffer_pool::Batch;
use crate::loader::epoch::{Cursor, EpochSpec, LastBatch};
use crate::loader::lock::lock;
use crate::loader::position::Claim;
use crate::loader::producer::BatchProducer;
use crate::loader::sample_cursors::{SampleCursors, SampleOrigin};
use crate::render::normalize::Element;

/// A sample that the caller supplies.
#[derive(Debug)]
pub struct SuppliedSample {
    /// The labels.
    pub labels: Vec<f64>,
    /// The image.
    pub image: SuppliedImage,
}

/// An image that the caller supplies.
#[derive(Debug)]
pub enum SuppliedImage {
    /// An encoded image.
    Encoded(Vec<u8>),
    /// A decoded image.
    Decoded(DynamicImage),
}

/// Function that supplies the next sample of an epoch; none at its end.
pub type Supplier<'a> = dyn FnMut() -> Result<Option<SuppliedSample>> + 'a;

/// A batch that is filled with supplied samples.
#[derive(Debug)]
pub(super) struct PartialBatch<T> {
    pub(super) batch: Batch<T>,
    /// Slots that are filled.
    pub(super) filled: usize,
    /// Whether some samples are not from the files, and so have no ids.
    pub(super) has_foreign: bool,
}

/// Samples that roll over: the batch that an epoch could not fill.
#[derive(Debug)]
pub(super) struct LeftOver<T> {
    pub(super) partial: PartialBatch<T>,
    pub(super) epoch: u64,
    /// Position of the first sample of the batch.
    pub(super) at: Cursor,
}

impl<T: Element> PartialBatch<T> {
    /// A batch without samples.
    pub(super) fn new(producer: &BatchProducer<T>) -> Result<Self> {
        Ok(Self {
            batch: producer.blank()?,
            filled: 0,
            has_foreign: false,
        })
    }

    /// Returns the batch, its remaining slots cleared, or filled with repeated samples if batches
    /// are filled up.
    pub(super) fn finish(mut self, producer: &BatchProducer<T>, pad: usize) -> Batch<T> {
        producer.clear(&mut self.batch, self.filled);
        let EpochSpec {
            batch_size,
            last_batch,
            ..
        } = *producer.spec();
        if self.filled > 0 && last_batch != LastBatch::Zeros {
            for slot in self.filled..batch_size {
                self.batch.copy_slot(slot % self.filled, slot, batch_size);
            }
        }
        if self.has_foreign {
            self.batch.ids.clear();
        }
        self.batch.pad = pad;
        self.batch
    }
}

impl<T> LeftOver<T> {
    /// Whether the batch of a claim begins with these samples.
    pub(super) fn belongs_to(&self, claim: &Claim) -> bool {
        self.epoch + 1 == claim.epoch && self.at == claim.at
    }
}

/// Supplied samples, written into the slots of a batch as they are taken.
pub(super) struct SupplyStream<'a, 's, T: Element> {
    pub(super) producer: &'a BatchProducer<T>,
    pub(super) cursors: &'a Mutex<SampleCursors>,
    pub(super) supplier: &'a mut Supplier<'s>,
    pub(super) claim: &'a Claim,
    pub(super) partial: PartialBatch<T>,
    /// Samples at the beginning of the batch that are still to be taken from the left-over ones.
    pub(super) left_over: Option<usize>,
    /// The epoch whose end the supplier has reached.
    pub(super) ended: Option<u64>,
    pub(super) is_repeating: bool,
    pub(super) skipped: Vec<usize>,
    /// Errors of skipped samples that are not from the files.
    pub(super) foreign_errors: Vec<Arc<Error>>,
}

impl<T: Element> SampleStream for &mut SupplyStream<'_, '_, T> {
    type Sample = ();

    fn take(&mut self, at: &mut Cursor) -> Result<Option<()>> {
        match self.left_over {
            Some(0) => {
                // What was left over ends with the epoch before.
                at.epoch = self.claim.epoch - 1;
                self.left_over = None;
                return Ok(None);
            }
            Some(left) => {
                self.left_over = Some(left - 1);
                return Ok(Some(()));
            }
            None => {}
        }
        if self.ended == Some(at.epoch) && !self.is_repeating {
            return Ok(None);
        }
        loop {
            self.cursors().set_batch(*at);
            let supplied = (self.supplier)();
            let reading = self.cursors().take_batch();
            *at = reading.at;
            self.skipped.extend(reading.skipped);
            let outcome = match supplied {
                Ok(None) => {
                    self.ended = Some(at.epoch);
                    at.index = self.producer.spec().samples;
                    return Ok(None);
                }
                Ok(Some(sample)) => self.add(&sample, reading.last),
                Err(error) if error.is_user_fn() => Err(error),
                Err(error) => Err(self.locate(error, reading.last)),
            };
            match outcome {
                Ok(()) => return Ok(Some(())),
                Err(error) if self.producer.is_skippable(&error) => self.skip(error, reading.last),
                Err(error) => return Err(error),
            }
        }
    }

    fn start_over(&mut self) {
        self.is_repeating = true;
    }

    fn take_skipped(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.skipped)
    }
}

impl<T: Element> SupplyStream<'_, '_, T> {
    /// Writes a sample into the next slot.
    fn add(&mut self, sample: &SuppliedSample, origin: Option<SampleOrigin>) -> Result<()> {
        let PartialBatch { batch, filled, .. } = &mut self.partial;
        let number = self.claim.batch * self.producer.spec().batch_size + *filled;
        let foreign = SampleOrigin {
            epoch: self.claim.epoch,
            index: number,
            id: None,
        };
        let slot = self.producer.slots(batch).nth(*filled);
        let slot = slot.expect("no more samples are taken than the batch has slots");
        let task = self.producer.task();
        task.fill_supplied(sample, origin.unwrap_or(foreign), slot)
            .map_err(|error| self.locate(error, origin))?;
        self.partial.has_foreign |= origin.is_none();
        self.partial.filled += 1;
        Ok(())
    }

    fn locate(&self, error: Error, origin: Option<SampleOrigin>) -> Error {
        let Some(SampleOrigin { index, id, .. }) = origin else {
            return error;
        };
        let error = match id {
            Some(id) => error.at_id(id),
            None => error,
        };
        self.producer.task().locate(error, index)
    }

    fn skip(&mut self, error: Error, origin: Option<SampleOrigin>) {
        match origin {
            Some(origin) => {
                self.skipped.push(origin.index);
                self.producer.note_skipped(origin.index, error);
            }
            None => self.foreign_errors.push(Arc::new(error)),
        }
    }

    fn cursors(&self) -> MutexGuard<'_, SampleCursors> {
        lock(self.cursors)
    }
}
