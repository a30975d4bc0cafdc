//! Choices. They are drawn from the fuzzer's bytes as long as there are any, so that a small change
//! of these is a small change of what is made of them, and are pseudo-random from there on.

/// A source of choices.
#[derive(Debug, Clone)]
pub struct Dice<'a> {
    bytes: &'a [u8],
    state: u64,
}

impl<'a> Dice<'a> {
    /// Draws from the bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        let fold =
            |state: u64, &byte: &u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self {
            bytes,
            state: bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold),
        }
    }

    /// Draws at random.
    pub fn from_seed(state: u64) -> Self {
        Self { bytes: &[], state }
    }

    /// Random dice for what is many and all alike; costs two bytes.
    pub fn fork(&mut self) -> Dice<'static> {
        Dice::from_seed(self.below(1 << 16) as u64)
    }

    /// A number less than `n`, which is at most 2¹⁶.
    pub fn below(&mut self, n: usize) -> usize {
        let number = if n <= 256 {
            self.byte().into()
        } else {
            u16::from_le_bytes([self.byte(), self.byte()])
        };
        usize::from(number) % n
    }

    /// A number from one to another, both included.
    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// Whether one of `n` chances came.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    /// One of some things.
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

    /// Sebastiano Vigna's splitmix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
