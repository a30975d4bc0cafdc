//! `recio.image`: single images.
//!
//! An array is read while the interpreter is let go of, as NumPy itself does it: a thread that writes into it or resizes
//! it meanwhile makes the result undefined.

use std::cell::RefCell;

use numpy::ndarray::Array3;
use numpy::{Element, IntoPyArray, PyArray3, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use recio_core::decode::{Pixels, Scratch, Source, Stored, decode_stored};
use recio_core::encode;
use recio_core::image::{Image, Rect, Subpixel, View};
use recio_core::limits::{Formats, Limits};
use recio_core::ops::resize::{Interpolation, resize as resize_view, resize_f32};
use recio_core::plan::InterpolationChoice;
use recio_core::{Error, Result};

use crate::errors::{Failure, PyOutcome};

/// The largest side that an image is resized to: beyond what memory holds, the process would end.
const MAX_SIDE: usize = 1 << 16;

/// The largest image, in bytes, for the same reason; a pixel may have four floats.
const MAX_BYTES: usize = 4 << 30;
const BYTES_A_PIXEL: usize = 16;

thread_local! {
    /// What decoding needs on the way, and the tables that many JPEGs share.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Bytes of each buffer that a thread keeps between images.
const KEEP: usize = 4 << 20;

/// Decodes an image, or a region of it, to gray or RGB, its EXIF orientation applied.
#[pyfunction]
#[pyo3(signature = (payload, gray, region=None, fill_damage=false, limits=None, formats=None))]
pub(crate) fn decode(
    py: Python<'_>,
    payload: PyBackedBytes,
    gray: bool,
    region: Option<[usize; 4]>,
    fill_damage: bool,
    limits: Option<(usize, usize, usize, usize)>,
    formats: Option<Vec<String>>,
) -> PyOutcome<Bound<'_, PyArray3<u8>>> {
    let formats = formats.map_or(Ok(Formats::ALL), |names| Formats::of(&names))?;
    let limits = limits.map_or_else(Limits::default, |numbers| limits_of(numbers, formats));
    let pixels = if gray { Pixels::Gray } else { Pixels::Rgb };
    let picture = py.detach(|| {
        let source = Source::open(&payload, &limits)?.fill_damage(fill_damage);
        let part = part(source.size(pixels), region)?;
        let mut picture = Image::default();
        SCRATCH.with_borrow_mut(|scratch| {
            let outcome = source.decode_region(pixels, part, &mut picture, scratch);
            scratch.trim(KEEP);
            outcome.map(|()| picture)
        })
    })?;
    Ok(array(py, picture))
}

/// The limits of these numbers: the longest side, pixels, bytes and scans.
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

/// A region given as left, top, width, height; all, if none is.
fn part((width, height): (usize, usize), region: Option<[usize; 4]>) -> Result<Rect> {
    let Some([x, y, w, h]) = region else {
        return Ok(Rect::of_size(width, height));
    };
    let fits = |start: usize, length: usize, whole: usize| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= whole)
    };
    if !fits(x, w, width) || !fits(y, h, height) {
        return Err(Error::argument(format!(
            "region ({x}, {y}, {w}, {h}) is no part of an image of {width}x{height} pixels"
        )));
    }
    Ok(Rect {
        x,
        y,
        width: w,
        height: h,
    })
}

/// Decodes an image as it is stored, 8 or 16 bits a sample.
#[pyfunction]
pub(crate) fn decode_unchanged(
    py: Python<'_>,
    payload: PyBackedBytes,
) -> PyOutcome<Bound<'_, PyAny>> {
    Ok(
        match py.detach(|| decode_stored(&payload, &Limits::default()))? {
            Stored::Bits8(picture) => array(py, picture).into_any(),
            Stored::Bits16 {
                width,
                height,
                channels,
                data,
            } => shaped(py, (height, width, channels), data).into_any(),
        },
    )
}

/// Resamples an image of levels. `method` is MXNet's `interp`: 0–4 or 9.
#[pyfunction]
pub(crate) fn resize<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    width: usize,
    height: usize,
    method: i64,
) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let view = view(&image)?;
    let method = interpolation(method, (view.width, view.height), (width, height))?;
    Ok(array(
        py,
        py.detach(|| resize_view(view, width, height, method)),
    ))
}

