//! The file `property` beside the record file of a face data set: number of identities, height and
//! width of the images.
//!
//! InsightFace has one in a folder. If record files of several data sets are in one folder,
//! `a.property` is that of `a.rec`, and of its shards `a_0.rec`, `a_1.rec` …

use crate::error::{Error, Result};
use crate::storage::location::Location;

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
    /// Returns the path of the file that a folder has one of.
    #[must_use]
    pub fn path_of_folder(rec: &Location) -> Location {
        rec.with_file_name("property")
    }

    /// Returns the path of the file of one data set.
    #[must_use]
    pub fn path_of_set(rec: &Location) -> Location {
        rec.with_extension("property")
    }

    /// Returns the path of a record file without the number of a shard.
    #[must_use]
    pub fn without_shard(rec: &Location) -> Option<Location> {
        let stem = rec.path().file_stem()?.to_str()?;
        let (prefix, number) = stem.rsplit_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && !prefix.is_empty()).then(|| rec.with_file_name(&format!("{prefix}.rec")))
    }

    /// Returns the path of the file of a record file, whether or not it is there.
    #[must_use]
    pub fn path_for(rec: &Location) -> Location {
        let shards = Self::without_shard(rec).map(|rec| Self::path_of_set(&rec));
        let own = [Some(Self::path_of_set(rec)), shards];
        let present = own.into_iter().flatten().find(Location::exists);
        present.unwrap_or_else(|| Self::path_of_folder(rec))
    }

    /// Reads the file of a record file; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::error::ErrorKind::Io); `Corrupt` if its first line is not three
    /// integers.
    pub fn load(rec: &Location) -> Result<Option<Self>> {
        Self::read(&Self::path_for(rec))
    }

    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn read(location: &Location) -> Result<Option<Self>> {
        let Some(file) = location.open_if_exists()? else {
            return Ok(None);
        };
        let mut beginning = vec![0; file.len().min(MAX_LINE) as usize];
        file.read_exact_at(&mut beginning, 0)?;
        let line = beginning.split(|&byte| byte == b'\n').next();
        let line = String::from_utf8_lossy(line.unwrap_or_default());
        Self::parse(line.trim_start_matches('\u{feff}'))
            .map(Some)
            .ok_or_else(|| {
                let message = format!("the first line is {line:?}, not identities,height,width");
                Error::corrupt(message).at_path(file.path())
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
