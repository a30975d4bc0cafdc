//! Mutators that know what they change, so that what comes behind the change can still be read.

pub mod jpeg;
pub mod records;
