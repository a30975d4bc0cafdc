//! The files that [`pack`](super::pack) writes: of images and perhaps of their masks, which are committed together.

use std::path::Path;

use crate::error::Result;
use crate::write::record_output::{RecordOutput, commit};

/// The files of images and, if they have some, of their masks. Dropping it leaves no trace of them.
pub(super) struct Outputs {
    images: RecordOutput,
    masks: Option<RecordOutput>,
}

impl Outputs {
    /// As [`RecordOutput::create`].
    pub(super) fn create(images: &Path, masks: Option<&Path>, checksum: bool) -> Result<Self> {
        let create = |rec| RecordOutput::create(rec, checksum);
        Ok(Self {
            images: create(images)?,
            masks: masks.map(create).transpose()?,
        })
    }

    /// Appends a record and, if there are masks, its mask's.
    pub(super) fn append(&mut self, key: u64, record: &[u8], mask: Option<&[u8]>) -> Result<()> {
        self.images.append(key, record)?;
        let mask = self.masks.as_mut().zip(mask);
        mask.map_or(Ok(()), |(output, mask)| output.append(key, mask))
    }

    /// Records of images so far.
    pub(super) fn records(&self) -> usize {
        self.images.records()
    }

    /// Bytes of them.
    pub(super) fn bytes(&self) -> u64 {
        self.images.bytes()
    }

    /// As [`commit`].
    pub(super) fn commit(self) -> Result<()> {
        let sealed = std::iter::once(self.images)
            .chain(self.masks)
            .map(RecordOutput::prepare);
        commit(sealed.collect::<Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::write::file_system::tests::file_names;

    fn outputs(folder: &Path) -> Outputs {
        let (images, masks) = (folder.join("a.rec"), folder.join("b.rec"));
        let mut outputs = Outputs::create(&images, Some(&masks), true).unwrap();
        outputs.append(9, b"three", Some(b"mask")).unwrap();
        outputs
    }

    #[test]
    fn masks_are_committed_with_their_images_or_neither_is() {
        let folder = tempfile::tempdir().unwrap();
        outputs(folder.path()).commit().unwrap();
        assert_eq!(
            file_names(folder.path()),
            ["a.idx", "a.rec", "a.rsum", "b.idx", "b.rec", "b.rsum"]
        );
        for taken in ["b.rec", "b.rsum", "b.idx"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join(taken)).unwrap();
            let error = outputs(folder.path()).commit().unwrap_err();
            assert!(error.to_string().contains(taken), "{error}");
            assert_eq!(file_names(folder.path()), [taken]);
        }
    }
}
