//! Quantization and Huffman tables that segments define between frames and scans (ITU-T T.81,
//! B.2.4).
//!
//! Most files share the default Huffman tables, and building a table takes longer than decoding
//! some blocks with it. So the latest tables are cached, by the bytes that define them.

use std::sync::Arc;

use crate::block::{BLOCK_LEN, ZIGZAG};
use crate::default_tables;
use crate::error::Result;
use crate::huffman::{HuffmanTable, TableClass};
use crate::marker::{DHT, DQT, DRI, Segment};

/// Quantization table in row order.
pub(crate) type QuantizationTable = [u16; BLOCK_LEN];

/// Number of cached tables. A file uses four or fewer at a time.
const CACHE_SIZE: usize = 16;

/// Current tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) quantization: [Option<QuantizationTable>; 4],
    dc: [Option<Arc<HuffmanTable>>; 4],
    ac: [Option<Arc<HuffmanTable>>; 4],
    /// MCUs between restart markers; 0 if there are none.
    pub(crate) restart_interval: usize,
    cache: Vec<CachedTable>,
    next_slot: usize,
}

/// Cached Huffman table and its definition.
#[derive(Debug)]
struct CachedTable {
    class: TableClass,
    definition: Vec<u8>,
    table: Arc<HuffmanTable>,
}

impl Tables {
    /// Remove the tables of the last image. Cached tables are kept.
    pub(crate) fn reset(&mut self) {
        self.quantization = [None; 4];
        self.dc.fill(None);
        self.ac.fill(None);
        self.restart_interval = 0;
    }

