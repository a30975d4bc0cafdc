//! Batches of records in a store of objects: the same as from local files, with many reads at a
//! time.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use recio_core::encode::{ColorOrder, encode_png};
use recio_core::format::label::LabelType;
use recio_core::format::{frame, image_header};
use recio_core::image::Image;
use recio_core::limits::Limits;
use recio_core::loader::{
    ImageLoader, LabelForm, LastBatch, Loader, MaskSource, Next, Options, Shape, ShardPolicy,
    Sharding, Source,
};
use recio_core::plan::{CropPosition, InterpolationChoice, Step};
use recio_core::progress::Interrupt;
use recio_core::render::normalize::{Gain, Normalize};
use recio_core::render::slot_writer::Layout;
use recio_core::storage::location::Location;
use recio_core::storage::store::{Object, OnRead, Store, Upload};
use recio_core::{Error, Result};

const IMAGES: u64 = 40;
const LATENCY: Duration = Duration::from_millis(20);
/// Time limit, longer than any batch takes, so that a test does not hang.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Objects in memory, each of whose reads takes some time.
#[derive(Debug, Default)]
struct Objects {
    by_url: HashMap<PathBuf, Arc<Vec<u8>>>,
    /// Whether reads are started, and end in another thread.
    can_start: bool,
    reads: Arc<Reads>,
}

/// Reads of all objects.
#[derive(Debug, Default)]
struct Reads {
    now: AtomicUsize,
    max: AtomicUsize,
    started: AtomicUsize,
    ranges: Mutex<Vec<Range<u64>>>,
    /// Reads that begin in this range fail.
    fails: Mutex<Range<u64>>,
}

#[derive(Debug)]
struct SlowObject {
    bytes: Arc<Vec<u8>>,
    can_start: bool,
    reads: Arc<Reads>,
}

impl Store for Objects {
    fn open(&self, url: &Path) -> Result<Arc<dyn Object>> {
        let missing = || Error::from(std::io::Error::from(std::io::ErrorKind::NotFound));
        let bytes = Arc::clone(self.by_url.get(url).ok_or_else(missing)?);
        Ok(Arc::new(SlowObject {
            bytes,
            can_start: self.can_start,
            reads: Arc::clone(&self.reads),
        }))
    }

    fn create(&self, _: &Path) -> Result<Box<dyn Upload>> {
        unreachable!("nothing is written")
    }
}

impl Reads {
    fn read(&self, bytes: &[u8], range: Range<u64>) -> Result<Vec<u8>> {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.max.fetch_max(now, Ordering::Relaxed);
        self.ranges.lock().unwrap().push(range.clone());
        thread::sleep(LATENCY);
        self.now.fetch_sub(1, Ordering::Relaxed);
        if self.fails.lock().unwrap().contains(&range.start) {
            let kind = std::io::ErrorKind::ConnectionReset;
            return Err(std::io::Error::new(kind, "connection reset").into());
        }
        Ok(bytes[range.start as usize..range.end as usize].to_vec())
    }
}

impl Object for SlowObject {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn identity(&self) -> Option<&str> {
        None
    }

    fn read_exact_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        let range = offset..offset + bytes.len() as u64;
        bytes.copy_from_slice(&self.reads.read(&self.bytes, range)?);
        Ok(())
    }

    fn start_read(&self, range: Range<u64>, done: OnRead) -> Result<(), OnRead> {
        if !self.can_start {
            return Err(done);
        }
        self.reads.started.fetch_add(1, Ordering::Relaxed);
        let (bytes, reads) = (Arc::clone(&self.bytes), Arc::clone(&self.reads));
        thread::spawn(move || done.call(reads.read(&bytes, range)));
        Ok(())
    }
}

