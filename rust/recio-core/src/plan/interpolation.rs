//! Choice of the interpolation method (`inter_method`).

use crate::error::{Error, Result};
use crate::ops::resize::Interpolation;
use crate::rng::Rng;

/// The interpolation method: fixed, or chosen for each image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterpolationChoice {
    /// One method for all images.
    Fixed(Interpolation),
    /// Cubic where both sides grow, area where both shrink, linear otherwise (`inter_method` 9).
    Auto,
    /// Any of the five, at random (`inter_method` 10).
    Random,
}

impl InterpolationChoice {
    /// Return the choice with the number of MXNet's `inter_method`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::error::ErrorKind::Argument) if there is no such method.
    pub fn from_number(number: i64) -> Result<Self> {
        match number {
            9 => Ok(Self::Auto),
            10 => Ok(Self::Random),
            _ => fixed(number).map(Self::Fixed).ok_or_else(|| {
                Error::argument(format!(
                    "inter_method must be 0 (nearest), 1 (bilinear), 2 (cubic), 3 (area), 4 (Lanczos), 9 (auto) or 10 (random), got {number}"
                ))
            }),
        }
    }

    /// Return the choice with antialiased instead of bilinear interpolation.
    pub(crate) fn antialiased(self) -> Self {
        match self {
            Self::Fixed(Interpolation::Linear) => Self::Fixed(Interpolation::Antialias),
            others => others,
        }
    }

    /// Return the method for one resize.
    pub(crate) fn choose(
        self,
        from: (usize, usize),
        to: (usize, usize),
        rng: &mut Rng,
    ) -> Interpolation {
        match self {
            Self::Fixed(method) => method,
            Self::Auto => Interpolation::auto(from, to),
            Self::Random => fixed(rng.below(5) as i64).expect("there are five methods"),
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
