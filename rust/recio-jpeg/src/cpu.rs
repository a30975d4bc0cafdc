//! Which vector instructions the CPU has, found out once a decoder.
//!
//! A [`Level`] other than the plain one exists only where the CPU has its instructions: that is what every `unsafe` call of
//! a kernel rests on.

/// The instructions that kernels may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(Kind);

/// Seen by kernels; made by [`Level`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What every CPU of the architecture has, as the compiler uses it.
    Plain,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// The plain one.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self(Kind::Plain);

    /// The best that there is.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self(Kind::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self(Kind::Neon);
        }
        Self(Kind::Plain)
    }

    /// Which it is.
    #[inline]
    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}
