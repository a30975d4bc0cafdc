//! Conversion between NumPy arrays and the core's images and views, and of limits.

use numpy::ndarray::Array3;
use numpy::{Element, IntoPyArray, PyArray3, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use recio_core::image::{Image, Subpixel, View};
use recio_core::limits::{Formats, Limits};

/// Return limits from numbers: maximum side, pixels, bytes and scans.
pub(crate) fn limits_of(
    (side, pixels, bytes, scans): (usize, usize, usize, usize),
    formats: Formats,
) -> Limits {
    Limits {
        side,
        pixels,
        bytes,
        scans,
        formats,
    }
}

/// Return a view of an array with the axes height, width and 1, 3 or 4 channels.
pub(crate) fn view_of<'a, T: Element + Subpixel>(
    image: &'a PyReadonlyArray3<'_, T>,
) -> PyResult<View<'a, T>> {
    let &[height, width, channels] = image.shape() else {
        unreachable!("the array has three axes")
    };
    if !matches!(channels, 1 | 3 | 4) {
        return Err(PyValueError::new_err(format!(
            "an image must have 1, 3 or 4 channels in its last axis, got {channels}"
        )));
    }
    Ok(View::new(samples(image)?, width, height, channels))
}

/// Return the samples of a C-contiguous array.
pub(crate) fn samples<'a, T: Element>(image: &'a PyReadonlyArray3<'_, T>) -> PyResult<&'a [T]> {
    if !image.is_c_contiguous() {
        return Err(PyValueError::new_err("the array is not C-contiguous"));
    }
    Ok(image.as_slice()?)
}

/// Return an image as an array, without copying its pixels.
pub(crate) fn image_array<T: Element + Subpixel>(
    py: Python<'_>,
    image: Image<T>,
) -> Bound<'_, PyArray3<T>> {
    array_of_shape(py, (image.height, image.width, image.channels), image.data)
}

/// Return samples as an array of this shape: height, width, channels.
pub(crate) fn array_of_shape<T: Element>(
    py: Python<'_>,
    shape: (usize, usize, usize),
    data: Vec<T>,
) -> Bound<'_, PyArray3<T>> {
    Array3::from_shape_vec(shape, data)
        .expect("an image has as many samples as its shape")
        .into_pyarray(py)
}
