//! `recio._recio.Step`: one augmentation step, built by `recio.image` and `recio.io` for the
//! pipeline.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use recio_core::plan::{
    self, Affine, Angle, AreaCrop, AreaPad, CropPosition, Detect, InterpolationChoice, Jitter,
    Keep, Lighting, ResizedCrop, Sampler, Samplers, Sometimes,
};

use crate::errors::PyRecioResult;
use crate::user_fn::{Function, Purpose};

/// Augmentation step. The constructors check the parameters.
#[pyclass(frozen, module = "recio._recio", from_py_object)]
#[derive(Clone)]
pub(crate) struct Step(plan::Step);

impl Step {
    fn checked(step: plan::Step) -> PyRecioResult<Self> {
        step.check()?;
        Ok(Self(step))
    }
}

/// Return the steps in the core's types.
pub(crate) fn core_steps(steps: Vec<Step>) -> Vec<plan::Step> {
    steps.into_iter().map(|step| step.0).collect()
}

fn interpolation(interp: i64) -> PyRecioResult<InterpolationChoice> {
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
    /// Return all parameters as text: equal steps have equal texts within one version of recio.
    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }

    /// Resize the shorter side to `size`.
    #[staticmethod]
    fn resize_short(size: usize, interp: i64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::ShorterSide(size, interpolation(interp)?))
    }

    /// Resize to width and height.
    #[staticmethod]
    fn resize(size: (usize, usize), interp: i64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Resize(size, interpolation(interp)?))
    }

    /// Resize to fit into width and height, keeping the aspect ratio; smaller images are enlarged
    /// if `grow`.
    #[staticmethod]
    fn within(size: (usize, usize), grow: bool, interp: i64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Within(size, grow, interpolation(interp)?))
    }

    /// Apply MXNet's affine step.
    #[staticmethod]
    fn affine(settings: AffineSettings) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Affine(settings.affine()?))
    }

    /// Add a border on all sides.
    #[staticmethod]
    fn pad(thickness: usize, value: u8) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Pad(thickness, value))
    }

    /// Enlarge to cover a size, then crop to that size.
    #[staticmethod]
    fn cover(size: (usize, usize), random: bool, interp: i64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Cover(
            size,
            position(random),
            interpolation(interp)?,
        ))
    }

    /// Crop to a size; from a smaller image, crop the largest region of that aspect ratio and
    /// enlarge it.
    #[staticmethod]
    fn fit(size: (usize, usize), random: bool, interp: i64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Fit(
            size,
            position(random),
            interpolation(interp)?,
        ))
    }

    /// Crop a square with a side from a range, and resize it.
    #[staticmethod]
    fn square(
        side: (usize, usize),
        size: (usize, usize),
        random: bool,
        interp: i64,
    ) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Square {
            side,
            size,
            position: position(random),
            interpolation: interpolation(interp)?,
        })
    }

    /// Crop a region of random area and aspect ratio, and resize it.
    #[staticmethod]
    fn resized_crop(
        size: (usize, usize),
        area: (f64, f64),
        aspect: (f64, f64),
        log: bool,
        interp: i64,
    ) -> PyRecioResult<Self> {
        Self::checked(plan::Step::ResizedCrop(ResizedCrop {
            size,
            area,
            aspect,
            log_uniform: log,
            interpolation: interpolation(interp)?,
        }))
    }

    /// Return the step with antialiased instead of linear interpolation.
    fn antialiased(&self) -> Self {
        Self(self.0.clone().antialiased())
    }

    /// Flip left to right with a probability.
    #[staticmethod]
    fn mirror(probability: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Mirror(probability))
    }

    /// Change brightness, contrast and saturation of 8-bit values.
    #[staticmethod]
    fn enhance(ranges: [f64; 3], swapped: bool) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Jitter(Jitter::Enhance { ranges, swapped }))
    }

    /// Shift hue, lightness and saturation of 8-bit values.
    #[staticmethod]
    fn hls(max_shift: [f64; 3], wrap: bool) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Jitter(Jitter::Hls {
            max: max_shift,
            wrap,
        }))
    }

    /// Add PCA lighting noise to 8-bit values.
    #[staticmethod]
    fn pca(deviation: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Jitter(Jitter::Pca(deviation)))
    }

    /// Shift hue, lightness and saturation and change contrast of 8-bit values; each with its
    /// maximum and probability.
    #[staticmethod]
    fn sometimes(hls: [(f64, f64); 3], contrast: (f64, f64)) -> PyRecioResult<Self> {
        let sometimes = |(max, probability)| Sometimes { max, probability };
        Self::checked(plan::Step::Jitter(Jitter::Sometimes {
            hls: hls.map(sometimes),
            contrast: sometimes(contrast),
        }))
    }

    /// With a probability, place the image on a canvas of a random scale.
    #[staticmethod]
    fn scale_pad(probability: f64, max_scale: f64, value: u8) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Detect(Detect::ScalePad {
            probability,
            max: max_scale,
            value,
        }))
    }

    /// With a probability, crop by one of several samplers. Objects whose center is inside are kept
    /// or, with `share`, objects of which more than that share is inside.
    #[staticmethod]
    fn sample(
        probability: f64,
        samplers: Vec<SamplerSettings>,
        share: Option<f64>,
    ) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Detect(Detect::Sample(Samplers {
            probability,
            samplers: samplers.into_iter().map(Sampler::from).collect(),
            keep: share.map_or(Keep::Center, Keep::MinShare),
        })))
    }

    /// Crop to an area and aspect ratio so that enough of every touched object is inside.
    #[staticmethod]
    fn area_crop(
        covered: f64,
        aspect: (f64, f64),
        area: (f64, f64),
        eject: f64,
        attempts: u32,
    ) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Detect(Detect::AreaCrop(AreaCrop {
            min_covered: covered,
            aspect,
            area,
            max_ejected: eject,
            attempts,
        })))
    }

    /// Place the image on a canvas of an area and aspect ratio.
    #[staticmethod]
    fn area_pad(
        aspect: (f64, f64),
        area: (f64, f64),
        attempts: u32,
        value: [u8; 3],
    ) -> PyRecioResult<Self> {
        let [r, g, b] = value;
        Self::checked(plan::Step::Detect(Detect::AreaPad(AreaPad {
            aspect,
            area,
            attempts,
            value: [r, g, b, 0],
        })))
    }

    /// Convert to floats.
    #[staticmethod]
    fn cast() -> Self {
        Self(plan::Step::Cast)
    }

    /// Change brightness of floats, like the color steps below.
    #[staticmethod]
    fn brightness(range: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Brightness(range))
    }

    /// Change contrast.
    #[staticmethod]
    fn contrast(range: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Contrast(range))
    }

    /// Change saturation.
    #[staticmethod]
    fn saturation(range: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Saturation(range))
    }

    /// Rotate the hue.
    #[staticmethod]
    fn hue(range: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Hue(range))
    }

    /// Add PCA lighting noise.
    #[staticmethod]
    fn lighting(
        deviation: f64,
        eigenvalues: [f64; 3],
        eigenvectors: [[f64; 3]; 3],
    ) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Lighting(Lighting {
            deviation,
            eigenvalues,
            eigenvectors,
        }))
    }

    /// Convert to gray with a probability.
    #[staticmethod]
    fn gray(probability: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Gray(probability))
    }

    /// Subtract a mean and divide by a standard deviation.
    #[staticmethod]
    fn normalize(mean: [f64; 3], std: [f64; 3]) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Normalize(mean, std))
    }

    /// Apply steps in order.
    #[staticmethod]
    fn sequence(steps: Vec<Self>) -> Self {
        Self(plan::Step::Sequence(core_steps(steps)))
    }

    /// Apply steps in a random order.
    #[staticmethod]
    fn random_order(steps: Vec<Self>) -> Self {
        Self(plan::Step::RandomOrder(core_steps(steps)))
    }

    /// Apply one of the steps or, with probability `skip`, none.
    #[staticmethod]
    fn either(steps: Vec<Self>, skip: f64) -> PyRecioResult<Self> {
        Self::checked(plan::Step::Either(core_steps(steps), skip))
    }

    /// Call a user function: `f(image)` returns an image, `f(image, boxes)` an image and boxes.
    /// With `with_rng`, a random number generator is its last argument.
    #[staticmethod]
    #[pyo3(signature = (function, with_boxes, with_rng=false))]
    fn call(
        py: Python<'_>,
        function: Py<PyAny>,
        with_boxes: bool,
        with_rng: bool,
    ) -> PyResult<Self> {
        let purpose = Purpose::Augment {
            with_boxes,
            with_rng,
        };
        let function = Function::new(py, function, purpose)?;
        Ok(Self(plan::Step::UserFunction(Arc::new(function))))
    }

    /// Call a user function, `f([image])`, that raises `RuntimeError` for an image that is to be
    /// skipped.
    #[staticmethod]
    fn check(py: Python<'_>, function: Py<PyAny>) -> PyResult<Self> {
        let function = Function::new(py, function, Purpose::Check)?;
        Ok(Self(plan::Step::UserFunction(Arc::new(function))))
    }
}

