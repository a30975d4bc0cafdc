//! Options of a loader, checked before a file is opened.

use std::sync::Arc;

use crate::decode::Pixels;
use crate::error::{Error, Result};
use crate::format::label::LabelType;
use crate::limits::Limits;
use crate::loader::buffer::Allocator;
use crate::loader::epoch::{LastBatch, ShardPolicy, Sharding};
use crate::loader::epoch_order::Sampler;
use crate::plan::Step;
use crate::render::normalize::{Gain, Normalize};
use crate::render::slot_writer::Layout;
use crate::storage::location::Location;

/// More threads than any machine has cores only take memory and time to start.
const MAX_THREADS: usize = 1024;

/// Shape of an image in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// 1 (gray), 3 (RGB) or 4 (RGBA).
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
}

impl Shape {
    /// Returns the number of values.
    pub(super) fn len(self) -> usize {
        self.channels * self.height * self.width
    }

    /// Returns the pixel format that images are decoded to.
    pub(super) fn pixels(self) -> Pixels {
        match self.channels {
            1 => Pixels::Gray,
            4 => Pixels::Rgba,
            _ => Pixels::Rgb,
        }
    }

    /// Checks the size of an image after all steps.
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

/// Number and layout of labels in the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LabelForm {
    /// This many for each sample.
    Exact(usize),
    /// Any number, padded with this value to the largest.
    Padded(f32),
    /// Objects in a row, moved along with the image: channels, height and width of the image, the
    /// number of labels, and the labels. (`ImageDetRecordIter`)
    Row {
        /// Labels of each record, if they must be as many.
        exact: Option<usize>,
        /// Labels that there is room for; if not given, as many as the longest label has.
        width: Option<usize>,
        /// Padding of shorter labels.
        padding: f32,
    },
    /// Objects in a table, moved along with the image: a row for each object, padded with −1.
    /// Records without objects are skipped. (`ImageDetIter`)
    Table,
}

/// Record files of masks.
#[derive(Debug, Clone)]
pub struct MaskSource {
    /// The `.rec` files, read as one. They have a record with the id of each image, and may have
    /// others.
    pub files: Vec<Location>,
    /// Their indexes: none, one for all, or one for each.
    pub indexes: Vec<Location>,
    /// Fill value of pixels without image.
    pub fill: u8,
}

/// Options of a loader.
#[derive(Debug, Clone)]
pub struct Options {
    /// Images in a batch.
    pub batch_size: usize,
    /// Shape of an image in the batch.
    pub shape: Shape,
    /// Steps of the augmentation.
    pub steps: Vec<Step>,
    /// Normalization after the steps.
    pub normalize: Normalize,
    /// Maxima of an image's random contrast (a deviation from the factor 1) and illumination (in
    /// 8-bit values); 0 for none.
    pub max_gain: Gain,
    /// Layout of a batch.
    pub layout: Layout,
    /// Number and layout of labels.
    pub labels: LabelForm,
    /// A list whose labels replace those of the samples.
    pub label_list: Option<Location>,
    /// Whether the list has the keys of the index, if there is one; otherwise the ids of records.
    pub label_list_by_key: bool,
    /// Type of the labels of lists and hooks.
    pub label_type: LabelType,
    /// Masks, which replace labels: those of the samples are not read.
    pub masks: Option<MaskSource>,
    /// Whether samples are shuffled, in each epoch anew.
    pub shuffle: bool,
    /// Seed of the order.
    pub seed: u64,
    /// Seed of the augmentation.
    pub augment_seed: u64,
    /// Number of shards that the samples are divided into.
    pub num_parts: usize,
    /// The shard that is read.
    pub part_index: usize,
    /// How samples are divided into shards. Those of a sampler are in global batches.
    pub sharding: Sharding,
    /// Order of the samples of each epoch, instead of that of the files or of a permutation.
    pub sampler: Option<Arc<dyn Sampler>>,
    /// Handling of shards of different lengths.
    pub shard_policy: ShardPolicy,
    /// Handling of the samples that do not fill a batch.
    pub last_batch: LastBatch,
    /// Threads that decode.
    pub threads: usize,
    /// Batches made ahead.
    pub prefetch: usize,
    /// Records that are read ahead at most, from storage with slow reads; 0 for none. If not given,
    /// as many as its latency needs, up to 512.
    pub read_ahead: Option<usize>,
    /// Bytes of records that are read ahead at most.
    pub read_ahead_bytes: usize,
    /// Whether damaged samples are skipped; otherwise they are errors.
    pub skip_damaged: bool,
    /// Limits of the images that are decoded.
    pub limits: Limits,
    /// Whether damage in the image data of a JPEG is filled; otherwise it is an error.
    pub fill_damage: bool,
    /// Whether JPEGs are decoded at a fraction of their size if they are shrunk by as much.
    pub decode_scale: bool,
    /// Allocator of the memory of images and masks, instead of recio's own.
    pub allocator: Option<Arc<dyn Allocator>>,
}

