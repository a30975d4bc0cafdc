//! Scans: their headers, and the walk over their MCUs from one restart to the next (ITU-T T.81, A.2, B.2.3, E.2.4).

use std::sync::Arc;

use crate::bit_reader::Bits;
use crate::error::{Error, Result};
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::huffman::{Class, Table};
use crate::marker::Segment;
use crate::progressive::Band;
use crate::tables::Tables;
use crate::unstuff::Unstuffed;

/// Blocks in an MCU, at most (B.2.3).
pub(crate) const MAX_UNITS: usize = 10;

/// What is to be done about damage in a scan's data.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// It is an error.
    #[default]
    Error,
    /// What is missing becomes grey, what cannot be read is guessed. Of a file that was cut off within its only scan this is
    /// libjpeg's picture; of others nearly, for it smooths blocks of progressive images and searches for lost restarts.
    Fill,
}

/// The header of a scan.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    parts: [Part; MAX_COMPONENTS],
    count: usize,
    pub(crate) band: Band,
    units: [Unit; MAX_UNITS],
    unit_count: usize,
    /// MCUs in a row, and rows of them.
    pub(crate) mcus: (usize, usize),
    restart_interval: usize,
}

/// A component of a scan.
#[derive(Debug, Default, Clone)]
pub(crate) struct Part {
    /// Its place in the frame.
    pub(crate) component: usize,
    dc: Option<Arc<Table>>,
    ac: Option<Arc<Table>>,
}

/// A block of an MCU.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its component's place in the scan.
    pub(crate) part: usize,
    /// Its component's place in the frame.
    pub(crate) component: usize,
    /// Its place among the component's blocks of this MCU.
    pub(crate) x: usize,
    pub(crate) y: usize,
    /// The component's blocks in an MCU.
    pub(crate) across: usize,
    pub(crate) down: usize,
}

impl Scan {
    pub(crate) fn read(segment: &Segment<'_>, frame: &Frame, tables: &Tables) -> Result<Self> {
        let cut = segment.damaged("a scan's header is cut off");
        let (&count, rest) = segment.content.split_first().ok_or(cut.clone())?;
        let (selectors, rest) = rest
            .split_at_checked(2 * usize::from(count))
            .ok_or(cut.clone())?;
        let &[first, last, bits, ..] = rest else {
            return Err(cut);
        };
        let mut scan = Self {
            parts: Default::default(),
            count: 0,
            band: Band {
                first: first.into(),
                last: last.into(),
                high: (bits >> 4).into(),
                low: (bits & 15).into(),
            },
            units: [Unit::default(); MAX_UNITS],
            unit_count: 0,
            mcus: frame.mcus(),
            restart_interval: tables.restart_interval,
        };
        for &selector in selectors.as_chunks::<2>().0 {
            scan.add(selector, frame, tables, segment)?;
        }
        scan.lay_out(frame, segment)?;
        scan.check(frame, segment)?;
        Ok(scan)
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts[..self.count]
    }

    pub(crate) fn units(&self) -> &[Unit] {
        &self.units[..self.unit_count]
    }

    /// The Huffman tables of a component: for DC and for AC coefficients.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a table was not defined that `classes` ask for.
    pub(crate) fn check_tables(&self, classes: &[Class], segment: &Segment<'_>) -> Result<()> {
        let is_there = |part: &Part| classes.iter().all(|&class| part.table(class).is_some());
        if self.parts().iter().all(is_there) {
            return Ok(());
        }
        Err(segment.damaged("a scan needs a Huffman table that there is not"))
    }

    fn add(
        &mut self,
        [id, numbers]: [u8; 2],
        frame: &Frame,
        tables: &Tables,
        segment: &Segment<'_>,
    ) -> Result<()> {
        // libjpeg's rule for names that are not unique: the first that is not taken.
        let is_taken = |at: usize| self.parts().iter().any(|part| part.component == at);
        let mut named = (0..).zip(frame.components()).filter(|(_, c)| c.id == id);
        let (component, _) = named
            .find(|&(at, _)| !is_taken(at))
            .ok_or(segment.damaged("a scan has a component that the frame has not"))?;
        let table = |class, number| tables.huffman(class, usize::from(number)).cloned();
        self.parts[self.count] = Part {
            component,
            dc: table(Class::Dc, numbers >> 4),
            ac: table(Class::Ac, numbers & 15),
        };
        self.count += 1;
        Ok(())
    }

