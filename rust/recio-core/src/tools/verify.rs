//! Whether a record file is sound: its framing, then each record's checksum, header and image.
//!
//! The calling thread walks over the file; images are decoded by threads of this call's own, a piece of the file at a time.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::record_check::{Examiner, Place};
use super::sidecars::{Known, about_file};
use super::{Kind, Problem};
use crate::error::Result;
use crate::format::checksum;
use crate::limits::Limits;
use crate::progress::{OnProgress, Progress, Throttle};
use crate::read::record_file::RecordFile;
use crate::read::salvage::{Segment, SkippedRegion};

/// Bytes of records that are handed to a thread at a time.
const PIECE: usize = 1 << 20;
/// The most problems that are listed; the others are counted.
const MOST: usize = 100_000;

/// What is looked at, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file's index, if it has one.
    pub index: Option<PathBuf>,
    /// Whether images are decoded.
    pub decode: bool,
    /// The threads that decode; at least one.
    pub threads: usize,
    /// The images that are decoded.
    pub limits: Limits,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whole records.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether there was an index, and checksums, sound enough to compare with.
    pub has_index: bool,
    /// Likewise.
    pub has_checksums: bool,
    /// Records that the index does not list.
    pub unlisted: u64,
    /// What is wrong, by the place in the file; a hundred thousand at most.
    pub problems: Vec<Problem>,
    /// How many problems there are, listed or not.
    pub total: u64,
}

/// Looks at all of a record file; `None` if the caller broke off.
///
/// # Errors
/// [`ErrorKind::Io`](crate::error::ErrorKind::Io) if the file, its index or its checksums cannot be read. Whatever is wrong
/// with what is in them is no error, but a problem.
pub fn verify(
    rec: &Path,
    options: &Options,
    on_progress: &mut OnProgress<'_>,
) -> Result<Option<Report>> {
    let file = RecordFile::open_without_checksums(rec)?;
    let mut problems = Vec::new();
    let known = Known::load(&file, options.index.as_deref(), &mut problems)?;
    let found = Found::new(problems);
    let throttle = Throttle::new(on_progress);
    let mut visit = Visit {
        known: &known,
        found: &found,
        records: 0,
        listed: 0,
        summed: 0,
    };
    let walked = if options.decode {
        visit.in_parallel(&file, options, throttle)
    } else {
        let mut examiner = Examiner::new(options.limits, false);
        let mut examine = |place, frames: &mut [u8]| found.extend(examiner.examine(place, frames));
        visit.walk(&file, throttle, &mut examine)
    }?;
    if !walked {
        return Ok(None);
    }
    visit.finish(&file);
    let (records, listed) = (visit.records, visit.listed);
    Ok(Some(found.report(&file, &known, records, listed)))
}

/// The problems that all threads find.
struct Found(Mutex<(Vec<Problem>, u64)>);

impl Found {
    fn new(problems: Vec<Problem>) -> Self {
        let total = problems.len() as u64;
        Self(Mutex::new((problems, total)))
    }

    fn extend(&self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            found.1 += 1;
            if found.0.len() < MOST {
                found.0.push(problem);
            }
        }
    }

    fn report(self, file: &RecordFile, known: &Known, records: u64, listed: u64) -> Report {
        let (mut problems, mut total) = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let is_header = |problem: &Problem| problem.kind == Kind::Header;
        let headers = problems.iter().filter(|problem| is_header(problem)).count() as u64;
        if headers == records {
            // None has a header: these are no image records, and need none.
            problems.retain(|problem| !is_header(problem));
            total -= headers;
        }
        problems.sort_by_key(|problem| (problem.offset, problem.kind));
        Report {
            records,
            bytes: file.len(),
            has_index: known.index.is_some(),
            has_checksums: known.sums.is_some(),
            unlisted: known.index.as_ref().map_or(0, |_| records - listed),
            problems,
            total,
        }
    }
}

/// The walk of the calling thread.
struct Visit<'a> {
    known: &'a Known,
    found: &'a Found,
    records: u64,
    /// Entries of the index that were met, and that point at records.
    listed: u64,
    summed: u64,
}

/// Records on their way to a thread.
#[derive(Default)]
struct Piece {
    frames: Vec<u8>,
    places: Vec<Place>,
}

