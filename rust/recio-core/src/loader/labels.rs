//! Labels of a batch: their source and their layout.

use crate::boxes::Boxes;
use crate::dataset::detection_label;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::format::label::LabelType;
use crate::limits::check_label_count;
use crate::loader::label_list::LabelList;
use crate::loader::label_scan::{self, LabelScan};
use crate::loader::options::{LabelForm, Options, Shape};
use crate::progress::Interrupt;

/// Numbers before the label in a row of objects: channels, height and width of the image, and the
/// label's length.
const ROW_HEADER: usize = 4;
/// Fill value of a table of objects; no class has this number.
const NO_OBJECT: f64 = -1.0;

/// Source and layout of labels.
#[derive(Debug)]
pub struct Labels {
    form: LabelForm,
    label_type: LabelType,
    /// The axes of a sample's labels in the batch.
    shape: Vec<usize>,
    list: LabelList,
    /// The scan of all labels, if the form needs one.
    scan: Option<LabelScan>,
    /// Boxes that look wrong.
    warnings: Vec<String>,
}

impl Labels {
    pub(super) fn new(
        options: &Options,
        samples: &Samples,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let list = LabelList::load(options, samples, interrupt)?;
        let widest = || match list.width() {
            Some(width) => check_label_count(width).map(|()| width),
            None => samples.max_label_width(options.skip_damaged, interrupt),
        };
        let (mut scan, mut warnings) = (None, Vec::new());
        let shape = match options.labels {
            LabelForm::Exact(width) => vec![width],
            LabelForm::Padded(_) => vec![widest()?.max(1)],
            LabelForm::Row { width, .. } => {
                let (widest, check) =
                    label_scan::widest(samples, &list, options.skip_damaged, interrupt)?;
                warnings = check.into_warnings();
                vec![ROW_HEADER + row_width(width, widest)?]
            }
            LabelForm::Table => {
                let mut result = LabelScan::new(samples, &list, options.skip_damaged, interrupt)?;
                let (len, width) = result.table;
                warnings = std::mem::take(&mut result.boxes).into_warnings();
                scan = Some(result);
                vec![len, width]
            }
        };
        Ok(Self {
            form: options.labels,
            label_type: options.label_type,
            shape,
            list,
            scan,
            warnings,
        })
    }

    /// Returns the axes of a sample's labels in the batch.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the numbers of a sample in the batch.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns why samples are skipped from the beginning: those without objects, where labels are
    /// a table of objects.
    #[must_use]
    pub fn skipped(&self) -> &[Error] {
        self.scan.as_ref().map_or(&[], |scan| &scan.skipped)
    }

    /// Returns warnings about boxes that look like pixels or sizes.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the samples that are not skipped from the beginning, if some may be.
    pub(super) fn kept(&self) -> Option<&[usize]> {
        self.scan.as_ref().map(|scan| &scan.kept[..])
    }

    /// Whether a sample's label contains the size of its image, which may then be smaller than the
    /// batch's.
    pub(super) fn contain_size(&self) -> bool {
        matches!(self.form, LabelForm::Row { .. })
    }

    /// Returns the digest of the list of labels, if there is one.
    pub(super) fn list_digest(&self) -> Option<u32> {
        self.list.digest()
    }

    /// Replaces a sample's labels by those of the list, if there is one.
    pub(super) fn replace(&self, sample: usize, id: u64, labels: &mut Vec<f64>) -> Result<()> {
        self.list.replace(sample, id, labels)
    }

