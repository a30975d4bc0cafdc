//! Makes one image of a batch: read, draw, decode, augment, write into its slot.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::boxes::Boxes;
use crate::dataset::shard::shard_range;
use crate::dataset::source::{Fingerprint, Sample, Samples};
use crate::decode::{Pixels, Source};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::loader::labels::Labels;
use crate::loader::masks::{self, Masks, Wanted};
use crate::loader::options::Shape;
use crate::loader::{Options, PlannedImage};
use crate::plan::{Plan, Step, preview};
use crate::render::normalize::{Element, Gain, Normalize};
use crate::render::renderer::{Input, Job, Renderer};
use crate::render::slot_writer::Normalizer;
use crate::rng::Rng;

/// Bytes of each buffer that a thread keeps between images.
const KEEP: usize = 4 << 20;

/// What all threads need to know to make images.
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
    gain: Gain,
    seed: u64,
    limits: Limits,
    fill_damage: bool,
    decode_scale: bool,
    scratch: Vec<Mutex<Scratch>>,
}

/// What one thread works with.
#[derive(Debug, Default)]
struct Scratch {
    record: Vec<u8>,
    labels: Vec<f32>,
    boxes: Boxes,
    renderer: Renderer,
    masks: masks::Scratch,
}

impl Scratch {
    /// Gives back the memory that a rare large image took.
    fn trim(&mut self) {
        if self.record.capacity() > KEEP {
            self.record = Vec::new();
        }
        self.renderer.trim(KEEP);
        self.masks.trim(KEEP);
    }
}

/// The sizes of an image: width and height as it came, and its shape in the batch, which is the batch's own unless labels
/// tell it.
struct Drawn {
    size: (usize, usize),
    shape: Shape,
}

/// Where in the batch a sample goes.
#[derive(Debug)]
pub(super) struct Slot<'a, T> {
    pub(super) data: &'a mut [T],
    pub(super) labels: &'a mut [f32],
    pub(super) mask: Option<&'a mut [u8]>,
    pub(super) id: &'a mut u64,
}

impl<T: Element> SampleTask<T> {
    pub(super) fn new(samples: Samples, options: &Options) -> Result<Self> {
        let Shape {
            channels,
            height,
            width,
        } = options.shape;
        let labels = Labels::new(options, &samples)?;
        let count = labels.kept().map_or(samples.len(), <[usize]>::len);
        let shard = shard_range(count, options.num_parts, options.part_index);
        if options.shuffle && shard.len() > u32::MAX as usize {
            return Err(Error::argument(format!(
                "{} records are too many to shuffle; use num_parts",
                shard.len()
            )));
        }
        let masks = options.masks.as_ref();
        let masks = masks
            .map(|source| Masks::open(source, options))
            .transpose()?;
        let mut steps = options.steps.clone();
        let draws_gain = options.max_gain.contrast > 0.0 || options.max_gain.illumination > 0.0;
        let normalize = if draws_gain {
            // Which comes after the normalization.
            options.normalize.clone()
        } else {
            fold::<T>(&mut steps, &options.normalize)
        };
        Ok(Self {
            shard,
            labels,
            masks,
            pixels: options.shape.pixels(),
            normalizer: Normalizer::new(&normalize, options.layout, channels, height, width),
            shape: options.shape,
            steps,
            gain: options.max_gain,
            seed: options.augment_seed,
            limits: options.limits,
            fill_damage: options.fill_damage,
            decode_scale: options.decode_scale,
            scratch: (0..options.threads).map(|_| Mutex::default()).collect(),
            samples,
        })
    }

    /// Returns the range of the samples of this shard, among those of all shards.
    pub(super) fn shard(&self) -> Range<usize> {
        self.shard.clone()
    }

    /// Returns the number of samples of all shards.
    pub(super) fn samples_of_all_shards(&self) -> usize {
        self.labels
            .kept()
            .map_or(self.samples.len(), <[usize]>::len)
    }