/// Resamples an image of floats. `method` is as for [`resize`].
#[pyfunction]
pub(crate) fn resize_float<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, f32>,
    width: usize,
    height: usize,
    method: i64,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let view = view(&image)?;
    let method = interpolation(method, (view.width, view.height), (width, height))?;
    Ok(array(
        py,
        py.detach(|| resize_f32(view, width, height, method)),
    ))
}

/// Encodes as JPEG; quality 1–100.
#[pyfunction]
pub(crate) fn encode_jpeg<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    quality: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let view = view(&image)?;
    encoded(py, |out| encode::encode_jpeg(&view, quality, out))
}

/// Encodes as PNG; level 0–9.
#[pyfunction]
pub(crate) fn encode_png<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    level: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let view = view(&image)?;
    encoded(py, |out| encode::encode_png(&view, level, out))
}

/// Encodes as PNG of 16 bits a sample; level 0–9.
#[pyfunction]
pub(crate) fn encode_png_16<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u16>,
    level: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let &[height, width, channels] = image.shape() else {
        unreachable!("the array has three axes")
    };
    let samples = samples(&image)?;
    encoded(py, |out| {
        encode::encode_png_16(samples, (width, height, channels), level, out)
    })
}

fn encoded(
    py: Python<'_>,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send,
) -> PyResult<Bound<'_, PyBytes>> {
    let mut bytes = Vec::new();
    py.detach(|| encode(&mut bytes)).map_err(Failure::from)?;
    Ok(PyBytes::new(py, &bytes))
}

fn view<'a, T: Element + Subpixel>(image: &'a PyReadonlyArray3<'_, T>) -> PyResult<View<'a, T>> {
    let &[height, width, channels] = image.shape() else {
        unreachable!("the array has three axes")
    };
    if !matches!(channels, 1 | 3 | 4) {
        return Err(PyValueError::new_err(format!(
            "{channels} channels; an image has 1, 3 or 4, in its last axis"
        )));
    }
    Ok(View::new(samples(image)?, width, height, channels))
}

/// The samples of an array whose rows lie one after another.
pub(crate) fn samples<'a, T: Element>(image: &'a PyReadonlyArray3<'_, T>) -> PyResult<&'a [T]> {
    if !image.is_c_contiguous() {
        return Err(PyValueError::new_err("the array is not C-contiguous"));
    }
    Ok(image.as_slice()?)
}

/// The method of that number, for a resize between sizes that exist.
fn interpolation(number: i64, from: (usize, usize), to: (usize, usize)) -> PyResult<Interpolation> {
    check_sides(from, to)?;
    Ok(by_number(number, from, to).map_err(Failure::from)?)
}

fn check_sides(from: (usize, usize), (width, height): (usize, usize)) -> PyResult<()> {
    if from.0 == 0 || from.1 == 0 || width == 0 || height == 0 {
        return Err(PyValueError::new_err(format!(
            "from {}x{} to {width}x{height} pixels: every side must be at least 1",
            from.0, from.1
        )));
    }
    let bytes = width.saturating_mul(height).saturating_mul(BYTES_A_PIXEL);
    if width > MAX_SIDE || height > MAX_SIDE || bytes > MAX_BYTES {
        return Err(PyValueError::new_err(format!(
            "to {width}x{height} pixels: a side is at most {MAX_SIDE}, and the whole at most 4 GiB"
        )));
    }
    Ok(())
}

fn by_number(number: i64, from: (usize, usize), to: (usize, usize)) -> Result<Interpolation> {
    match InterpolationChoice::from_number(number)? {
        InterpolationChoice::Fixed(method) => Ok(method),
        InterpolationChoice::Auto => Ok(Interpolation::auto(from, to)),
        InterpolationChoice::Random => Err(Error::argument(
            "interp=10 (random) is chosen by the caller, from 0 to 4",
        )),
    }
}

pub(crate) fn array<T: Element + Subpixel>(
    py: Python<'_>,
    picture: Image<T>,
) -> Bound<'_, PyArray3<T>> {
    shaped(
        py,
        (picture.height, picture.width, picture.channels),
        picture.data,
    )
}

fn shaped<T: Element>(
    py: Python<'_>,
    shape: (usize, usize, usize),
    data: Vec<T>,
) -> Bound<'_, PyArray3<T>> {
    Array3::from_shape_vec(shape, data)
        .expect("a picture has as many samples as its size says")
        .into_pyarray(py)
}
