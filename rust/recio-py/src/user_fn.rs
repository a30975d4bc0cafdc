//! A Python function as a step of an augmentation.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use numpy::{
    Element, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyRuntimeError, PyStopIteration, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use recio_core::boxes::Boxes;
use recio_core::image::DynamicImage;
use recio_core::image::{Image, Subpixel};
use recio_core::limits::Limits;
use recio_core::plan::UserFunction;
use recio_core::{Error, ErrorKind, Result};

use crate::array::{Lease, holders, lend, take_back};

/// A function that makes an image of an image, `H×W×C`; or of an image and its boxes an image and its boxes.
pub(crate) struct Function {
    own: Py<PyAny>,
    with_boxes: bool,
    /// Held by the thread that calls it: a function need not be safe to be called by several at once.
    turn: Mutex<()>,
}

impl Function {
    pub(crate) fn new(own: Py<PyAny>, with_boxes: bool) -> Self {
        Self {
            own,
            with_boxes,
            turn: Mutex::new(()),
        }
    }
}

/// The same for all functions: one cannot be told from another process's, where it lies at another address.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

impl UserFunction for Function {
    fn call(&self, canvas: &mut DynamicImage, boxes: Option<&mut Boxes>) -> Result<()> {
        // Taken before the interpreter, and by every thread in that order: so none waits for the other.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = Python::try_attach(|py| match canvas {
            DynamicImage::U8(picture) => {
                let shape = [picture.height, picture.width, picture.channels];
                let (array, lease) = shown(py, picture)?;
                let result = self.result(py, array.as_any(), boxes)?;
                *canvas = receive(result, (array, lease), shape)?;
                Ok(())
            }
            DynamicImage::F32(picture) => {
                let shape = [picture.height, picture.width, picture.channels];
                let (array, lease) = shown(py, picture)?;
                let result = self.result(py, array.as_any(), boxes)?;
                *canvas = receive(result, (array, lease), shape)?;
                Ok(())
            }
        });
        let gone = || Err(PyRuntimeError::new_err("the interpreter is shutting down"));
        outcome
            .unwrap_or_else(gone)
            .map_err(|error| Error::new(ErrorKind::UserFn(Box::new(error))))
    }
}

impl Function {
    /// Calls the function, and takes the boxes that it gives.
    fn result<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        boxes: Option<&mut Boxes>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcome = match boxes {
            Some(boxes) if self.with_boxes => self.result_with_boxes(py, image, boxes),
            _ => self.own.bind(py).call1((image,)),
        };
        // Let through, it would pass for the end of an epoch.
        outcome.map_err(|error| {
            if !error.is_instance_of::<PyStopIteration>(py) {
                return error;
            }
            let stopped = PyRuntimeError::new_err("an augmenter raised StopIteration");
            stopped.set_cause(py, Some(error));
            stopped
        })
    }

    fn result_with_boxes<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        boxes: &mut Boxes,
    ) -> PyResult<Bound<'py, PyAny>> {
        let label = boxes_array(py, boxes)?;
        let result = self.own.bind(py).call1((image, label))?;
        let pair = result
            .cast::<PyTuple>()
            .ok()
            .filter(|pair| pair.len() == 2)
            .ok_or_else(|| {
                PyTypeError::new_err(
                    "an augmenter of images and boxes gives a pair: the image, and the boxes",
                )
            })?;
        *boxes = boxes_of(&pair.get_item(1)?)?;
        pair.get_item(0)
    }
}

/// Boxes as an array, an object a row.
pub(crate) fn boxes_array<'py>(
    py: Python<'py>,
    boxes: &Boxes,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    numpy::PyArray1::from_slice(py, &boxes.values).reshape([boxes.len(), boxes.width])
}

