//! Storage: positioned reads of local files, and a folder that paths must not leave.

pub mod folder;
