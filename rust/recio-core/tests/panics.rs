//! R10: a panic while an image is made is an error of that image and of nobody else. A thousand of
//! them leave the other images, the threads and their locks as they are, and the process alive.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use recio_core::Result;
use recio_core::boxes::Boxes;
use recio_core::encode::encode_png;
use recio_core::format::{frame, image_header};
use recio_core::image::DynamicImage;
use recio_core::image::Image;
use recio_core::limits::Limits;
use recio_core::loader::{
    ImageLoader, LabelForm, LastBatch, Loader, Next, Options, Shape, ShardPolicy, Source,
};
use recio_core::plan::{Step, UserFunction};
use recio_core::render::normalize::{Gain, Normalize};
use recio_core::render::slot_writer::Layout;
use recio_core::rng::Rng;

/// Images, of which every fourth panics.
const IMAGES: u64 = 4_000;
const PANICS: u64 = 1_000;
const THREADS: usize = 3;
/// Those, and two that put batches together.
const RUNNING: usize = if cfg!(target_os = "linux") {
    THREADS + 2
} else {
    0
};
/// Longer than any batch takes: a thread that is lost is told so, and not by a test that never
/// ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// Panics on images whose number, which their first pixels tell, is a multiple of four.
#[derive(Debug)]
struct Panics;

impl UserFunction for Panics {
    fn call(&self, image: &mut DynamicImage, _: Option<&mut Boxes>, _: &mut Rng) -> Result<()> {
        let DynamicImage::U8(image) = image else {
            unreachable!("nothing makes floats");
        };
        assert!(!image.data[1].is_multiple_of(4), "as it was told");
        Ok(())
    }
}

/// A file of the images, their ids their numbers.
fn images() -> (tempfile::TempDir, Source) {
    let mut bytes = Vec::new();
    for id in 0..IMAGES {
        let mut record = Vec::new();
        image_header::encode(&[id as f32], id, &mut record);
        let [low, high, ..] = id.to_le_bytes();
        let picture = Image {
            width: 2,
            height: 1,
            channels: 1,
            data: vec![high, low],
        };
        encode_png(&picture.view(), 0, &mut record).unwrap();
        frame::encode(&record, &mut bytes).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("a.rec");
    std::fs::write(&path, bytes).unwrap();
    let source = Source::Records {
        files: vec![path],
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
        masks: None,
        shuffle: true,
        seed: 7,
        augment_seed: 7,
        num_parts: 1,
        part_index: 0,
        shard_policy: ShardPolicy::Pad,
        last_batch: LastBatch::Discard,
        threads: THREADS,
        prefetch: 2,
        skip_damaged,
        limits: Limits::default(),
        fill_damage: false,
        decode_scale: false,
    }
}

/// The ids of an epoch's images, in order, and what is said of those that are errors.
fn epoch(pipeline: &ImageLoader<u8>) -> (Vec<u64>, Vec<String>) {
    let (mut ids, mut errors) = (Vec::new(), Vec::new());
    loop {
        match pipeline.next(PATIENCE) {
            Ok(Next::Batch(batch)) => {
                for (&id, pixels) in batch.ids.iter().zip(batch.data.chunks_exact(2)) {
                    assert_eq!(id.to_le_bytes()[..2], [pixels[1], pixels[0]]);
                    ids.push(id);
                }
            }
            Ok(Next::End) => return (ids, errors),
            Ok(Next::Pending) => panic!("no batch in {PATIENCE:?}"),
            Err(error) => errors.push(error.to_string()),
        }
    }
}

/// Every image that does not panic, once.
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

/// The threads of pipelines that this process has.
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

/// Prints no message where a panic is as it should be.
fn silence() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if !thread.name().is_some_and(|name| name.starts_with("recio-")) {
            usual(panic);
        }
    }));
}

// One test, because it counts the process's threads.
#[test]
fn a_thousand_panics_cost_a_thousand_images_and_no_thread_and_no_lock() {
    silence();
    let (_folder, source) = images();

    let pipeline = ImageLoader::<u8>::open(&source, &options(1, false)).unwrap();
    for _ in 0..2 {
        let (ids, errors) = epoch(&pipeline);
        assert_all_others(&ids);
        assert_all_panics(&errors);
        pipeline.reset();
    }
    assert_eq!(threads(), RUNNING);
    drop(pipeline);
    // Whoever was waited for may be listed for a moment more.
    let start = Instant::now();
    while threads() > 0 {
        assert!(start.elapsed() < PATIENCE);
        std::thread::yield_now();
    }

    let pipeline = ImageLoader::<u8>::open(&source, &options(50, true)).unwrap();
    for told in [PANICS, 0] {
        let (ids, errors) = epoch(&pipeline);
        assert_all_others(&ids);
        assert!(errors.is_empty(), "{errors:?}");
        let damage: Vec<_> = pipeline
            .take_skipped()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(damage.len() as u64, told);
        if told > 0 {
            assert_all_panics(&damage);
        }
        pipeline.reset();
    }
    assert_eq!(threads(), RUNNING);
}
