//! Masks: each image's own, found by its record's id, decoded, and given the image's geometry.

use crate::dataset::id_index::{IdIndex, check_unique};
use crate::dataset::record_set::RecordSet;
use crate::dataset::source::{Fingerprint, Samples};
use crate::decode::Mask;
use crate::error::{Error, Result};
use crate::image::{Image, RowSink};
use crate::limits::Limits;
use crate::loader::options::{MaskSource, Options};
use crate::plan::Plan;
use crate::progress::Interrupt;
use crate::render::stage_runner::StageRunner;

/// Open masks.
#[derive(Debug)]
pub(super) struct Masks {
    records: RecordSet,
    by_id: IdIndex,
    fill: u8,
    /// Width and height of a mask in the batch.
    size: (usize, usize),
    limits: Limits,
}

/// An image whose mask is request.
#[derive(Debug)]
pub(super) struct MaskRequest<'a> {
    pub(super) id: u64,
    /// Its width and height before anything was done to it.
    pub(super) size: (usize, usize),
    /// The plan of the image.
    pub(super) plan: &'a Plan,
}

/// Buffers of one thread for masks.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    record: Vec<u8>,
    /// The mask of which `record` has bytes, and their number, if it was read ahead.
    loaded: Option<(usize, usize)>,
    packed: Vec<u8>,
    decoded: Image,
    stages: StageRunner,
}

impl Masks {
    pub(super) fn open(
        source: &MaskSource,
        options: &Options,
        images: &Samples,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        if let Samples::Records(images) = images {
            // Images of one id would share a mask.
            check_unique(images, options.skip_damaged, interrupt)?;
        }
        let records = RecordSet::open_with(&source.files, &source.indexes, None, interrupt)?;
        Ok(Self {
            by_id: IdIndex::build(&records, interrupt)?,
            records,
            fill: source.fill,
            size: (options.shape.width, options.shape.height),
            limits: options.limits,
        })
    }

    /// Returns the fingerprint of the masks, and their fill value.
    pub(super) fn fingerprint(&self) -> Result<(Fingerprint, u8)> {
        let fingerprint = Fingerprint {
            samples: self.records.len(),
            bytes: self.records.bytes(),
            digest: self.records.digest()?,
            objects: self.records.objects(),
        };
        Ok((fingerprint, self.fill))
    }

    /// Numbers a mask in the batch.
    pub(super) fn slot_len(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// The number of places where there is no image.
    pub(super) fn fill(&self) -> u8 {
        self.fill
    }

    /// Returns the number of the mask of the image with this id.
    pub(super) fn of_id(&self, id: u64) -> Option<usize> {
        self.by_id.get(id)
    }

    /// Returns the records of the masks.
    pub(super) fn records(&self) -> &RecordSet {
        &self.records
    }

    /// Writes the mask of an image into its slot.
    pub(super) fn render(
        &self,
        request: &MaskRequest<'_>,
        scratch: &mut Scratch,
        slot: &mut [u8],
    ) -> Result<()> {
        let id = request.id;
        let i = self.by_id.get(id).ok_or_else(|| {
            Error::corrupt(format!("path_maskrec has no mask of the image's id {id}"))
        })?;
        self.decode(i, request, scratch)?;
        let plan = request.plan.for_mask(self.fill);
        let mut rows = Slot {
            numbers: slot,
            width: self.size.0,
            mirror: plan.mirror,
        };
        let Scratch {
            decoded, stages, ..
        } = scratch;
        let source = &mut decoded.view().crop(plan.source);
        stages.run(source, &plan, &mut rows);
        Ok(())
    }

    fn decode(&self, i: usize, request: &MaskRequest<'_>, scratch: &mut Scratch) -> Result<()> {
        let Scratch {
            record,
            loaded,
            packed,
            decoded,
            ..
        } = scratch;
        let locate = |error: Error| self.records.locate(error.at_id(request.id), i);
        let have = loaded.take().filter(|(mask, _)| *mask == i);
        let have = have.map_or(0, |(_, have)| have);
        let record = self.records.read_loaded(i, have, record)?;
        let mask = Mask::open(record.image, &self.limits).map_err(locate)?;
        if mask.size() != request.size {
            let (width, height) = mask.size();
            let other = locate(Error::corrupt(format!("{width}x{height} pixels")));
            let (width, height) = request.size;
            return Err(Error::corrupt(format!(
                "the image is {width}x{height} pixels as it is displayed, its mask is not: {other}"
            )));
        }
        mask.decode(decoded, packed).map_err(locate)
    }
}

impl Scratch {
    /// Returns the buffer for the record of a mask.
    pub(super) fn record(&mut self) -> &mut Vec<u8> {
        &mut self.record
    }

    /// Notes that [`record`](Self::record) begins with `have` bytes of mask `i`.
    pub(super) fn set_loaded(&mut self, i: usize, have: usize) {
        self.loaded = Some((i, have));
    }

    /// Frees buffers of more than `max_bytes` bytes.
    pub(super) fn trim(&mut self, max_bytes: usize) {
        self.loaded = None;
        for bytes in [&mut self.record, &mut self.packed] {
            if bytes.capacity() > max_bytes {
                *bytes = Vec::new();
            }
        }
        self.decoded.trim(max_bytes);
        self.stages.trim(max_bytes);
    }
}

/// A mask on its way into the batch.
struct Slot<'a> {
    numbers: &'a mut [u8],
    width: usize,
    mirror: bool,
}

impl RowSink for Slot<'_> {
    fn row_u8(&mut self, y: usize, row: &[u8]) {
        let out = &mut self.numbers[y * self.width..][..self.width];
        out.copy_from_slice(row);
        if self.mirror {
            out.reverse();
        }
    }

    fn row_f32(&mut self, _: usize, _: &[f32]) {
        unreachable!("a mask's plan has no colors")
    }
}
