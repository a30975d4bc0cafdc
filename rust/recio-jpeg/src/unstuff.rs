//! Removal of byte stuffing from the entropy-coded data of a scan (ITU-T T.81, B.1.1.5, F.1.2.3).
//!
//! In a scan, a data byte 0xff is followed by 0 to distinguish it from a marker. The zeros are
//! removed from the entire scan first, at the speed of a copy, so that the bit reader does not have
//! to check each byte. Restart markers split the data into segments; other markers end it, except
//! codes that are no markers of JPEG images: libjpeg skips those when it looks for a restart.

use crate::error::{Error, Result};
use crate::marker::{RST0, RST7, SOF0};

/// Entropy-coded data of a scan without stuffing and markers. The memory is reused for the next
/// scan.
#[derive(Debug, Default)]
pub(crate) struct UnstuffedData {
    bytes: Vec<u8>,
    segments: Vec<EntropySegment>,
}

/// Entropy-coded segment: the data up to a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntropySegment {
    /// Start in the JPEG.
    start: usize,
    /// End in the unstuffed bytes.
    end: usize,
    /// Marker at the end.
    pub(crate) marker: Option<u8>,
}

impl EntropySegment {
    /// Whether the segment ends with the restart marker of this number (modulo 8).
    pub(crate) fn ends_with_restart(&self, number: usize) -> bool {
        self.marker == Some(RST0 + (number % 8) as u8)
    }

    /// Whether the scan's data ends with the segment.
    pub(crate) fn is_last(&self) -> bool {
        !matches!(self.marker, Some(RST0..=RST7 | ..SOF0))
    }
}

impl UnstuffedData {
    /// Make room for data of at most `len` bytes.
    pub(crate) fn reserve(&mut self, len: usize) -> Result<()> {
        self.bytes.clear();
        Error::unless_reserved::<u8>(self.bytes.try_reserve(len), len)
    }

    /// Read the data of the scan that starts at `start`. Return where it ends: at a marker other
    /// than a restart marker, or at the end of the JPEG. With `has_restarts`, invalid marker codes
    /// do not end it.
    pub(crate) fn read(&mut self, jpeg: &[u8], start: usize, has_restarts: bool) -> usize {
        self.bytes.clear();
        self.segments.clear();
        let (mut start, mut from) = (start, start);
        loop {
            let Some((after, code)) = self.copy_to_marker(jpeg, from) else {
                self.end_segment(start, None);
                return jpeg.len();
            };
            match code {
                0 => self.bytes.push(0xff),
                RST0..=RST7 => {
                    self.end_segment(start, Some(code));
                    start = after;
                }
                ..SOF0 if has_restarts => {
                    self.end_segment(start, Some(code));
                    start = after;
                }
                _ => {
                    self.end_segment(start, Some(code));
                    return after - 2;
                }
            }
            from = after;
        }
    }

    /// Copy the data before the next 0xff. Return the position after the byte that follows 0xff,
    /// and that byte. A single 0xff at the end is ignored.
    fn copy_to_marker(&mut self, jpeg: &[u8], from: usize) -> Option<(usize, u8)> {
        let rest = &jpeg[from..];
        let data_len = memchr::memchr(0xff, rest).unwrap_or(rest.len());
        self.bytes.extend_from_slice(&rest[..data_len]);
        let fill = rest[data_len..].iter().position(|&byte| byte != 0xff)?;
        Some((from + data_len + fill + 1, rest[data_len + fill]))
    }

    fn end_segment(&mut self, start: usize, marker: Option<u8>) {
        self.segments.push(EntropySegment {
            start,
            end: self.bytes.len(),
            marker,
        });
    }

    /// Whether a marker ends the data, not the end of the JPEG.
    pub(crate) fn ends_with_marker(&self) -> bool {
        let last = self.segments.last();
        last.is_some_and(|segment| segment.marker.is_some())
    }

