//! Summary of a record file.

use std::collections::BTreeMap;

use super::face_check::FaceCheck;
use super::problem::EMPTY;
use super::sidecars::Sidecars;
use crate::decode::{self, Pixels, Source};
use crate::error::Result;
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::limits::Limits;
use crate::progress::{OnProgress, Progress, before_progress, none_if_interrupted, with_progress};
use crate::read::record_file::RecordFile;
use crate::read::salvage::Segment;
use crate::storage::location::Location;

/// Summary of a record file. Ranges are pairs of minimum and maximum.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// Number of complete records.
    pub records: u64,
    /// Size of the file.
    pub bytes: u64,
    /// Number of bytes that belong to no complete record.
    pub damaged: u64,
    /// Why there is no complete record, if there is none: what the file is instead, or its damage.
    pub no_records: Option<String>,
    /// Number of records that the index lists, if there is one.
    pub indexed: Option<usize>,
    /// Number of identity records, if it is a face data set. The labels of records without an image
    /// are then not among the others.
    pub identities: Option<usize>,
    /// Whether there are checksums.
    pub has_checksums: bool,
    /// Range of the ids.
    pub ids: Option<(u64, u64)>,
    /// Whether all ids differ.
    pub has_unique_ids: bool,
    /// From a number of labels to the number of records that have it.
    pub label_widths: BTreeMap<usize, u64>,
    /// Range of all labels, without NaN.
    pub labels: Option<(f32, f32)>,
    /// From an image format to the number of images. `none` counts records without an image,
    /// `unknown` other bytes.
    pub formats: BTreeMap<&'static str, u64>,
    /// Range of the widths in pixels, of the images within the default limits.
    pub widths: Option<(usize, usize)>,
    /// Range of the heights in pixels, of the images within the default limits.
    pub heights: Option<(usize, usize)>,
    /// Range of the sizes of the encoded images, in bytes.
    pub image_bytes: Option<(usize, usize)>,
}

/// Summarizes a record file from the headers of its records and images. Returns `None` if
/// `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io). Damage is counted and is no error.
pub fn info(
    rec: &Location,
    index: Option<&Location>,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Info>> {
    let file = RecordFile::open_without_checksums(rec)?;
    let sidecars = before_progress(on_progress, |interrupt| {
        Sidecars::load(&file, index, &mut Vec::new(), interrupt).map(Some)
    });
    let Some(sidecars) = none_if_interrupted(sidecars)? else {
        return Ok(None);
    };
    let mut info = Info {
        bytes: file.len(),
        indexed: sidecars.index.as_ref().map(Vec::len),
        has_checksums: sidecars.checksums.is_some(),
        ..Info::default()
    };
    let mut ids = Vec::new();
    let (mut without_image, mut faces) = (Info::default(), FaceCheck::default());
    let flow = sidecars.for_each_segment(&file, on_progress, |segment| {
        match segment {
            Segment::Skipped(region) => {
                info.damaged += region.end - region.begin;
                info.no_records.get_or_insert(region.reason);
            }
            Segment::Record(record) => {
                info.records += 1;
                faces.add(&file, record.offset, record.frame);
                let payload = frame::join_fragments(record.frame);
                if let Ok(record) = ImageRecord::parse(&record.frame[payload]) {
                    ids.push(record.header.id);
                    info.add(&record, &mut without_image);
                }
            }
        }
        Ok(())
    })?;
    if flow.is_break() {
        return Ok(None);
    }
    let end = Progress::new(file.len(), file.len());
    let layout = with_progress(on_progress, end, |interrupt| {
        faces.finish(&file, &sidecars, interrupt).map(Some)
    });
    let Some(layout) = none_if_interrupted(layout)? else {
        return Ok(None);
    };
    info.identities = layout.identities;
    if info.identities.is_none() {
        info.add_labels_of(&without_image);
    }
    info.no_records = match (info.records, file.check_content()) {
        (1.., _) => None,
        (0, Err(other)) => Some(other.reason()),
        (0, Ok(())) => info.no_records.or_else(|| Some(EMPTY.into())),
    };
    ids.sort_unstable();
    info.ids = ids.first().copied().zip(ids.last().copied());
    info.has_unique_ids = ids.is_sorted_by(|a, b| a < b);
    Ok(Some(info))
}

impl Info {
    /// Adds the labels of a record.
    fn add_labels(&mut self, record: &ImageRecord<'_>) {
        *self.label_widths.entry(record.labels().len()).or_default() += 1;
        for label in record.labels().filter(|label| !label.is_nan()) {
            extend(&mut self.labels, label);
        }
    }

    /// Adds the labels of other records.
    fn add_labels_of(&mut self, other: &Self) {
        for (&width, count) in &other.label_widths {
            *self.label_widths.entry(width).or_default() += count;
        }
        for label in other.labels.into_iter().flat_map(|(min, max)| [min, max]) {
            extend(&mut self.labels, label);
        }
    }

    /// Adds the header and the image of a record, or the labels of one without an image to
    /// `without_image`.
    fn add(&mut self, record: &ImageRecord<'_>, without_image: &mut Self) {
        if record.image.is_empty() {
            without_image.add_labels(record);
        } else {
            self.add_labels(record);
        }
        *self.formats.entry(format_name(record.image)).or_default() += 1;
        if record.image.is_empty() {
            return;
        }
        extend(&mut self.image_bytes, record.image.len());
        if let Ok(source) = Source::open(record.image, &Limits::default()) {
            let (width, height) = source.size(Pixels::Rgb);
            extend(&mut self.widths, width);
            extend(&mut self.heights, height);
        }
    }
}

/// Returns the name of an image's format, or `none` or `unknown`.
fn format_name(image: &[u8]) -> &'static str {
    match decode::format_of(image) {
        _ if image.is_empty() => "none",
        Some(format) => format.name(),
        None => "unknown",
    }
}

/// Extends a range to include a value.
fn extend<T: PartialOrd + Copy>(range: &mut Option<(T, T)>, value: T) {
    let (min, max) = range.get_or_insert((value, value));
    if value < *min {
        *min = value;
    }
    if value > *max {
        *max = value;
    }
}
