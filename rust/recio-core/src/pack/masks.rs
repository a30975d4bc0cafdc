//! The masks that are packed beside images: where an image's mask lies, and whether it is one.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::decode::{Mask, Pixels, Source};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::limits::Limits;
use crate::storage::sandboxed_folder::SandboxedFolder;

/// The masks that are packed with the images of a list: one for each, byte for byte, into a `.rec` and `.idx` of their own
/// with the same ids in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masks {
    /// The folder that they lie in, each at its image's path but for the end of the name.
    pub root: PathBuf,
    /// What stands in place of the name's suffix: `.png`, `_mask.png`.
    pub ending: String,
    /// The record file that is made of them.
    pub rec: PathBuf,
}

/// An open folder of masks.
pub(super) struct MaskFolder<'a> {
    root: SandboxedFolder,
    ending: &'a str,
}

impl<'a> MaskFolder<'a> {
    /// # Errors
    /// As [`SandboxedFolder::new`].
    pub(super) fn new(masks: &'a Masks, allow_outside: bool) -> Result<Self> {
        Ok(Self {
            root: SandboxedFolder::new(&masks.root, allow_outside)?,
            ending: &masks.ending,
        })
    }

    /// The path of an image's mask, relative to the folder.
    pub(super) fn path_of(&self, image: &str) -> String {
        let path = Path::new(image);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mask = path.with_file_name(format!("{stem}{}", self.ending));
        mask.to_string_lossy().into_owned()
    }

    /// As [`SandboxedFolder::open`].
    pub(super) fn open(&self, path: &str) -> Result<(File, u64)> {
        self.root.open(path)
    }
}

/// Refuses what is no mask, one that is damaged, and one of another size than the image as that is displayed.
pub(super) fn check(mask: &[u8], image: &[u8]) -> Result<(), String> {
    let image = Source::open(image, &Limits::default()).map_err(|error| error.to_string())?;
    check_mask(mask, image.size(Pixels::Rgb)).map_err(|error| format!("its mask: {error}"))
}

fn check_mask(mask: &[u8], size: (usize, usize)) -> Result<()> {
    let mask = Mask::open(mask, &Limits::default())?;
    if mask.size() != size {
        let (width, height) = mask.size();
        return Err(Error::image(format!(
            "{width}x{height} pixels, and its image {}x{}",
            size.0, size.1
        )));
    }
    mask.decode(&mut Image::default(), &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_lies_where_its_image_does_under_another_suffix() {
        let folder = tempfile::tempdir().unwrap();
        let path_of = |ending: &str, image: &str| {
            let masks = Masks {
                root: folder.path().to_path_buf(),
                ending: ending.into(),
                rec: PathBuf::new(),
            };
            MaskFolder::new(&masks, false).unwrap().path_of(image)
        };
        assert_eq!(path_of(".png", "cat/a.b.jpg"), "cat/a.b.png");
        assert_eq!(path_of("_mask.png", "a.jpg"), "a_mask.png");
        assert_eq!(path_of(".png", "../a"), "../a.png");
    }
}
