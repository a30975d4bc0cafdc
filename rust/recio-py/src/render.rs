//! `recio.image`'s augmenters on single images: the same steps as in the pipeline, on an array.

use numpy::{PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use recio_core::boxes::Boxes;
use recio_core::image::Canvas;
use recio_core::image::{Sample, View};
use recio_core::limits::Limits;
use recio_core::render::renderer::{Origin, Program, Studio};
use recio_core::rng::Rng;
use recio_core::{Result, plan};

use crate::errors::Failure;
use crate::image::{array, samples};
use crate::step::{Step, steps};
use crate::user_fn::{boxes_array, boxes_of};

/// Carries out steps on an image of uint8 or float32, and on its boxes if it has any.
#[pyfunction]
#[pyo3(signature = (image, parts, seed, boxes=None))]
pub(crate) fn augment<'py>(
    image: &Bound<'py, PyAny>,
    parts: Vec<Step>,
    seed: u64,
    boxes: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
    let py = image.py();
    let parts = steps(parts);
    let mut boxes = boxes.map(boxes_of).transpose()?;
    let canvas = if let Ok(levels) = image.extract::<PyReadonlyArray3<'_, u8>>() {
        let view = checked(samples(&levels)?, levels.shape())?;
        py.detach(|| carry_out(Origin::Levels(view), &parts, seed, boxes.as_mut()))
    } else if let Ok(floats) = image.extract::<PyReadonlyArray3<'_, f32>>() {
        let view = checked(samples(&floats)?, floats.shape())?;
        py.detach(|| carry_out(Origin::Floats(view), &parts, seed, boxes.as_mut()))
    } else {
        return Err(PyTypeError::new_err(
            "an image is an array of uint8 or float32 with the axes height, width, channels",
        ));
    };
    let image = match canvas.map_err(Failure::from)? {
        Canvas::Levels(picture) => array(py, picture).into_any(),
        Canvas::Floats(picture) => array(py, picture).into_any(),
    };
    let boxes = boxes.map(|boxes| boxes_array(py, &boxes)).transpose()?;
    Ok((image, boxes.map(Bound::into_any)))
}

fn carry_out(
    origin: Origin<'_>,
    steps: &[plan::Step],
    seed: u64,
    boxes: Option<&mut Boxes>,
) -> Result<Canvas> {
    let program = Program {
        steps,
        random: &mut Rng::new(seed, 0, 0),
        boxes,
        limits: &Limits::default(),
        decode_scale: false,
    };
    let is_float = matches!(origin, Origin::Floats(_));
    Studio::default().draw(origin, program, |plan, channels| {
        plan.settle();
        let (width, height) = plan.size();
        let depth = if is_float || plan.is_float() { 4 } else { 1 };
        Limits::default().check(width, height, channels * depth)?;
        let mut canvas = Canvas::default();
        canvas.clear((width, height), channels, is_float || plan.is_float());
        Ok(canvas)
    })
}

fn checked<'a, T: Sample>(samples: &'a [T], shape: &[usize]) -> PyResult<View<'a, T>> {
    match *shape {
        [height, width, channels @ (1 | 3 | 4)] if height > 0 && width > 0 => {
            Ok(View::new(samples, width, height, channels))
        }
        _ => Err(PyValueError::new_err(format!(
            "an image of shape {shape:?}; it has the axes height, width, and 1, 3 or 4 channels"
        ))),
    }
}
