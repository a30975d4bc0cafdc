//! Nothing is allocated for an image after the first ones, from its payload to its rows.
#![allow(clippy::unwrap_used)]

#[path = "../../recio-jpeg/tests/counting_allocator/mod.rs"]
mod counting_allocator;

use std::ops::Range;
use std::path::Path;

use recio_core::decode::{Pixels, Source};
use recio_core::image::RowSink;
use recio_core::limits::Limits;
use recio_core::plan::{InterpolationChoice, ResizedCrop, Step};
use recio_core::render::renderer::{Input, Job, Renderer};
use recio_core::rng::Rng;

use counting_allocator::calls;

const NAMES: [&str; 4] = ["plain", "s444", "progressive", "with-restarts"];

/// Adds up all levels.
struct Sum(u64);

impl RowSink for Sum {
    fn row_u8(&mut self, _: usize, row: &[u8]) {
        self.0 += row.iter().map(|&level| u64::from(level)).sum::<u64>();
    }

    fn row_f32(&mut self, _: usize, _: &[f32]) {
        unreachable!("no step makes floats");
    }
}

fn steps() -> [Step; 2] {
    let crop = ResizedCrop {
        size: (224, 224),
        area: (0.08, 1.0),
        aspect: (0.75, 4.0 / 3.0),
        log_uniform: true,
        interpolation: InterpolationChoice::Auto,
    };
    [Step::ResizedCrop(crop), Step::Mirror(0.5)]
}

fn draw(renderer: &mut Renderer, payload: &[u8], steps: &[Step], number: u64) {
    let limits = Limits::default();
    let source = Source::open(payload, &limits).unwrap();
    let job = Job {
        steps,
        rng: &mut Rng::new(1, 0, number),
        boxes: None,
        limits: &limits,
        decode_scale: number % 2 == 1,
    };
    let mut image = renderer
        .plan(Input::Encoded(source, Pixels::Rgb), job)
        .unwrap();
    image.plan_mut().resolve_mirror();
    let mut sum = Sum(0);
    image.render(&mut sum).unwrap();
    assert!(sum.0 > 0);
}

#[test]
fn images_after_the_first_ones_allocate_nothing() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/odd-images");
    let images = NAMES.map(|name| std::fs::read(folder.join(name).with_extension("jpg")).unwrap());
    let steps = steps();
    let mut renderer = Renderer::default();
    // How often each image makes the renderer allocate. Each draw is another region; every second
    // may be at a smaller scale.
    let mut round = |draws: Range<u64>| {
        images.each_ref().map(|payload| {
            let before = calls();
            for number in draws.clone() {
                draw(&mut renderer, payload, &steps, number);
            }
            calls() - before
        })
    };
    assert!(round(0..40)[0] > 0);
    assert_eq!(round(40..80), [0; NAMES.len()]);
}
