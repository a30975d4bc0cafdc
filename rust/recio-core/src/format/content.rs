//! What a file is that is no record file, index or list: by its first bytes.
//!
//! A download that failed, a pointer of Git LFS or swapped arguments are common, and damage is not
//! what is wrong with them.

use super::checksum;
use super::frame::MAGIC;

/// Number of bytes that identify all kinds.
pub const IDENTIFYING_LEN: usize = 512;

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Its name with an article.
    pub name: &'static str,
    /// What the user can do about it.
    pub advice: Option<&'static str>,
}

/// Advice for arguments in the wrong order.
pub(crate) const SWAPPED: &str = "are the paths of the two swapped?";
/// Name of record files of another byte order.
pub(crate) const BIG_ENDIAN: &str = "a record file in big-endian byte order";
const UNPACK: &str = "unpack it first";
const NOT_DOWNLOADED: &str = "the download was answered with a page or an error; its text says why";

/// Bytes at an offset, and what begins so.
type Signature = (usize, &'static [u8], &'static str, Option<&'static str>);

const SIGNATURES: [Signature; 40] = [
    (
        0,
        b"version https://git-lfs",
        "a Git LFS pointer",
        Some("`git lfs pull` downloads the file"),
    ),
    (0, b"\x1f\x8b", "a gzip file", Some(UNPACK)),
    (0, b"BZh", "a bzip2 file", Some(UNPACK)),
    (0, b"\xfd7zXZ\0", "an xz file", Some(UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard file", Some(UNPACK)),
    (0, b"\x04\x22\x4d\x18", "an LZ4 file", Some(UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", Some(UNPACK)),
    (0, b"Rar!\x1a\x07", "a RAR archive", Some(UNPACK)),
    (
        0,
        b"PK\x03\x04",
        "a ZIP archive (or an .npz or PyTorch file)",
        Some(UNPACK),
    ),
    (0, b"PK\x05\x06", "an empty ZIP archive", None),
    (257, b"ustar", "a tar archive", Some(UNPACK)),
    (0, b"\x93NUMPY", "a NumPy array (.npy)", None),
    (0, b"PAR1", "a Parquet file", None),
    (0, b"ARROW1", "an Arrow file", None),
    (0, b"Obj\x01", "an Avro file", None),
    (0, b"ORC", "an ORC file", None),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", None),
    (0, b"SQLite format 3\0", "an SQLite database", None),
    (16, b"\xde\xc0\xef\xbe", "an LMDB database", None),
    (0, b"%PDF-", "a PDF document", None),
    (0, b"\x7fELF", "a program", None),
    (0, b"\x80\x02", "a pickle", None),
    (0, b"\x80\x03", "a pickle", None),
    (0, b"\x80\x04\x95", "a pickle", None),
    (0, b"\x80\x05\x95", "a pickle", None),
    (0, b"\xff\xd8\xff", "a JPEG image", None),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image", None),
    (0, b"GIF87a", "a GIF image", None),
    (0, b"GIF89a", "a GIF image", None),
    (8, b"WEBP", "a WebP image", None),
    (8, b"WAVE", "a WAVE sound", None),
    (4, b"ftyp", "an MP4 video or an AVIF or HEIC image", None),
    (0, b"II*\0", "a TIFF image", None),
    (0, b"MM\0*", "a TIFF image", None),
    (
        0,
        b"\x12\x01\0\0\0\0\0\0",
        "MXNet's NDArrays (.params, .nd)",
        None,
    ),
    (0, b"\xce\xd7\x23\x0a", BIG_ENDIAN, None),
    (0, b"\0\0\x08\x01", "MNIST labels", None),
    (0, b"\0\0\x08\x03", "MNIST images", None),
    (0, b"\xff\xfe", "text in UTF-16", None),
    (0, b"\xfe\xff", "text in UTF-16", None),
];

/// Identifies a file by its first bytes, up to [`IDENTIFYING_LEN`]; `None` if it is not known.
///
/// A record file, an index and a list are among the kinds.
#[must_use]
pub fn identify(start: &[u8]) -> Option<Content> {
    let start = &start[..start.len().min(IDENTIFYING_LEN)];
    let content = |name, advice| Some(Content { name, advice });
    if start.starts_with(&MAGIC.to_le_bytes()) {
        return content("a record file (.rec)", Some(SWAPPED));
    }
    if start.starts_with(&checksum::FILE_MAGIC) {
        return content("a file of checksums (.rsum)", Some(SWAPPED));
    }
    let matches = |&&(at, bytes, ..): &&Signature| {
        start.get(at..).is_some_and(|rest| rest.starts_with(bytes))
    };
    if let Some(&(_, _, name, advice)) = SIGNATURES.iter().find(matches) {
        return content(name, advice);
    }
    if is_tfrecord(start) {
        return content(
            "a TFRecord file",
            Some("its format is another one; write its images with im2rec"),
        );
    }
    if !start.is_empty() && start.iter().all(|&byte| byte == 0) {
        return content(
            "zero bytes",
            Some("was the file reserved on disk, but not downloaded?"),
        );
    }
    identify_text(start)
}

/// Returns whether the file begins with a length and its checksum, as TensorFlow writes them.
fn is_tfrecord(start: &[u8]) -> bool {
    let (Some(len), Some(crc)) = (start.first_chunk::<8>(), start.get(8..12)) else {
        return false;
    };
    let masked = crc32c::crc32c(len)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8);
    crc == masked.to_le_bytes()
}

fn identify_text(start: &[u8]) -> Option<Content> {
    let content = |name, advice| Some(Content { name, advice });
    let text = match str::from_utf8(start) {
        Ok(text) => text,
        // The last character may be incomplete.
        Err(error) if error.valid_up_to() + 3 >= start.len() => {
            str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return None,
    };
    let text = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    if text.is_empty() || text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let begins = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(prefix))
    };
    if ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|tag| begins(tag))
    {
        return content("an HTML page", Some(NOT_DOWNLOADED));
    }
    if begins("<?xml") || begins("<error") {
        return content("an XML document", Some(NOT_DOWNLOADED));
    }
    if begins("{") || begins("[") {
        return content("JSON", Some(NOT_DOWNLOADED));
    }
    match numeric_columns(text) {
        Some((2, 2)) => content("an index (.idx)", Some(SWAPPED)),
        Some((columns, numbers @ 1..)) if columns > 2 && numbers < columns => {
            content("a list (.lst)", Some(SWAPPED))
        }
        _ => content("text", None),
    }
}

/// Returns how many fields the first line has that tabs separate, and how many numbers it begins
/// with.
fn numeric_columns(text: &str) -> Option<(usize, usize)> {
    let fields: Vec<_> = text.lines().next()?.split('\t').map(str::trim).collect();
    let numbers = fields
        .iter()
        .take_while(|field| field.parse::<f64>().is_ok());
    Some((fields.len(), numbers.count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(start: &[u8]) -> Option<&'static str> {
        identify(start).map(|content| content.name)
    }

    #[test]
    fn text_is_told_apart() {
        for (text, expected) in [
            ("\u{feff}\n <!DOCTYPE html><p>\u{e9}", "an HTML page"),
            ("<HTML>", "an HTML page"),
            (
                "<?xml version=\"1.0\"?><Error><Code>AccessDenied",
                "an XML document",
            ),
            ("{\"message\": \"Not Found\"}", "JSON"),
            (
                "version https://git-lfs.github.com/spec/v1\noid",
                "a Git LFS pointer",
            ),
            ("0\t0\n1\t5000\n", "an index (.idx)"),
            ("0\t1.0\tcat/a.jpg\n", "a list (.lst)"),
            ("Moved Permanently", "text"),
        ] {
            assert_eq!(name(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_character_that_is_cut_does_not_matter() {
        let text = format!("<html>{}", "é".repeat(IDENTIFYING_LEN));
        assert_eq!(name(text.as_bytes()), Some("an HTML page"));
        assert_eq!(name(&text.as_bytes()[..9]), Some("an HTML page"));
    }

    #[test]
    fn binary_files_are_told_apart() {
        let tar = [vec![b'a'; 257], b"ustar\0".to_vec()].concat();
        // A record of three bytes: its length, the masked CRC32C of that, the data.
        let tfrecord = b"\x03\0\0\0\0\0\0\0\xb0\x99\x49\x0eabc";
        for (bytes, expected) in [
            (&tar[..], "a tar archive"),
            (tfrecord, "a TFRecord file"),
            (b"\x1f\x8b\x08", "a gzip file"),
            (b"PK\x03\x04", "a ZIP archive (or an .npz or PyTorch file)"),
            (&[0; 100], "zero bytes"),
            (&MAGIC.to_le_bytes(), "a record file (.rec)"),
        ] {
            assert_eq!(name(bytes), Some(expected));
        }
    }

    #[test]
    fn other_bytes_are_unknown() {
        for bytes in [&b""[..], &[7; 100], b"ab\x01cd", &[0xff, 0, 1, 2]] {
            assert_eq!(name(bytes), None, "{bytes:?}");
        }
    }
}
