//! What the caller wants done to every image, checked before a file is opened.

use crate::augment::resize::Interpolation;
use crate::error::{Error, Result};
use crate::plan::Stream;

/// The largest `resize` and `pad`, in pixels: sizes made of them stay far from overflowing.
const MAX_SIDE: usize = 1 << 16;

/// The steps from a decoded image to one of the output's size.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Channels of the output: 1 (grey), 3 (RGB) or 4 (RGBA).
    pub channels: usize,
    /// Height of the output, in pixels.
    pub height: usize,
    /// Width of the output, in pixels.
    pub width: usize,
    /// The shorter side is brought to this first, up or down.
    pub resize: Option<usize>,
    /// Thickness of a border, in pixels; 0 for none.
    pub pad: usize,
    /// The border's value.
    pub fill_value: u8,
    /// Which part becomes the output.
    pub crop: Crop,
    /// Whether it is flipped left to right.
    pub mirror: Mirror,
    /// How images are resampled.
    pub interpolation: Interpolations,
}

/// Which part of an image becomes the output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crop {
    /// The middle.
    Center,
    /// A random place.
    Random,
    /// A region of random area and aspect ratio at a random place, resampled to the output's size.
    Resized {
        /// Least and largest area, as a fraction of the image's.
        area: (f64, f64),
        /// Least and largest ratio of width to height.
        aspect: (f64, f64),
    },
}

/// Whether images are flipped left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// None.
    Never,
    /// All.
    Always,
    /// Half of them.
    Random,
}

/// How images are resampled: one method for all, or one chosen for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolations {
    /// This one.
    Fixed(Interpolation),
    /// Cubic where both sides grow, area where both shrink, linear otherwise (`inter_method` 9).
    Auto,
    /// Any of the five, at random (`inter_method` 10).
    Random,
}

impl Interpolations {
    /// MXNet's `inter_method`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there is no such method.
    pub fn from_number(number: i64) -> Result<Self> {
        match number {
            9 => Ok(Self::Auto),
            10 => Ok(Self::Random),
            _ => fixed(number).map(Self::Fixed).ok_or_else(|| {
                Error::argument(format!(
                    "inter_method={number}; it is 0 (nearest), 1 (bilinear), 2 (cubic), 3 (area), 4 (Lanczos), 9 (auto) or 10 (random)"
                ))
            }),
        }
    }

    /// The method for one step.
    pub(crate) fn choose(
        self,
        from: (usize, usize),
        to: (usize, usize),
        random: &mut Stream,
    ) -> Interpolation {
        match self {
            Self::Fixed(method) => method,
            Self::Auto => Interpolation::auto(from, to),
            Self::Random => fixed(random.below(5) as i64).expect("there are five methods"),
        }
    }
}

fn fixed(number: i64) -> Option<Interpolation> {
    match number {
        0 => Some(Interpolation::Nearest),
        1 => Some(Interpolation::Linear),
        2 => Some(Interpolation::Cubic),
        3 => Some(Interpolation::Area),
        4 => Some(Interpolation::Lanczos4),
        _ => None,
    }
}

impl Options {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument), with the option's name and value.
    pub fn check(&self) -> Result<()> {
        let shape = (self.channels, self.height, self.width);
        if !matches!(self.channels, 1 | 3 | 4) || self.height == 0 || self.width == 0 {
            return Err(Error::argument(format!(
                "data_shape={shape:?}; it is (channels, height, width) with 1, 3 or 4 channels and sides of at least 1"
            )));
        }
        for (name, value) in [("resize", self.resize.unwrap_or(1)), ("pad", self.pad)] {
            if value > MAX_SIDE {
                return Err(Error::argument(format!(
                    "{name}={value}; it is at most {MAX_SIDE}"
                )));
            }
        }
        if self.resize == Some(0) {
            return Err(Error::argument(
                "resize=0; it is at least 1, or -1 for none",
            ));
        }
        match self.crop {
            Crop::Resized { area, aspect } => check_ranges(area, aspect),
            Crop::Center | Crop::Random => Ok(()),
        }
    }
}

fn check_ranges(area: (f64, f64), aspect: (f64, f64)) -> Result<()> {
    if !(0.0 < area.0 && area.0 <= area.1 && area.1 <= 1.0) {
        return Err(Error::argument(format!(
            "min_random_area={}, max_random_area={}; they are fractions of the image's area, 0 < min <= max <= 1",
            area.0, area.1
        )));
    }
    if !(0.0 < aspect.0 && aspect.0 <= aspect.1 && aspect.1.is_finite()) {
        return Err(Error::argument(format!(
            "min_aspect_ratio={}, max_aspect_ratio={}; they are ratios of width to height, 0 < min <= max",
            aspect.0, aspect.1
        )));
    }
    Ok(())
}
