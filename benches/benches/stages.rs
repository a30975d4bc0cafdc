//! Benchmarks of the stages of recio-core; `cargo bench -p recio-benches -- normalize` runs one of
//! them.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Bencher, Criterion, Throughput, criterion_group, criterion_main};
use recio_benches::photographs;
use recio_core::decode::{Pixels, Source};
use recio_core::format::frame::{self, Progress};
use recio_core::image::{Image, Rect, RowSink};
use recio_core::limits::Limits;
use recio_core::ops::resize::{Interpolation, Scratch, resize_rows};
use recio_core::read::sidecar::load_index;
use recio_core::render::normalize::{Element, Gain, Normalize};
use recio_core::render::slot_writer::{Layout, Normalizer};

const SIDE: usize = 224;

/// Encode photographs as frames, and check the frames.
fn frames(c: &mut Criterion) {
    let records = photographs();
    let bytes: usize = records.iter().map(Vec::len).sum();
    let mut encoded = Vec::new();
    let mut group = c.benchmark_group("frames");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("encode", |b| {
        b.iter(|| {
            encoded.clear();
            records
                .iter()
                .for_each(|record| frame::encode(record, &mut encoded).unwrap());
        });
    });
    group.bench_function("check", |b| {
        b.iter(|| {
            let mut rest = &encoded[..];
            while let Ok(Progress::Complete(end)) = frame::check(rest, rest.len() as u64, None) {
                rest = &rest[end..];
            }
        });
    });
}

/// Load an index of a million entries, sorted and shuffled as im2rec writes it.
fn index(c: &mut Criterion) {
    const ENTRIES: u64 = 1_000_000;
    let mut group = c.benchmark_group("index");
    group
        .throughput(Throughput::Elements(ENTRIES))
        .sample_size(10);
    let path = std::env::temp_dir().join(format!("recio-bench-{}.idx", std::process::id()));
    for (name, stride) in [("in order", 1), ("shuffled", 612_361)] {
        let lines = (0..ENTRIES).fold(String::new(), |mut text, i| {
            writeln!(text, "{}\t{}", i * stride % ENTRIES, i * 66_000).unwrap();
            text
        });
        std::fs::write(&path, lines).unwrap();
        group.bench_function(name, |b| b.iter(|| load_index(&path, None).unwrap()));
    }
    std::fs::remove_file(path).unwrap();
}

/// Decode the photographs.
fn decode(c: &mut Criterion) {
    let photographs = photographs();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(photographs.len() as u64));
    let (mut image, mut scratch) = Default::default();
    group.bench_function("rgb", |b| {
        b.iter(|| {
            for photograph in &photographs {
                let source = Source::open(photograph, &Limits::default()).unwrap();
                source
                    .decode(Pixels::Rgb, &mut image, &mut scratch)
                    .unwrap();
            }
        });
    });
}

/// Resample to 224×224: a 300×300 crop by every method, and entire photographs with antialiasing.
fn resize(c: &mut Criterion) {
    let mut group = c.benchmark_group("resize");
    for method in [
        Interpolation::Nearest,
        Interpolation::Linear,
        Interpolation::Cubic,
        Interpolation::Area,
        Interpolation::Lanczos4,
        Interpolation::Antialias,
    ] {
        group.bench_function(format!("{method:?}"), resize_bench((300, 300), method));
    }
    for size in [(340, 300), (500, 375)] {
        let name = format!("Antialias of {}x{}", size.0, size.1);
        group.bench_function(name, resize_bench(size, Interpolation::Antialias));
    }
}

fn resize_bench(
    (width, height): (usize, usize),
    method: Interpolation,
) -> impl FnMut(&mut Bencher<'_>) {
    let samples = (0..(width * height * 3) as u32).map(|i| (i.wrapping_mul(i) >> 7) as u8);
    let image = Image {
        width,
        height,
        channels: 3,
        data: samples.collect(),
    };
    let mut scratch = Scratch::default();
    move |b| {
        let (full, window) = ((SIDE, SIDE), Rect::of_size(SIDE, SIDE));
        b.iter(|| {
            let source = &mut image.view();
            resize_rows(source, full, window, method, &mut scratch, |_, row| {
                black_box(row);
            });
        });
    }
}

/// Normalize a 224×224 image and write it in a layout.
fn normalize(c: &mut Criterion) {
    let rows: Vec<u8> = (0..SIDE * SIDE * 3).map(|i| (i * 7) as u8).collect();
    let options = Normalize {
        mean: [123.675, 116.28, 103.53, 0.0],
        std: [58.395, 57.12, 57.375, 1.0],
        ..Normalize::default()
    };
    let mut group = c.benchmark_group("normalize");
    let mut run = |name: &str, work: &mut dyn FnMut()| {
        group.bench_function(name, |b| {
            b.iter_batched(|| (), |()| work(), BatchSize::SmallInput);
        });
    };
    run(
        "float32 NCHW",
        &mut normalize_bench::<f32>(&rows, &options, Layout::Nchw, false),
    );
    run(
        "float32 NCHW mirrored",
        &mut normalize_bench::<f32>(&rows, &options, Layout::Nchw, true),
    );
    run(
        "uint8 NHWC",
        &mut normalize_bench::<u8>(&rows, &options, Layout::Nhwc, false),
    );
    run(
        "uint8 NHWC mirrored",
        &mut normalize_bench::<u8>(&rows, &options, Layout::Nhwc, true),
    );
}

fn normalize_bench<T: Element>(
    rows: &[u8],
    options: &Normalize,
    layout: Layout,
    mirror: bool,
) -> impl FnMut() {
    let normalizer = Normalizer::<T>::new(options, layout, 3, SIDE, SIDE);
    let mut slot = vec![T::default(); rows.len()];
    move || {
        let mut rows_out = normalizer.image(mirror, Gain::default(), black_box(&mut slot));
        for (y, row) in rows.chunks_exact(SIDE * 3).enumerate() {
            rows_out.row_u8(y, row);
        }
    }
}

criterion_group!(benches, frames, index, decode, resize, normalize);
criterion_main!(benches);