/// Boxes of an array, an object a row.
pub(crate) fn boxes_of(array: &Bound<'_, PyAny>) -> PyResult<Boxes> {
    let array = as_floats(array)?;
    let &[_, width] = array.shape() else {
        return Err(PyValueError::new_err(format!(
            "boxes of shape {:?}; an object is a row, its class and box its first five values",
            array.shape()
        )));
    };
    if width < 5 {
        return Err(PyValueError::new_err(format!(
            "boxes of {width} values; they have 5 at least"
        )));
    }
    let values = array.as_array().iter().copied().collect();
    Ok(Boxes { width, values })
}

/// A picture as an array; its memory moves into the array's lease.
fn shown<'py, T: Subpixel + Element>(
    py: Python<'py>,
    picture: &mut Image<T>,
) -> PyResult<(Bound<'py, PyArray3<T>>, Bound<'py, Lease>)> {
    let shape = [picture.height, picture.width, picture.channels];
    lend(py, std::mem::take(&mut picture.data), shape)
}

/// The picture that a function gave. If that is the array that it was given, and nobody else holds it, its memory is
/// taken back; otherwise it is copied.
fn receive<T: Subpixel + Element>(
    result: Bound<'_, PyAny>,
    (array, lease): (Bound<'_, PyArray3<T>>, Bound<'_, Lease>),
    shape: [usize; 3],
) -> PyResult<DynamicImage>
where
    DynamicImage: From<Image<T>>,
{
    // Ours are two of the array, and one of its lease, beside the array's own.
    let is_ours = result.is(&array) && holders(&array) == 2 && holders(&lease) == 2;
    // An array may be given another shape or type in place.
    let is_as_lent =
        |array: &Bound<'_, PyArray3<T>>| array.shape() == shape && array.is_c_contiguous();
    if !is_ours || !result.cast().is_ok_and(is_as_lent) {
        return picture_of(&result);
    }
    let [height, width, channels] = shape;
    drop((array, result));
    let data = take_back(lease).expect("nobody else holds the memory");
    Ok(DynamicImage::from(Image {
        width,
        height,
        channels,
        data,
    }))
}

/// An array as a picture: of whole levels if it is uint8, of floats otherwise.
fn picture_of(array: &Bound<'_, PyAny>) -> PyResult<DynamicImage> {
    if let Ok(levels) = array.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        return copied(&levels).map(DynamicImage::U8);
    }
    if array.is_none() {
        return Err(PyTypeError::new_err(
            "an augmenter gave None; it gives an image",
        ));
    }
    copied(&as_floats(array)?).map(DynamicImage::F32)
}

fn as_floats<'py>(array: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    // Copied only if it must be: of another type, or not where floats of that type may stand.
    let numpy = array.py().import("numpy")?;
    numpy
        .call_method1("require", (array, "float32", "A"))?
        .extract()
}

fn copied<T: Subpixel + Element>(array: &PyReadonlyArrayDyn<'_, T>) -> PyResult<Image<T>> {
    let (height, width, channels) = match *array.shape() {
        [height, width] => (height, width, 1),
        [height, width, channels @ (1 | 3 | 4)] => (height, width, channels),
        _ => {
            return Err(PyValueError::new_err(format!(
                "an augmenter gave an array of shape {:?}; an image has the axes height, width, and 1, 3 or 4 channels",
                array.shape()
            )));
        }
    };
    let bytes = width
        .saturating_mul(height)
        .saturating_mul(channels * size_of::<T>());
    if bytes == 0 || bytes > Limits::default().bytes {
        let most = Limits::default().bytes;
        return Err(PyValueError::new_err(format!(
            "an augmenter gave an image of {width}x{height} pixels; it has at least one, and at most {most} bytes"
        )));
    }
    let data = match array.as_slice() {
        // A slice is in memory's order, which is not the rows' of every array.
        Ok(samples) if array.is_c_contiguous() => samples.to_vec(),
        _ => array.as_array().iter().copied().collect(),
    };
    Ok(Image {
        width,
        height,
        channels,
        data,
    })
}
