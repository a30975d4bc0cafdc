//! Huffman tables: from a segment's code lengths and symbols to one lookup a coefficient (ITU-T T.81, C.2, F.2.2.3).
//!
//! What a coefficient costs decides how fast a decoder is. So the next [`LOOKUP_BITS`] bits index a table whose entry says all
//! at once: how many zeros go before, the coefficient itself, and how many bits its code and its magnitude took. That
//! settles nine of ten; for a coefficient whose bits are more, [`HuffmanTable::resolve`] makes such an entry.
//!
//! What was tried stands in `entropy.rs`.

use crate::bit_reader::BitReader;

/// Bits that a lookup sees.
pub(crate) const LOOKUP_BITS: u32 = 11;

/// What these bits can be.
const LOOKUP_SIZE: usize = 1 << LOOKUP_BITS;

/// Bits of the longest code.
const MAX_CODE_LENGTH: usize = 16;

/// What a lookup says.
///
/// | bits | meaning |
/// |---|---|
/// | 0–7 | the bits of code and magnitude; 0 if the advance is [`LONG`] |
/// | 8–23 | the coefficient; of a long one whose code was seen, the code's length and the symbol |
/// | 24–31 | how far the coefficient is from the last: its zeros and 1; [`EOB`], [`INVALID`] or [`LONG`] |
///
/// Each field is where one instruction gets it: the length is used as it stands, for shifts and [`BitReader::skip_entry`] look
/// at the low bits only.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u32);

/// The advance of an end of block, beyond each block. More by n: an end of this block and of 2ⁿ or more (progressive JPEGs
/// only, G.1.2.2).
pub(crate) const EOB: usize = 64;

/// The advance of a code that is in no table. libjpeg takes it for an end of block.
pub(crate) const INVALID: usize = 2 * EOB;

/// The advance of an entry that [`HuffmanTable::resolve`] is for.
pub(crate) const LONG: usize = 3 * EOB;

impl Entry {
    fn new(length: u32, advance: usize, value: i32) -> Self {
        Self(length | u32::from(value as u16) << 8 | (advance as u32) << 24)
    }

    /// What a symbol and the magnitude behind its code come to.
    fn from_symbol(class: TableClass, symbol: u8, length: u32, magnitude: u32) -> Self {
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (class, zeros, size) {
            (TableClass::Ac, 0..15, 0) => Self::new(length, EOB + zeros, 0),
            _ => Self::new(length + size, zeros + 1, extend(magnitude, size)),
        }
    }

    /// One whose code and symbol are known, but not the magnitude's bits.
    fn partial(length: u32, symbol: u8) -> Self {
        Self::new(0, LONG, (length << 8 | u32::from(symbol)) as i32)
    }

    fn length(self) -> u32 {
        self.0 & 0xff
    }

    /// The length in the low eight bits, anything above.
    #[inline]
    pub(crate) fn raw(self) -> u32 {
        self.0
    }

    #[inline]
    pub(crate) fn advance(self) -> usize {
        (self.0 >> 24) as usize
    }

    #[inline]
    pub(crate) fn value(self) -> i16 {
        (self.0 >> 8) as i16
    }
}

/// What a table's symbols mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableClass {
    /// The size of a difference of DC coefficients.
    Dc,
    /// A run of zeros, and the size of the AC coefficient after it.
    Ac,
}

/// A Huffman table, ready for decoding.
#[derive(Debug, Clone)]
pub(crate) struct HuffmanTable {
    entries: [Entry; LOOKUP_SIZE],
    /// As [`look_up_many`](Self::look_up_many) gives them; of an AC table only.
    multi_entries: [Entry; LOOKUP_SIZE],
    /// For each length of code, the first code that is longer, in 16 bits from the left.
    code_limits: [u32; MAX_CODE_LENGTH + 1],
    /// What to add to a code of that length to get its symbol's index.
    symbol_offsets: [i32; MAX_CODE_LENGTH + 1],
    symbols: [u8; 256],
    class: TableClass,
}

impl Default for HuffmanTable {
    /// A table without codes.
    fn default() -> Self {
        Self {
            entries: [Entry::new(0, LONG, 0); LOOKUP_SIZE],
            multi_entries: [Entry::new(0, LONG, 0); LOOKUP_SIZE],
            code_limits: [0; MAX_CODE_LENGTH + 1],
            symbol_offsets: [0; MAX_CODE_LENGTH + 1],
            symbols: [0; 256],
            class: TableClass::Dc,
        }
    }
}

