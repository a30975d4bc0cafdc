//! A look at all labels before the first epoch: how large a table of objects must be, and which samples have objects.

use crate::boxes::Boxes;
use crate::dataset::detection_label;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::format::list;
use crate::loader::labels;

/// What was found.
#[derive(Debug)]
pub(super) struct LabelScan {
    /// The most objects that any sample has, and the numbers of each.
    pub(super) table: (usize, usize),
    /// The samples that have objects, in order.
    pub(super) kept: Vec<usize>,
    /// Why the others are left out.
    pub(super) left_out: Vec<Error>,
}

impl LabelScan {
    /// Looks at the labels of all samples, not only of a part: so the tables of all parts are of one size.
    ///
    /// # Errors
    /// What reading them finds; objects of different widths; samples of which none has an object.
    pub(super) fn of(
        samples: &Samples,
        list: Option<&list::Labels>,
        skip_damaged: bool,
    ) -> Result<Self> {
        let (mut buffer, mut label) = Default::default();
        let mut boxes = Boxes::default();
        let mut found = Self {
            table: (1, boxes.width),
            kept: Vec::new(),
            left_out: Vec::new(),
        };
        for i in 0..samples.len() {
            let id = match samples.label(i, &mut buffer, &mut label) {
                Err(error) if skip_damaged && error.is_damage() => {
                    found.left_out.push(error);
                    continue;
                }
                id => id?,
            };
            let locate = |error: Error| samples.locate(error.at_id(id), i);
            labels::look_up(list, id, &mut label).map_err(locate)?;
            match usable(&label, &mut boxes) {
                Ok(()) => found.add(i, &boxes).map_err(locate)?,
                Err(reason) => found.left_out.push(locate(reason)),
            }
        }
        match found.left_out.pop() {
            Some(reason) if found.kept.is_empty() => Err(reason),
            reason => {
                found.left_out.extend(reason);
                Ok(found)
            }
        }
    }

    fn add(&mut self, i: usize, boxes: &Boxes) -> Result<()> {
        let (most, width) = self.table;
        if !self.kept.is_empty() && boxes.width != width {
            return Err(Error::corrupt(format!(
                "objects of {} numbers; those of the samples before it have {width}",
                boxes.width
            )));
        }
        self.table = (most.max(boxes.len()), boxes.width);
        self.kept.push(i);
        Ok(())
    }
}

fn usable(label: &[f32], boxes: &mut Boxes) -> Result<()> {
    detection_label::read(label, boxes)?;
    if detection_label::has_class(boxes) {
        return Ok(());
    }
    Err(Error::corrupt(
        "no object with a class from 0 up and sides in order",
    ))
}
