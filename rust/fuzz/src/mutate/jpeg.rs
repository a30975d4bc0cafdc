//! Mutator for JPEG segments: changes a segment or the order of segments, and updates lengths and
//! byte stuffing, so that the data after the change can still be decoded.

use libfuzzer_sys::fuzzer_mutate;

use crate::fuzz_rng::FuzzRng;

/// Marker with its segment, or the bytes up to the next marker.
#[derive(Debug, Clone)]
enum Piece {
    Marker(u8),
    Segment(u8, Vec<u8>),
    Data(Vec<u8>),
}

/// Mutate the first `size` bytes of `data`. Return the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut rng = FuzzRng::from_seed(seed.into());
    if !rng.one_in(4) {
        let mut pieces = split(&data[..size]);
        change(&mut pieces, &mut rng);
        let changed = join(&pieces);
        if !changed.is_empty() && changed.len() <= max_size {
            data[..changed.len()].copy_from_slice(&changed);
            return changed.len();
        }
    }
    fuzzer_mutate(data, size, max_size)
}

fn split(jpeg: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = jpeg;
    while !rest.is_empty() {
        let (piece, length) = first(rest);
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces
}

/// Return the first piece and its length.
fn first(bytes: &[u8]) -> (Piece, usize) {
    match *bytes {
        [0xff, code @ (0x01 | 0xd8 | 0xd9), ..] => (Piece::Marker(code), 2),
        [0xff, code @ 0xc0..=0xfe, high, low, ..] if !is_restart(code) => {
            let end = 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
            let content = bytes.get(4..end).unwrap_or(&bytes[4..]);
            (Piece::Segment(code, content.to_vec()), 4 + content.len())
        }
        _ => {
            let is_end = |pair: &[u8]| pair[0] == 0xff && pair[1] >= 0xc0 && !is_restart(pair[1]);
            let end = bytes.windows(2).skip(1).position(is_end);
            let length = end.map_or(bytes.len(), |end| end + 1);
            (Piece::Data(bytes[..length].to_vec()), length)
        }
    }
}

fn is_restart(code: u8) -> bool {
    (0xd0..=0xd7).contains(&code)
}

fn change(pieces: &mut Vec<Piece>, rng: &mut FuzzRng<'_>) {
    if pieces.is_empty() {
        return;
    }
    let [from, to] = [(); 2].map(|()| rng.below(pieces.len().min(1 << 16)));
    match rng.below(8) {
        0 => drop(pieces.remove(from)),
        1 => pieces.insert(to, pieces[from].clone()),
        2 => pieces.swap(from, to),
        _ => match &mut pieces[from] {
            Piece::Marker(_) => {}
            Piece::Segment(_, content) | Piece::Data(content) => change_content(content, rng),
        },
    }
}

fn change_content(content: &mut Vec<u8>, rng: &mut FuzzRng<'_>) {
    let size = content.len();
    if size > 0 && rng.one_in(2) {
        content[rng.below(size.min(1 << 16))] = rng.below(256) as u8;
        return;
    }
    content.resize(size + 16, 0);
    let size = fuzzer_mutate(content, size, size + 16);
    content.truncate(size);
}

fn join(pieces: &[Piece]) -> Vec<u8> {
    let mut jpeg = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Marker(code) => jpeg.extend([0xff, *code]),
            Piece::Segment(code, content) => {
                let length = (content.len() + 2) as u16;
                jpeg.extend([0xff, *code]);
                jpeg.extend(length.to_be_bytes());
                jpeg.extend(content);
            }
            Piece::Data(bytes) => stuff(bytes, &mut jpeg),
        }
    }
    jpeg
}

/// Insert a zero after each data byte 0xff, except at the start of a restart marker.
fn stuff(bytes: &[u8], jpeg: &mut Vec<u8>) {
    for (i, &byte) in bytes.iter().enumerate() {
        jpeg.push(byte);
        let next = bytes.get(i + 1).copied().unwrap_or(1);
        if byte == 0xff && next != 0 && !is_restart(next) {
            jpeg.push(0);
        }
    }
}
