//! The file `property` beside the record file of a face data set: number of identities, height and
//! width of the images.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::storage::regular::open_regular;

/// Maximum length of the first line in bytes.
const MAX_LINE: u64 = 200;

/// Contents of a file `property`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaceProperty {
    /// Number of identities: labels are less.
    pub identities: u64,
    /// Height of the images in pixels.
    pub height: u64,
    /// Width of the images in pixels.
    pub width: u64,
}

impl FaceProperty {
    /// Returns the path of the file beside a record file.
    #[must_use]
    pub fn path_for(rec: &Path) -> PathBuf {
        rec.with_file_name("property")
    }

    /// Reads the file beside a record file; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Corrupt` if its first line is not three
    /// integers.
    pub fn load(rec: &Path) -> Result<Option<Self>> {
        let path = Self::path_for(rec);
        let file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::from(error).at_path(&path)),
        };
        let mut beginning = Vec::new();
        file.take(MAX_LINE)
            .read_to_end(&mut beginning)
            .map_err(|error| Error::from(error).at_path(&path))?;
        let line = beginning.split(|&byte| byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        Self::parse(&line).map(Some).ok_or_else(|| {
            let message = format!("the first line is {line:?}, not identities,height,width");
            Error::corrupt(message).at_path(&path)
        })
    }

    /// Parses the first line.
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(',').map(str::trim).collect();
        let number = |word: &str| {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            word.parse().ok().filter(|_| is_number)
        };
        match words[..] {
            [identities, height, width] => Some(Self {
                identities: number(identities)?,
                height: number(height)?,
                width: number(width)?,
            }),
            _ => None,
        }
    }

    /// Returns the contents of the file.
    #[must_use]
    pub fn to_text(self) -> String {
        let Self {
            identities,
            height,
            width,
        } = self;
        format!("{identities},{height},{width}\n")
    }
}
