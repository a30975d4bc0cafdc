//! Bit buffer for the entropy-coded data of a scan, with byte stuffing (ITU-T T.81, F.1.2.3).
//!
//! Bytes are collected without stuffing, eight at a time without a branch: branches that depend on
//! the data would be mispredicted about once in eight bytes.
// Inlined into the loop over coefficients, which is compiled for several instruction sets.
#![allow(clippy::inline_always)]

use memchr::memchr;

use super::codes::Bits;

/// Collected bytes.
const CAPACITY: usize = 8 << 10;

/// Greatest number of bytes of a block, whose coefficients have at most 27 bits each, and of the
/// last write.
const BLOCK_BYTES: usize = 64 * 27 / 8 + 8;

/// Collected bytes, with room for a write at the end.
pub(super) type Bytes = [u8; CAPACITY + 8];

/// Position in the collected bytes, and bits that do not fill a byte yet.
///
/// It is separate from the bytes so that the compiler keeps it in registers.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct BitPosition {
    len: usize,
    /// Left-aligned, at most 7 bits.
    pending: u64,
    count: u32,
}

impl BitPosition {
    /// Write up to 56 bits.
    #[inline(always)]
    pub(super) fn put(&mut self, bytes: &mut Bytes, bits: u64, count: u32) {
        debug_assert!(count <= 56 && self.len < CAPACITY);
        let total = self.count + count;
        // If there are no bits, they are 0, which any shift leaves.
        let pending = self.pending | bits.wrapping_shl(64 - total);
        // The remainder lets the compiler drop the bounds check.
        bytes[self.len % CAPACITY..][..8].copy_from_slice(&pending.to_be_bytes());
        self.len += (total / 8) as usize;
        self.pending = pending << (total / 8 * 8);
        self.count = total % 8;
    }

    /// Write the bits of two symbols.
    #[inline(always)]
    pub(super) fn put_pair(&mut self, bytes: &mut Bytes, first: Bits, second: Bits) {
        let bits = u64::from(first.bits) << second.count | u64::from(second.bits);
        self.put(bytes, bits, first.count + second.count);
    }

    /// Make room for a block: move the collected bytes to `out` if they are almost full.
    #[inline(always)]
    pub(super) fn reserve_block(&mut self, bytes: &Bytes, out: &mut Vec<u8>) {
        if self.len > CAPACITY - BLOCK_BYTES {
            *self = self.flush(bytes, out);
        }
    }

    /// Fill the last byte with ones, and move all bytes to `out`.
    pub(super) fn finish(mut self, bytes: &mut Bytes, out: &mut Vec<u8>) {
        let missing = self.count.wrapping_neg() % 8;
        self.put(bytes, (1 << missing) - 1, missing);
        self.flush(bytes, out);
    }

    /// Move the collected bytes to `out`, each 0xff with a zero after it.
    #[cold]
    fn flush(self, bytes: &Bytes, out: &mut Vec<u8>) -> Self {
        let mut rest = &bytes[..self.len];
        while let Some(position) = memchr(0xff, rest) {
            let (stuffed, after) = rest.split_at(position + 1);
            out.extend_from_slice(stuffed);
            out.push(0);
            rest = after;
        }
        out.extend_from_slice(rest);
        Self { len: 0, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_written_in_order_and_padded_with_ones() {
        let (mut position, mut bytes, mut out) =
            (BitPosition::default(), [0; CAPACITY + 8], Vec::new());
        for _ in 0..CAPACITY {
            position.reserve_block(&bytes, &mut out);
            position.put(&mut bytes, 0b101, 3);
            let second = Bits {
                bits: 0x1234,
                count: 17,
            };
            position.put_pair(&mut bytes, Bits::default(), second);
        }
        position.put(&mut bytes, 1, 1);
        position.finish(&mut bytes, &mut out);
        let expected = [0xa1, 0x23, 0x4a, 0x12, 0x34].repeat(CAPACITY / 2);
        assert_eq!(out, [&expected[..], &[0xff, 0]].concat());
    }

    #[test]
    fn bytes_0xff_are_stuffed() {
        let (mut position, mut bytes) = (BitPosition::default(), [0; CAPACITY + 8]);
        let mut out = b"before".to_vec();
        position.put(&mut bytes, 0xff_ff01_ff02_03ff, 56);
        position.finish(&mut bytes, &mut out);
        assert_eq!(out, b"before\xff\0\xff\0\x01\xff\0\x02\x03\xff\0");
    }

    #[test]
    fn nothing_is_written_for_no_bits() {
        let (mut bytes, mut out) = ([0; CAPACITY + 8], Vec::new());
        BitPosition::default().finish(&mut bytes, &mut out);
        assert!(out.is_empty());
    }
}