    /// Return a segment and its data.
    pub(crate) fn segment(&self, number: usize) -> Option<(EntropySegment, &[u8])> {
        let segment = *self.segments.get(number)?;
        let before = number.checked_sub(1).map(|i| self.segments[i].end);
        Some((segment, &self.bytes[before.unwrap_or(0)..segment.end]))
    }

    /// Return the position in the JPEG of byte `n` of a segment.
    pub(crate) fn jpeg_offset(&self, jpeg: &[u8], number: usize, n: usize) -> usize {
        let Some(segment) = self.segments.get(number.min(self.segments.len() - 1)) else {
            return jpeg.len();
        };
        let data = &jpeg[segment.start..];
        let mut at = 0;
        for _ in 0..n {
            // As in `copy_to_marker`: 0xff, possibly repeated, and 0 are one byte.
            if data.get(at) == Some(&0xff) {
                at += data[at..].iter().take_while(|&&byte| byte == 0xff).count();
            }
            at += 1;
        }
        (segment.start + at).min(jpeg.len())
    }

    /// Free the memory if it exceeds `max_bytes`.
    pub(crate) fn trim(&mut self, max_bytes: usize) {
        let segments = self.segments.capacity() * size_of::<EntropySegment>();
        if self.bytes.capacity().max(segments) > max_bytes {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_is_removed_and_restart_markers_split_segments() {
        let jpeg = [
            9, 1, 0xff, 0, 2, 0xff, 0xd0, 3, 0xff, 0xff, 0, 4, 0xff, 0xff, 0xd1, 0xff, 0xd9, 7,
        ];
        let mut data = UnstuffedData::default();
        assert_eq!(data.read(&jpeg, 1, true), 15);
        let contents = |n| data.segment(n).map(|(_, bytes)| bytes.to_vec());
        assert_eq!(contents(0).unwrap(), [1, 0xff, 2]);
        assert_eq!(contents(1).unwrap(), [3, 0xff, 4]);
        assert_eq!(contents(2).unwrap(), []);
        assert_eq!(contents(3), None);
        assert!(data.segment(0).unwrap().0.ends_with_restart(8));
        assert!(!data.segment(1).unwrap().0.ends_with_restart(0));
        assert!(data.ends_with_marker());
        let offsets = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)];
        assert_eq!(
            offsets.map(|(number, n)| data.jpeg_offset(&jpeg, number, n)),
            [1, 2, 4, 7, 11]
        );
    }

    #[test]
    fn an_invalid_marker_code_ends_the_data_only_without_restarts() {
        let jpeg = [1, 0xff, 0x05, 2, 0xff, 0xbf, 0xff, 0xc0, 3];
        let mut data = UnstuffedData::default();
        assert_eq!(data.read(&jpeg, 0, false), 1);
        assert_eq!(data.read(&jpeg, 0, true), 6);
        let codes = [0, 1, 2].map(|number| data.segment(number).unwrap().0.marker.unwrap());
        assert_eq!(codes, [0x05, 0xbf, 0xc0]);
        assert_eq!(data.segment(1).unwrap().1, [2]);
        let is_last = [0, 1, 2].map(|number| data.segment(number).unwrap().0.is_last());
        assert_eq!(is_last, [false, false, true]);
    }

    /// Two bytes of the JPEG become a segment of 24 bytes without any data.
    #[test]
    fn trim_frees_the_memory_of_many_restarts() {
        let mut data = UnstuffedData::default();
        data.read(&[0xff, 0xd0].repeat(1000), 0, true);
        data.trim(1000);
        assert_eq!((data.bytes.capacity(), data.segments.capacity()), (0, 0));
    }

    #[test]
    fn data_without_a_marker_ends_with_the_jpeg() {
        for end in [&[][..], &[0xff], &[0xff, 0xff]] {
            let jpeg = [&[1, 2, 3], end].concat();
            let mut data = UnstuffedData::default();
            assert_eq!(data.read(&jpeg, 0, true), jpeg.len());
            assert_eq!(data.segment(0).unwrap().1, [1, 2, 3]);
            assert!(!data.ends_with_marker());
        }
    }
}
