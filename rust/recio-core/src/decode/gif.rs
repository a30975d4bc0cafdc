//! GIF: the first frame, on the canvas of the file, in OpenCV's interpretation (4.14; OpenCV 4.8.1
//! has no GIF decoder).
//!
//! What the frame leaves uncovered or transparent has the background color, with alpha 0.

use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::Pixels;
use super::convert::{self, CVT_COLOR};
use super::input::Input;
use super::raster::{Decode, Properties};
use crate::error::Result;
use crate::image::Rect;
use crate::memory;

/// Offset of the global palette.
const HEADER: usize = 13;
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2c;
const TRAILER: u8 = 0x3b;
const GRAPHIC_CONTROL: u8 = 0xf9;

/// A GIF with its blocks up to the first frame parsed.
pub(super) struct Gif<'a> {
    input: Input<'a>,
    properties: Properties,
    global_palette: &'a [[u8; 3]],
    background: u8,
    frame: Frame<'a>,
}

/// The first frame.
struct Frame<'a> {
    region: Rect,
    palette: &'a [[u8; 3]],
    is_interlaced: bool,
    transparent: Option<u8>,
    /// Offset of the compressed indices.
    offset: usize,
}

impl<'a> Gif<'a> {
    pub(super) fn open(payload: &'a [u8]) -> Result<Self> {
        let input = Input::little_endian("GIF", payload);
        let size = (input.u16(6)?.into(), input.u16(8)?.into());
        let flags = input.u8(10)?;
        let global_palette = palette(&input, HEADER, flags)?;
        let blocks = HEADER + 3 * global_palette.len();
        let frame = Frame::find(&input, blocks)?;
        let (right, bottom) = (
            frame.region.x + frame.region.width,
            frame.region.y + frame.region.height,
        );
        if right > size.0 || bottom > size.1 {
            return Err(input.error(format_args!(
                "the first frame ends at ({right}, {bottom}), outside the canvas of {}x{} pixels",
                size.0, size.1
            )));
        }
        let channels = if has_alpha(&input, blocks) { 4 } else { 3 };
        Ok(Self {
            input,
            properties: Properties::of(size, channels),
            global_palette,
            background: input.u8(11)?,
            frame,
        })
    }

    /// Return R, G, B of an index. OpenCV looks for an index that is not in the palette of the
    /// frame in the global one, and takes it for gray if there is no palette at all.
    fn color(&self, index: u8) -> Result<[u8; 3]> {
        let position = usize::from(index);
        let color = self.frame.palette.get(position);
        if let Some(color) = color.or_else(|| self.global_palette.get(position)) {
            return Ok(*color);
        }
        if self.frame.palette.is_empty() && self.global_palette.is_empty() {
            return Ok(if index == 1 { [255; 3] } else { [index; 3] });
        }
        Err(self.input.error(format_args!(
            "a pixel has the color {index}, which is not in the palette"
        )))
    }

    /// Decompress the indices of the frame, row after row as stored.
    fn indices(&self, into: &mut Vec<u8>) -> Result<()> {
        let area = self.frame.region.width * self.frame.region.height;
        into.clear();
        memory::resize(into, area, 0)?;
        let min_bits = self.input.u8(self.frame.offset)?;
        if !(2..=8).contains(&min_bits) {
            let at = self.frame.offset;
            return Err(self.input.error(format_args!(
                "codes of {min_bits} bits at byte {at}; GIF has 2 to 8"
            )));
        }
        let mut lzw = Decoder::new(BitOrder::Lsb, min_bits);
        let mut blocks = SubBlocks {
            input: &self.input,
            offset: self.frame.offset + 1,
        };
        let mut filled = 0;
        while filled < area {
            let at = blocks.offset;
            let block = blocks.next()?;
            // After the last block, the decoder may still have pixels.
            let mut data = block.unwrap_or(&[]);
            loop {
                let step = lzw.decode_bytes(data, &mut into[filled..]);
                filled += step.consumed_out;
                data = &data[step.consumed_in..];
                match step.status {
                    Ok(LzwStatus::Ok) if filled < area => {}
                    Ok(LzwStatus::Ok | LzwStatus::NoProgress) => break,
                    Ok(LzwStatus::Done) if filled < area => return Err(self.missing(filled, at)),
                    Ok(LzwStatus::Done) => return Ok(()),
                    Err(_) => {
                        return Err(self.input.error(format_args!(
                            "the image data in the block at byte {at} are damaged"
                        )));
                    }
                }
            }
            if block.is_none() && filled < area {
                return Err(self.missing(filled, at));
            }
        }
        Ok(())
    }

    fn missing(&self, pixels: usize, offset: usize) -> crate::error::Error {
        let Rect { width, height, .. } = self.frame.region;
        let area = width * height;
        self.input.error(format_args!(
            "the image data end at byte {offset} after {pixels} of {area} pixels"
        ))
    }

    /// Return R, G, B, A of the uncovered canvas.
    fn background(&self) -> [u8; 4] {
        let color = self.global_palette.get(usize::from(self.background));
        let [r, g, b] = color.copied().unwrap_or([0; 3]);
        [r, g, b, 0]
    }
}