impl Visit<'_> {
    /// Walks, and has each record examined; gives whether the caller let it come to the end.
    fn walk(
        &mut self,
        file: &RecordFile,
        mut throttle: Throttle<'_>,
        examine: &mut dyn FnMut(Place, &mut [u8]),
    ) -> Result<bool> {
        let mut walk = self.known.walk(file);
        let mut entries = self.known.index.iter().flatten().peekable();
        let mut strays = 0;
        loop {
            let progress = Progress::new(walk.position(), file.len());
            if throttle.report(progress).is_break() {
                return Ok(false);
            }
            match walk.next_segment()? {
                None => break,
                Some(Segment::Skipped(region)) => self.found.extend([framing(region)]),
                Some(Segment::Record(whole)) => {
                    while let Some(entry) = entries.next_if(|entry| entry.offset < whole.offset) {
                        self.found.extend([stray(entry.key, entry.offset)]);
                        strays += 1;
                    }
                    let place = Place {
                        // As iterators number them: among those that the index lists, damaged ones too.
                        record: match self.known.index {
                            Some(_) => self.listed + strays,
                            None => self.records,
                        },
                        offset: whole.offset,
                        len: whole.frame.len(),
                    };
                    self.records += 1;
                    let entry = entries.next_if(|entry| entry.offset == place.offset);
                    self.listed += u64::from(entry.is_some());
                    self.check_sum(place, whole.frame);
                    examine(place, whole.frame);
                }
            }
        }
        let strays = entries.map(|entry| stray(entry.key, entry.offset));
        self.found.extend(strays);
        Ok(true)
    }

    fn check_sum(&mut self, place: Place, frames: &[u8]) {
        let Some(sums) = &self.known.sums else { return };
        let reason = match sums.get(place.offset) {
            Some(entry) => {
                self.summed += 1;
                (entry.crc != checksum::crc(frames))
                    .then_some("its bytes are not those that its checksum was made of")
            }
            None => Some("the .rsum has no checksum for it"),
        };
        let problem = reason.map(|reason| place.problem(Kind::Checksum, None, reason.into()));
        self.found.extend(problem);
    }

    /// Compares what was met with what the checksums were made of.
    fn finish(&self, file: &RecordFile) {
        let Some(sums) = &self.known.sums else { return };
        let (len, records) = (sums.file_len(), sums.len() as u64);
        if len != file.len() {
            self.found.extend([about_file(
                Kind::Checksum,
                format!(
                    "the file has {} bytes; its .rsum was made for {len}",
                    file.len()
                ),
            )]);
        }
        if self.summed != records {
            self.found.extend([about_file(
                Kind::Checksum,
                format!(
                    "{} of the {records} records that the .rsum lists are not there",
                    records - self.summed
                ),
            )]);
        }
    }

    /// Walks, while threads examine the records.
    fn in_parallel(
        &mut self,
        file: &RecordFile,
        options: &Options,
        throttle: Throttle<'_>,
    ) -> Result<bool> {
        let found = self.found;
        thread::scope(|scope| {
            let threads = options.threads.max(1);
            let (pieces, queue) = bounded::<Piece>(threads);
            for number in 0..threads {
                let (queue, examiner) = (queue.clone(), Examiner::new(options.limits, true));
                thread::Builder::new()
                    .name(format!("recio-verify-{number}"))
                    .spawn_scoped(scope, move || work(&queue, examiner, found))?;
            }
            drop(queue);
            let mut piece = Piece::default();
            let walked = self.walk(file, throttle, &mut |place, frames| {
                piece.places.push(place);
                piece.frames.extend_from_slice(frames);
                if piece.frames.len() >= PIECE {
                    hand_over(&pieces, std::mem::take(&mut piece));
                }
            });
            hand_over(&pieces, piece);
            walked
        })
    }
}

fn hand_over(pieces: &Sender<Piece>, piece: Piece) {
    // The threads catch whatever a decoder does, and receive until there is no more.
    _ = pieces.send(piece);
}

fn work(queue: &Receiver<Piece>, mut examiner: Examiner, found: &Found) {
    while let Ok(Piece { mut frames, places }) = queue.recv() {
        let mut rest = &mut frames[..];
        for place in places {
            let (own, others) = rest.split_at_mut(place.len);
            found.extend(examiner.examine(place, own));
            rest = others;
        }
    }
}

fn framing(region: SkippedRegion) -> Problem {
    Problem {
        kind: Kind::Framing,
        reason: region.reason,
        record: None,
        id: None,
        offset: Some(region.begin),
        end: Some(region.end),
    }
}

/// An entry of the index at whose offset no record begins.
fn stray(key: u64, offset: u64) -> Problem {
    Problem {
        kind: Kind::Index,
        reason: format!("the index has key {key} here, where no whole record begins"),
        record: None,
        id: None,
        offset: Some(offset),
        end: None,
    }
}
