//! Image operations: pixels → pixels.

pub mod border;
pub mod color_f32;
pub mod color_u8;
pub mod deinterleave;
pub mod resize;
#[cfg(test)]
pub(crate) mod vectors;
pub mod warp;
