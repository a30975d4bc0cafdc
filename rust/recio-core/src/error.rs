//! Errors with positions.
//!
//! All modules return the same [`Error`]. It has the size of a pointer, so a `Result` on the hot
//! path stays small. The [`ErrorKind`] identifies the cause: the operating system, the file, the
//! image, or the caller; the [`Position`] the record. Each module adds the fields of the position
//! that it knows: the frame its byte offset, the reader the path, the loader the record's number
//! and id. The text of an error is part of the interface. Control characters in it, which file
//! names and the contents of files may have, are escaped ([`printable`]).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::printable::printable;

/// Result of the functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Error with its position.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    position: Position,
    advice: Option<String>,
}

/// Cause of an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Error of the operating system.
    #[error("{0}")]
    Io(io::Error),
    /// Damaged or invalid file: its frames, a record's header, an index, a list.
    #[error("{0}")]
    Corrupt(String),
    /// Image that cannot be decoded or encoded.
    #[error("{0}")]
    Image(String),
    /// Image of a kind that is not supported, or not allowed; it may be undamaged.
    #[error("{0}")]
    Unsupported(String),
    /// Image that exceeds the [`Limits`](crate::limits::Limits).
    #[error("{0}")]
    Limit(String),
    /// Invalid argument.
    #[error("{0}")]
    Argument(String),
    /// A batch was asked for after the loader was closed.
    #[error("the iterator is closed")]
    Closed,
    /// Error of a user function.
    #[error("{0}")]
    UserFn(Box<dyn std::error::Error + Send + Sync>),
    /// Error of a user function that could not read or decode a sample.
    #[error("{0}")]
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
    /// Reason why a user function rejected an image.
    #[error("{0}")]
    Rejected(String),
    /// Memory that cannot be allocated.
    #[error("{0}")]
    Memory(String),
    /// Key that the index does not have.
    #[error("no record has the key {0}")]
    UnknownKey(u64),
    /// The caller wants the operation to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Position of an error in the data. Each field is set by the first module that knows it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Position {
    /// Path of the file.
    pub path: Option<PathBuf>,
    /// Ordinal of the record, from 0: in the file or, with an index, among the records that it
    /// lists.
    pub record: Option<u64>,
    /// Id of the record, from its header.
    pub id: Option<u64>,
    /// Byte offset in the file.
    pub offset: Option<u64>,
}

