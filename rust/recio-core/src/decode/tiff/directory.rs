//! The first directory of a TIFF or `BigTIFF`: its tags and their values.

use crate::decode::input::Input;
use crate::error::Result;

/// Tags that decoding needs (TIFF 6.0, section 8 and following).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Tag {
    ImageWidth = 256,
    ImageLength = 257,
    BitsPerSample = 258,
    Compression = 259,
    PhotometricInterpretation = 262,
    FillOrder = 266,
    StripOffsets = 273,
    Orientation = 274,
    SamplesPerPixel = 277,
    RowsPerStrip = 278,
    StripByteCounts = 279,
    PlanarConfiguration = 284,
    T4Options = 292,
    T6Options = 293,
    Predictor = 317,
    ColorMap = 320,
    TileWidth = 322,
    TileLength = 323,
    TileOffsets = 324,
    TileByteCounts = 325,
    InkSet = 332,
    ExtraSamples = 338,
    SampleFormat = 339,
    JpegTables = 347,
    YCbCrCoefficients = 529,
    YCbCrSubSampling = 530,
    ReferenceBlackWhite = 532,
}

/// A directory; values are read on demand.
#[derive(Debug, Clone)]
pub(super) struct Directory<'a> {
    pub(super) input: Input<'a>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: u16,
    kind: u16,
    count: usize,
    /// Offset of the first value.
    offset: usize,
}

impl<'a> Directory<'a> {
    pub(super) fn open(payload: &'a [u8]) -> Result<Self> {
        let input = match payload.first() {
            Some(b'M') => Input::big_endian("TIFF", payload),
            _ => Input::little_endian("TIFF", payload),
        };
        let is_big = input.u16(2)? == 43;
        let directory = if is_big {
            input.number(8, 8)?
        } else {
            input.number(4, 4)?
        };
        let directory = usize::try_from(directory).unwrap_or(usize::MAX);
        let (count_bytes, entry_bytes) = if is_big { (8, 20) } else { (2, 12) };
        let count = usize::try_from(input.number(directory, count_bytes)?).unwrap_or(usize::MAX);
        let first = directory + count_bytes;
        // All entries must be in the file, which bounds their number.
        input.slice(first, count.saturating_mul(entry_bytes))?;
        let entry = |i: usize| Entry::read(&input, first + i * entry_bytes, is_big);
        Ok(Self {
            input,
            entries: (0..count).map(entry).collect::<Result<_>>()?,
        })
    }

    /// Return all values of a tag, which must be in the file; `None` if it is missing.
    pub(super) fn values(&self, tag: Tag) -> Result<Option<Values<'a>>> {
        let Some(entry) = self.entries.iter().find(|entry| entry.tag == tag as u16) else {
            return Ok(None);
        };
        let size = size_of_kind(entry.kind).ok_or_else(|| {
            self.input.error(format_args!(
                "the tag {tag:?} has the unknown type {}",
                entry.kind
            ))
        })?;
        self.input
            .slice(entry.offset, entry.count.saturating_mul(size))?;
        Ok(Some(Values {
            input: self.input,
            entry: *entry,
            size,
        }))
    }

    /// Return the first value of a tag.
    pub(super) fn value(&self, tag: Tag) -> Result<Option<usize>> {
        Ok(self.values(tag)?.and_then(|values| values.get(0)))
    }

    pub(super) fn required(&self, tag: Tag) -> Result<usize> {
        let value = self.value(tag)?;
        value.ok_or_else(|| self.input.error(format_args!("the tag {tag:?} is missing")))
    }
}

impl Entry {
    fn read(input: &Input<'_>, at: usize, is_big: bool) -> Result<Self> {
        let kind = input.u16(at + 2)?;
        let (width, value) = if is_big { (8, at + 12) } else { (4, at + 8) };
        let count = usize::try_from(input.number(at + 4, width)?).unwrap_or(usize::MAX);
        let size = count.saturating_mul(size_of_kind(kind).unwrap_or(1));
        let offset = if size <= width {
            value
        } else {
            usize::try_from(input.number(value, width)?).unwrap_or(usize::MAX)
        };
        Ok(Self {
            tag: input.u16(at)?,
            kind,
            count,
            offset,
        })
    }
}

/// Return the bytes of a value.
fn size_of_kind(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

/// The values of a tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    input: Input<'a>,
    entry: Entry,
    size: usize,
}

impl<'a> Values<'a> {
    pub(super) fn len(&self) -> usize {
        self.entry.count
    }

    /// Return an unsigned integer.
    pub(super) fn get(&self, index: usize) -> Option<usize> {
        let at = (index < self.len()).then(|| self.entry.offset + index * self.size)?;
        let number = self.input.number(at, self.size).ok()?;
        Some(usize::try_from(number).unwrap_or(usize::MAX))
    }

    /// Return the quotient of a rational number.
    pub(super) fn rational(&self, index: usize) -> Option<f32> {
        let at = (index < self.len() && self.size == 8).then(|| self.entry.offset + index * 8)?;
        let (numerator, denominator) = (self.input.u32(at).ok()?, self.input.u32(at + 4).ok()?);
        Some(if denominator == 0 {
            0.0
        } else {
            (f64::from(numerator) / f64::from(denominator)) as f32
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + use<'a> {
        let values = *self;
        (0..values.len()).map_while(move |index| values.get(index))
    }

    /// Return the values of one byte each.
    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        let is_bytes = self.size == 1;
        is_bytes.then(|| self.input.slice(self.entry.offset, self.len()).ok())?
    }
}
