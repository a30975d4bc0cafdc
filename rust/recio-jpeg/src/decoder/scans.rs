//! From the tables to the last scan: opens an image's only scan, or reads all coefficients of one in several (ITU-T T.81,
//! B.2.1, G.1).

use super::Options;
use super::layout::Shape;
use super::single_scan::Strip;
use crate::bit_reader::Bits;
use crate::block::{Block, LENGTH};
use crate::coefficients::Coefficients;
use crate::entropy;
use crate::error::{Error, Result};
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::header::Header;
use crate::huffman::Class;
use crate::idct::Divisors;
use crate::marker::{EOI, SOS, Segment, Segments};
use crate::progressive::{self, Band, Map};
use crate::scan::{OnDamage, Scan, Unit, Walk};
use crate::tables::{Quantisation, Tables};
use crate::unstuff::Unstuffed;

/// The scans of a JPEG, and what they found in force.
#[derive(Debug)]
pub(super) struct Scans<'a, 't> {
    jpeg: &'a [u8],
    frame: Frame,
    is_single: bool,
    options: Options,
    tables: &'t mut Tables,
    segments: Segments<'a>,
    /// Each component's quantisation table, taken when its first scan begins.
    quantisation: [Option<Quantisation>; MAX_COMPONENTS],
    progress: [Progress; MAX_COMPONENTS],
    /// Bytes of data behind the last blocks that were read, of all scans.
    pub(super) left_over: usize,
}

/// The coefficients whose neighbourhood libjpeg guesses if they have not come whole (its "block smoothing").
const GUESSED: usize = 10;

/// For each coefficient of a component's blocks, the lowest bit that has come; none if nothing has.
#[derive(Debug, Clone, Copy)]
struct Progress([Option<u32>; LENGTH]);

