//! Rendering: a plan carried out on one image, row by row.
//!
//! ```text
//! renderer      one image: sample a plan, call user functions, decode, run the stages
//! stage_runner  the stages of a plan, from a source of rows to a sink of rows
//! stage         a single stage, on 8-bit values or floats
//! normalize     parameters and formula of normalization
//! slot_writer   the sink for a batch: normalizes rows into the image's slot
//! ```
//!
//! The last stage of a plan passes its rows on one by one, so they are normalized and laid out
//! while they are in the nearest cache, and no image of the output's size is made. Only the stages
//! before the last one, which are rare, fill an image, and of that no more than the next stage
//! needs.

pub mod normalize;
pub mod renderer;
pub mod slot_writer;
mod stage;
pub mod stage_runner;
#[cfg(test)]
mod tests;
