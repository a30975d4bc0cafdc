//! Sources of samples: record files or image files.

use crate::dataset::image_files::ImageFiles;
use crate::dataset::record_set::RecordSet;
use crate::error::{Error, Result};
use crate::format::image_header::ImageRecord;
use crate::format::label::LabelType;
use crate::format::list::Line;
use crate::limits::check_label_count;
use crate::memory;
use crate::progress::Interrupt;
use crate::read::{header, list_file};
use crate::storage::location::Location;
use crate::storage::sandboxed_folder::SandboxedFolder;

/// Source of samples, to be opened.
#[derive(Debug)]
pub enum Source {
    /// Record files and their indexes.
    Records {
        /// The `.rec` files, read as one.
        files: Vec<Location>,
        /// No index, one for all files, or one for each.
        indexes: Vec<Location>,
    },
    /// The image files of a list.
    List {
        /// The `.lst` file.
        path: Location,
        /// The folder that the paths in the list are relative to.
        root: SandboxedFolder,
    },
    /// Image files.
    Images {
        /// Id, labels and path of each file.
        lines: Vec<Line>,
        /// The folder that the paths are relative to.
        root: SandboxedFolder,
    },
}

/// Fingerprint of a data set, which does not depend on where its files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Number of samples.
    pub samples: usize,
    /// Bytes of the record files; 0 for image files.
    pub bytes: u64,
    /// CRC32C of the offsets of the records and of the beginnings of the files, or of the lines of
    /// the list.
    pub digest: u32,
    /// CRC32C of the identities of the record files that are objects of a store.
    pub objects: Option<u32>,
}

/// Samples by number.
#[derive(Debug)]
pub(crate) enum Samples {
    Records(RecordSet),
    Images(ImageFiles),
}

/// Id and encoded image of a sample.
#[derive(Debug)]
pub(crate) struct Sample<'a> {
    pub(crate) id: u64,
    pub(crate) image: &'a [u8],
}

/// A sample as it is stored.
#[derive(Debug)]
pub struct StoredSample {
    /// The id.
    pub id: u64,
    /// The labels.
    pub labels: Vec<f64>,
    /// The image.
    pub image: StoredImage,
}

/// An image as it is stored.
#[derive(Debug)]
pub enum StoredImage {
    /// The encoded image of a record.
    Encoded(Vec<u8>),
    /// The path of an image file, relative to the root of its source.
    Path(String),
}

