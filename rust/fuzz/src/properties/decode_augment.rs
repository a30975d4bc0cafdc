//! Any bytes as an image, under limits that are small, through steps that the first bytes draw: a
//! picture of the size that its plan promised, or an error that says that the image, the limits or
//! the steps are to blame; and within two seconds. A studio that was used before gives the same.

use std::time::Duration;

use recio_core::decode::{Mask, Pixels, Source, decode_stored};
use recio_core::image::Canvas;
use recio_core::image::Image;
use recio_core::limits::Limits;
use recio_core::ops::resize::Interpolation;
use recio_core::plan::{Affine, Angle, Interpolations, Jitter, Place, ResizedCrop, Step};
use recio_core::render::renderer::{Origin, Program, Studio};
use recio_core::rng::Rng;
use recio_core::{ErrorKind, Result};

use crate::fuzz_rng::Dice;

/// Bytes at the beginning that are drawn from; the image is the rest.
pub const DRAWN: usize = 12;

/// Time that no such image may take: a hundred times what the slowest took.
pub const MOST_TIME: Duration = Duration::from_secs(2);

/// The largest side, and the most bytes of a picture.
const SIDE: usize = 256;
const BYTES: usize = 1 << 20;

/// What is asked for.
#[derive(Debug)]
struct Wish {
    pixels: Pixels,
    steps: Vec<Step>,
    seed: u64,
    fill_damage: bool,
    decode_scale: bool,
}

/// Checks it. Gives whether there is a picture.
pub fn check(bytes: &[u8]) -> bool {
    let (drawn, image) = bytes.split_at(bytes.len().min(DRAWN));
    let mut dice = Dice::new(drawn);
    let wish = Wish::new(&mut dice);
    let mut studio = Studio::default();
    let drawn = draw(image, &wish, &mut studio);
    if dice.one_in(4) {
        let again = draw(image, &wish, &mut studio);
        assert!(
            drawn == again,
            "a used studio gives something else: {wish:?}"
        );
    }
    check_stored(image);
    check_mask(image);
    drawn.is_some()
}

fn limits() -> Limits {
    Limits {
        side: SIDE,
        bytes: BYTES,
        ..Limits::default()
    }
}

/// The picture, if there is one.
fn draw(image: &[u8], wish: &Wish, studio: &mut Studio) -> Option<Canvas> {
    let limits = limits();
    let source = blamed(Source::open(image, &limits))?.fill_damage(wish.fill_damage);
    let program = Program {
        steps: &wish.steps,
        random: &mut Rng::new(wish.seed, 0, 0),
        boxes: None,
        limits: &limits,
        decode_scale: wish.decode_scale,
    };
    let mut promised = None;
    let origin = Origin::Coded(source, wish.pixels);
    let drawn = studio.draw(origin, program, |plan, channels| {
        plan.settle();
        promised = Some((plan.size(), channels));
        let mut canvas = Canvas::default();
        canvas.clear(plan.size(), channels, plan.is_float());
        Ok(canvas)
    });
    let canvas = blamed(drawn)?;
    assert_eq!(Some((canvas.size(), canvas.channels())), promised);
    let ((width, height), channels) = (canvas.size(), canvas.channels());
    let samples = match &canvas {
        Canvas::Levels(picture) => picture.data.len(),
        Canvas::Floats(picture) => picture.data.len(),
    };
    assert_eq!(samples, width * height * channels, "{wish:?}");
    // Numbers that are none are equal to nothing, and colors may overflow to them.
    matches!(canvas, Canvas::Levels(_)).then_some(canvas)
}

fn check_stored(image: &[u8]) {
    use recio_core::decode::Stored::{Bits8, Bits16};
    let (size, channels, samples) = match blamed(decode_stored(image, &limits())) {
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
    let Some(mask) = blamed(Mask::open(image, &limits())) else {
        return;
    };
    let (size, mut picture) = (mask.size(), Image::default());
    if blamed(mask.decode(&mut picture, &mut Vec::new())).is_some() {
        assert_eq!(
            (picture.width, picture.height, picture.channels),
            (size.0, size.1, 1)
        );
        assert_eq!(picture.data.len(), size.0 * size.1);
    }
}

/// Lets pass the errors that bytes and steps may lead to.
fn blamed<T>(outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            let kind = error.kind();
            let is_typed = matches!(
                kind,
                ErrorKind::Image(_) | ErrorKind::Limit(_) | ErrorKind::Argument(_)
            );
            assert!(is_typed, "{error:?}");
            None
        }
    }
}

impl Wish {
    fn new(dice: &mut Dice<'_>) -> Self {
        Self {
            pixels: dice.pick(&[Pixels::Rgb, Pixels::Rgb, Pixels::Gray, Pixels::Rgba]),
            fill_damage: dice.one_in(2),
            decode_scale: dice.one_in(4),
            seed: dice.below(256) as u64,
            steps: (0..dice.below(4)).map(|_| step(dice)).collect(),
        }
    }
}

/// A step, of one of the kinds that touch pixels in ways of their own.
fn step(dice: &mut Dice<'_>) -> Step {
    let how = dice.pick(&[
        Interpolations::Auto,
        Interpolations::Random,
        Interpolations::Fixed(Interpolation::Antialias),
    ]);
    let size = (dice.between(1, 64), dice.between(1, 64));
    match dice.below(10) {
        0 => Step::ShorterSide(size.0, how),
        1 => Step::Resize(size, how),
        2 => Step::Cover(size, Place::Random, how),
        3 => Step::Fit(size, Place::Center, how),
        4 => Step::Pad(size.0 / 4, 7),
        5 => Step::Mirror(1.0),
        6 => Step::ResizedCrop(ResizedCrop {
            size,
            area: (0.08, 1.0),
            aspect: (0.75, 4.0 / 3.0),
            log: dice.one_in(2),
            interpolation: how,
        }),
        7 => Step::Affine(Affine {
            angle: Angle::Within(180.0),
            shear: 0.3,
            scale: (0.5, 1.5),
            aspect: (0.5, 2.0),
            side: (1.0, 64.0),
            value: 9,
            interpolation: Interpolations::Auto,
        }),
        8 => Step::Jitter(Jitter::Enhance {
            ranges: [0.4; 3],
            swapped: dice.one_in(2),
        }),
        _ => Step::Brightness(0.5),
    }
}
