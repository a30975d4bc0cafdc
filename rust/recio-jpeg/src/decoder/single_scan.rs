//! Images in one scan: reads the coefficients of one MCU row at a time.
//!
//! Blocks above and beside the region must be decoded to find the next ones, but are not stored. If
//! the scan has restarts, decoding continues at the last restart before the next blocks of the
//! region.

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
    /// Number of MCUs that were read or skipped.
    next_mcu: usize,
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
            next_mcu: 0,
            kept_columns,
            is_unterminated,
        }
    }

    /// Read the needed MCUs of a row into `coefficients`. Rows are read from top to bottom.
    pub(super) fn read_mcu_row(
        &mut self,
        row: usize,
        coefficients: &mut Coefficients,
    ) -> Result<()> {
        self.skip_to(row * self.scan.mcus.0 + self.kept_columns.start)?;
        let Some(tables) = table_pairs(&self.scan) else {
            return Ok(());
        };
        let (scan, state) = (&self.scan, &mut self.state);
        // A local copy stays in registers.
        let mut bits = self.bits;
        for mcu in 0..self.kept_columns.len() {
            if !state.begin_mcu(&mut bits)? {
                continue;
            }
            for (mcu_block, tables) in scan.mcu_blocks().iter().zip(tables) {
                let x = mcu * mcu_block.horizontal + mcu_block.x;
                let (block, last_index) = coefficients.block(mcu_block.frame_index, x, mcu_block.y);
                let prediction = &mut state.dc_predictions[mcu_block.scan_index];
                *last_index = entropy::block(&mut bits, tables, prediction, block);
            }
            state.end_mcu(bits)?;
        }
        self.bits = bits;
        self.next_mcu += self.kept_columns.len();
        Ok(())
    }

    /// Skip the MCUs before the given one: up to the last restart from marker to marker, and then
    /// block by block.
    fn skip_to(&mut self, mcu: usize) -> Result<()> {
        let mut count = mcu - self.next_mcu;
        self.next_mcu = mcu;
        if let Some((skipped, bits)) = self.state.skip_to_restart(count) {
            self.bits = bits;
            count -= skipped;
        }
        let Some(tables) = table_pairs(&self.scan) else {
            return Ok(());
        };
        let (scan, state) = (&self.scan, &mut self.state);
        let mut bits = self.bits;
        for _ in 0..count {
            if !state.begin_mcu(&mut bits)? {
                continue;
            }
            for (mcu_block, tables) in scan.mcu_blocks().iter().zip(tables) {
                let prediction = &mut state.dc_predictions[mcu_block.scan_index];
                entropy::skip_block(&mut bits, tables, prediction);
            }
            state.end_mcu(bits)?;
        }
        self.bits = bits;
        Ok(())
    }

    /// Return the number of bytes of the scan's data that were not read.
    pub(super) fn extraneous_bytes(&self) -> usize {
        self.state.extraneous_bytes(self.bits)
    }

    /// Read the rest of the scan if some of it may be missing.
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.is_unterminated {
            let (columns, rows) = self.scan.mcus;
            self.skip_to(columns * rows)?;
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
