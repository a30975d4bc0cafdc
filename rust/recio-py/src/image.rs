//! Functions of `recio.image` on single images: decode, encode, resize.
//!
//! Arrays are read with the interpreter released, as in NumPy: if another thread writes to or
//! resizes an array meanwhile, the result is undefined.

use std::cell::RefCell;

use numpy::{PyArray3, PyReadonlyArray3, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use recio_core::decode::{Pixels, Scratch, Source, Stored};
use recio_core::encode::{self, ColorOrder, JpegOptions, Subsampling};
use recio_core::image::Rect;
use recio_core::limits::{Formats, Limits};
use recio_core::memory;
use recio_core::ops::resize::{Interpolation, resize_f32_into, resize_into};
use recio_core::plan::InterpolationChoice;
use recio_core::{Error, Result};

use crate::convert::{
    array_of_shape, limits_of, new_bytes, recycled_array, recycled_image, samples, view_of,
};
use crate::errors::PyRecioError;

/// Maximum side of a resized image: running out of memory would end the process.
const MAX_SIDE: usize = 1 << 16;

/// Maximum size of a resized image in bytes, for the same reason; a pixel can have four floats.
const MAX_BYTES: usize = 4 << 30;
const MAX_BYTES_PER_PIXEL: usize = 16;

thread_local! {
    /// Buffers for decoding, and tables that many JPEGs share.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Maximum size of each buffer that a thread keeps between images, in bytes.
const MAX_KEPT_BYTES: usize = 4 << 20;

/// Memory that the PNG encoder needs, in images: the filtered rows, and the output, which may be as
/// large and is copied as it grows.
const PNG_MEMORY: usize = 4;

/// Decode an image, or a region of it, with its EXIF orientation applied. `channels` is `gray`,
/// `rgb` or `bgr`.
#[pyfunction]
#[pyo3(signature = (payload, channels, region=None, fill_damage=false, limits=None, formats=None))]
pub(crate) fn decode<'py>(
    py: Python<'py>,
    payload: PyBackedBytes,
    channels: &str,
    region: Option<[usize; 4]>,
    fill_damage: bool,
    limits: Option<(usize, usize, usize, usize)>,
    formats: Option<Vec<String>>,
) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let formats = formats.map_or(Ok(Formats::ALL), |names| Formats::of(&names));
    let formats = formats.map_err(PyRecioError::from)?;
    let limits = limits.map_or_else(Limits::default, |numbers| limits_of(numbers, formats));
    let limits = Limits { formats, ..limits };
    let (pixels, is_bgr) = match channels {
        "gray" => (Pixels::Gray, false),
        "rgb" => (Pixels::Rgb, false),
        "bgr" => (Pixels::Rgb, true),
        _ => {
            return Err(PyValueError::new_err(format!(
                "channels must be gray, rgb or bgr, got {channels}"
            )));
        }
    };
    let decode = || {
        let source = Source::open(&payload, &limits)?.fill_damage(fill_damage);
        let region = checked_region(source.size(pixels), region)?;
        let mut image = recycled_image(region.width * region.height * pixels.channels());
        with_scratch(|scratch| {
            let source = source.bgr(is_bgr);
            source.decode_region(pixels, region, &mut image, scratch)
        })?;
        Ok(image)
    };
    let image = py.detach(|| memory::catch(decode));
    recycled_array(py, image.map_err(PyRecioError::from)?)
}

/// Decode with the buffers of this thread.
fn with_scratch<T>(decode: impl FnOnce(&mut Scratch) -> Result<T>) -> Result<T> {
    SCRATCH.with_borrow_mut(|scratch| {
        let outcome = decode(scratch);
        scratch.trim(MAX_KEPT_BYTES);
        outcome
    })
}

/// Check a region (left, top, width, height) against the image size; without a region, return the
/// entire image.
fn checked_region((width, height): (usize, usize), region: Option<[usize; 4]>) -> Result<Rect> {
    let Some([x, y, w, h]) = region else {
        return Ok(Rect::of_size(width, height));
    };
    let fits = |start: usize, length: usize, side: usize| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
    };
    if !fits(x, w, width) || !fits(y, h, height) {
        return Err(Error::argument(format!(
            "region must be inside the image of {width}x{height} pixels, got ({x}, {y}, {w}, {h})"
        )));
    }
    Ok(Rect {
        x,
        y,
        width: w,
        height: h,
    })
}

/// Decode an image as stored, with 8 or 16 bits per sample, to gray, BGR or BGRA.
#[pyfunction]
#[pyo3(signature = (payload, fill_damage=false, limits=None))]
pub(crate) fn decode_unchanged(
    py: Python<'_>,
    payload: PyBackedBytes,
    fill_damage: bool,
    limits: Option<(usize, usize, usize, usize)>,
) -> PyResult<Bound<'_, PyAny>> {
    let limits = limits.map_or_else(Limits::default, |numbers| limits_of(numbers, Formats::ALL));
    let decode = || {
        let source = Source::open(&payload, &limits)?.fill_damage(fill_damage);
        let image = recycled_image(source.stored_len());
        with_scratch(|scratch| source.bgr(true).decode_stored(image, scratch))
    };
    let stored = py.detach(|| memory::catch(decode));
    Ok(match stored.map_err(PyRecioError::from)? {
        Stored::Bits8(image) => recycled_array(py, image)?.into_any(),
        Stored::Bits16 {
            width,
            height,
            channels,
            data,
        } => array_of_shape(py, (height, width, channels), data).into_any(),
    })
}

