//! Huffman tables: from a segment's code lengths and symbols to one lookup a coefficient (ITU-T T.81, C.2, F.2.2.3).
//!
//! What a coefficient costs decides how fast a decoder is. So the next [`LOOKUP`] bits index a table whose entry says all
//! at once: how many zeros go before, the coefficient itself, and how many bits its code and its magnitude took. That
//! settles nine of ten; a coefficient whose bits are more takes the long way ([`Table::symbol`]).
//!
//! Tried, on 1,926 photographs of 66 kB in the mean: see `entropy.rs`.

use crate::bits::Bits;

/// Bits that a lookup sees.
pub(crate) const LOOKUP: u32 = 11;

/// Bits of the longest code.
const LONGEST: usize = 16;

/// What a lookup says.
///
/// | bits | meaning |
/// |---|---|
/// | 0–7 | the bits of code and magnitude; 0: see [`Table::symbol`] |
/// | 8–15 | how far the coefficient is from the last: its zeros and 1; [`END`] or [`LONG`] |
/// | 16–31 | the coefficient; of a long one whose code was seen, the code's length and the symbol |
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u32);

/// The advance of an end of block: beyond each block.
pub(crate) const END: usize = 64;

/// The advance of an entry that does not hold the coefficient: beyond each block, too.
pub(crate) const LONG: usize = 128;

impl Entry {
    fn new(length: u32, advance: usize, value: i32) -> Self {
        Self(length | (advance as u32) << 8 | (value as u32) << 16)
    }

    /// One whose code and symbol are known, but not the magnitude's bits.
    fn seen(length: u32, symbol: u8) -> Self {
        Self::new(0, LONG, (length << 8 | u32::from(symbol)) as i32)
    }

    #[inline]
    pub(crate) fn length(self) -> u32 {
        self.0 & 0xff
    }

    #[inline]
    pub(crate) fn advance(self) -> usize {
        (self.0 >> 8 & 0xff) as usize
    }

    #[inline]
    pub(crate) fn value(self) -> i16 {
        (self.0 >> 16) as i16
    }
}

/// What a table's symbols mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The size of a difference of DC coefficients.
    Dc,
    /// A run of zeros, and the size of the AC coefficient after it.
    Ac,
}

/// A Huffman table, ready for decoding.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    entries: [Entry; 1 << LOOKUP],
    /// For each length of code, the first code that is longer, in 16 bits from the left.
    limits: [u32; LONGEST + 1],
    /// What to add to a code of that length to get its symbol's place.
    places: [i32; LONGEST + 1],
    symbols: [u8; 256],
}

impl Default for Table {
    /// A table without codes.
    fn default() -> Self {
        Self {
            entries: [Entry::new(0, LONG, 0); 1 << LOOKUP],
            limits: [0; LONGEST + 1],
            places: [0; LONGEST + 1],
            symbols: [0; 256],
        }
    }
}

/// A symbol of no code: what libjpeg makes of a code that is in no table, after as many bits.
pub(crate) const NO_SYMBOL: (u8, u32) = (0, LONGEST as u32 + 1);

impl Table {
    /// Makes a table of the numbers of codes of each length, and of the symbols in the order of the codes.
    ///
    /// `None` if there are more codes of some length than fit, or a DC symbol is no size.
    pub(crate) fn fill(
        &mut self,
        class: Class,
        counts: &[u8; LONGEST],
        symbols: &[u8],
    ) -> Option<()> {
        if class == Class::Dc && symbols.iter().any(|&size| size > 15) {
            return None;
        }
        self.symbols = [0; 256];
        self.symbols
            .get_mut(..symbols.len())?
            .copy_from_slice(symbols);
        self.entries.fill(Entry::new(0, LONG, 0));
        let (mut code, mut place) = (0, 0);
        for (length, &count) in (1..).zip(counts) {
            self.places[length] = place as i32 - code as i32;
            for _ in 0..count {
                self.enter(class, code, length as u32, self.symbols[place]);
                (code, place) = (code + 1, place + 1);
            }
            if code > 1 << length {
                return None;
            }
            self.limits[length] = code << (LONGEST - length);
            code <<= 1;
        }
        Some(())
    }

    /// Enters a code at all lookups that begin with it.
    fn enter(&mut self, class: Class, code: u32, length: u32, symbol: u8) {
        let Some(free) = LOOKUP.checked_sub(length) else {
            return;
        };
        let first = (code << free) as usize;
        // Beyond the end only where there are too many codes.
        let Some(entries) = self.entries.get_mut(first..first + (1 << free)) else {
            return;
        };
        let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        match (class, zeros, size) {
            (Class::Ac, 0, 0) => entries.fill(Entry::new(length, END, 0)),
            (Class::Ac, 1..15, 0) => entries.fill(Entry::seen(length, symbol)),
            _ if size > free => entries.fill(Entry::seen(length, symbol)),
            _ => {
                let rest = free - size;
                for (magnitude, entries) in entries.chunks_exact_mut(1 << rest).enumerate() {
                    let value = extend(magnitude as u32, size);
                    entries.fill(Entry::new(length + size, zeros + 1, value));
                }
            }
        }
    }

