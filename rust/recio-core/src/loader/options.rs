//! What the caller wants of an iterator, checked before a file is opened.

use std::path::PathBuf;

use crate::decode::Pixels;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::loader::{LastBatch, MaskSource, ShardPolicy};
use crate::plan::Step;
use crate::render::normalize::{Gain, Normalize};
use crate::render::slot_writer::Layout;

/// More threads than any machine has cores only take memory and time to start.
const MAX_THREADS: usize = 1024;

/// The size of an image in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// 1 (gray), 3 (RGB) or 4 (RGBA).
    pub channels: usize,
    /// In pixels.
    pub height: usize,
    /// In pixels.
    pub width: usize,
}

impl Shape {
    /// Samples.
    pub(super) fn len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// What images are decoded to.
    pub(super) fn pixels(self) -> Pixels {
        match self.channels {
            1 => Pixels::Gray,
            4 => Pixels::Rgba,
            _ => Pixels::Rgb,
        }
    }

    /// Refuses what the steps give if it is of another size.
    pub(super) fn check(self, size: (usize, usize), channels: usize) -> Result<()> {
        if (self.channels, self.height, self.width) == (channels, size.1, size.0) {
            return Ok(());
        }
        let (width, height) = size;
        Err(Error::argument(format!(
            "the augmenters give {channels}x{height}x{width} (channels, height, width), but data_shape is {}x{}x{}; end \
             them with a crop or a resize to that size",
            self.channels, self.height, self.width
        )))
    }
}

/// How many labels samples have, and how they stand in the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LabelForm {
    /// Each has this many.
    Exact(usize),
    /// Any number, padded with this to the largest.
    Padded(f32),
    /// Those of objects, moved along with the image: a row of the image's channels, height and width, the number of labels,
    /// and the labels. (`ImageDetRecordIter`)
    Row {
        /// Labels of each record, if they must be as many.
        exact: Option<usize>,
        /// Labels that there is room for; if not given, as many as the longest label has.
        width: Option<usize>,
        /// Padding of shorter labels.
        padding: f32,
    },
    /// Those of objects, likewise: a table, an object a row, filled up with −1. Records without objects are left out.
    /// (`ImageDetIter`)
    Table,
}

/// The options of an iterator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Images a batch.
    pub batch_size: usize,
    /// The size of an image in the batch.
    pub shape: Shape,
    /// What is done to each image.
    pub steps: Vec<Step>,
    /// What is done to its samples.
    pub normalize: Normalize,
    /// How far an image's contrast (a factor, from 1) and illumination (levels, from 0) may be drawn; 0 for not.
    pub max_gain: Gain,
    /// How samples are laid out.
    pub layout: Layout,
    /// How labels are.
    pub labels: LabelForm,
    /// A list whose labels take the place of the samples' own.
    pub label_list: Option<PathBuf>,
    /// Masks, which take the place of labels: the samples' own are not looked at.
    pub masks: Option<MaskSource>,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// The seed of the order.
    pub seed: u64,
    /// The seed of the augmentation.
    pub augment_seed: u64,
    /// Into how many parts the samples are divided.
    pub num_parts: usize,
    /// The part that is read.
    pub part_index: usize,
    /// What is done so that all parts have as many batches.
    pub shard_policy: ShardPolicy,
    /// What becomes of the samples that do not fill a batch.
    pub last_batch: LastBatch,
    /// Threads that decode.
    pub threads: usize,
    /// Batches that are made or ready ahead of need.
    pub prefetch: usize,
    /// Whether samples that are damaged are passed over, not an error.
    pub skip_damaged: bool,
    /// The images that are decoded.
    pub limits: Limits,
    /// Whether damage in a JPEG's image data is filled, not an error.
    pub fill_damage: bool,
    /// Whether JPEGs are decoded at a fraction of their size if they are shrunk by as much.
    pub decode_scale: bool,
}

