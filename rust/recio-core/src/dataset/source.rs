//! Where samples come from: records, or loose files.

use std::path::PathBuf;

use crate::dataset::image_files::ImageFiles;
use crate::dataset::record_set::RecordSet;
use crate::error::{Error, Result};
use crate::format::image_header::ImageRecord;
use crate::format::list::Line;
use crate::storage::sandboxed_folder::SandboxedFolder;

/// What an iterator reads, to be opened.
#[derive(Debug)]
pub enum Source {
    /// Record files, and their indexes.
    Records {
        /// The `.rec` files, read as one.
        files: Vec<PathBuf>,
        /// None, one for all, or one for each.
        indexes: Vec<PathBuf>,
    },
    /// These files.
    Images {
        /// Labels and paths.
        lines: Vec<Line>,
        /// What the paths are relative to.
        root: SandboxedFolder,
    },
}

/// What tells a data set from others without reading it: equal ones have equal fingerprints, wherever they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Samples.
    pub samples: usize,
    /// Bytes of the record files; 0 of loose images.
    pub bytes: u64,
    /// CRC32C of where the records stand and of the files' beginnings, or of the list's lines.
    pub digest: u32,
}

/// Samples, numbered.
#[derive(Debug)]
pub(crate) enum Samples {
    Records(RecordSet),
    Images(ImageFiles),
}

/// A sample's image file and its id.
#[derive(Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) id: u64,
    pub(crate) image: &'a [u8],
}

impl Samples {
    /// Opens a source. With `lost`, damaged files without an index too, as [`RecordSet::open_with`] does.
    pub(crate) fn open(source: &Source, lost: Option<&mut Vec<Error>>) -> Result<Self> {
        Ok(match source {
            Source::Records { files, indexes } => {
                Self::Records(RecordSet::open_with(files, indexes, lost)?)
            }
            Source::Images { lines, root } => {
                Self::Images(ImageFiles::new(root.clone(), lines.clone()))
            }
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Records(records) => records.len(),
            Self::Images(images) => images.lines().len(),
        }
    }

    /// Reads sample `i`: its bytes into `buffer`, its labels into `labels`.
    pub(crate) fn read<'b>(
        &self,
        i: usize,
        buffer: &'b mut Vec<u8>,
        labels: &mut Vec<f32>,
    ) -> Result<Sample<'b>> {
        labels.clear();
        match self {
            Self::Records(records) => {
                let record = records.read(i, buffer)?;
                labels.extend(record.labels());
                if record.image.is_empty() {
                    return Err(no_image(&record).at_id(record.header.id));
                }
                Ok(Sample {
                    id: record.header.id,
                    image: record.image,
                })
            }
            Self::Images(images) => {
                let line = &images.lines()[i];
                labels.extend(&line.labels);
                images.read(i, buffer)?;
                Ok(Sample {
                    id: line.index,
                    image: buffer,
                })
            }
        }
    }

    /// Reads the labels of sample `i` into `labels`, and gives its id.
    pub(crate) fn label(
        &self,
        i: usize,
        buffer: &mut Vec<u8>,
        labels: &mut Vec<f32>,
    ) -> Result<u64> {
        labels.clear();
        match self {
            Self::Records(records) => {
                let record = records.label(i, buffer)?;
                labels.extend(record.labels());
                Ok(record.header.id)
            }
            Self::Images(images) => {
                let line = &images.lines()[i];
                labels.extend(&line.labels);
                Ok(line.index)
            }
        }
    }

    /// What tells them from others.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        let (bytes, digest) = match self {
            Self::Records(records) => (records.bytes(), records.digest()?),
            Self::Images(images) => (0, images.digest()),
        };
        Ok(Fingerprint {
            samples: self.len(),
            bytes,
            digest,
        })
    }

    /// The most labels that any sample has.
    pub(crate) fn max_label_width(&self, skip_damaged: bool) -> Result<usize> {
        match self {
            Self::Records(records) => records.max_label_width(skip_damaged),
            Self::Images(images) => {
                let widths = images.lines().iter().map(|line| line.labels.len());
                Ok(widths.max().unwrap_or(0))
            }
        }
    }

    /// Adds to an error about sample `i` where that is.
    pub(crate) fn locate(&self, error: Error, i: usize) -> Error {
        match self {
            Self::Records(records) => records.locate(error, i),
            Self::Images(images) => images.locate(error, i),
        }
    }
}

/// Face data sets begin with such a record: InsightFace's tools put the range of their identities there. It is told
/// before its labels are: those of a header record fit nothing.
fn no_image(record: &ImageRecord<'_>) -> Error {
    let labels: Vec<f32> = record.labels().take(4).collect();
    Error::image(format!(
        "no image bytes in this record (flag {}, labels {labels:?}); if this is the header record of a face data set, \
         pass a path_imgidx that does not list it",
        record.header.flag
    ))
}
