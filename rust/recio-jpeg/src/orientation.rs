//! The way up, from Exif's TIFF structure (Exif 2.32, 4.6.4 and 4.6.2).

/// What Exif's TIFF structure follows in its segment.
const PREFIX: &[u8] = b"Exif\0\0";
const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;

/// Bytes of an entry in a directory.
const ENTRY: usize = 12;

/// Exif's number for the orientation, 1 to 8, if the segment has one.
pub(crate) fn read(segment: &[u8]) -> Option<u8> {
    let tiff = Tiff::open(segment.strip_prefix(PREFIX)?)?;
    let directory = tiff.long(4)? as usize;
    let count = usize::from(tiff.short(directory)?);
    let entries = (0..count).map(|i| directory + 2 + i * ENTRY);
    let entry = entries
        .take_while(|&at| at + ENTRY <= tiff.bytes.len())
        .find(|&at| tiff.short(at) == Some(ORIENTATION))?;
    let value = (tiff.short(entry + 2)? == SHORT).then(|| tiff.short(entry + 8))??;
    u8::try_from(value).ok().filter(|way| (1..=8).contains(way))
}

/// A TIFF structure, in either order of bytes.
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

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
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

    fn segment(order: &[u8], entry: &[u8]) -> Vec<u8> {
        let (offset, count) = match order {
            b"II*\0" => ([8, 0, 0, 0], [1, 0]),
            _ => ([0, 0, 0, 8], [0, 1]),
        };
        [PREFIX, order, &offset, &count, entry].concat()
    }

    #[test]
    fn both_orders_of_bytes_are_read() {
        let little = segment(b"II*\0", &[0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
        let big = segment(b"MM\0*", &[1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0]);
        assert_eq!((read(&little), read(&big)), (Some(6), Some(8)));
    }

    #[test]
    fn what_is_cut_or_out_of_range_is_none() {
        let whole = segment(b"II*\0", &[0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None);
        }
        let ninth = segment(b"II*\0", &[0x12, 1, 3, 0, 1, 0, 0, 0, 9, 0, 0, 0]);
        assert_eq!(read(&ninth), None);
    }
}
