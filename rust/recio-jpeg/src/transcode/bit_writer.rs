//! Bit writer for the entropy-coded data of a scan, with byte stuffing (ITU-T T.81, F.1.2.3,
//! E.1.4).

use super::codes::HuffmanCode;
use super::symbols::{SymbolSink, TABLES, TableId};
use crate::marker::RST0;

/// Writer for Huffman codes and magnitudes, most significant bit first.
pub(super) struct BitWriter<'a> {
    codes: &'a [HuffmanCode; TABLES],
    out: &'a mut Vec<u8>,
    /// Bits that do not fill a byte yet, right-aligned.
    pending: u64,
    /// Number of pending bits: at most 7 between two symbols.
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(codes: &'a [HuffmanCode; TABLES], out: &'a mut Vec<u8>) -> Self {
        Self {
            codes,
            out,
            pending: 0,
            count: 0,
        }
    }

    /// Fill the last byte with ones.
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

impl SymbolSink for BitWriter<'_> {
    fn symbol(&mut self, table: TableId, symbol: u8, magnitude: u32) {
        let (code, length) = self.codes[table.index()].code(symbol);
        let size = u32::from(symbol & 15);
        let bits = u64::from(code) << size | u64::from(magnitude);
        self.put(bits, u32::from(length) + size);
    }

    fn restart(&mut self, number: usize) {
        self.finish();
        self.out.extend([0xff, RST0 + (number % 8) as u8]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbols::SymbolCounts;
    use super::*;
    use crate::bit_reader::BitReader;
    use crate::huffman::TableClass;
    use crate::unstuff::UnstuffedData;

    const DC: TableId = TableId {
        class: TableClass::Dc,
        group: 0,
    };

    /// Write with a one-bit code, 0, for this symbol.
    fn written(symbol: u8, write: impl Fn(&mut BitWriter<'_>)) -> Vec<u8> {
        let mut counts = SymbolCounts::default();
        counts.symbol(DC, symbol, 0);
        let (codes, mut out) = (counts.codes(), Vec::new());
        write(&mut BitWriter::new(&codes, &mut out));
        out
    }

    #[test]
    fn codes_come_first_and_restarts_are_byte_aligned() {
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
    fn bytes_0xff_are_stuffed() {
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
        assert_eq!(unstuffed.read(&data, 0, false), data.len() - 2);
        let mut bits = BitReader::new(unstuffed.segment(0).unwrap().1);
        assert_eq!(magnitudes.map(|_| bits.read(12)), magnitudes);
        assert_eq!(bits.bytes_remaining(), 0);
    }
}
