//! The coefficients of a block, as the scans of progressive JPEGs code them: in bands, and bit by bit (ITU-T T.81, G.1.2).
//!
//! A scan that refines AC coefficients must know at each which are zero still. A [`Map`] says so in one number for all of a
//! block's, so that a run of zeros is skipped by counting bits: 1.9 ms for the benches' progressive photographs in the mean,
//! where looking at one coefficient after another took 2.2. Tried: forcing these functions inline, without a gain.

use crate::bit_reader::Bits;
use crate::block::Block;
use crate::entropy;
use crate::huffman::{BAD, END, Table};

/// What a scan holds of each block.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    /// The numbers of its first and last coefficients.
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The lowest bit that was there before it; 0: none was.
    pub(crate) high: u32,
    /// The lowest bit that it brings.
    pub(crate) low: u32,
}

impl Band {
    /// All of its coefficients.
    fn map(self) -> Map {
        (Map::MAX >> (63 - self.last)) & (Map::MAX << self.first)
    }
}

/// The first bits of a DC coefficient (G.1.2.1).
pub(crate) fn dc_first(
    bits: &mut Bits<'_>,
    table: &Table,
    prediction: &mut i32,
    low: u32,
    block: &mut Block,
) {
    *prediction = prediction.wrapping_add(entropy::difference(bits, table));
    block.0[0] = (*prediction << low) as i16;
}

/// One more bit of a DC coefficient.
pub(crate) fn dc_refine(bits: &mut Bits<'_>, low: u32, block: &mut Block) {
    block.0[0] |= (bits.take(1) << low) as i16;
}

/// Which of a block's AC coefficients are not zero, the k-th by bit k.
pub(crate) type Map = u64;

/// The first bits of a band of AC coefficients (G.1.2.2). `run` is the number of blocks that end before they begin.
pub(crate) fn ac_first(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    (block, map): (&mut Block, &mut Map),
) {
    if *run > 0 {
        *run -= 1;
        return;
    }
    bits.refill();
    let store = |k: usize, value: i16| {
        *block.coded(k) = value << band.low;
        *map |= Map::from(value != 0) << k;
    };
    let end = entropy::coefficients(bits, table, band.first - 1, band.last, store);
    if end.log > 0 {
        *run = run_length(bits, end.log) - 1;
    }
}

/// One more bit of a band of AC coefficients (G.1.2.3).
pub(crate) fn ac_refine(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    (block, map): (&mut Block, &mut Map),
) {
    // What has been dealt with is not looked at again.
    let mut rest = band.map();
    while *run == 0 && rest != 0 {
        match next(bits, table) {
            Next::Run(log) => *run = run_length(bits, log),
            Next::Coefficient { zeros, sign } => {
                let free = (0..zeros).fold(rest & !*map, |free, _| free & free.wrapping_sub(1));
                let place = free & free.wrapping_neg();
                let before = place.wrapping_sub(1);
                refine(bits, band, block, rest & *map & before);
                rest &= !(before | place);
                if sign != 0 {
                    bits.note(place == 0);
                    // Where none is free, libjpeg takes the one behind the band.
                    let at = place.trailing_zeros() as usize;
                    let at = at.min(band.last + 1).min(entropy::LAST);
                    *block.coded(at) = sign << band.low;
                    *map |= 1 << at;
                }
            }
        }
    }
    if *run > 0 {
        refine(bits, band, block, rest & *map);
        *run -= 1;
    }
}

/// How many blocks have nothing to be refined, of those that come first.
pub(crate) fn empty(maps: &[Map], band: Band) -> usize {
    let here = band.map();
    // Several at once, for there may be thousands.
    let (eights, _) = maps.as_chunks::<8>();
    let is_empty = |maps: &&[Map; 8]| maps.iter().fold(0, |all, map| all | map) & here == 0;
    let sure = 8 * eights.iter().take_while(is_empty).count();
    let rest = maps[sure..].iter();
    sure + rest.take_while(|map| **map & here == 0).count()
}

/// What comes next in a scan that refines.
enum Next {
    /// A number of coefficients that stay zero, and 1 or −1 after them; 0 if they are all.
    Coefficient { zeros: usize, sign: i16 },
    /// The logarithm of a run of blocks that have no more.
    Run(u32),
}

fn next(bits: &mut Bits<'_>, table: &Table) -> Next {
    bits.refill();
    let entry = entropy::next_entry(bits, table);
    // A coefficient that is new has but one bit.
    bits.note(entry.advance() == BAD || entry.value().abs() > 1);
    match entry.advance() {
        log @ END.. => Next::Run((log % END) as u32),
        advance => Next::Coefficient {
            zeros: advance - 1,
            sign: entry.value().signum(),
        },
    }
}

/// Reads one more bit of each of these coefficients.
fn refine(bits: &mut Bits<'_>, band: Band, block: &mut Block, mut these: Map) {
    while these != 0 {
        let count = these.count_ones().min(MOST);
        let word = bits.take(count);
        for bit in (0..count).rev() {
            let value = block.coded(these.trailing_zeros() as usize);
            these &= these - 1;
            // libjpeg leaves a bit that was there already.
            if word >> bit & 1 == 1 && *value & 1 << band.low == 0 {
                *value = value.wrapping_add(value.signum() << band.low);
            }
        }
    }
}

/// Bits that are taken at once.
const MOST: u32 = 16;

/// The blocks of a run, of which the logarithm is known.
fn run_length(bits: &mut Bits<'_>, log: u32) -> u32 {
    (1 << log) + bits.take(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huffman::Class;

    /// A table with one code, 0, for a coefficient that is 1 or −1.
    fn ones() -> Table {
        let mut counts = [0; 16];
        counts[0] = 1;
        let mut table = Table::default();
        table.fill(Class::Ac, &counts, &[1]).unwrap();
        table
    }

    #[test]
    fn a_coefficient_for_which_none_is_free_stands_behind_the_band() {
        for (last, place) in [(5, 6), (63, 63)] {
            let (mut block, mut map) = (Block::ZERO, Map::MAX);
            let band = Band {
                first: 1,
                last,
                high: 1,
                low: 0,
            };
            let mut bits = Bits::new(&[0; 20]);
            ac_refine(&mut bits, &ones(), band, &mut 0, (&mut block, &mut map));
            let mut expected = Block::ZERO;
            *expected.coded(place) = -1;
            assert_eq!((bits.is_faulty(), block), (true, expected));
        }
    }
}