/// Settings of an affine step: a dictionary with these keys.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct AffineSettings {
    /// The angle, by the first of these three that is not None.
    angles: Option<Vec<f64>>,
    integer_angle: Option<u64>,
    angle: f64,
    shear: f64,
    scale: (f64, f64),
    aspect: (f64, f64),
    side: (f64, f64),
    value: u8,
    interp: i64,
}

impl AffineSettings {
    fn affine(self) -> PyRecioResult<Affine> {
        let angle = match (self.angles, self.integer_angle) {
            (Some(angles), _) => Angle::OneOf(angles),
            (None, Some(max)) => Angle::Integers(max),
            (None, None) => Angle::Uniform(self.angle),
        };
        Ok(Affine {
            angle,
            shear: self.shear,
            scale: self.scale,
            aspect: self.aspect,
            side: self.side,
            value: self.value,
            interpolation: interpolation(self.interp)?,
        })
    }
}

/// Settings of a sampler: a dictionary with these keys.
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

/// Describe a plan for Python: a list of dictionaries, one per operation, in order.
pub(crate) fn describe<'py>(
    py: Python<'py>,
    plan: &plan::Plan,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let mut entries = vec![new_entry(py, "decode", plan.source)?];
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
        let entry = new_entry(py, name, stage.window)?;
        describe_operation(&entry, plan, stage)?;
        entries.push(entry);
    }
    Ok(entries)
}

