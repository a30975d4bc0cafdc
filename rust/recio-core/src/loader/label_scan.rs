//! Scan of all detection labels before the first epoch: the size of the table of objects, and the
//! samples that have some.

use crate::boxes::Boxes;
use crate::dataset::box_check::{self, BoxCheck};
use crate::dataset::detection_label;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::limits::check_label_count;
use crate::loader::label_list::LabelList;
use crate::progress::Interrupt;

/// Result of the scan.
#[derive(Debug)]
pub(super) struct LabelScan {
    /// The largest number of objects of a sample, and the numbers of each object.
    pub(super) table: (usize, usize),
    /// The samples that have objects, in order.
    pub(super) kept: Vec<usize>,
    /// Why the other samples are skipped.
    pub(super) skipped: Vec<Error>,
    /// Boxes that look wrong.
    pub(super) boxes: BoxCheck,
}

impl LabelScan {
    /// Scans the labels of all shards, so that their tables are of one size.
    ///
    /// # Errors
    /// Labels that cannot be read, objects of different widths, no sample with an object.
    pub(super) fn new(
        samples: &Samples,
        list: &LabelList,
        skip_damaged: bool,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let (mut buffer, mut label) = Default::default();
        let mut boxes = Boxes::default();
        let mut scan = Self {
            table: (1, boxes.width),
            kept: Vec::new(),
            skipped: Vec::new(),
            boxes: BoxCheck::default(),
        };
        for i in 0..samples.len() {
            interrupt.poll()?;
            let id = match read_label(samples, i, &mut buffer, &mut label) {
                Err(error) if skip_damaged && error.is_damage() => {
                    scan.skipped.push(error);
                    continue;
                }
                id => id?,
            };
            let locate = |error: Error| samples.locate(error.at_id(id), i);
            list.replace(i, id, &mut label).map_err(locate)?;
            scan.boxes.add(&label, |text| located(samples, i, id, text));
            match read_objects(&label, &mut boxes) {
                Ok(()) => scan.add(i, &boxes).map_err(locate)?,
                Err(reason) => scan.skipped.push(locate(reason)),
            }
        }
        scan.check_not_empty()
    }

    fn add(&mut self, i: usize, boxes: &Boxes) -> Result<()> {
        let (len, width) = self.table;
        if !self.kept.is_empty() && boxes.width != width {
            return Err(Error::corrupt(format!(
                "objects of {} numbers; those of the samples before it have {width}",
                boxes.width
            )));
        }
        self.table = (len.max(boxes.len()), boxes.width);
        self.kept.push(i);
        Ok(())
    }

    /// Returns an error if all samples are skipped: the last reason.
    fn check_not_empty(mut self) -> Result<Self> {
        if self.kept.is_empty()
            && let Some(reason) = self.skipped.pop()
        {
            return Err(reason);
        }
        Ok(self)
    }
}

/// Returns the largest number of labels of a sample, and the boxes that look wrong.
///
/// # Errors
/// Labels that cannot be read; `Interrupted`.
pub(super) fn widest(
    samples: &Samples,
    list: &LabelList,
    skip_damaged: bool,
    interrupt: &Interrupt<'_>,
) -> Result<(usize, BoxCheck)> {
    let (mut buffer, mut label) = Default::default();
    let (mut widest, mut boxes) = (list.width().unwrap_or(0), BoxCheck::default());
    for i in 0..samples.len() {
        interrupt.poll()?;
        let id = match read_label(samples, i, &mut buffer, &mut label) {
            Err(error) if skip_damaged && error.is_damage() => continue,
            id => id?,
        };
        // A line that is missing is an error of the batch that has the sample.
        if list.replace(i, id, &mut label).is_ok() {
            widest = widest.max(label.len());
            boxes.add(&label, |text| located(samples, i, id, text));
        }
    }
    Ok((widest, boxes))
}

/// Reads the labels of a sample, which must not be too many.
fn read_label(
    samples: &Samples,
    i: usize,
    buffer: &mut Vec<u8>,
    label: &mut Vec<f64>,
) -> Result<u64> {
    let id = samples.label(i, buffer, label)?;
    check_label_count(label.len()).map_err(|error| samples.locate(error.at_id(id), i))?;
    Ok(id)
}

/// Adds the position of a sample to a warning.
fn located(samples: &Samples, i: usize, id: u64, text: String) -> String {
    samples
        .locate(Error::corrupt(text).at_id(id), i)
        .to_string()
}

/// Reads a label that has at least one object with a class.
fn read_objects(label: &[f64], boxes: &mut Boxes) -> Result<()> {
    detection_label::read(label, boxes)?;
    if detection_label::has_class(boxes) {
        return Ok(());
    }
    let error = Error::corrupt("no object with a class from 0 up and sides in order");
    let has_disordered = detection_label::objects(label)
        .into_iter()
        .flatten()
        .any(|object| object[0] >= 0.0);
    Err(if has_disordered {
        error.advise(box_check::ORDER)
    } else {
        error
    })
}
