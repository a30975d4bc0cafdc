//! Reads the files beside a `.rec` file: its `.idx` and its `.rsum`.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::format::checksum::{self, Checksums};
use crate::format::index::Index;
use crate::storage::local_file::open_regular;

/// Reads a `.idx` file.
///
/// `rec_len` is the length of the `.rec` file, if known: an offset beyond it is an error.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` with path and line.
pub fn load_index(path: &Path, rec_len: Option<u64>) -> Result<Index> {
    open_regular(path)
        .and_then(|file| Index::from_reader(file, rec_len))
        .map_err(|error| error.at_path(path))
}

/// Reads the `.rsum` file of a `.rec` file, if there is one. It may be another file's.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io), or `Corrupt` if it is damaged or truncated. Both
/// have the path of the `.rsum` file.
pub fn load_checksums(rec: &Path) -> Result<Option<Checksums>> {
    let path = checksum::path_for(rec);
    let load = |file: File| Checksums::from_reader(&file, file.metadata()?.len());
    match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map_err(Error::from).and_then(load).map(Some),
    }
    .map_err(|error| error.at_path(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (rec, idx) = (folder.path().join("a.rec"), folder.path().join("a.idx"));
        assert_eq!(load_checksums(&rec).unwrap(), None);
        std::fs::write(checksum::path_for(&rec), b"RECIORS1").unwrap();
        let error = load_checksums(&rec).unwrap_err().to_string();
        assert!(
            error.ends_with(
                "a.rsum: the checksum file is damaged: 8 bytes do not match its header (truncated?)"
            ),
            "{error}"
        );
        for (text, expected) in [
            (
                "0\t0\nx\t8\n",
                "a.idx: line 2: the key must be an integer from 0 to 2^64-1, got \"x\"",
            ),
            (
                "5\t0\n5\t8\n",
                "a.idx: line 2: duplicate key 5, first in line 1",
            ),
        ] {
            std::fs::write(&idx, text).unwrap();
            let error = load_index(&idx, None).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
