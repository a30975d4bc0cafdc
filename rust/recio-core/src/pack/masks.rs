//! Masks: their paths, and the check that they are masks of the size of their images.

use std::path::Path;

use super::options::MaskOptions;
use crate::decode::{Mask, Pixels, Source};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::limits::Limits;
use crate::storage::folder::Folder;

/// Folder of masks.
pub(super) struct MaskFolder<'a> {
    root: Folder,
    ending: &'a str,
}

impl<'a> MaskFolder<'a> {
    /// # Errors
    /// As [`Folder::new`].
    pub(super) fn new(masks: &'a MaskOptions, allow_outside: bool) -> Result<Self> {
        Ok(Self {
            root: Folder::new(&masks.root, allow_outside)?,
            ending: &masks.ending,
        })
    }

    /// Returns the path of an image's mask, relative to the folder.
    pub(super) fn path_of(&self, path: &Path) -> String {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mask = path.with_file_name(format!("{stem}{}", self.ending));
        mask.to_string_lossy().into_owned()
    }

    pub(super) fn root(&self) -> &Folder {
        &self.root
    }
}

/// Checks that a mask is valid and has the displayed size of its image.
pub(super) fn check(mask: &[u8], image: &[u8], limits: &Limits) -> Result<(), String> {
    let image = Source::open(image, limits).map_err(|error| error.to_string())?;
    check_mask(mask, image.size(Pixels::Rgb), limits).map_err(|error| format!("its mask: {error}"))
}

fn check_mask(mask: &[u8], size: (usize, usize), limits: &Limits) -> Result<()> {
    let mask = Mask::open(mask, limits)?;
    if mask.size() != size {
        let (width, height) = mask.size();
        return Err(Error::image(format!(
            "{width}x{height} pixels, but its image has {}x{}",
            size.0, size.1
        )));
    }
    mask.decode(&mut Image::default(), &mut Vec::new())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn mask_has_the_path_of_its_image_with_another_suffix() {
        let folder = tempfile::tempdir().unwrap();
        let path_of = |ending: &str, image: &str| {
            let masks = MaskOptions {
                root: folder.path().into(),
                ending: ending.into(),
                rec: PathBuf::new().into(),
            };
            MaskFolder::new(&masks, false)
                .unwrap()
                .path_of(Path::new(image))
        };
        assert_eq!(path_of(".png", "cat/a.b.jpg"), "cat/a.b.png");
        assert_eq!(path_of("_mask.png", "a.jpg"), "a_mask.png");
        assert_eq!(path_of(".png", "../a"), "../a.png");
    }
}
