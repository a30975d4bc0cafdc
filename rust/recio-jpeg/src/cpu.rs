//! Which vector instructions the CPU has, found out once a decoder.
//!
//! A [`SimdLevel`] other than the plain one exists only where the CPU has its instructions: that is what every `unsafe` call of
//! a kernel rests on.

/// The instructions that kernels may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SimdLevel(InstructionSet);

/// Seen by kernels; made by [`SimdLevel`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    /// What every CPU of the architecture has, as the compiler uses it.
    Scalar,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl SimdLevel {
    /// The plain one.
    #[cfg(test)]
    pub(crate) const SCALAR: Self = Self(InstructionSet::Scalar);

    /// The best that there is.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self(InstructionSet::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self(InstructionSet::Neon);
        }
        Self(InstructionSet::Scalar)
    }

    /// Which it is.
    #[inline]
    pub(crate) fn instruction_set(self) -> InstructionSet {
        self.0
    }
}
