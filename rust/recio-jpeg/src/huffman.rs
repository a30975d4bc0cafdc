//! Huffman tables: from code lengths and symbols to one lookup for two coefficients (ITU-T T.81,
//! C.2, F.2.2.3).
//!
//! The cost per coefficient determines the speed of a decoder. So the next [`PAIR_BITS`] bits index
//! a table whose entry contains everything about up to two coefficients: the zeros before them, the
//! first coefficient, where the magnitude of the second is, and the length of all that. This covers
//! all codes but the longest. For those, and where a band ends between the two coefficients, a
//! table of single coefficients is used, and then [`HuffmanTable::resolve`].
//!
//! `entropy.rs` lists measured alternatives.

use crate::bit_reader::BitReader;

/// Number of bits that index a lookup.
pub(crate) const LOOKUP_BITS: u32 = 11;

/// Number of entries of a lookup table.
const LOOKUP_SIZE: usize = 1 << LOOKUP_BITS;

/// Number of bits that index a lookup of two coefficients.
const PAIR_BITS: u32 = 10;

/// Number of entries of a table of pairs.
const PAIR_SIZE: usize = 1 << PAIR_BITS;

/// Maximum number of bits that one lookup of two coefficients takes: the magnitude of the second
/// may follow the bits of the index.
pub(crate) const MAX_PAIR_BITS: u32 = PAIR_BITS + 15;

/// Length of the longest code in bits.
const MAX_CODE_LENGTH: usize = 16;

/// Entry of a lookup table.
///
/// | bits | meaning |
/// |---|---|
/// | 0–7 | length of code and magnitude in bits; 0 if the advance is [`LONG`] |
/// | 8–23 | coefficient; if only the code fits the lookup, its length and symbol |
/// | 24–31 | distance from the last coefficient (zeros + 1), or [`EOB`], [`INVALID`], [`LONG`] |
///
/// Each field can be extracted with one instruction. The length needs none, because shifts and
/// [`BitReader::skip_entry`] use the low bits only.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u32);

/// Advance of an end of block, larger than any block. An EOB run of 2ⁿ or more blocks has n more
/// (progressive JPEGs only, G.1.2.2).
pub(crate) const EOB: usize = 64;

/// Advance of an invalid code. libjpeg treats it as an end of block.
pub(crate) const INVALID: usize = 2 * EOB;

/// Advance of an entry that must be completed by [`HuffmanTable::resolve`].
pub(crate) const LONG: usize = 3 * EOB;

/// Advance of a pair that must be read one coefficient at a time.
pub(crate) const PAIR_LONG: usize = 2 * EOB - 1;

impl Entry {
    fn new(length: u32, advance: usize, value: i32) -> Self {
        Self(length | u32::from(value as u16) << 8 | (advance as u32) << 24)
    }

    /// Create an entry from a symbol and the magnitude after its code.
    fn from_symbol(class: TableClass, symbol: u8, length: u32, magnitude: u32) -> Self {
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (class, zeros, size) {
            (TableClass::Ac, 0..15, 0) => Self::new(length, EOB + zeros, 0),
            _ => Self::new(length + size, zeros + 1, extend(magnitude, size)),
        }
    }

    /// Create an entry for which only the code fits the lookup, not the magnitude.
    fn partial(length: u32, symbol: u8) -> Self {
        Self::new(0, LONG, (length << 8 | u32::from(symbol)) as i32)
    }

    #[inline]
    pub(crate) fn length(self) -> u32 {
        self.0 & 0xff
    }

    /// Return the length in the low eight bits, with arbitrary bits above.
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

/// Entry of a table of pairs: up to two coefficients.
///
/// | bits | meaning |
/// |---|---|
/// | 0–7 | length of all codes and magnitudes in bits |
/// | 8–11 | size of the last coefficient |
/// | 12–16 | distance to the first coefficient; 0 if there is only an end of block |
/// | 17–23 | distance to the last coefficient, or [`EOB`], or [`PAIR_LONG`] |
/// | 24–31 | first coefficient of two, else 0 |
///
/// The first coefficient is complete in the index. The magnitude of the last one need not be: it
/// is extracted from the bits themselves, which takes time only where the next lookup does not wait
/// for it. If there is only one coefficient, it is the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair(u32);

impl Pair {
    const LONG: Self = Self((PAIR_LONG as u32) << 17);

