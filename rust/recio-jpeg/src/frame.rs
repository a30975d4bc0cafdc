//! Frame header: size, components and sampling factors (ITU-T T.81, A.1.1, A.2.4, B.2.2).

use crate::error::{Error, Result};
use crate::marker::{SOF0, SOF1, SOF2, Segment};

/// Samples per side of a block.
pub(crate) const BLOCK_SIZE: usize = 8;

/// Maximum number of components: no color space needs more.
pub(crate) const MAX_COMPONENTS: usize = 4;

/// Frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) is_progressive: bool,
    pub(crate) width: usize,
    pub(crate) height: usize,
    components: [Component; MAX_COMPONENTS],
    count: usize,
    /// Vertical sampling factor of the first component, also if it is the only one.
    first_vertical: u8,
}

/// Component of a frame.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Sampling factors: the number of blocks in an MCU, horizontally and vertically.
    pub(crate) horizontal: usize,
    pub(crate) vertical: usize,
    /// Number of the quantization table.
    pub(crate) quantization: usize,
}

impl Frame {
    pub(crate) fn read(segment: &Segment<'_>) -> Result<Self> {
        check_process(segment.marker)?;
        let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = segment.content else {
            return Err(segment.damaged("the frame header is too short"));
        };
        if precision != 8 {
            return Err(Error::Unsupported("a JPEG of other than 8 bits a sample"));
        }
        let (chunks, _) = rest.as_chunks::<3>();
        let count = usize::from(count);
        if chunks.len() < count {
            return Err(segment.damaged("the frame header is too short"));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(Error::Unsupported(
                "a JPEG of other than 1, 3 or 4 components",
            ));
        }
        let mut components = [Component::default(); MAX_COMPONENTS];
        for (component, &bytes) in components.iter_mut().zip(&chunks[..count]) {
            *component = Component::read(bytes, segment)?;
        }
        let mut frame = Self {
            is_progressive: segment.marker == SOF2,
            width: u16::from_be_bytes([w1, w0]).into(),
            height: u16::from_be_bytes([h1, h0]).into(),
            components,
            count,
            first_vertical: components[0].vertical as u8,
        };
        frame.check(segment)?;
        Ok(frame)
    }

    pub(crate) fn components(&self) -> &[Component] {
        &self.components[..self.count]
    }

    /// Return the maximum sampling factors, horizontal and vertical.
    pub(crate) fn max_sampling(&self) -> (usize, usize) {
        let h_max = self
            .components()
            .iter()
            .map(|component| component.horizontal);
        let v_max = self.components().iter().map(|component| component.vertical);
        (h_max.max().unwrap_or(1), v_max.max().unwrap_or(1))
    }

    /// Return the number of MCUs per row and the number of rows, for a scan of all components.
    pub(crate) fn mcus(&self) -> (usize, usize) {
        let (h_max, v_max) = self.max_sampling();
        (
            self.width.div_ceil(BLOCK_SIZE * h_max),
            self.height.div_ceil(BLOCK_SIZE * v_max),
        )
    }

    /// Return the number of blocks per row and the number of rows that contain samples of the
    /// image. A scan of one component has no other blocks.
    pub(crate) fn blocks(&self, component: &Component) -> (usize, usize) {
        let (h_max, v_max) = self.max_sampling();
        let width = (self.width * component.horizontal).div_ceil(h_max);
        let height = (self.height * component.vertical).div_ceil(v_max);
        (width.div_ceil(BLOCK_SIZE), height.div_ceil(BLOCK_SIZE))
    }

    /// Return the rows of a component's blocks in what libjpeg processes at once. It does not
    /// ignore the sampling factor of a single component.
    pub(crate) fn block_rows_at_once(&self, component: &Component) -> usize {
        if self.count == 1 {
            self.first_vertical.into()
        } else {
            component.vertical
        }
    }

