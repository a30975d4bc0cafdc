//! Options of packing.

use super::transcode::Transcode;
use crate::limits::Limits;
use crate::storage::location::Location;

/// Options of [`pack`](super::pack).
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// Settings for decoding and encoding images; `None` packs the bytes of the files.
    pub transcode: Option<Transcode>,
    /// Whether to rewrite JPEGs so that crops are decoded faster, if that does not make them
    /// larger. The pixels stay the same.
    pub seekable: bool,
    /// Whether to rewrite progressive JPEGs as baseline ones, which are decoded several times
    /// faster, if that does not make them larger by more than a tenth. The pixels stay the same.
    pub baseline: bool,
    /// Masks to pack beside the images. They exclude changes of the images' sizes.
    pub masks: Option<MaskOptions>,
    /// Whether a record gets all labels of its line, or only the first.
    pub pack_label: bool,
    /// Whether to write a `.rsum` beside each `.rec`.
    pub checksum: bool,
    /// Whether paths of the list may leave the folder of the images.
    pub allow_outside: bool,
    /// Limits of the images that are decoded.
    pub limits: Limits,
    /// Number of threads, at least 1.
    pub threads: usize,
    /// Manifests that are removed before the record files appear, as these replace their shards.
    pub older_manifests: Vec<Location>,
}

/// Masks that are packed with the images of a list.
///
/// Each mask is copied byte for byte into a record file with the same ids in the same order.
#[derive(Debug, Clone)]
pub struct MaskOptions {
    /// Folder of the masks, each with the path of its image except for the suffix.
    pub root: Location,
    /// Replacement of the image's suffix: `.png`, `_mask.png`.
    pub ending: String,
    /// Record file of the masks.
    pub rec: Location,
}
