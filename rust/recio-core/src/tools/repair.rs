//! What is left of a damaged file, copied into a new one.
//!
//! Every whole record goes there byte for byte, in its order; every other byte belongs to a region that is told, with the
//! reason. Together they are the file. A file with checksums gives only records whose bytes are those that were written.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::overwrite_guard::refuse_to_overwrite;
use super::sidecars::Known;
use crate::error::Result;
use crate::format::checksum::{self, Checksums};
use crate::format::frame;
use crate::format::image_header::ImageRecord;
use crate::progress::{OnProgress, Progress, Throttle};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{Segment, SkippedRegion};
use crate::write::record_output::{RecordOutput, commit};

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Records in the new file. If there are none, there is no new file.
    pub records: usize,
    /// Its length in bytes: that of the damaged file, less what was skipped.
    pub bytes: u64,
    /// What the new index has for keys.
    pub keys: Keys,
    /// The bytes of the damaged file that are no whole record, in their order.
    pub skipped: Vec<SkippedRegion>,
    /// Why the index or the checksums of the damaged file were not used, where they are damaged too.
    pub unused: Vec<String>,
}

/// Where the keys of the new index come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// The ids in the records' headers, which all differ.
    Ids,
    /// The old index, which lists all records that were saved.
    Index,
    /// 0, 1, 2 …
    Ordinals,
}

impl Keys {
    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Index => "index",
            Self::Ordinals => "ordinals",
        }
    }
}

/// Copies the whole records of `rec` to `out`, with an index beside it, and checksums if `rec` has some. All are there and
/// complete at the end, or none. `None` if the caller broke off.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Argument` if `out` is one of the files that are read.
pub fn repair(
    rec: &Path,
    index: Option<&Path>,
    out: &Path,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Repaired>> {
    let file = RecordFile::open_without_checksums(rec)?;
    let inputs = [Some(rec), index].into_iter().flatten();
    let inputs: Vec<PathBuf> = inputs.map(Path::to_path_buf).collect();
    refuse_to_overwrite(&inputs, &[out.to_path_buf()])?;
    let mut problems = Vec::new();
    let known = Known::load(&file, index, &mut problems)?;
    let mut saving = Saving {
        known: &known,
        written: known.sums.as_ref().map(Written::new),
        output: RecordOutput::create(out, known.sums.is_some())?,
        records: Vec::new(),
        skipped: Vec::new(),
    };
    if !saving.walk(&file, Throttle::new(on_progress))? {
        return Ok(None);
    }
    let unused = problems.into_iter().map(|problem| problem.reason);
    saving.finish(unused.collect()).map(Some)
}

/// A record that is saved.
struct Saved {
    /// Where it stood.
    offset: u64,
    id: Option<u64>,
}

/// A repair on its way.
struct Saving<'a> {
    known: &'a Known,
    written: Option<Written<'a>>,
    output: RecordOutput,
    records: Vec<Saved>,
    skipped: Vec<SkippedRegion>,
}

impl Saving<'_> {
    /// Copies all that can be; gives whether the caller let it come to the end.
    fn walk(&mut self, file: &RecordFile, mut throttle: Throttle<'_>) -> Result<bool> {
        let mut walk = self.known.walk(file);
        loop {
            let progress = Progress::new(walk.position(), file.len());
            if throttle.report(progress).is_break() {
                return Ok(false);
            }
            match walk.next_segment()? {
                None => return Ok(true),
                Some(Segment::Skipped(region)) => self.skipped.push(region),
                Some(Segment::Record(whole)) => self.save(whole.offset, whole.frame)?,
            }
        }
    }

    fn save(&mut self, offset: u64, frames: &mut [u8]) -> Result<()> {
        let written = &mut self.written;
        if written.as_mut().is_some_and(|all| !all.has(offset, frames)) {
            self.skipped.push(SkippedRegion {
                begin: offset,
                end: offset + frames.len() as u64,
                reason: "the bytes of this record are not those that the .rsum was written for"
                    .into(),
            });
            return Ok(());
        }
        // The key follows when all ids are known.
        self.output
            .append_frame(self.records.len() as u64, frames)?;
        let payload = frame::join_fragments(frames);
        let id = ImageRecord::parse(&frames[payload])
            .ok()
            .map(|record| record.header.id);
        self.records.push(Saved { offset, id });
        Ok(())
    }

    fn finish(mut self, unused: Vec<String>) -> Result<Repaired> {
        let (keys, values) = self.keys();
        let (records, bytes) = (self.output.records(), self.output.bytes());
        if records > 0 {
            self.output.set_keys(&values);
            commit(vec![self.output.prepare()?])?;
        }
        Ok(Repaired {
            records,
            bytes,
            keys,
            skipped: self.skipped,
            unused,
        })
    }

    /// The records' keys: the first of ids, the old index's keys and ordinals that gives each record one of its own.
    fn keys(&self) -> (Keys, Vec<u64>) {
        let ids: Option<Vec<u64>> = self.records.iter().map(|saved| saved.id).collect();
        if let Some(ids) = ids.filter(|ids| all_differ(ids)) {
            return (Keys::Ids, ids);
        }
        let old = self
            .records
            .iter()
            .map(|saved| self.known.key(saved.offset));
        match old.collect() {
            Some(keys) => (Keys::Index, keys),
            None => (Keys::Ordinals, (0..self.records.len() as u64).collect()),
        }
    }
}

