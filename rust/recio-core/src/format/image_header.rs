//! The header of an image record (MXNet's `IRHeader`, `struct` format `IfQQ`).
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | flag: the number of labels that follow, or 0 |
//! | 4 | 4 | label (float32), if flag is 0 |
//! | 8 | 8 | id |
//! | 16 | 8 | id2 (the tools write 0) |
//! | 24 | 4 · flag | labels (float32 each) |
//! | 24 + 4 · flag | rest | the image file's bytes |
//!
//! All numbers are little-endian.

use crate::error::{Error, Result};

/// Bytes of a header without the labels after it.
pub const HEADER_LEN: usize = 24;

/// Fixed-size header of an image record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Header {
    /// Number of labels after the header; 0 if `label` is the only one.
    pub flag: u32,
    /// Label, if `flag` is 0.
    pub label: f32,
    /// Id of the record.
    pub id: u64,
    /// Second id; 0 by convention.
    pub id2: u64,
}

impl Header {
    /// Parses a header, without checking what follows.
    #[must_use]
    pub fn parse(bytes: &[u8; HEADER_LEN]) -> Self {
        let at = |at: usize| -> [u8; 4] { std::array::from_fn(|i| bytes[at + i]) };
        let at8 = |at: usize| -> [u8; 8] { std::array::from_fn(|i| bytes[at + i]) };
        Self {
            flag: u32::from_le_bytes(at(0)),
            label: f32::from_le_bytes(at(4)),
            id: u64::from_le_bytes(at8(8)),
            id2: u64::from_le_bytes(at8(16)),
        }
    }

    /// Checks that a record of this length has room for the labels.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt).
    pub fn check(&self, record_len: usize) -> Result<()> {
        let rest = record_len.saturating_sub(HEADER_LEN);
        if self.flag as usize > rest / 4 {
            return Err(Error::corrupt(format!(
                "the header claims {} labels, but only {rest} bytes follow it",
                self.flag
            )));
        }
        Ok(())
    }

    /// Returns the labels: those in `bytes`, which follow the header, or the one in it.
    #[must_use]
    pub fn labels<'a>(&self, bytes: &'a [u8]) -> impl ExactSizeIterator<Item = f32> + use<'a> {
        let (one, many) = match self.flag {
            0 => (Some(self.label), &[][..]),
            _ => (None, bytes),
        };
        let many = many
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Labels { one, many }
    }

    /// Returns the number of labels.
    #[must_use]
    pub fn label_width(&self) -> usize {
        (self.flag as usize).max(1)
    }
}

/// Image record, parsed.
#[derive(Debug, Clone, Copy)]
pub struct ImageRecord<'a> {
    /// Header.
    pub header: Header,
    labels: &'a [u8],
    /// Bytes of the image file.
    pub image: &'a [u8],
}

impl<'a> ImageRecord<'a> {
    /// Parses a record.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::error::ErrorKind::Corrupt) if the
    /// record is too short for its header or its labels.
    pub fn parse(record: &'a [u8]) -> Result<Self> {
        let (header, rest) = record.split_first_chunk().ok_or_else(|| {
            let len = record.len();
            Error::corrupt(format!(
                "{len} bytes are too short for an image record's header of {HEADER_LEN}"
            ))
        })?;
        let header = Header::parse(header);
        header.check(record.len())?;
        let (labels, image) = rest.split_at(4 * header.flag as usize);
        Ok(Self {
            header,
            labels,
            image,
        })
    }

    /// Returns the labels: those after the header, or the one in it.
    #[must_use]
    pub fn labels(&self) -> impl ExactSizeIterator<Item = f32> + use<'a> {
        self.header.labels(self.labels)
    }
}

/// One label, then the others. Unlike `Chain`, of known length.
struct Labels<I> {
    one: Option<f32>,
    many: I,
}

impl<I: ExactSizeIterator<Item = f32>> Iterator for Labels<I> {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        self.one.take().or_else(|| self.many.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = usize::from(self.one.is_some()) + self.many.len();
        (len, Some(len))
    }
}

impl<I: ExactSizeIterator<Item = f32>> ExactSizeIterator for Labels<I> {}

/// Appends a header to `out`, with one label in it or several after it.
pub fn encode(labels: &[f32], id: u64, out: &mut Vec<u8>) {
    let (flag, label, many) = match labels {
        [] => (0, 0.0, labels),
        [label] => (0, *label, &[][..]),
        many => (many.len() as u32, 0.0, many),
    };
    let header = Header {
        flag,
        label,
        id,
        id2: 0,
    };
    encode_header(&header, many, out);
}

/// Appends a header and the labels after it to `out`.
pub(crate) fn encode_header(header: &Header, labels: &[f32], out: &mut Vec<u8>) {
    out.extend_from_slice(&header.flag.to_le_bytes());
    out.extend_from_slice(&header.label.to_le_bytes());
    out.extend_from_slice(&header.id.to_le_bytes());
    out.extend_from_slice(&header.id2.to_le_bytes());
    out.extend(labels.iter().flat_map(|label| label.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(labels: &[f32]) -> Vec<f32> {
        let mut bytes = Vec::new();
        encode(labels, 7, &mut bytes);
        bytes.extend_from_slice(b"image");
        let record = ImageRecord::parse(&bytes).unwrap();
        assert_eq!((record.header.id, record.image), (7, &b"image"[..]));
        assert_eq!(record.labels().len(), record.header.label_width());
        record.labels().collect()
    }

    #[test]
    fn labels_survive_a_round_trip() {
        assert_eq!(round_trip(&[3.0]), [3.0]);
        assert_eq!(round_trip(&[1.0, -2.5, 3.0]), [1.0, -2.5, 3.0]);
        assert_eq!(round_trip(&[]), [0.0]);
    }

    #[test]
    fn one_label_after_the_header_is_read() {
        let mut bytes = vec![0; HEADER_LEN];
        bytes[0] = 1;
        bytes.extend_from_slice(&7f32.to_le_bytes());
        assert_eq!(
            ImageRecord::parse(&bytes)
                .unwrap()
                .labels()
                .collect::<Vec<_>>(),
            [7.0]
        );
    }

    #[test]
    fn short_records_are_errors() {
        assert!(
            ImageRecord::parse(&[0; 23])
                .unwrap_err()
                .to_string()
                .contains("23 bytes are too short")
        );
        let mut bytes = [0; HEADER_LEN + 4];
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(
            ImageRecord::parse(&bytes)
                .unwrap_err()
                .to_string()
                .contains("claims 4294967295 labels")
        );
    }
}
