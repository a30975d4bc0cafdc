//! What is read for a sample: its record or image file, and the record of its mask.

use std::ops::Range;

use super::table::{Bytes, FirstRead, Loaded};
use crate::dataset::record_set::RecordSet;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::loader::masks::Masks;
use crate::storage::store::OnRead;

/// Length of an image file or a mask, which is not known before it is opened or the image is read.
const EXPECTED_LEN: usize = 64 << 10;

/// The files of samples and of masks.
#[derive(Debug, Clone, Copy)]
pub(in crate::loader) struct Files<'a> {
    pub(in crate::loader) samples: &'a Samples,
    pub(in crate::loader) masks: Option<&'a Masks>,
}

/// A record of the samples or of the masks.
#[derive(Debug, Clone, Copy)]
pub(super) enum RecordOf {
    Sample(usize),
    Mask(usize),
}

impl<'a> Files<'a> {
    /// Whether a file is an object of a store.
    pub(in crate::loader) fn is_remote(&self) -> bool {
        let masks = self.masks.map(Masks::records);
        self.samples.is_remote() || masks.is_some_and(RecordSet::is_remote)
    }

    /// Whether samples are records.
    pub(super) fn has_records(&self) -> bool {
        matches!(self.samples, Samples::Records(_))
    }

    /// Returns what is read at first for a sample.
    pub(super) fn first_read(&self, sample: usize) -> FirstRead {
        let Samples::Records(records) = self.samples else {
            return FirstRead {
                len: EXPECTED_LEN,
                range: None,
            };
        };
        let (range, is_all) = records.first_read(sample);
        let len = (range.end - range.start) as usize;
        match self.masks {
            // The mask is that of the id in the record.
            Some(_) => FirstRead {
                len: len + EXPECTED_LEN,
                range: None,
            },
            None => FirstRead {
                len,
                range: Some(range).filter(|_| is_all),
            },
        }
    }

    /// Whether two ranges are neighbors in a file.
    pub(super) fn are_neighbors(&self, first: &Range<u64>, second: &Range<u64>) -> bool {
        match self.samples {
            Samples::Records(records) => records.are_neighbors(first, second),
            Samples::Images(_) => false,
        }
    }

    /// Reads a sample, and its mask; none if `may_grow` returns false for the length of its file.
    pub(super) fn load(
        &self,
        sample: usize,
        mut buffers: [Vec<u8>; 2],
        may_grow: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Loaded>> {
        let [record, mask] = &mut buffers;
        let expected = match self.samples {
            Samples::Images(_) => EXPECTED_LEN,
            Samples::Records(_) => 0,
        };
        let mut may_exceed = |len: usize| match len.saturating_sub(expected) {
            0 => true,
            more => may_grow(more),
        };
        let Some(len) = self.samples.load(sample, record, &mut may_exceed)? else {
            return Ok(None);
        };
        let number = self.mask_of(sample, &record[..len]);
        let mask = number.zip(self.masks).and_then(|(i, masks)| {
            let (range, _) = masks.records().first_read(i);
            let len = (range.end - range.start) as usize;
            if len > EXPECTED_LEN && !may_grow(len - EXPECTED_LEN) {
                return None;
            }
            // The thread that needs the mask reads it again, and reports the error.
            let len = masks.records().load(i, mask, may_grow).ok()?;
            Some((i, len))
        });
        let [record, buffer] = buffers;
        Ok(Some(Loaded {
            record: Bytes::First(record, len),
            mask: mask.map(|(i, len)| (i, Bytes::First(buffer, len))),
        }))
    }

    /// Reads bytes of neighbors.
    pub(super) fn load_range(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<()> {
        match self.samples {
            Samples::Records(records) => records.read_range(range, buffer),
            Samples::Images(_) => Err(Error::argument("image files have no neighbors")),
        }
    }

    /// Starts a read of bytes of neighbors.
    ///
    /// # Errors
    /// Returns `done` if the file has only reads that wait.
    pub(super) fn start_range(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        match self.samples {
            Samples::Records(records) => records.start_read_range(range, done),
            Samples::Images(_) => Err(done),
        }
    }

    /// Returns the number of the mask of a sample, of whose record these are the first bytes.
    pub(super) fn mask_of(&self, sample: usize, record: &[u8]) -> Option<usize> {
        let masks = self.masks?;
        let id = self.samples.loaded_id(sample, record)?;
        masks.of_id(id)
    }

    /// Returns the records, and the number of one among them; none of image files.
    pub(super) fn records(&self, record: RecordOf) -> Option<(&'a RecordSet, usize)> {
        match (record, self.samples) {
            (RecordOf::Sample(i), Samples::Records(records)) => Some((records, i)),
            (RecordOf::Sample(_), Samples::Images(_)) => None,
            (RecordOf::Mask(i), _) => self.masks.map(|masks| (masks.records(), i)),
        }
    }
}
