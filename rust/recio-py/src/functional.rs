//! Functions of `recio.image` on single images: borders, rotation.

use numpy::{PyArray3, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use recio_core::image::View;
use recio_core::ops::make_border::{BorderType, Sides};
use recio_core::ops::rotate::Rotation;
use recio_core::{Result, memory, ops};

use crate::convert::{array_of_shape, image_array, samples};
use crate::errors::PyRecioError;

/// Add a border to an image, whose last axis is the bytes of a pixel; `sides` are top, bottom, left
/// and right.
#[pyfunction]
pub(crate) fn make_border<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    sides: (usize, usize, usize, usize),
    border_type: u8,
    value: &[u8],
) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let &[height, width, bytes] = image.shape() else {
        unreachable!("the array has three axes")
    };
    let (top, bottom, left, right) = sides;
    let sides = Sides {
        top,
        bottom,
        left,
        right,
    };
    let border = match border_type {
        0 => BorderType::Constant(value),
        1 => BorderType::Replicate,
        2 => BorderType::Reflect,
        3 => BorderType::Wrap,
        4 => BorderType::Reflect101,
        _ => return Err(PyValueError::new_err("border_type must be from 0 to 4")),
    };
    if width * height == 0 || (border_type == 0 && value.len() != bytes) {
        return Err(PyValueError::new_err("the image or the value has no pixel"));
    }
    let view = View::new(samples(&image)?, width, height, bytes);
    let bordered = || Ok(ops::make_border::make_border(view, sides, border));
    let bordered = py.detach(|| memory::catch(bordered));
    Ok(image_array(py, bordered.map_err(PyRecioError::from)?))
}

/// Rotate an image of float32 with channels first, by the sine and cosine of an angle.
#[pyfunction]
pub(crate) fn rotate<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, f32>,
    sin: f32,
    cos: f32,
    scale: f32,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let &[channels, height, width] = image.shape() else {
        unreachable!("the array has three axes")
    };
    let planes = samples(&image)?;
    let rotated = || -> Result<_> {
        let mut rotated = memory::filled(0.0, planes.len())?;
        let rotation = Rotation { sin, cos, scale };
        ops::rotate::rotate(planes, (width, height), rotation, &mut rotated);
        Ok(rotated)
    };
    let rotated = py.detach(rotated).map_err(PyRecioError::from)?;
    Ok(array_of_shape(py, (channels, height, width), rotated))
}