    /// Returns the fingerprint of the samples of all shards.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        self.samples.fingerprint()
    }

    /// Numbers an image.
    pub(super) fn slot_len(&self) -> usize {
        self.shape.len()
    }

    /// How labels are.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The sample at a place.
    pub(super) fn sample(&self, place: usize) -> usize {
        self.labels.kept().map_or(place, |kept| kept[place])
    }

    /// The images' masks, if they have some.
    pub(super) fn masks(&self) -> Option<&Masks> {
        self.masks.as_ref()
    }

    /// Makes the image of sample `i` as it is in `epoch`. Runs in the pool.
    pub(super) fn fill(&self, i: usize, epoch: u64, slot: Slot<'_, T>) -> Result<()> {
        let thread = rayon::current_thread_index().unwrap_or_default();
        // Nothing in it outlives an image but memory.
        let mut scratch = self.scratch[thread]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let work = AssertUnwindSafe(|| self.read_and_draw(i, epoch, &mut scratch, slot));
        let outcome = catch_unwind(work)
            .unwrap_or_else(|_| Err(Error::image("a panic while this image was made")));
        scratch.trim();
        outcome.map_err(|error| self.samples.locate(error, i))
    }

    fn read_and_draw(
        &self,
        i: usize,
        epoch: u64,
        scratch: &mut Scratch,
        slot: Slot<'_, T>,
    ) -> Result<()> {
        let Scratch {
            record,
            labels,
            boxes,
            renderer,
            masks,
        } = scratch;
        let sample = self.samples.read(i, record, labels)?;
        *slot.id = sample.id;
        let random = &mut Rng::new(self.seed, epoch, i as u64);
        let make = || {
            let mut objects = self.label(sample.id, labels, boxes, slot.labels)?;
            let Drawn { size, shape } =
                self.draw(&sample, random, objects.as_deref_mut(), renderer, slot.data)?;
            self.draw_mask(sample.id, size, renderer, masks, slot.mask)?;
            objects.map_or(Ok(()), |boxes| {
                self.labels.write_objects(labels, boxes, shape, slot.labels)
            })
        };
        make().map_err(|error| error.at_id(sample.id))
    }

    /// Finds a sample's labels, unless it has a mask in place of them. Gives its objects, if they are of objects; else
    /// writes them.
    fn label<'b>(
        &self,
        id: u64,
        labels: &mut Vec<f32>,
        boxes: &'b mut Boxes,
        slot: &mut [f32],
    ) -> Result<Option<&'b mut Boxes>> {
        if self.masks.is_some() {
            return Ok(None);
        }
        self.labels.replace(id, labels)?;
        let objects = self.labels.objects(labels, boxes)?;
        if objects.is_none() {
            self.labels.write(labels, slot)?;
        }
        Ok(objects)
    }

    /// Writes the image.
    fn draw(
        &self,
        sample: &Sample<'_>,
        random: &mut Rng,
        boxes: Option<&mut Boxes>,
        renderer: &mut Renderer,
        slot: &mut [T],
    ) -> Result<Drawn> {
        let gain = self.gain(random);
        let source = Source::open(sample.image, &self.limits)?.fill_damage(self.fill_damage);
        let size = source.size(self.pixels);
        let job = Job {
            steps: &self.steps,
            rng: random,
            boxes,
            limits: &self.limits,
            decode_scale: self.decode_scale,
        };
        let mut image = renderer.plan(Input::Encoded(source, self.pixels), job)?;
        let (width, height) = image.plan().size();
        self.fill_up(image.plan_mut());
        self.shape.check(image.plan().size(), image.channels())?;
        let mut rows = self.normalizer.image(image.plan().mirror, gain, slot);
        image.render(&mut rows)?;
        let shape = Shape {
            height,
            width,
            ..self.shape
        };
        Ok(Drawn { size, shape })
    }

    /// Where labels tell an image's size, puts one that is smaller than the batch's into the top left of a black one, and
    /// flips it before a mean image is subtracted: MXNet's detection iterator does.
    fn fill_up(&self, plan: &mut Plan) {
        if !self.labels.contain_size() {
            return;
        }
        plan.resolve_mirror();
        let (size, full) = (plan.size(), (self.shape.width, self.shape.height));
        if size != full && size.0 <= full.0 && size.1 <= full.1 {
            plan.border((0, 0), full, [0; 4]);
        }
    }

    /// Writes the mask, if there is to be one, of the image that was drawn last.
    fn draw_mask(
        &self,
        id: u64,
        size: (usize, usize),
        renderer: &Renderer,
        scratch: &mut masks::Scratch,
        slot: Option<&mut [u8]>,
    ) -> Result<()> {
        let Some((masks, slot)) = self.masks.as_ref().zip(slot) else {
            return Ok(());
        };
        let plan = renderer.last_plan();
        masks.draw(&Wanted { id, size, plan }, scratch, slot)
    }

    /// Draws an image's contrast and illumination, if they are to be drawn at all.
    fn gain(&self, random: &mut Rng) -> Gain {
        let mut within = |most: f32| match most {
            0.0 => 0.0,
            most => random.uniform(-f64::from(most), most.into()) as f32,
        };
        Gain {
            contrast: 1.0 + within(self.gain.contrast),
            illumination: within(self.gain.illumination),
        }
    }

    /// What is done to sample `i` in `epoch`, as far as it is known before pixels are.
    pub(super) fn plan(&self, i: usize, epoch: u64) -> Result<PlannedImage> {
        if i >= self.samples.len() {
            let len = self.samples.len();
            return Err(Error::argument(format!("record {i}; there are {len}")));
        }
        let (mut record, mut labels) = Default::default();
        let sample = self.samples.read(i, &mut record, &mut labels)?;
        let mut boxes = Boxes::default();
        let mut make = || {
            self.labels.replace(sample.id, &mut labels)?;
            let mut objects = self.labels.objects(&labels, &mut boxes)?;
            let size = Source::open(sample.image, &self.limits)?.size(self.pixels);
            let random = &mut Rng::new(self.seed, epoch, i as u64);
            let gain = self.gain(random);
            let (mut plan, is_complete) =
                preview(&self.steps, size, random, objects.as_deref_mut());
            if is_complete {
                self.fill_up(&mut plan);
            }
            Ok(PlannedImage {
                plan,
                gain,
                boxes: objects.cloned(),
                is_complete,
            })
        };
        make().map_err(|error: Error| self.samples.locate(error.at_id(sample.id), i))
    }
}

