//! TIFF and `BigTIFF`: the first image of the file, with the pixels of OpenCV 4.8.1 and its libtiff
//! 4.2.
//!
//! Decoded: gray, palettes, RGB, CMYK and YCbCr, of 1, 2, 4, 8 or 16 bits; in strips or tiles, in
//! one plane or several; not compressed, or with `PackBits`, LZW, Deflate, fax codes or JPEG.
//! Everything else is refused with its name. Rows are decompressed one at a time, so memory is that
//! of the image.
//!
//! As in OpenCV: colors are multiplied by unassociated alpha; with 16 bits per sample, colors are
//! rounded to 8 bits, and gray is reduced to the high byte. Unlike OpenCV: tiles of 16-bit gray at
//! the right border are not shifted (a bug of libtiff); the orientation of tiles is applied to the
//! image, not to each tile; separate planes of 16 bits are separate in the image as stored, too.

mod colors;
mod directory;
mod fax;
mod jpeg;
mod layout;
mod lzw;
mod rows;
mod ycbcr;

use super::Pixels;
use super::convert::{self, OPENCV};
use super::orient::Orientation;
use super::raster::{Decode, Properties};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::memory;
use colors::{Colors, SampleRow};
use directory::{Directory, Tag, Values};
use layout::{Compression, Layout, Photometric};
use rows::Rows;

/// A TIFF with its first directory parsed.
pub(super) struct Tiff<'a> {
    directory: Directory<'a>,
    layout: Layout,
    properties: Properties,
    limits: Limits,
}

