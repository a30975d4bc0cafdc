//! Fax codes (ITU-T T.4 and T.6), decoded row by row. The tables of codes are those of the crate
//! `fax`.

use std::convert::Infallible;
use std::iter;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};

/// Zeros after the data, so that the last codes can be read ahead.
const PADDING: usize = 4;
const EOL_BITS: u8 = 12;

type Bits<'a> = ByteReader<Box<dyn Iterator<Item = Result<u8, Infallible>> + 'a>>;

/// Kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Huffman { is_word_aligned: bool },
    Group3 { is_two_dimensional: bool },
    Group4,
}

/// Decoder of the rows of a strip.
pub(super) struct Fax<'a> {
    bits: Bits<'a>,
    kind: Kind,
    width: usize,
    /// Positions of the color changes of the previous row; the first is the start of black.
    reference: Vec<usize>,
    changes: Vec<usize>,
    /// Bits read so far.
    position: usize,
    length: usize,
}

impl<'a> Fax<'a> {
    pub(super) fn new(data: &'a [u8], kind: Kind, width: usize) -> Self {
        let bytes = data.iter().copied().chain(iter::repeat_n(0, PADDING));
        let bytes: Box<dyn Iterator<Item = _>> = Box::new(bytes.map(Ok));
        let Ok(bits) = ByteReader::new(bytes);
        Self {
            bits,
            kind,
            width,
            reference: Vec::new(),
            changes: Vec::new(),
            position: 0,
            length: data.len() * 8,
        }
    }

    /// Decode a row: black pixels are 1, the first is in the highest bit. Return `None` if the data
    /// are damaged or end.
    pub(super) fn read_row(&mut self, row: &mut [u8]) -> Option<()> {
        self.changes.clear();
        match self.kind {
            Kind::Huffman { is_word_aligned } => {
                self.one_dimensional()?;
                self.align(if is_word_aligned { 16 } else { 8 });
            }
            Kind::Group4 => self.two_dimensional()?,
            Kind::Group3 { is_two_dimensional } => {
                self.skip_end_of_line()?;
                if is_two_dimensional && self.take(1)? == 0 {
                    self.two_dimensional()?;
                } else {
                    self.one_dimensional()?;
                }
            }
        }
        if self.position > self.length {
            return None;
        }
        draw(&self.changes, self.width, row);
        std::mem::swap(&mut self.changes, &mut self.reference);
        Some(())
    }

    fn take(&mut self, count: u8) -> Option<u16> {
        let bits = self.bits.peek(count)?;
        let Ok(()) = self.bits.consume(count);
        self.position += usize::from(count);
        Some(bits)
    }

    fn align(&mut self, bits: usize) {
        for _ in self.position..self.position.next_multiple_of(bits) {
            // At the end of the data there may be nothing to skip.
            let _ = self.take(1);
        }
    }

    /// Skip to the end of the next end-of-line code: at least 11 zeros and a one.
    fn skip_end_of_line(&mut self) -> Option<()> {
        while self.bits.peek(EOL_BITS - 1)? != 0 {
            self.take(1)?;
        }
        while self.take(1)? == 0 {}
        Some(())
    }

    /// Read the code of a run, which consists of parts of 64 and more pixels and one below 64.
    fn run(&mut self, is_black: bool) -> Option<usize> {
        let mut length = 0;
        loop {
            let mut counted = Counted {
                bits: &mut self.bits,
                consumed: 0,
            };
            let part = if is_black {
                black::decode(&mut counted)?
            } else {
                white::decode(&mut counted)?
            };
            self.position += counted.consumed;
            length += usize::from(part);
            if part < 64 {
                return Some(length);
            }
            if length > self.width {
                return None;
            }
        }
    }

    fn one_dimensional(&mut self) -> Option<()> {
        let (mut position, mut is_black) = (0, false);
        while position < self.width {
            position += self.run(is_black)?;
            self.push(position)?;
            is_black = !is_black;
        }
        Some(())
    }

    fn push(&mut self, position: usize) -> Option<()> {
        let is_valid =
            position <= self.width && self.changes.last().is_none_or(|last| *last <= position);
        is_valid.then(|| self.changes.push(position))
    }

    fn two_dimensional(&mut self) -> Option<()> {
        // The position of the last change: before the first pixel at first.
        let (mut position, mut is_black) = (None, false);
        while position.is_none_or(|position| position < self.width) {
            let (next_change, one_after) = self.reference_changes(position, is_black);
            let mut counted = Counted {
                bits: &mut self.bits,
                consumed: 0,
            };
            let mode = mode::decode(&mut counted)?;
            self.position += counted.consumed;
            match mode {
                Mode::Pass => position = Some(one_after),
                Mode::Horizontal => {
                    let first = position.unwrap_or(0) + self.run(is_black)?;
                    self.push(first)?;
                    let second = first + self.run(!is_black)?;
                    self.push(second)?;
                    position = Some(second);
                }
                Mode::Vertical(offset) => {
                    let change = next_change.checked_add_signed(offset.into())?;
                    if change < position.unwrap_or(0) {
                        return None;
                    }
                    self.push(change)?;
                    position = Some(change);
                    is_black = !is_black;
                }
                Mode::Extension | Mode::EOF => return None,
            }
        }
        Some(())
    }

    /// Return the first change of the previous row after `position` to the other color, and the
    /// change after it.
    fn reference_changes(&self, position: Option<usize>, is_black: bool) -> (usize, usize) {
        let at = |index: usize| self.reference.get(index).copied().unwrap_or(self.width);
        let mut index = usize::from(is_black);
        // Changes before the position cannot be used again; the search starts near it.
        if let Some(position) = position {
            let passed = self.reference.partition_point(|change| *change <= position);
            index = passed + usize::from(passed % 2 != index);
        }
        (at(index), at(index + 1))
    }
}

/// Bit reader that counts.
struct Counted<'b, 'a> {
    bits: &'b mut Bits<'a>,
    consumed: usize,
}

impl BitReader for Counted<'_, '_> {
    type Error = Infallible;

    fn peek(&self, bits: u8) -> Option<u16> {
        self.bits.peek(bits)
    }

    fn consume(&mut self, bits: u8) -> Result<(), Infallible> {
        self.consumed += usize::from(bits);
        self.bits.consume(bits)
    }

    fn bits_to_byte_boundary(&self) -> u8 {
        self.bits.bits_to_byte_boundary()
    }
}

/// Set the bits of black pixels.
fn draw(changes: &[usize], width: usize, row: &mut [u8]) {
    row.fill(0);
    for pair in changes.chunks(2) {
        let [start, end] = [pair[0], pair.get(1).copied().unwrap_or(width)];
        for x in start..end.min(width) {
            row[x / 8] |= 0x80 >> (x % 8);
        }
    }
}
