//! Rows of pixels, decoded on request.

use super::layout::Layout;
use super::plane::Plane;
use super::single_scan::SingleScan;
use crate::coefficients::Coefficients;
use crate::color::Conversion;
use crate::cpu::SimdLevel;
use crate::error::Result;
use crate::frame::MAX_COMPONENTS;
use crate::idct::DequantTable;

/// Rows of a region, from top to bottom.
///
/// Only requested rows are decoded.
#[derive(Debug)]
pub struct Rows<'a> {
    pub(super) level: SimdLevel,
    pub(super) layout: Layout,
    pub(super) conversion: Conversion,
    pub(super) dequant: [DequantTable; MAX_COMPONENTS],
    /// Scan of an image in one scan, read one MCU row at a time. `None` if all coefficients are
    /// decoded already.
    pub(super) single_scan: Option<SingleScan<'a>>,
    /// Extraneous bytes of an image in several scans.
    pub(super) extraneous_bytes: usize,
    /// First MCU row that is not processed yet.
    pub(super) next_mcu_row: usize,
    /// Row requested last.
    pub(super) last_row: usize,
    pub(super) coefficients: &'a mut Coefficients,
    pub(super) planes: &'a mut [Plane; MAX_COMPONENTS],
    pub(super) sums: &'a mut Vec<u16>,
}

impl Rows<'_> {
    /// Decode row `y` of the region into `out`: `width × channels` samples. Rows are requested from
    /// top to bottom; some may be skipped, and the last one may be requested again.
    ///
    /// # Errors
    /// Damage before the row. No more rows can be read then.
    ///
    /// # Panics
    /// If `y` is outside the region or `out` has a wrong length.
    pub fn read_row(&mut self, y: usize, out: &mut [u8]) -> Result<()> {
        let region = self.layout.region;
        assert!(y < region.height, "row {y} of {}", region.height);
        debug_assert!(self.last_row <= y, "row {y} after row {}", self.last_row);
        self.last_row = y;
        if !self.layout.is_surely_above(y, self.next_mcu_row) {
            let (first, last) = self.layout.mcu_rows(y);
            for mcu_row in first.max(self.next_mcu_row)..=last {
                self.advance(mcu_row)?;
                self.next_mcu_row = mcu_row + 1;
            }
        }
        self.write_pixels(region.y + y, out);
        Ok(())
    }

    /// Return the number of bytes of entropy-coded data after the last block, of all scans. Call
    /// this after all rows of the image were read. libjpeg skips such bytes with a warning; this
    /// decoder skips them silently, because some encoders write a few. Many are a sign of damage
    /// before them.
    #[must_use]
    pub fn extraneous_bytes(&self) -> usize {
        self.single_scan
            .as_ref()
            .map_or(self.extraneous_bytes, SingleScan::extraneous_bytes)
    }

    /// Check that no data is missing below the region, as far as possible without decoding
    /// everything: if the only scan does not end with a marker, read the rest of it.
    ///
    /// # Errors
    /// [`Error::Truncated`](crate::Error::Truncated), or damage in the rest of the scan.
    pub fn finish(mut self) -> Result<()> {
        self.single_scan.as_mut().map_or(Ok(()), SingleScan::finish)
    }

    /// Read an MCU row that is needed, and transform it.
    fn advance(&mut self, mcu_row: usize) -> Result<()> {
        if let Some(single_scan) = &mut self.single_scan {
            self.coefficients.clear();
            single_scan.read_mcu_row(mcu_row, self.coefficients)?;
        }
        self.transform(mcu_row);
        Ok(())
    }

    fn transform(&mut self, mcu_row: usize) {
        let layouts = self.layout.components().iter().zip(&self.dequant);
        for (component, (plane, (layout, dequant))) in
            self.planes.iter_mut().zip(layouts).enumerate()
        {
            if layout.is_needed {
                let origin = match self.single_scan {
                    Some(_) => (self.layout.mcu_columns.start * layout.horizontal, 0),
                    None => (0, mcu_row * layout.vertical),
                };
                let coefficients = (&*self.coefficients, component);
                plane.transform(self.level, layout, dequant, coefficients, mcu_row, origin);
            }
        }
    }

    fn write_pixels(&mut self, y: usize, out: &mut [u8]) {
        let columns = (self.layout.region.x, self.layout.region.width);
        let mut rows: [&[u8]; MAX_COMPONENTS] = [&[]; MAX_COMPONENTS];
        let layouts = self
            .layout
            .components()
            .iter()
            .filter(|layout| layout.is_needed);
        let mut count = 0;
        for ((row, plane), layout) in rows.iter_mut().zip(&mut *self.planes).zip(layouts) {
            *row = plane.row(self.level, layout, columns, y, self.sums);
            count += 1;
        }
        self.conversion.convert_row(self.level, &rows[..count], out);
    }
}