    /// Reads the objects of a sample's labels, if labels are objects.
    pub(super) fn objects<'b>(
        &self,
        labels: &[f64],
        boxes: &'b mut Boxes,
    ) -> Result<Option<&'b mut Boxes>> {
        match self.form {
            LabelForm::Exact(_) | LabelForm::Padded(_) => return Ok(None),
            LabelForm::Row {
                exact: Some(width), ..
            } if width != labels.len() => return Err(wrong_width(labels.len(), width)),
            LabelForm::Row { .. } | LabelForm::Table => detection_label::read(labels, boxes)?,
        }
        Ok(Some(boxes))
    }

    /// Writes a sample's labels into the batch, padded if there may be fewer.
    pub(super) fn write(&self, labels: &[f64], slot: &mut [f64]) -> Result<()> {
        let (len, width) = (labels.len(), self.width());
        let padding = match self.form {
            LabelForm::Exact(_) if len == width => 0.0,
            LabelForm::Padded(value) if len <= width => value.into(),
            _ => return Err(wrong_width(len, width)),
        };
        let mut checked = labels.iter();
        checked
            .try_for_each(|&label| self.label_type.check(label))
            .map_err(Error::corrupt)?;
        fill(slot, labels.iter().copied(), padding);
        Ok(())
    }

    /// Writes a sample's objects after augmentation, and the size of its image.
    pub(super) fn write_objects(
        &self,
        labels: &[f64],
        boxes: &Boxes,
        image: Shape,
        slot: &mut [f64],
    ) -> Result<()> {
        let values = boxes.values.iter().map(|&value| value.into());
        if let LabelForm::Row { padding, .. } = self.form {
            let header = detection_label::header(labels);
            let count = header.len() + boxes.values.len();
            let size = [image.channels, image.height, image.width, count].map(|n| n as f64);
            let row = size.into_iter().chain(header.iter().copied()).chain(values);
            fill(slot, row, padding.into());
            return Ok(());
        }
        let &[len, width] = &self.shape[..] else {
            unreachable!("a table has two axes")
        };
        if boxes.len() > len || boxes.width != width {
            return Err(Error::argument(format!(
                "the augmenters return {} objects of {} numbers; there is room for {len} of {width}",
                boxes.len(),
                boxes.width
            )));
        }
        fill(slot, values, NO_OBJECT);
        Ok(())
    }
}

/// Returns the length of the label in a row of objects.
fn row_width(width: Option<usize>, widest: usize) -> Result<usize> {
    match width {
        Some(width) if width < widest => Err(Error::argument(format!(
            "label_pad_width must be at least {widest}, the length of the longest label, got {width}"
        ))),
        width => Ok(width.unwrap_or(widest)),
    }
}

fn wrong_width(len: usize, width: usize) -> Error {
    let hint = match len {
        1 => "; im2rec packs more than the first label of a line with --pack-label",
        _ => "",
    };
    Error::corrupt(format!(
        "{len} labels, but label_width={width}; give label_width={len}, or -1 for any number{hint}"
    ))
}

/// Writes numbers, and padding after them.
fn fill(slot: &mut [f64], numbers: impl Iterator<Item = f64>, padding: f64) {
    slot.fill(padding);
    slot.iter_mut()
        .zip(numbers)
        .for_each(|(out, number)| *out = number);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(form: LabelForm, shape: &[usize]) -> Labels {
        Labels {
            form,
            label_type: LabelType::Float32,
            shape: shape.to_vec(),
            list: LabelList::default(),
            scan: None,
            warnings: Vec::new(),
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
        let label: Vec<f64> = label.iter().copied().map(f64::from).collect();
        let mut out = vec![9.0; labels.width()];
        let mut boxes = Boxes::default();
        let boxes = labels.objects(&label, &mut boxes)?.unwrap();
        labels.write_objects(&label, boxes, IMAGE, &mut out)?;
        Ok(out.into_iter().map(|number| number as f32).collect())
    }

    fn row(exact: Option<usize>) -> LabelForm {
        LabelForm::Row {
            exact,
            width: None,
            padding: -1.0,
        }
    }

    #[test]
    fn a_row_consists_of_image_size_label_and_padding() {
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
            "the augmenters return 2 objects of 5 numbers; there is room for 1 of 5"
        );
    }

    #[test]
    fn label_width_must_be_the_length_of_the_label() {
        assert!(written(&labels(row(Some(13)), &[17]), &LABEL).is_ok());
        let error = written(&labels(row(Some(12)), &[17]), &LABEL).unwrap_err();
        assert!(error.to_string().contains("13 labels, but label_width=12"));
    }

    #[test]
    fn a_row_is_as_long_as_the_longest_label() {
        assert_eq!(row_width(None, 7).unwrap(), 7);
        assert_eq!(row_width(Some(9), 7).unwrap(), 9);
        let error = row_width(Some(6), 7).unwrap_err().to_string();
        assert_eq!(
            error,
            "label_pad_width must be at least 7, the length of the longest label, got 6"
        );
    }
}
