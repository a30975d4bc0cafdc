//! Rows of pixels, made when they are asked for.

use super::layout::Shape;
use super::plane::Plane;
use super::single_scan::Strip;
use crate::coefficients::Coefficients;
use crate::color::Conversion;
use crate::cpu::Level;
use crate::error::Result;
use crate::frame::MAX_COMPONENTS;
use crate::idct::Divisors;

/// The rows of a region, from the top down.
///
/// Only rows that are asked for are made; what others alone need is not computed.
#[derive(Debug)]
pub struct Rows<'a> {
    pub(super) level: Level,
    pub(super) shape: Shape,
    pub(super) conversion: Conversion,
    pub(super) divisors: [Divisors; MAX_COMPONENTS],
    /// The image's only scan, which is read a row of MCUs at a time. None: all coefficients are there.
    pub(super) strip: Option<Strip<'a>>,
    /// Of several scans, the bytes of data that were left over.
    pub(super) left_over: usize,
    /// The first row of MCUs that has not been dealt with.
    pub(super) ready: usize,
    /// The row that was asked for last.
    pub(super) last: usize,
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
    pub fn row(&mut self, y: usize, out: &mut [u8]) -> Result<()> {
        let region = self.shape.region;
        assert!(y < region.height, "row {y} of {}", region.height);
        debug_assert!(self.last <= y, "row {y} after row {}", self.last);
        self.last = y;
        if !self.shape.is_surely_above(y, self.ready) {
            let (first, last) = self.shape.mcu_rows(y);
            while self.ready <= last {
                self.advance(self.ready >= first)?;
            }
        }
        self.write(region.y + y, out);
        Ok(())
    }

    /// Bytes of coded data behind the last block, of all scans, once all rows of the picture were asked for. libjpeg passes over
    /// them with a warning, and so does this decoder without: some encoders write a few. Many are a sign of damage before them,
    /// which took other blocks for the right ones.
    #[must_use]
    pub fn left_over(&self) -> usize {
        self.strip.as_ref().map_or(self.left_over, Strip::left_over)
    }

    /// Makes sure that nothing is missing below the region, as far as that can be told without decoding all of it: if the
    /// only scan does not end with a marker, what is left of it is read.
    ///
    /// # Errors
    /// [`Error::Truncated`](crate::Error::Truncated), and damage that comes to light on the way.
    pub fn finish(mut self) -> Result<()> {
        self.strip.as_mut().map_or(Ok(()), Strip::finish)
    }

    /// Deals with the next row of MCUs.
    fn advance(&mut self, is_wanted: bool) -> Result<()> {
        if let Some(strip) = &mut self.strip {
            if is_wanted {
                self.coefficients.clear();
                strip.next(Some(self.coefficients))?;
            } else {
                strip.next(None)?;
            }
        }
        if is_wanted {
            self.transform(self.ready);
        }
        self.ready += 1;
        Ok(())
    }

    fn transform(&mut self, mcus: usize) {
        let parts = self.shape.parts().iter().zip(&self.divisors);
        for (component, (plane, (part, divisors))) in self.planes.iter_mut().zip(parts).enumerate()
        {
            if part.is_needed {
                let held = match self.strip {
                    Some(_) => (self.shape.mcus.start * part.across, 0),
                    None => (0, mcus * part.down),
                };
                let coefficients = (&*self.coefficients, component);
                plane.transform(self.level, part, divisors, coefficients, mcus, held);
            }
        }
    }

    fn write(&mut self, y: usize, out: &mut [u8]) {
        let columns = (self.shape.region.x, self.shape.region.width);
        let mut rows: [&[u8]; MAX_COMPONENTS] = [&[]; MAX_COMPONENTS];
        let parts = self.shape.parts().iter().filter(|part| part.is_needed);
        let mut count = 0;
        for ((row, plane), part) in rows.iter_mut().zip(&mut *self.planes).zip(parts) {
            *row = plane.row(self.level, part, columns, y, self.sums);
            count += 1;
        }
        self.conversion.row(self.level, &rows[..count], out);
    }
}