    /// Create the entry of a single code.
    fn single(class: TableClass, length: u32, symbol: u8) -> Self {
        let (zeros, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        if matches!((class, zeros, size), (TableClass::Ac, 0..15, 0)) {
            return Self(length | (EOB as u32 + zeros) << 17);
        }
        let advance = zeros + 1;
        Self((length + size) | size << 8 | advance << 12 | advance << 17)
    }

    /// Create the entry of a coefficient and the code of `self` after it.
    fn after(self, first: Entry) -> Self {
        let (length, advance) = (first.length(), first.advance() as u32);
        let value = u32::from(first.value() as u8);
        let last = self.0 & !(0x1f << 12) | advance << 12 | value << 24;
        if self.advance() >= EOB {
            return Self(last + length);
        }
        Self(last + (length | advance << 17))
    }

    /// Return the length of the code of a single entry, without a magnitude.
    fn code_length(self) -> u32 {
        (self.0 & 0xff) - (self.0 >> 8 & 15)
    }

    /// Return the length in the low eight bits, with arbitrary bits above.
    #[inline]
    pub(crate) fn raw(self) -> u32 {
        self.0
    }

    /// Return the advance to the last coefficient.
    #[inline]
    pub(crate) fn advance(self) -> usize {
        (self.0 >> 17) as usize & 0x7f
    }

    /// Return the advance to the first coefficient.
    #[inline]
    pub(crate) fn first_advance(self) -> usize {
        (self.0 >> 12) as usize & 0x1f
    }

    #[inline]
    pub(crate) fn first_value(self) -> i16 {
        (self.0 as i32 >> 24) as i16
    }

    /// Return the last coefficient. `next` contains the bits that were looked up and those after
    /// them, left-aligned.
    #[inline]
    pub(crate) fn last_value(self, next: u64) -> i16 {
        let size = self.0 >> 8 & 15;
        let magnitude = next.wrapping_shl(self.0.wrapping_sub(size));
        // Two shifts, because the size may be 0.
        let value = (magnitude >> 1).wrapping_shr(!size);
        let max = (u64::MAX >> 1).wrapping_shr(!size);
        let is_negative = magnitude >> 63 == 0;
        (value as i16).wrapping_sub(if is_negative { max as i16 } else { 0 })
    }
}

/// Class of a table: the meaning of its symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableClass {
    /// Size of the difference between DC coefficients.
    Dc,
    /// Run of zeros, and size of the AC coefficient after it.
    Ac,
}

/// Huffman table for decoding.
#[derive(Debug, Clone)]
pub(crate) struct HuffmanTable {
    entries: [Entry; LOOKUP_SIZE],
    /// Entries of [`look_up_pair`](Self::look_up_pair).
    pairs: [Pair; PAIR_SIZE],
    /// Upper limit of the codes of each length (exclusive), left-aligned in 16 bits.
    code_limits: [u32; MAX_CODE_LENGTH + 1],
    /// Offset from a code of each length to the index of its symbol.
    symbol_offsets: [i32; MAX_CODE_LENGTH + 1],
    symbols: [u8; 256],
    class: TableClass,
}

impl Default for HuffmanTable {
    /// Create a table without codes.
    fn default() -> Self {
        Self {
            entries: [Entry::new(0, LONG, 0); LOOKUP_SIZE],
            pairs: [Pair::LONG; PAIR_SIZE],
            code_limits: [0; MAX_CODE_LENGTH + 1],
            symbol_offsets: [0; MAX_CODE_LENGTH + 1],
            symbols: [0; 256],
            class: TableClass::Dc,
        }
    }
}

impl HuffmanTable {
    /// Build the table from the number of codes of each length and the symbols in code order.
    ///
    /// Return `None` if there are too many codes of some length, or if a DC symbol is not a valid
    /// size.
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
        self.fill_pairs(counts);
        Some(())
    }

