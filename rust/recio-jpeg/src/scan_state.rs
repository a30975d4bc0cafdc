//! State of decoding a scan, from one restart to the next (ITU-T T.81, E.2.4).

use crate::bit_reader::BitReader;
use crate::error::{Error, Result, reason};
use crate::frame::MAX_COMPONENTS;
use crate::marker::{RST0, RST7, SOF0};
use crate::scan::{OnDamage, Scan};
use crate::unstuff::UnstuffedData;

/// State of decoding a scan, except the bit reader, which callers keep in registers.
#[derive(Debug)]
pub(crate) struct ScanState<'a> {
    jpeg: &'a [u8],
    data: &'a UnstuffedData,
    /// Index of the current segment between restarts.
    segment: usize,
    /// Number of the next restart, which its marker has modulo 8. It is the index of the segment
    /// unless there is damage.
    next_restart: usize,
    /// Last DC coefficient of each component.
    pub(crate) dc_predictions: [i32; MAX_COMPONENTS],
    /// Remaining blocks of the current EOB run.
    pub(crate) eob_run: u32,
    restart_interval: usize,
    /// MCUs until the next restart.
    mcus_to_restart: usize,
    on_damage: OnDamage,
    /// Whether the data is exhausted; the MCUs until the next restart are gray.
    is_exhausted: bool,
    /// Last MCU row in which an MCU starts before the data is exhausted.
    pub(crate) last_good_row: usize,
}

impl<'a> ScanState<'a> {
    pub(crate) fn new(
        jpeg: &'a [u8],
        data: &'a UnstuffedData,
        scan: &Scan,
        on_damage: OnDamage,
    ) -> Self {
        Self {
            jpeg,
            data,
            segment: 0,
            next_restart: 0,
            dc_predictions: [0; MAX_COMPONENTS],
            eob_run: 0,
            restart_interval: scan.restart_interval,
            mcus_to_restart: scan.restart_interval,
            on_damage,
            is_exhausted: false,
            last_good_row: 0,
        }
    }

