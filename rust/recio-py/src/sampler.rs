//! Samplers: the orders that native code makes for `recio.samplers`, and a Python sampler as that
//! of a loader.

use std::fmt;

use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use recio_core::loader::Sampler;
use recio_core::loader::sampling::{self, Classes, Groups};
use recio_core::{Error, Result};

use crate::errors::{PyRecioError, clear_frames, user_error};
use crate::python_call::{attach, call};

type Order<'py> = Bound<'py, PyArray1<u32>>;

/// Returns an order of samples that is balanced over their classes.
#[pyfunction]
pub(crate) fn balanced_order<'py>(
    py: Python<'py>,
    samples: PyReadonlyArray1<'py, u32>,
    sizes: PyReadonlyArray1<'py, u32>,
    groups: (usize, usize),
    len: usize,
    seed_and_epoch: (u64, u64),
) -> PyResult<Order<'py>> {
    let (samples, sizes) = (samples.as_slice()?, sizes.as_slice()?);
    let (per_batch, size) = groups;
    let groups = Groups { per_batch, size };
    let order =
        py.detach(|| sampling::balanced(Classes { samples, sizes }, groups, len, seed_and_epoch));
    Ok(order.map_err(PyRecioError::from)?.into_pyarray(py))
}

/// Returns samples that are drawn by their weights, of which the sums are passed.
#[pyfunction]
pub(crate) fn weighted_order<'py>(
    py: Python<'py>,
    cumulative: PyReadonlyArray1<'py, f64>,
    len: usize,
    seed_and_epoch: (u64, u64),
) -> PyResult<Order<'py>> {
    let cumulative = cumulative.as_slice()?;
    let order = py.detach(|| sampling::weighted(cumulative, len, seed_and_epoch));
    Ok(order.map_err(PyRecioError::from)?.into_pyarray(py))
}

/// Returns different samples that are drawn by their weights.
#[pyfunction]
pub(crate) fn weighted_order_without_replacement<'py>(
    py: Python<'py>,
    weights: PyReadonlyArray1<'py, f64>,
    len: usize,
    seed_and_epoch: (u64, u64),
) -> PyResult<Order<'py>> {
    let weights = weights.as_slice()?;
    let order = py.detach(|| sampling::weighted_without_replacement(weights, len, seed_and_epoch));
    Ok(order.map_err(PyRecioError::from)?.into_pyarray(py))
}

/// Returns a permutation.
#[pyfunction]
pub(crate) fn permuted_order(py: Python<'_>, len: u32, seed_and_epoch: (u64, u64)) -> Order<'_> {
    py.detach(|| sampling::permuted(len, seed_and_epoch))
        .into_pyarray(py)
}

/// A Python function that returns the order of an epoch.
pub(crate) struct PySampler {
    epoch_len: usize,
    records: Option<usize>,
    order: Py<PyAny>,
}

impl PySampler {
    pub(crate) fn new(
        py: Python<'_>,
        (epoch_len, records, order): (usize, Option<usize>, Py<PyAny>),
    ) -> PyResult<Self> {
        clear_frames(py)?;
        Ok(Self {
            epoch_len,
            records,
            order,
        })
    }

    fn request(&self, py: Python<'_>, epoch: u64) -> PyResult<Vec<u32>> {
        let order = call(self.order.bind(py), (epoch,))?;
        Ok(order.cast::<PyArray1<u32>>()?.to_vec()?)
    }
}

/// The same text for all samplers: nothing else about them is the same in another process.
impl fmt::Debug for PySampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PySampler")
    }
}

impl Sampler for PySampler {
    fn epoch_len(&self) -> usize {
        self.epoch_len
    }

    fn records(&self) -> Option<usize> {
        self.records
    }

    fn order(&self, epoch: u64) -> Result<Vec<u32>> {
        let order = attach(|py| {
            self.request(py, epoch)
                .map_err(|error| user_error(py, error, "the sampler"))
        })?;
        // A subclass may return anything.
        if order.len() == self.epoch_len {
            return Ok(order);
        }
        Err(Error::argument(format!(
            "the sampler must return {} records in each epoch, got {} in epoch {epoch}",
            self.epoch_len,
            order.len()
        )))
    }
}
