//! Several text files, read as one, and the lines in them that hold samples.
//!
//! A file is open only while lines are read, and nothing of it is kept: reading is a function of a
//! [`Position`], for any number of threads and forked processes.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use memchr::memchr;

use crate::error::{Error, Result};
use crate::memory;
use crate::storage::local_file::LocalFile;

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;

/// Bytes that are read at a time where no more were expected.
const SMALL_CHUNK: usize = 8 << 10;

/// A file, with its size and time of modification when it was opened first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFile {
    /// Path of the file.
    pub path: PathBuf,
    /// Size in bytes.
    pub len: u64,
    /// Time of modification in nanoseconds since 1970.
    pub modified: i64,
}

impl TextFile {
    /// Opens a regular file, and closes it.
    ///
    /// # Errors
    /// Those of the operating system, with the path.
    pub fn new(path: &Path) -> Result<Self> {
        Self::opened(path).map(|(file, _)| file)
    }

    fn opened(path: &Path) -> Result<(Self, LocalFile)> {
        let local = LocalFile::open(path)?;
        let metadata = local.metadata()?;
        let file = Self {
            path: path.to_path_buf(),
            len: metadata.len(),
            modified: modified(&metadata),
        };
        Ok((file, local))
    }

    /// Opens the file again.
    fn open(&self) -> Result<LocalFile> {
        let (file, local) = Self::opened(&self.path)?;
        if file == *self {
            return Ok(local);
        }
        let path = self.path.display();
        Err(Error::argument(format!(
            "{path} has changed since it was opened"
        )))
    }
}

/// Returns the time of modification; 0 where the operating system has none.
fn modified(metadata: &Metadata) -> i64 {
    let Ok(time) = metadata.modified() else {
        return 0;
    };
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i64,
        Err(before) => -(before.duration().as_nanos() as i64),
    }
}

/// Files that are read as one. Lines that are blank but for a comment are no samples.
#[derive(Clone, Debug)]
pub struct TextFiles {
    /// The files, in their order.
    pub files: Vec<TextFile>,
    /// Beginning of a comment, which extends to the end of the line; ASCII.
    pub comment: Option<u8>,
}

/// Beginning of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Index of the file.
    pub file: usize,
    /// Offset in the file.
    pub offset: u64,
}

/// A line that holds a sample.
#[derive(Debug)]
pub struct Line<'a> {
    /// Where it begins.
    pub start: Position,
    /// Its bytes, without the line feed.
    pub bytes: &'a [u8],
    /// The sample: without byte order mark, comment, and ASCII spaces around it.
    pub sample: &'a [u8],
}

impl TextFiles {
    /// Opens regular files.
    ///
    /// # Errors
    /// Those of the operating system, with the path.
    pub fn open(paths: &[PathBuf], comment: Option<u8>) -> Result<Self> {
        let files = paths.iter().map(|path| TextFile::new(path));
        Ok(Self {
            files: files.collect::<Result<_>>()?,
            comment,
        })
    }

    /// Checks that no file has changed since it was opened.
    ///
    /// # Errors
    /// Those of the operating system; if a file has changed.
    pub fn check(&self) -> Result<()> {
        self.files.iter().try_for_each(|file| file.open().map(drop))
    }

    /// Returns a reader of the lines from a position on. About `expected_bytes` are read of them.
    #[must_use]
    pub fn lines(&self, start: Position, expected_bytes: usize) -> Lines<'_> {
        Lines {
            files: self,
            file: None,
            buffer: Vec::new(),
            consumed: 0,
            position: start,
            expected_bytes,
        }
    }

    /// Calls a function with the samples of a number of lines. Returns how many there were, and the
    /// position after them.
    ///
    /// # Errors
    /// Those of the operating system; if a file has changed; if there is no memory for a line.
    pub fn for_each(
        &self,
        start: Position,
        lines: usize,
        expected_bytes: usize,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(usize, Position)> {
        let mut reader = self.lines(start, expected_bytes);
        let mut passed = 0;
        while passed < lines
            && let Some(line) = reader.next()?
        {
            each(line.sample);
            passed += 1;
        }
        Ok((passed, reader.position()))
    }

    /// Returns the sample in a line, if there is one.
    fn sample<'a>(&self, line: &'a [u8]) -> Option<&'a [u8]> {
        let line = line.strip_prefix(MARK).unwrap_or(line);
        let end = self.comment.and_then(|mark| memchr(mark, line));
        let sample = line[..end.unwrap_or(line.len())].trim_ascii();
        (!is_blank(sample)).then_some(sample)
    }
}

/// Returns whether text has no character but spaces, as Python defines them.
fn is_blank(text: &[u8]) -> bool {
    let is_space = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    match text.first() {
        Some(first) if first.is_ascii_graphic() => false,
        _ => String::from_utf8_lossy(text).chars().all(is_space),
    }
}

/// Reader of the lines that hold samples.
#[derive(Debug)]
pub struct Lines<'a> {
    files: &'a TextFiles,
    /// The file of the position, if it is open.
    file: Option<LocalFile>,
    /// Bytes of the file; those before `consumed` are of earlier lines.
    buffer: Vec<u8>,
    consumed: usize,
    /// Where the next line begins, which is at `consumed`.
    position: Position,
    /// Bytes that are still expected to be needed.
    expected_bytes: usize,
}

