//! Writer of a face data set: images with new keys and labels, then identity records and a header
//! record, which are derived from the labels.

use std::ops::Range;

use super::copy_report::CopyReport;
use super::source_file::SourceFile;
use crate::decode::{Pixels, Source};
use crate::error::{Error, Result};
use crate::format::frame;
use crate::format::image_header::{self, ImageRecord};
use crate::limits::Limits;
use crate::read::face_property::FaceProperty;
use crate::storage::location::Location;
use crate::write::record_output::{PreparedOutput, RecordOutput};

/// float32 represents all integers up to this one.
const MAX_LABEL: u64 = 1 << 24;

/// Identities of a source: how they are numbered, and how many there are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Identities {
    /// Number added to the labels.
    pub(super) shift: u64,
    /// Number of identities, which the labels must be less than, if it is known.
    pub(super) count: Option<u64>,
}

/// A face data set that is being written.
pub(super) struct FaceWriter {
    output: RecordOutput,
    /// Whether it gets identity records and a header record; then the first image has the key 1.
    has_layout: bool,
    /// The keys of consecutive images of one label.
    runs: Vec<Range<u64>>,
    last_label: Option<u64>,
    /// Height and width of the first image, if it can be read.
    image_size: Option<(u64, u64)>,
    renumbered: bool,
    /// Further labels that repeat the identity.
    identity_columns: Vec<usize>,
    frame: Vec<u8>,
    record: Vec<u8>,
}

impl FaceWriter {
    /// Creates the output `rec`.
    ///
    /// # Errors
    /// As [`RecordOutput::create`].
    pub(super) fn create(rec: &Location, checksum: bool, has_layout: bool) -> Result<Self> {
        Ok(Self {
            output: RecordOutput::create(rec, checksum)?,
            has_layout,
            runs: Vec::new(),
            last_label: None,
            image_size: None,
            renumbered: false,
            identity_columns: Vec::new(),
            frame: Vec::new(),
            record: Vec::new(),
        })
    }

    /// Sets the further labels that repeat the identity, and are renumbered like it.
    pub(super) fn with_identity_columns(mut self, columns: Vec<usize>) -> Self {
        self.identity_columns = columns;
        self
    }

    /// Appends image `i` of a source under the next key, which also becomes its id. Returns its
    /// label in the source.
    ///
    /// # Errors
    /// Damage; a label that is not the number of an identity; as [`RecordOutput::append`].
    pub(super) fn copy(
        &mut self,
        source: &SourceFile,
        i: usize,
        identities: Identities,
    ) -> Result<u64> {
        let key = self.output.records() as u64 + u64::from(self.has_layout);
        self.frame.clear();
        let frame = source.read_frame(i, &mut self.record)?;
        self.frame.extend_from_slice(frame);
        let payload = frame::join_fragments(&mut self.frame);
        let locate = |error: Error| source.locate(error, i);
        let image = ImageRecord::parse(&self.frame[payload]).map_err(locate)?;
        let label = identities
            .label(&image)
            .map_err(|error| locate(error.at_id(image.header.id)))?;
        if self.output.records() == 0 {
            self.image_size = size_of(image.image);
        }
        self.renumbered |= source.key(i) != key;
        if identities.shift == 0 && image.header.id == key {
            self.output.append_frame(key, frame)?;
        } else {
            let record = rewrite(
                &image,
                label + identities.shift,
                key,
                &self.identity_columns,
            );
            self.output.append(key, &record)?;
        }
        self.add_to_run(key, label + identities.shift);
        Ok(label)
    }

    fn add_to_run(&mut self, key: u64, label: u64) {
        match self.runs.last_mut() {
            Some(run) if self.last_label == Some(label) => run.end = key + 1,
            _ => self.runs.push(key..key + 1),
        }
        self.last_label = Some(label);
    }

    /// Returns height and width of the first image, if it can be read.
    pub(super) fn image_size(&self) -> Option<(u64, u64)> {
        self.image_size
    }

    /// Writes the header record and the identity records, and all files under temporary names.
    ///
    /// # Errors
    /// As [`RecordOutput::prepare`].
    pub(super) fn prepare(mut self) -> Result<(CopyReport, PreparedOutput)> {
        let identities = self.runs.len();
        if self.has_layout {
            let first = self.output.records() as u64 + 1;
            self.append_range(0, &(first..first + identities as u64))?;
            for (run, key) in std::mem::take(&mut self.runs).iter().zip(first..) {
                self.append_range(key, run)?;
            }
        }
        let report = CopyReport {
            renumbered: self.renumbered,
            identities: self.has_layout.then_some(identities),
            ..CopyReport::of(&self.output)
        };
        Ok((report, self.output.prepare()?))
    }

    fn append_range(&mut self, key: u64, range: &Range<u64>) -> Result<()> {
        self.record.clear();
        image_header::encode(
            &[range.start as f32, range.end as f32],
            key,
            &mut self.record,
        );
        self.output.append(key, &self.record)
    }
}

impl Identities {
    /// Returns the first label of an image as the number of an identity.
    fn label(self, image: &ImageRecord<'_>) -> Result<u64> {
        let label = image.labels().next().unwrap_or_default();
        if label < 0.0 || label.fract() != 0.0 || label > MAX_LABEL as f32 {
            let message = format!("the label {label} is not the number of an identity");
            return Err(Error::corrupt(message));
        }
        let label = label as u64;
        if let Some(count) = self.count.filter(|&count| label >= count) {
            return Err(Error::corrupt(format!(
                "the label {label}, but the file property beside it has {count} identities, 0 to {}",
                count.saturating_sub(1)
            )));
        }
        if label + self.shift > MAX_LABEL {
            return Err(Error::limit(format!(
                "the identity {label} becomes {}, which float32 cannot represent: at most {MAX_LABEL}",
                label + self.shift
            )));
        }
        Ok(label)
    }
}

/// Returns an image record with another identity and id. The identity is the first label, and the
/// labels in `columns`.
fn rewrite(image: &ImageRecord<'_>, label: u64, id: u64, columns: &[usize]) -> Vec<u8> {
    let mut labels: Vec<f32> = image.labels().collect();
    labels[0] = label as f32;
    for &column in columns {
        labels[column] = label as f32;
    }
    let mut record = Vec::new();
    let mut header = image.header;
    header.id = id;
    if header.flag == 0 {
        header.label = labels[0];
        labels.clear();
    }
    image_header::encode_header(&header, &labels, &mut record);
    record.extend_from_slice(image.image);
    record
}

/// Returns height and width of an image.
fn size_of(image: &[u8]) -> Option<(u64, u64)> {
    let source = Source::open(image, &Limits::default()).ok()?;
    let (width, height) = source.size(Pixels::Rgb);
    Some((height as u64, width as u64))
}

/// Returns the file `property` of a data set, if its image size is known.
pub(super) fn property_of(
    identities: u64,
    property: Option<FaceProperty>,
    image_size: Option<(u64, u64)>,
) -> Option<FaceProperty> {
    let (height, width) = property
        .map(|property| (property.height, property.width))
        .or(image_size)?;
    Some(FaceProperty {
        identities,
        height,
        width,
    })
}
