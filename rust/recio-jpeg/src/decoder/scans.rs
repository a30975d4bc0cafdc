//! From the tables to the last scan: opens an image's only scan, or reads all coefficients of one in several (ITU-T T.81,
//! B.2.1, G.1).

use super::Options;
use super::layout::Layout;
use super::single_scan::SingleScan;
use crate::bit_reader::BitReader;
use crate::block::{BLOCK_LEN, Block};
use crate::coefficients::Coefficients;
use crate::entropy;
use crate::error::{Error, Result};
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::header::Header;
use crate::huffman::TableClass;
use crate::idct::DequantTable;
use crate::marker::{EOI, SOS, Segment, Segments};
use crate::progressive::{self, Band, NonzeroMask};
use crate::scan::{McuBlock, OnDamage, Scan};
use crate::scan_state::ScanState;
use crate::tables::{QuantizationTable, Tables};
use crate::unstuff::UnstuffedData;

/// The scans of a JPEG, and what they found in force.
#[derive(Debug)]
pub(super) struct ScanReader<'a, 't> {
    jpeg: &'a [u8],
    frame: Frame,
    is_single: bool,
    options: Options,
    tables: &'t mut Tables,
    segments: Segments<'a>,
    /// Each component's quantization table, taken when its first scan begins.
    quantization: [Option<QuantizationTable>; MAX_COMPONENTS],
    coefficient_bits: [CoefficientBits; MAX_COMPONENTS],
    /// Bytes of data behind the last blocks that were read, of all scans.
    pub(super) extraneous_bytes: usize,
}

/// The coefficients whose neighbourhood libjpeg guesses if they have not come whole (its "block smoothing").
const SMOOTHED: usize = 10;

/// For each coefficient of a component's blocks, the lowest bit that has come; none if nothing has.
#[derive(Debug, Clone, Copy)]
struct CoefficientBits([Option<u32>; BLOCK_LEN]);

impl<'a, 't> ScanReader<'a, 't> {
    pub(super) fn new(
        jpeg: &'a [u8],
        header: &Header,
        tables: &'t mut Tables,
        options: &Options,
    ) -> Self {
        tables.reset();
        Self {
            jpeg,
            frame: header.frame,
            is_single: header.is_single_scan,
            options: *options,
            tables,
            segments: Segments::new(jpeg, 0),
            quantization: [None; MAX_COMPONENTS],
            coefficient_bits: [CoefficientBits([None; BLOCK_LEN]); MAX_COMPONENTS],
            extraneous_bytes: 0,
        }
    }

    /// Reads up to where the first pixel can be made. Gives the only scan, if it is the only one; else all coefficients are
    /// there.
    pub(super) fn read(
        &mut self,
        layout: &Layout,
        data: &'a mut UnstuffedData,
        coefficients: &mut Coefficients,
    ) -> Result<(Option<SingleScan<'a>>, [DequantTable; MAX_COMPONENTS])> {
        let (segment, scan) = self.first_scan()?;
        let single_scan = if self.is_single {
            scan.check_tables(&[TableClass::Dc, TableClass::Ac], &segment)?;
            data.read(self.jpeg, segment.end());
            coefficients.reset(&self.frame, (layout.mcu_columns.len(), 1));
            let state = ScanState::new(self.jpeg, data, &scan, self.options.on_damage);
            let is_unterminated =
                !data.ends_with_marker() && self.options.on_damage == OnDamage::Error;
            Some(SingleScan::new(
                scan,
                state,
                layout.mcu_columns.clone(),
                is_unterminated,
            ))
        } else {
            let rows = layout.last_mcu_row() + 1;
            self.check_length(rows)?;
            coefficients.reset(&self.frame, self.frame.mcus());
            self.read_scans((segment, scan), rows, data, coefficients)?;
            coefficients.set_last_indices();
            None
        };
        let dequant = self.quantization.map(|table| match table {
            Some(table) => DequantTable::new(&table),
            None => DequantTable::default(),
        });
        Ok((single_scan, dequant))
    }

