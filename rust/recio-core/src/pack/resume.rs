//! Resume: whether an earlier run, which was interrupted later on, has packed a list completely.

use std::collections::HashSet;
use std::fs;
use std::time::SystemTime;

use super::ListPart;
use super::list::{ListEntry, PackList};
use super::options::PackOptions;
use crate::error::{Error, Result};
use crate::storage::location::Location;
use crate::write::append_check::CompleteFile;

/// The record file of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptPart {
    /// Number of records.
    pub records: usize,
    /// Size of the record file of images in bytes.
    pub bytes: u64,
    /// Size of that of masks.
    pub mask_bytes: Option<u64>,
    /// Number of lines of the part that are in it, or were skipped.
    pub end: usize,
}

/// Returns what `rec` has if an earlier run has packed a part of `list` into it.
///
/// `rec` must contain all lines, or with `max_bytes` the first ones, except `skipped` (their
/// numbers, from 1, as the earlier run reported them). It must be complete, and so must be its
/// `.idx` and the other files that `options` request: younger than the list, with its indices in
/// its order, and ending where they should. The earlier run renamed the files when they were
/// complete, the `.idx` last, so no more is read. The images and the other options of that run are
/// not compared.
///
/// # Errors
/// `Argument` if a store does not report the times of its objects.
pub fn packed_already(
    list: &PackList,
    part: &ListPart,
    rec: &Location,
    skipped: &[u64],
    options: &PackOptions,
) -> Result<Option<KeptPart>> {
    let Some(file) = complete_file(list, rec, options)? else {
        return Ok(None);
    };
    let lines = &list.entries[part.lines.clone()];
    let Some(end) = lines_of(&file.keys, lines, skipped, part.max_bytes.is_some()) else {
        return Ok(None);
    };
    let mut kept = KeptPart {
        records: file.keys.len(),
        bytes: file.bytes,
        mask_bytes: None,
        end,
    };
    if let Some(masks) = &options.masks {
        let masks = complete_file(list, &masks.rec, options)?;
        let Some(masks) = masks.filter(|masks| masks.keys == file.keys) else {
            return Ok(None);
        };
        kept.mask_bytes = Some(masks.bytes);
    }
    Ok(Some(kept))
}

/// Returns a record file if it is complete and younger than the list.
fn complete_file(
    list: &PackList,
    rec: &Location,
    options: &PackOptions,
) -> Result<Option<CompleteFile>> {
    let idx = rec.with_extension("idx");
    if !is_younger(&idx, &list.location)? {
        return Ok(None);
    }
    Ok(CompleteFile::find(rec, options.checksum))
}

/// Returns the number of lines that records with these keys are packed from; `None` if they are of
/// other lines. With `is_first`, only the first lines need to be packed.
fn lines_of(keys: &[u64], lines: &[ListEntry], skipped: &[u64], is_first: bool) -> Option<usize> {
    let skipped: HashSet<&u64> = skipped.iter().collect();
    let mut keys = keys.iter().peekable();
    keys.peek()?;
    for (position, entry) in lines.iter().enumerate() {
        if skipped.contains(&entry.number) {
            continue;
        }
        if is_first && keys.peek().is_none() {
            return Some(position);
        }
        if keys.next() != Some(&entry.packable().ok()?.index) {
            return None;
        }
    }
    keys.next().is_none().then_some(lines.len())
}

/// Whether a file is younger than a list.
fn is_younger(file: &Location, list: &Location) -> Result<bool> {
    let times = modified(file)?.zip(modified(list)?);
    Ok(times.is_some_and(|(file, list)| file >= list))
}