impl<'a, 't> Scans<'a, 't> {
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
            quantisation: [None; MAX_COMPONENTS],
            progress: [Progress([None; LENGTH]); MAX_COMPONENTS],
            left_over: 0,
        }
    }

    /// Reads up to where the first pixel can be made. Gives the only scan, if it is the only one; else all coefficients are
    /// there.
    pub(super) fn read(
        &mut self,
        shape: &Shape,
        data: &'a mut Unstuffed,
        coefficients: &mut Coefficients,
    ) -> Result<(Option<Strip<'a>>, [Divisors; MAX_COMPONENTS])> {
        let (segment, scan) = self.first()?;
        let strip = if self.is_single {
            scan.check_tables(&[Class::Dc, Class::Ac], &segment)?;
            data.read(self.jpeg, segment.end());
            coefficients.reset(&self.frame, (shape.mcus.len(), 1));
            let walk = Walk::new(self.jpeg, data, &scan, self.options.on_damage);
            let is_open = !data.is_closed() && self.options.on_damage == OnDamage::Error;
            Some(Strip::new(scan, walk, shape.mcus.clone(), is_open))
        } else {
            let rows = shape.last_mcu_row() + 1;
            self.check_length(rows)?;
            coefficients.reset(&self.frame, self.frame.mcus());
            self.read_all((segment, scan), rows, data, coefficients)?;
            coefficients.settle();
            None
        };
        let divisors = self.quantisation.map(|table| match table {
            Some(table) => Divisors::new(&table),
            None => Divisors::default(),
        });
        Ok((strip, divisors))
    }

    /// Reads all coefficients, also those of an image in one scan. Gives each component's quantisation table.
    pub(super) fn read_coefficients(
        mut self,
        coefficients: &mut Coefficients,
    ) -> Result<[Quantisation; MAX_COMPONENTS]> {
        let first = self.first()?;
        let mcus = self.frame.mcus();
        self.check_length(mcus.1)?;
        coefficients.reset(&self.frame, mcus);
        self.read_all(first, mcus.1, &mut Unstuffed::default(), coefficients)?;
        Ok(self.quantisation.map(|table| table.unwrap_or([0; LENGTH])))
    }

    /// Refuses a JPEG that cannot hold so many rows of MCUs, before there is memory for them: the DC coefficient of each block
    /// takes at least a bit.
    fn check_length(&self, rows: usize) -> Result<()> {
        let blocks = self.frame.components().iter().map(|component| {
            let (across, down) = self.frame.blocks(component);
            across * down.min(rows * component.down)
        });
        let is_enough = blocks.sum::<usize>() <= self.jpeg.len().saturating_mul(8);
        if is_enough || self.options.on_damage == OnDamage::Fill {
            return Ok(());
        }
        let offset = self.jpeg.len();
        Err(Error::Truncated { offset })
    }

    fn first(&mut self) -> Result<(Segment<'a>, Scan)> {
        let missing = Error::damaged(self.jpeg.len(), "it has no scan");
        self.next()?.ok_or(missing)
    }

    /// The next scan's header, the tables before it read; none if the image ends.
    fn next(&mut self) -> Result<Option<(Segment<'a>, Scan)>> {
        loop {
            let segment = self.segments.next()?;
            match segment.marker {
                EOI => return Ok(None),
                SOS => {
                    if !self.frame.is_progressive {
                        self.tables.presume_standard();
                    }
                    let scan = Scan::read(&segment, &self.frame, self.tables)?;
                    self.take_quantisation(&scan, &segment)?;
                    return Ok(Some((segment, scan)));
                }
                _ => self.tables.read(&segment)?,
            }
        }
    }

    fn take_quantisation(&mut self, scan: &Scan, segment: &Segment<'_>) -> Result<()> {
        for part in scan.parts() {
            let number = self.frame.components()[part.component].quantisation;
            let taken = &mut self.quantisation[part.component];
            if taken.is_none() {
                let missing =
                    segment.damaged("a scan needs a quantisation table that there is not");
                *taken = Some(self.tables.quantisation[number].ok_or(missing)?);
            }
        }
        Ok(())
    }

    fn read_all(
        &mut self,
        first: (Segment<'a>, Scan),
        rows: usize,
        data: &mut Unstuffed,
        coefficients: &mut Coefficients,
    ) -> Result<()> {
        let limit = self.options.max_scans;
        let mut next = Some(first);
        for _ in 0..limit {
            let Some((segment, scan)) = &next else {
                return self.check_whole();
            };
            self.advance(scan, segment)?;
            let end = data.read(self.jpeg, segment.end());
            self.left_over += self.read_scan(scan, segment, rows, data, coefficients)?;
            self.segments = Segments::new(self.jpeg, end);
            next = match self.next() {
                Err(Error::Truncated { .. }) if self.may_end_here() => None,
                next => next?,
            };
        }
        match next {
            None => self.check_whole(),
            Some(_) => Err(Error::TooManyScans { limit }),
        }
    }

    /// Whether the end-of-image marker may be missing: not of a progressive image that could lack scans, for nothing else
    /// would tell.
    fn may_end_here(&self) -> bool {
        self.options.on_damage == OnDamage::Fill || self.has_first(LENGTH)
    }

    /// Whether the first so many coefficients of all components' blocks have come whole.
    fn has_first(&self, count: usize) -> bool {
        let mut components = self.progress[..self.frame.components().len()].iter();
        components.all(|progress| progress.0[..count].iter().all(|&bit| bit == Some(0)))
    }

    /// Notes what a scan brings, and refuses one that brings what cannot come now (G.1.1.1).
    fn advance(&mut self, scan: &Scan, segment: &Segment<'_>) -> Result<()> {
        let Band {
            first,
            last,
            high,
            low,
        } = scan.band;
        let (band, before, low) = if self.frame.is_progressive {
            (first..=last, (high > 0).then_some(high), low)
        } else {
            (0..=63, None, 0)
        };
        for part in scan.parts() {
            let progress = &mut self.progress[part.component].0;
            let is_next = progress[band.clone()].iter().all(|&bit| bit == before)
                && (first == 0 || progress[0].is_some());
            if !is_next && self.options.on_damage == OnDamage::Error {
                return Err(segment.damaged("a scan brings coefficients out of turn"));
            }
            progress[band.clone()].fill(Some(low));
        }
        Ok(())
    }

    /// Refuses an image whose scans have not brought all.
    fn check_whole(&self) -> Result<()> {
        if self.options.on_damage == OnDamage::Fill || self.has_first(GUESSED) {
            return Ok(());
        }
        Err(Error::damaged(self.jpeg.len(), "it lacks scans"))
    }

    /// Reads a scan's coefficients as far down as they are needed: so many rows of MCUs of the frame. Gives the bytes of data
    /// that are left over.
    fn read_scan(
        &self,
        scan: &Scan,
        segment: &Segment<'_>,
        rows: usize,
        data: &Unstuffed,
        coefficients: &mut Coefficients,
    ) -> Result<usize> {
        scan.check_tables(classes(&self.frame, scan.band), segment)?;
        let mut walk = Walk::new(self.jpeg, data, scan, self.options.on_damage);
        // Of what ends with the JPEG, some may be missing. But where AC coefficients are refined, nothing can be told of
        // blocks whose first bits were not read.
        let is_readable = scan.band.first == 0 || scan.band.high == 0;
        let rows = if data.is_closed() || !is_readable {
            self.rows(scan, rows)
        } else {
            scan.mcus.1
        };
        let blocks = Blocks {
            scan,
            rows,
            walk: &mut walk,
            coefficients,
        };
        let Band { first, high, .. } = scan.band;
        match (self.frame.is_progressive, first, high) {
            (false, ..) => blocks.each(sequential, no_run),
            (true, 0, 0) => blocks.each(dc_first, no_run),
            (true, 0, _) => {
                let refine =
                    |bits: &mut _, _: &mut _, scan: &Scan, _: &_, (block, _): Mapped<'_>| {
                        progressive::dc_refine(bits, scan.band.low, block);
                    };
                blocks.each(refine, no_run)
            }
            (true, _, 0) => blocks.each(ac_first, |_, _, _, most| most),
            (true, ..) => blocks.each(ac_refine, empty_blocks),
        }
    }

    /// As many rows of a scan's MCUs as that is.
    fn rows(&self, scan: &Scan, rows: usize) -> usize {
        let of_mcu = match scan.parts() {
            [part] => self.frame.components()[part.component].down,
            _ => 1,
        };
        (rows * of_mcu).min(scan.mcus.1)
    }
}

