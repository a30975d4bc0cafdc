//! Layout of a region: the samples and blocks of each component that it needs (ITU-T T.81, A.1.1,
//! A.2).

use std::ops::Range;

use super::{Options, Region};
use crate::frame::{BLOCK_SIZE, Component, Frame, MAX_COMPONENTS};
use crate::upsample::Upsampling;

/// Scale of the decoded image: a block of 8 × 8 coefficients becomes fewer pixels.
///
/// Width and height are divided and rounded up. Below 1/1 the transform itself omits the high
/// frequencies, as in libjpeg: this is faster than decoding everything and shrinking, and aliases
/// less.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 1/1.
    #[default]
    Full,
    /// 1/2.
    Half,
    /// 1/4.
    Quarter,
    /// 1/8.
    Eighth,
}

impl Scale {
    /// Return the divisor of width and height.
    #[must_use]
    pub fn divisor(self) -> usize {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// Return the size of an image at this scale.
    #[must_use]
    pub fn size(self, (width, height): (usize, usize)) -> (usize, usize) {
        let divisor = self.divisor();
        (width.div_ceil(divisor), height.div_ceil(divisor))
    }
}

/// Region to decode, and what it needs of each component.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) region: Region,
    components: [ComponentLayout; MAX_COMPONENTS],
    count: usize,
    /// Columns of MCUs that contain the needed blocks.
    pub(super) mcu_columns: Range<usize>,
    /// Rows of pixels per row of MCUs.
    mcu_pixel_rows: usize,
}

/// Samples and blocks of a component that a region needs.
#[derive(Debug, Default, Clone)]
pub(super) struct ComponentLayout {
    pub(super) is_needed: bool,
    /// Sampling factors: the component's blocks in an MCU.
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
    /// Samples per side of a transformed block.
    pub(super) block_size: usize,
    /// Size of the component in samples.
    pub(super) width: usize,
    height: usize,
    pub(super) upsampling: Upsampling,
    /// Columns of samples under the pixels of the region.
    pub(super) sample_columns: Range<usize>,
    /// Columns of blocks that contain these samples, and the neighbors that upsampling needs.
    pub(super) block_columns: Range<usize>,
}

impl Layout {
    /// # Panics
    /// If the region is empty or extends outside the image.
    pub(super) fn new(frame: &Frame, options: &Options, first_only: bool) -> Self {
        let (width, height) = options.scale.size((frame.width, frame.height));
        let region = options.region.unwrap_or(Region {
            x: 0,
            y: 0,
            width,
            height,
        });
        assert!(
            region.width > 0
                && region.height > 0
                && region.x <= width.saturating_sub(region.width)
                && region.y <= height.saturating_sub(region.height)
                && region.width <= width
                && region.height <= height,
            "{region:?} is outside the image of {width}x{height} pixels"
        );
        let mut components: [ComponentLayout; MAX_COMPONENTS] = Default::default();
        for (i, (layout, component)) in components.iter_mut().zip(frame.components()).enumerate() {
            *layout = ComponentLayout::new(frame, component, options.scale, &region);
            layout.is_needed = i == 0 || !first_only;
        }
        let mut layout = Self {
            region,
            components,
            count: frame.components().len(),
            mcu_columns: 0..0,
            mcu_pixel_rows: frame.max_sampling().1 * BLOCK_SIZE / options.scale.divisor(),
        };
        let needed = layout.needed_components();
        let first = needed
            .clone()
            .map(|component| component.block_columns.start / component.horizontal)
            .min();
        let end = needed
            .map(|component| component.block_columns.end.div_ceil(component.horizontal))
            .max();
        layout.mcu_columns = first.unwrap_or(0)..end.unwrap_or(0);
        layout
    }

    pub(super) fn components(&self) -> &[ComponentLayout] {
        &self.components[..self.count]
    }

    fn needed_components(&self) -> impl Iterator<Item = &ComponentLayout> + Clone {
        self.components()
            .iter()
            .filter(|component| component.is_needed)
    }

    /// Whether row `y` of the region needs no sample of MCU row `mcu_row`. A fast check that may
    /// return `false` for such a row.
    pub(super) fn is_surely_above(&self, y: usize, mcu_row: usize) -> bool {
        // Upsampling needs at most one sample below, which is two pixels.
        self.region.y + y + 2 < mcu_row * self.mcu_pixel_rows
    }

    /// Return the first and the last MCU row that row `y` of the region needs.
    pub(super) fn mcu_rows(&self, y: usize) -> (usize, usize) {
        let rows = self.needed_components().map(|component| {
            let rows = component.rows(self.region.y + y);
            let mcu = component.block_size * component.vertical;
            let (first, last) = (rows[0].min(rows[1]), rows[0].max(rows[1]));
            (first / mcu, last / mcu)
        });
        rows.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            .unwrap_or_default()
    }

    /// Return the last MCU row that the region needs.
    pub(super) fn last_mcu_row(&self) -> usize {
        self.mcu_rows(self.region.height - 1).1
    }
}

impl ComponentLayout {
    fn new(frame: &Frame, component: &Component, scale: Scale, region: &Region) -> Self {
        let max_sampling = frame.max_sampling();
        let base = BLOCK_SIZE / scale.divisor();
        let block_size = scaled_block_size(max_sampling, component, base);
        let factors = (
            max_sampling.0 * base / (component.horizontal * block_size),
            max_sampling.1 * base / (component.vertical * block_size),
        );
        let samples = |pixels: usize, factor: usize, max: usize| {
            (pixels * factor * block_size).div_ceil(max * BLOCK_SIZE)
        };
        let width = samples(frame.width, component.horizontal, max_sampling.0);
        let mut layout = Self {
            is_needed: true,
            horizontal: component.horizontal,
            vertical: component.vertical,
            block_size,
            width,
            height: samples(frame.height, component.vertical, max_sampling.1),
            upsampling: Upsampling::choose(factors, width, base),
            sample_columns: region.x / factors.0..(region.x + region.width - 1) / factors.0 + 1,
            block_columns: 0..0,
        };
        let margin = usize::from(layout.upsampling.needs_neighbors());
        let first = layout.sample_columns.start.saturating_sub(margin);
        let end = (layout.sample_columns.end + margin).min(width);
        layout.block_columns = first / block_size..end.div_ceil(block_size);
        layout
    }

    /// Return the two rows of the component from which row `y` of the image is made, the nearest
    /// first.
    pub(super) fn rows(&self, y: usize) -> [usize; 2] {
        self.upsampling.rows(y, self.height)
    }
}

/// Return the samples per side of a transformed block. As in libjpeg, a subsampled component is
/// scaled down less than the image if that makes upsampling unnecessary.
fn scaled_block_size(max_sampling: (usize, usize), component: &Component, base: usize) -> usize {
    let mut size = base;
    let divides =
        |max: usize, factor: usize, size: usize| (max * base).is_multiple_of(factor * size);
    while size < BLOCK_SIZE
        && divides(max_sampling.0, component.horizontal, size * 2)
        && divides(max_sampling.1, component.vertical, size * 2)
    {
        size *= 2;
    }
    size
}
