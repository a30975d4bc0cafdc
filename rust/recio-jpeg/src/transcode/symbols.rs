//! The coefficients of a block → symbols of Huffman tables and the bits behind their codes (ITU-T T.81, F.1.2).
//!
//! It is done twice: [`Counts`] take the symbols first, for the codes depend on how many there are; then the codes are
//! written.

use super::codes::Code;
use super::{Block, Error, GROUPS, Result};
use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::entropy::LAST_INDEX;
use crate::huffman::TableClass;

/// Huffman tables of an image: for each group of components, for DC and AC.
pub(super) const TABLES: usize = 2 * GROUPS;

/// Bits of a difference of DC coefficients and of an AC coefficient, at most (F.1.2.1.1, F.1.2.2.1).
const DC_BITS: u32 = 11;
const AC_BITS: u32 = 10;

/// What stands for sixteen zeros, and for nothing but zeros up to the end of the block.
const ZEROS: u8 = 0xf0;
const END: u8 = 0;

/// Which of an image's Huffman tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) class: TableClass,
    pub(super) group: usize,
}

impl Table {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let classes = |group| [TableClass::Dc, TableClass::Ac].map(|class| Self { class, group });
        (0..GROUPS).flat_map(classes)
    }

    /// Its place in that order.
    pub(super) fn place(self) -> usize {
        2 * self.group + usize::from(self.class == TableClass::Ac)
    }
}

/// What symbols are given to.
pub(super) trait Sink {
    /// Takes a symbol, and the magnitude behind it; the low half of the symbol is the magnitude's number of bits.
    fn symbol(&mut self, table: Table, symbol: u8, magnitude: u32);

    /// Takes a restart, the first one's number being 0.
    fn restart(&mut self, number: usize);
}

/// How often each symbol of each table is there.
pub(super) struct Counts([[u64; 256]; TABLES]);

impl Default for Counts {
    fn default() -> Self {
        Self([[0; 256]; TABLES])
    }
}

impl Counts {
    /// The codes for them.
    pub(super) fn codes(&self) -> [Code; TABLES] {
        self.0.each_ref().map(Code::new)
    }
}

impl Sink for Counts {
    fn symbol(&mut self, table: Table, symbol: u8, _: u32) {
        self.0[table.place()][usize::from(symbol)] += 1;
    }

    fn restart(&mut self, _: usize) {}
}

/// Gives the symbols of a block.
pub(super) fn block(
    block: &Block,
    group: usize,
    prediction: &mut i32,
    sink: &mut impl Sink,
) -> Result<()> {
    let [dc, ac] = [TableClass::Dc, TableClass::Ac].map(|class| Table { class, group });
    let value = i32::from(block.0[0]);
    let (size, magnitude) = magnitude_of(value - *prediction, DC_BITS)?;
    sink.symbol(dc, size, magnitude);
    *prediction = value;
    let (mut rest, mut last) = (present(block), 0);
    while rest != 0 {
        let k = rest.trailing_zeros() as usize;
        let zeros = k - last - 1;
        for _ in 0..zeros / 16 {
            sink.symbol(ac, ZEROS, 0);
        }
        let value = block.0[usize::from(ZIGZAG[k])];
        let (size, magnitude) = magnitude_of(value.into(), AC_BITS)?;
        sink.symbol(ac, ((zeros % 16) << 4) as u8 | size, magnitude);
        (rest, last) = (rest & (rest - 1), k);
    }
    if last < LAST_INDEX {
        sink.symbol(ac, END, 0);
    }
    Ok(())
}

/// The AC coefficients that are not zero, bit k for the one that is coded as the k-th. Most are zero, and going from bit to
/// bit saves a branch for each: a quarter of all the time that writing a JPEG anew takes.
fn present(block: &Block) -> u64 {
    (1..BLOCK_LEN).fold(0, |present, k| {
        let value = block.0[usize::from(ZIGZAG[k])];
        present | u64::from(value != 0) << k
    })
}

/// Gives the symbols of a block with the same DC coefficient as the one before, and no others.
pub(super) fn same_again(group: usize, sink: &mut impl Sink) {
    let [dc, ac] = [TableClass::Dc, TableClass::Ac].map(|class| Table { class, group });
    sink.symbol(dc, 0, 0);
    sink.symbol(ac, END, 0);
}

/// The number of bits of a coefficient, and these: of a negative one, those of its amount, inverted (F.1.2.1.1).
fn magnitude_of(value: i32, most: u32) -> Result<(u8, u32)> {
    let size = i32::BITS - value.abs().leading_zeros();
    if size > most {
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

    /// Symbols and magnitudes, DC's first.
    #[derive(Default)]
    struct List(Vec<(u8, u32)>);

    impl Sink for List {
        fn symbol(&mut self, _: Table, symbol: u8, magnitude: u32) {
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
    fn a_block_is_a_difference_and_runs_of_zeros() {
        assert_eq!(symbols(&[(0, 5)], 5).unwrap(), [(0, 0), (END, 0)]);
        assert_eq!(
            symbols(&[(0, 5), (1, -1), (4, 2), (37, 3)], 8).unwrap(),
            [
                (2, 0b00),
                (0x01, 0),
                (0x22, 0b10),
                (ZEROS, 0),
                (ZEROS, 0),
                (0x02, 0b11),
                (END, 0)
            ]
        );
    }

    #[test]
    fn a_full_block_has_no_end() {
        assert_eq!(symbols(&[(63, 1)], 0).unwrap().last(), Some(&(0xe1, 1)));
    }

    #[test]
    fn magnitudes_are_what_decoders_extend() {
        for value in -1023..=1023 {
            let (size, bits) = magnitude_of(value, AC_BITS).unwrap();
            assert_eq!(extend(bits, size.into()), value);
        }
    }

    #[test]
    fn what_baseline_cannot_code_is_not_supported() {
        assert!(symbols(&[(0, 1023), (1, -1023)], -1024).is_ok());
        for (coefficient, prediction) in [((0, 1024), -1024), ((1, 1024), 0), ((9, -1024), 0)] {
            let error = symbols(&[coefficient], prediction).unwrap_err();
            assert!(matches!(error, Error::Unsupported(_)), "{error}");
        }
        assert!(symbols(&[(0, i16::MIN), (1, i16::MIN)], 0).is_err());
    }
}
