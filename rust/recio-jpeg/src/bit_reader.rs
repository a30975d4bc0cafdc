//! Coded data, bit by bit, from a reservoir of 64 (ITU-T T.81, F.2.2.5).

/// A reader of bits, the first bit first. Behind the data it reads zeros, and knows that it did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BitReader<'a> {
    /// Without stuffing.
    data: &'a [u8],
    /// The next byte that is not in the reservoir; beyond the data where zeros were read.
    next: usize,
    /// The next bits, from the left. Below the valid ones may be some that will be valid after the next refill.
    reservoir: u64,
    /// How many are valid: the low eight bits say so, those above may be anything.
    count: u32,
    /// Whether something was read that is in no table or cannot be.
    is_invalid: bool,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        let mut bits = Self {
            data,
            next: 0,
            reservoir: 0,
            count: 0,
            is_invalid: false,
        };
        bits.refill();
        bits
    }

    /// Makes at least 56 bits valid.
    ///
    /// It loads 8 bytes, whatever is missing, and counts those that it had no room for as not read (0x38 is 56): no branch
    /// depends on the data but the one at its end.
    #[inline]
    pub(crate) fn refill(&mut self) {
        let loaded = match self.data.get(self.next..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => last_bytes(self.data, self.next),
        };
        let count = self.count & 0xff;
        self.reservoir |= loaded >> count;
        self.next += (63 - count as usize) >> 3;
        self.count = count | 0x38;
    }

    /// The next `n` bits, 1 to 64, of which as many as are valid mean something.
    #[inline]
    pub(crate) fn peek(&self, n: u32) -> u64 {
        self.reservoir >> (64 - n)
    }

    /// Passes over `n` bits, which are valid.
    #[inline]
    pub(crate) fn skip(&mut self, n: u32) {
        self.skip_entry(n);
    }

    /// Passes over the bits that an entry of a Huffman table tells in its low eight bits.
    #[inline]
    pub(crate) fn skip_entry(&mut self, entry: u32) {
        debug_assert!(
            entry & 0xff <= self.count & 0xff,
            "{} of {} bits",
            entry & 0xff,
            self.count & 0xff
        );
        self.reservoir = self.reservoir.wrapping_shl(entry);
        self.count = self.count.wrapping_sub(entry);
    }

    /// The next `n` bits, at most 16, refilled as needed.
    #[inline]
    pub(crate) fn read(&mut self, n: u32) -> u32 {
        if self.count & 0xff < n {
            self.refill();
        }
        // In two steps, for n may be 0.
        let value = (self.reservoir >> 1 >> (63 - n)) as u32;
        self.skip(n);
        value
    }

    /// Remembers whether what was read cannot be.
    #[inline]
    pub(crate) fn mark_invalid_if(&mut self, is_invalid: bool) {
        self.is_invalid |= is_invalid;
    }

    /// Whether something was read that cannot be.
    #[inline]
    pub(crate) fn is_invalid(&self) -> bool {
        self.is_invalid
    }

    /// Whether bits were taken that the data does not have.
    #[inline]
    pub(crate) fn is_overrun(&self) -> bool {
        self.position() > self.data.len() * 8
    }

    /// Whole bytes that were not touched.
    pub(crate) fn bytes_remaining(&self) -> usize {
        self.data.len().saturating_sub(self.position().div_ceil(8))
    }

    /// Bytes that were touched.
    pub(crate) fn bytes_read(&self) -> usize {
        self.data.len() - self.bytes_remaining()
    }

    /// Bits that were taken.
    fn position(&self) -> usize {
        self.next * 8 - (self.count & 0xff) as usize
    }
}

/// The bytes from `at` on, which are less than 8, and zeros.
#[cold]
fn last_bytes(data: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = data.get(at..).unwrap_or_default();
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_order_whatever_their_number() {
        let data: Vec<u8> = (0..100).map(|i| (i * 37 + 11) as u8).collect();
        let mut expected = data
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |i| u32::from(byte >> i & 1)));
        let mut bits = BitReader::new(&data);
        for n in (0..=16).cycle().take(90) {
            let value = (0..n).fold(0, |value, _| value << 1 | expected.next().unwrap());
            assert_eq!(bits.read(n), value);
        }
    }

    #[test]
    fn the_end_reads_as_zeros_and_is_told() {
        let mut bits = BitReader::new(&[0xff; 9]);
        for _ in 0..4 {
            assert_eq!(bits.read(16), 0xffff);
        }
        assert_eq!((bits.bytes_remaining(), bits.bytes_read()), (1, 8));
        assert_eq!((bits.read(8), bits.is_overrun()), (0xff, false));
        assert_eq!(bits.bytes_remaining(), 0);
        assert_eq!((bits.read(1), bits.is_overrun()), (0, true));
        for _ in 0..100 {
            assert_eq!(bits.read(16), 0);
        }
        assert_eq!((bits.bytes_remaining(), bits.bytes_read()), (0, 9));
    }
}
