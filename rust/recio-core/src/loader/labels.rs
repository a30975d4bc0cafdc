//! The labels of a batch: where they come from, and how they are laid out.

use crate::boxes::Boxes;
use crate::dataset::detection_label;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::format::list;
use crate::loader::label_scan::LabelScan;
use crate::loader::{LabelForm, Options, Shape};
use crate::read::list_file::load_labels;

/// What stands before the label in a row of objects: the image's channels, height and width, and how long the label is.
const ROW_HEADER: usize = 4;
/// What a table of objects is filled up with: no class has this number.
const NO_OBJECT: f32 = -1.0;

/// How labels are found and written.
#[derive(Debug)]
pub(super) struct Labels {
    form: LabelForm,
    /// The axes of a sample's labels in the batch.
    shape: Vec<usize>,
    /// Labels that take the place of the samples' own.
    list: Option<list::Labels>,
    /// What all labels were like, if they were looked at.
    scan: Option<LabelScan>,
}

impl Labels {
    pub(super) fn new(options: &Options, samples: &Samples) -> Result<Self> {
        let list = options.label_list.as_deref().map(load_labels).transpose()?;
        let widest = || match &list {
            Some(list) => Ok(list.width()),
            None => samples.max_label_width(options.skip_damaged),
        };
        let mut scan = None;
        let shape = match options.labels {
            LabelForm::Exact(width) => vec![width],
            LabelForm::Padded(_) => vec![widest()?.max(1)],
            LabelForm::Row { width, .. } => vec![ROW_HEADER + row_width(width, widest()?)?],
            LabelForm::Table => {
                let found = LabelScan::of(samples, list.as_ref(), options.skip_damaged)?;
                let (most, width) = found.table;
                scan = Some(found);
                vec![most, width]
            }
        };
        Ok(Self {
            form: options.labels,
            shape,
            list,
            scan,
        })
    }

    /// The axes of a sample's labels in the batch.
    pub(super) fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Numbers a sample in the batch.
    pub(super) fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The samples that there are, if some are left out.
    pub(super) fn kept(&self) -> Option<&[usize]> {
        self.scan.as_ref().map(|scan| &scan.kept[..])
    }

    /// Why samples are left out.
    pub(super) fn left_out(&self) -> &[Error] {
        self.scan.as_ref().map_or(&[], |scan| &scan.left_out)
    }

    /// Whether a row tells the size of its image, which may then be smaller than the batch's.
    pub(super) fn tell_size(&self) -> bool {
        matches!(self.form, LabelForm::Row { .. })
    }

    /// Finds a sample's labels: the list's, if there is a list, or else its own. Gives the objects, if they are of objects.
    pub(super) fn find<'b>(
        &self,
        id: u64,
        labels: &mut Vec<f32>,
        boxes: &'b mut Boxes,
    ) -> Result<Option<&'b mut Boxes>> {
        look_up(self.list.as_ref(), id, labels)?;
        match self.form {
            LabelForm::Exact(_) | LabelForm::Padded(_) => return Ok(None),
            LabelForm::Row {
                given: Some(given), ..
            } if given != labels.len() => {
                return Err(wrong_width(labels.len(), given));
            }
            LabelForm::Row { .. } | LabelForm::Table => detection_label::read(labels, boxes)?,
        }
        Ok(Some(boxes))
    }

    /// Writes a sample's labels into the batch, padded if they may be fewer.
    pub(super) fn write(&self, labels: &[f32], out: &mut [f32]) -> Result<()> {
        let (found, width) = (labels.len(), self.width());
        let padding = match self.form {
            LabelForm::Exact(_) if found == width => 0.0,
            LabelForm::Padded(value) if found <= width => value,
            _ => return Err(wrong_width(found, width)),
        };
        fill(out, labels.iter().copied(), padding);
        Ok(())
    }

    /// Writes a sample's objects, as they are after augmentation, and the size of its image.
    pub(super) fn write_objects(
        &self,
        labels: &[f32],
        boxes: &Boxes,
        image: Shape,
        out: &mut [f32],
    ) -> Result<()> {
        let values = boxes.values.iter().copied();
        if let LabelForm::Row { padding, .. } = self.form {
            let header = detection_label::header(labels);
            let count = header.len() + boxes.values.len();
            let size = [image.channels, image.height, image.width, count].map(|n| n as f32);
            let row = size.into_iter().chain(header.iter().copied()).chain(values);
            fill(out, row, padding);
            return Ok(());
        }
        let &[most, width] = &self.shape[..] else {
            unreachable!("a table has two axes")
        };
        if boxes.len() > most || boxes.width != width {
            return Err(Error::argument(format!(
                "the augmenters give {} objects of {} numbers; there is room for {most} of {width}",
                boxes.len(),
                boxes.width
            )));
        }
        fill(out, values, NO_OBJECT);
        Ok(())
    }
}