impl Error {
    /// Creates an error without a position.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            position: Position::default(),
            advice: None,
        }))
    }

    /// Creates an error about an invalid argument.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument(message.into()))
    }

    /// Creates an error about a damaged file.
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt(message.into()))
    }

    /// Creates an error about an image that cannot be decoded or encoded.
    pub fn image(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Image(message.into()))
    }

    /// Creates an error about an image of a kind that is not supported.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported(message.into()))
    }

    /// Creates an error about an exceeded limit.
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit(message.into()))
    }

    /// Creates an error about a thread that cannot be started.
    #[must_use]
    pub fn thread(cause: &io::Error) -> Self {
        let text = format!(
            "cannot start a thread: {cause}; the limit on threads, processes or memory is reached \
             (ulimit -u, ulimit -v, the pids limit of the container): raise it, or use fewer threads"
        );
        io::Error::other(text).into()
    }

    /// Returns the cause.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Returns the position.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.0.position
    }

    /// Returns whether the error concerns one sample only: damage, or a missing file. Errors of the
    /// caller and of the operating system concern all samples.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self.kind() {
            ErrorKind::Corrupt(_)
            | ErrorKind::Image(_)
            | ErrorKind::Unsupported(_)
            | ErrorKind::Limit(_)
            | ErrorKind::Unreadable(_) => true,
            ErrorKind::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ),
            ErrorKind::Argument(_)
            | ErrorKind::Closed
            | ErrorKind::UserFn(_)
            | ErrorKind::Rejected(_)
            | ErrorKind::Memory(_)
            | ErrorKind::UnknownKey(_)
            | ErrorKind::Interrupted => false,
        }
    }

    /// Returns whether a store did not deliver the bytes of a record. It may deliver those of
    /// others.
    #[must_use]
    pub fn is_undelivered(&self) -> bool {
        // Errors of the operating system have a number.
        matches!(self.kind(), ErrorKind::Io(error) if error.raw_os_error().is_none())
            && self.position().record.is_some()
    }

    /// Whether a user function failed for another reason than the sample.
    #[must_use]
    pub fn is_user_fn(&self) -> bool {
        matches!(self.kind(), ErrorKind::UserFn(_))
    }

    /// Whether a user function rejected the sample.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        matches!(self.kind(), ErrorKind::Rejected(_))
    }

    /// Whether the caller wanted the operation to stop.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        matches!(self.kind(), ErrorKind::Interrupted)
    }

    /// Returns what the user can do about it, if that is known.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let advice = self.0.advice.clone();
        let remote =
            || remote_advice(self.position().path.as_deref()?).filter(|_| self.is_missing());
        advice.or_else(|| remote().map(String::from))
    }

    /// Returns whether the file system has no such file.
    fn is_missing(&self) -> bool {
        let is_missing = |error: &io::Error| {
            // Not an error of a store, which did look for the object.
            error.raw_os_error().is_some()
                && matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::InvalidInput
                )
        };
        matches!(self.kind(), ErrorKind::Io(error) if is_missing(error))
    }

    /// Returns the text of the error without its position.
    #[must_use]
    pub fn reason(&self) -> String {
        let kind = self.kind().to_string();
        let kind = match self.kind() {
            // Text of the caller's code, which may have several lines.
            ErrorKind::UserFn(_) => kind,
            _ => printable(&kind).into_owned(),
        };
        match self.advice() {
            Some(advice) => format!("{kind}; {advice}"),
            None => kind,
        }
    }

    /// Returns the text of the error with its position, but for the path.
    #[must_use]
    pub fn without_path(&self) -> String {
        let Position {
            record, id, offset, ..
        } = self.position();
        let mut position = Vec::new();
        position.extend(record.map(|record| format!("record {record}")));
        position.extend(id.map(|id| format!("(id {id})")));
        position.extend(offset.map(|offset| format!("at byte {offset}")));
        if position.is_empty() {
            self.reason()
        } else {
            format!("{}: {}", position.join(" "), self.reason())
        }
    }

    /// Adds what the user can do about it, unless that is known.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        let escaped = || printable(&advice.into()).into_owned();
        self.0.advice.get_or_insert_with(escaped);
        self
    }

    /// Adds the path, unless it is known.
    #[must_use]
    pub fn at_path(mut self, path: &Path) -> Self {
        self.0
            .position
            .path
            .get_or_insert_with(|| with_both_slashes(path));
        self
    }

    /// Adds the byte offset, unless it is known.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.position.offset.get_or_insert(offset);
        self
    }

    /// Adds the record's ordinal, unless it is known.
    #[must_use]
    pub fn at_record(mut self, record: u64) -> Self {
        self.0.position.record.get_or_insert(record);
        self
    }

    /// Adds the record's id, unless it is known.
    #[must_use]
    pub fn at_id(mut self, id: u64) -> Self {
        self.0.position.id.get_or_insert(id);
        self
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        error
            .downcast::<Self>()
            .unwrap_or_else(|error| Self::new(ErrorKind::Io(error)))
    }
}

impl From<Error> for io::Error {
    /// Wraps the error, for traits of the standard library; the other conversion unwraps it.
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Io(error) => error.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.kind)
    }
}

/// `train.rec: record 1841 (id 77) at byte 52428800: magic 0x00000000, expected 0xced7230a`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.position().path {
            write!(f, "{}: ", printable(&path.display().to_string()))?;
        }
        f.write_str(&self.without_path())
    }
}