    /// Add a code to all entries whose index starts with it.
    fn add_code(&mut self, code: u32, length: u32, symbol: u8) {
        let Some(free) = LOOKUP_BITS.checked_sub(length) else {
            return;
        };
        let first = (code << free) as usize;
        // The range is outside the table only if there are too many codes.
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

    /// Fill the table of pairs; `entries` are filled.
    fn fill_pairs(&mut self, counts: &[u8; MAX_CODE_LENGTH]) {
        self.pairs.fill(Pair::LONG);
        let (mut start, mut index) = (0, 0);
        for (length, &count) in (1..=PAIR_BITS).zip(counts) {
            for _ in 0..count {
                let end = start + (1 << (PAIR_BITS - length));
                let pair = Pair::single(self.class, length, self.symbols[index]);
                self.pairs[start..end].fill(pair);
                (start, index) = (end, index + 1);
            }
        }
        if self.class == TableClass::Ac {
            self.combine_pairs();
        }
    }

    /// Add to each entry the code after the first coefficient, if both fit the index.
    fn combine_pairs(&mut self) {
        let singles = self.pairs;
        for (next, pair) in self.pairs.iter_mut().enumerate() {
            let first = self.entries[next << (LOOKUP_BITS - PAIR_BITS)];
            if first.advance() >= EOB {
                continue;
            }
            // The bits after those of the index are zeros here, so the second entry is valid only
            // if its code is in the index.
            let second = singles[next << first.length() & (PAIR_SIZE - 1)];
            if second != Pair::LONG && first.length() + second.code_length() <= PAIR_BITS {
                *pair = second.after(first);
            }
        }
    }

    /// Look up the next coefficient.
    #[inline]
    pub(crate) fn look_up(&self, bits: &BitReader<'_>) -> Entry {
        self.entries[bits.peek(LOOKUP_BITS) as usize]
    }

    /// Look up the next two coefficients, as far as their codes fit the index; only the last may be
    /// an end of block.
    #[inline]
    pub(crate) fn look_up_pair(&self, bits: &BitReader<'_>) -> Pair {
        self.pairs[bits.peek(PAIR_BITS) as usize]
    }

    /// Complete a [`LONG`] entry from [`look_up`](Self::look_up). `next` contains the next bits (32
    /// are enough), left-aligned.
    #[inline(never)]
    pub(crate) fn resolve(&self, next: u64, entry: Entry) -> Entry {
        let Some((symbol, length)) = self.symbol(next, entry) else {
            return Entry::new(MAX_CODE_LENGTH as u32 + 1, INVALID, 0);
        };
        let size = u32::from(symbol & 15);
        // Two shifts, because the size may be 0.
        let magnitude = (next << length) >> 1 >> (63 - size);
        Entry::from_symbol(self.class, symbol, length, magnitude as u32)
    }

    /// Return the symbol of the next code and the length of that code.
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

/// Convert a magnitude of `size` bits to a signed number (F.2.2.1, figure F.12).
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

    /// Return a table with the codes 0, 10, 110, and two of 12 bits.
    fn table(class: TableClass, symbols: [u8; 5]) -> HuffmanTable {
        let mut counts = [0; MAX_CODE_LENGTH];
        (counts[0], counts[1], counts[2], counts[11]) = (1, 1, 1, 2);
        let mut table = HuffmanTable::default();
        table.fill(class, &counts, &symbols).unwrap();
        table
    }

    #[test]
    fn an_entry_has_zeros_value_and_length() {
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

    /// Resolve a long entry. Return its advance, value and length.
    fn resolved(table: &HuffmanTable, bytes: &[u8]) -> (usize, i16, u32) {
        let bits = BitReader::new(bytes);
        let entry = table.look_up(&bits);
        assert_eq!(entry.advance(), LONG);
        let entry = table.resolve(bits.peek(64), entry);
        (entry.advance(), entry.value(), entry.length())
    }

    #[test]
    fn long_and_invalid_codes_are_resolved() {
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

    /// Look up a pair. Return its length, the advance to the last coefficient and its value, and
    /// the advance to the first coefficient and its value.
    fn pair(table: &HuffmanTable, bytes: &[u8]) -> (u32, (usize, i16), (usize, i16)) {
        let bits = BitReader::new(bytes);
        let pair = table.look_up_pair(&bits);
        (
            pair.raw() & 0xff,
            (pair.advance(), pair.last_value(bits.peek(64))),
            (pair.first_advance(), pair.first_value()),
        )
    }

    #[test]
    fn a_pair_has_two_coefficients_of_which_the_last_may_exceed_the_index() {
        let table = table(TableClass::Ac, [0x00, 0x02, 0x36, 0xf0, 0x05]);
        // 10 01, 10 11, and the first bits of another.
        let two = pair(&table, &[0b1001_1011, 0b1100_0000]);
        assert_eq!(two, (8, (2, 3), (1, -2)));
        // 10 10, and 110 011111, whose last bits are after the index.
        let two = pair(&table, &[0b1010_1100, 0b1111_1000]);
        assert_eq!(two, (13, (5, -32), (1, 2)));
        // 110 100001; no code fits the index after it.
        let one = pair(&table, &[0b1101_0000, 0b1100_0000]);
        assert_eq!(one, (9, (4, 33), (4, 0)));
        assert_eq!(pair(&table, &[0xe0, 0x00]).1.0, PAIR_LONG);
    }

    #[test]
    fn a_pair_may_end_the_block() {
        let table = table(TableClass::Ac, [0x00, 0x32, 0x70, 0xf0, 0x05]);
        let end = |bytes: &[u8]| {
            let (length, (advance, _), first) = pair(&table, bytes);
            (length, advance, first)
        };
        // 10 01, and the end of block.
        assert_eq!(end(&[0b1001_0000]), (5, EOB, (4, -2)));
        // 10 01, and an EOB run.
        assert_eq!(end(&[0b1001_1100]), (7, EOB + 7, (4, -2)));
        // Only the end of block.
        assert_eq!(end(&[0]), (1, EOB, (0, 0)));
    }

    #[test]
    fn a_pair_of_a_dc_table_has_one_difference() {
        let table = table(TableClass::Dc, [0, 11, 3, 4, 5]);
        let one = |bytes: &[u8]| {
            let (length, last, _) = pair(&table, bytes);
            (length, last)
        };
        assert_eq!(one(&[0b1011_0000, 0b0000_1000]), (13, (1, 1537)));
        assert_eq!(one(&[0]), (1, (1, 0)));
    }

    #[test]
    fn eob_run_entries_have_the_number_of_extra_bits() {
        let table = table(TableClass::Ac, [0x00, 0x02, 0x50, 0xf0, 0x05]);
        let entry = table.look_up(&BitReader::new(&[0b1100_0000]));
        assert_eq!((entry.advance(), entry.length()), (EOB + 5, 3));
    }

    #[test]
    fn too_many_codes_are_an_error() {
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
