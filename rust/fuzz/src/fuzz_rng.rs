//! Random choices from the fuzzer's bytes. As long as there are bytes, a small change of them is a
//! small change of the choices; after them, the choices are pseudo-random.

/// Source of random choices.
#[derive(Debug, Clone)]
pub struct FuzzRng<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> FuzzRng<'a> {
    /// Create a source that uses the bytes first.
    pub fn new(bytes: &'a [u8]) -> Self {
        let fold =
            |state: u64, &byte: &u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self {
            bytes,
            state: bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold),
        }
    }

    /// Create a pseudo-random source.
    pub fn from_seed(state: u64) -> Self {
        Self { bytes: &[], state }
    }

    /// Create a pseudo-random source for many similar choices, at the cost of two bytes.
    pub fn fork(&mut self) -> FuzzRng<'static> {
        FuzzRng::from_seed(self.below(1 << 16) as u64)
    }

    /// Return a number less than `n`, which is at most 2¹⁶.
    pub fn below(&mut self, n: usize) -> usize {
        let number = if n <= 256 {
            self.byte().into()
        } else {
            u16::from_le_bytes([self.byte(), self.byte()])
        };
        usize::from(number) % n
    }

    /// Return a number from `first` to `last`, inclusive.
    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Return `true` with a probability of 1/n.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// Return one of the given values.
    pub fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        things[self.below(things.len())]
    }

    fn byte(&mut self) -> u8 {
        if let Some((&byte, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return byte;
        }
        self.random() as u8
    }

    /// splitmix64 by Sebastiano Vigna.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
