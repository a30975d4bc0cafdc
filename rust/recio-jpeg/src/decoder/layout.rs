//! Which samples of each component a region needs, and which blocks hold them (ITU-T T.81, A.1.1, A.2).

use std::ops::Range;

use super::{Options, Region};
use crate::frame::{Component, Frame, MAX_COMPONENTS, SIDE};
use crate::upsample::Upsampling;

/// The scale of what is decoded: each block of 8 × 8 coefficients becomes fewer pixels.
///
/// A picture's width and height are divided, and rounded up. Below 1/1 the transform itself leaves out the high
/// frequencies, as libjpeg's does: less work than decoding all and shrinking, and fewer jagged edges.
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
    /// By what width and height are divided.
    #[must_use]
    pub fn divisor(self) -> usize {
        match self {
            Self::Full => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }

    /// A picture's size at this scale.
    #[must_use]
    pub fn size(self, (width, height): (usize, usize)) -> (usize, usize) {
        let divisor = self.divisor();
        (width.div_ceil(divisor), height.div_ceil(divisor))
    }
}

/// What a region needs.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) region: Region,
    parts: [Part; MAX_COMPONENTS],
    count: usize,
    /// The columns of MCUs that hold what is needed.
    pub(super) mcus: Range<usize>,
    /// The rows of pixels that a row of MCUs becomes.
    mcu_height: usize,
}

/// What it needs of a component.
#[derive(Debug, Default, Clone)]
pub(super) struct Part {
    pub(super) is_needed: bool,
    /// Its blocks in an MCU.
    pub(super) across: usize,
    pub(super) down: usize,
    /// The samples that a block becomes, across and down.
    pub(super) size: usize,
    /// Its samples.
    pub(super) width: usize,
    height: usize,
    pub(super) upsampling: Upsampling,
    /// The columns of samples that pixels lie on.
    pub(super) columns: Range<usize>,
    /// The columns of blocks that hold these, and the neighbours that upsampling looks at.
    pub(super) blocks: Range<usize>,
}

impl Shape {
    /// # Panics
    /// If the region leaves the picture or has no pixels.
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
            "{region:?} is no part of {width}x{height} pixels"
        );
        let mut parts: [Part; MAX_COMPONENTS] = Default::default();
        for (i, (part, component)) in parts.iter_mut().zip(frame.components()).enumerate() {
            *part = Part::new(frame, component, options.scale, &region);
            part.is_needed = i == 0 || !first_only;
        }
        let mut shape = Self {
            region,
            parts,
            count: frame.components().len(),
            mcus: 0..0,
            mcu_height: frame.sampling().1 * SIDE / options.scale.divisor(),
        };
        let needed = shape.needed();
        let first = needed
            .clone()
            .map(|part| part.blocks.start / part.across)
            .min();
        let end = needed
            .map(|part| part.blocks.end.div_ceil(part.across))
            .max();
        shape.mcus = first.unwrap_or(0)..end.unwrap_or(0);
        shape
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts[..self.count]
    }

    fn needed(&self) -> impl Iterator<Item = &Part> + Clone {
        self.parts().iter().filter(|part| part.is_needed)
    }

    /// Whether row `y` of the region needs nothing of row `mcus` of MCUs: a quick look, which may miss that it does not.
    pub(super) fn is_surely_above(&self, y: usize, mcus: usize) -> bool {
        // Upsampling looks one sample ahead at most, which is two pixels.
        self.region.y + y + 2 < mcus * self.mcu_height
    }

    /// The first and the last row of MCUs that row `y` of the region is made of.
    pub(super) fn mcu_rows(&self, y: usize) -> (usize, usize) {
        let rows = self.needed().map(|part| {
            let rows = part.rows(self.region.y + y);
            let mcu = part.size * part.down;
            let (first, last) = (rows[0].min(rows[1]), rows[0].max(rows[1]));
            (first / mcu, last / mcu)
        });
        rows.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
            .unwrap_or_default()
    }

    /// The last row of MCUs that the region is made of.
    pub(super) fn last_mcu_row(&self) -> usize {
        self.mcu_rows(self.region.height - 1).1
    }
}

impl Part {
    fn new(frame: &Frame, component: &Component, scale: Scale, region: &Region) -> Self {
        let sampling = frame.sampling();
        let base = SIDE / scale.divisor();
        let size = block_size(sampling, component, base);
        let ratios = (
            sampling.0 * base / (component.across * size),
            sampling.1 * base / (component.down * size),
        );
        let samples = |pixels: usize, factor: usize, largest: usize| {
            (pixels * factor * size).div_ceil(largest * SIDE)
        };
        let width = samples(frame.width, component.across, sampling.0);
        let mut part = Self {
            is_needed: true,
            across: component.across,
            down: component.down,
            size,
            width,
            height: samples(frame.height, component.down, sampling.1),
            upsampling: Upsampling::choose(ratios, width, base),
            columns: region.x / ratios.0..(region.x + region.width - 1) / ratios.0 + 1,
            blocks: 0..0,
        };
        let aside = usize::from(part.upsampling.looks_aside());
        let first = part.columns.start.saturating_sub(aside);
        let end = (part.columns.end + aside).min(width);
        part.blocks = first / size..end.div_ceil(size);
        part
    }

    /// The component's rows that row `y` of the picture is made of, the nearest first.
    pub(super) fn rows(&self, y: usize) -> [usize; 2] {
        self.upsampling.rows(y, self.height)
    }
}

/// Samples that a component's block becomes across and down. As libjpeg has it, a subsampled component is shrunk less than
/// the picture, if that spares enlarging it.
fn block_size(sampling: (usize, usize), component: &Component, base: usize) -> usize {
    let mut size = base;
    let divides =
        |largest: usize, factor: usize, size: usize| (largest * base).is_multiple_of(factor * size);
    while size < SIDE
        && divides(sampling.0, component.across, size * 2)
        && divides(sampling.1, component.down, size * 2)
    {
        size *= 2;
    }
    size
}
