//! Task for one image of a batch: read, decode, augment, write into its slot.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::boxes::Boxes;
use crate::dataset::shard::shard_range;
use crate::dataset::source::{Fingerprint, Samples, StoredSample};
use crate::decode::{Pixels, Source};
use crate::error::{Error, Result};
use crate::image::DynamicImage;
use crate::limits::Limits;
use crate::loader::epoch::Sharding;
use crate::loader::epoch_order::OrderedSamples;
use crate::loader::labels::Labels;
use crate::loader::masks::{self, MaskRequest, Masks};
use crate::loader::merge_normalize::merge;
use crate::loader::options::{Options, Shape};
use crate::loader::read_ahead::{Files, ReadAhead};
use crate::loader::sample_cursors::SampleOrigin;
use crate::loader::supply::{SuppliedImage, SuppliedSample};
use crate::memory;
use crate::plan::{Plan, Step, preview};
use crate::progress::Interrupt;
use crate::render::normalize::{Element, Gain};
use crate::render::renderer::{Input, Job, Renderer};
use crate::render::slot_writer::Normalizer;
use crate::rng::Rng;

/// Bytes of each buffer that a thread keeps between images.
const MAX_KEPT_BYTES: usize = 4 << 20;

/// State that all threads share to render samples.
#[derive(Debug)]
pub(super) struct SampleTask<T> {
    samples: Samples,
    shard: Range<usize>,
    labels: Labels,
    masks: Option<Masks>,
    shape: Shape,
    steps: Vec<Step>,
    pixels: Pixels,
    normalizer: Normalizer<T>,
    max_gain: Gain,
    seed: u64,
    limits: Limits,
    fill_damage: bool,
    decode_scale: bool,
    scratch: Vec<Mutex<Scratch>>,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
struct Scratch {
    record: Vec<u8>,
    work: Work,
}

/// Buffers for making an image that was read.
#[derive(Debug, Default)]
struct Work {
    labels: Vec<f64>,
    boxes: Boxes,
    renderer: Renderer,
    masks: masks::Scratch,
}

impl Scratch {
    /// Frees the memory that a rare large image took.
    fn trim(&mut self) {
        if self.record.capacity() > MAX_KEPT_BYTES {
            self.record = Vec::new();
        }
        self.work.renderer.trim(MAX_KEPT_BYTES);
        self.work.masks.trim(MAX_KEPT_BYTES);
    }
}

/// Fingerprint of what batches are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataFingerprint {
    /// That of the samples.
    pub samples: Fingerprint,
    /// CRC32C of the list of labels, if there is one.
    pub labels: Option<u32>,
    /// That of the masks and their fill value, if there are some.
    pub masks: Option<(Fingerprint, u8)>,
}

/// Preview of what will be done to an image.
#[derive(Debug)]
pub struct ImagePreview {
    /// Its plan.
    pub plan: Plan,
    /// Its contrast and illumination.
    pub gain: Gain,
    /// Its objects after the plan, if labels are objects.
    pub boxes: Option<Boxes>,
    /// Whether nothing follows the plan. If not, a function of the caller's follows.
    pub is_complete: bool,
}

/// Slot of a sample in a batch.
#[derive(Debug)]
pub(super) struct Slot<'a, T> {
    pub(super) data: &'a mut [T],
    pub(super) labels: &'a mut [f64],
    pub(super) mask: Option<&'a mut [u8]>,
    pub(super) id: &'a mut u64,
}