/// Returns when a file was written; `None` if it cannot be opened.
fn modified(location: &Location) -> Result<Option<SystemTime>> {
    if let Some(path) = location.local() {
        return Ok(fs::metadata(path).and_then(|file| file.modified()).ok());
    }
    let Ok(object) = location.open() else {
        return Ok(None);
    };
    object.modified().map(Some).ok_or_else(|| {
        let reason = "resume compares the times of the list and of the files, which this store does not report; pack \
                      without resume";
        Error::argument(reason).at_path(&location.shown())
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::limits::Limits;
    use crate::storage::memory_store::MemoryStore;
    use crate::write::record_output::{RecordOutput, commit};

    const PLAIN: PackOptions = PackOptions {
        transcode: None,
        seekable: false,
        baseline: false,
        masks: None,
        pack_label: false,
        checksum: false,
        allow_outside: false,
        limits: Limits::DEFAULT,
        threads: 1,
        older_manifests: Vec::new(),
    };

    struct Fixture {
        _folder: tempfile::TempDir,
        list: PathBuf,
        rec: PathBuf,
    }

    impl Fixture {
        /// A list of the indices 5, 7 and 6, whose second line was skipped, packed with checksums.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (list, rec) = (folder.path().join("a.lst"), folder.path().join("a.rec"));
            fs::write(&list, "5\t0\ta\n7\t0\tb\n6\t0\tc\n").unwrap();
            let mut output = RecordOutput::create(&rec, true).unwrap();
            output.append(5, b"a").unwrap();
            output.append(6, b"c").unwrap();
            commit(vec![output.prepare().unwrap()]).unwrap();
            Self {
                _folder: folder,
                list,
                rec,
            }
        }

        fn packed(&self, skipped: &[u64], options: &PackOptions) -> Option<(usize, u64)> {
            let part = ListPart {
                lines: 0..3,
                max_bytes: None,
            };
            let kept = self.kept(&part, skipped, options)?;
            assert_eq!(kept.end, 3);
            Some((kept.records, kept.bytes))
        }

        fn kept(
            &self,
            part: &ListPart,
            skipped: &[u64],
            options: &PackOptions,
        ) -> Option<KeptPart> {
            let list = PackList::load(&self.list.as_path().into()).unwrap();
            let rec = self.rec.as_path().into();
            packed_already(&list, part, &rec, skipped, options).unwrap()
        }
    }

    #[test]
    fn complete_files_of_the_list_are_recognized() {
        let fixture = Fixture::new();
        let options = PackOptions {
            checksum: true,
            ..PLAIN
        };
        assert_eq!(fixture.packed(&[2], &options), Some((2, 24)));
        fs::remove_file(fixture.rec.with_extension("rsum")).unwrap();
        assert_eq!(fixture.packed(&[2], &PLAIN), Some((2, 24)));
        assert_eq!(fixture.packed(&[2], &options), None);
    }

    #[test]
    fn a_full_file_has_the_first_lines_of_a_part() {
        let fixture = Fixture::new();
        fs::write(
            &fixture.list,
            "3\t0\tz\n5\t0\ta\n7\t0\tb\n6\t0\tc\n8\t0\td\n",
        )
        .unwrap();
        let kept = |lines: std::ops::Range<usize>, max_bytes, skipped: &[u64]| {
            let idx = fs::File::options()
                .write(true)
                .open(fixture.rec.with_extension("idx"));
            idx.unwrap().set_modified(SystemTime::now()).unwrap();
            let kept = fixture.kept(&ListPart { lines, max_bytes }, skipped, &PLAIN);
            kept.map(|kept| (kept.records, kept.end))
        };
        assert_eq!(kept(1..5, Some(24), &[3]), Some((2, 3)));
        assert_eq!(kept(1..5, Some(24), &[3, 5]), Some((2, 4)));
        assert_eq!(kept(1..4, None, &[3]), Some((2, 3)));
        assert_eq!(kept(1..5, None, &[3]), None);
        assert_eq!(kept(1..5, Some(24), &[]), None);
        assert_eq!(kept(0..5, Some(24), &[3]), None);
    }

    #[test]
    fn objects_without_times_are_not_compared() {
        let fixture = Fixture::new();
        let store = MemoryStore::default();
        let rec = store.at("s3://b/a.rec");
        let list = PackList::load(&fixture.list.as_path().into()).unwrap();
        let part = ListPart {
            lines: 0..3,
            max_bytes: None,
        };
        let packed = || packed_already(&list, &part, &rec, &[2], &PLAIN);
        assert_eq!(packed().unwrap(), None);
        store.put("s3://b/a.idx", b"");
        let error = packed().unwrap_err().to_string();
        assert!(
            error.starts_with("s3://b/a.idx: resume compares"),
            "{error}"
        );
    }

    #[test]
    fn files_of_another_list_are_not_recognized() {
        let fixture = Fixture::new();
        for skipped in [&[][..], &[1], &[2, 3], &[1, 2, 3]] {
            assert_eq!(fixture.packed(skipped, &PLAIN), None, "{skipped:?}");
        }
        fs::write(&fixture.list, "6\t0\ta\n7\t0\tb\n5\t0\tc\n").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(100);
        let list = fs::File::options().write(true).open(&fixture.list).unwrap();
        list.set_modified(long_ago).unwrap();
        assert_eq!(fixture.packed(&[2], &PLAIN), None);
    }

    #[test]
    fn younger_list_is_packed_again() {
        let fixture = Fixture::new();
        let list = fs::File::options().write(true).open(&fixture.list).unwrap();
        list.set_modified(SystemTime::now() + Duration::from_secs(100))
            .unwrap();
        assert_eq!(fixture.packed(&[2], &PLAIN), None);
    }

    #[test]
    fn incomplete_files_are_packed_again() {
        for extension in ["rec", "idx", "rsum"] {
            let fixture = Fixture::new();
            let path = fixture.rec.with_extension(extension);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            assert_eq!(fixture.packed(&[2], &PLAIN), None, "{extension}");
        }
    }
}
