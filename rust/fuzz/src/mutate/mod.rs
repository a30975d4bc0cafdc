//! Mutators that keep the structure of their input, so that the data after a change can still be
//! read.

pub mod jpeg;
pub mod records;