/// Puts a list's labels, if there is a list, in place of a sample's own.
pub(super) fn look_up(list: Option<&list::Labels>, id: u64, labels: &mut Vec<f32>) -> Result<()> {
    let Some(list) = list else {
        return Ok(());
    };
    let listed = list
        .get(id)
        .ok_or_else(|| Error::corrupt(format!("path_imglist has no line for id {id}")))?;
    labels.clear();
    labels.extend_from_slice(listed);
    Ok(())
}

/// How much room a row has for a label.
fn row_width(width: Option<usize>, widest: usize) -> Result<usize> {
    match width {
        Some(width) if width < widest => Err(Error::argument(format!(
            "label_pad_width={width}; the longest label has {widest} numbers"
        ))),
        width => Ok(width.unwrap_or(widest)),
    }
}

fn wrong_width(found: usize, width: usize) -> Error {
    Error::corrupt(format!(
        "{found} labels, but label_width={width}; give label_width={found}, or -1 for any number"
    ))
}

/// Writes numbers, for which there is room, and then padding.
fn fill(out: &mut [f32], numbers: impl Iterator<Item = f32>, padding: f32) {
    out.fill(padding);
    out.iter_mut()
        .zip(numbers)
        .for_each(|(out, number)| *out = number);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(form: LabelForm, shape: &[usize]) -> Labels {
        Labels {
            form,
            shape: shape.to_vec(),
            list: None,
            scan: None,
        }
    }

    const IMAGE: Shape = Shape {
        channels: 3,
        height: 6,
        width: 12,
    };
    const LABEL: [f32; 13] = [
        3.0, 5.0, 7.0, 1.0, 0.1, 0.2, 0.5, 0.6, 2.0, 0.5, 0.5, 0.4, 0.9,
    ];

    fn written(labels: &Labels, label: &[f32]) -> Result<Vec<f32>> {
        let mut out = vec![9.0; labels.width()];
        let (mut label, mut boxes) = (label.to_vec(), Boxes::default());
        let boxes = labels.find(0, &mut label, &mut boxes)?.unwrap();
        labels.write_objects(&label, boxes, IMAGE, &mut out)?;
        Ok(out)
    }

    fn row(given: Option<usize>) -> LabelForm {
        LabelForm::Row {
            given,
            width: None,
            padding: -1.0,
        }
    }

    #[test]
    fn a_row_has_the_images_size_the_label_and_padding() {
        let row = written(&labels(row(None), &[14]), &LABEL).unwrap();
        let expected = [
            3.0, 6.0, 12.0, 8.0, 3.0, 5.0, 7.0, 1.0, 0.1, 0.2, 0.5, 0.6, -1.0, -1.0,
        ];
        assert_eq!(row, expected);
    }

    #[test]
    fn a_table_has_an_object_a_row() {
        let table = written(&labels(LabelForm::Table, &[2, 5]), &LABEL).unwrap();
        let none = [-1.0; 5];
        assert_eq!(table, [&LABEL[3..8], &none].concat());
    }

    #[test]
    fn more_objects_than_there_is_room_for_are_refused() {
        let label = [&LABEL[..8], &LABEL[3..8]].concat();
        let error = written(&labels(LabelForm::Table, &[1, 5]), &label).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the augmenters give 2 objects of 5 numbers; there is room for 1 of 5"
        );
    }

    #[test]
    fn label_width_is_that_of_the_record() {
        assert!(written(&labels(row(Some(13)), &[17]), &LABEL).is_ok());
        let error = written(&labels(row(Some(12)), &[17]), &LABEL).unwrap_err();
        assert!(error.to_string().contains("13 labels, but label_width=12"));
    }

    #[test]
    fn a_row_has_room_for_the_longest_label() {
        assert_eq!(row_width(None, 7).unwrap(), 7);
        assert_eq!(row_width(Some(9), 7).unwrap(), 9);
        let error = row_width(Some(6), 7).unwrap_err().to_string();
        assert_eq!(error, "label_pad_width=6; the longest label has 7 numbers");
    }
}
