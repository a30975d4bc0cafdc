//! Image operations on pixels: resize, warp, border and flip, color, deinterleave.

pub mod border;
pub mod color_f32;
pub mod color_u8;
pub mod deinterleave;
pub mod resize;
#[cfg(test)]
pub(crate) mod test_images;
pub mod warp;
