//! `recio.im2rec`: packing the files of a list.

use pyo3::prelude::*;
use recio_core::Error;
use recio_core::limits::Formats;
use recio_core::pack::{self as engine, Color, Encoding, MaskOptions, PackOptions, Transcode};
use recio_core::progress::Progress;

use crate::convert::limits_of;
use crate::errors::PyRecioError;
use crate::location::StoragePath;
use crate::progress::{run_interruptible, run_with_progress};

/// Options of `recio.im2rec`: a dictionary with these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Settings {
    pass_through: bool,
    resize: usize,
    center_crop: bool,
    quality: u8,
    color: i8,
    encoding: String,
    seekable: bool,
    fill_damage: bool,
    /// The masks' folder, the end of their names, and their record file.
    masks: Option<(StoragePath, String, StoragePath)>,
    pack_label: bool,
    checksum: bool,
    num_thread: usize,
    allow_outside: bool,
    /// Largest side, pixels, bytes and scans of an image.
    limits: (usize, usize, usize, usize),
}

impl Settings {
    fn options(self) -> recio_core::Result<PackOptions> {
        let transcode = self.transcode()?;
        Ok(PackOptions {
            transcode: (!self.pass_through).then_some(transcode),
            seekable: self.seekable,
            masks: self.masks.map(|(root, ending, rec)| MaskOptions {
                root: root.into(),
                ending,
                rec: rec.into(),
            }),
            pack_label: self.pack_label,
            checksum: self.checksum,
            allow_outside: self.allow_outside,
            limits: limits_of(self.limits, Formats::ALL),
            threads: self.num_thread,
        })
    }

    fn transcode(&self) -> recio_core::Result<Transcode> {
        Ok(Transcode {
            color: match self.color {
                -1 => Color::Stored,
                0 => Color::Gray,
                1 => Color::Rgb,
                other => {
                    return Err(Error::argument(format!(
                        "color must be -1, 0 or 1, got {other}"
                    )));
                }
            },
            fill_damage: self.fill_damage,
            center_crop: self.center_crop,
            resize: (self.resize > 0).then_some(self.resize),
            encoding: match self.encoding.as_str() {
                ".jpg" => Encoding::Jpeg(self.quality),
                ".png" => Encoding::Png(self.quality.min(9)),
                other => {
                    return Err(Error::argument(format!(
                        "encoding must be \".jpg\" or \".png\", got {other:?}"
                    )));
                }
            },
        })
    }
}

/// A line left out: its number, index and path if it could be read, and the reason.
type Skipped = (u64, Option<u64>, Option<String>, String);

/// Packs a list; returns the number of records, the length of the `.rec`, the skipped lines and
/// warnings.
///
/// `progress` is called with the lines done, all lines, and those left out. If it raises, or a
/// signal's handler does, nothing is written.
#[pyfunction]
pub(crate) fn pack(
    py: Python<'_>,
    list: StoragePath,
    root: StoragePath,
    rec: StoragePath,
    settings: Settings,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, u64, Vec<Skipped>, Vec<String>)> {
    let options = settings.options().map_err(PyRecioError::from)?;
    let (list, root, rec) = (list.into(), root.into(), rec.into());
    let numbers = |at: Progress| (at.done, at.total, at.skipped);
    let packed = run_with_progress(py, progress, numbers, |on_progress| {
        engine::pack(&list, &root, &rec, &options, on_progress)
    })?;
    let skipped = packed.skipped.into_iter().map(row).collect();
    Ok((packed.records, packed.bytes, skipped, packed.warnings))
}

/// The number of records and the length of a `.rec` that an earlier run has made of the list, less
/// the lines that it skipped; none if it is not complete.
#[pyfunction]
pub(crate) fn packed_already(
    py: Python<'_>,
    list: StoragePath,
    rec: StoragePath,
    skipped: Vec<u64>,
    settings: Settings,
) -> PyResult<Option<(usize, u64)>> {
    let options = settings.options().map_err(PyRecioError::from)?;
    let (list, rec) = (list.into(), rec.into());
    run_interruptible(py, |_| {
        engine::packed_already(&list, &rec, &skipped, &options)
    })
}

fn row(skipped: engine::SkippedLine) -> Skipped {
    let (index, path) = skipped.image.unzip();
    (skipped.line, index, path, skipped.reason)
}
