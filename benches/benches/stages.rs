//! One bench a stage of the flow: `cargo bench -p recio-benches -- finish` runs one of them.
#![allow(
    missing_docs,
    reason = "criterion's macros make undocumented functions"
)]
#![allow(clippy::unwrap_used, reason = "a bench that fails should stop")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Bencher, Criterion, Throughput, criterion_group, criterion_main};
use recio_benches::photographs;
use recio_core::decode::{Pixels, Source};
use recio_core::format::frame::{self, Progress};
use recio_core::image::{Image, Rect};
use recio_core::limits::Limits;
use recio_core::ops::resize::{Interpolation, Scratch, resize_rows};
use recio_core::read::sidecar::load_index;
use recio_core::render::Rows;
use recio_core::render::normalize::{Element, Finish, Gain, Layout, Normalize};

const SIDE: usize = 224;

/// Encoding and checking the frames of photographs.
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

/// Loading an index of a million entries: in order, and with shuffled keys as im2rec writes them.
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

/// Decoding the photographs.
fn decode(c: &mut Criterion) {
    let photographs = photographs();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(photographs.len() as u64));
    let (mut picture, mut scratch) = Default::default();
    group.bench_function("rgb", |b| {
        b.iter(|| {
            for photograph in &photographs {
                let source = Source::open(photograph, &Limits::default()).unwrap();
                source
                    .decode(Pixels::Rgb, &mut picture, &mut scratch)
                    .unwrap();
            }
        });
    });
}

/// Resampling to 224×224: a crop of a photograph by every method; antialiased, all of a photograph
/// as well.
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
        group.bench_function(format!("{method:?}"), resizer((300, 300), method));
    }
    for size in [(340, 300), (500, 375)] {
        let name = format!("Antialias of {}x{}", size.0, size.1);
        group.bench_function(name, resizer(size, Interpolation::Antialias));
    }
}

fn resizer((width, height): (usize, usize), method: Interpolation) -> impl FnMut(&mut Bencher<'_>) {
    let samples = (0..(width * height * 3) as u32).map(|i| (i.wrapping_mul(i) >> 7) as u8);
    let picture = Image {
        width,
        height,
        channels: 3,
        data: samples.collect(),
    };
    let mut scratch = Scratch::default();
    move |b| {
        let (full, window) = ((SIDE, SIDE), Rect::whole(SIDE, SIDE));
        b.iter(|| {
            let source = &mut picture.view();
            resize_rows(source, full, window, method, &mut scratch, |_, row| {
                black_box(row);
            });
        });
    }
}

/// Normalizing and laying out an image of 224×224.
fn finish(c: &mut Criterion) {
    let rows: Vec<u8> = (0..SIDE * SIDE * 3).map(|i| (i * 7) as u8).collect();
    let normalize = Normalize {
        mean: [123.675, 116.28, 103.53, 0.0],
        std: [58.395, 57.12, 57.375, 1.0],
        ..Normalize::default()
    };
    let mut group = c.benchmark_group("finish");
    let mut run = |name: &str, work: &mut dyn FnMut()| {
        group.bench_function(name, |b| {
            b.iter_batched(|| (), |()| work(), BatchSize::SmallInput);
        });
    };
    run(
        "float32 NCHW",
        &mut filler::<f32>(&rows, &normalize, Layout::Nchw, false),
    );
    run(
        "float32 NCHW mirrored",
        &mut filler::<f32>(&rows, &normalize, Layout::Nchw, true),
    );
    run(
        "uint8 NHWC",
        &mut filler::<u8>(&rows, &normalize, Layout::Nhwc, false),
    );
    run(
        "uint8 NHWC mirrored",
        &mut filler::<u8>(&rows, &normalize, Layout::Nhwc, true),
    );
}

fn filler<T: Element>(
    rows: &[u8],
    normalize: &Normalize,
    layout: Layout,
    mirror: bool,
) -> impl FnMut() {
    let finish = Finish::<T>::new(normalize, layout, 3, SIDE, SIDE);
    let mut slot = vec![T::default(); rows.len()];
    move || {
        let mut image = finish.image(mirror, Gain::default(), black_box(&mut slot));
        for (y, row) in rows.chunks_exact(SIDE * 3).enumerate() {
            image.levels(y, row);
        }
    }
}

criterion_group!(benches, frames, index, decode, resize, finish);
criterion_main!(benches);
