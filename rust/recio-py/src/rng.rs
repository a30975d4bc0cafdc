//! Random numbers of an image, for augmenters that are called from Python.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use recio_core::rng;

/// Random number generator.
#[pyclass(frozen, module = "recio._recio")]
pub(crate) struct Rng(Mutex<rng::Rng>);

/// Random number generator, or a seed for a new one.
pub(crate) enum RngOrSeed<'py> {
    Rng(Bound<'py, Rng>),
    Seed(u64),
}

/// Not derived: that would make an exception of the first type that does not fit, which takes
/// longer than everything else for a small image.
impl<'py> FromPyObject<'_, 'py> for RngOrSeed<'py> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.cast::<Rng>() {
            Ok(rng) => Ok(Self::Rng(rng.to_owned())),
            Err(_) => object.extract().map(Self::Seed),
        }
    }
}

impl RngOrSeed<'_> {
    /// Calls a function with the generator.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut rng::Rng) -> R) -> R {
        match self {
            Self::Rng(rng) => rng.get().with(work),
            Self::Seed(seed) => work(&mut rng::Rng::new(*seed, 0, 0)),
        }
    }
}

impl From<rng::Rng> for Rng {
    fn from(rng: rng::Rng) -> Self {
        Self(Mutex::new(rng))
    }
}

impl Rng {
    /// Calls a function with a copy of the generator, whose state is kept afterwards.
    fn with<R>(&self, work: impl FnOnce(&mut rng::Rng) -> R) -> R {
        // Not locked meanwhile: the function may need the interpreter, which another thread may
        // hold that waits for the lock.
        let mut rng = self.lock().clone();
        let result = work(&mut rng);
        *self.lock() = rng;
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, rng::Rng> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
