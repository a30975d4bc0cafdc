//! The labels of a batch: where they come from, and how they are laid out.

use crate::error::{Error, Result};
use crate::pipeline::samples::Samples;
use crate::pipeline::{LabelForm, Options};
use crate::record::list;

/// How labels are found and written.
#[derive(Debug)]
pub(super) struct Labels {
    form: LabelForm,
    /// Numbers a sample in the batch.
    width: usize,
    /// Labels that take the place of the samples' own.
    list: Option<list::Labels>,
}

impl Labels {
    pub(super) fn new(options: &Options, samples: &Samples) -> Result<Self> {
        let list = options
            .label_list
            .as_deref()
            .map(list::Labels::load)
            .transpose()?;
        let width = match (options.labels, &list) {
            (LabelForm::Exact(width), _) => width,
            (LabelForm::Padded(_), Some(list)) => list.width().max(1),
            (LabelForm::Padded(_), None) => samples.widest_label()?.max(1),
        };
        Ok(Self {
            form: options.labels,
            width,
            list,
        })
    }

    /// Numbers a sample in the batch.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Puts the list's labels, if there is a list, in place of a sample's own.
    pub(super) fn look_up(&self, id: u64, labels: &mut Vec<f32>) -> Result<()> {
        let Some(list) = &self.list else {
            return Ok(());
        };
        let listed = list
            .get(id)
            .ok_or_else(|| Error::corrupt(format!("path_imglist has no line for id {id}")))?;
        labels.clear();
        labels.extend_from_slice(listed);
        Ok(())
    }

    /// Writes a sample's labels into the batch, padded if they may be fewer.
    pub(super) fn write(&self, labels: &[f32], out: &mut [f32]) -> Result<()> {
        let (found, width) = (labels.len(), self.width);
        let padding = match self.form {
            LabelForm::Exact(_) if found == width => 0.0,
            LabelForm::Padded(value) if found <= width => value,
            _ => {
                return Err(Error::corrupt(format!(
                    "{found} labels, but label_width={width}; give label_width={found}, or -1 for any number"
                )));
            }
        };
        let (own, rest) = out.split_at_mut(found);
        own.copy_from_slice(labels);
        rest.fill(padding);
        Ok(())
    }
}
