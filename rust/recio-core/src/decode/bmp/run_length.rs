//! Run-length encoding of BMP (compression 1 and 2).

use crate::decode::input::Input;
use crate::error::Result;
use crate::memory;

/// Decode runs into `into`, one palette index per byte, in the order of the file. Skipped pixels
/// become 0.
pub(super) fn decode(
    input: &Input<'_>,
    offset: usize,
    bits: u8,
    (width, height): (usize, usize),
    into: &mut Vec<u8>,
) -> Result<()> {
    into.clear();
    memory::resize(into, width * height, 0)?;
    let mut runs = Runs {
        input,
        offset,
        is_4_bit: bits == 4,
        width,
        height,
        x: 0,
        y: 0,
        into,
        is_line_complete: false,
    };
    while runs.y < height {
        runs.step()?;
    }
    Ok(())
}

struct Runs<'a> {
    input: &'a Input<'a>,
    /// Offset of the next code.
    offset: usize,
    is_4_bit: bool,
    width: usize,
    height: usize,
    x: usize,
    y: usize,
    into: &'a mut [u8],
    /// Whether a run has just ended at the end of a line, before the code for it.
    is_line_complete: bool,
}

impl Runs<'_> {
    /// Decode one code.
    fn step(&mut self) -> Result<()> {
        match *self.take(2)? {
            [0, 0] => self.end_line(),
            [0, 1] => self.y = self.height,
            [0, 2] => {
                let &[right, down] = self.take(2)?.first_chunk().unwrap_or(&[0; 2]);
                self.skip(usize::from(right) + usize::from(down) * self.width);
            }
            [0, count] => self.literal(count.into())?,
            [count, value] => self.run(count.into(), value)?,
            _ => unreachable!("two bytes"),
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&[u8]> {
        let bytes = self.input.slice(self.offset, length)?;
        self.offset += length;
        Ok(bytes)
    }

    /// Move forward, line after line.
    fn skip(&mut self, count: usize) {
        let position = self.y * self.width + self.x + count;
        (self.x, self.y) = (position % self.width, position / self.width);
        self.is_line_complete = false;
    }

    /// Move to the next line. A run up to the end of a line has done it already.
    fn end_line(&mut self) {
        if !self.is_line_complete {
            self.skip(self.width - self.x);
        }
        self.is_line_complete = false;
    }

    /// Return the position of `count` pixels, which must end within the line.
    fn claim(&mut self, count: usize) -> Result<usize> {
        let start = self.y * self.width + self.x;
        if self.x + count > self.width {
            let code = self.offset - 2;
            return Err(self.input.error(format_args!(
                "a run of {count} pixels at byte {code} exceeds the line"
            )));
        }
        self.skip(count);
        self.is_line_complete = self.x == 0;
        Ok(start)
    }

    fn run(&mut self, count: usize, value: u8) -> Result<()> {
        let start = self.claim(count)?;
        let pair = if self.is_4_bit {
            [value >> 4, value & 15]
        } else {
            [value; 2]
        };
        for (i, pixel) in self.into[start..start + count].iter_mut().enumerate() {
            *pixel = pair[i % 2];
        }
        Ok(())
    }

    fn literal(&mut self, count: usize) -> Result<()> {
        let start = self.claim(count)?;
        let is_4_bit = self.is_4_bit;
        let length = if is_4_bit { count.div_ceil(2) } else { count };
        let stored = self.input.slice(self.offset, length)?;
        self.offset += length.next_multiple_of(2);
        for (i, pixel) in self.into[start..start + count].iter_mut().enumerate() {
            *pixel = match (is_4_bit, i % 2) {
                (false, _) => stored[i],
                (true, 0) => stored[i / 2] >> 4,
                (true, _) => stored[i / 2] & 15,
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(codes: &[u8], bits: u8) -> Result<Vec<u8>> {
        let (input, mut into) = (Input::little_endian("BMP", codes), vec![9; 2]);
        decode(&input, 0, bits, (4, 3), &mut into).map(|()| into)
    }

    #[test]
    fn runs_literals_and_skips() {
        let codes = [4, 7, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 2, 2, 0, 2, 5, 0, 1];
        assert_eq!(
            decoded(&codes, 8).unwrap(),
            [7, 7, 7, 7, 1, 2, 3, 0, 0, 0, 5, 5]
        );
        let codes = [1, 0x1f, 0, 2, 0, 1, 0, 3, 0x34, 0x50, 0, 0, 3, 0x12, 0, 1];
        assert_eq!(
            decoded(&codes, 4).unwrap(),
            [1, 0, 0, 0, 0, 3, 4, 5, 1, 2, 1, 0]
        );
    }

    #[test]
    fn a_run_past_the_line_and_missing_codes_are_errors() {
        let error = decoded(&[5, 7], 8).unwrap_err().to_string();
        assert_eq!(error, "BMP: a run of 5 pixels at byte 0 exceeds the line");
        assert!(decoded(&[4, 7], 8).is_err());
    }
}
