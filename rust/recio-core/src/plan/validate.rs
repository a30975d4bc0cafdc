//! What steps are refused: those that make no sense.

use crate::error::{Error, Result};
use crate::plan::{
    Affine, Angle, AreaCrop, AreaPad, Detect, Jitter, Keep, Lighting, ResizedCrop, Sampler,
    Samplers, Step,
};

/// The largest side that a step asks for, in pixels: sizes made of it stay far from overflowing.
const MAX_SIDE: usize = 1 << 16;
/// The largest canvas, as a multiple of the image's area, likewise.
const MAX_CANVAS: f64 = 64.0;

/// The most tries of a random crop.
const MAX_TRIES: u32 = 100_000;

/// The largest scale, for the same reason.
const MAX_SCALE: f64 = 1000.0;

pub(super) fn step(step: &Step) -> Result<()> {
    match step {
        Step::ShorterSide(side, _) => size((*side, *side)),
        Step::Resize(wanted, _)
        | Step::Cover(wanted, ..)
        | Step::Fit(wanted, ..)
        | Step::Within(wanted, ..) => size(*wanted),
        Step::Pad(thickness, _) if *thickness > MAX_SIDE => {
            refuse(format!("pad={thickness}; it is at most {MAX_SIDE}"))
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
        | Step::Hue(range) => finite("range", &[*range]),
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

fn refuse(message: String) -> Result<()> {
    Err(Error::argument(message))
}

fn size((width, height): (usize, usize)) -> Result<()> {
    let is_sound = |side| (1..=MAX_SIDE).contains(&side);
    if is_sound(width) && is_sound(height) {
        return Ok(());
    }
    refuse(format!(
        "a size of {width}x{height} pixels; a side is from 1 to {MAX_SIDE}"
    ))
}

fn ordered(name: &str, (low, high): (f64, f64), (least, most): (f64, f64)) -> Result<()> {
    if least <= low && low <= high && high <= most {
        return Ok(());
    }
    refuse(format!(
        "{name}={low}, {high}; {least} <= the first <= the second <= {most}"
    ))
}

fn probability(name: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    refuse(format!("{name}={value}; it is a probability, from 0 to 1"))
}

fn finite(name: &str, values: &[f64]) -> Result<()> {
    if values
        .iter()
        .all(|value| value.is_finite() && *value >= 0.0)
    {
        return Ok(());
    }
    refuse(format!(
        "{name}={values:?}; it is a finite number, at least 0"
    ))
}

fn resized_crop(crop: &ResizedCrop) -> Result<()> {
    size(crop.size)?;
    let (low, high) = crop.area;
    if !(0.0 < low && low <= high && high <= 1.0) {
        return refuse(format!(
            "min_random_area={low}, max_random_area={high}; they are fractions of the image's area, 0 < min <= max <= 1"
        ));
    }
    aspect(crop.aspect)
}

fn aspect((low, high): (f64, f64)) -> Result<()> {
    if 0.0 < low && low <= high && high.is_finite() {
        return Ok(());
    }
    refuse(format!(
        "min_aspect_ratio={low}, max_aspect_ratio={high}; they are ratios of width to height, 0 < min <= max"
    ))
}

fn affine(affine: &Affine) -> Result<()> {
    match &affine.angle {
        Angle::Within(most) => finite("max_rotate_angle", &[*most])?,
        Angle::Of(angles) if angles.is_empty() || !angles.iter().all(|angle| angle.is_finite()) => {
            return refuse(format!(
                "rotate_list={angles:?}; it is a list of angles, in degrees"
            ));
        }
        Angle::Whole(most) if *most > 1 << 20 => {
            return refuse(format!(
                "max_rotate_angle={most}; it is an angle, in degrees"
            ));
        }
        Angle::Of(_) | Angle::Whole(_) => {}
    }
    finite("max_shear_ratio", &[affine.shear])?;
    ordered(
        "min_random_scale, max_random_scale",
        affine.scale,
        (1.0 / MAX_SCALE, MAX_SCALE),
    )?;
    // The largest side may be any, for no limit; the least makes canvases.
    if affine.side.0 > MAX_SIDE as f64 {
        let least = affine.side.0;
        return refuse(format!("min_img_size={least}; it is at most {MAX_SIDE}"));
    }
    ordered("min_img_size, max_img_size", affine.side, (0.0, f64::MAX))?;
    aspect(affine.aspect)
}

fn jitter(jitter: &Jitter) -> Result<()> {
    match jitter {
        Jitter::Enhance { ranges, .. } => finite("brightness, contrast, saturation", ranges),
        Jitter::Hls { most, .. } => finite("random_h, random_l, random_s", most),
        Jitter::Pca(deviation) => finite("pca_noise", &[*deviation]),
        Jitter::Sometimes { hls, contrast } => {
            let [hue, lightness, saturation] = hls;
            for (name, one) in [
                ("hue", hue),
                ("illumination", lightness),
                ("saturation", saturation),
                ("contrast", contrast),
            ] {
                finite(&format!("max_random_{name}"), &[one.most])?;
                probability(&format!("random_{name}_prob"), one.probability)?;
            }
            Ok(())
        }
    }
}

fn detect(detect: &Detect) -> Result<()> {
    match detect {
        Detect::ScalePad {
            probability, most, ..
        } => {
            self::probability("rand_pad_prob", *probability)?;
            ordered("1, max_pad_scale", (1.0, *most), (1.0, MAX_CANVAS.sqrt()))
        }
        Detect::Sample(samplers) => self::samplers(samplers),
        Detect::AreaCrop(crop) => area_crop(crop),
        Detect::AreaPad(AreaPad {
            aspect,
            area,
            attempts,
            ..
        }) => {
            tries("max_attempts", *attempts)?;
            ratios("aspect_ratio_range", *aspect)?;
            ordered("area_range", *area, (0.0, MAX_CANVAS))
        }
    }
}

/// Tries take time, and whoever closes an iterator waits for the image that it is at.
fn tries(name: &str, tries: u32) -> Result<()> {
    if tries <= MAX_TRIES {
        return Ok(());
    }
    refuse(format!("{name}={tries}; it is at most {MAX_TRIES}"))
}

fn area_crop(crop: &AreaCrop) -> Result<()> {
    tries("max_attempts", crop.attempts)?;
    ratios("aspect_ratio_range", crop.aspect)?;
    ordered("area_range", crop.area, (0.0, MAX_CANVAS))?;
    finite("min_object_covered", &[crop.covered])?;
    finite("min_eject_coverage", &[crop.eject])
}

fn samplers(samplers: &Samplers) -> Result<()> {
    probability("rand_crop_prob", samplers.probability)?;
    if let Keep::Share(least) = samplers.keep {
        finite("emit_overlap_thresh", &[least])?;
    }
    samplers.samplers.iter().try_for_each(sampler)
}

fn sampler(sampler: &Sampler) -> Result<()> {
    tries("max_crop_trials", sampler.trials)?;
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

/// Ratios of width to height, of regions of which there may be pixels.
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
        return finite("alphastd", &[lighting.deviation]);
    }
    refuse("eigval and eigvec are finite numbers".into())
}

fn normalize(mean: &[f64; 3], std: &[f64; 3]) -> Result<()> {
    if std.iter().all(|std| *std != 0.0 && std.is_finite())
        && mean.iter().all(|mean| mean.is_finite())
    {
        return Ok(());
    }
    refuse(format!(
        "mean={mean:?}, std={std:?}; they are finite numbers, and std is not 0"
    ))
}
