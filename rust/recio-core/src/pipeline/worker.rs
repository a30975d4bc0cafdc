//! Makes one image of a batch: read, plan, decode, augment, write into its slot.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::augment::finish::{Element, Finish};
use crate::augment::{self, apply};
use crate::decode::{Pixels, Source};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::picture::Picture;
use crate::pipeline::Options;
use crate::plan::{self, Stream, plan};
use crate::record::header::ImageRecord;
use crate::record::list::Labels;
use crate::record::set::{RecordSet, part};

/// Bytes of each buffer that a thread keeps between images.
const KEEP: usize = 32 << 20;

/// What all threads need to know to make images.
#[derive(Debug)]
pub(super) struct Task<T> {
    records: RecordSet,
    part: Range<usize>,
    list: Option<Labels>,
    /// Labels a record in the batch, and whether each must have just as many.
    label_width: usize,
    exact: bool,
    label_pad_value: f32,
    image: plan::Options,
    pixels: Pixels,
    finish: Finish<T>,
    seed: u64,
    limits: Limits,
    scratch: Vec<Mutex<Scratch>>,
}

/// What one thread works with.
#[derive(Debug, Default)]
struct Scratch {
    record: Vec<u8>,
    picture: Picture,
    spare: Picture,
    augment: augment::Scratch,
}

impl Scratch {
    /// Gives back the memory that a rare large image took.
    fn trim(&mut self) {
        if self.record.capacity() > KEEP {
            self.record = Vec::new();
        }
        self.picture.trim(KEEP);
        self.spare.trim(KEEP);
        self.augment.trim(KEEP);
    }
}

impl<T: Element> Task<T> {
    pub(super) fn new(records: RecordSet, options: &Options) -> Result<Self> {
        let plan::Options {
            channels,
            height,
            width,
            ..
        } = options.image;
        let part = part(records.len(), options.num_parts, options.part_index);
        if options.shuffle && part.len() > u32::MAX as usize {
            return Err(Error::argument(format!(
                "{} records are too many to shuffle; use num_parts",
                part.len()
            )));
        }
        let list = options.labels.as_deref().map(Labels::load).transpose()?;
        let label_width = match (options.label_width, &list) {
            (Some(width), _) => width,
            (None, Some(list)) => list.width().max(1),
            (None, None) => records.widest_label()?.max(1),
        };
        Ok(Self {
            part,
            list,
            label_width,
            exact: options.label_width.is_some(),
            label_pad_value: options.label_pad_value,
            pixels: match channels {
                1 => Pixels::Grey,
                4 => Pixels::Rgba,
                _ => Pixels::Rgb,
            },
            finish: Finish::new(&options.normalise, options.layout, channels, height, width),
            image: options.image.clone(),
            seed: options.seed,
            limits: options.limits,
            scratch: (0..options.threads).map(|_| Mutex::default()).collect(),
            records,
        })
    }

    /// The records that are read.
    pub(super) fn part(&self) -> Range<usize> {
        self.part.clone()
    }

    /// Samples an image.
    pub(super) fn slot_len(&self) -> usize {
        self.image.channels * self.image.height * self.image.width
    }

    /// Labels a record.
    pub(super) fn label_width(&self) -> usize {
        self.label_width
    }

    /// Makes the image of `record` as it is in `epoch`. Runs in the pool.
    pub(super) fn fill(
        &self,
        record: usize,
        epoch: u64,
        slot: &mut [T],
        labels: &mut [f32],
        id: &mut u64,
    ) -> Result<()> {
        let thread = rayon::current_thread_index().unwrap_or_default();
        // Nothing in it outlives an image but memory.
        let mut scratch = self.scratch[thread]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let work =
            AssertUnwindSafe(|| self.read_and_draw(record, epoch, &mut scratch, slot, labels, id));
        let outcome = catch_unwind(work)
            .unwrap_or_else(|_| Err(Error::image("a panic while this image was made")));
        scratch.trim();
        outcome.map_err(|error| self.records.locate(error, record))
    }

    fn read_and_draw(
        &self,
        record: usize,
        epoch: u64,
        scratch: &mut Scratch,
        slot: &mut [T],
        labels: &mut [f32],
        id: &mut u64,
    ) -> Result<()> {
        let Scratch {
            record: bytes,
            picture,
            spare,
            augment,
        } = scratch;
        let image = self.records.read(record, bytes)?;
        *id = image.header.id;
        let mut random = Stream::new(self.seed, epoch, record as u64);
        self.write_labels(&image, labels)
            .and_then(|()| self.draw(&image, &mut random, (picture, spare, augment), slot))
            .map_err(|error| error.at_id(image.header.id))
    }

    fn draw(
        &self,
        image: &ImageRecord<'_>,
        random: &mut Stream,
        (picture, spare, augment): (&mut Picture, &mut Picture, &mut augment::Scratch),
        slot: &mut [T],
    ) -> Result<()> {
        let source = Source::open(image.image, &self.limits)?;
        let (width, height) = source.size(self.pixels);
        let plan = plan(width, height, &self.image, random);
        for stage in plan.stages().rev().skip(1) {
            self.limits
                .check(stage.window.width, stage.window.height, self.image.channels)?;
        }
        source.decode(self.pixels, picture, spare)?;
        apply(picture.view(), &plan, augment, |y, row| {
            self.finish.row(y, row, plan.mirror, slot);
        });
        Ok(())
    }

    /// The labels of the list, or else the record's own, padded if they may be fewer. A record without an image is told
    /// before its labels are: those of a header record fit nothing.
    fn write_labels(&self, image: &ImageRecord<'_>, out: &mut [f32]) -> Result<()> {
        if image.image.is_empty() {
            return Err(no_image(image));
        }
        let Some(list) = &self.list else {
            return self.copy_labels(image.labels(), out);
        };
        let labels = list.get(image.header.id).ok_or_else(|| {
            Error::corrupt(format!(
                "path_imglist has no line for id {}",
                image.header.id
            ))
        })?;
        self.copy_labels(labels.iter().copied(), out)
    }

    fn copy_labels(
        &self,
        labels: impl ExactSizeIterator<Item = f32>,
        out: &mut [f32],
    ) -> Result<()> {
        let (found, width) = (labels.len(), self.label_width);
        if found > width || (self.exact && found != width) {
            return Err(Error::corrupt(format!(
                "{found} labels, but label_width={width}; give label_width={found}, or -1 for any number"
            )));
        }
        let padding = std::iter::repeat(self.label_pad_value);
        out.iter_mut()
            .zip(labels.chain(padding))
            .for_each(|(out, label)| *out = label);
        Ok(())
    }
}

/// Face data sets begin with such a record: InsightFace's tools put the range of their identities there.
fn no_image(image: &ImageRecord<'_>) -> Error {
    let labels: Vec<f32> = image.labels().take(4).collect();
    Error::image(format!(
        "no image bytes in this record (flag {}, labels {labels:?}); if it is the header record of a face data set, \
         leave it out by a path_imgidx that does not list it",
        image.header.flag
    ))
}
