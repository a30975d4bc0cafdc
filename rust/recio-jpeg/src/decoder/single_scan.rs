//! Images in one scan: the coefficients of one row of MCUs after another.
//!
//! Blocks that no pixel of the region needs are read, for the next ones can only be found behind them, but not kept. Where
//! a restart begins each row of MCUs, rows are leapt over.

use std::ops::Range;

use crate::bit_reader::Bits;
use crate::coefficients::Coefficients;
use crate::entropy;
use crate::error::Result;
use crate::huffman::{Class, Table};
use crate::scan::{MAX_UNITS, Scan, Walk};

/// A walk over an image's only scan.
#[derive(Debug)]
pub(super) struct Strip<'a> {
    scan: Scan,
    walk: Walk<'a>,
    bits: Bits<'a>,
    /// The rows of MCUs that have been read.
    done: usize,
    /// The columns of MCUs that are kept.
    kept: Range<usize>,
    /// Whether the data ends where the JPEG ends, without a marker: then some may be missing.
    is_open: bool,
}

/// The Huffman tables of each block of an MCU: for DC and AC coefficients.
type Pairs<'s> = [(&'s Table, &'s Table); MAX_UNITS];

impl<'a> Strip<'a> {
    pub(super) fn new(scan: Scan, walk: Walk<'a>, kept: Range<usize>, is_open: bool) -> Self {
        Self {
            scan,
            bits: walk.bits(),
            walk,
            done: 0,
            kept,
            is_open,
        }
    }

    /// Reads the next row of MCUs into `coefficients`; `None` passes over it.
    pub(super) fn next(&mut self, mut coefficients: Option<&mut Coefficients>) -> Result<()> {
        let Self {
            scan,
            walk,
            bits: held,
            kept,
            ..
        } = self;
        if coefficients.is_none()
            && let Some(bits) = walk.leap(scan.mcus.0)
        {
            *held = bits;
            self.done += 1;
            return Ok(());
        }
        let Some(tables) = pairs(scan) else {
            return Ok(());
        };
        // A copy, which stays in registers.
        let mut bits = *held;
        for mcu in 0..scan.mcus.0 {
            if !walk.begin(&mut bits)? {
                continue;
            }
            let units = scan.units().iter().zip(tables);
            match coefficients.as_deref_mut() {
                Some(coefficients) if kept.contains(&mcu) => {
                    for (unit, tables) in units {
                        let x = (mcu - kept.start) * unit.across + unit.x;
                        let (block, extent) = coefficients.block(unit.component, x, unit.y);
                        let prediction = &mut walk.predictions[unit.part];
                        *extent = entropy::block(&mut bits, tables, prediction, block);
                    }
                }
                _ => {
                    for (unit, tables) in units {
                        let prediction = &mut walk.predictions[unit.part];
                        entropy::pass_over(&mut bits, tables, prediction);
                    }
                }
            }
            walk.end(bits)?;
        }
        *held = bits;
        self.done += 1;
        Ok(())
    }

    /// Bytes of the scan's data that have not been read.
    pub(super) fn left_over(&self) -> usize {
        self.walk.left_over(self.bits)
    }

    /// Reads what is left, if some of it may be missing.
    pub(super) fn finish(&mut self) -> Result<()> {
        while self.is_open && self.done < self.scan.mcus.1 {
            self.next(None)?;
        }
        Ok(())
    }
}

fn pairs(scan: &Scan) -> Option<Pairs<'_>> {
    let pair = |unit: usize| {
        let part = &scan.parts()[scan.units().get(unit).map_or(0, |unit| unit.part)];
        Some((part.table(Class::Dc)?, part.table(Class::Ac)?))
    };
    let first = pair(0)?;
    let mut pairs = [first; MAX_UNITS];
    for (unit, slot) in pairs.iter_mut().enumerate() {
        *slot = pair(unit)?;
    }
    Some(pairs)
}