fn new_entry<'py>(
    py: Python<'py>,
    name: &str,
    window: recio_core::image::Rect,
) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    entry.set_item("operation", name)?;
    entry.set_item("window", (window.x, window.y, window.width, window.height))?;
    Ok(entry)
}

fn describe_operation(
    entry: &Bound<'_, PyDict>,
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
            entry.set_item("size", (width, height))?;
            entry.set_item("interp", method as i32)
        }
        plan::Operation::Border {
            left,
            top,
            width,
            height,
            value,
        } => {
            entry.set_item("size", (width, height))?;
            entry.set_item("corner", (left, top))?;
            entry.set_item("value", value.map(u32::from))
        }
        plan::Operation::Warp {
            affine,
            width,
            height,
            method,
            value,
        } => {
            entry.set_item("size", (width, height))?;
            entry.set_item("matrix", affine.0)?;
            entry.set_item("interp", method as i32)?;
            entry.set_item("value", value.map(u32::from))
        }
        plan::Operation::Flip => Ok(()),
        plan::Operation::ColorU8(color) => match color {
            ColorU8::Brightness(alpha) => entry.set_item("brightness", alpha),
            ColorU8::Contrast { alpha, .. } => entry.set_item("contrast", alpha),
            ColorU8::Saturation { alpha, .. } => entry.set_item("saturation", alpha),
            ColorU8::Hls {
                hue,
                lightness,
                saturation,
                ..
            } => entry.set_item("hls", (hue, lightness, saturation)),
            ColorU8::Shift(shift) => entry.set_item("shift", shift),
            ColorU8::Gain(gain) => entry.set_item("gain", gain),
        },
        plan::Operation::ColorF32 { .. } => {
            let describe = |color: &ColorF32| match color {
                ColorF32::Linear(matrix) => (Some(matrix.rows), None),
                ColorF32::Contrast(alpha) => (None, Some(*alpha)),
            };
            let colors: Vec<_> = plan.colors_of(stage).iter().map(describe).collect();
            entry.set_item("colours", colors)
        }
    }
}
