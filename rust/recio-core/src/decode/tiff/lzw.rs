//! LZW of TIFF: codes of 9 to 12 bits, from the highest bit on, which grow one code early.
//!
//! A code is a string of bytes. Its table entry has the last bytes of the string as one word, so
//! that a string is written in words; most strings of a photograph are a single one. The crate
//! `weezl`, which decodes GIF, takes twice as long for a photograph.

/// The code that empties the table, and the one that ends the data.
const CLEAR: usize = 256;
const END: usize = 257;
/// Codes that fit in 12 bits, and the longest string: each code after `END` adds a byte to one.
const CODES: usize = 1 << MAX_WIDTH;
const MAX_STRING: usize = CODES - END;
const MIN_WIDTH: u32 = 9;
const MAX_WIDTH: u32 = 12;
/// Bytes of an entry's word.
const WORD: usize = 8;

/// The string of a code.
#[derive(Debug, Default, Clone, Copy)]
struct Entry {
    /// Its last bytes, the first one lowest.
    tail: u64,
    /// Their number, 1 to 8.
    tail_len: u8,
    first: u8,
    /// The code of the string before them, whose words are complete; unused if there is none.
    prefix: u16,
    /// Length of the string.
    len: u16,
}

impl Entry {
    fn of_byte(byte: u8) -> Self {
        Self {
            tail: byte.into(),
            tail_len: 1,
            first: byte,
            prefix: 0,
            len: 1,
        }
    }

    /// Return the entry of this string, which has a code, and another byte.
    fn with(self, code: usize, byte: u8) -> Self {
        let len = self.len + 1;
        if usize::from(self.tail_len) == WORD {
            return Self {
                tail: byte.into(),
                tail_len: 1,
                prefix: code as u16,
                len,
                ..self
            };
        }
        Self {
            tail: self.tail | u64::from(byte) << (8 * self.tail_len),
            tail_len: self.tail_len + 1,
            len,
            ..self
        }
    }
}

/// A strip or tile being decompressed.
pub(super) struct Lzw<'a> {
    data: &'a [u8],
    /// Bits read from `data`, at the top, and their number.
    bits: u64,
    bit_count: u32,
    /// Bits of a code.
    width: u32,
    table: Vec<Entry>,
    /// The code that is added next.
    next: usize,
    /// The code before, unless the table was just emptied.
    previous: Option<usize>,
    /// Bytes that are decompressed but not read, and room for a string and a word after them.
    buffer: Vec<u8>,
    buffered: usize,
}

impl<'a> Lzw<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        let mut table = vec![Entry::default(); CODES];
        for (entry, byte) in table.iter_mut().zip(0..=u8::MAX) {
            *entry = Entry::of_byte(byte);
        }
        Self {
            data,
            bits: 0,
            bit_count: 0,
            width: MIN_WIDTH,
            table,
            next: END + 1,
            previous: None,
            buffer: Vec::new(),
            buffered: 0,
        }
    }

    /// Decompress the next bytes. Return `None` if the data are damaged or end.
    pub(super) fn read(&mut self, row: &mut [u8]) -> Option<()> {
        self.buffer.resize(row.len() + MAX_STRING + WORD, 0);
        while self.buffered < row.len() {
            self.step()?;
        }
        row.copy_from_slice(&self.buffer[..row.len()]);
        self.buffer.copy_within(row.len()..self.buffered, 0);
        self.buffered -= row.len();
        Some(())
    }

    /// Decompress a code.
    fn step(&mut self) -> Option<()> {
        let code = self.read_code()?;
        if code == CLEAR {
            (self.width, self.next, self.previous) = (MIN_WIDTH, END + 1, None);
            return Some(());
        }
        if code == END || code > self.next {
            return None;
        }
        match self.previous {
            Some(previous) => self.add(previous, code),
            None if code > END => return None,
            None => {}
        }
        self.previous = Some(code);
        self.write(*self.table.get(code)?);
        Some(())
    }

    fn read_code(&mut self) -> Option<usize> {
        if self.bit_count < self.width {
            self.refill();
        }
        self.bit_count = self.bit_count.checked_sub(self.width)?;
        let code = self.bits >> (u64::BITS - self.width);
        self.bits <<= self.width;
        Some(code as usize)
    }

    fn refill(&mut self) {
        if let Some((word, rest)) = self.data.split_first_chunk::<4>() {
            self.bits |= u64::from(u32::from_be_bytes(*word)) << (32 - self.bit_count);
            self.bit_count += 32;
            self.data = rest;
            return;
        }
        for byte in std::mem::take(&mut self.data) {
            self.bits |= u64::from(*byte) << (56 - self.bit_count);
            self.bit_count += 8;
        }
    }

    /// Add the string of the code before and the first byte of this one's, which may be the string
    /// that is added itself.
    fn add(&mut self, previous: usize, code: usize) {
        if self.next == CODES {
            return;
        }
        let string = self.table[previous];
        let byte = if code == self.next {
            string.first
        } else {
            self.table[code].first
        };
        self.table[self.next] = string.with(previous, byte);
        self.next += 1;
        if self.next == (1 << self.width) - 1 && self.width < MAX_WIDTH {
            self.width += 1;
        }
    }

    /// Append a string to the buffer, from its last word to the first.
    fn write(&mut self, mut entry: Entry) {
        let start = self.buffered;
        self.buffered += usize::from(entry.len);
        loop {
            let at = start + usize::from(entry.len) - usize::from(entry.tail_len);
            // The bytes after the last word are those of the next string.
            self.buffer[at..at + WORD].copy_from_slice(&entry.tail.to_le_bytes());
            if at == start {
                return;
            }
            entry = self.table[usize::from(entry.prefix)];
        }
    }
}

