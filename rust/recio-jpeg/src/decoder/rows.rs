//! Rows of pixels, made when they are asked for.

use super::layout::Layout;
use super::plane::Plane;
use super::single_scan::SingleScan;
use crate::coefficients::Coefficients;
use crate::color::Conversion;
use crate::cpu::SimdLevel;
use crate::error::Result;
use crate::frame::MAX_COMPONENTS;
use crate::idct::DequantTable;

/// The rows of a region, from the top down.
///
/// Only rows that are asked for are made; what others alone need is not computed.
#[derive(Debug)]
pub struct Rows<'a> {
    pub(super) level: SimdLevel,
    pub(super) layout: Layout,
    pub(super) conversion: Conversion,
    pub(super) dequant: [DequantTable; MAX_COMPONENTS],
    /// The image's only scan, which is read a row of MCUs at a time. None: all coefficients are there.
    pub(super) single_scan: Option<SingleScan<'a>>,
    /// Of several scans, the bytes of data that were left over.
    pub(super) extraneous_bytes: usize,
    /// The first row of MCUs that has not been dealt with.
    pub(super) next_mcu_row: usize,
    /// The row that was asked for last.
    pub(super) last_row: usize,
    pub(super) coefficients: &'a mut Coefficients,
    pub(super) planes: &'a mut [Plane; MAX_COMPONENTS],
    pub(super) sums: &'a mut Vec<u16>,
}

impl Rows<'_> {
    /// Writes row `y` of the region: `width × channels` samples. Rows are asked for from the top down; some may be left
    /// out, and the same one may be asked for again.
    ///
    /// # Errors
    /// Damage that comes to light on the way to it; then there are no more rows.
    ///
    /// # Panics
    /// If the region has no such row, or `out` another length.
    pub fn read_row(&mut self, y: usize, out: &mut [u8]) -> Result<()> {
        let region = self.layout.region;
        assert!(y < region.height, "row {y} of {}", region.height);
        debug_assert!(self.last_row <= y, "row {y} after row {}", self.last_row);
        self.last_row = y;
        if !self.layout.is_surely_above(y, self.next_mcu_row) {
            let (first, last) = self.layout.mcu_rows(y);
            while self.next_mcu_row <= last {
                self.advance(self.next_mcu_row >= first)?;
            }
        }
        self.write_pixels(region.y + y, out);
        Ok(())
    }

    /// Bytes of coded data behind the last block, of all scans, once all rows of the picture were asked for. libjpeg passes over
    /// them with a warning, and so does this decoder without: some encoders write a few. Many are a sign of damage before them,
    /// which took other blocks for the right ones.
    #[must_use]
    pub fn extraneous_bytes(&self) -> usize {
        self.single_scan
            .as_ref()
            .map_or(self.extraneous_bytes, SingleScan::extraneous_bytes)
    }

    /// Makes sure that nothing is missing below the region, as far as that can be told without decoding all of it: if the
    /// only scan does not end with a marker, what is left of it is read.
    ///
    /// # Errors
    /// [`Error::Truncated`](crate::Error::Truncated), and damage that comes to light on the way.
    pub fn finish(mut self) -> Result<()> {
        self.single_scan.as_mut().map_or(Ok(()), SingleScan::finish)
    }

    /// Deals with the next row of MCUs.
    fn advance(&mut self, is_needed: bool) -> Result<()> {
        if let Some(single_scan) = &mut self.single_scan {
            if is_needed {
                self.coefficients.clear();
                single_scan.read_mcu_row(Some(self.coefficients))?;
            } else {
                single_scan.read_mcu_row(None)?;
            }
        }
        if is_needed {
            self.transform(self.next_mcu_row);
        }
        self.next_mcu_row += 1;
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
        self.conversion.row(self.level, &rows[..count], out);
    }
}
