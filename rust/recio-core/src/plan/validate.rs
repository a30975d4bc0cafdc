//! Validation of the values of steps.

use crate::error::{Error, Result};
use crate::plan::{
    Affine, Angle, AreaCrop, AreaPad, Detect, Jitter, Keep, Lighting, ResizedCrop, Sampler,
    Samplers, Step,
};

/// Maximum side that a step may ask for, in pixels, so that sizes cannot overflow.
const MAX_SIDE: usize = 1 << 16;
/// Maximum canvas, as a multiple of the image's area, for the same reason.
const MAX_CANVAS: f64 = 64.0;

/// Maximum attempts at a random crop. Closing an iterator waits for the image in progress.
const MAX_ATTEMPTS: u32 = 100_000;

/// Maximum scale, for the same reason as `MAX_SIDE`.
const MAX_SCALE: f64 = 1000.0;

pub(super) fn step(step: &Step) -> Result<()> {
    match step {
        Step::ShorterSide(side, _) => size((*side, *side)),
        Step::Resize(wanted, _)
        | Step::Cover(wanted, ..)
        | Step::Fit(wanted, ..)
        | Step::Within(wanted, ..) => size(*wanted),
        Step::Pad(thickness, _) if *thickness > MAX_SIDE => {
            invalid(format!("pad must be at most {MAX_SIDE}, got {thickness}"))
        }
        Step::Square {
            side, size: wanted, ..
        } => {
            size(*wanted)?;
            ordered(
                "min_crop_size, max_crop_size",
                (side.0 as f64, side.1 as f64),
                (1.0, MAX_SIDE as f64),
            )
        }
        Step::ResizedCrop(crop) => resized_crop(crop),
        Step::Affine(affine) => self::affine(affine),
        Step::Detect(detect) => self::detect(detect),
        Step::Mirror(p) => probability("mirror", *p),
        Step::Gray(p) => probability("gray", *p),
        Step::Jitter(jitter) => self::jitter(jitter),
        Step::Brightness(range)
        | Step::Contrast(range)
        | Step::Saturation(range)
        | Step::Hue(range) => finite("range", *range),
        Step::Lighting(lighting) => self::lighting(lighting),
        Step::Normalize(mean, std) => normalize(mean, std),
        Step::Either(steps, skip) => {
            probability("skip_prob", *skip)?;
            steps.iter().try_for_each(self::step)
        }
        Step::Sequence(steps) | Step::RandomOrder(steps) => steps.iter().try_for_each(self::step),
        Step::Pad(..) | Step::Cast | Step::UserFunction(_) => Ok(()),
    }
}

fn invalid(message: String) -> Result<()> {
    Err(Error::argument(message))
}

fn size((width, height): (usize, usize)) -> Result<()> {
    let is_sound = |side| (1..=MAX_SIDE).contains(&side);
    if is_sound(width) && is_sound(height) {
        return Ok(());
    }
    invalid(format!(
        "sizes must be from 1 to {MAX_SIDE} pixels a side, got {width}x{height}"
    ))
}

fn ordered(name: &str, (low, high): (f64, f64), (min, max): (f64, f64)) -> Result<()> {
    if min <= low && low <= high && high <= max {
        return Ok(());
    }
    invalid(format!(
        "{name} must be ordered and from {min} to {max}, got {low}, {high}"
    ))
}

fn probability(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    invalid(format!(
        "{name} must be a probability from 0 to 1, got {value}"
    ))
}

fn finite(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    invalid(format!("{name} must be finite and at least 0, got {value}"))
}

fn each_finite(names: [&str; 3], values: &[f64; 3]) -> Result<()> {
    names
        .iter()
        .zip(values)
        .try_for_each(|(name, value)| finite(name, *value))
}

fn resized_crop(crop: &ResizedCrop) -> Result<()> {
    size(crop.size)?;
    let (low, high) = crop.area;
    if !(0.0 < low && low <= high && high <= 1.0) {
        return invalid(format!(
            "min_random_area and max_random_area must be fractions of the image's area with 0 < min <= max <= 1, got {low}, {high}"
        ));
    }
    aspect(crop.aspect)
}

fn aspect((low, high): (f64, f64)) -> Result<()> {
    if 0.0 < low && low <= high && high.is_finite() {
        return Ok(());
    }
    invalid(format!(
        "min_aspect_ratio and max_aspect_ratio must be finite ratios of width to height with 0 < min <= max, got {low}, {high}"
    ))
}

