//! The magic word, and where it is in the bytes of a record.

/// Begins every part. Its own upper 3 bits are 6, so no length word can look like it.
pub const MAGIC: u32 = 0xced7_230a;
pub(super) const MAGIC_BYTES: [u8; 4] = MAGIC.to_le_bytes();

/// The aligned places in `record` where the magic stands.
pub(super) fn magic_words(record: &[u8]) -> impl Iterator<Item = usize> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + first_magic_word(&record[from..])?;
        from = at + MAGIC_BYTES.len();
        Some(at)
    })
}

/// The first aligned place in `data` where the magic stands.
///
/// Blocks are searched without a way out in their middle, which makes vector comparisons of them: 8 times as fast as a search
/// at all places (`memmem`) in 200 bytes, 1.5 times in 100 kB.
pub(super) fn first_magic_word(data: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let is_magic = |word: &[u8]| word == MAGIC_BYTES;
    let is_free = |block: &&[u8]| {
        !block
            .chunks_exact(4)
            .fold(false, |any, word| any | is_magic(word))
    };
    let free = BLOCK * data.chunks_exact(BLOCK).take_while(is_free).count();
    let found = data[free..].chunks_exact(4).position(is_magic)?;
    Some(free + 4 * found)
}
