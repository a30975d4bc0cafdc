//! Any bytes as an image, under small limits, with steps that the first bytes choose: the result is
//! an image of the planned size, or an error about the image, the limits or the steps, within two
//! seconds. A reused renderer produces the same image.

use std::time::Duration;

use recio_core::decode::{Mask, Pixels, Source, decode_stored};
use recio_core::image::DynamicImage;
use recio_core::image::Image;
use recio_core::limits::Limits;
use recio_core::ops::resize::Interpolation;
use recio_core::plan::{
    Affine, Angle, CropPosition, InterpolationChoice, Jitter, ResizedCrop, Step,
};
use recio_core::render::renderer::{Input, Job, Renderer};
use recio_core::rng::Rng;
use recio_core::{ErrorKind, Result};

use crate::fuzz_rng::FuzzRng;

/// Number of leading bytes for choices; the rest is the image.
pub const CHOICE_BYTES: usize = 12;

/// Time limit for one image, a hundred times the time of the slowest.
pub const MAX_TIME: Duration = Duration::from_secs(2);

/// Maximum side, and maximum bytes of an image.
const SIDE: usize = 256;
const BYTES: usize = 1 << 20;

/// Options of decoding and augmenting.
#[derive(Debug)]
struct RenderOptions {
    pixels: Pixels,
    steps: Vec<Step>,
    seed: u64,
    fill_damage: bool,
    decode_scale: bool,
}

/// Check the property. Return whether the image was rendered.
pub fn check(bytes: &[u8]) -> bool {
    let (choices, image) = bytes.split_at(bytes.len().min(CHOICE_BYTES));
    let mut rng = FuzzRng::new(choices);
    let options = RenderOptions::new(&mut rng);
    let mut renderer = Renderer::default();
    let rendered = render(image, &options, &mut renderer);
    if rng.one_in(4) {
        let repeated = render(image, &options, &mut renderer);
        assert!(
            rendered == repeated,
            "a reused renderer produced another image: {options:?}"
        );
    }
    check_stored(image);
    check_mask(image);
    rendered.is_some()
}

fn limits() -> Limits {
    Limits {
        side: SIDE,
        bytes: BYTES,
        ..Limits::default()
    }
}

/// Render the image, if possible.
fn render(image: &[u8], options: &RenderOptions, renderer: &mut Renderer) -> Option<DynamicImage> {
    let limits = limits();
    let source = expected_error(Source::open(image, &limits))?.fill_damage(options.fill_damage);
    let job = Job {
        steps: &options.steps,
        rng: &mut Rng::new(options.seed, 0, 0),
        boxes: None,
        limits: &limits,
        decode_scale: options.decode_scale,
    };
    let input = Input::Encoded(source, options.pixels);
    let mut planned = expected_error(renderer.plan(input, job))?;
    planned.plan_mut().resolve_mirror();
    let planned_size = (planned.plan().size(), planned.channels());
    let mut canvas = DynamicImage::default();
    canvas.reset(planned_size.0, planned_size.1, planned.is_float());
    expected_error(planned.render(&mut canvas))?;
    assert_eq!((canvas.size(), canvas.channels()), planned_size);
    let ((width, height), channels) = (canvas.size(), canvas.channels());
    let samples = match &canvas {
        DynamicImage::U8(picture) => picture.data.len(),
        DynamicImage::F32(picture) => picture.data.len(),
    };
    assert_eq!(samples, width * height * channels, "{options:?}");
    // NaN is not equal to itself, and colors may overflow to it.
    matches!(canvas, DynamicImage::U8(_)).then_some(canvas)
}

fn check_stored(image: &[u8]) {
    use recio_core::decode::Stored::{Bits8, Bits16};
    let (size, channels, samples) = match expected_error(decode_stored(image, &limits())) {
        None => return,
        Some(Bits8(Image {
            width,
            height,
            channels,
            data,
        })) => (width * height, channels, data.len()),
        Some(Bits16 {
            width,
            height,
            channels,
            data,
        }) => (width * height, channels, data.len()),
    };
    assert_eq!(samples, size * channels);
    assert!(matches!(channels, 1 | 3 | 4));
}

fn check_mask(image: &[u8]) {
    let Some(mask) = expected_error(Mask::open(image, &limits())) else {
        return;
    };
    let (size, mut picture) = (mask.size(), Image::default());
    if expected_error(mask.decode(&mut picture, &mut Vec::new())).is_some() {
        assert_eq!(
            (picture.width, picture.height, picture.channels),
            (size.0, size.1, 1)
        );
        assert_eq!(picture.data.len(), size.0 * size.1);
    }
}

/// Return the value, or `None` for an error that the bytes or the steps can cause.
fn expected_error<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            let kind = error.kind();
            let is_typed = matches!(
                kind,
                ErrorKind::Image(_)
                    | ErrorKind::Unsupported(_)
                    | ErrorKind::Limit(_)
                    | ErrorKind::Argument(_)
            );
            assert!(is_typed, "{error:?}");
            None
        }
    }
}

impl RenderOptions {
    fn new(rng: &mut FuzzRng<'_>) -> Self {
        Self {
            pixels: rng.pick(&[Pixels::Rgb, Pixels::Rgb, Pixels::Gray, Pixels::Rgba]),
            fill_damage: rng.one_in(2),
            decode_scale: rng.one_in(4),
            seed: rng.below(256) as u64,
            steps: (0..rng.below(4)).map(|_| step(rng)).collect(),
        }
    }
}

/// Return a random step of one of the kinds that process pixels differently.
fn step(rng: &mut FuzzRng<'_>) -> Step {
    let interpolation = rng.pick(&[
        InterpolationChoice::Auto,
        InterpolationChoice::Random,
        InterpolationChoice::Fixed(Interpolation::Antialias),
    ]);
    let size = (rng.between(1, 64), rng.between(1, 64));
    match rng.below(10) {
        0 => Step::ShorterSide(size.0, interpolation),
        1 => Step::Resize(size, interpolation),
        2 => Step::Cover(size, CropPosition::Random, interpolation),
        3 => Step::Fit(size, CropPosition::Center, interpolation),
        4 => Step::Pad(size.0 / 4, 7),
        5 => Step::Mirror(1.0),
        6 => Step::ResizedCrop(ResizedCrop {
            size,
            area: (0.08, 1.0),
            aspect: (0.75, 4.0 / 3.0),
            log_uniform: rng.one_in(2),
            interpolation,
        }),
        7 => Step::Affine(Affine {
            angle: Angle::Uniform(180.0),
            shear: 0.3,
            scale: (0.5, 1.5),
            aspect: (0.5, 2.0),
            side: (1.0, 64.0),
            value: 9,
            interpolation: InterpolationChoice::Auto,
        }),
        8 => Step::Jitter(Jitter::Enhance {
            ranges: [0.4; 3],
            swapped: rng.one_in(2),
        }),
        _ => Step::Brightness(0.5),
    }
}
