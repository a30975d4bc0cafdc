//! The tables that segments define between frames and scans (ITU-T T.81, B.2.4).
//!
//! Most files share the standard Huffman tables, and making one ready takes longer than decoding some blocks with it, so
//! the latest are kept, found by the bytes that define them.

use std::sync::Arc;

use crate::block::{LENGTH, ZIGZAG};
use crate::default_tables;
use crate::error::Result;
use crate::huffman::{Class, Table};
use crate::marker::{DHT, DQT, DRI, Segment};

/// Divisors of a block's coefficients, row by row.
pub(crate) type Quantisation = [u16; LENGTH];

/// Tables kept. A file uses four or fewer at a time.
const KEPT: usize = 16;

/// The tables in force.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) quantisation: [Option<Quantisation>; 4],
    dc: [Option<Arc<Table>>; 4],
    ac: [Option<Arc<Table>>; 4],
    /// MCUs from one restart marker to the next; 0: there are none.
    pub(crate) restart_interval: usize,
    kept: Vec<Kept>,
    next: usize,
}

/// A table, and what defined it.
#[derive(Debug)]
struct Kept {
    class: Class,
    definition: Vec<u8>,
    table: Arc<Table>,
}

impl Tables {
    /// Forgets all that the last image defined; tables that may serve again are kept.
    pub(crate) fn reset(&mut self) {
        self.quantisation = [None; 4];
        self.dc.fill(None);
        self.ac.fill(None);
        self.restart_interval = 0;
    }

