//! Augmenters of `recio.image` on single images: the steps of the pipeline, applied to an array.

use numpy::{PyArray3, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use recio_core::boxes::Boxes;
use recio_core::image::{DynamicImage, Subpixel, View};
use recio_core::limits::Limits;
use recio_core::memory;
use recio_core::render::renderer::{Input, Job, Renderer};
use recio_core::{Result, plan, rng};

use crate::convert::{boxes_array, boxes_of, recycled_array, recycled_image, samples};
use crate::errors::PyRecioError;
use crate::rng::RngOrSeed;
use crate::step::{Step, core_steps};

/// Apply steps to an image of uint8 or float32, and to its boxes.
#[pyfunction]
#[pyo3(signature = (image, steps, rng, boxes=None))]
pub(crate) fn augment<'py>(
    image: &Bound<'py, PyAny>,
    steps: Vec<Step>,
    rng: RngOrSeed<'_>,
    boxes: Option<&Bound<'py, PyAny>>,
) -> PyResult<(Bound<'py, PyAny>, Option<Bound<'py, PyAny>>)> {
    let py = image.py();
    let steps = core_steps(steps);
    let mut boxes = boxes.map(boxes_of).transpose()?;
    let rendered = if let Ok(values) = image.cast::<PyArray3<u8>>() {
        let values = values.try_readonly()?;
        let view = checked_view(samples(&values)?, values.shape())?;
        rng.with(|rng| {
            py.detach(|| memory::catch(|| render(Input::U8(view), &steps, rng, boxes.as_mut())))
        })
    } else if let Ok(values) = image.cast::<PyArray3<f32>>() {
        let values = values.try_readonly()?;
        let view = checked_view(samples(&values)?, values.shape())?;
        rng.with(|rng| {
            py.detach(|| memory::catch(|| render(Input::F32(view), &steps, rng, boxes.as_mut())))
        })
    } else {
        return Err(PyTypeError::new_err(
            "an image must be an array of uint8 or float32 with the axes height, width, channels",
        ));
    };
    let image = match rendered.map_err(PyRecioError::from)? {
        DynamicImage::U8(image) => recycled_array(py, image)?.into_any(),
        DynamicImage::F32(image) => recycled_array(py, image)?.into_any(),
    };
    let boxes = boxes.map(|boxes| boxes_array(py, &boxes)).transpose()?;
    Ok((image, boxes.map(Bound::into_any)))
}

fn render(
    input: Input<'_>,
    steps: &[plan::Step],
    rng: &mut rng::Rng,
    boxes: Option<&mut Boxes>,
) -> Result<DynamicImage> {
    let limits = Limits::default();
    let job = Job {
        steps,
        rng,
        boxes,
        limits: &limits,
        decode_scale: false,
    };
    let mut renderer = Renderer::default();
    let mut image = renderer.plan(input, job)?;
    image.plan_mut().resolve_mirror();
    let (size, channels, is_float) = (image.plan().size(), image.channels(), image.is_float());
    let bytes = channels * if is_float { size_of::<f32>() } else { 1 };
    limits.check(size.0, size.1, bytes)?;
    let len = size.0 * size.1 * channels;
    let mut rendered: DynamicImage = if is_float {
        recycled_image::<f32>(len).into()
    } else {
        recycled_image::<u8>(len).into()
    };
    rendered.reset(size, channels, is_float);
    image.render(&mut rendered)?;
    Ok(rendered)
}

fn checked_view<'a, T: Subpixel>(samples: &'a [T], shape: &[usize]) -> PyResult<View<'a, T>> {
    match *shape {
        [height, width, channels @ (1 | 3 | 4)] if height > 0 && width > 0 => {
            Ok(View::new(samples, width, height, channels))
        }
        _ => Err(PyValueError::new_err(format!(
            "an image must have the axes height, width, and 1, 3 or 4 channels, got the shape {shape:?}"
        ))),
    }
}
