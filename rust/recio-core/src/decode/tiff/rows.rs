//! Decompression of a strip or tile, row by row, so that no strip is in memory besides the image.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::ZlibDecoder;

use super::fax::{Fax, Kind};
use super::layout::{Compression, Layout};
use super::lzw::Lzw;

/// A strip or tile being decompressed.
pub(super) struct Rows<'a> {
    source: Source<'a>,
}

enum Source<'a> {
    Stored(&'a [u8]),
    PackBits(PackBits<'a>),
    Lzw(Lzw<'a>),
    Deflate(ZlibDecoder<&'a [u8]>),
    Fax(Fax<'a>),
}

impl<'a> Rows<'a> {
    pub(super) fn new(data: &'a [u8], layout: &Layout) -> Self {
        let fax = |kind| Source::Fax(Fax::new(data, kind, layout.chunk.0));
        let source = match layout.compression {
            Compression::None => Source::Stored(data),
            Compression::PackBits => Source::PackBits(PackBits {
                data,
                run: Run::None,
            }),
            Compression::Lzw => Source::Lzw(Lzw::new(data)),
            Compression::Deflate => Source::Deflate(ZlibDecoder::new(data)),
            Compression::Huffman { is_word_aligned } => fax(Kind::Huffman { is_word_aligned }),
            Compression::Group3 { is_two_dimensional } => fax(Kind::Group3 { is_two_dimensional }),
            Compression::Group4 => fax(Kind::Group4),
            Compression::Jpeg => unreachable!("decoded by recio-jpeg"),
        };
        Self { source }
    }

    /// Decompress the next row. Return `None` if the data are damaged or end.
    pub(super) fn read_row(&mut self, row: &mut [u8]) -> Option<()> {
        match &mut self.source {
            Source::Stored(data) => {
                row.copy_from_slice(data.split_off(..row.len())?);
                Some(())
            }
            Source::PackBits(runs) => runs.read(row),
            Source::Lzw(lzw) => lzw.read(row),
            Source::Deflate(decoder) => decoder.read_exact(row).ok(),
            Source::Fax(fax) => fax.read_row(row),
        }
    }
}

/// Run-length encoding of Apple: literal and repeated bytes.
struct PackBits<'a> {
    data: &'a [u8],
    run: Run<'a>,
}

enum Run<'a> {
    None,
    Literal(&'a [u8]),
    Repeated(u8, usize),
}

impl PackBits<'_> {
    fn read(&mut self, mut row: &mut [u8]) -> Option<()> {
        while !row.is_empty() {
            let written = match &mut self.run {
                Run::Literal(bytes) if !bytes.is_empty() => {
                    let count = bytes.len().min(row.len());
                    row[..count].copy_from_slice(bytes.split_off(..count)?);
                    count
                }
                Run::Repeated(byte, left) if *left > 0 => {
                    let count = row.len().min(*left);
                    row[..count].fill(*byte);
                    *left -= count;
                    count
                }
                _ => {
                    self.next_run()?;
                    0
                }
            };
            row = &mut row[written..];
        }
        Some(())
    }

    fn next_run(&mut self) -> Option<()> {
        let code = *self.data.split_off_first()?;
        self.run = match code {
            0..=127 => Run::Literal(self.data.split_off(..=usize::from(code))?),
            128 => Run::None,
            129.. => Run::Repeated(*self.data.split_off_first()?, 257 - usize::from(code)),
        };
        Some(())
    }
}

/// Return the compressed data with the bits of each byte in the usual order.
pub(super) fn in_bit_order<'a>(data: &'a [u8], layout: &Layout) -> Cow<'a, [u8]> {
    // As in libtiff, the order of bits does not concern JPEG.
    if layout.is_bit_reversed && layout.compression != Compression::Jpeg {
        return data.iter().map(|byte| byte.reverse_bits()).collect();
    }
    Cow::Borrowed(data)
}

/// Bring the samples of a row into the byte order of the machine, and undo the predictor: each
/// sample is stored as the difference to that of the pixel on the left.
pub(super) fn finish_row(row: &mut [u8], layout: &Layout, is_big_endian: bool) {
    let distance = layout.chunk_samples();
    if layout.bits < 16 {
        if layout.has_predictor {
            match distance {
                1 => add_left::<1>(row),
                3 => add_left::<3>(row),
                4 => add_left::<4>(row),
                _ => (distance..row.len())
                    .for_each(|i| row[i] = row[i].wrapping_add(row[i - distance])),
            }
        }
        return;
    }
    let samples = row.as_chunks_mut::<2>().0;
    for sample in samples.iter_mut() {
        let value = if is_big_endian {
            u16::from_be_bytes(*sample)
        } else {
            u16::from_le_bytes(*sample)
        };
        *sample = value.to_ne_bytes();
    }
    if layout.has_predictor {
        for i in distance..samples.len() {
            let [left, difference] = [samples[i - distance], samples[i]].map(u16::from_ne_bytes);
            samples[i] = left.wrapping_add(difference).to_ne_bytes();
        }
    }
}

/// Add to each sample that of the pixel on the left.
fn add_left<const SAMPLES: usize>(row: &mut [u8]) {
    let mut left = [0_u8; SAMPLES];
    for pixel in row.as_chunks_mut::<SAMPLES>().0 {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *sample = sample.wrapping_add(*left);
            *left = *sample;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_continue_over_rows() {
        let data = [0xfe, 0xaa, 2, 0x80, 0, 0x2a, 0x80, 0xfd, 7];
        let mut runs = PackBits {
            data: &data,
            run: Run::None,
        };
        let (mut first, mut second) = ([0; 4], [0; 6]);
        runs.read(&mut first).unwrap();
        runs.read(&mut second).unwrap();
        assert_eq!(first, [0xaa, 0xaa, 0xaa, 0x80]);
        assert_eq!(second, [0, 0x2a, 7, 7, 7, 7]);
        assert!(runs.read(&mut [0]).is_none());
    }
}