/// Resize an image of uint8. `method` is MXNet's `interp`: 0–4 or 9.
#[pyfunction]
pub(crate) fn resize<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    width: usize,
    height: usize,
    method: i64,
) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let view = view_of(&image)?;
    let method = interpolation(method, (view.width, view.height), (width, height))?;
    let resize = || {
        let mut image = recycled_image(width * height * view.channels);
        resize_into(view, (width, height), method, &mut image);
        Ok(image)
    };
    let resized = py.detach(|| memory::catch(resize));
    recycled_array(py, resized.map_err(PyRecioError::from)?)
}

/// Resize an image of float32. `method` as in [`resize`].
#[pyfunction]
pub(crate) fn resize_float<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, f32>,
    width: usize,
    height: usize,
    method: i64,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let view = view_of(&image)?;
    let method = interpolation(method, (view.width, view.height), (width, height))?;
    let resize = || {
        let mut image = recycled_image(width * height * view.channels);
        resize_f32_into(view, (width, height), method, &mut image);
        Ok(image)
    };
    let resized = py.detach(|| memory::catch(resize));
    recycled_array(py, resized.map_err(PyRecioError::from)?)
}

/// Encode as JPEG; quality 1–100, subsampling '4:2:0', '4:2:2' or '4:4:4'.
#[pyfunction]
pub(crate) fn encode_jpeg<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    is_bgr: bool,
    quality: u8,
    subsampling: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let view = view_of(&image)?;
    let options = JpegOptions {
        quality,
        subsampling: subsampling_of(subsampling)?,
    };
    encoded(py, view.width * view.height * view.channels, |out| {
        encode::encode_jpeg(&view, color_order(is_bgr), &options, out)
    })
}

/// Encode as PNG; `quality` is a compression level, or more than 9 for the default.
#[pyfunction]
pub(crate) fn encode_png<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u8>,
    is_bgr: bool,
    quality: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let view = view_of(&image)?;
    let image_bytes = view.width * view.height * view.channels;
    let level = encode::png_level(quality);
    encoded(py, PNG_MEMORY * image_bytes, |out| {
        encode::encode_png(&view, color_order(is_bgr), level, out)
    })
}

/// Encode as PNG with 16 bits per sample; `quality` as in [`encode_png`].
#[pyfunction]
pub(crate) fn encode_png_16<'py>(
    py: Python<'py>,
    image: PyReadonlyArray3<'py, u16>,
    is_bgr: bool,
    quality: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let &[height, width, channels] = image.shape() else {
        unreachable!("the array has three axes")
    };
    let (samples, level) = (samples(&image)?, encode::png_level(quality));
    encoded(py, PNG_MEMORY * size_of_val(samples), |out| {
        let size = (width, height, channels);
        encode::encode_png_16(samples, size, color_order(is_bgr), level, out)
    })
}

fn subsampling_of(name: &str) -> PyResult<Subsampling> {
    match name {
        "4:2:0" => Ok(Subsampling::S420),
        "4:2:2" => Ok(Subsampling::S422),
        "4:4:4" => Ok(Subsampling::S444),
        name => Err(PyValueError::new_err(format!(
            "subsampling must be '4:2:0', '4:2:2' or '4:4:4', got '{name}'"
        ))),
    }
}

fn color_order(is_bgr: bool) -> ColorOrder {
    if is_bgr {
        ColorOrder::Bgr
    } else {
        ColorOrder::Rgb
    }
}

fn encoded(
    py: Python<'_>,
    peak_bytes: usize,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<()> + Send,
) -> PyResult<Bound<'_, PyBytes>> {
    let mut bytes = Vec::new();
    let encode = || {
        // Encoders do not check whether there is memory.
        memory::check(peak_bytes)?;
        encode(&mut bytes)
    };
    py.detach(|| memory::catch(encode))
        .map_err(PyRecioError::from)?;
    Ok(new_bytes(py, &bytes)?)
}

/// Return the method of a number, after checking the sizes.
fn interpolation(number: i64, from: (usize, usize), to: (usize, usize)) -> PyResult<Interpolation> {
    check_sides(from, to)?;
    Ok(by_number(number, from, to).map_err(PyRecioError::from)?)
}

fn check_sides(from: (usize, usize), (width, height): (usize, usize)) -> PyResult<()> {
    if from.0 == 0 || from.1 == 0 || width == 0 || height == 0 {
        return Err(PyValueError::new_err(format!(
            "every side must be at least 1, got {}x{} to {width}x{height} pixels",
            from.0, from.1
        )));
    }
    let bytes = width
        .saturating_mul(height)
        .saturating_mul(MAX_BYTES_PER_PIXEL);
    if width > MAX_SIDE || height > MAX_SIDE || bytes > MAX_BYTES {
        return Err(PyValueError::new_err(format!(
            "a side must be at most {MAX_SIDE} and the image at most 4 GiB, got {width}x{height} pixels"
        )));
    }
    Ok(())
}

fn by_number(number: i64, from: (usize, usize), to: (usize, usize)) -> Result<Interpolation> {
    match InterpolationChoice::from_number(number)? {
        InterpolationChoice::Fixed(method) => Ok(method),
        InterpolationChoice::Auto => Ok(Interpolation::auto(from, to)),
        InterpolationChoice::Random => Err(Error::argument(
            "interp=10 (random) must be resolved by the caller, to 0 to 4",
        )),
    }
}
