//! `recio.im2rec`: packing the files of a list.

use pyo3::prelude::*;
use recio_core::Error;
use recio_core::encode;
use recio_core::limits::Formats;
use recio_core::pack::{
    self as engine, Color, Encoding, ListPart, MaskOptions, PackOptions, Transcode,
};
use recio_core::progress::Progress;

use crate::convert::limits_of;
use crate::errors::PyRecioError;
use crate::location::{StoragePath, locations};
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
    baseline: bool,
    fill_damage: bool,
    /// The masks' folder, the end of their names, and their record file.
    masks: Option<(StoragePath, String, StoragePath)>,
    pack_label: bool,
    checksum: bool,
    num_thread: usize,
    allow_outside: bool,
    /// Largest side, pixels, bytes and scans of an image.
    limits: (usize, usize, usize, usize),
    older_manifests: Vec<StoragePath>,
}

impl Settings {
    fn options(self) -> recio_core::Result<PackOptions> {
        let transcode = self.transcode()?;
        Ok(PackOptions {
            transcode: (!self.pass_through).then_some(transcode),
            seekable: self.seekable,
            baseline: self.baseline,
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
            older_manifests: locations(self.older_manifests),
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
                ".png" => Encoding::Png(encode::png_level(self.quality)),
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

/// The lines of a list.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct PackList(engine::PackList);

#[pymethods]
impl PackList {
    #[new]
    fn new(py: Python<'_>, list: StoragePath) -> PyResult<Self> {
        let list = list.into();
        run_interruptible(py, |_| engine::PackList::load(&list)).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Number of the line at a position, from 1; none after the last one.
    fn line_number(&self, position: usize) -> Option<u64> {
        self.0.line_number(position)
    }

    /// Packs lines into a record file, all or as many as fit into `max_bytes`. Returns the number
    /// of records; length and CRC32C of the record file, and of that of masks; the position of the
    /// first line that does not fit; the skipped lines; and warnings.
    ///
    /// `progress` is called with the lines done, all lines, and those left out. If it raises, or a
    /// signal's handler does, nothing is written.
    #[allow(clippy::too_many_arguments, reason = "arguments of Python")]
    fn pack(
        &self,
        py: Python<'_>,
        lines: (usize, usize),
        max_bytes: Option<u64>,
        root: StoragePath,
        rec: StoragePath,
        settings: Settings,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Packed> {
        let options = settings.options().map_err(PyRecioError::from)?;
        let (root, rec, part) = (root.into(), rec.into(), part(lines, max_bytes));
        let numbers = |at: Progress| (at.done, at.total, at.skipped);
        let packed = run_with_progress(py, progress, numbers, |on_progress| {
            engine::pack(&self.0, part, &root, &rec, &options, on_progress)
        })?;
        let file = |file: engine::PackedFile| (file.bytes, Some(file.crc32c));
        Ok((
            packed.records,
            file(packed.images),
            packed.masks.map(file),
            lines.0 + packed.end,
            packed.skipped.into_iter().map(row).collect(),
            packed.warnings,
        ))
    }

    /// Returns what `pack` does of a record file that an earlier run has made of the lines, less
    /// those that it skipped, without CRC32C; none if it is not complete.
    fn find(
        &self,
        py: Python<'_>,
        lines: (usize, usize),
        max_bytes: Option<u64>,
        rec: StoragePath,
        skipped: Vec<u64>,
        settings: Settings,
    ) -> PyResult<Option<Packed>> {
        let options = settings.options().map_err(PyRecioError::from)?;
        let (rec, part) = (rec.into(), part(lines, max_bytes));
        let kept = run_interruptible(py, |_| {
            engine::packed_already(&self.0, &part, &rec, &skipped, &options)
        })?;
        Ok(kept.map(|kept| {
            let masks = kept.mask_bytes.map(|bytes| (bytes, None));
            let end = lines.0 + kept.end;
            let none = (Vec::new(), Vec::new());
            (kept.records, (kept.bytes, None), masks, end, none.0, none.1)
        }))
    }
}

/// Length and CRC32C of a record file.
type PackedFile = (u64, Option<u32>);

/// Records, record file of images, record file of masks, end, skipped lines, warnings.
type Packed = (
    usize,
    PackedFile,
    Option<PackedFile>,
    usize,
    Vec<Skipped>,
    Vec<String>,
);

fn part((begin, end): (usize, usize), max_bytes: Option<u64>) -> ListPart {
    ListPart {
        lines: begin..end,
        max_bytes,
    }
}

fn row(skipped: engine::SkippedLine) -> Skipped {
    let (index, path) = skipped.image.unzip();
    (skipped.line, index, path, skipped.reason)
}
