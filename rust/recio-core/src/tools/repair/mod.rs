//! Repair: copying the complete records of a damaged file into a new one.
//!
//! Complete records are copied byte for byte, in their order. Every other byte is in a skipped
//! region of the report, with a reason. If the file has checksums, only records that match one are
//! copied. The file `property` of a face data set is copied too.

mod checksum_matcher;

use super::face_property_file::prepare_property;
use super::keys::all_unique;
use super::overwrite_guard::refuse_to_overwrite;
use super::sidecars::Sidecars;
use crate::error::Result;
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::progress::{OnProgress, before_progress, none_if_interrupted};
use crate::read::face_property::FaceProperty;
use crate::read::record_file::RecordFile;
use crate::read::salvage::{SalvagedRecord, Segment, SkippedRegion};
use crate::storage::location::Location;
use crate::write::record_output::{RecordOutput, commit};
use checksum_matcher::ChecksumMatcher;

/// Result of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairReport {
    /// Number of records in the new file. If it is 0, there is no new file.
    pub records: usize,
    /// Size of the new file: that of the damaged file minus the skipped bytes.
    pub bytes: u64,
    /// The keys of the new index.
    pub keys: RepairKeys,
    /// The regions that were not copied, in the order of the damaged file.
    pub skipped: Vec<SkippedRegion>,
    /// Errors of the old index and the `.rsum` file that were the reason not to use them.
    pub unused: Vec<String>,
}

/// The keys of the index of a repaired file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairKeys {
    /// The ids of the records, which all differ.
    Ids,
    /// The keys of the old index, which lists all copied records.
    Index,
    /// 0, 1, 2 …
    Ordinals,
}

impl RepairKeys {
    /// Returns the name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Index => "index",
            Self::Ordinals => "ordinals",
        }
    }
}

/// Copies the complete records of `rec` to `out`, with an index and, if `rec` has them, checksums.
///
/// All files are written, or none. Returns `None`, and writes nothing, if `on_progress` stops it.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Argument` if `out` is one of the files that are
/// read.
pub fn repair(
    rec: &Location,
    index: Option<&Location>,
    out: &Location,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<RepairReport>> {
    let file = RecordFile::open_without_checksums(rec)?;
    let inputs = [Some(rec), index].into_iter().flatten();
    let inputs: Vec<Location> = inputs.cloned().collect();
    refuse_to_overwrite(&inputs, std::slice::from_ref(out))?;
    let mut problems = Vec::new();
    let sidecars = before_progress(on_progress, |interrupt| {
        Sidecars::load(&file, index, &mut problems, interrupt).map(Some)
    });
    let Some(sidecars) = none_if_interrupted(sidecars)? else {
        return Ok(None);
    };
    let mut repair = Repair {
        rec,
        out,
        may_be_faces: false,
        sidecars: &sidecars,
        checksums: sidecars.checksums.as_ref().map(ChecksumMatcher::new),
        output: RecordOutput::create(out, sidecars.checksums.is_some())?,
        copied: Vec::new(),
        skipped: Vec::new(),
    };
    let flow = sidecars.for_each_segment(&file, on_progress, |segment| repair.add(segment))?;
    if flow.is_break() {
        return Ok(None);
    }
    if repair.copied.is_empty()
        && let Err(other) = file.check_content()
        && let Some(region) = repair.skipped.first_mut()
    {
        region.reason = other.reason();
    }
    let unused = problems.into_iter().map(|problem| problem.reason);
    repair.finish(unused.collect()).map(Some)
}

/// A record that was copied.
struct CopiedRecord {
    /// Its offset in the damaged file.
    offset: u64,
    id: Option<u64>,
}

/// A repair in progress.
struct Repair<'a> {
    rec: &'a Location,
    out: &'a Location,
    /// Whether a record has no image, as in face data sets.
    may_be_faces: bool,
    sidecars: &'a Sidecars,
    checksums: Option<ChecksumMatcher<'a>>,
    output: RecordOutput,
    copied: Vec<CopiedRecord>,
    skipped: Vec<SkippedRegion>,
}

impl Repair<'_> {
    fn add(&mut self, segment: Segment<'_>) -> Result<()> {
        match segment {
            Segment::Skipped(region) => self.skipped.push(region),
            Segment::Record(record) if self.matches_checksums(&record) => self.copy(record)?,
            Segment::Record(record) => self.skipped.push(SkippedRegion {
                begin: record.offset,
                end: record.offset + record.frame.len() as u64,
                reason: "the bytes of this record match no checksum in the .rsum".into(),
            }),
        }
        Ok(())
    }

    fn matches_checksums(&mut self, record: &SalvagedRecord<'_>) -> bool {
        let checksums = self.checksums.as_mut();
        checksums.is_none_or(|checksums| checksums.matches(record.offset, record.frame))
    }

    fn copy(&mut self, record: SalvagedRecord<'_>) -> Result<()> {
        // A preliminary key, until all ids are known.
        let key = self.copied.len() as u64;
        self.output.append_frame(key, record.frame)?;
        let payload = frame::join_fragments(record.frame);
        let image = ImageRecord::parse(&record.frame[payload]).ok();
        self.may_be_faces |= image.is_some_and(|image| image.image.is_empty());
        self.copied.push(CopiedRecord {
            offset: record.offset,
            id: image.map(|image| image.header.id),
        });
        Ok(())
    }

    fn finish(mut self, unused: Vec<String>) -> Result<RepairReport> {
        let (source, keys) = self.keys();
        let (records, bytes) = (self.output.records(), self.output.bytes());
        let load = || FaceProperty::load(self.rec).ok().flatten();
        let property = self.may_be_faces.then(load).flatten();
        if records > 0 {
            self.output.set_keys(&keys);
            let property = prepare_property(property, self.out)?;
            commit(vec![self.output.prepare()?])?;
            property.persist()?;
        }
        Ok(RepairReport {
            records,
            bytes,
            keys: source,
            skipped: self.skipped,
            unused,
        })
    }

    /// Returns the keys of the records: the first of ids, old keys and ordinals that are unique and
    /// known for all records.
    fn keys(&self) -> (RepairKeys, Vec<u64>) {
        let ids: Option<Vec<u64>> = self.copied.iter().map(|record| record.id).collect();
        if let Some(ids) = ids.filter(|ids| all_unique(ids.clone())) {
            return (RepairKeys::Ids, ids);
        }
        let offsets = self.copied.iter().map(|record| record.offset);
        match offsets.map(|offset| self.sidecars.key_at(offset)).collect() {
            Some(keys) => (RepairKeys::Index, keys),
            None => (
                RepairKeys::Ordinals,
                (0..self.copied.len() as u64).collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
