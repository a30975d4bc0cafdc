//! `recio._recio.Step`: one augmentation, as `recio.image` and `recio.io` describe it to the pipeline.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use recio_core::plan::{
    self, Affine, Angle, AreaCrop, AreaPad, CropPosition, Detect, InterpolationChoice, Jitter,
    Keep, Lighting, ResizedCrop, Sampler, Samplers, Sometimes,
};

use crate::errors::PyOutcome;
use crate::user_fn::Function;

/// A step of an augmentation. Its constructors refuse what makes no sense.
#[pyclass(frozen, module = "recio._recio", from_py_object)]
#[derive(Clone)]
pub(crate) struct Step(plan::Step);

impl Step {
    fn checked(step: plan::Step) -> PyOutcome<Self> {
        step.check()?;
        Ok(Self(step))
    }
}

/// What the core makes of them.
pub(crate) fn steps(steps: Vec<Step>) -> Vec<plan::Step> {
    steps.into_iter().map(|step| step.0).collect()
}

fn how(interp: i64) -> PyOutcome<InterpolationChoice> {
    Ok(InterpolationChoice::from_number(interp)?)
}

fn position(random: bool) -> CropPosition {
    if random {
        CropPosition::Random
    } else {
        CropPosition::Center
    }
}

#[pymethods]
impl Step {
    /// All that it does: equal steps have equal texts, within one version of recio.
    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }

    /// The shorter side to `size`.
    #[staticmethod]
    fn resize_short(size: usize, interp: i64) -> PyOutcome<Self> {
        Self::checked(plan::Step::ShorterSide(size, how(interp)?))
    }

    /// To width and height.
    #[staticmethod]
    fn resize(size: (usize, usize), interp: i64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Resize(size, how(interp)?))
    }

    /// Within width and height, keeping the ratio; a smaller image is enlarged or not.
    #[staticmethod]
    fn within(size: (usize, usize), grow: bool, interp: i64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Within(size, grow, how(interp)?))
    }

    /// MXNet's affine step.
    #[staticmethod]
    fn affine(settings: AffineSettings) -> PyOutcome<Self> {
        Self::checked(plan::Step::Affine(settings.affine()?))
    }

    /// A border on all sides.
    #[staticmethod]
    fn pad(thickness: usize, value: u8) -> PyOutcome<Self> {
        Self::checked(plan::Step::Pad(thickness, value))
    }

    /// Enlarged to cover a size, and a part of that size taken.
    #[staticmethod]
    fn cover(size: (usize, usize), random: bool, interp: i64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Cover(size, position(random), how(interp)?))
    }

    /// A part of a size or, of a smaller image, the largest of that ratio, enlarged.
    #[staticmethod]
    fn fit(size: (usize, usize), random: bool, interp: i64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Fit(size, position(random), how(interp)?))
    }

    /// A square of a side from a range, resampled.
    #[staticmethod]
    fn square(
        side: (usize, usize),
        size: (usize, usize),
        random: bool,
        interp: i64,
    ) -> PyOutcome<Self> {
        Self::checked(plan::Step::Square {
            side,
            size,
            position: position(random),
            interpolation: how(interp)?,
        })
    }

    /// A region of random area and aspect ratio, resampled.
    #[staticmethod]
    fn resized_crop(
        size: (usize, usize),
        area: (f64, f64),
        aspect: (f64, f64),
        log: bool,
        interp: i64,
    ) -> PyOutcome<Self> {
        Self::checked(plan::Step::ResizedCrop(ResizedCrop {
            size,
            area,
            aspect,
            log_uniform: log,
            interpolation: how(interp)?,
        }))
    }

    /// The same step; if it resizes linearly, without aliases.
    fn antialiased(&self) -> Self {
        Self(self.0.clone().antialiased())
    }

    /// Flipped left to right with a probability.
    #[staticmethod]
    fn mirror(probability: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Mirror(probability))
    }

    /// Brightness, contrast and saturation in whole levels.
    #[staticmethod]
    fn enhance(ranges: [f64; 3], swapped: bool) -> PyOutcome<Self> {
        Self::checked(plan::Step::Jitter(Jitter::Enhance { ranges, swapped }))
    }

    /// Hue, lightness and saturation shifted, in whole levels.
    #[staticmethod]
    fn hls(most: [f64; 3], wrap: bool) -> PyOutcome<Self> {
        Self::checked(plan::Step::Jitter(Jitter::Hls { max: most, wrap }))
    }

    /// The light's color, in whole levels.
    #[staticmethod]
    fn pca(deviation: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Jitter(Jitter::Pca(deviation)))
    }

    /// Hue, lightness and saturation shifted, and contrast, in whole levels; each the most, and a probability.
    #[staticmethod]
    fn sometimes(hls: [(f64, f64); 3], contrast: (f64, f64)) -> PyOutcome<Self> {
        let sometimes = |(most, probability)| Sometimes {
            max: most,
            probability,
        };
        Self::checked(plan::Step::Jitter(Jitter::Sometimes {
            hls: hls.map(sometimes),
            contrast: sometimes(contrast),
        }))
    }

    /// With a probability, a canvas of a random scale.
    #[staticmethod]
    fn scale_pad(probability: f64, most: f64, value: u8) -> PyOutcome<Self> {
        Self::checked(plan::Step::Detect(Detect::ScalePad {
            probability,
            max: most,
            value,
        }))
    }

    /// With a probability, a crop by one of several samplers; its objects are those whose middle is within or, given a
    /// share, those of which more than that is.
    #[staticmethod]
    fn sample(
        probability: f64,
        samplers: Vec<SamplerSettings>,
        share: Option<f64>,
    ) -> PyOutcome<Self> {
        Self::checked(plan::Step::Detect(Detect::Sample(Samplers {
            probability,
            samplers: samplers.into_iter().map(Sampler::from).collect(),
            keep: share.map_or(Keep::Center, Keep::MinShare),
        })))
    }

    /// A crop of an area and aspect ratio that has enough of every object that it touches.
    #[staticmethod]
    fn area_crop(
        covered: f64,
        aspect: (f64, f64),
        area: (f64, f64),
        eject: f64,
        attempts: u32,
    ) -> PyOutcome<Self> {
        Self::checked(plan::Step::Detect(Detect::AreaCrop(AreaCrop {
            min_covered: covered,
            aspect,
            area,
            max_ejected: eject,
            attempts,
        })))
    }

    /// A canvas of an area and aspect ratio.
    #[staticmethod]
    fn area_pad(
        aspect: (f64, f64),
        area: (f64, f64),
        attempts: u32,
        value: [u8; 3],
    ) -> PyOutcome<Self> {
        let [r, g, b] = value;
        Self::checked(plan::Step::Detect(Detect::AreaPad(AreaPad {
            aspect,
            area,
            attempts,
            value: [r, g, b, 0],
        })))
    }

    /// To floats.
    #[staticmethod]
    fn cast() -> Self {
        Self(plan::Step::Cast)
    }

    /// Brightness, in floats, as all colors that follow.
    #[staticmethod]
    fn brightness(range: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Brightness(range))
    }

    /// Contrast.
    #[staticmethod]
    fn contrast(range: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Contrast(range))
    }

    /// Saturation.
    #[staticmethod]
    fn saturation(range: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Saturation(range))
    }

    /// Hue.
    #[staticmethod]
    fn hue(range: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Hue(range))
    }

    /// The light's color.
    #[staticmethod]
    fn lighting(
        deviation: f64,
        eigenvalues: [f64; 3],
        eigenvectors: [[f64; 3]; 3],
    ) -> PyOutcome<Self> {
        Self::checked(plan::Step::Lighting(Lighting {
            deviation,
            eigenvalues,
            eigenvectors,
        }))
    }

    /// Gray with a probability.
    #[staticmethod]
    fn gray(probability: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Gray(probability))
    }

    /// A mean subtracted, and divided by a deviation.
    #[staticmethod]
    fn normalize(mean: [f64; 3], std: [f64; 3]) -> PyOutcome<Self> {
        Self::checked(plan::Step::Normalize(mean, std))
    }

    /// All of these.
    #[staticmethod]
    fn sequence(parts: Vec<Self>) -> Self {
        Self(plan::Step::Sequence(steps(parts)))
    }

    /// All of these, in a random order.
    #[staticmethod]
    fn random_order(parts: Vec<Self>) -> Self {
        Self(plan::Step::RandomOrder(steps(parts)))
    }

    /// One of these or, with a probability, none.
    #[staticmethod]
    fn either(parts: Vec<Self>, skip: f64) -> PyOutcome<Self> {
        Self::checked(plan::Step::Either(steps(parts), skip))
    }

    /// A function of the caller's: `f(image)`, or `f(image, boxes)`, gives the same.
    #[staticmethod]
    fn call(function: Py<PyAny>, with_boxes: bool) -> Self {
        Self(plan::Step::UserFunction(Arc::new(Function::new(
            function, with_boxes,
        ))))
    }
}

