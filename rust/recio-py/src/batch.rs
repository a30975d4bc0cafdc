//! `recio.image.batch`: encoded images of the caller's as one array.

use std::ops::ControlFlow;

use half::f16;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use recio_core::Error;
use recio_core::loader::{EncodedImages, Options, render_batch as render};
use recio_core::render::normalize::Element;

use crate::array::lend;
use crate::errors::PyRecioError;
use crate::loader_options::LoaderOptions;
use crate::pipeline::BatchShapes;
use crate::python_call::attach;

/// Renders encoded images with the random parameters of samples with these numbers.
#[pyfunction]
pub(crate) fn render_batch(
    py: Python<'_>,
    payloads: Vec<PyBackedBytes>,
    ids: Vec<u64>,
    epoch: u64,
    options: LoaderOptions,
) -> PyResult<Bound<'_, PyAny>> {
    let dtype = options.dtype.clone();
    let options = options.parse(py)?;
    let images = EncodedImages {
        payloads: &payloads,
        ids: &ids,
        epoch,
    };
    match dtype.as_str() {
        "float32" => array::<f32>(py, &images, &options),
        "float16" => array::<f16>(py, &images, &options),
        "uint8" => array::<u8>(py, &images, &options),
        "int8" => array::<i8>(py, &images, &options),
        other => Err(PyRecioError::from(Error::argument(format!(
            "dtype must be float32, float16, uint8 or int8, got {other:?}"
        )))
        .into()),
    }
}

fn array<'py, T: Element + numpy::Element>(
    py: Python<'py>,
    images: &EncodedImages<'_, PyBackedBytes>,
    options: &Options,
) -> PyResult<Bound<'py, PyAny>> {
    let mut raised = None;
    let mut check_signals = || match signals() {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            raised = Some(error);
            ControlFlow::Break(())
        }
    };
    let data = py.detach(|| render::<T, _>(images, options, &mut check_signals));
    match data.map_err(PyRecioError::from)? {
        Some(data) => {
            let mut shape = BatchShapes::new(options).data;
            shape[0] = images.payloads.len();
            Ok(lend(py, data, shape)?.0.into_any())
        }
        None => Err(raised.expect("only a signal stops it")),
    }
}

/// Calls the handlers of pending signals.
fn signals() -> PyResult<()> {
    attach(|py| {
        py.check_signals()?;
        Ok(())
    })
}
