//! Record files of a store, written record by record: `MXRecordIO` and `MXIndexedRecordIO` with
//! `"w"`. They appear when the writer is closed.

use std::io::Write;

use super::pending_file::PendingFile;
use super::record_output::{PreparedOutput, commit, prepare_records};
use super::record_writer::RecordWriter;
use crate::error::{Error, Result};
use crate::format::checksum::Checksums;
use crate::storage::location::Location;

/// Bytes of lines of the index that are held before they are written.
const INDEX_BUFFER_LEN: usize = 64 << 10;

/// Writer of a record file in a store, and of its `.idx` and `.rsum`. Dropping it leaves nothing.
pub struct ObjectWriter {
    writer: RecordWriter<PendingFile>,
    index: Option<Index>,
}

/// A `.idx` file and the lines that are not written to it yet.
struct Index {
    file: PendingFile,
    lines: String,
}

impl ObjectWriter {
    /// Starts to write `rec` and, if there is one, `idx`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io), as for all methods.
    pub fn create(rec: &Location, idx: Option<&Location>, checksum: bool) -> Result<Self> {
        let checksums = checksum.then(Checksums::default);
        let file = PendingFile::create(rec)?;
        let index = idx.map(|idx| {
            Ok::<_, Error>(Index {
                file: PendingFile::create(idx)?,
                lines: String::new(),
            })
        });
        Ok(Self {
            writer: RecordWriter::resume(&rec.shown(), file, 0, checksums),
            index: index.transpose()?,
        })
    }

    /// Appends a record and returns its offset. The index lists it if it has a key.
    ///
    /// # Errors
    /// As [`RecordWriter::write`].
    pub fn write(&mut self, key: Option<&str>, record: &[u8]) -> Result<u64> {
        let offset = self.writer.write(record)?;
        if let Some((index, key)) = self.index.as_mut().zip(key) {
            index.lines.extend([key, "\t", &offset.to_string(), "\n"]);
            if index.lines.len() >= INDEX_BUFFER_LEN {
                index.flush()?;
            }
        }
        Ok(offset)
    }

    /// Returns the number of bytes so far, which is the offset of the next record.
    #[must_use]
    pub fn tell(&self) -> u64 {
        self.writer.tell()
    }

    /// Lets all files appear, the index last. After an error of a write, none do.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn close(self) -> Result<()> {
        let Self { writer, index } = self;
        let (rec, rsum) = prepare_records(writer)?;
        let idx = index.map(Index::prepare).transpose()?;
        commit(vec![PreparedOutput { rec, rsum, idx }])
    }
}

impl Index {
    fn flush(&mut self) -> Result<()> {
        let written = self.file.write_all(self.lines.as_bytes());
        self.lines.clear();
        written.map_err(|error| Error::from(error).at_path(&self.file.location().shown()))
    }

    fn prepare(mut self) -> Result<PendingFile> {
        self.flush()?;
        self.file.prepare()?;
        Ok(self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::sidecar::load_index;
    use crate::storage::memory_store::MemoryStore;

    #[test]
    fn files_appear_when_the_writer_is_closed() {
        let store = MemoryStore::default();
        let [rec, idx] = ["s3://b/a.rec", "s3://b/other.idx"].map(|url| store.at(url));
        store.put("s3://b/other.idx", b"old");
        let mut writer = ObjectWriter::create(&rec, Some(&idx), true).unwrap();
        for key in 0..20_000 {
            writer.write(Some(&key.to_string()), b"record").unwrap();
        }
        assert_eq!(writer.tell(), 20_000 * 16);
        assert_eq!(store.urls(), ["s3://b/other.idx"]);
        writer.close().unwrap();
        assert_eq!(
            store.urls(),
            ["s3://b/a.rec", "s3://b/a.rsum", "s3://b/other.idx"]
        );
        assert_eq!(load_index(&idx, None).unwrap().len(), 20_000);
    }

    #[test]
    fn a_dropped_writer_leaves_nothing() {
        let store = MemoryStore::default();
        let mut writer = ObjectWriter::create(&store.at("s3://b/a.rec"), None, true).unwrap();
        writer.write(None, b"record").unwrap();
        drop(writer);
        assert!(store.urls().is_empty());
    }
}
