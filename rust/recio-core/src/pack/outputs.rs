//! The outputs of packing: the record file of images and, optionally, that of their masks.

use super::options::PackOptions;
use super::report::PackedFile;
use crate::error::Result;
use crate::storage::location::Location;
use crate::write::record_output::{RecordOutput, commit_set};

/// Record files of images and masks, which are committed together. Dropping it removes them.
pub(super) struct Outputs {
    images: RecordOutput,
    masks: Option<RecordOutput>,
    older_manifests: Vec<Location>,
}

impl Outputs {
    /// As [`RecordOutput::create`].
    pub(super) fn create(
        images: &Location,
        masks: Option<&Location>,
        options: &PackOptions,
    ) -> Result<Self> {
        let create = |rec| RecordOutput::create(rec, options.checksum);
        Ok(Self {
            older_manifests: options.older_manifests.clone(),
            images: create(images)?,
            masks: masks.map(create).transpose()?,
        })
    }

    /// Appends the record of an image and, if there are masks, that of its mask.
    pub(super) fn append(&mut self, key: u64, record: &[u8], mask: Option<&[u8]>) -> Result<()> {
        self.images.append(key, record)?;
        let mask = self.masks.as_mut().zip(mask);
        mask.map_or(Ok(()), |(output, mask)| output.append(key, mask))
    }

    /// Number of images so far.
    pub(super) fn records(&self) -> usize {
        self.images.records()
    }

    /// Size of the record file of images so far.
    pub(super) fn bytes(&self) -> u64 {
        self.images.bytes()
    }

    /// The record file of images so far.
    pub(super) fn images(&self) -> PackedFile {
        PackedFile::of(&self.images)
    }

    /// The record file of masks so far.
    pub(super) fn masks(&self) -> Option<PackedFile> {
        self.masks.as_ref().map(PackedFile::of)
    }

    /// As [`commit_set`].
    pub(super) fn commit(self) -> Result<()> {
        let sealed = std::iter::once(self.images)
            .chain(self.masks)
            .map(RecordOutput::prepare);
        commit_set(sealed.collect::<Result<_>>()?, &self.older_manifests)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::pack::tests::PASS_THROUGH;
    use crate::write::file_system::tests::file_names;

    fn outputs(folder: &Path) -> Outputs {
        let (images, masks) = (folder.join("a.rec"), folder.join("b.rec"));
        let options = PackOptions {
            checksum: true,
            older_manifests: vec![folder.join("old.recset.json").into()],
            ..PASS_THROUGH
        };
        fs::write(folder.join("old.recset.json"), "").unwrap();
        let mut outputs = Outputs::create(&images.into(), Some(&masks.into()), &options).unwrap();
        outputs.append(9, b"three", Some(b"mask")).unwrap();
        outputs
    }

    #[test]
    fn images_and_masks_are_committed_together() {
        let folder = tempfile::tempdir().unwrap();
        outputs(folder.path()).commit().unwrap();
        assert_eq!(
            file_names(folder.path()),
            ["a.idx", "a.rec", "a.rsum", "b.idx", "b.rec", "b.rsum"]
        );
        for blocked in ["b.rec", "b.rsum", "b.idx"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(blocked)).unwrap();
            let error = outputs(folder.path()).commit().unwrap_err();
            assert!(error.to_string().contains(blocked), "{error}");
            assert_eq!(file_names(folder.path()), [blocked]);
        }
    }
}
