//! Blocks of one scan of an image in several scans, in order (ITU-T T.81, G.1.2).

use crate::bit_reader::BitReader;
use crate::block::Block;
use crate::coefficients::Coefficients;
use crate::entropy;
use crate::error::Result;
use crate::frame::Frame;
use crate::huffman::TableClass;
use crate::progressive::{self, Band, NonzeroMask};
use crate::scan::{McuBlock, Scan};
use crate::scan_state::ScanState;

/// Read the blocks of a scan in its first `rows` MCU rows. Return the number of extraneous bytes.
pub(super) fn read_blocks(
    frame: &Frame,
    scan: &Scan,
    rows: usize,
    state: &mut ScanState<'_>,
    coefficients: &mut Coefficients,
) -> Result<usize> {
    let blocks = BlockReader {
        scan,
        rows,
        state,
        coefficients,
    };
    let Band { ss, ah, .. } = scan.band;
    match (frame.is_progressive, ss, ah) {
        (false, ..) => blocks.read_all(sequential, no_run),
        (true, 0, 0) => blocks.read_all(dc_first, no_run),
        (true, 0, _) => {
            let refine =
                |bits: &mut _, _: &mut _, scan: &Scan, _: &_, (block, _): MaskedBlock<'_>| {
                    progressive::dc_refine(bits, scan.band.al, block);
                };
            blocks.read_all(refine, no_run)
        }
        (true, _, 0) => blocks.read_all(ac_first, |_, _, _, max| max),
        (true, ..) => blocks.read_all(ac_refine, empty_blocks),
    }
}

/// A block and the mask of its nonzero coefficients.
type MaskedBlock<'c> = (&'c mut Block, &'c mut NonzeroMask);

/// Reader for the blocks of a scan, in order.
struct BlockReader<'b, 'w> {
    scan: &'b Scan,
    rows: usize,
    state: &'b mut ScanState<'w>,
    coefficients: &'b mut Coefficients,
}

impl<'w> BlockReader<'_, 'w> {
    /// Read all blocks. After a block that starts an EOB run, `skip` returns how many of the next
    /// blocks in the row, at most the given number, the run leaves unchanged. An EOB run costs
    /// almost nothing in the data, so it must cost almost nothing here: without it, a large image
    /// of a hundred scans in 24 kB takes two seconds. Return the number of extraneous bytes.
    #[inline]
    fn read_all(
        self,
        read: impl Fn(&mut BitReader<'w>, &mut ScanState<'w>, &Scan, &McuBlock, MaskedBlock<'_>),
        skip: impl Fn(&Coefficients, &Scan, (usize, usize), usize) -> usize,
    ) -> Result<usize> {
        let Self {
            scan,
            rows,
            state,
            coefficients,
        } = self;
        // A local copy stays in registers.
        let mut bits = state.bits();
        for y in 0..rows {
            let mut x = 0;
            while x < scan.mcus.0 {
                // Before a restart, which may bring new data: as in libjpeg.
                state.mark_row(y);
                if !state.begin_mcu(&mut bits)? {
                    if state.has_ended() {
                        return Ok(0);
                    }
                    x += 1 + state.skip_exhausted_mcus(scan.mcus.0 - x - 1);
                    continue;
                }
                for mcu_block in scan.mcu_blocks() {
                    let (x, y) = (
                        x * mcu_block.horizontal + mcu_block.x,
                        y * mcu_block.vertical + mcu_block.y,
                    );
                    let block = coefficients.block_with_mask(mcu_block.frame_index, x, y);
                    read(&mut bits, state, scan, mcu_block, block);
                }
                state.end_mcu(bits)?;
                x += 1;
                if state.eob_run > 0 && x < scan.mcus.0 {
                    let max = state.blocks_in_run(scan.mcus.0 - x);
                    if max > 0 {
                        state.mark_row(y);
                    }
                    x += state.skip_run_blocks(skip(coefficients, scan, (x, y), max));
                }
            }
        }
        Ok(state.extraneous_bytes(bits))
    }
}

/// Skip no blocks: the scan has no EOB runs.
fn no_run(_: &Coefficients, _: &Scan, _: (usize, usize), _: usize) -> usize {
    0
}

/// Count the blocks of a refinement scan that have nothing to refine.
fn empty_blocks(
    coefficients: &Coefficients,
    scan: &Scan,
    (x, y): (usize, usize),
    max: usize,
) -> usize {
    let component = scan.components()[0].frame_index;
    let masks = coefficients.masks(component, y, x..x + max);
    progressive::count_empty(masks, scan.band)
}

fn sequential(
    bits: &mut BitReader<'_>,
    state: &mut ScanState<'_>,
    scan: &Scan,
    mcu_block: &McuBlock,
    block: MaskedBlock<'_>,
) {
    let component = &scan.components()[mcu_block.scan_index];
    if let (Some(dc), Some(ac)) = (
        component.table(TableClass::Dc),
        component.table(TableClass::Ac),
    ) {
        let (block, mask) = block;
        let prediction = &mut state.dc_predictions[mcu_block.scan_index];
        // Coefficients of an earlier scan of this component, which only damaged images have, are
        // kept where this scan has none.
        let last = entropy::block_over(bits, (dc, ac), prediction, block);
        *mask |= 1 << last;
    }
}

fn dc_first(
    bits: &mut BitReader<'_>,
    state: &mut ScanState<'_>,
    scan: &Scan,
    mcu_block: &McuBlock,
    block: MaskedBlock<'_>,
) {
    if let Some(table) = scan.components()[mcu_block.scan_index].table(TableClass::Dc) {
        let prediction = &mut state.dc_predictions[mcu_block.scan_index];
        progressive::dc_first(bits, table, prediction, scan.band.al, block.0);
    }
}

fn ac_first(
    bits: &mut BitReader<'_>,
    state: &mut ScanState<'_>,
    scan: &Scan,
    mcu_block: &McuBlock,
    block: MaskedBlock<'_>,
) {
    if let Some(table) = scan.components()[mcu_block.scan_index].table(TableClass::Ac) {
        progressive::ac_first(bits, table, scan.band, &mut state.eob_run, block);
    }
}

fn ac_refine(
    bits: &mut BitReader<'_>,
    state: &mut ScanState<'_>,
    scan: &Scan,
    mcu_block: &McuBlock,
    block: MaskedBlock<'_>,
) {
    if let Some(table) = scan.components()[mcu_block.scan_index].table(TableClass::Ac) {
        progressive::ac_refine(bits, table, scan.band, &mut state.eob_run, block);
    }
}
