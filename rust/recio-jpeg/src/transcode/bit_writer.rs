//! Symbols → the coded data of a scan, bit by bit, stuffed (ITU-T T.81, F.1.2.3, E.1.4).

use super::codes::Code;
use super::symbols::{Sink, TABLES, Table};
use crate::marker::RST0;

/// A writer of bits, the first bit first.
pub(super) struct Writer<'a> {
    codes: &'a [Code; TABLES],
    out: &'a mut Vec<u8>,
    /// Bits that are not a byte yet, on the right.
    pending: u64,
    /// How many: at most 7 between two symbols.
    count: u32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(codes: &'a [Code; TABLES], out: &'a mut Vec<u8>) -> Self {
        Self {
            codes,
            out,
            pending: 0,
            count: 0,
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn finish(&mut self) {
        let missing = self.count.wrapping_neg() % 8;
        self.put((1 << missing) - 1, missing);
    }

    fn put(&mut self, bits: u64, count: u32) {
        self.pending = self.pending << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.pending >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }
}

impl Sink for Writer<'_> {
    fn symbol(&mut self, table: Table, symbol: u8, magnitude: u32) {
        let (word, length) = self.codes[table.place()].word(symbol);
        let size = u32::from(symbol & 15);
        let bits = u64::from(word) << size | u64::from(magnitude);
        self.put(bits, u32::from(length) + size);
    }

    fn restart(&mut self, number: usize) {
        self.finish();
        self.out.extend([0xff, RST0 + (number % 8) as u8]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbols::Counts;
    use super::*;
    use crate::bit_reader::BitReader;
    use crate::huffman::TableClass;
    use crate::unstuff::UnstuffedData;

    const DC: Table = Table {
        class: TableClass::Dc,
        group: 0,
    };

    /// What is written by a code of one bit, 0, for this symbol.
    fn written(symbol: u8, write: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
        let mut counts = Counts::default();
        counts.symbol(DC, symbol, 0);
        let (codes, mut out) = (counts.codes(), Vec::new());
        write(&mut Writer::new(&codes, &mut out));
        out
    }

    #[test]
    fn codes_come_first_and_restarts_begin_at_a_byte() {
        let data = written(3, |writer| {
            for number in 0..10 {
                writer.symbol(DC, 3, 0b101);
                writer.restart(number);
            }
            writer.finish();
        });
        let expected = (0..10).flat_map(|number| [0b0101_1111, 0xff, 0xd0 + number % 8]);
        assert_eq!(data, expected.collect::<Vec<_>>());
    }

    #[test]
    fn bytes_of_ones_are_stuffed() {
        let magnitudes = [0x7ff, 0x7ff, 0, 0x7ff];
        let mut data = written(11, |writer| {
            for magnitude in magnitudes {
                writer.symbol(DC, 11, magnitude);
            }
            writer.finish();
        });
        assert!(data.windows(2).any(|pair| pair == [0xff, 0]));
        data.extend([0xff, 0xd9]);
        let mut unstuffed = UnstuffedData::default();
        assert_eq!(unstuffed.read(&data, 0), data.len() - 2);
        let mut bits = BitReader::new(unstuffed.segment(0).unwrap().1);
        assert_eq!(magnitudes.map(|_| bits.read(12)), magnitudes);
        assert_eq!(bits.bytes_remaining(), 0);
    }
}
