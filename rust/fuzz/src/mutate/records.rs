//! A mutator that knows where the parts of records are: it moves, repeats, joins and cuts them,
//! makes their lengths those of their data, and changes their flags.

use libfuzzer_sys::fuzzer_mutate;

use crate::fuzz_rng::Dice;
use crate::properties::reference::MAGIC;

/// Changes the file behind the first `prefix` bytes or, one time out of four, anything.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32, prefix: usize) -> usize {
    let mut dice = Dice::from_seed(seed.into());
    if dice.one_in(4) || size < prefix {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut parts = split(&data[prefix..size]);
    change(&mut parts, &mut dice);
    let changed = parts.concat();
    let end = max_size.min(prefix + changed.len());
    data[prefix..end].copy_from_slice(&changed[..end - prefix]);
    end
}

/// The bytes from one magic on the grid of four to the next.
fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for word in bytes.chunks(4) {
        match parts.last_mut() {
            Some(part) if word != MAGIC => part.extend(word),
            _ => parts.push(word.to_vec()),
        }
    }
    parts
}

fn change(parts: &mut Vec<Vec<u8>>, dice: &mut Dice<'_>) {
    let count = parts.len().min(1 << 16);
    if count == 0 {
        return parts.push(part(dice.below(4) as u32, &[7; 9][..dice.below(10)]));
    }
    let [from, to] = [(); 2].map(|()| dice.below(count));
    match dice.below(8) {
        0 => drop(parts.remove(from)),
        1 => parts.insert(to, parts[from].clone()),
        2 => parts.swap(from, to),
        3 => parts.insert(
            to,
            part(dice.below(4) as u32, &MAGIC.repeat(2)[..dice.below(9)]),
        ),
        4 => {
            let len = parts[from].len();
            parts[from].truncate(dice.below(len.min(1 << 16)));
        }
        _ => {
            let content = parts[from].get(8..).unwrap_or_default();
            let mut content = content.to_vec();
            let size = content.len();
            content.resize(size + 8, 0);
            let size = if dice.one_in(2) {
                fuzzer_mutate(&mut content, size, size + 8)
            } else {
                size
            };
            parts[from] = part(dice.below(5) as u32 % 4, &content[..size]);
        }
    }
}

/// A part whose length is that of its data.
fn part(flag: u32, data: &[u8]) -> Vec<u8> {
    let mut part = MAGIC.to_vec();
    part.extend((flag << 29 | data.len() as u32).to_le_bytes());
    part.extend(data);
    part.resize(part.len().next_multiple_of(4), 0);
    part
}
