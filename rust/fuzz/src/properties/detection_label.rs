//! Any numbers as a detection label: it is accepted if its header width and object width are valid
//! and the rest is a multiple of the object width. It has the objects whose sides are in order. No
//! step adds objects, or makes a side NaN.

use recio_core::boxes::Boxes;
use recio_core::dataset::detection_label;
use recio_core::plan::{
    AreaCrop, AreaPad, CropPosition, Detect, InterpolationChoice, Keep, Sampler, Samplers, Step,
    preview,
};
use recio_core::rng::Rng;

use crate::fuzz_rng::FuzzRng;

/// Number of leading bytes for choices; the rest is the label.
pub const CHOICE_BYTES: usize = 12;

/// Values that are not finite, or not fractions.
const ODD: [f32; 8] = [
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::MAX,
    f32::MIN_POSITIVE,
    -0.0,
    1e-42,
    16_777_216.0,
];

/// Check the property.
pub fn check(bytes: &[u8]) {
    let (choices, bytes) = bytes.split_at(bytes.len().min(CHOICE_BYTES));
    let mut rng = FuzzRng::new(choices);
    let label = label(bytes, &mut rng);
    let mut boxes = Boxes::default();
    let numbers: Vec<f64> = label.iter().copied().map(f64::from).collect();
    let outcome = detection_label::read(&numbers, &mut boxes);
    let expected = expected(&label);
    assert_eq!(outcome.is_ok(), expected.is_some(), "{label:?}");
    if let Some((width, values)) = expected {
        assert_eq!(boxes.width, width);
        assert_eq!(bits(&boxes.values), bits(&values), "{label:?}");
        check_steps(&mut boxes, &mut rng);
    }
}

/// Return the bytes as floats or, in three of four cases, as two widths and numbers most of which
/// are fractions.
fn label(bytes: &[u8], rng: &mut FuzzRng<'_>) -> Vec<f32> {
    if rng.one_in(4) {
        let (words, _) = bytes.as_chunks();
        return words.iter().copied().map(f32::from_le_bytes).collect();
    }
    let widths = [rng.between(1, 4), rng.between(4, 8)].map(|width| f32::from(width as u8));
    let number = |&[low, high]: &[u8; 2]| match high {
        0xff => ODD[usize::from(low) % ODD.len()],
        _ => (f32::from(u16::from_le_bytes([low, high])) - 16_384.0) / 32_768.0,
    };
    let numbers = bytes.as_chunks().0.iter().map(number);
    widths.into_iter().chain(numbers).collect()
}

/// Return the object width, and the values of the objects whose sides are in order.
fn expected(label: &[f32]) -> Option<(usize, Vec<f32>)> {
    let width = |at: usize, least: f32| {
        let width = *label.get(at)?;
        let can_be =
            width >= least && width < 16_777_216.0 && width.fract().abs() < f32::MIN_POSITIVE;
        can_be.then_some(width as usize)
    };
    let (header, object) = (width(0, 2.0)?, width(1, 5.0)?);
    let objects = label.get(header..)?;
    let is_sound = |object: &&[f32]| object[1] < object[3] && object[2] < object[4];
    let sound = objects.chunks_exact(object).filter(is_sound);
    let is_multiple = objects.len().is_multiple_of(object);
    is_multiple.then(|| (object, sound.flatten().copied().collect()))
}

/// Apply some random steps to an image of a random size.
fn check_steps(boxes: &mut Boxes, rng: &mut FuzzRng<'_>) {
    let size = (rng.between(1, 300), rng.between(1, 300));
    let mut random = Rng::new(rng.below(1 << 16) as u64, 0, 0);
    let steps: Vec<Step> = (0..rng.below(4)).map(|_| step(rng)).collect();
    steps
        .iter()
        .for_each(|step| step.check().expect("the step is valid"));
    let (width, count) = (boxes.width, boxes.len());
    let (plan, _) = preview(&steps, size, &mut random, Some(boxes));
    let (w, h) = plan.size();
    assert!(w > 0 && h > 0, "{steps:?}");
    assert_eq!(boxes.width, width);
    assert!(boxes.len() <= count, "{steps:?}");
    assert!(boxes.values.len().is_multiple_of(width));
    for object in boxes.iter() {
        let sides = [object[1], object[2], object[3], object[4]];
        assert!(
            !sides.iter().any(|side| side.is_nan()),
            "{sides:?}, {steps:?}"
        );
    }
}

fn step(rng: &mut FuzzRng<'_>) -> Step {
    let mut share = || rng.below(101) as f64 / 100.0;
    let mut pair = |most: f64| {
        let (a, b) = (share(), share());
        (a.min(b) * most, a.max(b) * most)
    };
    let (aspect, area) = (pair(3.0), pair(2.0));
    let aspect = (aspect.0 + 0.01, aspect.1 + 0.01);
    let (scale, overlap, sample_coverage, object_coverage) =
        (pair(1.0), pair(1.0), pair(1.0), pair(1.0));
    match rng.below(6) {
        0 => Step::Mirror(1.0),
        1 => Step::Detect(Detect::ScalePad {
            probability: 1.0,
            max: 1.0 + area.1,
            value: 0,
        }),
        2 => Step::Detect(Detect::AreaCrop(AreaCrop {
            min_covered: scale.0,
            aspect,
            area,
            max_ejected: scale.1,
            attempts: 20,
        })),
        3 => Step::Detect(Detect::AreaPad(AreaPad {
            aspect,
            area,
            attempts: 20,
            value: [0; 4],
        })),
        4 => Step::Detect(Detect::Sample(Samplers {
            probability: 1.0,
            samplers: vec![Sampler {
                scale,
                aspect,
                overlap,
                sample_coverage,
                object_coverage,
                trials: 20,
            }],
            keep: rng.pick(&[Keep::Center, Keep::MinShare(0.3)]),
        })),
        _ => Step::Fit((64, 48), CropPosition::Random, InterpolationChoice::Auto),
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
