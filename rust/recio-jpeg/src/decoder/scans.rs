//! Scan reader: opens the only scan of an image, or reads all coefficients of an image in several
//! scans (ITU-T T.81, B.2.1, G.1).

use super::Options;
use super::layout::Layout;
use super::progression::{Progression, SMOOTHED};
use super::scan_blocks::read_blocks;
use super::single_scan::SingleScan;
use super::smoothing::Smoothing;
use crate::block::BLOCK_LEN;
use crate::coefficients::Coefficients;
use crate::error::{Error, Result, reason};
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::header::Header;
use crate::huffman::TableClass;
use crate::idct::DequantTable;
use crate::marker::{EOI, SOS, Segment, Segments};
use crate::progressive::Band;
use crate::scan::{OnDamage, Scan};
use crate::scan_state::ScanState;
use crate::tables::{QuantizationTable, Tables};
use crate::unstuff::UnstuffedData;

/// Scans of a JPEG, and the tables that apply to them.
#[derive(Debug)]
pub(super) struct ScanReader<'a, 't> {
    jpeg: &'a [u8],
    frame: Frame,
    is_single: bool,
    options: Options,
    tables: &'t mut Tables,
    segments: Segments<'a>,
    /// Quantization table of each component, saved at the start of its first scan.
    quantization: [Option<QuantizationTable>; MAX_COMPONENTS],
    progression: Progression,
    /// Last MCU row in which the last scan has data.
    last_good_row: usize,
    /// Bytes of data after the last block, of all scans read so far.
    pub(super) extraneous_bytes: usize,
}

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
            progression: Progression::new(),
            last_good_row: 0,
            extraneous_bytes: 0,
        }
    }

    /// Read up to the data of the first pixels. Return the scan of an image in one scan; otherwise
    /// all coefficients are read.
    pub(super) fn read(
        &mut self,
        layout: &Layout,
        data: &'a mut UnstuffedData,
        coefficients: &mut Coefficients,
    ) -> Result<(Option<SingleScan<'a>>, [DequantTable; MAX_COMPONENTS])> {
        let (segment, scan) = self.first_scan()?;
        let single_scan = if self.is_single {
            scan.check_tables(&[TableClass::Dc, TableClass::Ac], &segment)?;
            data.reserve(self.jpeg.len() - segment.end())?;
            data.read(self.jpeg, segment.end(), scan.restart_interval > 0);
            coefficients.reset(&self.frame, (layout.mcu_columns.len(), 1))?;
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
            coefficients.reset(&self.frame, self.frame.mcus())?;
            self.read_scans((segment, scan), rows, data, coefficients)?;
            if self.smoothing().is_some() {
                self.smooth(rows, data, coefficients)?;
            }
            coefficients.set_last_indices();
            None
        };
        let dequant = self.quantization.map(|table| match table {
            Some(table) => DequantTable::new(&table),
            None => DequantTable::default(),
        });
        Ok((single_scan, dequant))
    }

    /// Read all coefficients, also of an image in one scan. Return each component's quantization
    /// table.
    pub(super) fn read_coefficients(
        mut self,
        coefficients: &mut Coefficients,
    ) -> Result<[QuantizationTable; MAX_COMPONENTS]> {
        let first = self.first_scan()?;
        let mcus = self.frame.mcus();
        self.check_length(mcus.1)?;
        coefficients.reset(&self.frame, mcus)?;
        self.read_scans(first, mcus.1, &mut UnstuffedData::default(), coefficients)?;
        Ok(self
            .quantization
            .map(|table| table.unwrap_or([0; BLOCK_LEN])))
    }

    /// Return the smoothing that the image needs. Missing scans are an error unless filled.
    fn smoothing(&self) -> Option<Smoothing> {
        let last_good_row = self.last_good_row;
        Smoothing::new(
            &self.frame,
            &self.progression,
            &self.quantization,
            last_good_row,
        )
    }

    /// Smooth the image after its first `rows` MCU rows were read. All others must be read first:
    /// the smoothed blocks depend on those below, and on where the data ends.
    fn smooth(
        &mut self,
        rows: usize,
        data: &mut UnstuffedData,
        coefficients: &mut Coefficients,
    ) -> Result<()> {
        let mcus = self.frame.mcus();
        if rows < mcus.1 {
            self.rewind();
            coefficients.reset(&self.frame, mcus)?;
            let first = self.first_scan()?;
            self.read_scans(first, mcus.1, data, coefficients)?;
        }
        if let Some(smoothing) = self.smoothing() {
            smoothing.apply(coefficients);
        }
        Ok(())
    }

    /// Return to the start of the JPEG.
    fn rewind(&mut self) {
        self.tables.reset();
        self.segments = Segments::new(self.jpeg, 0);
        self.quantization = [None; MAX_COMPONENTS];
        self.progression = Progression::new();
        self.extraneous_bytes = 0;
    }

    /// Reject a JPEG that is too short for this many MCU rows, before memory is allocated for them:
    /// the DC coefficient of each block takes at least one bit.
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

    /// Read the tables up to the next scan, and its header. Return `None` at the end of the image.
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
            data.reserve(self.jpeg.len() - segment.end())?;
            let end = data.read(self.jpeg, segment.end(), scan.restart_interval > 0);
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

    /// Whether the EOI marker may be missing. A progressive image may lack it only if all its scans
    /// are complete, because nothing else shows that scans are missing.
    fn may_lack_eoi(&self) -> bool {
        self.options.on_damage == OnDamage::Fill
            || self.progression.is_complete_up_to(&self.frame, BLOCK_LEN)
    }

    /// Record which coefficients a scan contains, and reject a scan that is out of order (G.1.1.1).
    fn update_progression(&mut self, scan: &Scan, segment: &Segment<'_>) -> Result<()> {
        let is_in_order = self.progression.update(&self.frame, scan);
        if !is_in_order && self.options.on_damage == OnDamage::Error {
            return Err(segment.damaged(reason::OUT_OF_ORDER));
        }
        Ok(())
    }

    /// Reject an image with missing scans.
    fn check_complete(&self) -> Result<()> {
        if self.options.on_damage == OnDamage::Fill
            || self.progression.is_complete_up_to(&self.frame, SMOOTHED)
        {
            return Ok(());
        }
        Err(Error::damaged(self.jpeg.len(), reason::MISSING_SCANS))
    }

    /// Read the blocks of a scan in the first `rows` MCU rows of the frame. Return the number of
    /// extraneous bytes.
    fn read_scan(
        &mut self,
        scan: &Scan,
        segment: &Segment<'_>,
        rows: usize,
        data: &UnstuffedData,
        coefficients: &mut Coefficients,
    ) -> Result<usize> {
        scan.check_tables(required_tables(&self.frame, scan.band), segment)?;
        let mut state = ScanState::new(self.jpeg, data, scan, self.options.on_damage);
        // If the data ends with the JPEG, read the entire scan to detect missing data. This is not
        // possible for a refinement of AC coefficients, if the rows below were not read in earlier
        // scans.
        let is_readable = scan.band.ss == 0 || scan.band.ah == 0;
        let rows = if data.ends_with_marker() || !is_readable {
            self.mcu_rows(scan, rows)
        } else {
            scan.mcus.1
        };
        let extraneous_bytes = read_blocks(&self.frame, scan, rows, &mut state, coefficients)?;
        self.last_good_row = match scan.components() {
            [component] => {
                let component = &self.frame.components()[component.frame_index];
                state.last_good_row / self.frame.block_rows_at_once(component)
            }
            _ => state.last_good_row,
        };
        Ok(extraneous_bytes)
    }

    /// Convert a number of MCU rows of the frame to MCU rows of the scan.
    fn mcu_rows(&self, scan: &Scan, rows: usize) -> usize {
        let rows_per_mcu = match scan.components() {
            [component] => self.frame.components()[component.frame_index].vertical,
            _ => 1,
        };
        (rows * rows_per_mcu).min(scan.mcus.1)
    }
}

/// Return the table classes with which a scan's blocks are decoded.
fn required_tables(frame: &Frame, band: Band) -> &'static [TableClass] {
    match (frame.is_progressive, band) {
        (false, _) => &[TableClass::Dc, TableClass::Ac],
        (true, Band { ss: 0, ah: 0, .. }) => &[TableClass::Dc],
        (true, Band { ss: 0, .. }) => &[],
        _ => &[TableClass::Ac],
    }
}
