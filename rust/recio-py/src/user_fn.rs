//! Python functions among the steps of an augmentation.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use numpy::Element;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use recio_core::boxes::Boxes;
use recio_core::image::{DynamicImage, Image, Subpixel};
use recio_core::plan::UserFunction;
use recio_core::{Error, ErrorKind, Result, rng};

use crate::convert::{LentImage, boxes_array, boxes_of};
use crate::errors::{Raised, clear_frames, forget_locals, no_stop_iteration};
use crate::python_call::{attach, call};
use crate::rng::Rng;

/// Purpose of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `f(image) -> image`.
    Augment {
        /// Whether it is called with the boxes of an image that has some, and returns image and
        /// boxes.
        with_boxes: bool,
        /// Whether it is called with the image's random number generator, as last argument.
        with_rng: bool,
    },
    /// `f([image])`, which raises `RuntimeError` for an image that is to be skipped.
    Check,
}

/// A Python function that changes or checks an image, `H×W×C`.
pub(crate) struct Function {
    callable: Py<PyAny>,
    purpose: Purpose,
    /// Held by the thread that calls the function, which need not be safe to be called by several
    /// at once.
    turn: Mutex<()>,
}

impl Function {
    pub(crate) fn new(py: Python<'_>, callable: Py<PyAny>, purpose: Purpose) -> PyResult<Self> {
        clear_frames(py)?;
        Ok(Self {
            callable,
            purpose,
            turn: Mutex::new(()),
        })
    }
}

/// The same text for all functions: nothing else about them is the same in another process.
impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

impl UserFunction for Function {
    fn call(
        &self,
        image: &mut DynamicImage,
        boxes: Option<&mut Boxes>,
        rng: &mut rng::Rng,
    ) -> Result<()> {
        // Every thread takes the turn first and the interpreter second, so none waits for another.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        attach(|py| {
            let applied = match image {
                DynamicImage::U8(image) => self.apply(py, image, boxes, rng),
                DynamicImage::F32(image) => self.apply(py, image, boxes, rng),
            };
            *image = applied.map_err(|error| self.error(py, error))?;
            Ok(())
        })
    }
}

impl Function {
    /// Calls the function with an image, whose memory is lent to it, and returns the image that
    /// follows.
    fn apply<T: Subpixel + Element>(
        &self,
        py: Python<'_>,
        image: &mut Image<T>,
        boxes: Option<&mut Boxes>,
        rng: &mut rng::Rng,
    ) -> PyResult<DynamicImage>
    where
        DynamicImage: From<Image<T>>,
    {
        let lent = LentImage::lend(py, image)?;
        let returned = self.call_with(py, lent.array.as_any(), boxes, rng);
        let returned = returned.map_err(|error| no_stop_iteration(py, error, "an augmenter"))?;
        lent.receive(returned)
    }

    /// Calls the function; changes the boxes and returns the image.
    fn call_with<'py>(
        &self,
        py: Python<'py>,
        image: &Bound<'py, PyAny>,
        boxes: Option<&mut Boxes>,
        rng: &rng::Rng,
    ) -> PyResult<Bound<'py, PyAny>> {
        let function = self.callable.bind(py);
        let Purpose::Augment {
            with_boxes,
            with_rng,
        } = self.purpose
        else {
            call(function, (PyList::new(py, [image])?,))?;
            return Ok(image.clone());
        };
        let boxes = boxes.filter(|_| with_boxes);
        let mut arguments = vec![image.clone()];
        if let Some(boxes) = &boxes {
            arguments.push(boxes_array(py, boxes)?.into_any());
        }
        if with_rng {
            arguments.push(Bound::new(py, Rng::from(rng.clone()))?.into_any());
        }
        let returned = call(function, PyTuple::new(py, arguments)?)?;
        match boxes {
            Some(boxes) => image_and_boxes(&returned, boxes),
            None => Ok(returned),
        }
    }

    fn error(&self, py: Python<'_>, error: PyErr) -> Error {
        forget_locals(py, &error);
        let is_rejection =
            self.purpose == Purpose::Check && error.is_instance_of::<PyRuntimeError>(py);
        Error::new(if is_rejection {
            ErrorKind::Rejected(error.value(py).to_string())
        } else {
            ErrorKind::UserFn(Box::new(Raised(error)))
        })
    }
}

/// Takes apart what an augmenter of images and boxes returned.
fn image_and_boxes<'py>(
    returned: &Bound<'py, PyAny>,
    boxes: &mut Boxes,
) -> PyResult<Bound<'py, PyAny>> {
    let pair = returned
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