    /// Reads all coefficients, also those of an image in one scan. Gives each component's quantization table.
    pub(super) fn read_coefficients(
        mut self,
        coefficients: &mut Coefficients,
    ) -> Result<[QuantizationTable; MAX_COMPONENTS]> {
        let first = self.first_scan()?;
        let mcus = self.frame.mcus();
        self.check_length(mcus.1)?;
        coefficients.reset(&self.frame, mcus);
        self.read_scans(first, mcus.1, &mut UnstuffedData::default(), coefficients)?;
        Ok(self
            .quantization
            .map(|table| table.unwrap_or([0; BLOCK_LEN])))
    }

    /// Refuses a JPEG that cannot hold so many rows of MCUs, before there is memory for them: the DC coefficient of each block
    /// takes at least a bit.
    fn check_length(&self, rows: usize) -> Result<()> {
        let blocks = self.frame.components().iter().map(|component| {
            let (columns, block_rows) = self.frame.blocks(component);
            columns * block_rows.min(rows * component.vertical)
        });
        let is_enough = blocks.sum::<usize>() <= self.jpeg.len().saturating_mul(8);
        if is_enough || self.options.on_damage == OnDamage::Fill {
            return Ok(());
        }
        let offset = self.jpeg.len();
        Err(Error::Truncated { offset })
    }

    fn first_scan(&mut self) -> Result<(Segment<'a>, Scan)> {
        let missing = Error::damaged(self.jpeg.len(), "there is no scan");
        self.next_scan()?.ok_or(missing)
    }

    /// The next scan's header, the tables before it read; none if the image ends.
    fn next_scan(&mut self) -> Result<Option<(Segment<'a>, Scan)>> {
        loop {
            let segment = self.segments.next()?;
            match segment.marker {
                EOI => return Ok(None),
                SOS => {
                    if !self.frame.is_progressive {
                        self.tables.assume_default_huffman();
                    }
                    let scan = Scan::read(&segment, &self.frame, self.tables)?;
                    self.save_quantization_tables(&scan, &segment)?;
                    return Ok(Some((segment, scan)));
                }
                _ => self.tables.read(&segment)?,
            }
        }
    }

    fn save_quantization_tables(&mut self, scan: &Scan, segment: &Segment<'_>) -> Result<()> {
        for component in scan.components() {
            let number = self.frame.components()[component.frame_index].quantization;
            let saved = &mut self.quantization[component.frame_index];
            if saved.is_none() {
                let missing = segment.damaged("a scan uses an undefined quantization table");
                *saved = Some(self.tables.quantization[number].ok_or(missing)?);
            }
        }
        Ok(())
    }

