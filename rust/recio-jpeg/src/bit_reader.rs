//! Bit reader for entropy-coded data, with a 64-bit reservoir (ITU-T T.81, F.2.2.5).

/// Bit reader, most significant bit first. After the end of the data it reads zeros and reports an
/// overrun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BitReader<'a> {
    /// Entropy-coded data without byte stuffing.
    data: &'a [u8],
    /// Index of the next byte to load into the reservoir; past the data once zeros were read.
    next: usize,
    /// Next bits, from the most significant. Bits after the valid ones may be those of the next
    /// refill.
    reservoir: u64,
    /// Number of valid bits, in the low eight bits; the higher bits are arbitrary.
    count: u32,
    /// Whether an invalid code or value was read.
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

    /// Refill the reservoir to at least 56 valid bits.
    ///
    /// This loads 8 bytes regardless of how many fit and advances only over those that fit (0x38 is
    /// 56). The only branch that depends on the data is the one at its end.
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

    /// Return the next `n` bits, 1 to 64. Only bits that are in the reservoir are meaningful.
    #[inline]
    pub(crate) fn peek(&self, n: u32) -> u64 {
        self.reservoir >> (64 - n)
    }

    /// Skip `n` valid bits.
    #[inline]
    pub(crate) fn skip(&mut self, n: u32) {
        self.skip_entry(n);
    }

    /// Skip the number of bits in the low eight bits of a Huffman table entry.
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

    /// Read `n` bits, at most 16, with a refill if needed.
    #[inline]
    pub(crate) fn read(&mut self, n: u32) -> u32 {
        if self.count & 0xff < n {
            self.refill();
        }
        // Two shifts, because n may be 0.
        let value = (self.reservoir >> 1 >> (63 - n)) as u32;
        self.skip(n);
        value
    }

    /// Record that an invalid code or value was read.
    #[inline]
    pub(crate) fn mark_invalid_if(&mut self, is_invalid: bool) {
        self.is_invalid |= is_invalid;
    }

    /// Whether an invalid code or value was read.
    #[inline]
    pub(crate) fn is_invalid(&self) -> bool {
        self.is_invalid
    }

    /// Whether more bits were read than the data has.
    #[inline]
    pub(crate) fn is_overrun(&self) -> bool {
        self.position() > self.data.len() * 8
    }

    /// Number of bytes of which no bit was read.
    pub(crate) fn bytes_remaining(&self) -> usize {
        self.data.len().saturating_sub(self.position().div_ceil(8))
    }

    /// Number of bytes of which at least one bit was read.
    pub(crate) fn bytes_read(&self) -> usize {
        self.data.len() - self.bytes_remaining()
    }

    /// Whether all bytes of which no bit was read are padding, which has only ones.
    pub(crate) fn has_only_padding(&self) -> bool {
        self.data[self.bytes_read()..]
            .iter()
            .all(|&byte| byte == 0xff)
    }

    /// Number of bits read.
    fn position(&self) -> usize {
        self.next * 8 - (self.count & 0xff) as usize
    }
}

/// Return the last bytes, fewer than 8, from `start`, padded with zeros.
#[cold]
fn last_bytes(data: &[u8], start: usize) -> u64 {
    let mut bytes = [0; 8];
    let rest = data.get(start..).unwrap_or_default();
    bytes[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_any_number_come_in_order() {
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
    fn reading_past_the_end_returns_zeros_and_is_an_overrun() {
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
