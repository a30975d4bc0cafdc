//! The magic word, and the search for it in the bytes of a record.

/// First word of every fragment. Its own upper 3 bits are 6, so no valid length word equals it.
pub const MAGIC: u32 = 0xced7_230a;
pub(super) const MAGIC_BYTES: [u8; 4] = MAGIC.to_le_bytes();

/// Returns the aligned positions of the magic word in `record`.
pub(super) fn magic_words(record: &[u8]) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + first_magic_word(&record[from..])?;
        from = at + MAGIC_BYTES.len();
        Some(at)
    })
}

/// Returns the first aligned position of the magic word in `data`.
///
/// The search of a block has no early exit, so the compiler vectorizes it: 8 times as fast as a
/// search at all positions (`memmem`) in 200 bytes, 1.5 times in 100 kB.
pub(super) fn first_magic_word(data: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let is_magic = |word: &[u8]| word == MAGIC_BYTES;
    let is_free = |block: &&[u8]| {
        !block
            .chunks_exact(4)
            .fold(false, |any, word| any | is_magic(word))
    };
    let free = BLOCK * data.chunks_exact(BLOCK).take_while(is_free).count();
    let position = data[free..].chunks_exact(4).position(is_magic)?;
    Some(free + 4 * position)
}