impl Decode for Gif<'_> {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn working_bytes(&self, _: Pixels) -> usize {
        self.frame.region.width * self.frame.region.height
    }

    fn read(self: Box<Self>, pixels: Pixels, into: &mut [u8], spare: &mut Vec<u8>) -> Result<()> {
        self.indices(spare)?;
        let Rect {
            x,
            y,
            width,
            height,
        } = self.frame.region;
        let (columns, length) = (self.properties.size.0, pixels.channels());
        let background = vec![self.background(); columns];
        for row in into.chunks_exact_mut(columns * length) {
            convert::channels(background.as_flattened(), 4, pixels, CVT_COLOR, row);
        }
        let mut rgba = background;
        let mut row_numbers: Vec<usize> = (0..height).collect();
        if self.frame.is_interlaced {
            row_numbers.sort_by_key(|y| interlaced_pass(*y));
        }
        for (indices, row_number) in spare.chunks_exact(width).zip(row_numbers) {
            rgba.fill(self.background());
            for (index, pixel) in indices.iter().zip(&mut rgba[x..]) {
                if self.frame.transparent != Some(*index) {
                    let [r, g, b] = self.color(*index)?;
                    *pixel = [r, g, b, 255];
                }
            }
            let row = &mut into[(y + row_number) * columns * length..][..columns * length];
            convert::channels(rgba.as_flattened(), 4, pixels, CVT_COLOR, row);
        }
        Ok(())
    }
}

/// Return the pass that contains a row: every 8th row, the rows between them, and so on.
fn interlaced_pass(y: usize) -> usize {
    match y % 8 {
        0 => 0,
        4 => 1,
        2 | 6 => 2,
        _ => 3,
    }
}

impl<'a> Frame<'a> {
    /// Parse the blocks from `offset` to the first image.
    fn find(input: &Input<'a>, mut offset: usize) -> Result<Self> {
        let mut transparent = None;
        loop {
            match input.u8(offset)? {
                IMAGE => return Self::read(input, offset, transparent),
                EXTENSION => {
                    if let Some(control) = graphic_control(input, offset) {
                        transparent = control.transparent;
                    }
                    offset = SubBlocks::skip(input, offset + 2)?;
                }
                TRAILER => return Err(input.error("the file has no image")),
                block => {
                    return Err(
                        input.error(format_args!("unknown block {block:#04x} at byte {offset}"))
                    );
                }
            }
        }
    }

    fn read(input: &Input<'a>, offset: usize, transparent: Option<u8>) -> Result<Self> {
        let side = |at| Ok::<usize, crate::error::Error>(input.u16(offset + at)?.into());
        let flags = input.u8(offset + 9)?;
        let palette = palette(input, offset + 10, flags)?;
        let region = Rect {
            x: side(1)?,
            y: side(3)?,
            width: side(5)?,
            height: side(7)?,
        };
        if region.width == 0 || region.height == 0 {
            return Err(input.error(format_args!(
                "the first frame at byte {offset} is {}x{} pixels",
                region.width, region.height
            )));
        }
        Ok(Self {
            region,
            palette,
            is_interlaced: flags & 0x40 != 0,
            transparent,
            offset: offset + 10 + 3 * palette.len(),
        })
    }
}

/// Return the graphic control extension at `offset`, `None` for other extensions.
fn graphic_control(input: &Input<'_>, offset: usize) -> Option<Control> {
    let block = input.slice(offset, 8).ok()?;
    let is_control = block[1] == GRAPHIC_CONTROL && block[2] == 4;
    is_control.then_some(Control {
        transparent: (block[3] & 1 != 0).then_some(block[6]),
    })
}

/// Graphic control extension.
struct Control {
    /// Transparent index.
    transparent: Option<u8>,
}

/// Return the colors of a palette, which is empty unless the flags announce one.
fn palette<'a>(input: &Input<'a>, offset: usize, flags: u8) -> Result<&'a [[u8; 3]]> {
    if flags & 0x80 == 0 {
        return Ok(&[]);
    }
    let colors = 2 << (flags & 7);
    Ok(input.slice(offset, 3 * colors)?.as_chunks().0)
}

/// Return whether the image has an alpha channel in OpenCV: whether the last graphic control
/// extension of the file, of whatever frame, has a transparent color. Blocks after damage are
/// ignored.
fn has_alpha(input: &Input<'_>, mut offset: usize) -> bool {
    let mut has_alpha = false;
    while let Ok(block) = input.u8(offset) {
        let next = match block {
            EXTENSION => {
                if let Some(control) = graphic_control(input, offset) {
                    has_alpha = control.transparent.is_some();
                }
                SubBlocks::skip(input, offset + 2)
            }
            IMAGE => Frame::read(input, offset, None)
                .and_then(|frame| SubBlocks::skip(input, frame.offset + 1)),
            _ => break,
        };
        let Ok(next) = next else { break };
        offset = next;
    }
    has_alpha
}

/// Sequence of blocks of up to 255 bytes, each after its length; an empty one ends it.
struct SubBlocks<'a> {
    input: &'a Input<'a>,
    offset: usize,
}

impl<'a> SubBlocks<'a> {
    fn next(&mut self) -> Result<Option<&'a [u8]>> {
        let length = usize::from(self.input.u8(self.offset)?);
        let block = self.input.slice(self.offset + 1, length)?;
        self.offset += 1 + length;
        Ok((length > 0).then_some(block))
    }

    /// Return the offset after the blocks from `offset`.
    fn skip(input: &Input<'_>, offset: usize) -> Result<usize> {
        let mut blocks = SubBlocks { input, offset };
        while blocks.next()?.is_some() {}
        Ok(blocks.offset)
    }
}