#[cfg(test)]
mod tests {
    use weezl::encode::Encoder;
    use weezl::{BitOrder, LzwStatus};

    use super::*;

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
        encoder.encode(bytes).unwrap()
    }

    fn decompressed(data: &[u8], row: usize, rows: usize) -> Option<Vec<u8>> {
        let (mut lzw, mut out) = (Lzw::new(data), vec![0; row * rows]);
        for row in out.chunks_mut(row) {
            lzw.read(row)?;
        }
        Some(out)
    }

    /// Bytes of little, some and much repetition; the table is emptied many times.
    fn samples() -> [Vec<u8>; 3] {
        let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        let values = |of: fn(u8, u32) -> u8| (0..60_000).map(|i| of(noise(i), i)).collect();
        [
            values(|noise, _| noise),
            values(|noise, i| (noise & 3) + (i / 900) as u8),
            values(|_, i| (i / 20_000) as u8),
        ]
    }

    #[test]
    fn rows_of_any_length_are_those_that_were_compressed() {
        for bytes in samples() {
            let data = compressed(&bytes);
            for row in [1, 7, 60, 6000, 60_000] {
                assert!(
                    decompressed(&data, row, bytes.len() / row).unwrap()
                        == bytes[..bytes.len() / row * row]
                );
            }
        }
    }

    #[test]
    fn data_that_end_or_have_unknown_codes_are_damaged() {
        let bytes = &samples()[1];
        let data = compressed(bytes);
        for end in [0, 1, 100, data.len() / 2, data.len() - 3] {
            assert!(decompressed(&data[..end], 60, 1000).is_none(), "{end}");
        }
        assert!(decompressed(&data, 60, 1001).is_none());
        // The codes 256 and 258, of which the table has nothing.
        assert!(decompressed(&[0x80, 0x40, 0x80], 1, 1).is_none());
        // 256, 65 and 300.
        assert!(decompressed(&[0x80, 0x10, 0x65, 0x80], 2, 1).is_none());
    }

    /// Decompress with the crate `weezl`.
    fn reference(mut data: &[u8], len: usize) -> Option<Vec<u8>> {
        let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
        let (mut out, mut filled) = (vec![0; len], 0);
        while filled < len {
            let step = decoder.decode_bytes(data, &mut out[filled..]);
            filled += step.consumed_out;
            data = &data[step.consumed_in..];
            if !matches!(step.status, Ok(LzwStatus::Ok)) && filled < len {
                return None;
            }
        }
        Some(out)
    }

    #[test]
    fn damaged_codes_are_read_as_the_crate_weezl_reads_them() {
        for bytes in samples() {
            let data = compressed(&bytes);
            for at in 0..200 {
                let mut damaged = data.clone();
                damaged[at * 37 % data.len()] ^= 1 << (at % 8);
                let expected = reference(&damaged, bytes.len());
                assert!(decompressed(&damaged, bytes.len(), 1) == expected, "{at}");
            }
        }
    }
}