/// The tables that a scan's blocks are read with.
fn classes(frame: &Frame, band: Band) -> &'static [Class] {
    match (frame.is_progressive, band) {
        (false, _) => &[Class::Dc, Class::Ac],
        (
            true,
            Band {
                first: 0, high: 0, ..
            },
        ) => &[Class::Dc],
        (true, Band { first: 0, .. }) => &[],
        _ => &[Class::Ac],
    }
}

/// A block, and which of its coefficients are not zero.
type Mapped<'c> = (&'c mut Block, &'c mut Map);

/// The blocks of a scan, in order.
struct Blocks<'b, 'w> {
    scan: &'b Scan,
    rows: usize,
    walk: &'b mut Walk<'w>,
    coefficients: &'b mut Coefficients,
}

impl<'w> Blocks<'_, 'w> {
    /// Reads them. `pass` tells how many of the next ones, in their row and at most so many, a run of blocks leaves as they are:
    /// a run costs next to nothing in the data, so it must cost next to nothing here. Otherwise the hundred scans of a large
    /// image, 24 kB in all, take two seconds. Gives the bytes of data that are left over.
    #[inline]
    fn each(
        self,
        read: impl Fn(&mut Bits<'w>, &mut Walk<'w>, &Scan, &Unit, Mapped<'_>),
        pass: impl Fn(&Coefficients, &Scan, (usize, usize), usize) -> usize,
    ) -> Result<usize> {
        let Self {
            scan,
            rows,
            walk,
            coefficients,
        } = self;
        // A copy, which stays in registers.
        let mut bits = walk.bits();
        for y in 0..rows {
            let mut x = 0;
            while x < scan.mcus.0 {
                if !walk.begin(&mut bits)? {
                    if walk.is_over() {
                        return Ok(0);
                    }
                    x += 1 + walk.leave_out(scan.mcus.0 - x - 1);
                    continue;
                }
                for unit in scan.units() {
                    let (x, y) = (x * unit.across + unit.x, y * unit.down + unit.y);
                    let mapped = coefficients.mapped(unit.component, x, y);
                    read(&mut bits, walk, scan, unit, mapped);
                }
                walk.end(bits)?;
                x += 1;
                if walk.run > 0 {
                    let most = walk.most_of_run(scan.mcus.0 - x);
                    x += walk.pass(pass(coefficients, scan, (x, y), most));
                }
            }
        }
        Ok(walk.left_over(bits))
    }
}

/// There are no runs of blocks in the scan.
fn no_run(_: &Coefficients, _: &Scan, _: (usize, usize), _: usize) -> usize {
    0
}

/// Blocks of a scan that refines in which there is nothing to be refined.
fn empty_blocks(
    coefficients: &Coefficients,
    scan: &Scan,
    (x, y): (usize, usize),
    most: usize,
) -> usize {
    let component = scan.parts()[0].component;
    let maps = coefficients.maps(component, y, x..x + most);
    progressive::empty(maps, scan.band)
}

fn sequential(
    bits: &mut Bits<'_>,
    walk: &mut Walk<'_>,
    scan: &Scan,
    unit: &Unit,
    block: Mapped<'_>,
) {
    let part = &scan.parts()[unit.part];
    if let (Some(dc), Some(ac)) = (part.table(Class::Dc), part.table(Class::Ac)) {
        let (block, map) = block;
        let last = entropy::block(bits, (dc, ac), &mut walk.predictions[unit.part], block);
        // Beside what an earlier scan of the component left, which only damaged images have.
        *map |= 1 << last;
    }
}

fn dc_first(bits: &mut Bits<'_>, walk: &mut Walk<'_>, scan: &Scan, unit: &Unit, block: Mapped<'_>) {
    if let Some(table) = scan.parts()[unit.part].table(Class::Dc) {
        let prediction = &mut walk.predictions[unit.part];
        progressive::dc_first(bits, table, prediction, scan.band.low, block.0);
    }
}

fn ac_first(bits: &mut Bits<'_>, walk: &mut Walk<'_>, scan: &Scan, unit: &Unit, block: Mapped<'_>) {
    if let Some(table) = scan.parts()[unit.part].table(Class::Ac) {
        progressive::ac_first(bits, table, scan.band, &mut walk.run, block);
    }
}

fn ac_refine(
    bits: &mut Bits<'_>,
    walk: &mut Walk<'_>,
    scan: &Scan,
    unit: &Unit,
    block: Mapped<'_>,
) {
    if let Some(table) = scan.parts()[unit.part].table(Class::Ac) {
        progressive::ac_refine(bits, table, scan.band, &mut walk.run, block);
    }
}