impl Options {
    /// Checks the options.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument), with the name and the value of
    /// an option.
    pub fn check(&self) -> Result<()> {
        self.check_numbers()?;
        self.check_normalization()?;
        self.check_masks()?;
        self.check_shape()?;
        self.steps.iter().try_for_each(Step::check)?;
        self.check_batch_len()
    }

    fn check_numbers(&self) -> Result<()> {
        for (name, value) in [
            ("batch_size", self.batch_size),
            ("preprocess_threads", self.threads),
            ("prefetch_buffer", self.prefetch),
            ("num_parts", self.num_parts),
            ("label_width", self.label_width()),
        ] {
            if value == 0 {
                return Err(Error::argument(format!("{name} must be at least 1, got 0")));
            }
        }
        if self.threads > MAX_THREADS {
            return Err(Error::argument(format!(
                "preprocess_threads must be at most {MAX_THREADS}, got {}",
                self.threads
            )));
        }
        if self.part_index >= self.num_parts {
            return Err(Error::argument(format!(
                "part_index must be less than num_parts={}, got {}",
                self.num_parts, self.part_index
            )));
        }
        if self.sharding == Sharding::Global && self.shard_policy != ShardPolicy::Pad {
            return Err(Error::argument(
                "shard_policy is of contiguous shards; with a sampler or shard=\"global\" all ranks have as many batches",
            ));
        }
        if self.sampler.is_some() && (self.shuffle || self.sharding != Sharding::Global) {
            return Err(Error::argument(
                "sampler and shuffle=True exclude each other: the sampler determines the order",
            ));
        }
        if self.batch_size.checked_mul(self.num_parts).is_none() {
            return Err(Error::argument(format!(
                "batch_size={} times num_parts={} is too large",
                self.batch_size, self.num_parts
            )));
        }
        Ok(())
    }

    /// Returns the labels of a sample, if each has as many; otherwise 1.
    fn label_width(&self) -> usize {
        match self.labels {
            LabelForm::Exact(width)
            | LabelForm::Row {
                exact: Some(width), ..
            } => width,
            LabelForm::Row { .. } | LabelForm::Padded(_) | LabelForm::Table => 1,
        }
    }

    fn check_normalization(&self) -> Result<()> {
        let Normalize {
            mean, std, scale, ..
        } = self.normalize;
        if std.iter().any(|std| *std == 0.0 || !std.is_finite()) {
            return Err(Error::argument(format!(
                "std_r, std_g, std_b and std_a must be finite and not 0, got {std:?}"
            )));
        }
        if !scale.is_finite() || mean.iter().any(|mean| !mean.is_finite()) {
            return Err(Error::argument(format!(
                "mean_r, mean_g, mean_b, mean_a and scale must be finite, got {mean:?} and {scale}"
            )));
        }
        for (name, value) in [
            ("max_random_contrast", self.max_gain.contrast),
            ("max_random_illumination", self.max_gain.illumination),
        ] {
            if !(0.0..=f32::MAX).contains(&value) {
                return Err(Error::argument(format!(
                    "{name} must be finite and at least 0, got {value}"
                )));
            }
        }
        Ok(())
    }

    /// Checks that all steps can be applied to masks.
    fn check_masks(&self) -> Result<()> {
        let is_function = |step: &Step| matches!(step, Step::UserFunction(_));
        if self.masks.is_some() && self.steps.iter().any(|step| step.any(&is_function)) {
            return Err(Error::argument(
                "aug_list has a function, and what it does to an image cannot be done to its mask; use augmenters of \
                 recio.image alone",
            ));
        }
        Ok(())
    }

    fn check_shape(&self) -> Result<()> {
        let Shape {
            channels,
            height,
            width,
        } = self.shape;
        if !matches!(channels, 1 | 3 | 4) || height == 0 || width == 0 {
            return Err(Error::argument(format!(
                "data_shape must be (channels, height, width) with 1, 3 or 4 channels and sides of at least 1, got {:?}",
                (channels, height, width)
            )));
        }
        if channels != 3 && self.steps.iter().any(Step::needs_rgb) {
            return Err(Error::argument(format!(
                "color augmenters need images of three channels, got data_shape[0]={channels}"
            )));
        }
        Ok(())
    }

    /// Checks that the values of a batch can be counted.
    fn check_batch_len(&self) -> Result<()> {
        let Shape {
            channels,
            height,
            width,
        } = self.shape;
        let len = [channels, height, width]
            .iter()
            .try_fold(self.batch_size, |len, &n| len.checked_mul(n));
        match len {
            Some(len) if len <= isize::MAX as usize / 8 => Ok(()),
            _ => Err(Error::argument(format!(
                "batch_size={} of {channels}x{height}x{width} is more than memory can hold",
                self.batch_size
            ))),
        }
    }
}
