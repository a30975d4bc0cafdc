//! Label list: labels of `path_imglist`, which replace those of the samples.

use std::path::Path;

use crate::error::{Error, Result};
use crate::format::list;
use crate::read::list_file::load_labels;

/// The labels of a list, if there is one.
#[derive(Debug, Default)]
pub(super) struct LabelList(Option<list::Labels>);

impl LabelList {
    /// Reads the list, if there is one.
    pub(super) fn load(path: Option<&Path>) -> Result<Self> {
        path.map(load_labels).transpose().map(Self)
    }

    /// Returns the number of labels of the longest line, if there is a list.
    pub(super) fn width(&self) -> Option<usize> {
        self.0.as_ref().map(list::Labels::width)
    }

    /// Replaces the labels of a sample by those of the list, if there is one.
    ///
    /// # Errors
    /// The list has no line for the sample.
    pub(super) fn replace(&self, id: u64, labels: &mut Vec<f32>) -> Result<()> {
        let Some(list) = &self.0 else {
            return Ok(());
        };
        let listed = list
            .get(id)
            .ok_or_else(|| Error::corrupt(format!("path_imglist has no line for id {id}")))?;
        labels.clear();
        labels.extend_from_slice(listed);
        Ok(())
    }
}
