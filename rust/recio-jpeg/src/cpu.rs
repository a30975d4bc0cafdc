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
    /// AVX2, and AVX-512 with the instructions for bytes and 16-bit numbers (BW, VBMI). CPUs
    /// without VBMI (before Ice Lake) reduce their clock rate for registers of 512 bits.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl InstructionSet {
    /// All of the architecture, the best first.
    const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "aarch64")]
        Self::Neon,
        Self::Scalar,
    ];

    /// Whether this CPU has the instructions.
    fn is_available(self) -> bool {
        match self {
            Self::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512vbmi")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
        }
    }
}

impl SimdLevel {
    /// The scalar level.
    pub(crate) const SCALAR: Self = Self(InstructionSet::Scalar);

    /// Return all levels of this CPU, the best first.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        let sets = InstructionSet::ALL.iter().copied();
        sets.filter(|set| set.is_available()).map(Self)
    }

    /// Return the best level of this CPU.
    pub(crate) fn best() -> Self {
        Self::available().next().unwrap_or(Self::SCALAR)
    }

    /// Return the instruction set.
    #[inline]
    pub(crate) fn instruction_set(self) -> InstructionSet {
        self.0
    }
}