    /// Return a bit reader at the start of the scan.
    pub(crate) fn bits(&self) -> BitReader<'a> {
        let first = self.data.segment(0);
        BitReader::new(first.map_or(&[], |(_, bytes)| bytes))
    }

    /// Start an MCU. Return `false` if there is no data for it.
    ///
    /// # Errors
    /// A missing or misplaced restart marker.
    #[inline]
    pub(crate) fn begin_mcu(&mut self, bits: &mut BitReader<'a>) -> Result<bool> {
        if self.restart_interval > 0 {
            if self.mcus_to_restart == 0 {
                *bits = self.restart(*bits)?;
            }
            self.mcus_to_restart -= 1;
        }
        Ok(!self.is_exhausted)
    }

    /// Skip at most `max` MCUs for which there is no data before the next restart. Return their
    /// number.
    pub(crate) fn skip_exhausted_mcus(&mut self, max: usize) -> usize {
        let count = self.up_to_restart(max);
        self.mcus_to_restart = self.mcus_to_restart.saturating_sub(count);
        count
    }

    /// Return how many of the next `max` blocks are in the EOB run. The scan has one component.
    pub(crate) fn blocks_in_run(&self, max: usize) -> usize {
        self.up_to_restart(max.min(self.eob_run as usize))
    }

    /// Skip blocks of the EOB run. Return their number.
    pub(crate) fn skip_run_blocks(&mut self, count: usize) -> usize {
        self.eob_run -= count as u32;
        self.mcus_to_restart = self.mcus_to_restart.saturating_sub(count);
        count
    }

    fn up_to_restart(&self, max: usize) -> usize {
        if self.restart_interval == 0 {
            max
        } else {
            max.min(self.mcus_to_restart)
        }
    }

    /// Record that an MCU of row `y` is next, if there is data.
    pub(crate) fn mark_row(&mut self, y: usize) {
        if !self.is_exhausted {
            self.last_good_row = y;
        }
    }

    /// Whether the data is exhausted and no restart can follow. Without this check, a large image
    /// with a hundred scans without data, a kilobyte in all, would take seconds.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_exhausted && (self.restart_interval == 0 || self.is_in_last_segment())
    }

    fn is_in_last_segment(&self) -> bool {
        let current = self.data.segment(self.segment);
        current.is_none_or(|(segment, _)| segment.is_last())
    }

    /// Whether the `n`-th segment from the current one on ends with the expected restart marker.
    fn ends_with_restart(&self, n: usize) -> bool {
        let segment = self.data.segment(self.segment + n);
        segment.is_some_and(|(segment, _)| segment.ends_with_restart(self.next_restart + n))
    }

    /// Skip MCUs up to the last restart among the next `max` ones or directly after them, as long
    /// as the restarts are in order. Return the number of skipped MCUs, and a bit reader after
    /// them.
    pub(crate) fn skip_to_restart(&mut self, max: usize) -> Option<(usize, BitReader<'a>)> {
        let interval = self.restart_interval;
        let after_first = max.checked_sub(self.mcus_to_restart)?;
        let max_restarts = 1 + after_first.checked_div(interval)?;
        let restarts = (0..max_restarts).take_while(|&n| self.ends_with_restart(n));
        let count = restarts.count();
        let skipped = (self.mcus_to_restart + count * interval).checked_sub(interval)?;
        if skipped == 0 {
            return None;
        }
        let (_, bytes) = self.data.segment(self.segment + count)?;
        self.segment += count;
        self.next_restart += count;
        self.mcus_to_restart = interval;
        self.dc_predictions = [0; MAX_COMPONENTS];
        // What was in the skipped segments does not matter after a restart.
        self.is_exhausted = false;
        Some((skipped, BitReader::new(bytes)))
    }

    /// End an MCU.
    ///
    /// # Errors
    /// Missing or invalid data.
    #[inline]
    pub(crate) fn end_mcu(&mut self, bits: BitReader<'a>) -> Result<()> {
        if bits.is_invalid() || bits.is_overrun() {
            return self.handle_damage(bits);
        }
        Ok(())
    }

    #[cold]
    fn handle_damage(&mut self, bits: BitReader<'a>) -> Result<()> {
        let is_overrun = bits.is_overrun();
        if self.on_damage == OnDamage::Fill {
            self.is_exhausted |= is_overrun;
            return Ok(());
        }
        let marker = self
            .data
            .segment(self.segment)
            .and_then(|(segment, _)| segment.marker);
        let offset = self
            .data
            .jpeg_offset(self.jpeg, self.segment, bits.bytes_read());
        Err(match (is_overrun, marker) {
            (true, None) => Error::Truncated { offset },
            (true, Some(_)) => Error::damaged(offset, reason::EARLY_MARKER),
            (false, _) => Error::damaged(offset, reason::INVALID_CODE),
        })
    }

    /// Return the number of bytes of the scan's data that were not read, without padding.
    pub(crate) fn extraneous_bytes(&self, bits: BitReader<'a>) -> usize {
        let later = (self.segment + 1..).map_while(|number| self.data.segment(number));
        let remaining = if bits.has_only_padding() {
            0
        } else {
            bits.bytes_remaining()
        };
        remaining + later.map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    /// Continue after the next restart marker (E.2.4).
    fn restart(&mut self, bits: BitReader<'a>) -> Result<BitReader<'a>> {
        let is_in_order = self.ends_with_restart(0);
        if self.on_damage == OnDamage::Error && !(is_in_order && bits.has_only_padding()) {
            let offset = self
                .data
                .jpeg_offset(self.jpeg, self.segment, bits.bytes_read());
            return Err(Error::damaged(offset, reason::MISSING_RESTART));
        }
        let data = if is_in_order {
            self.next_segment()
        } else {
            self.resynchronize()
        };
        // Without data, one MCU is read from zeros, as in libjpeg, unless the last one was.
        self.is_exhausted &= data.is_none();
        self.next_restart += 1;
        self.dc_predictions = [0; MAX_COMPONENTS];
        self.eob_run = 0;
        self.mcus_to_restart = self.restart_interval;
        Ok(BitReader::new(data.unwrap_or_default()))
    }

    /// Find the data after a restart whose marker is not at the end of the segment, by the rule of
    /// libjpeg (`jpeg_resync_to_restart`). Return `None` if there is none: the marker is lost, and
    /// the one at the end of the segment is that of a later restart or ends the scan.
    fn resynchronize(&mut self) -> Option<&'a [u8]> {
        loop {
            let (segment, _) = self.data.segment(self.segment)?;
            match segment.marker? {
                marker @ RST0..=RST7 => {
                    match (usize::from(marker - RST0) + 8 - self.next_restart % 8) % 8 {
                        1 | 2 => return None,
                        // An earlier restart: its data is skipped.
                        6 | 7 => self.segment += 1,
                        _ => return self.next_segment(),
                    }
                }
                ..SOF0 => self.segment += 1,
                _ => return None,
            }
        }
    }

    /// Advance to the next segment and return its data.
    fn next_segment(&mut self) -> Option<&'a [u8]> {
        self.segment += 1;
        self.data.segment(self.segment).map(|(_, bytes)| bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;
    use crate::marker::Segment;
    use crate::marker::{SOF0, SOS};
    use crate::tables::Tables;

    /// Return the unstuffed data and the header of a scan in which each MCU ends with a restart.
    fn scan(jpeg: &[u8]) -> (UnstuffedData, Scan) {
        let segment = |marker, content| Segment {
            marker,
            content,
            offset: 0,
        };
        let frame = segment(SOF0, &[8, 0, 8, 0, 16, 1, 1, 0x11, 0][..]);
        let header = segment(SOS, &[1, 1, 0, 0, 63, 0]);
        let mut tables = Tables::default();
        tables.restart_interval = 1;
        let mut data = UnstuffedData::default();
        data.read(jpeg, 0, true);
        let frame = Frame::read(&frame).unwrap();
        (data, Scan::read(&header, &frame, &tables).unwrap())
    }

    /// Skip up to the last restart before or after so many MCUs of one byte each. Return the number
    /// of skipped MCUs and the next byte.
    fn skip(jpeg: &[u8], max: usize) -> Option<(usize, u32)> {
        let (data, scan) = scan(jpeg);
        let mut state = ScanState::new(jpeg, &data, &scan, OnDamage::Error);
        let skipped = state.skip_to_restart(max);
        skipped.map(|(count, mut bits)| (count, bits.read(8)))
    }

    #[test]
    fn mcus_are_skipped_as_long_as_restarts_are_in_order() {
        let jpeg = [1, 0xff, 0xd0, 2, 0xff, 0xd1, 3, 0xff, 0xd9];
        let skipped = [None, Some((1, 2)), Some((2, 3)), Some((2, 3))];
        assert_eq!([0, 1, 2, 9].map(|max| skip(&jpeg, max)), skipped);
        for (index, restart, skipped) in [(2, 0xd1, None), (5, 0xd2, Some((1, 2)))] {
            let mut invalid = jpeg;
            invalid[index] = restart;
            assert_eq!(skip(&invalid, 2), skipped);
        }
        assert_eq!(skip(&jpeg[..3], 2), Some((1, 0)));
    }

    #[test]
    fn mcus_up_to_a_restart_in_the_middle_are_skipped() {
        let jpeg = [9, 1, 0xff, 0xd0, 2, 9, 0xff, 0xd1, 3, 9, 0xff, 0xd9];
        let (data, mut scan) = scan(&jpeg);
        scan.restart_interval = 2;
        let mut state = ScanState::new(&jpeg, &data, &scan, OnDamage::Error);
        let mut bits = state.bits();
        assert!(state.skip_to_restart(1).is_none());
        state.begin_mcu(&mut bits).unwrap();
        let (count, mut bits) = state.skip_to_restart(2).unwrap();
        assert_eq!((count, bits.read(8)), (1, 2));
        for _ in 0..2 {
            state.begin_mcu(&mut bits).unwrap();
        }
        // At a restart that is due, there is nothing to skip, so that it is checked.
        assert!(state.skip_to_restart(1).is_none());
    }

    #[test]
    fn padding_before_a_restart_is_accepted_and_other_data_is_not() {
        let restart_after = |byte: u8| {
            let jpeg = [1, byte, 0, 0xff, 0xd0, 2, 0xff, 0xd9];
            let (data, scan) = scan(&jpeg);
            let mut state = ScanState::new(&jpeg, &data, &scan, OnDamage::Error);
            let mut bits = state.bits();
            bits.read(8);
            state.begin_mcu(&mut bits).unwrap();
            state.begin_mcu(&mut bits).map(|_| bits.read(8))
        };
        assert_eq!(restart_after(0xff), Ok(2));
        assert!(restart_after(0xfe).is_err());
    }

    /// Read MCUs of one byte each. Return the bytes; `None` for MCUs without data.
    fn filled_bytes(jpeg: &[u8], count: usize) -> Vec<Option<u32>> {
        let (data, scan) = scan(jpeg);
        let mut state = ScanState::new(jpeg, &data, &scan, OnDamage::Fill);
        let mut bits = state.bits();
        let mut read = || {
            let has_data = state.begin_mcu(&mut bits).unwrap();
            let byte = bits.read(8);
            state.end_mcu(bits).unwrap();
            (has_data && !bits.is_overrun()).then_some(byte)
        };
        (0..count).map(|_| read()).collect()
    }

    /// The rule is libjpeg's: wait for a restart that is one or two ahead, skip what is one or two
    /// behind, and take any other for the next.
    #[test]
    fn decoding_resumes_after_lost_repeated_and_wrong_restarts() {
        let (a, b, c, d) = (Some(1), Some(2), Some(3), Some(4));
        let lost = [1, 0xff, 0xd1, 3, 0xff, 0xd2, 4, 0xff, 0xd9];
        assert_eq!(filled_bytes(&lost, 4), [a, None, c, d]);
        let repeated = [1, 0xff, 0xd0, 2, 0xff, 0xd0, 9, 0xff, 0xd1, 3, 0xff, 0xd9];
        assert_eq!(filled_bytes(&repeated, 4), [a, b, c, None]);
        let far = [1, 0xff, 0xd0, 2, 0xff, 0xd4, 3, 0xff, 0xd2, 4, 0xff, 0xd9];
        assert_eq!(filled_bytes(&far, 4), [a, b, c, d]);
        let invalid = [1, 0xff, 0x05, 9, 0xff, 0xd0, 2, 0xff, 0xd1, 3, 0xff, 0xd9];
        assert_eq!(filled_bytes(&invalid, 4), [a, b, c, None]);
        let ended = [1, 0xff, 0xd9, 9, 0xff, 0xd0, 2];
        assert_eq!(filled_bytes(&ended, 3), [a, None, None]);
    }

    #[test]
    fn a_scan_has_ended_when_neither_data_nor_a_restart_is_left() {
        let jpeg = [0xff, 0xd0, 7, 0xff, 0xd9];
        let (data, scan) = scan(&jpeg);
        let mut state = ScanState::new(&jpeg, &data, &scan, OnDamage::Fill);
        let mut bits = state.bits();
        // Each MCU reads more bits than there are.
        let mut read = || {
            let has_data = state.begin_mcu(&mut bits).unwrap();
            bits.read(16);
            state.end_mcu(bits).unwrap();
            (has_data, state.has_ended())
        };
        assert_eq!([read(), read()], [(true, false), (true, true)]);
    }
}