/// Takes a normalization at the end of the steps out of them, if the last step of all can do it in its tables: that is
/// the same numbers but for the last bits, without pictures of floats.
fn fold<T: Element>(steps: &mut Vec<Step>, normalize: &Normalize) -> Normalize {
    let is_plain = *normalize == Normalize::default() && T::IS_FLOAT;
    let (kept, folded) = match steps.as_slice() {
        [kept @ .., Step::Cast, Step::Normalize(mean, std)]
        | [kept @ .., Step::Normalize(mean, std)] => (kept, Some((mean, std))),
        [kept @ .., Step::Cast] => (kept, None),
        _ => return normalize.clone(),
    };
    let comes_of_levels = !kept.iter().any(|step| step.any(&Step::makes_floats));
    if !comes_of_levels || (folded.is_some() && !is_plain) {
        return normalize.clone();
    }
    let four =
        |values: &[f64; 3], last| [values[0] as f32, values[1] as f32, values[2] as f32, last];
    let folded = folded.map(|(mean, std)| Normalize {
        mean: four(mean, 0.0),
        std: four(std, 1.0),
        divide: true,
        ..Normalize::default()
    });
    steps.truncate(kept.len());
    folded.unwrap_or_else(|| normalize.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(mut steps: Vec<Step>) -> (usize, Normalize) {
        let normalize = fold::<f32>(&mut steps, &Normalize::default());
        (steps.len(), normalize)
    }

    fn normalize() -> Step {
        Step::Normalize([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    }

    #[test]
    fn a_last_normalisation_of_levels_is_done_by_tables() {
        let (steps, normalise_by) = folded(vec![Step::Mirror(0.5), Step::Cast, normalize()]);
        assert_eq!(steps, 1);
        let expected = Normalize {
            mean: [1.0, 2.0, 3.0, 0.0],
            std: [4.0, 5.0, 6.0, 1.0],
            divide: true,
            ..Normalize::default()
        };
        assert_eq!(normalise_by, expected);
        assert_eq!(
            folded(vec![Step::Mirror(0.5), Step::Cast]),
            (1, Normalize::default())
        );
    }

    #[test]
    fn one_that_follows_colors_is_not() {
        let steps = vec![Step::Cast, Step::Brightness(0.5), normalize()];
        assert_eq!(folded(steps), (3, Normalize::default()));
        let steps = vec![
            Step::RandomOrder(vec![Step::Hue(0.1)]),
            Step::Cast,
            normalize(),
        ];
        assert_eq!(folded(steps), (3, Normalize::default()));
        let mut steps = vec![Step::Cast, normalize()];
        assert_eq!(
            fold::<u8>(&mut steps, &Normalize::default()),
            Normalize::default()
        );
        assert_eq!(steps.len(), 2);
    }
}
