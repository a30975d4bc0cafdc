//! Headers of fragments, and the errors of frames.

use super::magic::MAGIC;
use crate::error::Error;

/// Bytes of a fragment before its data: the magic and the length word.
pub const HEADER_LEN: usize = 8;
/// Maximum length of a record in bytes: a length has 29 bits.
pub const MAX_RECORD_LEN: usize = (1 << LEN_BITS) - 1;

/// Bits of a length.
pub(crate) const LEN_BITS: u32 = 29;

/// Error in the bytes where a frame is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The first word of a fragment is not the magic.
    #[error("magic {0:#010x}, expected {MAGIC:#010x}")]
    Magic(u32),
    /// The flag is no [`FragmentKind`].
    #[error("fragment flag {0}, expected 0 to 3")]
    Flag(u32),
    /// A middle or last fragment where a record must begin.
    #[error("a {0} fragment where a record must begin")]
    MissingFirst(FragmentKind),
    /// A record begins before the previous one has ended.
    #[error("a {0} fragment inside a split record that has not ended")]
    MissingLast(FragmentKind),
    /// A fragment before the last whose length is not a multiple of 4.
    #[error("a fragment of {0} bytes before the last; its length must be a multiple of 4")]
    Unaligned(usize),
    /// The record is longer than the format allows.
    #[error("a record must have at most {MAX_RECORD_LEN} bytes, got {0}")]
    TooLong(usize),
    /// The file ends before the data of a fragment.
    #[error(
        "a fragment of {len} bytes, but the file ends after {left} (truncated, or a damaged length)"
    )]
    Truncated {
        /// Length in the header.
        len: usize,
        /// Bytes left in the file.
        left: u64,
    },
    /// The file ends inside a header.
    #[error("the file ends {0} bytes into a header (truncated)")]
    TruncatedHeader(u64),
    /// The padding is not zero.
    #[error("non-zero padding after {0} bytes of data (a damaged length?)")]
    Padding(usize),
    /// The data contains an aligned magic word, which a writer never leaves there: the data
    /// includes another record.
    #[error("magic word at byte {0} of a fragment's data (a damaged length?)")]
    MagicInside(usize),
    /// A record is followed by neither the header of another nor the end of the file.
    #[error(
        "followed by {0:02x?}, neither the header of a record nor the end of the file (a damaged length?)"
    )]
    InvalidNext(Vec<u8>),
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::corrupt(error.to_string())
    }
}

/// Position of a fragment in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FragmentKind {
    /// The only fragment.
    Full = 0,
    /// The first of several.
    First = 1,
    /// Neither the first nor the last.
    Middle = 2,
    /// The last of several.
    Last = 3,
}

impl FragmentKind {
    /// Returns the kind of the first fragment of a record, of the last, of the only one, or of
    /// another.
    pub(super) fn of(is_first: bool, is_last: bool) -> Self {
        match (is_first, is_last) {
            (true, true) => Self::Full,
            (true, false) => Self::First,
            (false, false) => Self::Middle,
            (false, true) => Self::Last,
        }
    }

    /// Whether a record begins with this fragment.
    #[must_use]
    pub fn begins(self) -> bool {
        matches!(self, Self::Full | Self::First)
    }

    /// Whether a record ends with this fragment.
    #[must_use]
    pub fn ends(self) -> bool {
        matches!(self, Self::Full | Self::Last)
    }
}

impl std::fmt::Display for FragmentKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::First => "first",
            Self::Middle => "middle",
            Self::Last => "last",
        })
    }
}

/// The 8 bytes before a fragment's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FragmentHeader {
    /// Position of the fragment in its record.
    pub kind: FragmentKind,
    /// Bytes of data.
    pub len: usize,
}

impl FragmentHeader {
    /// Parses a header.
    ///
    /// # Errors
    /// [`FrameError::Magic`], [`FrameError::Flag`].
    pub fn parse(bytes: [u8; HEADER_LEN]) -> Result<Self, FrameError> {
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        if word(0) != MAGIC {
            return Err(FrameError::Magic(word(0)));
        }
        let kind = match word(4) >> LEN_BITS {
            0 => FragmentKind::Full,
            1 => FragmentKind::First,
            2 => FragmentKind::Middle,
            3 => FragmentKind::Last,
            flag => return Err(FrameError::Flag(flag)),
        };
        Ok(Self {
            kind,
            len: word(4) as usize & MAX_RECORD_LEN,
        })
    }

    /// Returns the 8 bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let word = u64::from(self.kind as u32) << LEN_BITS | self.len as u64;
        (u64::from(MAGIC) | word << 32).to_le_bytes()
    }

    /// Returns the bytes of data and padding.
    #[must_use]
    pub fn padded_len(self) -> usize {
        self.len.next_multiple_of(4)
    }

    /// Checks that a fragment with this header may be here, `inside` a split record or not.
    pub(super) fn check_order(self, inside: bool) -> Result<(), FrameError> {
        match (inside, self.kind.begins()) {
            (false, false) => Err(FrameError::MissingFirst(self.kind)),
            (true, true) => Err(FrameError::MissingLast(self.kind)),
            _ if !self.kind.ends() && !self.len.is_multiple_of(4) => {
                Err(FrameError::Unaligned(self.len))
            }
            _ => Ok(()),
        }
    }
}
