//! A panic in a user function is an error of its image only (R10). A thousand panics leave the
//! other images, the threads and the locks intact.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recio_core::Result;
use recio_core::boxes::Boxes;
use recio_core::encode::{ColorOrder, encode_png};
use recio_core::format::label::LabelType;
use recio_core::format::{frame, image_header};
use recio_core::image::DynamicImage;
use recio_core::image::Image;
use recio_core::limits::Limits;
use recio_core::loader::{
    ImageLoader, LabelForm, LastBatch, Loader, Next, Options, Shape, ShardPolicy, Sharding, Source,
};
use recio_core::plan::{Step, UserFunction};
use recio_core::progress::Interrupt;
use recio_core::render::normalize::{Gain, Normalize};
use recio_core::render::slot_writer::Layout;
use recio_core::rng::Rng;

/// Number of images, of which every fourth panics.
const IMAGES: u64 = 4_000;
const PANICS: u64 = 1_000;
const THREADS: usize = 3;
/// Threads that assemble batches of more than a few images.
const PRODUCERS: usize = 2;
/// Time limit, longer than any batch takes, so that a test does not hang if a thread is lost.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Panics on images whose number, which is in their pixels, is a multiple of four.
#[derive(Debug)]
struct Panics;

impl UserFunction for Panics {
    fn call(&self, image: &mut DynamicImage, _: Option<&mut Boxes>, _: &mut Rng) -> Result<()> {
        let DynamicImage::U8(image) = image else {
            unreachable!("no step produces floats");
        };
        assert!(!image.data[1].is_multiple_of(4), "expected panic");
        Ok(())
    }
}

/// Writes a record file of the images, with their numbers as ids.
fn images() -> (tempfile::TempDir, Source) {
    let mut bytes = Vec::new();
    for id in 0..IMAGES {
        let mut record = Vec::new();
        image_header::encode(&[id as f32], id, &mut record);
        let [low, high, ..] = id.to_le_bytes();
        let image = Image {
            width: 2,
            height: 1,
            channels: 1,
            data: vec![high, low],
        };
        encode_png(&image.view(), ColorOrder::Rgb, 0, &mut record).unwrap();
        frame::encode(&record, &mut bytes).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let source = Source::Records {
        files: vec![path.into()],
        indexes: vec![],
    };
    (folder, source)
}

fn options(batch_size: usize, skip_damaged: bool) -> Options {
    Options {
        batch_size,
        shape: Shape {
            channels: 1,
            height: 1,
            width: 2,
        },
        steps: vec![Step::UserFunction(Arc::new(Panics))],
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
        shuffle: true,
        seed: 7,
        augment_seed: 7,
        num_parts: 1,
        part_index: 0,
        sharding: Sharding::Contiguous,
        shard_policy: ShardPolicy::Pad,
        last_batch: LastBatch::Discard,
        threads: THREADS,
        prefetch: 2,
        read_ahead: Some(0),
        read_ahead_bytes: 0,
        skip_damaged,
        limits: Limits::default(),
        fill_damage: false,
        decode_scale: false,
        sampler: None,
        allocator: None,
    }
}

/// Returns the ids of the images of an epoch, in order, and the errors of the others.
fn epoch(loader: &ImageLoader<u8>) -> (Vec<u64>, Vec<String>) {
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    loop {
        match loader.next(TIMEOUT) {
            Ok(Next::Batch(batch)) => {
                for (&id, pixels) in batch.ids.iter().zip(batch.data.chunks_exact(2)) {
                    assert_eq!(id.to_le_bytes()[..2], [pixels[1], pixels[0]]);
                    ids.push(id);
                }
            }
            Ok(Next::End) => return (ids, errors),
            Ok(Next::Pending) => panic!("no batch in {TIMEOUT:?}"),
            Err(error) => errors.push(error.to_string()),
        }
    }
}

/// Checks that every image that does not panic was returned once.
fn assert_all_others(ids: &[u64]) {
    let expected: BTreeSet<_> = (0..IMAGES).filter(|id| !id.is_multiple_of(4)).collect();
    assert_eq!(ids.len(), expected.len());
    assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), expected);
}

fn assert_all_panics(errors: &[String]) {
    assert_eq!(errors.len() as u64, PANICS);
    for error in errors {
        assert!(
            error.contains("a.rec: record") && error.contains("a panic"),
            "{error}"
        );
    }
}

/// Returns the number of threads of loaders in this process.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
    let names = tasks.filter_map(|task| name(task.unwrap()).ok());
    names.filter(|name| name.starts_with("recio-")).count()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> usize {
    0
}

/// Returns the number of threads that `threads` counts.
fn on_linux(threads: usize) -> usize {
    if cfg!(target_os = "linux") {
        threads
    } else {
        0
    }
}

/// Suppresses the messages of expected panics.
fn silence_expected_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if !thread.name().is_some_and(|name| name.starts_with("recio-")) {
            usual(panic);
        }
    }));
}

// One test, because it counts the threads of the process.
#[test]
fn panics_skip_their_images_only() {
    silence_expected_panics();
    let (_folder, source) = images();

    let loader = ImageLoader::<u8>::open(&source, &options(1, false), &Interrupt::never()).unwrap();
    for _ in 0..2 {
        let (ids, errors) = epoch(&loader);
        assert_all_others(&ids);
        assert_all_panics(&errors);
        loader.reset();
    }
    assert_eq!(threads(), on_linux(THREADS));
    drop(loader);
    // Threads may be listed for a moment after they have been joined.
    let start = Instant::now();
    while threads() > 0 {
        assert!(start.elapsed() < TIMEOUT);
        std::thread::yield_now();
    }

    let loader = ImageLoader::<u8>::open(&source, &options(50, true), &Interrupt::never()).unwrap();
    for expected in [PANICS, 0] {
        let (ids, errors) = epoch(&loader);
        assert_all_others(&ids);
        assert!(errors.is_empty(), "{errors:?}");
        let damage: Vec<_> = loader
            .take_skipped()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(damage.len() as u64, expected);
        if expected > 0 {
            assert_all_panics(&damage);
        }
        loader.reset();
    }
    assert_eq!(threads(), on_linux(THREADS + PRODUCERS));
}
