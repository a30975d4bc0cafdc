//! Divides a damaged file into segments.

use super::boundary;
use super::scanner::{Probe, Scanner};
use super::segment::{SalvagedRecord, Segment, SkippedRegion, UnconfirmedRecord};
use crate::error::Result;
use crate::progress::Interrupt;
use crate::read::record_file::RecordFile;

/// Reads the segments of a file in order.
///
/// `C` is asked whether an unconfirmed record is intact; false means that it is unknown.
#[derive(Debug)]
pub struct SalvageReader<'f, C> {
    scanner: Scanner<'f>,
    confirm: C,
    position: u64,
    /// Region skipped since the last record.
    skipped: Option<SkippedRegion>,
}

impl<'f, C: FnMut(UnconfirmedRecord<'_>) -> bool> SalvageReader<'f, C> {
    /// Begins at the start of a file.
    ///
    /// `listed` are the offsets of its records, ascending, from its `.rsum` or `.idx`; empty if
    /// there is neither. `confirm` is asked whether a record that is followed by damage is intact.
    pub fn new(file: &'f RecordFile, listed: &'f [u64], confirm: C) -> Self {
        Self {
            scanner: Scanner::new(file, listed),
            confirm,
            position: 0,
            skipped: None,
        }
    }

    /// Lets an operation be interrupted, also during a long search.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: &'f Interrupt<'f>) -> Self {
        self.scanner.window.interrupt = Some(interrupt);
        self
    }

    /// Offset up to which the file has been read.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Reads the next segment; `None` at the end of the file.
    ///
    /// # Errors
    /// As [`RecordFile::read_exact_at`]; `Interrupted`.
    pub fn next_segment(&mut self) -> Result<Option<Segment<'_>>> {
        loop {
            if self.position == self.scanner.len {
                return Ok(self.skipped.take().map(Segment::Skipped));
            }
            match (self.record_end()?, self.skipped.take()) {
                // The next call checks this record again, which is rare.
                (Ok(_), Some(region)) => return Ok(Some(Segment::Skipped(region))),
                (Ok(end), None) => return self.record(end).map(Some),
                (Err(reason), region) => self.skip(region, reason)?,
            }
        }
    }

    fn record(&mut self, end: u64) -> Result<Segment<'_>> {
        let offset = std::mem::replace(&mut self.position, end);
        self.scanner.align_to(offset);
        let len = (end - offset) as usize;
        let frame = &mut self.scanner.window.at(offset, len)?[..len];
        Ok(Segment::Record(SalvagedRecord { offset, frame }))
    }

    /// Moves to the next record, and adds the bytes before it to the skipped region.
    fn skip(&mut self, region: Option<SkippedRegion>, reason: String) -> Result<()> {
        let begin = self.position;
        let end = self.scanner.next_record(begin + 1)?;
        self.position = end;
        self.skipped = Some(match region {
            Some(region) => SkippedRegion { end, ..region },
            None => SkippedRegion { begin, end, reason },
        });
        Ok(())
    }

    /// End of the record at the position, or why there is none that can be trusted.
    fn record_end(&mut self) -> Result<Result<u64, String>> {
        Ok(match self.scanner.probe(self.position)? {
            Probe::Confirmed { end } => Ok(end),
            Probe::Invalid(reason) => Err(reason),
            Probe::Unconfirmed(record) => {
                match boundary::contradiction(&mut self.scanner, record, &mut self.confirm)? {
                    None => Ok(record.end),
                    Some(reason) => Err(reason),
                }
            }
        })
    }
}
