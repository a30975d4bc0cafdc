//! Errors: what went wrong, and where.
//!
//! Every stage fails with the one [`Error`]. It is a pointer wide, so a `Result` on the hot path stays small. The
//! [`ErrorKind`] says who is to blame (the machine, the file, the image, the caller); the [`Position`] says where. A
//! stage fills in the part of the position that it knows, and the stage above it adds the rest: framing knows the byte
//! offset, the reader the path, the pipeline the record's number and id. The text of an error is part of the interface.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, and where.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    position: Position,
}

/// Who is to blame for an error, and what exactly happened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused.
    #[error("{0}")]
    Io(io::Error),
    /// The file is damaged or not what it claims to be: its framing, a record's header, an index, a list.
    #[error("{0}")]
    Corrupt(String),
    /// The payload is not an image that can be decoded, or cannot be encoded.
    #[error("{0}")]
    Image(String),
    /// The file asks for more than [`Limits`](crate::limits::Limits) allow.
    #[error("{0}")]
    Limit(String),
    /// The caller's arguments do not make sense.
    #[error("{0}")]
    Argument(String),
    /// A function of the caller's failed: its own error.
    #[error("{0}")]
    Caller(Box<dyn std::error::Error + Send + Sync>),
    /// The index has no such key.
    #[error("no record has the key {0}")]
    UnknownKey(u64),
}

/// Where in the data an error happened. Each part is there once a stage that knows it has seen the error.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file.
    pub path: Option<PathBuf>,
    /// The record's ordinal, from 0: in the file or, with an index, among the records that it lists.
    pub record: Option<u64>,
    /// The record's own id, from its header.
    pub id: Option<u64>,
    /// The byte offset in the file.
    pub offset: Option<u64>,
}

impl Error {
    /// An error of this kind, its position not known yet.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            position: Position::default(),
        }))
    }

    /// The caller's mistake.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument(message.into()))
    }

    /// A damaged file.
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt(message.into()))
    }

    /// An image that cannot be decoded or encoded.
    pub fn image(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Image(message.into()))
    }

    /// A file that asks for too much.
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit(message.into()))
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where it happened.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.0.position
    }

    /// Whether it is about one sample, and the others may be sound: damage, or a file that is not there. Not so what the
    /// caller did, and what the machine did.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self.kind() {
            ErrorKind::Corrupt(_) | ErrorKind::Image(_) | ErrorKind::Limit(_) => true,
            ErrorKind::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
            ),
            ErrorKind::Argument(_) | ErrorKind::Caller(_) | ErrorKind::UnknownKey(_) => false,
        }
    }

    /// Adds the file, unless a stage nearer to the cause has done so.
    #[must_use]
    pub fn at_path(mut self, path: &Path) -> Self {
        self.0
            .position
            .path
            .get_or_insert_with(|| path.to_path_buf());
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
        Self::new(ErrorKind::Io(error))
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
        let Position {
            path,
            record,
            id,
            offset,
        } = self.position();
        if let Some(path) = path {
            write!(f, "{}: ", path.display())?;
        }
        let mut place = Vec::new();
        place.extend(record.map(|record| format!("record {record}")));
        place.extend(id.map(|id| format!("(id {id})")));
        place.extend(offset.map(|offset| format!("at byte {offset}")));
        if !place.is_empty() {
            write!(f, "{}: ", place.join(" "))?;
        }
        self.kind().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_every_known_part_of_the_position() {
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
    fn the_stage_nearest_to_the_cause_wins() {
        let error = Error::corrupt("bad").at_offset(8).at_offset(0);
        assert_eq!(error.position().offset, Some(8));
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