/// Region of the image that a strip or tile fills.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    index: usize,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl<'a> Tiff<'a> {
    pub(super) fn open(payload: &'a [u8], limits: &Limits) -> Result<Self> {
        let directory = Directory::open(payload)?;
        let layout = Layout::read(&directory)?;
        let orientation = directory.value(Tag::Orientation)?.unwrap_or(1);
        let orientation = Orientation::from_exif(u8::try_from(orientation).unwrap_or(0));
        Ok(Self {
            properties: Properties {
                is_16_bit: layout.is_16_bit(),
                orientation,
                is_stored_oriented: true,
                ..Properties::of(layout.size, layout.channels())
            },
            directory,
            layout,
            limits: *limits,
        })
    }

    fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let ((width, height), (w, h)) = (self.layout.size, self.layout.chunk);
        let columns = self.layout.columns();
        (0..columns * self.layout.rows()).map(move |index| {
            let (x, y) = (index % columns * w, index / columns * h);
            Chunk {
                index,
                x,
                y,
                width: w.min(width - x),
                height: h.min(height - y),
            }
        })
    }

    /// Call `write` for each row of each strip or tile, with its position.
    fn read_rows(&self, mut write: impl FnMut(Chunk, usize, SampleRow<'_>)) -> Result<()> {
        let data = ChunkData::read(self)?;
        let tables = self
            .directory
            .values(Tag::JpegTables)?
            .and_then(|tables| tables.bytes());
        let mut buffers = vec![vec![0; self.layout.stride()]; data.planes];
        for chunk in self.chunks() {
            if self.layout.compression == Compression::Jpeg {
                let size = (chunk.width, chunk.height);
                let write = |y, row: &[u8]| write(chunk, y, self.row(&[row]));
                let stored = data.get(chunk.index, 0)?;
                jpeg::read_rows(stored, tables, &self.layout, size, &self.limits, write)
                    .map_err(|error| self.in_chunk(chunk, error))?;
            } else {
                self.read_chunk(&data, chunk, &mut buffers, &mut write)?;
            }
        }
        Ok(())
    }

    fn read_chunk(
        &self,
        data: &ChunkData<'_>,
        chunk: Chunk,
        buffers: &mut [Vec<u8>],
        write: &mut impl FnMut(Chunk, usize, SampleRow<'_>),
    ) -> Result<()> {
        let stored = (0..data.planes).map(|plane| data.get(chunk.index, plane));
        let stored = stored.collect::<Result<Vec<_>>>()?;
        let stored: Vec<_> = stored
            .iter()
            .map(|data| rows::in_bit_order(data, &self.layout))
            .collect();
        let mut sources: Vec<_> = stored
            .iter()
            .map(|data| Rows::new(data, &self.layout))
            .collect();
        let rows_at_once = if self.layout.is_subsampled() {
            self.layout.subsampling.1
        } else {
            1
        };
        for y in (0..chunk.height).step_by(rows_at_once) {
            for (source, buffer) in sources.iter_mut().zip(&mut *buffers) {
                let outcome = source.read_row(buffer);
                outcome.ok_or_else(|| self.damaged(data, chunk, y))?;
                rows::finish_row(buffer, &self.layout, self.directory.input.is_big_endian());
            }
            let planes: Vec<&[u8]> = buffers.iter().map(Vec::as_slice).collect();
            write(chunk, y, self.row(&planes));
        }
        Ok(())
    }

    fn row<'r>(&self, planes: &'r [&'r [u8]]) -> SampleRow<'r> {
        SampleRow {
            planes,
            stride: self.layout.chunk_samples(),
            bits: self.layout.bits,
        }
    }

    fn name_of(&self, chunk: Chunk) -> String {
        let kind = if self.layout.is_tiled {
            "tile"
        } else {
            "strip"
        };
        format!("{kind} {}", chunk.index)
    }

    /// Add the strip or tile to an error of its JPEG.
    fn in_chunk(&self, chunk: Chunk, error: Error) -> Error {
        let (input, name) = (&self.directory.input, self.name_of(chunk));
        match error.kind() {
            ErrorKind::Image(_) => input.error(format_args!("{name}: {error}")),
            ErrorKind::Unsupported(_) => input.unsupported(format_args!("{name}: {error}")),
            _ => error,
        }
    }

    fn damaged(&self, data: &ChunkData<'_>, chunk: Chunk, y: usize) -> Error {
        self.directory.input.error(format_args!(
            "the data of {} at byte {} are damaged or end too early, at row {}",
            self.name_of(chunk),
            data.offsets.get(chunk.index).unwrap_or(0),
            chunk.y + y
        ))
    }

    /// Call `write` for each row of each strip or tile with R, G, B, A.
    fn read_rgba(&self, mut write: impl FnMut(Chunk, usize, &[[u8; 4]])) -> Result<()> {
        let mut rgba = vec![[0; 4]; self.layout.chunk.0.min(self.layout.size.0)];
        if self.layout.is_subsampled() {
            let tables = ycbcr::Tables::read(&self.directory)?;
            let (h, v) = self.layout.subsampling;
            return self.read_rows(|chunk, y, row| {
                for (i, y) in (y..chunk.height.min(y + v)).enumerate() {
                    let pixels = &mut rgba[..chunk.width];
                    for (x, pixel) in pixels.iter_mut().enumerate() {
                        let block = &row.planes[0][x / h * (h * v + 2)..];
                        let luma = block[i * h + x % h];
                        let [r, g, b] = tables.rgb([luma, block[h * v], block[h * v + 1]]);
                        *pixel = [r, g, b, 255];
                    }
                    write(chunk, y, pixels);
                }
            });
        }
        let mut layout = self.layout.clone();
        if layout.photometric == Photometric::YCbCr {
            // Recio-jpeg has converted the colors.
            layout.photometric = Photometric::Rgb;
        }
        let colors = Colors::read(&self.directory, &layout)?;
        self.read_rows(|chunk, y, row| {
            let pixels = &mut rgba[..chunk.width];
            colors.convert(row, pixels);
            write(chunk, y, pixels);
        })
    }
}

impl Decode for Tiff<'_> {
    fn properties(&self) -> &Properties {
        &self.properties
    }

    fn working_bytes(&self, _: Pixels) -> usize {
        // A row of each plane, and compressed data in another order of bits.
        let copied = usize::from(self.layout.is_bit_reversed) * self.directory.input.bytes.len();
        self.layout
            .stride()
            .saturating_mul(self.layout.samples)
            .saturating_add(copied)
    }

    fn read(self: Box<Self>, pixels: Pixels, into: &mut [u8], _: &mut Vec<u8>) -> Result<()> {
        let (width, channels) = (self.layout.size.0, pixels.channels());
        if self.layout.is_plain_rgb() {
            return self.read_rows(|chunk, y, row| {
                let at = (chunk.y + y) * width + chunk.x;
                let out = &mut into[at * channels..][..chunk.width * channels];
                let rgb = &row.planes[0][..chunk.width * 3];
                convert::channels(rgb, 3, pixels, OPENCV, out);
            });
        }
        self.read_rgba(|chunk, y, rgba| {
            let at = (chunk.y + y) * width + chunk.x;
            let out = &mut into[at * channels..][..rgba.len() * channels];
            convert::channels(rgba.as_flattened(), 4, pixels, OPENCV, out);
        })
    }

    fn read_16(self: Box<Self>) -> Result<Vec<u16>> {
        let ((width, height), channels) = (self.layout.size, self.properties.channels);
        let mut image = memory::filled(0, width * height * channels)?;
        self.read_rows(|chunk, y, row| {
            let at = (chunk.y + y) * width + chunk.x;
            let out = &mut image[at * channels..][..chunk.width * channels];
            for (x, pixel) in out.chunks_exact_mut(channels).enumerate() {
                if channels == 1 && self.layout.samples > 1 {
                    // OpenCV takes the bands of a gray image for colors.
                    pixel[0] = OPENCV.of_16([0, 1, 2].map(|s| row.get(x, s)));
                } else {
                    (0..channels).for_each(|s| pixel[s] = row.get(x, s));
                }
            }
        })?;
        Ok(image)
    }
}

/// Where the strips or tiles are.
struct ChunkData<'a> {
    input: super::input::Input<'a>,
    offsets: Values<'a>,
    lengths: Option<Values<'a>>,
    /// Number of planes, and of strips or tiles of each.
    planes: usize,
    per_plane: usize,
}

