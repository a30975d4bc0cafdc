//! Whether a list was packed by an earlier run, which was interrupted or killed later on.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::Options;
use crate::error::Result;
use crate::read::list_file::load_lines;
use crate::write::append_check::is_complete;

/// The number of records and the length of `rec` if it holds all of `list` but the lines `skipped` (numbers, from 1, as an
/// earlier run reported them), is complete, and so are its `.idx` and the other files that `options` ask for.
///
/// Complete means: younger than the list, listing its indices in its order, and ending as they should. An earlier run got
/// the files their names when they were whole, the `.idx` last, so no more need be read. The images themselves and the
/// other options of that run are not looked at.
///
/// # Errors
/// As [`load_lines`].
pub fn packed_already(
    list: &Path,
    rec: &Path,
    skipped: &[u64],
    options: &Options,
) -> Result<Option<(usize, u64)>> {
    let Some(keys) = keys(list, skipped)? else {
        return Ok(None);
    };
    let masks = options.masks.as_ref().map(|masks| masks.rec.as_path());
    let complete = [Some(rec), masks].into_iter().flatten().all(|rec| {
        is_younger(&rec.with_extension("idx"), list) && is_complete(rec, &keys, options.checksum)
    });
    // A file that is gone by now is not complete.
    let bytes = fs::metadata(rec).map(|file| file.len()).ok();
    Ok(bytes.filter(|_| complete).map(|bytes| (keys.len(), bytes)))
}

/// The indices of the lines that were not skipped; none if there is no such line, or one that cannot be read.
fn keys(list: &Path, skipped: &[u64]) -> Result<Option<Vec<u64>>> {
    let skipped: HashSet<&u64> = skipped.iter().collect();
    let lines = load_lines(list)?;
    let packed = lines.iter().filter(|(number, _)| !skipped.contains(number));
    let keys = packed.map(|(_, line)| Some(line.as_ref().ok()?.index));
    Ok(keys
        .collect::<Option<Vec<_>>>()
        .filter(|keys| !keys.is_empty()))
}

fn is_younger(file: &Path, list: &Path) -> bool {
    let modified = |path| fs::metadata(path).and_then(|file| file.modified()).ok();
    modified(file)
        .zip(modified(list))
        .is_some_and(|(file, list)| file >= list)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::write::record_output::{RecordOutput, commit};

    const PLAIN: Options = Options {
        recode: None,
        seekable: false,
        masks: None,
        pack_label: false,
        checksum: false,
        allow_outside: false,
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

        fn found(&self, skipped: &[u64], options: &Options) -> Option<(usize, u64)> {
            packed_already(&self.list, &self.rec, skipped, options).unwrap()
        }
    }

    #[test]
    fn files_that_hold_the_list_are_found() {
        let fixture = Fixture::new();
        let options = Options {
            checksum: true,
            ..PLAIN
        };
        assert_eq!(fixture.found(&[2], &options), Some((2, 24)));
        fs::remove_file(fixture.rec.with_extension("rsum")).unwrap();
        assert_eq!(fixture.found(&[2], &PLAIN), Some((2, 24)));
        assert_eq!(fixture.found(&[2], &options), None);
    }

    #[test]
    fn files_of_another_list_are_not() {
        let fixture = Fixture::new();
        for skipped in [&[][..], &[1], &[2, 3], &[1, 2, 3]] {
            assert_eq!(fixture.found(skipped, &PLAIN), None, "{skipped:?}");
        }
        fs::write(&fixture.list, "6\t0\ta\n7\t0\tb\n5\t0\tc\n").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(100);
        let list = fs::File::options().write(true).open(&fixture.list).unwrap();
        list.set_modified(long_ago).unwrap();
        assert_eq!(fixture.found(&[2], &PLAIN), None);
    }

    #[test]
    fn a_list_that_is_younger_is_packed_anew() {
        let fixture = Fixture::new();
        let list = fs::File::options().write(true).open(&fixture.list).unwrap();
        list.set_modified(SystemTime::now() + Duration::from_secs(100))
            .unwrap();
        assert_eq!(fixture.found(&[2], &PLAIN), None);
    }

    #[test]
    fn files_that_are_not_whole_are_packed_anew() {
        for end in ["rec", "idx", "rsum"] {
            let fixture = Fixture::new();
            let path = fixture.rec.with_extension(end);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
            assert_eq!(fixture.found(&[2], &PLAIN), None, "{end}");
        }
    }
}
