//! Resume: whether an earlier run, which was interrupted later on, has packed a list completely.

use std::collections::HashSet;
use std::fs;
use std::time::SystemTime;

use super::options::PackOptions;
use crate::error::{Error, Result};
use crate::format::label::LabelType;
use crate::read::list_file::load_lines;
use crate::storage::location::Location;
use crate::write::append_check::is_complete;

/// Returns the number of records and the size of `rec` if an earlier run has packed `list` into it.
///
/// `rec` must contain all lines except `skipped` (their numbers, from 1, as the earlier run
/// reported them). It must be complete, and so must be its `.idx` and the other files that
/// `options` request: younger than the list, with its indices in its order, and ending where they
/// should. The earlier run renamed the files when they were complete, the `.idx` last, so no more
/// is read. The images and the other options of that run are not compared.
///
/// # Errors
/// As [`load_lines`]; `Argument` if a store does not report the times of its objects.
pub fn packed_already(
    list: &Location,
    rec: &Location,
    skipped: &[u64],
    options: &PackOptions,
) -> Result<Option<(usize, u64)>> {
    let Some(keys) = keys(list, skipped)? else {
        return Ok(None);
    };
    let masks = options.masks.as_ref().map(|masks| &masks.rec);
    for rec in [Some(rec), masks].into_iter().flatten() {
        let idx = rec.with_extension("idx");
        if !is_younger(&idx, list)? || !is_complete(rec, &keys, options.checksum) {
            return Ok(None);
        }
    }
    // A file that no longer exists is not complete.
    let bytes = rec.open().map(|file| file.len()).ok();
    Ok(bytes.map(|bytes| (keys.len(), bytes)))
}

/// Returns the indices of the lines that were not skipped; `None` if there are none, or one is
/// invalid.
fn keys(list: &Location, skipped: &[u64]) -> Result<Option<Vec<u64>>> {
    let skipped: HashSet<&u64> = skipped.iter().collect();
    let lines = load_lines(list, LabelType::Float32)?;
    let packed = lines.iter().filter(|(number, _)| !skipped.contains(number));
    let keys = packed.map(|(_, line)| Some(line.as_ref().ok()?.index));
    Ok(keys
        .collect::<Option<Vec<_>>>()
        .filter(|keys| !keys.is_empty()))
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
        masks: None,
        pack_label: false,
        checksum: false,
        allow_outside: false,
        limits: Limits::DEFAULT,
        threads: 1,
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
            packed_already(
                &self.list.as_path().into(),
                &self.rec.as_path().into(),
                skipped,
                options,
            )
            .unwrap()
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
    fn objects_without_times_are_not_compared() {
        let fixture = Fixture::new();
        let store = MemoryStore::default();
        let rec = store.at("s3://b/a.rec");
        let packed = || packed_already(&fixture.list.as_path().into(), &rec, &[2], &PLAIN);
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