fn affine(affine: &Affine) -> Result<()> {
    match &affine.angle {
        Angle::Uniform(max) => finite("max_rotate_angle", *max)?,
        Angle::OneOf(angles)
            if angles.is_empty() || !angles.iter().all(|angle| angle.is_finite()) =>
        {
            return invalid(format!(
                "rotate_list must be a list of finite angles in degrees, got {angles:?}"
            ));
        }
        Angle::Integers(max) if *max > 1 << 20 => {
            return invalid(format!(
                "max_rotate_angle must be an angle in degrees, got {max}"
            ));
        }
        Angle::OneOf(_) | Angle::Integers(_) => {}
    }
    finite("max_shear_ratio", affine.shear)?;
    ordered(
        "min_random_scale, max_random_scale",
        affine.scale,
        (1.0 / MAX_SCALE, MAX_SCALE),
    )?;
    // The maximum side may be infinite, for no limit; the minimum sizes canvases.
    if affine.side.0 > MAX_SIDE as f64 {
        let min = affine.side.0;
        return invalid(format!(
            "min_img_size must be at most {MAX_SIDE}, got {min}"
        ));
    }
    ordered("min_img_size, max_img_size", affine.side, (0.0, f64::MAX))?;
    aspect(affine.aspect)
}

fn jitter(jitter: &Jitter) -> Result<()> {
    match jitter {
        Jitter::Enhance { ranges, .. } => {
            each_finite(["brightness", "contrast", "saturation"], ranges)
        }
        Jitter::Hls { max, .. } => each_finite(["random_h", "random_l", "random_s"], max),
        Jitter::Pca(deviation) => finite("pca_noise", *deviation),
        Jitter::Sometimes { hls, contrast } => {
            let [hue, lightness, saturation] = hls;
            for (name, one) in [
                ("hue", hue),
                ("illumination", lightness),
                ("saturation", saturation),
                ("contrast", contrast),
            ] {
                finite(&format!("max_random_{name}"), one.max)?;
                probability(&format!("random_{name}_prob"), one.probability)?;
            }
            Ok(())
        }
    }
}

fn detect(detect: &Detect) -> Result<()> {
    match detect {
        Detect::ScalePad {
            probability, max, ..
        } => {
            self::probability("rand_pad_prob", *probability)?;
            let limit = MAX_CANVAS.sqrt();
            if (1.0..=limit).contains(max) {
                return Ok(());
            }
            invalid(format!(
                "max_pad_scale must be from 1 to {limit}, got {max}"
            ))
        }
        Detect::Sample(samplers) => self::samplers(samplers),
        Detect::AreaCrop(crop) => area_crop(crop),
        Detect::AreaPad(AreaPad {
            aspect,
            area,
            attempts,
            ..
        }) => {
            check_attempts("max_attempts", *attempts)?;
            ratios("aspect_ratio_range", *aspect)?;
            ordered("area_range", *area, (0.0, MAX_CANVAS))
        }
    }
}

fn check_attempts(name: &str, attempts: u32) -> Result<()> {
    if attempts <= MAX_ATTEMPTS {
        return Ok(());
    }
    invalid(format!(
        "{name} must be at most {MAX_ATTEMPTS}, got {attempts}"
    ))
}

fn area_crop(crop: &AreaCrop) -> Result<()> {
    check_attempts("max_attempts", crop.attempts)?;
    ratios("aspect_ratio_range", crop.aspect)?;
    ordered("area_range", crop.area, (0.0, MAX_CANVAS))?;
    finite("min_object_covered", crop.min_covered)?;
    finite("min_eject_coverage", crop.max_ejected)
}

fn samplers(samplers: &Samplers) -> Result<()> {
    probability("rand_crop_prob", samplers.probability)?;
    if let Keep::MinShare(min_share) = samplers.keep {
        finite("emit_overlap_thresh", min_share)?;
    }
    samplers.samplers.iter().try_for_each(sampler)
}

fn sampler(sampler: &Sampler) -> Result<()> {
    check_attempts("max_crop_trials", sampler.trials)?;
    ratios(
        "min_crop_aspect_ratios, max_crop_aspect_ratios",
        sampler.aspect,
    )?;
    for (name, share) in [
        ("scales", sampler.scale),
        ("overlaps", sampler.overlap),
        ("sample_coverages", sampler.sample_coverage),
        ("object_coverages", sampler.object_coverage),
    ] {
        ordered(
            &format!("min_crop_{name}, max_crop_{name}"),
            share,
            (0.0, 1.0),
        )?;
    }
    Ok(())
}

/// Checks ratios of width to height.
fn ratios(name: &str, ratios: (f64, f64)) -> Result<()> {
    ordered(name, ratios, (1e-3, 1e3))
}

fn lighting(lighting: &Lighting) -> Result<()> {
    let numbers = lighting
        .eigenvectors
        .as_flattened()
        .iter()
        .chain(&lighting.eigenvalues);
    if numbers.into_iter().all(|number| number.is_finite()) {
        return finite("alphastd", lighting.deviation);
    }
    invalid("eigval and eigvec must be finite numbers".into())
}

fn normalize(mean: &[f64; 3], std: &[f64; 3]) -> Result<()> {
    if std.iter().all(|std| *std != 0.0 && std.is_finite())
        && mean.iter().all(|mean| mean.is_finite())
    {
        return Ok(());
    }
    invalid(format!(
        "mean must be finite, and std finite and not 0, got mean={mean:?}, std={std:?}"
    ))
}