/// A sample's image.
#[derive(Debug, Clone, Copy)]
enum SampleImage<'a> {
    Encoded(&'a [u8]),
    Decoded(&'a DynamicImage),
}

/// Size of an image before augmentation, and its shape in the batch.
struct RenderedSize {
    original: (usize, usize),
    shape: Shape,
}

impl<T: Element> SampleTask<T> {
    pub(super) fn new(
        samples: Samples,
        options: &Options,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let Shape {
            channels,
            height,
            width,
        } = options.shape;
        let labels = Labels::new(options, &samples, interrupt)?;
        let count = labels.kept().map_or(samples.len(), <[usize]>::len);
        let shard = match options.sharding {
            Sharding::Contiguous => shard_range(count, options.num_parts, options.part_index),
            Sharding::Global => 0..count,
        };
        let masks = options.masks.as_ref();
        let masks = masks
            .map(|source| Masks::open(source, options, &samples, interrupt))
            .transpose()?;
        let mut steps = options.steps.clone();
        let has_gain = options.max_gain.contrast > 0.0 || options.max_gain.illumination > 0.0;
        let normalize = if has_gain {
            // Contrast and illumination come after the steps and before the normalization.
            options.normalize.clone()
        } else {
            merge::<T>(&mut steps, &options.normalize)
        };
        Ok(Self {
            shard,
            labels,
            masks,
            pixels: options.shape.pixels(),
            normalizer: Normalizer::new(&normalize, options.layout, channels, height, width),
            shape: options.shape,
            steps,
            max_gain: options.max_gain,
            seed: options.augment_seed,
            limits: options.limits,
            fill_damage: options.fill_damage,
            decode_scale: options.decode_scale,
            scratch: (0..options.threads).map(|_| Mutex::default()).collect(),
            samples,
        })
    }

    /// Returns the range of the samples that the order of an epoch is made of.
    pub(super) fn shard(&self) -> Range<usize> {
        self.shard.clone()
    }

    /// Returns the number of samples of all shards.
    pub(super) fn samples_of_all_shards(&self) -> usize {
        self.labels
            .kept()
            .map_or(self.samples.len(), <[usize]>::len)
    }

    /// Returns the number of identity records of face data sets, which are no samples.
    pub(super) fn identities(&self) -> usize {
        self.samples.identities()
    }

    /// Returns the number of record files whose records are those of an index beside them.
    pub(super) fn indexes_beside(&self) -> usize {
        self.samples.indexes_beside()
    }

    /// Returns the fingerprint of the samples of all shards, with their labels and masks.
    pub(super) fn fingerprint(&self) -> Result<DataFingerprint> {
        Ok(DataFingerprint {
            samples: self.samples.fingerprint()?,
            labels: self.labels.list_digest(),
            masks: self.masks.as_ref().map(Masks::fingerprint).transpose()?,
        })
    }

    /// Returns the values of an image in the batch.
    pub(super) fn slot_len(&self) -> usize {
        self.shape.len()
    }

    /// Returns the source and layout of labels.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Returns the samples that the orders of epochs are made of.
    pub(super) fn ordered_samples(&self) -> OrderedSamples {
        OrderedSamples {
            records: self.samples.len(),
            kept: self.labels.kept().map(<[usize]>::to_vec),
            shard: self.shard.clone(),
        }
    }

    /// Returns the masks, if images have masks.
    pub(super) fn masks(&self) -> Option<&Masks> {
        self.masks.as_ref()
    }

    /// Adds the position of a sample to an error.
    pub(super) fn locate(&self, error: Error, sample: usize) -> Error {
        self.samples.locate(error, sample)
    }

    /// Reads a sample as it is stored, its labels replaced by those of the list, if there is one.
    pub(super) fn stored(&self, sample: usize) -> Result<StoredSample> {
        let mut stored = self.samples.stored(sample)?;
        self.labels
            .replace(sample, stored.id, &mut stored.labels)
            .map_err(|error| self.locate(error.at_id(stored.id), sample))?;
        Ok(stored)
    }

    /// Returns the files of samples and masks.
    pub(super) fn files(&self) -> Files<'_> {
        Files {
            samples: &self.samples,
            masks: self.masks.as_ref(),
        }
    }

    /// Makes the image of a sample in an epoch, in the thread of this number. The sample may have
    /// been read ahead.
    pub(super) fn fill(
        &self,
        (epoch, sample): (u64, usize),
        ahead: &ReadAhead,
        thread: usize,
        slot: Slot<'_, T>,
    ) -> Result<()> {
        self.with_scratch(thread, |Scratch { record, work }| {
            let begin = Instant::now();
            let loaded = ahead.take((epoch, sample), record, &mut work.masks)?;
            let read = self
                .samples
                .read(sample, loaded, record, &mut work.labels)?;
            let read_at = Instant::now();
            if loaded.is_none() {
                ahead.note_read(read_at - begin, read.image.len());
            }
            *slot.id = read.id;
            let rng = &mut Rng::new(self.seed, epoch, sample as u64);
            self.replace_labels(sample, read.id, &mut work.labels)
                .and_then(|()| {
                    self.make(read.id, SampleImage::Encoded(read.image), rng, work, slot)
                })
                .map_err(|error| error.at_id(read.id))?;
            ahead.note_work(read_at.elapsed());
            Ok(())
        })
        .map_err(|error| self.locate(error, sample))
    }

    /// Makes the image of a sample that the caller supplies. Runs in the caller's thread.
    pub(super) fn fill_supplied(
        &self,
        sample: &SuppliedSample,
        origin: SampleOrigin,
        slot: Slot<'_, T>,
    ) -> Result<()> {
        let image = match &sample.image {
            SuppliedImage::Encoded(bytes) => SampleImage::Encoded(bytes),
            SuppliedImage::Decoded(image) => SampleImage::Decoded(image),
        };
        let id = origin.id.unwrap_or_default();
        *slot.id = id;
        let rng = &mut Rng::new(self.seed, origin.epoch, origin.index as u64);
        self.with_scratch(0, |Scratch { work, .. }| {
            work.labels.clone_from(&sample.labels);
            self.make(id, image, rng, work, slot)
        })
    }

    /// Makes an encoded image without labels, in the thread of this number. `origin` is the epoch
    /// and the number of the sample.
    pub(super) fn fill_encoded(
        &self,
        image: &[u8],
        (epoch, number): (u64, u64),
        thread: usize,
        data: &mut [T],
    ) -> Result<()> {
        let rng = &mut Rng::new(self.seed, epoch, number);
        self.with_scratch(thread, |Scratch { work, .. }| {
            let image = SampleImage::Encoded(image);
            self.render(image, rng, None, &mut work.renderer, data)
                .map(drop)
        })
    }

    /// Calls a function with the buffers of a thread.
    fn with_scratch(
        &self,
        thread: usize,
        work: impl FnOnce(&mut Scratch) -> Result<()>,
    ) -> Result<()> {
        // Nothing in the buffers outlives an image but memory.
        let mut scratch = self.scratch[thread]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut scratch)));
        scratch.trim();
        outcome.unwrap_or_else(|panic| {
            let memory = memory::error_of(&*panic);
            Err(memory.unwrap_or_else(|| Error::image("a panic while this image was made")))
        })
    }

    /// Replaces labels by those of the list, if there is one, and the sample has labels, not a
    /// mask.
    fn replace_labels(&self, sample: usize, id: u64, labels: &mut Vec<f64>) -> Result<()> {
        match self.masks {
            Some(_) => Ok(()),
            None => self.labels.replace(sample, id, labels),
        }
    }

    /// Writes image, mask and labels of a sample into its slot. The labels are in `work`.
    fn make(
        &self,
        id: u64,
        image: SampleImage<'_>,
        rng: &mut Rng,
        work: &mut Work,
        slot: Slot<'_, T>,
    ) -> Result<()> {
        let Work {
            labels,
            boxes,
            renderer,
            masks,
        } = work;
        let mut objects = self.write_labels(labels, boxes, slot.labels)?;
        let size = self.render(image, rng, objects.as_deref_mut(), renderer, slot.data)?;
        if let Some((source, slot)) = self.masks.as_ref().zip(slot.mask) {
            let request = MaskRequest {
                id,
                size: size.original,
                plan: renderer.last_plan(),
            };
            source.render(&request, masks, slot)?;
        }
        objects.map_or(Ok(()), |boxes| {
            self.labels
                .write_objects(labels, boxes, size.shape, slot.labels)
        })
    }

    /// Writes labels into their slot, unless the sample has a mask; if labels are objects, returns
    /// these instead.
    fn write_labels<'b>(
        &self,
        labels: &[f64],
        boxes: &'b mut Boxes,
        slot: &mut [f64],
    ) -> Result<Option<&'b mut Boxes>> {
        if self.masks.is_some() {
            return Ok(None);
        }
        let objects = self.labels.objects(labels, boxes)?;
        if objects.is_none() {
            self.labels.write(labels, slot)?;
        }
        Ok(objects)
    }

    /// Renders an image into its slot.
    fn render(
        &self,
        image: SampleImage<'_>,
        rng: &mut Rng,
        boxes: Option<&mut Boxes>,
        renderer: &mut Renderer,
        slot: &mut [T],
    ) -> Result<RenderedSize> {
        let gain = self.sample_gain(rng);
        let input = self.input(image)?;
        let original = input.size();
        let job = Job {
            steps: &self.steps,
            rng,
            boxes,
            limits: &self.limits,
            decode_scale: self.decode_scale,
        };
        let mut image = renderer.plan(input, job)?;
        let (width, height) = image.plan().size();
        self.pad_plan(image.plan_mut());
        self.shape.check(image.plan().size(), image.channels())?;
        let mut rows = self.normalizer.image(image.plan().mirror, gain, slot);
        image.render(&mut rows)?;
        let shape = Shape {
            height,
            width,
            ..self.shape
        };
        Ok(RenderedSize { original, shape })
    }

    fn input<'a>(&self, image: SampleImage<'a>) -> Result<Input<'a>> {
        Ok(match image {
            SampleImage::Encoded(bytes) => {
                let source = Source::open(bytes, &self.limits)?.fill_damage(self.fill_damage);
                Input::Encoded(source, self.pixels)
            }
            SampleImage::Decoded(DynamicImage::U8(image)) => Input::U8(image.view()),
            SampleImage::Decoded(DynamicImage::F32(image)) => Input::F32(image.view()),
        })
    }

    /// Pads an image that is smaller than the batch's with black, on the right and below, if labels
    /// contain its size. The mirror then comes before the padding, and so before a mean image is
    /// subtracted, as in MXNet's detection iterator.
    fn pad_plan(&self, plan: &mut Plan) {
        if !self.labels.contain_size() {
            return;
        }
        plan.resolve_mirror();
        let (size, full) = (plan.size(), (self.shape.width, self.shape.height));
        if size != full && size.0 <= full.0 && size.1 <= full.1 {
            plan.border((0, 0), full, [0; 4]);
        }
    }

    /// Samples an image's contrast and illumination.
    fn sample_gain(&self, rng: &mut Rng) -> Gain {
        let mut within = |max: f32| match max {
            0.0 => 0.0,
            max => rng.uniform(-f64::from(max), max.into()) as f32,
        };
        Gain {
            contrast: 1.0 + within(self.max_gain.contrast),
            illumination: within(self.max_gain.illumination),
        }
    }

    /// Returns what will be done to a sample's image in an epoch, as far as it is known before the
    /// image is decoded.
    pub(super) fn preview(&self, sample: usize, epoch: u64) -> Result<ImagePreview> {
        if sample >= self.samples.len() {
            let len = self.samples.len();
            return Err(Error::argument(format!("record {sample}; there are {len}")));
        }
        let (mut record, mut labels) = Default::default();
        let read = self.samples.read(sample, None, &mut record, &mut labels)?;
        let mut boxes = Boxes::default();
        let mut make = || {
            self.labels.replace(sample, read.id, &mut labels)?;
            let mut objects = self.labels.objects(&labels, &mut boxes)?;
            let size = self.input(SampleImage::Encoded(read.image))?.size();
            let rng = &mut Rng::new(self.seed, epoch, sample as u64);
            let gain = self.sample_gain(rng);
            let (mut plan, is_complete) = preview(&self.steps, size, rng, objects.as_deref_mut());
            if is_complete {
                self.pad_plan(&mut plan);
            }
            Ok(ImagePreview {
                plan,
                gain,
                boxes: objects.cloned(),
                is_complete,
            })
        };
        make().map_err(|error: Error| self.locate(error.at_id(read.id), sample))
    }
}
