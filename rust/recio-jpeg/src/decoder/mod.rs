//! A JPEG → rows of pixels, of the region that is asked for.
//!
//! ```text
//! header ─▶ layout: what of each component is needed
//! tables ─▶ scan data ─▶ unstuffed ─▶ coefficients ─▶ planes: two rows of MCUs ─▶ a row of pixels
//!                        └──── of one row of MCUs, or of all if there are several scans
//! ```
//!
//! | file | knows |
//! |---|---|
//! | `layout.rs` | which samples and blocks a region needs |
//! | `scans.rs` | images in several scans: all coefficients first |
//! | `single_scan.rs` | images in one scan: the coefficients of a row of MCUs |
//! | `plane.rs` | samples of a component: transformed, then upsampled row by row |
//! | `rows.rs` | rows of pixels, in order |

mod layout;
mod plane;
mod rows;
mod scans;
mod single_scan;
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

/// A rectangle of pixels.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Columns to the left of it.
    pub x: usize,
    /// Rows above it.
    pub y: usize,
    /// Its width.
    pub width: usize,
    /// Its height.
    pub height: usize,
}

/// What is to be decoded of a JPEG, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What pixels are made of. Default R, G, B.
    pub pixel_format: PixelFormat,
    /// The scale. Default 1/1.
    pub scale: Scale,
    /// The layout of the picture, at that scale. Default all of it.
    pub region: Option<Region>,
    /// What is to be done about damage. Default it is an error.
    pub on_damage: OnDamage,
    /// The scans of an image, at max_bytes. Default 100.
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

/// Decodes one JPEG after another. What it needs on the way is kept for the next one, tables too.
pub struct Decoder {
    level: SimdLevel,
    tables: Tables,
    data: UnstuffedData,
    coefficients: Coefficients,
    planes: [Plane; MAX_COMPONENTS],
    sums: Vec<u16>,
}

impl fmt::Debug for Decoder {
    /// Without its memory, which would fill pages.
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
    /// A decoder that holds no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to decode a JPEG, of which the header has been read. An image in one scan is decoded while its rows are
    /// asked for; of one in several, all scans are read here.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Truncated`], [`Error::TooManyScans`]; [`Error::Unsupported`] if its colors cannot
    /// become the pixels that are asked for.
    ///
    /// # Panics
    /// If the region leaves the picture or has no pixels.
    pub fn start<'a>(
        &'a mut self,
        jpeg: &'a [u8],
        header: &Header,
        options: &Options,
    ) -> Result<Rows<'a>> {
        let conversion = Conversion::choose(header.color_space(), options.pixel_format)
            .ok_or(Error::Unsupported("conversion between CMYK and RGB"))?;
        let layout = Layout::new(&header.frame, options, conversion.needs_first_only());
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

    /// Gives back the coefficients and the scan's data where they take more than `max_bytes` bytes. What else is kept grows with a
    /// picture's width alone.
    pub fn trim(&mut self, max_bytes: usize) {
        self.coefficients.trim(max_bytes);
        self.data.trim(max_bytes);
    }
}

/// Reads all coefficients of a JPEG, strictly. Gives each component's quantization table.
pub(crate) fn read_coefficients(
    jpeg: &[u8],
    header: &Header,
    coefficients: &mut Coefficients,
) -> Result<[QuantizationTable; MAX_COMPONENTS]> {
    let mut tables = Tables::default();
    ScanReader::new(jpeg, header, &mut tables, &Options::default()).read_coefficients(coefficients)
}