impl Lines<'_> {
    /// Returns the next line; none at the end of the last file.
    ///
    /// # Errors
    /// Those of the operating system; if a file has changed; if there is no memory for the line.
    #[allow(clippy::should_implement_trait, reason = "the line borrows the buffer")]
    pub fn next(&mut self) -> Result<Option<Line<'_>>> {
        while let Some(len) = self.line_len()? {
            let (start, first) = (self.position, self.consumed);
            // The last line of a file may have no line feed.
            self.consumed = (first + len + 1).min(self.buffer.len());
            self.position.offset += (self.consumed - first) as u64;
            if self
                .files
                .sample(&self.buffer[first..first + len])
                .is_some()
            {
                let bytes = &self.buffer[first..first + len];
                let sample = self.files.sample(bytes).unwrap_or_default();
                return Ok(Some(Line {
                    start,
                    bytes,
                    sample,
                }));
            }
        }
        Ok(None)
    }

    /// Returns where the next line begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns the length of the next line, which is in the buffer then; none at the end.
    fn line_len(&mut self) -> Result<Option<usize>> {
        let mut searched = 0;
        loop {
            let rest = &self.buffer[self.consumed..];
            if let Some(len) = memchr(b'\n', &rest[searched..]) {
                return Ok(Some(searched + len));
            }
            searched = rest.len();
            if self.fill()? {
                continue;
            }
            if searched > 0 {
                return Ok(Some(searched));
            }
            if !self.next_file() {
                return Ok(None);
            }
        }
    }

    /// Reads further bytes into the buffer; none at the end of the file.
    fn fill(&mut self) -> Result<bool> {
        let Some(file) = self.files.files.get(self.position.file) else {
            return Ok(false);
        };
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        let offset = self.position.offset + self.buffer.len() as u64;
        let wanted = self.next_chunk().min(file.len.saturating_sub(offset)) as usize;
        if wanted == 0 {
            return Ok(false);
        }
        let local = match self.file.take() {
            Some(local) => local,
            None => file.open()?,
        };
        let kept = self.buffer.len();
        memory::resize(&mut self.buffer, kept + wanted, 0)?;
        local.read_exact_at(&mut self.buffer[kept..], offset)?;
        self.expected_bytes = self.expected_bytes.saturating_sub(wanted);
        self.file = Some(local);
        Ok(true)
    }

    /// Returns how many bytes to read next. They are at least as many as there are, so that a long
    /// line is searched and moved a few times only.
    fn next_chunk(&self) -> u64 {
        let chunk = match self.expected_bytes {
            0 => SMALL_CHUNK,
            expected => expected.min(CHUNK),
        };
        chunk.max(self.buffer.len()) as u64
    }

    /// Moves to the beginning of the next file, if there is one.
    fn next_file(&mut self) -> bool {
        let is_last = self.position.file + 1 >= self.files.files.len();
        if !is_last {
            self.file = None;
            self.position = Position {
                file: self.position.file + 1,
                offset: 0,
            };
        }
        !is_last
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn files(texts: &[&[u8]]) -> (TempDir, TextFiles) {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: usize| folder.path().join(number.to_string());
        for (number, text) in texts.iter().enumerate() {
            fs::write(path(number), text).unwrap();
        }
        let paths: Vec<_> = (0..texts.len()).map(path).collect();
        let files = TextFiles::open(&paths, Some(b'#')).unwrap();
        (folder, files)
    }

    fn samples(files: &TextFiles, start: Position, expected_bytes: usize) -> Vec<Vec<u8>> {
        let mut lines = files.lines(start, expected_bytes);
        let next = || lines.next().unwrap().map(|line| line.sample.to_vec());
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn samples_are_lines_without_spaces_and_comments() {
        let text = "\u{feff}1\r\n\n # none\n\u{feff}\n \u{a0}\x0b\x1c\n 2 3\t# four\n\u{feff}5";
        let (_folder, files) = files(&[text.as_bytes(), b"", b"\n", b"6\n\xff#\n"]);
        let all: Vec<_> = [&b"1"[..], b"2 3", b"5", b"6", b"\xff"]
            .map(<[u8]>::to_vec)
            .into();
        assert_eq!(samples(&files, Position::default(), 0), all);
        assert_eq!(
            files.for_each(Position::default(), 9, 0, |_| ()).unwrap().0,
            5
        );
        for lines in 0..5 {
            let (skipped, position) = files
                .for_each(Position::default(), lines, 0, |_| ())
                .unwrap();
            assert_eq!(
                (skipped, samples(&files, position, 1)),
                (lines, all[lines..].to_vec())
            );
        }
    }

    #[test]
    fn lines_may_be_longer_than_chunks() {
        let long = vec![b'7'; 3 * CHUNK + 1];
        let text = [&long[..], b"\n1\n", &long, b"\n", &long].concat();
        let (_folder, files) = files(&[&text]);
        let expected = [long.clone(), b"1".to_vec(), long.clone(), long];
        for expected_bytes in [0, 100_000, usize::MAX] {
            assert_eq!(
                samples(&files, Position::default(), expected_bytes),
                expected
            );
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_an_error() {
        let (_folder, files) = files(&[&b"1\n".repeat(CHUNK)]);
        let mut lines = files.lines(Position::default(), usize::MAX);
        lines.next().unwrap();
        let file = fs::File::options().write(true).open(&files.files[0].path);
        file.unwrap().set_len(10).unwrap();
        let error = std::iter::repeat_with(|| lines.next().map(|line| line.is_some()))
            .find_map(std::result::Result::err)
            .unwrap();
        assert!(error.to_string().contains("was truncated"), "{error}");
        let error = files.check().unwrap_err().to_string();
        let path = files.files[0].path.display();
        assert_eq!(error, format!("{path} has changed since it was opened"));
    }
}
