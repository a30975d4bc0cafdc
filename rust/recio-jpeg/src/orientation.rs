//! Exif orientation, from the TIFF structure of an Exif segment (Exif 2.32, 4.6.4 and 4.6.2).

/// Prefix of the TIFF structure in the segment.
const PREFIX: &[u8] = b"Exif\0\0";
const ORIENTATION: u16 = 0x0112;

/// Bytes per directory entry.
const ENTRY: usize = 12;

/// Return the Exif orientation, 1 to 8, if the segment has one.
pub(crate) fn read(segment: &[u8]) -> Option<u8> {
    exif_orientation(segment.strip_prefix(PREFIX)?)
}

/// Return the orientation, 1 to 8, of Exif data, which begin with `II` or `MM`; `None` if they have
/// none, or are damaged.
///
/// As in OpenCV, the value is the first 16 bits, of whatever type it is: SHORT, as the standard
/// requires, or LONG in the byte order `II`.
#[must_use]
pub fn exif_orientation(exif: &[u8]) -> Option<u8> {
    let tiff = Tiff::open(exif)?;
    let directory = tiff.long(4)? as usize;
    let count = usize::from(tiff.short(directory)?);
    let entries = (0..count).map(|i| directory + 2 + i * ENTRY);
    let entry = entries
        .take_while(|&offset| offset + ENTRY <= tiff.bytes.len())
        .find(|&offset| tiff.short(offset) == Some(ORIENTATION))?;
    u8::try_from(tiff.short(entry + 8)?)
        .ok()
        .filter(|value| (1..=8).contains(value))
}

/// TIFF structure in either byte order.
struct Tiff<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn open(bytes: &'a [u8]) -> Option<Self> {
        let is_big_endian = match bytes.first_chunk()? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self {
            bytes,
            is_big_endian,
        })
    }

    fn short(&self, offset: usize) -> Option<u16> {
        let bytes = *self.bytes.get(offset..)?.first_chunk()?;
        Some(if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(&self, offset: usize) -> Option<u32> {
        let bytes = *self.bytes.get(offset..)?.first_chunk()?;
        Some(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(byte_order: &[u8], entry: &[u8]) -> Vec<u8> {
        let (offset, count) = match byte_order {
            b"II*\0" => ([8, 0, 0, 0], [1, 0]),
            _ => ([0, 0, 0, 8], [0, 1]),
        };
        [PREFIX, byte_order, &offset, &count, entry].concat()
    }

    #[test]
    fn both_byte_orders_are_read() {
        let little = segment(b"II*\0", &[0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
        let big = segment(b"MM\0*", &[1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0]);
        assert_eq!((read(&little), read(&big)), (Some(6), Some(8)));
    }

    /// OpenCV 4.8.1, `ExifReader::getOrientation`: in the byte order MM the first 16 bits of a LONG
    /// are 0.
    #[test]
    fn an_orientation_of_type_long_is_read_as_in_opencv() {
        let little = segment(b"II*\0", &[0x12, 1, 4, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
        let big = segment(b"MM\0*", &[1, 0x12, 0, 4, 0, 0, 0, 1, 0, 0, 0, 8]);
        assert_eq!((read(&little), read(&big)), (Some(6), None));
    }

    #[test]
    fn truncated_or_invalid_orientations_are_none() {
        let full = segment(b"II*\0", &[0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
        for length in 0..full.len() {
            assert_eq!(read(&full[..length]), None);
        }
        let ninth = segment(b"II*\0", &[0x12, 1, 3, 0, 1, 0, 0, 0, 9, 0, 0, 0]);
        assert_eq!(read(&ninth), None);
    }
}