impl Options {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument), with the option's name and value.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("batch_size", self.batch_size),
            ("preprocess_threads", self.threads),
            ("prefetch_buffer", self.prefetch),
            ("num_parts", self.num_parts),
            ("label_width", self.label_width()),
        ] {
            if value == 0 {
                return Err(Error::argument(format!("{name}=0; it is at least 1")));
            }
        }
        if self.threads > MAX_THREADS {
            let threads = self.threads;
            return Err(Error::argument(format!(
                "preprocess_threads={threads}; it is at most {MAX_THREADS}"
            )));
        }
        if self.part_index >= self.num_parts {
            let (index, parts) = (self.part_index, self.num_parts);
            return Err(Error::argument(format!(
                "part_index={index}, num_parts={parts}; part_index is from 0 to num_parts-1"
            )));
        }
        let Normalize {
            mean, std, scale, ..
        } = self.normalize;
        if std.iter().any(|std| *std == 0.0 || !std.is_finite()) {
            return Err(Error::argument(format!(
                "std_r, std_g, std_b, std_a={std:?}; each is a finite number other than 0"
            )));
        }
        if !scale.is_finite() || mean.iter().any(|mean| !mean.is_finite()) {
            return Err(Error::argument(format!(
                "mean_r, mean_g, mean_b, mean_a={mean:?}, scale={scale}; each is a finite number"
            )));
        }
        self.masks_can_follow()?;
        for (name, value) in [
            ("max_random_contrast", self.max_gain.contrast),
            ("max_random_illumination", self.max_gain.illumination),
        ] {
            if !(0.0..=f32::MAX).contains(&value) {
                return Err(Error::argument(format!(
                    "{name}={value}; it is a finite number, at least 0"
                )));
            }
        }
        self.shape_is_sound()?;
        self.batch_len().map(drop)
    }

    /// Labels a sample, if each has as many; else 1.
    fn label_width(&self) -> usize {
        match self.labels {
            LabelForm::Exact(width)
            | LabelForm::Row {
                exact: Some(width), ..
            } => width,
            LabelForm::Row { .. } | LabelForm::Padded(_) | LabelForm::Table => 1,
        }
    }

    /// What a function of the caller's does to an image, nobody knows how to do to its mask.
    fn masks_can_follow(&self) -> Result<()> {
        let is_call = |step: &Step| matches!(step, Step::UserFunction(_));
        if self.masks.is_some() && self.steps.iter().any(|step| step.any(&is_call)) {
            return Err(Error::argument(
                "aug_list has a function, and what it does to an image cannot be done to its mask; use augmenters of \
                 recio.image alone",
            ));
        }
        Ok(())
    }

    fn shape_is_sound(&self) -> Result<()> {
        let Shape {
            channels,
            height,
            width,
        } = self.shape;
        if !matches!(channels, 1 | 3 | 4) || height == 0 || width == 0 {
            return Err(Error::argument(format!(
                "data_shape={:?}; it is (channels, height, width) with 1, 3 or 4 channels and sides of at least 1",
                (channels, height, width)
            )));
        }
        if channels != 3 && self.steps.iter().any(Step::needs_rgb) {
            return Err(Error::argument(format!(
                "data_shape[0]={channels}; colors are changed in images of three channels"
            )));
        }
        self.steps.iter().try_for_each(Step::check)
    }

    /// Samples a batch.
    fn batch_len(&self) -> Result<usize> {
        let Shape {
            channels,
            height,
            width,
        } = self.shape;
        let len = [channels, height, width]
            .iter()
            .try_fold(self.batch_size, |len, &n| len.checked_mul(n));
        len.filter(|&len| len <= isize::MAX as usize / 8)
            .ok_or_else(|| {
                Error::argument(format!(
                    "batch_size={} of {channels}x{height}x{width} is more than memory can hold",
                    self.batch_size
                ))
            })
    }
}