impl Samples {
    /// Opens a source, whose lists have labels of a type. With `damage`, damaged record files
    /// without an index are opened too, as by [`RecordSet::open_with`].
    pub(crate) fn open(
        source: &Source,
        label_type: LabelType,
        damage: Option<&mut Vec<Error>>,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        Ok(match source {
            Source::Records { files, indexes } => {
                Self::Records(RecordSet::open_with(files, indexes, damage, interrupt)?)
            }
            Source::List { path, root } => {
                let lines = list_file::load_strict(path, label_type)?;
                Self::Images(ImageFiles::new(root.clone(), lines))
            }
            Source::Images { lines, root } => {
                check_labels(lines, label_type)?;
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

    /// Returns the number of identity records of face data sets, which are no samples.
    pub(crate) fn identities(&self) -> usize {
        match self {
            Self::Records(records) => records.identities(),
            Self::Images(_) => 0,
        }
    }

    /// Returns the number of record files whose records are those of an index beside them.
    pub(crate) fn indexes_beside(&self) -> usize {
        match self {
            Self::Records(records) => records.indexes_beside(),
            Self::Images(_) => 0,
        }
    }

    /// Reads sample `i`: its bytes into `buffer`, its labels into `labels`. `loaded` is the number
    /// of bytes that [`load`](Self::load) has read into `buffer`, if it has.
    pub(crate) fn read<'b>(
        &self,
        i: usize,
        loaded: Option<usize>,
        buffer: &'b mut Vec<u8>,
        labels: &mut Vec<f64>,
    ) -> Result<Sample<'b>> {
        labels.clear();
        match self {
            Self::Records(records) => {
                let record = records.read_loaded(i, loaded.unwrap_or(0), buffer)?;
                labels.extend(record.labels().map(f64::from));
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
                let len = if let Some(len) = loaded {
                    len
                } else {
                    images.read(i, buffer)?;
                    buffer.len()
                };
                Ok(Sample {
                    id: line.index,
                    image: &buffer[..len],
                })
            }
        }
    }

    /// Reads the bytes of sample `i` into `buffer`, without verifying them, and returns their
    /// number. [`read`](Self::read) then reads what is missing, which is the case where `may_grow`
    /// returned false for a number of bytes; none if nothing was read.
    pub(crate) fn load(
        &self,
        i: usize,
        buffer: &mut Vec<u8>,
        may_grow: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<usize>> {
        match self {
            Self::Records(records) => {
                let have = records.load(i, buffer, may_grow);
                have.map(Some).map_err(|error| records.locate(error, i))
            }
            Self::Images(images) => {
                let is_read = images.load(i, buffer, may_grow)?;
                Ok(is_read.then_some(buffer.len()))
            }
        }
    }

    /// Whether samples are in objects of a store.
    pub(crate) fn is_remote(&self) -> bool {
        match self {
            Self::Records(records) => records.is_remote(),
            Self::Images(_) => false,
        }
    }

    /// Returns the id of sample `i`, of which `bytes` are loaded, if they tell it.
    pub(crate) fn loaded_id(&self, i: usize, bytes: &[u8]) -> Option<u64> {
        match self {
            Self::Records(_) => header::of_frame(bytes).map(|header| header.id),
            Self::Images(images) => Some(images.lines()[i].index),
        }
    }

    /// Reads the labels of sample `i` into `labels`, and returns its id.
    pub(crate) fn label(
        &self,
        i: usize,
        buffer: &mut Vec<u8>,
        labels: &mut Vec<f64>,
    ) -> Result<u64> {
        labels.clear();
        match self {
            Self::Records(records) => {
                let record = records.label(i, buffer)?;
                labels.extend(record.labels().map(f64::from));
                Ok(record.header.id)
            }
            Self::Images(images) => {
                let line = &images.lines()[i];
                labels.extend(&line.labels);
                Ok(line.index)
            }
        }
    }

    /// Reads sample `i` as it is stored: an image file is not opened.
    pub(crate) fn stored(&self, i: usize) -> Result<StoredSample> {
        let (mut buffer, mut labels) = Default::default();
        let (id, image) = match self {
            Self::Records(_) => {
                let sample = self.read(i, None, &mut buffer, &mut labels)?;
                (
                    sample.id,
                    StoredImage::Encoded(memory::copied(sample.image)?),
                )
            }
            Self::Images(images) => {
                let id = self.label(i, &mut buffer, &mut labels)?;
                (id, StoredImage::Path(images.lines()[i].path.clone()))
            }
        };
        Ok(StoredSample { id, labels, image })
    }

    /// Computes the fingerprint.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint> {
        let (bytes, digest, objects) = match self {
            Self::Records(records) => (records.bytes(), records.digest()?, records.objects()),
            Self::Images(images) => (0, images.digest(), None),
        };
        Ok(Fingerprint {
            samples: self.len(),
            bytes,
            digest,
            objects,
        })
    }

    /// Returns the largest number of labels of a sample.
    pub(crate) fn max_label_width(
        &self,
        skip_damaged: bool,
        interrupt: &Interrupt<'_>,
    ) -> Result<usize> {
        match self {
            Self::Records(records) => records.max_label_width(skip_damaged, interrupt),
            Self::Images(images) => {
                let widths = images.lines().iter().map(|line| line.labels.len());
                widths.enumerate().try_fold(0, |max, (i, width)| {
                    check_label_count(width).map_err(|error| images.locate(error, i))?;
                    Ok(max.max(width))
                })
            }
        }
    }

    /// Adds the position of sample `i` to an error.
    pub(crate) fn locate(&self, error: Error, i: usize) -> Error {
        match self {
            Self::Records(records) => records.locate(error, i),
            Self::Images(images) => images.locate(error, i),
        }
    }
}

/// Checks that the labels of lines that the caller passes are not changed by their type.
fn check_labels(lines: &[Line], label_type: LabelType) -> Result<()> {
    lines.iter().enumerate().try_for_each(|(number, line)| {
        let mut labels = line.labels.iter();
        let checked = labels.try_for_each(|&label| label_type.check(label));
        checked.map_err(|reason| Error::argument(format!("imglist[{number}]: {reason}")))
    })
}

/// Error for a record without an image. The header record and the identity records of a face data
/// set are no samples.
fn no_image(record: &ImageRecord<'_>) -> Error {
    let labels: Vec<f32> = record.labels().take(4).collect();
    Error::image(format!(
        "no image bytes in this record (flag {}, labels {labels:?}); `recio index --images-only` writes an index of \
         the records with an image",
        record.header.flag
    ))
}
