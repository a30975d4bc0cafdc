//! Images in one scan: reads the coefficients of one MCU row at a time.
//!
//! Blocks outside the region must be decoded to find the next ones, but are not stored. If each MCU
//! row starts with a restart, rows are skipped from marker to marker.

use std::ops::Range;

use crate::bit_reader::BitReader;
use crate::coefficients::Coefficients;
use crate::entropy;
use crate::error::Result;
use crate::huffman::{HuffmanTable, TableClass};
use crate::scan::{MAX_MCU_BLOCKS, Scan};
use crate::scan_state::ScanState;

/// Reader for the only scan of an image.
#[derive(Debug)]
pub(super) struct SingleScan<'a> {
    scan: Scan,
    state: ScanState<'a>,
    bits: BitReader<'a>,
    /// Number of MCU rows that were read.
    next_row: usize,
    /// Columns of MCUs whose coefficients are stored.
    kept_columns: Range<usize>,
    /// Whether the data ends with the JPEG, without a marker. Some of it may be missing then.
    is_unterminated: bool,
}

/// DC and AC tables of each block of an MCU.
type TablePairs<'s> = [(&'s HuffmanTable, &'s HuffmanTable); MAX_MCU_BLOCKS];

impl<'a> SingleScan<'a> {
    pub(super) fn new(
        scan: Scan,
        state: ScanState<'a>,
        kept_columns: Range<usize>,
        is_unterminated: bool,
    ) -> Self {
        Self {
            scan,
            bits: state.bits(),
            state,
            next_row: 0,
            kept_columns,
            is_unterminated,
        }
    }

    /// Read the next MCU row into `coefficients`, or skip it if `None`.
    pub(super) fn read_mcu_row(
        &mut self,
        mut coefficients: Option<&mut Coefficients>,
    ) -> Result<()> {
        let Self {
            scan,
            state,
            bits: saved_bits,
            kept_columns,
            ..
        } = self;
        if coefficients.is_none()
            && let Some(bits) = state.skip_mcus(scan.mcus.0)
        {
            *saved_bits = bits;
            self.next_row += 1;
            return Ok(());
        }
        let Some(tables) = table_pairs(scan) else {
            return Ok(());
        };
        // A local copy stays in registers.
        let mut bits = *saved_bits;
        for mcu in 0..scan.mcus.0 {
            if !state.begin_mcu(&mut bits)? {
                continue;
            }
            let mcu_blocks = scan.mcu_blocks().iter().zip(tables);
            match coefficients.as_deref_mut() {
                Some(coefficients) if kept_columns.contains(&mcu) => {
                    for (mcu_block, tables) in mcu_blocks {
                        let x = (mcu - kept_columns.start) * mcu_block.horizontal + mcu_block.x;
                        let (block, last_index) =
                            coefficients.block(mcu_block.frame_index, x, mcu_block.y);
                        let prediction = &mut state.dc_predictions[mcu_block.scan_index];
                        *last_index = entropy::block(&mut bits, tables, prediction, block);
                    }
                }
                _ => {
                    for (mcu_block, tables) in mcu_blocks {
                        let prediction = &mut state.dc_predictions[mcu_block.scan_index];
                        entropy::skip_block(&mut bits, tables, prediction);
                    }
                }
            }
            state.end_mcu(bits)?;
        }
        *saved_bits = bits;
        self.next_row += 1;
        Ok(())
    }

    /// Return the number of bytes of the scan's data that were not read.
    pub(super) fn extraneous_bytes(&self) -> usize {
        self.state.extraneous_bytes(self.bits)
    }

    /// Read the rest of the scan if some of it may be missing.
    pub(super) fn finish(&mut self) -> Result<()> {
        while self.is_unterminated && self.next_row < self.scan.mcus.1 {
            self.read_mcu_row(None)?;
        }
        Ok(())
    }
}

fn table_pairs(scan: &Scan) -> Option<TablePairs<'_>> {
    let tables_of = |index: usize| {
        let component = &scan.components()[scan
            .mcu_blocks()
            .get(index)
            .map_or(0, |mcu_block| mcu_block.scan_index)];
        Some((
            component.table(TableClass::Dc)?,
            component.table(TableClass::Ac)?,
        ))
    };
    let first = tables_of(0)?;
    let mut table_pairs = [first; MAX_MCU_BLOCKS];
    for (index, pair) in table_pairs.iter_mut().enumerate() {
        *pair = tables_of(index)?;
    }
    Some(table_pairs)
}