    fn read_scans(
        &mut self,
        first: (Segment<'a>, Scan),
        rows: usize,
        data: &mut UnstuffedData,
        coefficients: &mut Coefficients,
    ) -> Result<()> {
        let limit = self.options.max_scans;
        let mut next = Some(first);
        for _ in 0..limit {
            let Some((segment, scan)) = &next else {
                return self.check_complete();
            };
            self.update_progression(scan, segment)?;
            let end = data.read(self.jpeg, segment.end());
            self.extraneous_bytes += self.read_scan(scan, segment, rows, data, coefficients)?;
            self.segments = Segments::new(self.jpeg, end);
            next = match self.next_scan() {
                Err(Error::Truncated { .. }) if self.may_lack_eoi() => None,
                next => next?,
            };
        }
        match next {
            None => self.check_complete(),
            Some(_) => Err(Error::TooManyScans { limit }),
        }
    }

    /// Whether the end-of-image marker may be missing: not of a progressive image that could lack scans, for nothing else
    /// would tell.
    fn may_lack_eoi(&self) -> bool {
        self.options.on_damage == OnDamage::Fill || self.is_complete_up_to(BLOCK_LEN)
    }

    /// Whether the first so many coefficients of all components' blocks have come whole.
    fn is_complete_up_to(&self, count: usize) -> bool {
        let mut components = self.coefficient_bits[..self.frame.components().len()].iter();
        components.all(|coefficient_bits| {
            coefficient_bits.0[..count]
                .iter()
                .all(|&bit| bit == Some(0))
        })
    }

    /// Notes what a scan brings, and refuses one that brings what cannot come now (G.1.1.1).
    fn update_progression(&mut self, scan: &Scan, segment: &Segment<'_>) -> Result<()> {
        let Band { ss, se, ah, al } = scan.band;
        let (band, before, al) = if self.frame.is_progressive {
            (ss..=se, (ah > 0).then_some(ah), al)
        } else {
            (0..=63, None, 0)
        };
        for component in scan.components() {
            let coefficient_bits = &mut self.coefficient_bits[component.frame_index].0;
            let is_next = coefficient_bits[band.clone()]
                .iter()
                .all(|&bit| bit == before)
                && (ss == 0 || coefficient_bits[0].is_some());
            if !is_next && self.options.on_damage == OnDamage::Error {
                return Err(segment.damaged("a scan's coefficients are out of order"));
            }
            coefficient_bits[band.clone()].fill(Some(al));
        }
        Ok(())
    }

    /// Refuses an image whose scans have not brought all.
    fn check_complete(&self) -> Result<()> {
        if self.options.on_damage == OnDamage::Fill || self.is_complete_up_to(SMOOTHED) {
            return Ok(());
        }
        Err(Error::damaged(self.jpeg.len(), "scans are missing"))
    }

    /// Reads a scan's coefficients as far down as they are needed: so many rows of MCUs of the frame. Gives the bytes of data
    /// that are left over.
    fn read_scan(
        &self,
        scan: &Scan,
        segment: &Segment<'_>,
        rows: usize,
        data: &UnstuffedData,
        coefficients: &mut Coefficients,
    ) -> Result<usize> {
        scan.check_tables(required_tables(&self.frame, scan.band), segment)?;
        let mut state = ScanState::new(self.jpeg, data, scan, self.options.on_damage);
        // Of what ends with the JPEG, some may be missing. But where AC coefficients are refined, nothing can be told of
        // blocks whose first bits were not read.
        let is_readable = scan.band.ss == 0 || scan.band.ah == 0;
        let rows = if data.ends_with_marker() || !is_readable {
            self.mcu_rows(scan, rows)
        } else {
            scan.mcus.1
        };
        let blocks = BlockReader {
            scan,
            rows,
            state: &mut state,
            coefficients,
        };
        let Band { ss, ah, .. } = scan.band;
        match (self.frame.is_progressive, ss, ah) {
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

    /// As many rows of a scan's MCUs as that is.
    fn mcu_rows(&self, scan: &Scan, rows: usize) -> usize {
        let rows_per_mcu = match scan.components() {
            [component] => self.frame.components()[component.frame_index].vertical,
            _ => 1,
        };
        (rows * rows_per_mcu).min(scan.mcus.1)
    }
}

/// The tables that a scan's blocks are read with.
fn required_tables(frame: &Frame, band: Band) -> &'static [TableClass] {
    match (frame.is_progressive, band) {
        (false, _) => &[TableClass::Dc, TableClass::Ac],
        (true, Band { ss: 0, ah: 0, .. }) => &[TableClass::Dc],
        (true, Band { ss: 0, .. }) => &[],
        _ => &[TableClass::Ac],
    }
}

/// A block, and which of its coefficients are not zero.
type MaskedBlock<'c> = (&'c mut Block, &'c mut NonzeroMask);

/// The blocks of a scan, in order.
struct BlockReader<'b, 'w> {
    scan: &'b Scan,
    rows: usize,
    state: &'b mut ScanState<'w>,
    coefficients: &'b mut Coefficients,
}

impl<'w> BlockReader<'_, 'w> {
    /// Reads them. `pass` tells how many of the next ones, in their row and at max so many, a run of blocks leaves as they are:
    /// a run costs next to nothing in the data, so it must cost next to nothing here. Otherwise the hundred scans of a large
    /// image, 24 kB in all, take two seconds. Gives the bytes of data that are left over.
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
        // A copy, which stays in registers.
        let mut bits = state.bits();
        for y in 0..rows {
            let mut x = 0;
            while x < scan.mcus.0 {
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
                if state.eob_run > 0 {
                    let max = state.max_run_blocks(scan.mcus.0 - x);
                    x += state.skip_run_blocks(skip(coefficients, scan, (x, y), max));
                }
            }
        }
        Ok(state.extraneous_bytes(bits))
    }
}

/// There are no runs of blocks in the scan.
fn no_run(_: &Coefficients, _: &Scan, _: (usize, usize), _: usize) -> usize {
    0
}

/// BlockReader of a scan that refines in which there is nothing to be refined.
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
        let last = entropy::block(
            bits,
            (dc, ac),
            &mut state.dc_predictions[mcu_block.scan_index],
            block,
        );
        // Beside what an earlier scan of the component left, which only damaged images have.
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
