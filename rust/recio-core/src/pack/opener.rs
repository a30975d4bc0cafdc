//! Opening the files of a line, and fetching objects of a store ahead of the workers.

use crossbeam_channel::{Receiver, Sender};

use super::failure::Failure;
use super::image_file::ImageFile;
use super::masks::MaskFolder;
use super::memory_budget::{MemoryBudget, Reservation};
use super::worker::Job;
use crate::storage::folder::Folder;
use crate::storage::wait;

/// Objects that are fetched at a time. Each waits for its store most of the time.
pub(super) const FETCHES: usize = 64;

/// Opens the files of lines.
#[derive(Clone, Copy)]
pub(super) struct Opener<'a> {
    pub(super) images: &'a Folder,
    pub(super) masks: Option<&'a MaskFolder<'a>>,
    pub(super) budget: &'a MemoryBudget,
}

/// The files of a line, and the memory reserved for their bytes.
pub(super) struct LineFiles<'a> {
    pub(super) image: ImageFile,
    pub(super) mask: Option<ImageFile>,
    pub(super) reservation: Reservation<'a>,
}

impl<'a> Opener<'a> {
    /// Whether images or masks are in a store.
    pub(super) fn is_remote(&self) -> bool {
        let is_store = |folder: &Folder| matches!(folder, Folder::Store(_));
        is_store(self.images) || self.masks.is_some_and(|masks| is_store(masks.root()))
    }

    /// Opens the files of a line and waits for memory for them; `None` if the memory budget is
    /// closed.
    pub(super) fn open(&self, job: &Job<'a>) -> Option<Result<LineFiles<'a>, Failure>> {
        let (image, mask) = match self.open_files(&job.line.path) {
            Ok(files) => files,
            Err(failure) => return Some(Err(failure)),
        };
        let bytes = image.len + mask.as_ref().map_or(0, |mask| mask.len);
        Some(Ok(LineFiles {
            image,
            mask,
            reservation: self.budget.reserve(job.position, bytes)?,
        }))
    }

    /// Opens an image and, if there are masks, its mask.
    fn open_files(&self, path: &str) -> Result<(ImageFile, Option<ImageFile>), Failure> {
        let image = ImageFile::new(self.images.open(path))?;
        let mask = self.masks.map(|masks| {
            let path = masks.path_of(&self.images.relative(path));
            let mask = ImageFile::new(masks.root().open(&path));
            mask.map_err(|failure| failure.about(&format!("its mask {path}")))
        });
        Ok((image, mask.transpose()?))
    }

    /// Fetches the files of lines, and passes the lines on, until the queue or the memory budget is
    /// closed.
    pub(super) fn run(self, queue: &Receiver<Job<'a>>, fetched: &Sender<Job<'a>>) {
        wait::stoppable(self.budget.is_closed(), || self.fetch_lines(queue, fetched));
    }

    fn fetch_lines(&self, queue: &Receiver<Job<'a>>, fetched: &Sender<Job<'a>>) {
        while let Ok(mut job) = queue.recv() {
            let Some(opened) = self.open(&job) else {
                return;
            };
            let is_wanted = match opened.and_then(LineFiles::fetch) {
                Ok(files) => {
                    job.files = Some(files);
                    fetched.send(job).is_ok()
                }
                Err(failure) => job.answer.send(Err(failure)).is_ok(),
            };
            if !is_wanted {
                return;
            }
        }
    }
}

impl LineFiles<'_> {
    /// Reads objects into memory.
    fn fetch(self) -> Result<Self, Failure> {
        let mask = self.mask.map(ImageFile::fetch).transpose();
        Ok(Self {
            image: self.image.fetch()?,
            mask: mask.map_err(|failure| failure.about("its mask"))?,
            reservation: self.reservation,
        })
    }
}
