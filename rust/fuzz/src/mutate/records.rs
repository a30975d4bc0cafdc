//! Mutator for frames of records: moves, repeats, joins and truncates frames, updates their
//! lengths, and changes their flags.

use libfuzzer_sys::fuzzer_mutate;

use crate::fuzz_rng::FuzzRng;
use crate::properties::reference::MAGIC;

/// Mutate the file after the first `prefix` bytes; in one of four cases, mutate any bytes.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, prefix: usize) -> usize {
    let mut rng = FuzzRng::from_seed(seed.into());
    if rng.one_in(4) || size < prefix {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut frames = split(&data[prefix..size]);
    change(&mut frames, &mut rng);
    let changed = frames.concat();
    let end = max_size.min(prefix + changed.len());
    data[prefix..end].copy_from_slice(&changed[..end - prefix]);
    end
}

/// Split the bytes at each magic number on a multiple of four.
fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for word in bytes.chunks(4) {
        match frames.last_mut() {
            Some(frame) if word != MAGIC => frame.extend(word),
            _ => frames.push(word.to_vec()),
        }
    }
    frames
}

fn change(frames: &mut Vec<Vec<u8>>, rng: &mut FuzzRng<'_>) {
    let count = frames.len().min(1 << 16);
    if count == 0 {
        return frames.push(frame(rng.below(4) as u32, &[7; 9][..rng.below(10)]));
    }
    let [from, to] = [(); 2].map(|()| rng.below(count));
    match rng.below(8) {
        0 => drop(frames.remove(from)),
        1 => frames.insert(to, frames[from].clone()),
        2 => frames.swap(from, to),
        3 => frames.insert(
            to,
            frame(rng.below(4) as u32, &MAGIC.repeat(2)[..rng.below(9)]),
        ),
        4 => {
            let len = frames[from].len();
            frames[from].truncate(rng.below(len.min(1 << 16)));
        }
        _ => {
            let content = frames[from].get(8..).unwrap_or_default();
            let mut content = content.to_vec();
            let size = content.len();
            content.resize(size + 8, 0);
            let size = if rng.one_in(2) {
                fuzzer_mutate(&mut content, size, size + 8)
            } else {
                size
            };
            frames[from] = frame(rng.below(5) as u32 % 4, &content[..size]);
        }
    }
}

/// Return a frame with the length of its data.
fn frame(flag: u32, data: &[u8]) -> Vec<u8> {
    let mut frame = MAGIC.to_vec();
    frame.extend((flag << 29 | data.len() as u32).to_le_bytes());
    frame.extend(data);
    frame.resize(frame.len().next_multiple_of(4), 0);
    frame
}
