//! Conversion between NumPy arrays and the core's images, views and boxes, and of limits.

use numpy::ndarray::Array3;
use numpy::{
    Element, IntoPyArray, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray3, PyReadonlyArrayDyn,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use recio_core::boxes::Boxes;
use recio_core::image::{DynamicImage, Image, Subpixel, View};
use recio_core::limits::{Formats, Limits};
use recio_core::{Error, ErrorKind};

use crate::array::{Lease, holders, lend, take_back};
use crate::errors::PyRecioResult;
use crate::python_call::call;
use crate::recycle::{self, Recyclable, Recycled};

/// Values of an object at least: class and sides.
const MIN_BOX_VALUES: usize = 5;

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

/// Return an image as an array, without copying its pixels. Its memory is reused for later images
/// after the array is dropped.
pub(crate) fn recycled_array<T: Recyclable>(
    py: Python<'_>,
    image: Image<T>,
) -> PyResult<Bound<'_, PyArray3<T>>> {
    if size_of_val(&*image.data) < recycle::MIN_BYTES {
        return Ok(image_array(py, image));
    }
    let shape = [image.height, image.width, image.channels];
    Ok(lend(py, Recycled::new(image.data), shape)?.0)
}

/// Return an empty image with recycled memory for `len` values, if there is some.
pub(crate) fn recycled_image<T: Recyclable>(len: usize) -> Image<T> {
    Image {
        data: T::pool().take(len),
        ..Image::default()
    }
}

/// Returns bytes.
///
/// # Errors
/// [`ErrorKind::Memory`], which [`PyBytes::new`] makes a panic.
pub(crate) fn new_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyRecioResult<Bound<'py, PyBytes>> {
    let copy = |copy: &mut [u8]| {
        copy.copy_from_slice(bytes);
        Ok(())
    };
    let copied = PyBytes::new_with(py, bytes.len(), copy);
    let out_of_memory = || format!("out of memory: cannot allocate {} bytes", bytes.len());
    Ok(copied.map_err(|_| Error::new(ErrorKind::Memory(out_of_memory())))?)
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

/// An image lent to Python as an array.
pub(crate) struct LentImage<'py, T> {
    pub(crate) array: Bound<'py, PyArray3<T>>,
    lease: Bound<'py, Lease>,
    shape: [usize; 3],
}

impl<'py, T: Subpixel + Element> LentImage<'py, T>
where
    DynamicImage: From<Image<T>>,
{
    /// Moves the memory of an image into an array.
    pub(crate) fn lend(py: Python<'py>, image: &mut Image<T>) -> PyResult<Self> {
        let shape = [image.height, image.width, image.channels];
        let (array, lease) = lend(py, std::mem::take(&mut image.data), shape)?;
        Ok(Self {
            array,
            lease,
            shape,
        })
    }

    /// Returns the image that a function returned. If that is the lent array, and nothing else
    /// refers to it, its memory is taken back; otherwise it is copied.
    pub(crate) fn receive(self, returned: Bound<'py, PyAny>) -> PyResult<DynamicImage> {
        let Self {
            array,
            lease,
            shape,
        } = self;
        // Two references to the array are ours, and one to its lease, besides the array's own.
        let is_lent = returned.is(&array) && holders(&array) == 2 && holders(&lease) == 2;
        // Python code may change the shape and type of an array in place.
        let is_unchanged =
            |array: &Bound<'_, PyArray3<T>>| array.shape() == shape && array.is_c_contiguous();
        if !is_lent || !returned.cast().is_ok_and(is_unchanged) {
            return image_of(&returned, "an augmenter");
        }
        let [height, width, channels] = shape;
        drop((array, returned));
        let data = take_back(lease).expect("nothing else refers to the memory");
        Ok(DynamicImage::from(Image {
            width,
            height,
            channels,
            data,
        }))
    }
}

/// Returns boxes as an array, an object a row.
pub(crate) fn boxes_array<'py>(
    py: Python<'py>,
    boxes: &Boxes,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    numpy::PyArray1::from_slice(py, &boxes.values).reshape([boxes.len(), boxes.width])
}

/// Returns the boxes of an array, an object a row.
pub(crate) fn boxes_of(array: &Bound<'_, PyAny>) -> PyResult<Boxes> {
    let array = as_floats(array)?;
    let &[_, width] = array.shape() else {
        return Err(PyValueError::new_err(format!(
            "boxes of shape {:?}; an object is a row, its class and box its first five values",
            array.shape()
        )));
    };
    if width < MIN_BOX_VALUES {
        return Err(PyValueError::new_err(format!(
            "boxes of {width} values; they have {MIN_BOX_VALUES} at least"
        )));
    }
    let values = array.as_array().iter().copied().collect();
    Ok(Boxes { width, values })
}

/// Returns all numbers of an array or a scalar.
pub(crate) fn numbers(values: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    if let Ok(number) = values.extract::<f64>() {
        return Ok(vec![number]);
    }
    let array: PyReadonlyArrayDyn<'_, f64> = require(values, "float64")?.extract()?;
    Ok(array.as_array().iter().copied().collect())
}

/// Returns the array that `function` returned as an image: of 8-bit values if it is uint8, of
/// floats otherwise.
pub(crate) fn image_of(array: &Bound<'_, PyAny>, function: &str) -> PyResult<DynamicImage> {
    if let Ok(values) = array.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        return copied(&values, function).map(DynamicImage::U8);
    }
    if array.is_none() {
        return Err(PyTypeError::new_err(format!(
            "{function} gave None; it gives an image"
        )));
    }
    copied(&as_floats(array)?, function).map(DynamicImage::F32)
}

/// Returns an array of float32; the same one if it is aligned and of that type.
fn as_floats<'py>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    require(array, "float32")?.extract()
}

/// Returns the values as an aligned array of a type, by `numpy.require`.
pub(crate) fn require<'py>(values: &Bound<'py, PyAny>, dtype: &str) -> PyResult<Bound<'py, PyAny>> {
    static REQUIRE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let require = REQUIRE.import(values.py(), "numpy", "require")?;
    call(require, (values, dtype, "A"))
}

fn copied<T: Subpixel + Element>(
    array: &PyReadonlyArrayDyn<'_, T>,
    function: &str,
) -> PyResult<Image<T>> {
    let (height, width, channels) = match *array.shape() {
        [height, width] => (height, width, 1),
        [height, width, channels @ (1 | 3 | 4)] => (height, width, channels),
        _ => {
            return Err(PyValueError::new_err(format!(
                "{function} gave an array of shape {:?}; an image has the axes height, width, and 1, 3 or 4 channels",
                array.shape()
            )));
        }
    };
    let bytes = width
        .saturating_mul(height)
        .saturating_mul(channels * size_of::<T>());
    let max_bytes = Limits::default().bytes;
    if bytes == 0 || bytes > max_bytes {
        return Err(PyValueError::new_err(format!(
            "{function} gave an image of {width}x{height} pixels; it has at least one, and at most {max_bytes} bytes"
        )));
    }
    let data = match array.as_slice() {
        // A slice is in memory order, which is not the order of rows in every array.
        Ok(values) if array.is_c_contiguous() => values.to_vec(),
        _ => array.as_array().iter().copied().collect(),
    };
    Ok(Image {
        width,
        height,
        channels,
        data,
    })
}