impl HuffmanTable {
    /// Makes a table of the numbers of codes of each length, and of the symbols in the order of the codes.
    ///
    /// `None` if there are more codes of some length than fit, or a DC symbol is no size.
    pub(crate) fn fill(
        &mut self,
        class: TableClass,
        counts: &[u8; MAX_CODE_LENGTH],
        symbols: &[u8],
    ) -> Option<()> {
        if class == TableClass::Dc && symbols.iter().any(|&size| size > 15) {
            return None;
        }
        self.class = class;
        self.symbols = [0; 256];
        self.symbols
            .get_mut(..symbols.len())?
            .copy_from_slice(symbols);
        self.entries.fill(Entry::new(0, LONG, 0));
        let (mut code, mut index) = (0, 0);
        for (length, &count) in (1..).zip(counts) {
            self.symbol_offsets[length] = index as i32 - code as i32;
            for _ in 0..count {
                self.add_code(code, length as u32, self.symbols[index]);
                (code, index) = (code + 1, index + 1);
            }
            if code > 1 << length {
                return None;
            }
            self.code_limits[length] = code << (MAX_CODE_LENGTH - length);
            code <<= 1;
        }
        if class == TableClass::Ac {
            self.multi_entries =
                std::array::from_fn(|next| multi_symbol_entry(&self.entries, next));
        }
        Some(())
    }

    /// Enters a code at all lookups that begin with it.
    fn add_code(&mut self, code: u32, length: u32, symbol: u8) {
        let Some(free) = LOOKUP_BITS.checked_sub(length) else {
            return;
        };
        let first = (code << free) as usize;
        // Beyond the end only where there are too many codes.
        let Some(entries) = self.entries.get_mut(first..first + (1 << free)) else {
            return;
        };
        let size = u32::from(symbol & 15);
        let Some(rest) = free.checked_sub(size) else {
            return entries.fill(Entry::partial(length, symbol));
        };
        for (magnitude, entries) in entries.chunks_exact_mut(1 << rest).enumerate() {
            entries.fill(Entry::from_symbol(
                self.class,
                symbol,
                length,
                magnitude as u32,
            ));
        }
    }

    /// The entry of what comes next.
    #[inline]
    pub(crate) fn look_up(&self, bits: &BitReader<'_>) -> Entry {
        self.entries[bits.peek(LOOKUP_BITS) as usize]
    }

    /// For blocks that nobody needs: as many coefficients as the lookup sees whole. The entry tells the bits of all, and how
    /// far they lead; if the end of block is among them, its advance is [`EOB`] and its value how far they led before.
    #[inline]
    pub(crate) fn look_up_many(&self, bits: &BitReader<'_>) -> Entry {
        self.multi_entries[bits.peek(LOOKUP_BITS) as usize]
    }

    /// The entry of what comes next, if [`look_up`](Self::look_up) has given a [`LONG`] one. `next` are the next bits, from
    /// the left; 32 suffice.
    #[inline(never)]
    pub(crate) fn resolve(&self, next: u64, entry: Entry) -> Entry {
        let Some((symbol, length)) = self.symbol(next, entry) else {
            return Entry::new(MAX_CODE_LENGTH as u32 + 1, INVALID, 0);
        };
        let size = u32::from(symbol & 15);
        // In two steps, for the size may be 0.
        let magnitude = (next << length) >> 1 >> (63 - size);
        Entry::from_symbol(self.class, symbol, length, magnitude as u32)
    }

    /// The symbol of the code that comes next, and the code's length.
    fn symbol(&self, next: u64, entry: Entry) -> Option<(u8, u32)> {
        if entry.value() != 0 {
            let partial = entry.value() as u32;
            return Some((partial as u8, partial >> 8 & 0xff));
        }
        let code = (next >> (64 - MAX_CODE_LENGTH)) as u32;
        let mut lengths = LOOKUP_BITS as usize + 1..=MAX_CODE_LENGTH;
        let length = lengths.find(|&length| code < self.code_limits[length])?;
        let index = (code >> (MAX_CODE_LENGTH - length)) as i32 + self.symbol_offsets[length];
        let symbol = *self.symbols.get(index as usize)?;
        Some((symbol, length as u32))
    }
}

/// The coefficients that can be told from a lookup, as one entry.
fn multi_symbol_entry(entries: &[Entry; LOOKUP_SIZE], next: usize) -> Entry {
    let (mut length, mut advance) = (0, 0);
    loop {
        // The bits behind those that are seen are zeros here, so an entry counts only if its own are seen.
        let entry = entries[next << length & (LOOKUP_SIZE - 1)];
        let after = length + entry.length();
        match entry.advance() {
            EOB if after <= LOOKUP_BITS => return Entry::new(after, EOB, advance as i32),
            more @ 1..EOB if after <= LOOKUP_BITS && advance + more < EOB => {
                (length, advance) = (after, advance + more);
            }
            _ if length == 0 => return Entry::new(0, LONG, 0),
            _ => return Entry::new(length, advance, 0),
        }
    }
}