/// Encodes records of images with their numbers as ids, of which every eighth is longer than what
/// is read at first, and their index.
fn records(channels: usize) -> (Vec<u8>, String) {
    let (mut bytes, mut index) = (Vec::new(), String::new());
    for id in 0..IMAGES {
        writeln!(index, "{id}\t{}", bytes.len()).unwrap();
        let mut record = Vec::new();
        image_header::encode(&[id as f32], id, &mut record);
        let side = if id % 8 == 3 && channels == 3 { 640 } else { 8 };
        let noise = |i: usize| (i.wrapping_mul(2_654_435_761) >> 13) as u8;
        let image = Image {
            width: side,
            height: side,
            channels,
            data: (0..side * side * channels)
                .map(|i| noise(i + id as usize))
                .collect(),
        };
        if channels == 1 {
            // A mask has the size of its image.
            let side = if id % 8 == 3 { 640 } else { 8 };
            let mask = Image {
                width: side,
                height: side,
                channels,
                data: (0..side * side).map(|i| (i as u64 + id) as u8).collect(),
            };
            encode_png(&mask.view(), ColorOrder::Rgb, 0, &mut record).unwrap();
        } else {
            encode_png(&image.view(), ColorOrder::Rgb, 0, &mut record).unwrap();
        }
        frame::encode(&record, &mut bytes).unwrap();
    }
    (bytes, index)
}

fn objects(can_start: bool) -> Objects {
    let ((images, image_index), (masks, mask_index)) = (records(3), records(1));
    let objects = [
        ("mem://a.rec", images),
        ("mem://a.idx", image_index.into_bytes()),
        ("mem://m.rec", masks),
        ("mem://m.idx", mask_index.into_bytes()),
    ];
    Objects {
        by_url: objects
            .into_iter()
            .map(|(url, bytes)| (url.into(), Arc::new(bytes)))
            .collect(),
        can_start,
        reads: Arc::default(),
    }
}

fn options(batch_size: usize, shuffle: bool) -> Options {
    Options {
        batch_size,
        shape: Shape {
            channels: 3,
            height: 8,
            width: 8,
        },
        steps: vec![Step::Fit(
            (8, 8),
            CropPosition::Random,
            InterpolationChoice::Auto,
        )],
        normalize: Normalize::default(),
        max_gain: Gain {
            contrast: 0.0,
            illumination: 0.0,
        },
        layout: Layout::Nchw,
        labels: LabelForm::Exact(1),
        label_list: None,
        label_list_by_key: false,
        label_type: LabelType::Float32,
        masks: None,
        shuffle,
        seed: 7,
        augment_seed: 7,
        num_parts: 1,
        part_index: 0,
        sharding: Sharding::Contiguous,
        shard_policy: ShardPolicy::Pad,
        last_batch: LastBatch::Wrap,
        threads: 2,
        prefetch: 2,
        read_ahead: None,
        read_ahead_bytes: 64 << 20,
        skip_damaged: false,
        limits: Limits::default(),
        fill_damage: false,
        decode_scale: false,
        sampler: None,
        allocator: None,
    }
}

/// Ids, pixels and masks of a batch, or its error.
type Read = std::result::Result<(Vec<u64>, Vec<u8>, Option<Vec<u8>>), String>;

/// Returns the batches of some epochs.
fn batches(source: &Source, options: &Options, epochs: usize) -> Vec<Read> {
    let loader = ImageLoader::<u8>::open(source, options, &Interrupt::never()).unwrap();
    let mut read = Vec::new();
    for _ in 0..epochs {
        loop {
            match loader.next(TIMEOUT) {
                Ok(Next::Batch(batch)) => {
                    let masks = batch.masks.as_ref().map(|masks| masks.to_vec());
                    read.push(Ok((batch.ids.clone(), batch.data.to_vec(), masks)));
                }
                Ok(Next::End) => break,
                Ok(Next::Pending) => panic!("no batch in {TIMEOUT:?}"),
                Err(error) => read.push(Err(error.to_string())),
            }
        }
        loader.reset();
    }
    read
}

fn in_store(objects: Objects) -> (Arc<Reads>, impl Fn(&str) -> Vec<Location>) {
    let (reads, store) = (Arc::clone(&objects.reads), Arc::new(objects));
    let at = move |url: &str| vec![Location::in_store(url.into(), Arc::clone(&store) as _)];
    (reads, at)
}

fn images_at(at: &impl Fn(&str) -> Vec<Location>) -> Source {
    Source::Records {
        files: at("mem://a.rec"),
        indexes: at("mem://a.idx"),
    }
}

