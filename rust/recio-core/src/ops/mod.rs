//! Image operations on pixels: resize, warp, rotate, borders, flip, color, deinterleave.

pub mod border;
pub mod color_f32;
pub mod color_u8;
pub mod deinterleave;
pub mod flip;
pub mod make_border;
pub mod resize;
pub mod rotate;
#[cfg(test)]
pub(crate) mod test_images;
pub mod warp;