/// The number that `size` bits of magnitude stand for (F.2.2.1, figure F.12).
#[inline]
pub(crate) fn extend(magnitude: u32, size: u32) -> i32 {
    if size == 0 {
        return 0;
    }
    let is_negative = magnitude >> (size - 1) == 0;
    let offset = if is_negative { (1 << size) - 1 } else { 0 };
    magnitude as i32 - offset
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes 0, 10, 110, and two of 12 bits.
    fn table(class: TableClass, symbols: [u8; 5]) -> HuffmanTable {
        let mut counts = [0; MAX_CODE_LENGTH];
        (counts[0], counts[1], counts[2], counts[11]) = (1, 1, 1, 2);
        let mut table = HuffmanTable::default();
        table.fill(class, &counts, &symbols).unwrap();
        table
    }

    #[test]
    fn a_lookup_gives_zeros_value_and_length() {
        let table = table(TableClass::Ac, [0x00, 0x02, 0x31, 0xf0, 0x05]);
        let entry = |bytes: &[u8]| table.look_up(&BitReader::new(bytes));
        assert_eq!((entry(&[0]).advance(), entry(&[0]).length()), (EOB, 1));
        // 10, then 01: −2.
        let two = entry(&[0b1001_0000]);
        assert_eq!((two.advance(), two.value(), two.length()), (1, -2, 4));
        // 110, then 1: 1, after three zeros.
        let one = entry(&[0b1101_0000]);
        assert_eq!((one.advance(), one.value(), one.length()), (4, 1, 4));
    }

    /// What comes next, and the bits that it takes.
    fn resolved(table: &HuffmanTable, bytes: &[u8]) -> (usize, i16, u32) {
        let bits = BitReader::new(bytes);
        let entry = table.look_up(&bits);
        assert_eq!(entry.advance(), LONG);
        let entry = table.resolve(bits.peek(64), entry);
        (entry.advance(), entry.value(), entry.length())
    }

    #[test]
    fn long_codes_and_those_that_are_none_are_resolved() {
        let table = table(TableClass::Ac, [0x00, 0x02, 0x31, 0xf0, 0x05]);
        // 1110 0000 0000 and the next one, then 10101.
        assert_eq!(resolved(&table, &[0xe0, 0x00]), (16, 0, 12));
        assert_eq!(resolved(&table, &[0xe0, 0x1a, 0x80]), (1, 21, 17));
        assert_eq!(resolved(&table, &[0xe0, 0x20]), (INVALID, 0, 17));
        assert_eq!(resolved(&table, &[0xff, 0xff]), (INVALID, 0, 17));
    }

    #[test]
    fn a_magnitude_beyond_the_lookup_is_resolved() {
        let table = table(TableClass::Dc, [0, 11, 3, 4, 5]);
        assert_eq!(resolved(&table, &[0b1011_0000, 0b0000_1000]), (1, 1537, 13));
    }

    #[test]
    fn a_stride_is_what_a_lookup_sees_whole() {
        let table = table(TableClass::Ac, [0x00, 0x02, 0x31, 0xf0, 0x05]);
        let multi_entry = |bytes: &[u8]| {
            let entry = table.look_up_many(&BitReader::new(bytes));
            (entry.length(), entry.advance(), entry.value())
        };
        // 10 01, 110 1, and the end.
        assert_eq!(multi_entry(&[0b1001_1101, 0b0000_0000]), (9, EOB, 5));
        // 10 01, 10 01, and a code that is not seen whole.
        assert_eq!(multi_entry(&[0b1001_1001, 0b1000_0000]), (8, 2, 0));
        assert_eq!(multi_entry(&[0xe0, 0x00]), (0, LONG, 0));
    }

    #[test]
    fn ends_of_runs_tell_the_runs_logarithm() {
        let table = table(TableClass::Ac, [0x00, 0x02, 0x50, 0xf0, 0x05]);
        let entry = table.look_up(&BitReader::new(&[0b1100_0000]));
        assert_eq!((entry.advance(), entry.length()), (EOB + 5, 3));
    }

    #[test]
    fn more_codes_than_fit_are_refused() {
        let mut counts = [0; MAX_CODE_LENGTH];
        counts[0] = 3;
        let mut table = HuffmanTable::default();
        assert!(table.fill(TableClass::Ac, &counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(table.fill(TableClass::Ac, &counts, &[1, 2]).is_some());
        counts[1] = 1;
        assert!(table.fill(TableClass::Ac, &counts, &[1, 2, 3]).is_none());
        assert!(
            table
                .fill(TableClass::Dc, &[0; MAX_CODE_LENGTH], &[16])
                .is_none()
        );
    }

    #[test]
    fn magnitudes_extend_to_both_signs() {
        assert_eq!([0, 1].map(|m| extend(m, 1)), [-1, 1]);
        assert_eq!([0, 3, 4, 7].map(|m| extend(m, 3)), [-7, -4, 4, 7]);
        assert_eq!(extend(0, 0), 0);
        assert_eq!(extend(0, 15), -32767);
    }
}
