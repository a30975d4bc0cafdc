//! What the caller wants of an iterator, checked before a file is opened.

use std::path::PathBuf;

use crate::augment::finish::{Layout, Normalise};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::plan;

/// More threads than any machine has cores only take memory and time to start.
const MAX_THREADS: usize = 1024;

/// The options of an iterator.
#[derive(Debug, Clone)]
pub struct Options {
    /// Images a batch.
    pub batch_size: usize,
    /// What is done to each image.
    pub image: plan::Options,
    /// What is done to its samples.
    pub normalise: Normalise,
    /// How they are laid out.
    pub layout: Layout,
    /// Labels a record; `None` for any number, padded to the largest.
    pub label_width: Option<usize>,
    /// What labels are padded with.
    pub label_pad_value: f32,
    /// A list whose labels take the place of the records' own.
    pub labels: Option<PathBuf>,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// The seed of the order and of the augmentation.
    pub seed: u64,
    /// Into how many parts the records are divided.
    pub num_parts: usize,
    /// The part that is read.
    pub part_index: usize,
    /// Whether the last batch is filled up with images of the epoch's beginning, or with zeros.
    pub round_batch: bool,
    /// Threads that decode.
    pub threads: usize,
    /// Batches that are made or ready ahead of need.
    pub prefetch: usize,
    /// The largest image that is decoded.
    pub limits: Limits,
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
            ("label_width", self.label_width.unwrap_or(1)),
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
        let Normalise { mean, std, scale } = self.normalise;
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
        self.image.check()?;
        self.batch_len().map(drop)
    }

    /// Samples a batch.
    fn batch_len(&self) -> Result<usize> {
        let plan::Options {
            channels,
            height,
            width,
            ..
        } = self.image;
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