    /// Takes what a segment defines, if it defines tables.
    pub(crate) fn read(&mut self, segment: &Segment<'_>) -> Result<()> {
        match segment.marker {
            DQT => self.read_quantisation(segment),
            DHT => self.read_huffman(segment),
            DRI => {
                let &[high, low] = segment.content else {
                    return Err(segment.damaged("its restart interval is not of two bytes"));
                };
                self.restart_interval = u16::from_be_bytes([high, low]).into();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Presumes the standard Huffman tables where none were defined: sequential JPEGs may leave them out.
    pub(crate) fn presume_standard(&mut self) {
        for (class, number, definition) in default_tables::TABLES {
            let slot = match class {
                Class::Dc => &mut self.dc[number],
                Class::Ac => &mut self.ac[number],
            };
            if slot.is_none() {
                *slot = keep(&mut self.kept, &mut self.next, class, definition);
            }
        }
    }

    /// A Huffman table in force.
    pub(crate) fn huffman(&self, class: Class, number: usize) -> Option<&Arc<Table>> {
        let tables = match class {
            Class::Dc => &self.dc,
            Class::Ac => &self.ac,
        };
        tables.get(number)?.as_ref()
    }

    fn read_quantisation(&mut self, segment: &Segment<'_>) -> Result<()> {
        let mut rest = segment.content;
        while let Some((&head, values)) = rest.split_first() {
            let (is_wide, number) = (head >> 4 != 0, usize::from(head & 15));
            let length = if is_wide { 2 * LENGTH } else { LENGTH };
            let whole = values.split_at_checked(length);
            let (Some((values, after)), 0..4) = (whole, number) else {
                return Err(segment.damaged("a quantisation table is cut off or beyond the fourth"));
            };
            self.quantisation[number] = Some(quantisation(values, is_wide));
            rest = after;
        }
        Ok(())
    }

    fn read_huffman(&mut self, segment: &Segment<'_>) -> Result<()> {
        let mut rest = segment.content;
        while !rest.is_empty() {
            let (head, definition, after) =
                split_huffman(rest).ok_or(segment.damaged("a Huffman table is cut off"))?;
            let (class, number) = (head >> 4, usize::from(head & 15));
            let (class, tables) = match class {
                0 => (Class::Dc, &mut self.dc),
                1 => (Class::Ac, &mut self.ac),
                _ => return Err(segment.damaged("a Huffman table is of no class")),
            };
            let slot = tables.get_mut(number);
            let slot = slot.ok_or(segment.damaged("a Huffman table is beyond the fourth"))?;
            // Given back first, so that its memory can be used again.
            *slot = None;
            let table = keep(&mut self.kept, &mut self.next, class, definition);
            *slot = Some(table.ok_or(segment.damaged("a Huffman table has codes that cannot be"))?);
            rest = after;
        }
        Ok(())
    }
}

/// The first definition in a segment: what it begins with, its bytes, and what follows.
fn split_huffman(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    let counts = rest.first_chunk::<16>()?;
    let codes: usize = counts.iter().map(|&count| usize::from(count)).sum();
    let (definition, after) = rest.split_at_checked(16 + codes)?;
    (codes <= 256).then_some((head, definition, after))
}

/// The table that a definition stands for: one that was kept, or a new one in place of the oldest.
fn keep(
    kept: &mut Vec<Kept>,
    next: &mut usize,
    class: Class,
    definition: &[u8],
) -> Option<Arc<Table>> {
    let is_same = |kept: &&Kept| kept.class == class && kept.definition == definition;
    if let Some(kept) = kept.iter().find(is_same) {
        return Some(Arc::clone(&kept.table));
    }
    if kept.len() < KEPT {
        kept.push(Kept {
            class,
            definition: Vec::with_capacity(16 + 256),
            table: Arc::default(),
        });
        *next = kept.len() - 1;
    }
    // One that is in force would have to be copied.
    let is_free = |i: &usize| Arc::strong_count(&kept[(*next + i) % KEPT].table) == 1;
    *next += (0..KEPT).find(is_free).unwrap_or(0);
    let oldest = &mut kept[*next % KEPT];
    *next += 1;
    let (counts, symbols) = definition.split_first_chunk()?;
    oldest.class = class;
    oldest.definition.clear();
    Arc::make_mut(&mut oldest.table).fill(class, counts, symbols)?;
    // Last, so that a table that cannot be is not found again.
    oldest.definition.extend_from_slice(definition);
    Some(Arc::clone(&oldest.table))
}

fn quantisation(values: &[u8], is_wide: bool) -> Quantisation {
    let mut table = [0; LENGTH];
    for (k, &place) in ZIGZAG.iter().enumerate() {
        table[usize::from(place)] = if is_wide {
            u16::from_be_bytes([values[2 * k], values[2 * k + 1]])
        } else {
            values[k].into()
        };
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(marker: u8, content: &[u8]) -> Segment<'_> {
        Segment {
            marker,
            content,
            offset: 4,
        }
    }

    /// A table with one code, for this symbol.
    fn definition(head: u8, symbol: u8) -> Vec<u8> {
        let mut bytes = [0; 18];
        (bytes[0], bytes[1], bytes[17]) = (head, 1, symbol);
        bytes.to_vec()
    }

    #[test]
    fn quantisation_tables_come_in_zigzag_order_narrow_or_wide() {
        let mut tables = Tables::default();
        let narrow: Vec<u8> = [1].into_iter().chain(0..64).collect();
        let wide = [0x12].into_iter().chain((0..64).flat_map(|k| [1, k]));
        let both: Vec<u8> = narrow.iter().copied().chain(wide).collect();
        tables.read(&segment(DQT, &both)).unwrap();
        let [None, Some(narrow), Some(wide), None] = tables.quantisation else {
            panic!("other tables");
        };
        assert_eq!((narrow[0], narrow[8], narrow[63]), (0, 2, 63));
        assert_eq!((wide[0], wide[8], wide[63]), (256, 258, 319));
        assert!(tables.read(&segment(DQT, &both[..80])).is_err());
        assert!(
            tables
                .read(&segment(DQT, &[[4].as_slice(), &[1; 64]].concat()))
                .is_err()
        );
    }

    #[test]
    fn a_huffman_table_is_made_once_and_forgotten_in_turn() {
        let mut tables = Tables::default();
        let mut read = |head, symbol| {
            let content = definition(head, symbol);
            tables.read(&segment(DHT, &content)).unwrap();
            Arc::as_ptr(tables.huffman(Class::Ac, 0).unwrap())
        };
        let first = read(0x10, 1);
        assert_eq!(read(0x10, 1), first);
        for symbol in 2..=KEPT as u8 {
            assert_ne!(read(0x10, symbol), first);
        }
        assert_eq!(read(0x10, 1), first);
        // It takes the place of the first, which then takes that of the second.
        assert_eq!(read(0x10, 100), first);
        assert_ne!(read(0x10, 1), first);
    }

    #[test]
    fn a_table_that_cannot_be_is_an_error_each_time() {
        let mut tables = Tables::default();
        let mut content = definition(0, 1);
        content[1] = 3;
        content.extend([1, 1]);
        for _ in 0..2 {
            let error = tables.read(&segment(DHT, &content)).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("at byte 4: a Huffman table has codes")
            );
        }
        for cut in 1..content.len() {
            assert!(tables.read(&segment(DHT, &content[..cut])).is_err());
        }
        assert!(tables.read(&segment(DHT, &definition(0x20, 1))).is_err());
        assert!(tables.read(&segment(DHT, &definition(0x04, 1))).is_err());
    }
}
