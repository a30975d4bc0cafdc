//! JPEG decoder: reads a region row by row.
//!
//! ```text
//! header ─▶ layout: samples and blocks that the region needs
//! tables ─▶ scan data ─▶ unstuffed ─▶ coefficients ─▶ planes: two rows of MCUs ─▶ row of pixels
//!                        └──── of one row of MCUs, or of the entire image if it has several scans
//! ```
//!
//! | file | content |
//! |---|---|
//! | `layout.rs` | samples and blocks that a region needs |
//! | `scans.rs` | images in several scans: all coefficients first |
//! | `scan_blocks.rs` | the blocks of one of these scans |
//! | `progression.rs` | coefficients that the scans of a progressive image have sent so far |
//! | `smoothing.rs` | estimates of coefficients that a progressive image lacks |
//! | `single_scan.rs` | images in one scan: one row of MCUs at a time |
//! | `plane.rs` | samples of a component: inverse transform, then upsampling row by row |
//! | `rows.rs` | rows of pixels, in order |

mod layout;
mod plane;
mod progression;
mod rows;
mod scan_blocks;
mod scans;
mod single_scan;
mod smoothing;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::coefficients::Coefficients;
use crate::color::{Conversion, PixelFormat};
use crate::cpu::SimdLevel;
use crate::error::{Error, Result};
use crate::frame::MAX_COMPONENTS;
use crate::header::Header;
use crate::scan::OnDamage;
use crate::tables::{QuantizationTable, Tables};
use crate::unstuff::UnstuffedData;
use layout::Layout;
pub use layout::Scale;
use plane::Plane;
pub use rows::Rows;
use scans::ScanReader;

/// Rectangle of pixels.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Left column.
    pub x: usize,
    /// Top row.
    pub y: usize,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

/// Options of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Pixel format. Default: RGB.
    pub pixel_format: PixelFormat,
    /// Scale. Default: 1/1.
    pub scale: Scale,
    /// Region of the image at that scale. Default: the entire image.
    pub region: Option<Region>,
    /// Handling of damage. Default: an error.
    pub on_damage: OnDamage,
    /// Maximum number of scans. Default: 100.
    pub max_scans: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pixel_format: PixelFormat::default(),
            scale: Scale::default(),
            region: None,
            on_damage: OnDamage::default(),
            max_scans: 100,
        }
    }
}

/// Decoder for any number of JPEGs, one after another. It keeps its memory and Huffman tables for
/// the next JPEG.
pub struct Decoder {
    level: SimdLevel,
    tables: Tables,
    data: UnstuffedData,
    coefficients: Coefficients,
    planes: [Plane; MAX_COMPONENTS],
    sums: Vec<u16>,
}

impl fmt::Debug for Decoder {
    /// Omit the buffers, which would fill pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            level: SimdLevel::best(),
            tables: Tables::default(),
            data: UnstuffedData::default(),
            coefficients: Coefficients::default(),
            planes: Default::default(),
            sums: Vec::new(),
        }
    }
}

impl Decoder {
    /// Create a decoder without buffers; they grow on demand.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Start to decode a JPEG whose header was read. An image in one scan is decoded while its rows
    /// are requested; of an image in several scans, all scans are read here.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Truncated`], [`Error::TooManyScans`], or [`Error::Unsupported`]
    /// if the color space cannot be converted to the pixel format.
    ///
    /// # Panics
    /// If the region is empty or extends outside the image.
    pub fn start<'a>(
        &'a mut self,
        jpeg: &'a [u8],
        header: &Header,
        options: &Options,
    ) -> Result<Rows<'a>> {
        let conversion = Conversion::choose(header.color_space(), options.pixel_format)
            .ok_or(Error::Unsupported("conversion between CMYK and RGB"))?;
        let layout = Layout::new(
            &header.frame,
            options,
            conversion.needs_only_first_component(),
        );
        let Self {
            level,
            tables,
            data,
            coefficients,
            planes,
            sums,
        } = self;
        for (plane, layout) in planes.iter_mut().zip(layout.components()) {
            plane.reset(layout);
        }
        let mut scan_reader = ScanReader::new(jpeg, header, tables, options);
        let (single_scan, dequant) = scan_reader.read(&layout, data, coefficients)?;
        Ok(Rows {
            level: *level,
            layout,
            conversion,
            dequant,
            single_scan,
            extraneous_bytes: scan_reader.extraneous_bytes,
            next_mcu_row: 0,
            last_row: 0,
            coefficients,
            planes,
            sums,
        })
    }

    /// Free the memory of coefficients and scan data if it exceeds `max_bytes`. The other buffers
    /// grow only with the width of an image.
    pub fn trim(&mut self, max_bytes: usize) {
        self.coefficients.trim(max_bytes);
        self.data.trim(max_bytes);
    }
}

/// Read all coefficients of a JPEG; damage is an error. Return each component's quantization table.
pub(crate) fn read_coefficients(
    jpeg: &[u8],
    header: &Header,
    coefficients: &mut Coefficients,
) -> Result<[QuantizationTable; MAX_COMPONENTS]> {
    let mut tables = Tables::default();
    ScanReader::new(jpeg, header, &mut tables, &Options::default()).read_coefficients(coefficients)
}