    fn check(&mut self, segment: &Segment<'_>) -> Result<()> {
        if self.width == 0 || self.height == 0 {
            return Err(segment.damaged("the frame's width or height is 0"));
        }
        // A single component is not interleaved, so its sampling factors have no meaning (A.2.2).
        if let [only, ..] = &mut self.components[..self.count]
            && self.count == 1
        {
            (only.horizontal, only.vertical) = (1, 1);
        }
        let (h_max, v_max) = self.max_sampling();
        let divides = |c: &Component| h_max % c.horizontal == 0 && v_max % c.vertical == 0;
        if !self.components().iter().all(divides) {
            return Err(Error::Unsupported("a JPEG sampled at fractional ratios"));
        }
        Ok(())
    }
}

impl Component {
    fn read([id, factors, quantization]: [u8; 3], segment: &Segment<'_>) -> Result<Self> {
        let component = Self {
            id,
            horizontal: (factors >> 4).into(),
            vertical: (factors & 15).into(),
            quantization: quantization.into(),
        };
        let factors = 1..=4;
        if !factors.contains(&component.horizontal) || !factors.contains(&component.vertical) {
            return Err(segment.damaged("sampling factors must be 1 to 4"));
        }
        if component.quantization > 3 {
            return Err(segment.damaged("a quantization table number must be 0 to 3"));
        }
        Ok(component)
    }
}

fn check_process(marker: u8) -> Result<()> {
    match marker {
        SOF0 | SOF1 | SOF2 => Ok(()),
        0xc3 | 0xc7 | 0xcb | 0xcf => Err(Error::Unsupported("a lossless JPEG")),
        0xc5 | 0xc6 | 0xcd | 0xce => Err(Error::Unsupported("a hierarchical JPEG")),
        _ => Err(Error::Unsupported("an arithmetic-coded JPEG")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(content: &[u8]) -> Result<Frame> {
        Frame::read(&Segment {
            marker: SOF0,
            content,
            offset: 9,
        })
    }

    fn frame_with_sampling(factors: &[u8]) -> Result<Frame> {
        let components = factors.iter().flat_map(|&h_v| [1, h_v, 0]);
        let header = [8, 0, 17, 0, 33, factors.len() as u8];
        frame(&header.into_iter().chain(components).collect::<Vec<_>>())
    }

    #[test]
    fn mcus_and_blocks_cover_the_image() {
        let frame = frame_with_sampling(&[0x22, 0x11, 0x11]).unwrap();
        assert_eq!((frame.width, frame.height), (33, 17));
        assert_eq!(frame.mcus(), (3, 2));
        assert_eq!(frame.blocks(&frame.components()[0]), (5, 3));
        assert_eq!(frame.blocks(&frame.components()[1]), (3, 2));
    }

    #[test]
    fn sampling_factors_of_a_single_component_are_ignored() {
        let frame = frame_with_sampling(&[0x42]).unwrap();
        assert_eq!(frame.max_sampling(), (1, 1));
        assert_eq!(frame.mcus(), (5, 3));
    }

    #[test]
    fn invalid_frame_headers_are_errors() {
        let problem = |factors: &[u8]| frame_with_sampling(factors).unwrap_err().to_string();
        assert!(problem(&[0x01, 0x11, 0x11]).contains("at byte 9: sampling factors"));
        assert!(problem(&[0x51, 0x11, 0x11]).contains("sampling factors"));
        assert!(problem(&[0x32, 0x21, 0x11]).contains("fractional"));
        assert!(problem(&[0x11, 0x11]).contains("components"));
        let empty = frame(&[8, 0, 0, 0, 5, 1, 1, 0x11, 0]).unwrap_err();
        assert!(empty.to_string().contains("width or height is 0"));
        for length in 0..9 {
            assert!(frame(&[8, 0, 1, 0, 1, 1, 1, 0x11, 0][..length]).is_err());
        }
    }

    #[test]
    fn other_processes_are_not_supported() {
        for marker in [0xc3, 0xc5, 0xc9, 0xca, 0xcf] {
            let segment = Segment {
                marker,
                content: &[],
                offset: 0,
            };
            let error = Frame::read(&segment).unwrap_err();
            assert!(matches!(error, Error::Unsupported(_)), "{error}");
        }
    }
}