/// The settings of an affine step: a dictionary with these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct AffineSettings {
    /// One of the three is given.
    angles: Option<Vec<f64>>,
    whole_angle: Option<u64>,
    angle: f64,
    shear: f64,
    scale: (f64, f64),
    aspect: (f64, f64),
    side: (f64, f64),
    value: u8,
    interp: i64,
}

impl AffineSettings {
    fn affine(self) -> PyOutcome<Affine> {
        let angle = match (self.angles, self.whole_angle) {
            (Some(angles), _) => Angle::OneOf(angles),
            (None, Some(most)) => Angle::Integers(most),
            (None, None) => Angle::Uniform(self.angle),
        };
        Ok(Affine {
            angle,
            shear: self.shear,
            scale: self.scale,
            aspect: self.aspect,
            side: self.side,
            value: self.value,
            interpolation: how(self.interp)?,
        })
    }
}

/// The settings of a sampler: a dictionary with these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct SamplerSettings {
    scale: (f64, f64),
    aspect: (f64, f64),
    overlap: (f64, f64),
    sample_coverage: (f64, f64),
    object_coverage: (f64, f64),
    trials: u32,
}

impl From<SamplerSettings> for Sampler {
    fn from(settings: SamplerSettings) -> Self {
        Self {
            scale: settings.scale,
            aspect: settings.aspect,
            overlap: settings.overlap,
            sample_coverage: settings.sample_coverage,
            object_coverage: settings.object_coverage,
            trials: settings.trials,
        }
    }
}

