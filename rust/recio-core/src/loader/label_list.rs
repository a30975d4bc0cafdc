//! Label list: labels of `path_imglist`, which replace those of the samples.

use crate::dataset::id_index::check_unique;
use crate::dataset::record_set::RecordSet;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::format::list;
use crate::loader::options::Options;
use crate::progress::Interrupt;
use crate::read::list_file::load_labels;

/// The labels of a list, if there is one.
#[derive(Debug, Default)]
pub(super) struct LabelList(Option<ListedLabels>);

#[derive(Debug)]
struct ListedLabels {
    labels: list::Labels,
    /// The key of each sample, if the list has the keys of the index.
    keys: Option<Vec<u64>>,
}

impl LabelList {
    /// Reads the list, if there is one.
    ///
    /// # Errors
    /// Errors of the list; two records of one id or key, which would share a line.
    pub(super) fn load(
        options: &Options,
        samples: &Samples,
        interrupt: &Interrupt<'_>,
    ) -> Result<Self> {
        let Some(path) = &options.label_list else {
            return Ok(Self(None));
        };
        Ok(Self(Some(ListedLabels {
            labels: load_labels(path, options.label_type)?,
            keys: match samples {
                Samples::Records(records) => keys(records, options, interrupt)?,
                Samples::Images(_) => None,
            },
        })))
    }

    /// Returns the number of labels of the longest line, if there is a list.
    pub(super) fn width(&self) -> Option<usize> {
        self.0.as_ref().map(|list| list.labels.width())
    }

    /// Returns the CRC32C of the labels, and of the keys if these assign them to samples; none if
    /// there is no list.
    pub(super) fn digest(&self) -> Option<u32> {
        let list = self.0.as_ref()?;
        let keys = list.keys.iter().flatten();
        let digest = keys.fold(list.labels.digest(), |digest, key| {
            crc32c::crc32c_append(digest, &key.to_le_bytes())
        });
        Some(digest)
    }

    /// Replaces the labels of a sample by those of the list, if there is one.
    ///
    /// # Errors
    /// The list has no line for the sample.
    pub(super) fn replace(&self, sample: usize, id: u64, labels: &mut Vec<f64>) -> Result<()> {
        let Some(list) = &self.0 else {
            return Ok(());
        };
        let (name, number) = match &list.keys {
            Some(keys) => ("key", keys[sample]),
            None => ("id", id),
        };
        let listed = list.labels.get(number).ok_or_else(|| {
            Error::corrupt(format!("path_imglist has no line for {name} {number}"))
        })?;
        labels.clear();
        labels.extend_from_slice(listed);
        Ok(())
    }
}

/// Returns the keys of the records if the list has these. Otherwise checks that their ids differ.
fn keys(
    records: &RecordSet,
    options: &Options,
    interrupt: &Interrupt<'_>,
) -> Result<Option<Vec<u64>>> {
    let by_key = options.label_list_by_key && records.has_indexes();
    if by_key {
        return records.keys().map(Some);
    }
    check_unique(records, options.skip_damaged, interrupt)?;
    Ok(None)
}
