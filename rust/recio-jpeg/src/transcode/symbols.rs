//! Coefficients of a block → Huffman symbols and magnitudes (ITU-T T.81, F.1.2).
//!
//! This is done twice: first [`SymbolCounts`] counts the symbols, because the codes depend on the
//! counts; then the codes are written.

use super::codes::HuffmanCode;
use super::{Block, Error, GROUPS, Result};
use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::entropy::LAST_INDEX;
use crate::huffman::TableClass;

/// Number of Huffman tables: one for each group and class.
pub(super) const TABLES: usize = 2 * GROUPS;

/// Maximum bits of a DC difference and of an AC coefficient (F.1.2.1.1, F.1.2.2.1).
const DC_BITS: u32 = 11;
const AC_BITS: u32 = 10;

/// Symbols for sixteen zeros (ZRL) and for the end of the block.
const ZRL: u8 = 0xf0;
const EOB: u8 = 0;

/// Huffman table of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableId {
    pub(super) class: TableClass,
    pub(super) group: usize,
}

impl TableId {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let classes = |group| [TableClass::Dc, TableClass::Ac].map(|class| Self { class, group });
        (0..GROUPS).flat_map(classes)
    }

    /// Return the index in the order of [`TableId::all`].
    pub(super) fn index(self) -> usize {
        2 * self.group + usize::from(self.class == TableClass::Ac)
    }
}

/// Receiver of symbols.
pub(super) trait SymbolSink {
    /// Receive a symbol and the magnitude after it. The low four bits of the symbol are the
    /// magnitude's number of bits.
    fn symbol(&mut self, table: TableId, symbol: u8, magnitude: u32);

    /// Receive a restart. The first one has the number 0.
    fn restart(&mut self, number: usize);
}

/// Count of each symbol per table.
pub(super) struct SymbolCounts([[u64; 256]; TABLES]);

impl Default for SymbolCounts {
    fn default() -> Self {
        Self([[0; 256]; TABLES])
    }
}

impl SymbolCounts {
    /// Return the optimal codes for the counts.
    pub(super) fn codes(&self) -> [HuffmanCode; TABLES] {
        self.0.each_ref().map(HuffmanCode::new)
    }
}

impl SymbolSink for SymbolCounts {
    fn symbol(&mut self, table: TableId, symbol: u8, _: u32) {
        self.0[table.index()][usize::from(symbol)] += 1;
    }

    fn restart(&mut self, _: usize) {}
}

/// Emit the symbols of a block.
pub(super) fn block(
    block: &Block,
    group: usize,
    prediction: &mut i32,
    sink: &mut impl SymbolSink,
) -> Result<()> {
    let [dc, ac] = [TableClass::Dc, TableClass::Ac].map(|class| TableId { class, group });
    let value = i32::from(block.0[0]);
    let (size, magnitude) = size_and_bits(value - *prediction, DC_BITS)?;
    sink.symbol(dc, size, magnitude);
    *prediction = value;
    let (mut rest, mut last) = (nonzero(block), 0);
    while rest != 0 {
        let k = rest.trailing_zeros() as usize;
        let zeros = k - last - 1;
        for _ in 0..zeros / 16 {
            sink.symbol(ac, ZRL, 0);
        }
        let value = block.0[usize::from(ZIGZAG[k])];
        let (size, magnitude) = size_and_bits(value.into(), AC_BITS)?;
        sink.symbol(ac, ((zeros % 16) << 4) as u8 | size, magnitude);
        (rest, last) = (rest & (rest - 1), k);
    }
    if last < LAST_INDEX {
        sink.symbol(ac, EOB, 0);
    }
    Ok(())
}

/// Return the mask of nonzero AC coefficients, bit k for zigzag index k. Most are zero, and
/// iterating over the set bits saves a branch for each, a quarter of the total time.
fn nonzero(block: &Block) -> u64 {
    (1..BLOCK_LEN).fold(0, |nonzero, k| {
        let value = block.0[usize::from(ZIGZAG[k])];
        nonzero | u64::from(value != 0) << k
    })
}

/// Emit the symbols of a block with the DC coefficient of the block before and no AC coefficients.
pub(super) fn repeated_dc_block(group: usize, sink: &mut impl SymbolSink) {
    let [dc, ac] = [TableClass::Dc, TableClass::Ac].map(|class| TableId { class, group });
    sink.symbol(dc, 0, 0);
    sink.symbol(ac, EOB, 0);
}

/// Return the number of bits of a coefficient, and these bits; those of a negative number are the
/// inverted bits of its absolute value (F.1.2.1.1).
fn size_and_bits(value: i32, max_bits: u32) -> Result<(u8, u32)> {
    let size = i32::BITS - value.abs().leading_zeros();
    if size > max_bits {
        return Err(Error::Unsupported(
            "a coefficient that is too large for baseline JPEG",
        ));
    }
    let bits = value - i32::from(value < 0);
    Ok((size as u8, bits as u32 & ((1 << size) - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::extend;

    /// List of symbols and magnitudes, DC first.
    #[derive(Default)]
    struct List(Vec<(u8, u32)>);

    impl SymbolSink for List {
        fn symbol(&mut self, _: TableId, symbol: u8, magnitude: u32) {
            self.0.push((symbol, magnitude));
        }

        fn restart(&mut self, _: usize) {}
    }

    fn symbols(coefficients: &[(usize, i16)], mut prediction: i32) -> Result<Vec<(u8, u32)>> {
        let (mut coded, mut list) = (Block::ZERO, List::default());
        for &(k, value) in coefficients {
            *coded.zigzag_mut(k) = value;
        }
        block(&coded, 0, &mut prediction, &mut list)?;
        assert_eq!(prediction, i32::from(coded.0[0]));
        Ok(list.0)
    }

    #[test]
    fn a_block_is_a_dc_difference_and_runs_of_zeros() {
        assert_eq!(symbols(&[(0, 5)], 5).unwrap(), [(0, 0), (EOB, 0)]);
        assert_eq!(
            symbols(&[(0, 5), (1, -1), (4, 2), (37, 3)], 8).unwrap(),
            [
                (2, 0b00),
                (0x01, 0),
                (0x22, 0b10),
                (ZRL, 0),
                (ZRL, 0),
                (0x02, 0b11),
                (EOB, 0)
            ]
        );
    }

    #[test]
    fn a_full_block_has_no_eob() {
        assert_eq!(symbols(&[(63, 1)], 0).unwrap().last(), Some(&(0xe1, 1)));
    }

    #[test]
    fn magnitudes_are_the_inverse_of_extend() {
        for value in -1023..=1023 {
            let (size, bits) = size_and_bits(value, AC_BITS).unwrap();
            assert_eq!(extend(bits, size.into()), value);
        }
    }

    #[test]
    fn coefficients_too_large_for_baseline_are_not_supported() {
        assert!(symbols(&[(0, 1023), (1, -1023)], -1024).is_ok());
        for (coefficient, prediction) in [((0, 1024), -1024), ((1, 1024), 0), ((9, -1024), 0)] {
            let error = symbols(&[coefficient], prediction).unwrap_err();
            assert!(matches!(error, Error::Unsupported(_)), "{error}");
        }
        assert!(symbols(&[(0, i16::MIN), (1, i16::MIN)], 0).is_err());
    }
}