/// A plan as Python shows it: what is done, in order, each a dictionary.
pub(crate) fn describe<'py>(
    py: Python<'py>,
    plan: &plan::Plan,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let mut all = vec![entry(py, "decode", plan.source)?];
    for stage in plan.stages() {
        let operation = stage.operation;
        let name = match operation {
            plan::Operation::Resize { .. } => "resize",
            plan::Operation::Border { .. } => "border",
            plan::Operation::Warp { .. } => "warp",
            plan::Operation::Flip => "flip",
            plan::Operation::ColorU8(_) => "levels",
            plan::Operation::ColorF32 { .. } => "colours",
        };
        let one = entry(py, name, stage.window)?;
        describe_operation(&one, plan, stage)?;
        all.push(one);
    }
    Ok(all)
}

fn entry<'py>(
    py: Python<'py>,
    name: &str,
    window: recio_core::image::Rect,
) -> PyResult<Bound<'py, PyDict>> {
    let one = PyDict::new(py);
    one.set_item("operation", name)?;
    one.set_item("window", (window.x, window.y, window.width, window.height))?;
    Ok(one)
}

fn describe_operation(
    one: &Bound<'_, PyDict>,
    plan: &plan::Plan,
    stage: &plan::Stage,
) -> PyResult<()> {
    use recio_core::ops::color_f32::ColorF32;
    use recio_core::ops::color_u8::ColorU8;
    match stage.operation {
        plan::Operation::Resize {
            width,
            height,
            method,
        } => {
            one.set_item("size", (width, height))?;
            one.set_item("interp", method as i32)
        }
        plan::Operation::Border {
            left,
            top,
            width,
            height,
            value,
        } => {
            one.set_item("size", (width, height))?;
            one.set_item("corner", (left, top))?;
            one.set_item("value", value.map(u32::from))
        }
        plan::Operation::Warp {
            affine,
            width,
            height,
            method,
            value,
        } => {
            one.set_item("size", (width, height))?;
            one.set_item("matrix", affine.0)?;
            one.set_item("interp", method as i32)?;
            one.set_item("value", value.map(u32::from))
        }
        plan::Operation::Flip => Ok(()),
        plan::Operation::ColorU8(levels) => match levels {
            ColorU8::Brightness(alpha) => one.set_item("brightness", alpha),
            ColorU8::Contrast { alpha, .. } => one.set_item("contrast", alpha),
            ColorU8::Saturation { alpha, .. } => one.set_item("saturation", alpha),
            ColorU8::Hls {
                hue,
                lightness,
                saturation,
                ..
            } => one.set_item("hls", (hue, lightness, saturation)),
            ColorU8::Shift(shift) => one.set_item("shift", shift),
            ColorU8::Gain(gain) => one.set_item("gain", gain),
        },
        plan::Operation::ColorF32 { .. } => {
            let describe = |color: &ColorF32| match color {
                ColorF32::Linear(matrix) => (Some(matrix.rows), None),
                ColorF32::Contrast(alpha) => (None, Some(*alpha)),
            };
            let colors: Vec<_> = plan.colors_of(stage).iter().map(describe).collect();
            one.set_item("colours", colors)
        }
    }
}