    /// Lists the blocks of an MCU. Of a component alone it is one block, and those without samples are left out (A.2).
    fn lay_out(&mut self, frame: &Frame, segment: &Segment<'_>) -> Result<()> {
        let is_alone = self.count == 1;
        for part in 0..self.count {
            let component = self.parts[part].component;
            let of_frame = &frame.components()[component];
            let (across, down) = if is_alone {
                self.mcus = frame.blocks(of_frame);
                (1, 1)
            } else {
                (of_frame.across, of_frame.down)
            };
            for (y, x) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
                let unit = self.units.get_mut(self.unit_count);
                *unit.ok_or(segment.damaged("an MCU has more than ten blocks"))? = Unit {
                    part,
                    component,
                    x,
                    y,
                    across,
                    down,
                };
                self.unit_count += 1;
            }
        }
        Ok(())
    }

    fn check(&self, frame: &Frame, segment: &Segment<'_>) -> Result<()> {
        let Band {
            first,
            last,
            high,
            low,
        } = self.band;
        let is_band = match (first, last) {
            (0, 0) => true,
            (0, _) => false,
            _ => first <= last && last < 64 && self.count == 1,
        };
        let is_precision = low <= 13 && (high == 0 || high == low + 1);
        if frame.is_progressive && !(is_band && is_precision) {
            return Err(segment.damaged("a scan's band of coefficients cannot be"));
        }
        if self.count == 0 {
            return Err(segment.damaged("a scan has no components"));
        }
        Ok(())
    }
}

impl Part {
    pub(crate) fn table(&self, class: Class) -> Option<&Table> {
        match class {
            Class::Dc => self.dc.as_deref(),
            Class::Ac => self.ac.as_deref(),
        }
    }
}