    /// Read the tables of a segment; segments of other kinds are ignored.
    pub(crate) fn read(&mut self, segment: &Segment<'_>) -> Result<()> {
        match segment.marker {
            DQT => self.read_quantization(segment),
            DHT => self.read_huffman(segment),
            DRI => {
                let &[high, low] = segment.content else {
                    return Err(segment.damaged("the restart interval must have two bytes"));
                };
                self.restart_interval = u16::from_be_bytes([high, low]).into();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Use the default Huffman tables for those that are undefined: sequential JPEGs may omit them.
    pub(crate) fn assume_default_huffman(&mut self) {
        for (class, number, definition) in default_tables::TABLES {
            let slot = match class {
                TableClass::Dc => &mut self.dc[number],
                TableClass::Ac => &mut self.ac[number],
            };
            if slot.is_none() {
                *slot = cached_table(&mut self.cache, &mut self.next_slot, class, definition);
            }
        }
    }

    /// Return a Huffman table.
    pub(crate) fn huffman(&self, class: TableClass, number: usize) -> Option<&Arc<HuffmanTable>> {
        let tables = match class {
            TableClass::Dc => &self.dc,
            TableClass::Ac => &self.ac,
        };
        tables.get(number)?.as_ref()
    }

    fn read_quantization(&mut self, segment: &Segment<'_>) -> Result<()> {
        let mut rest = segment.content;
        while let Some((&header, values)) = rest.split_first() {
            let (is_16_bit, number) = (header >> 4 != 0, usize::from(header & 15));
            let length = if is_16_bit { 2 * BLOCK_LEN } else { BLOCK_LEN };
            let table_bytes = values.split_at_checked(length);
            let (Some((values, after)), 0..4) = (table_bytes, number) else {
                return Err(segment
                    .damaged("a quantization table is too short or its number is not 0 to 3"));
            };
            self.quantization[number] = Some(quantization(values, is_16_bit));
            rest = after;
        }
        Ok(())
    }

    fn read_huffman(&mut self, segment: &Segment<'_>) -> Result<()> {
        let mut rest = segment.content;
        while !rest.is_empty() {
            let (header, definition, after) =
                split_huffman(rest).ok_or(segment.damaged("a Huffman table is too short"))?;
            let (class, number) = (header >> 4, usize::from(header & 15));
            let (class, tables) = match class {
                0 => (TableClass::Dc, &mut self.dc),
                1 => (TableClass::Ac, &mut self.ac),
                _ => return Err(segment.damaged("a Huffman table's class must be 0 or 1")),
            };
            let slot = tables.get_mut(number);
            let slot = slot.ok_or(segment.damaged("a Huffman table's number must be 0 to 3"))?;
            // Release the old table first, so that its memory can be reused.
            *slot = None;
            let table = cached_table(&mut self.cache, &mut self.next_slot, class, definition);
            *slot = Some(table.ok_or(segment.damaged("a Huffman table has invalid codes"))?);
            rest = after;
        }
        Ok(())
    }
}

/// Split off the first table of a DHT segment: its class and number, its definition, and the rest.
fn split_huffman(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&header, rest) = bytes.split_first()?;
    let counts = rest.first_chunk::<16>()?;
    let codes: usize = counts.iter().map(|&count| usize::from(count)).sum();
    let (definition, after) = rest.split_at_checked(16 + codes)?;
    (codes <= 256).then_some((header, definition, after))
}

/// Return the table of a definition from the cache, or build it in place of the oldest.
fn cached_table(
    cache: &mut Vec<CachedTable>,
    next_slot: &mut usize,
    class: TableClass,
    definition: &[u8],
) -> Option<Arc<HuffmanTable>> {
    let is_same = |cached: &&CachedTable| cached.class == class && cached.definition == definition;
    if let Some(cached) = cache.iter().find(is_same) {
        return Some(Arc::clone(&cached.table));
    }
    if cache.len() < CACHE_SIZE {
        cache.push(CachedTable {
            class,
            definition: Vec::with_capacity(16 + 256),
            table: Arc::default(),
        });
        *next_slot = cache.len() - 1;
    }
    // A table in use would have to be copied.
    let is_free = |i: &usize| Arc::strong_count(&cache[(*next_slot + i) % CACHE_SIZE].table) == 1;
    *next_slot += (0..CACHE_SIZE).find(is_free).unwrap_or(0);
    let oldest = &mut cache[*next_slot % CACHE_SIZE];
    *next_slot += 1;
    let (counts, symbols) = definition.split_first_chunk()?;
    oldest.class = class;
    oldest.definition.clear();
    Arc::make_mut(&mut oldest.table).fill(class, counts, symbols)?;
    // Set the definition last, so that an invalid table is not found again.
    oldest.definition.extend_from_slice(definition);
    Some(Arc::clone(&oldest.table))
}

fn quantization(values: &[u8], is_16_bit: bool) -> QuantizationTable {
    let mut table = [0; BLOCK_LEN];
    for (k, &index) in ZIGZAG.iter().enumerate() {
        table[usize::from(index)] = if is_16_bit {
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

    /// Return a definition with one code for this symbol.
    fn definition(header: u8, symbol: u8) -> Vec<u8> {
        let mut bytes = [0; 18];
        (bytes[0], bytes[1], bytes[17]) = (header, 1, symbol);
        bytes.to_vec()
    }

    #[test]
    fn quantization_tables_are_read_in_zigzag_order_with_8_or_16_bits() {
        let mut tables = Tables::default();
        let narrow: Vec<u8> = [1].into_iter().chain(0..64).collect();
        let wide = [0x12].into_iter().chain((0..64).flat_map(|k| [1, k]));
        let both: Vec<u8> = narrow.iter().copied().chain(wide).collect();
        tables.read(&segment(DQT, &both)).unwrap();
        let [None, Some(narrow), Some(wide), None] = tables.quantization else {
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
    fn huffman_tables_are_built_once_and_replaced_in_order() {
        let mut tables = Tables::default();
        let mut read = |header, symbol| {
            let content = definition(header, symbol);
            tables.read(&segment(DHT, &content)).unwrap();
            Arc::as_ptr(tables.huffman(TableClass::Ac, 0).unwrap())
        };
        let first = read(0x10, 1);
        assert_eq!(read(0x10, 1), first);
        for symbol in 2..=CACHE_SIZE as u8 {
            assert_ne!(read(0x10, symbol), first);
        }
        assert_eq!(read(0x10, 1), first);
        // It replaces the first table, which then replaces the second.
        assert_eq!(read(0x10, 100), first);
        assert_ne!(read(0x10, 1), first);
    }

    #[test]
    fn an_invalid_huffman_table_is_an_error_each_time() {
        let mut tables = Tables::default();
        let mut content = definition(0, 1);
        content[1] = 3;
        content.extend([1, 1]);
        for _ in 0..2 {
            let error = tables.read(&segment(DHT, &content)).unwrap_err();
            assert!(
                error
                    .to_string()
                    .contains("at byte 4: a Huffman table has invalid codes")
            );
        }
        for cut in 1..content.len() {
            assert!(tables.read(&segment(DHT, &content[..cut])).is_err());
        }
        assert!(tables.read(&segment(DHT, &definition(0x20, 1))).is_err());
        assert!(tables.read(&segment(DHT, &definition(0x04, 1))).is_err());
    }
}