fn all_differ(ids: &[u64]) -> bool {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.is_sorted_by(|a, b| a < b)
}

/// The records that checksums were made of.
struct Written<'a> {
    sums: &'a Checksums,
    /// Sum and length of each, once one is met that is not in its place: bytes were lost or inserted before it.
    anywhere: Option<HashSet<(u32, u64)>>,
}

impl<'a> Written<'a> {
    fn new(sums: &'a Checksums) -> Self {
        Self {
            sums,
            anywhere: None,
        }
    }

    /// Whether these are the bytes of one of the records: of that at `offset`, if there is one.
    fn has(&mut self, offset: u64, frames: &[u8]) -> bool {
        let sum = checksum::crc(frames);
        if self.sums.get(offset).is_some_and(|entry| entry.crc == sum) {
            return true;
        }
        let sums = self.sums;
        let anywhere = self.anywhere.get_or_insert_with(|| {
            let key = |entry: checksum::Entry| (entry.crc, entry.end - entry.offset);
            sums.entries().map(key).collect()
        });
        anywhere.contains(&(sum, frames.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;

    use super::*;
    use crate::format::image_header;
    use crate::format::index::Entry;
    use crate::read::sidecar::{load_checksums, load_index};
    use crate::write::sidecar::{prepare_checksums, save_index};

    /// A folder with `a.rec` of ten records with these ids, and where they begin.
    struct Fixture {
        folder: tempfile::TempDir,
        offsets: Vec<u64>,
    }

    impl Fixture {
        fn new(id: impl Fn(u64) -> u64) -> Self {
            let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
            for n in 0..10 {
                let mut record = Vec::new();
                image_header::encode(&[n as f32], id(n), &mut record);
                record.resize(record.len() + 50 + 3 * n as usize, n as u8 + 1);
                offsets.push(bytes.len() as u64);
                frame::encode(&record, &mut bytes).unwrap();
            }
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a.rec"), bytes).unwrap();
            Self { folder, offsets }
        }

        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn bytes(&self) -> Vec<u8> {
            fs::read(self.at("a.rec")).unwrap()
        }

        /// Writes the checksums of the file as it is.
        fn with_sums(self) -> Self {
            let (bytes, mut sums) = (self.bytes(), Checksums::default());
            for (i, &offset) in self.offsets.iter().enumerate() {
                let end = self
                    .offsets
                    .get(i + 1)
                    .map_or(bytes.len(), |&end| end as usize);
                sums.push(offset, &bytes[offset as usize..end]);
            }
            let staged = prepare_checksums(&sums, &self.at("a.rsum")).unwrap();
            staged.persist().unwrap();
            self
        }

        /// Writes an index in which the keys of the records are 100 times their numbers.
        fn with_index(self) -> Self {
            let entry = |(n, &offset): (usize, &u64)| Entry {
                key: 100 * n as u64,
                offset,
            };
            let entries: Vec<_> = self.offsets.iter().enumerate().map(entry).collect();
            save_index(&entries, &self.at("a.idx")).unwrap();
            self
        }

        fn damage(self, change: impl Fn(&mut Vec<u8>, &[u64])) -> Self {
            let mut bytes = self.bytes();
            change(&mut bytes, &self.offsets);
            fs::write(self.at("a.rec"), bytes).unwrap();
            self
        }

        fn repair(&self) -> Repaired {
            let index = Some(self.at("a.idx")).filter(|path| path.exists());
            let goes_on = &mut |_| ControlFlow::Continue(());
            let repaired = repair(
                &self.at("a.rec"),
                index.as_deref(),
                &self.at("b.rec"),
                goes_on,
            )
            .unwrap()
            .unwrap();
            let skipped: u64 = repaired
                .skipped
                .iter()
                .map(|region| region.end - region.begin)
                .sum();
            assert_eq!(repaired.bytes + skipped, self.bytes().len() as u64);
            repaired
        }

        fn keys(&self) -> Vec<u64> {
            let index = load_index(&self.at("b.idx"), None).unwrap();
            index
                .in_file_order()
                .iter()
                .map(|entry| entry.key)
                .collect()
        }
    }

    #[test]
    fn a_sound_file_is_copied_byte_for_byte() {
        let fixture = Fixture::new(|n| n + 5);
        let repaired = fixture.repair();
        assert_eq!((repaired.records, repaired.keys), (10, Keys::Ids));
        assert_eq!(fs::read(fixture.at("b.rec")).unwrap(), fixture.bytes());
        assert_eq!(fixture.keys(), (5..15).collect::<Vec<_>>());
        assert!(!fixture.at("b.rsum").exists());
    }

    #[test]
    fn what_is_no_record_is_left_out_and_told() {
        let fixture = Fixture::new(|n| n).damage(|bytes, at| bytes[at[3] as usize] ^= 1);
        let repaired = fixture.repair();
        let [region] = &repaired.skipped[..] else {
            panic!("{:?}", repaired.skipped);
        };
        assert_eq!(
            (region.begin, region.end),
            (fixture.offsets[3], fixture.offsets[4])
        );
        assert!(
            region.reason.contains("magic 0xced7230b"),
            "{}",
            region.reason
        );
        assert_eq!(fixture.keys(), [0, 1, 2, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn keys_are_those_of_the_index_where_ids_repeat_and_else_ordinals() {
        let cut = |bytes: &mut Vec<u8>, at: &[u64]| bytes[at[3] as usize] ^= 1;
        let fixture = Fixture::new(|_| 7).with_index().damage(cut);
        assert_eq!(fixture.repair().keys, Keys::Index);
        assert_eq!(fixture.keys(), [0, 100, 200, 400, 500, 600, 700, 800, 900]);
        let fixture = Fixture::new(|_| 7).damage(cut);
        assert_eq!(fixture.repair().keys, Keys::Ordinals);
        assert_eq!(fixture.keys(), (0..9).collect::<Vec<_>>());
    }

    #[test]
    fn records_that_are_not_those_of_the_checksums_are_left_out() {
        let flip = |bytes: &mut Vec<u8>, at: &[u64]| bytes[at[3] as usize + 40] ^= 1;
        let fixture = Fixture::new(|n| n).with_sums().damage(flip);
        let repaired = fixture.repair();
        assert_eq!((repaired.records, repaired.skipped.len()), (9, 1));
        assert_eq!(repaired.skipped[0].begin, fixture.offsets[3]);
        let sums = load_checksums(&fixture.at("b.rec")).unwrap().unwrap();
        assert_eq!(sums.len(), 9);
    }

    #[test]
    fn checksums_know_records_that_have_moved() {
        let shift = |bytes: &mut Vec<u8>, at: &[u64]| {
            let begin = at[1] as usize + 40;
            bytes.drain(begin..begin + 3);
        };
        let fixture = Fixture::new(|n| n).with_sums().damage(shift);
        let repaired = fixture.repair();
        assert_eq!(
            fixture.keys(),
            [0, 2, 3, 4, 5, 6, 7, 8, 9],
            "{:?}",
            repaired.skipped
        );
    }

    #[test]
    fn a_damaged_index_is_told_and_not_used() {
        let fixture = Fixture::new(|n| n);
        fs::write(fixture.at("a.idx"), "0\tx\n").unwrap();
        let repaired = fixture.repair();
        assert_eq!(repaired.records, 10);
        assert!(
            repaired.unused[0].contains("a.idx: line 1"),
            "{:?}",
            repaired.unused
        );
    }

    #[test]
    fn a_file_is_not_repaired_into_itself() {
        let fixture = Fixture::new(|n| n).with_index();
        let bytes = fixture.bytes();
        #[cfg(unix)]
        std::os::unix::fs::symlink(fixture.at("a.rec"), fixture.at("link.rec")).unwrap();
        for out in ["a.rec", "link.rec"].map(|name| fixture.at(name)) {
            if !out.exists() {
                continue;
            }
            let error = repair(&fixture.at("a.rec"), None, &out, &mut |_| {
                ControlFlow::Continue(())
            });
            let text = error.unwrap_err().to_string();
            assert!(text.contains("would overwrite an input"), "{text}");
        }
        fs::copy(fixture.at("a.rec"), fixture.at("c.rec")).unwrap();
        let idx = fixture.at("a.idx");
        let error = repair(
            &fixture.at("c.rec"),
            Some(&idx),
            &fixture.at("a.rec"),
            &mut |_| ControlFlow::Continue(()),
        );
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("a.idx: the output would overwrite an input")
        );
        assert_eq!(fixture.bytes(), bytes);
    }

    #[test]
    fn breaking_off_or_saving_nothing_leaves_no_file() {
        let fixture = Fixture::new(|n| n);
        let out = fixture.at("b.rec");
        let broken = repair(&fixture.at("a.rec"), None, &out, &mut |_| {
            ControlFlow::Break(())
        });
        assert_eq!(broken.unwrap(), None);
        fs::write(fixture.at("a.rec"), [7; 100]).unwrap();
        let fixture = Fixture {
            offsets: Vec::new(),
            ..fixture
        };
        assert_eq!(fixture.repair().records, 0);
        assert_eq!(fs::read_dir(fixture.folder.path()).unwrap().count(), 1);
    }
}
