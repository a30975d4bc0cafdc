//! `inter_method`: how images are resampled.

use crate::error::{Error, Result};
use crate::ops::resize::Interpolation;
use crate::rng::Rng;

/// How images are resampled: one method for all, or one chosen for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterpolationChoice {
    /// This one.
    Fixed(Interpolation),
    /// Cubic where both sides grow, area where both shrink, linear otherwise (`inter_method` 9).
    Auto,
    /// Any of the five, at random (`inter_method` 10).
    Random,
}

impl InterpolationChoice {
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
                    "inter_method={number}; it is 0 (nearest), 1 (bilinear), 2 (cubic), 3 (area), 4 (Lanczos), 9 (auto) or 10 (rng)"
                ))
            }),
        }
    }

    /// The same without aliases, if it is linear.
    pub(crate) fn antialiased(self) -> Self {
        match self {
            Self::Fixed(Interpolation::Linear) => Self::Fixed(Interpolation::Antialias),
            others => others,
        }
    }

    /// The method for one step.
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