impl<'a> ChunkData<'a> {
    fn read(tiff: &Tiff<'a>) -> Result<Self> {
        let (directory, layout) = (&tiff.directory, &tiff.layout);
        let (offsets, lengths) = if layout.is_tiled {
            (Tag::TileOffsets, Tag::TileByteCounts)
        } else {
            (Tag::StripOffsets, Tag::StripByteCounts)
        };
        let values = directory.values(offsets)?.ok_or_else(|| {
            directory
                .input
                .error(format_args!("the tag {offsets:?} is missing"))
        })?;
        let planes = if layout.is_planar { layout.samples } else { 1 };
        let per_plane = layout.columns() * layout.rows();
        if values.len() / planes < per_plane {
            return Err(directory.input.error(format_args!(
                "the tag {offsets:?} has {} values, but {} are needed",
                values.len(),
                per_plane.saturating_mul(planes)
            )));
        }
        Ok(Self {
            input: directory.input,
            offsets: values,
            lengths: directory.values(lengths)?,
            planes,
            per_plane,
        })
    }

    /// Return the compressed bytes of a strip or tile, as far as they are in the file.
    fn get(&self, index: usize, plane: usize) -> Result<&'a [u8]> {
        let index = plane * self.per_plane + index;
        let offset = self.offsets.get(index).unwrap_or(usize::MAX);
        let left = self.input.bytes.len().saturating_sub(offset);
        let length = self
            .lengths
            .and_then(|lengths| lengths.get(index))
            .unwrap_or(left);
        self.input.slice(offset, length.min(left))
    }
}
