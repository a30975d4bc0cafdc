//! Detection of SIMD instructions, once per decoder.
//!
//! A [`SimdLevel`] other than scalar exists only if the CPU has its instructions. Every `unsafe`
//! call of a kernel relies on that.

/// SIMD instructions that kernels may use. Its field is private, so that only this module creates
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SimdLevel(InstructionSet);

/// Instruction set of a [`SimdLevel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstructionSet {
    /// Only instructions that every CPU of the architecture has.
    Scalar,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl SimdLevel {
    /// The scalar level.
    #[cfg(test)]
    pub(crate) const SCALAR: Self = Self(InstructionSet::Scalar);

    /// Return the best level of this CPU.
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

    /// Return the instruction set.
    #[inline]
    pub(crate) fn instruction_set(self) -> InstructionSet {
        self.0
    }
}
