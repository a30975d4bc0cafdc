//! Strips and tiles compressed as JPEG, by recio-jpeg.

use recio_jpeg::{ColorSpace, Decoder, Header, Options, PixelFormat, Region};

use super::layout::{Layout, Photometric};
use crate::decode::jpeg::failed;
use crate::error::{Error, Result};
use crate::limits::Limits;

const START_OF_IMAGE: [u8; 2] = [0xff, 0xd8];
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// Adobe's segment up to the byte that states the color space.
const ADOBE: &[u8] = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0";

/// Decode the first rows of a strip or tile and pass each to `write`, R, G, B or gray.
pub(super) fn read_rows(
    data: &[u8],
    tables: Option<&[u8]>,
    layout: &Layout,
    (width, height): (usize, usize),
    limits: &Limits,
    mut write: impl FnMut(usize, &[u8]),
) -> Result<()> {
    let stream = join(data, tables, layout.photometric);
    let header = Header::read(&stream).map_err(failed)?;
    let (pixel_format, channels) = match (layout.samples, header.color_space()) {
        (1, ColorSpace::Gray) => (PixelFormat::Gray, 1),
        (3, ColorSpace::Rgb | ColorSpace::YCbCr) => (PixelFormat::Rgb, 3),
        _ => {
            return Err(Error::image(
                "its JPEG has other colors than the tags state",
            ));
        }
    };
    let size = header.size();
    if size.0 < width || size.1 < height {
        return Err(Error::image(format!(
            "its JPEG has only {}x{} pixels",
            size.0, size.1
        )));
    }
    let image_bytes = layout.size.0 * layout.size.1 * channels;
    limits.check_memory(image_bytes + header.coefficient_bytes())?;
    let options = Options {
        pixel_format,
        region: Some(Region {
            x: 0,
            y: 0,
            width,
            height,
        }),
        max_scans: limits.scans,
        ..Options::default()
    };
    let mut decoder = Decoder::new();
    let mut rows = decoder.start(&stream, &header, &options).map_err(failed)?;
    let mut row = vec![0; width * channels];
    for y in 0..height {
        rows.read_row(y, &mut row).map_err(failed)?;
        write(y, &row);
    }
    rows.finish().map_err(failed)
}

/// Return one JPEG of the tables and the data, with the color space that the tags state.
fn join(data: &[u8], tables: Option<&[u8]>, photometric: Photometric) -> Vec<u8> {
    let tables = tables.unwrap_or(&[]);
    let tables = tables.strip_prefix(&START_OF_IMAGE).unwrap_or(tables);
    let tables = tables.strip_suffix(&END_OF_IMAGE).unwrap_or(tables);
    let data = data.strip_prefix(&START_OF_IMAGE).unwrap_or(data);
    let is_ycc = u8::from(photometric == Photometric::YCbCr);
    [&START_OF_IMAGE[..], ADOBE, &[is_ycc], tables, data].concat()
}