/// Advice for the URL of an object where only local files are opened.
const ONLY_LOCAL: &str = "only local files are opened here: copy it to a disk or mount it";

/// Advice for the URL of a local file.
const NO_URL: &str = "only paths are opened here: pass the path without file://";

/// Returns a path; an address with the second slash, which Python's paths lose.
fn with_both_slashes(path: &Path) -> PathBuf {
    match path.to_str() {
        Some(text) if has_scheme(path) && !text.contains("://") => {
            text.replacen(":/", "://", 1).into()
        }
        _ => path.to_path_buf(),
    }
}

/// Returns what to do about a path that is a URL, where only local files are opened.
#[must_use]
pub fn remote_advice(path: &Path) -> Option<&'static str> {
    let advice = if path.starts_with("file:") {
        NO_URL
    } else {
        ONLY_LOCAL
    };
    has_scheme(path).then_some(advice)
}

/// Returns whether a path begins with the scheme of a URL, such as `s3://`.
fn has_scheme(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.split_once(":/").is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_every_known_field_of_the_position() {
        let error = Error::corrupt("bad")
            .at_offset(8)
            .at_record(1)
            .at_id(77)
            .at_path(Path::new("a.rec"));
        assert_eq!(error.to_string(), "a.rec: record 1 (id 77) at byte 8: bad");
        assert_eq!(
            Error::corrupt("bad")
                .at_path(Path::new("a.rec"))
                .to_string(),
            "a.rec: bad"
        );
        assert_eq!(Error::argument("bad").to_string(), "bad");
    }

    #[test]
    fn control_characters_of_names_and_contents_are_escaped() {
        let error = Error::corrupt("got \x1b[2J").at_path(Path::new("a\n.rec"));
        assert_eq!(error.to_string(), "a\\n.rec: got \\x1b[2J");
        assert_eq!(error.reason(), "got \\x1b[2J");
    }

    #[test]
    fn advice_ends_the_text() {
        let error = Error::corrupt("bad").advise("do this").advise("do that");
        assert_eq!(error.at_path(Path::new("a")).to_string(), "a: bad; do this");
    }

    #[test]
    fn a_missing_local_file_with_a_url_is_explained() {
        let text = |path: &str| {
            // ENOENT
            let error = Error::from(io::Error::from_raw_os_error(2));
            error.at_path(Path::new(path)).to_string()
        };
        for path in [
            "s3://bucket/a.rec",
            "gs:/bucket/a.rec",
            "https://x.org/a.rec",
        ] {
            assert!(text(path).contains("only local files"), "{path}");
        }
        assert!(text("file:///tmp/a.rec").contains("without file://"));
        assert!(text("s3:/bucket/a.rec").starts_with("s3://bucket/a.rec: "));
        for path in ["a.rec", "/x:/a.rec", "C:/a.rec", "folder/s3:/a.rec"] {
            assert!(!text(path).contains("only"), "{path}");
        }
        let missing = Error::from(io::Error::new(io::ErrorKind::NotFound, "no such object"));
        let missing = missing.at_path(Path::new("s3://bucket/a.rec"));
        assert_eq!(missing.to_string(), "s3://bucket/a.rec: no such object");
    }

    #[test]
    fn an_error_survives_traits_of_the_standard_library() {
        let error = io::Error::from(Error::new(ErrorKind::Interrupted));
        assert!(Error::from(error).is_interrupted());
        let error = io::Error::from(Error::from(io::Error::from(io::ErrorKind::TimedOut)));
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(matches!(Error::from(error).kind(), ErrorKind::Io(_)));
    }

    #[test]
    fn the_first_position_is_kept() {
        let error = Error::corrupt("bad").at_offset(8).at_offset(0);
        assert_eq!(error.position().offset, Some(8));
    }

    #[test]
    fn an_error_has_the_size_of_a_pointer() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