    /// The entry of what comes next.
    #[inline]
    pub(crate) fn look_up(&self, bits: &Bits<'_>) -> Entry {
        self.entries[bits.peek(LOOKUP) as usize]
    }

    /// The symbol that comes next, and the length of its code, of an entry whose advance is [`LONG`]; [`NO_SYMBOL`] if
    /// it is no code's.
    pub(crate) fn symbol(&self, bits: &Bits<'_>, entry: Entry) -> (u8, u32) {
        if entry.value() != 0 {
            let seen = entry.value() as u32;
            return (seen as u8, seen >> 8 & 0xff);
        }
        let next = bits.peek(LONGEST as u32) as u32;
        let mut lengths = LOOKUP as usize + 1..=LONGEST;
        let Some(length) = lengths.find(|&length| next < self.limits[length]) else {
            return NO_SYMBOL;
        };
        let code = (next >> (LONGEST - length)) as i32;
        let symbol = self.symbols.get((code + self.places[length]) as usize);
        symbol.map_or(NO_SYMBOL, |&symbol| (symbol, length as u32))
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
    fn table(class: Class, symbols: [u8; 5]) -> Table {
        let mut counts = [0; LONGEST];
        (counts[0], counts[1], counts[2], counts[11]) = (1, 1, 1, 2);
        let mut table = Table::default();
        table.fill(class, &counts, &symbols).unwrap();
        table
    }

    #[test]
    fn a_lookup_gives_zeros_value_and_length() {
        let table = table(Class::Ac, [0x00, 0x02, 0x31, 0xf0, 0x05]);
        let entry = |bytes: &[u8]| table.look_up(&Bits::new(bytes));
        assert_eq!((entry(&[0]).advance(), entry(&[0]).length()), (END, 1));
        // 10, then 01: −2.
        let two = entry(&[0b1001_0000]);
        assert_eq!((two.advance(), two.value(), two.length()), (1, -2, 4));
        // 110, then 1: 1, after three zeros.
        let one = entry(&[0b1101_0000]);
        assert_eq!((one.advance(), one.value(), one.length()), (4, 1, 4));
    }

    #[test]
    fn long_codes_and_those_that_are_none_take_the_long_way() {
        let table = table(Class::Ac, [0x00, 0x02, 0x31, 0xf0, 0x05]);
        let symbol = |bytes: &[u8]| {
            let bits = Bits::new(bytes);
            let entry = table.look_up(&bits);
            assert_eq!(entry.advance(), LONG);
            table.symbol(&bits, entry)
        };
        // 1110 0000 0000 and the next one.
        assert_eq!(symbol(&[0xe0, 0x00]), (0xf0, 12));
        assert_eq!(symbol(&[0xe0, 0x10]), (0x05, 12));
        assert_eq!(symbol(&[0xe0, 0x20]), NO_SYMBOL);
        assert_eq!(symbol(&[0xff, 0xff]), NO_SYMBOL);
    }

    #[test]
    fn a_magnitude_beyond_the_lookup_leaves_the_symbol() {
        let table = table(Class::Dc, [0, 11, 3, 4, 5]);
        let bits = Bits::new(&[0b1000_0000]);
        let entry = table.look_up(&bits);
        assert_eq!(entry.advance(), LONG);
        assert_eq!(table.symbol(&bits, entry), (11, 2));
    }

    #[test]
    fn more_codes_than_fit_are_refused() {
        let mut counts = [0; LONGEST];
        counts[0] = 3;
        let mut table = Table::default();
        assert!(table.fill(Class::Ac, &counts, &[1, 2, 3]).is_none());
        counts[0] = 2;
        assert!(table.fill(Class::Ac, &counts, &[1, 2]).is_some());
        counts[1] = 1;
        assert!(table.fill(Class::Ac, &counts, &[1, 2, 3]).is_none());
        assert!(table.fill(Class::Dc, &[0; LONGEST], &[16]).is_none());
    }

    #[test]
    fn magnitudes_extend_to_both_signs() {
        assert_eq!([0, 1].map(|m| extend(m, 1)), [-1, 1]);
        assert_eq!([0, 3, 4, 7].map(|m| extend(m, 3)), [-7, -4, 4, 7]);
        assert_eq!(extend(0, 0), 0);
        assert_eq!(extend(0, 15), -32767);
    }
}