/// Where a walk over a scan's MCUs is, but for the bits: whoever walks holds these, in registers if it is well done.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    jpeg: &'a [u8],
    data: &'a Unstuffed,
    /// The segment between restarts.
    number: usize,
    /// Each part's last DC coefficient.
    pub(crate) predictions: [i32; MAX_COMPONENTS],
    /// Blocks that end before they begin.
    pub(crate) run: u32,
    restart_interval: usize,
    /// MCUs until the next restart.
    left: usize,
    on_damage: OnDamage,
    /// The data is used up, and what comes until the next restart is grey.
    is_exhausted: bool,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(
        jpeg: &'a [u8],
        data: &'a Unstuffed,
        scan: &Scan,
        on_damage: OnDamage,
    ) -> Self {
        Self {
            jpeg,
            data,
            number: 0,
            predictions: [0; MAX_COMPONENTS],
            run: 0,
            restart_interval: scan.restart_interval,
            left: scan.restart_interval,
            on_damage,
            is_exhausted: false,
        }
    }

    /// The bits that it begins with.
    pub(crate) fn bits(&self) -> Bits<'a> {
        let first = self.data.segment(0);
        Bits::new(first.map_or(&[], |(_, bytes)| bytes))
    }

    /// Begins an MCU. `false` if there is no data for it.
    ///
    /// # Errors
    /// A restart that is not where it must be.
    #[inline]
    pub(crate) fn begin(&mut self, bits: &mut Bits<'a>) -> Result<bool> {
        if self.restart_interval > 0 {
            if self.left == 0 {
                *bits = self.restart(*bits)?;
            }
            self.left -= 1;
        }
        Ok(!self.is_exhausted)
    }

    /// Leaves out so many MCUs, or fewer, for which there is no data up to the next restart. Gives how many.
    pub(crate) fn leave_out(&mut self, most: usize) -> usize {
        let count = self.up_to_restart(most);
        self.left = self.left.saturating_sub(count);
        count
    }

    /// How many of the next blocks the run has, of as many as that at most; the scan is of one component.
    pub(crate) fn most_of_run(&self, most: usize) -> usize {
        self.up_to_restart(most.min(self.run as usize))
    }

    /// Passes over so many blocks of the run. Gives their number.
    pub(crate) fn pass(&mut self, count: usize) -> usize {
        self.run -= count as u32;
        self.left = self.left.saturating_sub(count);
        count
    }

    fn up_to_restart(&self, most: usize) -> usize {
        if self.restart_interval == 0 {
            most
        } else {
            most.min(self.left)
        }
    }

    /// Whether the data is used up and no restart brings more. Otherwise a hundred scans without data, a kilobyte in all, of
    /// a large image would take seconds.
    pub(crate) fn is_over(&self) -> bool {
        self.is_exhausted && (self.restart_interval == 0 || !self.ends_with_restart())
    }

    /// Whether the segment ends with the restart marker that must be there.
    fn ends_with_restart(&self) -> bool {
        let here = self.data.segment(self.number);
        here.is_some_and(|(segment, _)| segment.ends_with_restart(self.number))
    }

    /// Passes over so many MCUs without reading them, if restarts come before and behind them. Gives the bits behind.
    pub(crate) fn leap(&mut self, mcus: usize) -> Option<Bits<'a>> {
        let interval = self.restart_interval;
        let is_due = self.left == 0 || self.left == interval;
        if interval == 0
            || !is_due
            || !mcus.is_multiple_of(interval)
            || self.on_damage == OnDamage::Fill
        {
            return None;
        }
        let next = self.number + usize::from(self.left == 0) + mcus / interval;
        let ends_well = |number: usize| {
            let segment = self.data.segment(number);
            segment.is_some_and(|(segment, _)| segment.ends_with_restart(number))
        };
        let (_, bytes) = self.data.segment(next)?;
        if !(self.number..next).all(ends_well) {
            return None;
        }
        self.number = next;
        self.left = interval;
        self.predictions = [0; MAX_COMPONENTS];
        Some(Bits::new(bytes))
    }

    /// Ends an MCU.
    ///
    /// # Errors
    /// The data was not enough for it, or cannot be.
    #[inline]
    pub(crate) fn end(&mut self, bits: Bits<'a>) -> Result<()> {
        if bits.is_faulty() || bits.is_overrun() {
            return self.complain(bits);
        }
        Ok(())
    }

    #[cold]
    fn complain(&mut self, bits: Bits<'a>) -> Result<()> {
        let is_overrun = bits.is_overrun();
        if self.on_damage == OnDamage::Fill {
            self.is_exhausted |= is_overrun;
            return Ok(());
        }
        let ends = self
            .data
            .segment(self.number)
            .and_then(|(segment, _)| segment.marker);
        let offset = self.data.origin(self.jpeg, self.number, bits.bytes_read());
        Err(match (is_overrun, ends) {
            (true, None) => Error::Truncated { offset },
            (true, Some(_)) => {
                Error::damaged(offset, "a marker stands before the end of the scan's data")
            }
            (false, _) => Error::damaged(offset, "the scan has a code that cannot be"),
        })
    }

    /// Bytes of the scan's data that nobody has read.
    pub(crate) fn left_over(&self, bits: Bits<'a>) -> usize {
        let later = (self.number + 1..).map_while(|number| self.data.segment(number));
        bits.bytes_left() + later.map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// Goes on behind the next restart marker (E.2.4).
    fn restart(&mut self, bits: Bits<'a>) -> Result<Bits<'a>> {
        let is_there = self.ends_with_restart();
        let is_used_up = bits.bytes_left() == 0;
        if self.on_damage == OnDamage::Error && !(is_there && is_used_up) {
            let offset = self.data.origin(self.jpeg, self.number, bits.bytes_read());
            return Err(Error::damaged(
                offset,
                "a restart marker is missing, or not where it must be",
            ));
        }
        let next = is_there
            .then(|| self.data.segment(self.number + 1))
            .flatten();
        self.number += usize::from(is_there);
        // Without the marker, one more MCU is read from zeros, as libjpeg has it.
        self.is_exhausted &= next.is_none();
        self.predictions = [0; MAX_COMPONENTS];
        self.run = 0;
        self.left = self.restart_interval;
        Ok(Bits::new(next.map_or(&[], |(_, bytes)| bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marker::{SOF0, SOS};

    /// Unstuffed data, and the header of a scan of MCUs of which each ends with a restart.
    fn scan(jpeg: &[u8]) -> (Unstuffed, Scan) {
        let segment = |marker, content| Segment {
            marker,
            content,
            offset: 0,
        };
        let frame = segment(SOF0, &[8, 0, 8, 0, 16, 1, 1, 0x11, 0][..]);
        let header = segment(SOS, &[1, 1, 0, 0, 63, 0]);
        let mut tables = Tables::default();
        tables.restart_interval = 1;
        let mut data = Unstuffed::default();
        data.read(jpeg, 0);
        let frame = Frame::read(&frame).unwrap();
        (data, Scan::read(&header, &frame, &tables).unwrap())
    }

    /// What is read first behind a leap over two MCUs, of a byte each.
    fn behind_two_mcus(jpeg: &[u8]) -> Option<u32> {
        let (data, scan) = scan(jpeg);
        let mut walk = Walk::new(jpeg, &data, &scan, OnDamage::Error);
        walk.leap(2).map(|mut bits| bits.take(8))
    }

    #[test]
    fn only_restarts_that_are_all_in_turn_are_leapt_over() {
        let jpeg = [1, 0xff, 0xd0, 2, 0xff, 0xd1, 3, 0xff, 0xd9];
        assert_eq!(behind_two_mcus(&jpeg), Some(3));
        for (at, restart) in [(2, 0xd1), (5, 0xd2)] {
            let mut odd = jpeg;
            odd[at] = restart;
            assert_eq!(behind_two_mcus(&odd), None);
        }
        assert_eq!(behind_two_mcus(&jpeg[..3]), None);
    }

    #[test]
    fn a_walk_is_over_where_neither_data_nor_a_restart_is_left() {
        let jpeg = [0xff, 0xd0, 7, 0xff, 0xd9];
        let (data, scan) = scan(&jpeg);
        let mut walk = Walk::new(&jpeg, &data, &scan, OnDamage::Fill);
        let mut bits = walk.bits();
        // Of each MCU, more bits than there are.
        let mut read = || {
            let has_data = walk.begin(&mut bits).unwrap();
            bits.take(16);
            walk.end(bits).unwrap();
            (has_data, walk.is_over())
        };
        assert_eq!([read(), read()], [(true, false), (true, true)]);
    }
}
