//! What is in a record file: how many records, of which ids, labels, formats and sizes.

use std::collections::BTreeMap;
use std::path::Path;

use super::sidecars::Known;
use crate::decode::{self, Pixels, Source};
use crate::error::Result;
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::limits::Limits;
use crate::progress::{OnProgress, Progress, Throttle};
use crate::read::record_file::RecordFile;
use crate::read::salvage::Segment;

/// A summary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// Whole records.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes that are of no whole record.
    pub damaged: u64,
    /// Records that the index lists, if there is one.
    pub indexed: Option<usize>,
    /// Whether there are checksums.
    pub has_checksums: bool,
    /// The smallest and the largest id.
    pub ids: Option<(u64, u64)>,
    /// Whether all ids differ.
    pub has_unique_ids: bool,
    /// How many records have so many labels.
    pub label_widths: BTreeMap<usize, u64>,
    /// The smallest and the largest label, NaN left out.
    pub labels: Option<(f32, f32)>,
    /// How many images are of which format; `none` for records without image, `unknown` for other bytes.
    pub formats: BTreeMap<&'static str, u64>,
    /// The smallest and the largest width, in pixels, of the images within the default limits.
    pub widths: Option<(usize, usize)>,
    /// Likewise the height.
    pub heights: Option<(usize, usize)>,
    /// The smallest and the largest image file, in bytes.
    pub image_bytes: Option<(usize, usize)>,
}

/// Summarises a record file, from its headers and its images'; `None` if the caller broke off.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io). Damage is counted, not an error.
pub fn info(
    rec: &Path,
    index: Option<&Path>,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Info>> {
    let file = RecordFile::open_without_checksums(rec)?;
    let known = Known::load(&file, index, &mut Vec::new())?;
    let mut throttle = Throttle::new(on_progress);
    let mut info = Info {
        bytes: file.len(),
        indexed: known.index.as_ref().map(Vec::len),
        has_checksums: known.sums.is_some(),
        ..Info::default()
    };
    let mut ids = Vec::new();
    let mut walk = known.walk(&file);
    loop {
        let progress = Progress::new(walk.position(), file.len());
        if throttle.report(progress).is_break() {
            return Ok(None);
        }
        match walk.next_segment()? {
            None => break,
            Some(Segment::Skipped(region)) => info.damaged += region.end - region.begin,
            Some(Segment::Record(whole)) => {
                info.records += 1;
                let payload = frame::join_fragments(whole.frame);
                if let Ok(record) = ImageRecord::parse(&whole.frame[payload]) {
                    ids.push(record.header.id);
                    info.add(&record);
                }
            }
        }
    }
    ids.sort_unstable();
    info.ids = ids.first().copied().zip(ids.last().copied());
    info.has_unique_ids = ids.is_sorted_by(|a, b| a < b);
    Ok(Some(info))
}

impl Info {
    fn add(&mut self, record: &ImageRecord<'_>) {
        *self.label_widths.entry(record.labels().len()).or_default() += 1;
        for label in record.labels().filter(|label| !label.is_nan()) {
            widen(&mut self.labels, label);
        }
        *self.formats.entry(format_of(record.image)).or_default() += 1;
        if record.image.is_empty() {
            return;
        }
        widen(&mut self.image_bytes, record.image.len());
        if let Ok(source) = Source::open(record.image, &Limits::default()) {
            let (width, height) = source.size(Pixels::Rgb);
            widen(&mut self.widths, width);
            widen(&mut self.heights, height);
        }
    }
}

fn format_of(image: &[u8]) -> &'static str {
    match decode::format_of(image) {
        _ if image.is_empty() => "none",
        Some(format) => format.name(),
        None => "unknown",
    }
}

fn widen<T: PartialOrd + Copy>(range: &mut Option<(T, T)>, value: T) {
    let (least, most) = range.get_or_insert((value, value));
    if value < *least {
        *least = value;
    }
    if value > *most {
        *most = value;
    }
}