/// Writes the same files to a folder.
fn local() -> (tempfile::TempDir, impl Fn(&str) -> Vec<Location>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    for (url, bytes) in objects(false).by_url {
        std::fs::write(path.join(url.file_name().unwrap()), &*bytes).unwrap();
    }
    let at = move |url: &str| vec![path.join(Path::new(url).file_name().unwrap()).into()];
    (folder, at)
}

#[test]
fn batches_are_those_of_local_files_and_many_reads_run_at_once() {
    let (_folder, local) = local();
    for shuffle in [true, false] {
        for batch_size in [1, 16] {
            let options = options(batch_size, shuffle);
            let expected = batches(&images_at(&local), &options, 2);
            for can_start in [true, false] {
                let (reads, at) = in_store(objects(can_start));
                assert_eq!(batches(&images_at(&at), &options, 2), expected);
                let max = reads.max.load(Ordering::Relaxed);
                assert!(max >= if shuffle { 10 } else { 2 }, "{max} at once");
                let started = reads.started.load(Ordering::Relaxed);
                assert_eq!(started > 0, can_start);
            }
        }
    }
}

#[test]
fn neighbors_are_read_in_one_request() {
    let (reads, at) = in_store(objects(true));
    batches(&images_at(&at), &options(16, false), 1);
    let ranges = reads.ranges.lock().unwrap();
    let lens: Vec<u64> = ranges.iter().map(|range| range.end - range.start).collect();
    // A small record has about 300 bytes.
    assert!(
        lens.iter().any(|len| (900..5_000).contains(len)),
        "{lens:?}"
    );
}

#[test]
fn masks_are_read_after_the_ids_of_their_images() {
    let masked = |at: &dyn Fn(&str) -> Vec<Location>, bytes: usize| {
        let masks = MaskSource {
            files: at("mem://m.rec"),
            indexes: at("mem://m.idx"),
            fill: 255,
        };
        let options = Options {
            masks: Some(masks),
            read_ahead_bytes: bytes,
            ..options(5, true)
        };
        let source = Source::Records {
            files: at("mem://a.rec"),
            indexes: at("mem://a.idx"),
        };
        batches(&source, &options, 2)
    };
    let (_folder, local) = local();
    let expected = masked(&local, 1 << 20);
    for can_start in [true, false] {
        for bytes in [64 << 20, 200_000] {
            let (reads, at) = in_store(objects(can_start));
            assert_eq!(masked(&at, bytes), expected);
            assert!(reads.max.load(Ordering::Relaxed) > 1);
        }
    }
}

#[test]
fn an_error_of_a_read_is_that_of_its_record() {
    for (can_start, ahead) in [(true, None), (false, None), (true, Some(0))] {
        let (reads, at) = in_store(objects(can_start));
        let options = Options {
            read_ahead: ahead,
            ..options(4, true)
        };
        let source = images_at(&at);
        let loader = ImageLoader::<u8>::open(&source, &options, &Interrupt::never()).unwrap();
        // That of the first record.
        *reads.fails.lock().unwrap() = 0..1;
        let mut errors = Vec::new();
        loop {
            match loader.next(TIMEOUT) {
                Ok(Next::Batch(_)) => {}
                Ok(Next::End) => break,
                Ok(Next::Pending) => panic!("no batch in {TIMEOUT:?}"),
                Err(error) => errors.push(error.to_string()),
            }
        }
        let expected = "mem://a.rec: record 0 at byte 0: connection reset";
        assert_eq!(errors, [expected]);
    }
}

#[test]
fn closing_waits_for_nothing_that_was_started() {
    let (reads, at) = in_store(objects(true));
    let options = options(4, true);
    let loader = ImageLoader::<u8>::open(&images_at(&at), &options, &Interrupt::never()).unwrap();
    loader.start().unwrap();
    while reads.now.load(Ordering::Relaxed) < 3 {
        thread::yield_now();
    }
    let begin = Instant::now();
    loader.close();
    assert!(loader.wait_for_threads(TIMEOUT));
    assert!(begin.elapsed() < TIMEOUT / 2);
}
