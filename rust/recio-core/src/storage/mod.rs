//! Storage: where bytes are read from.
//!
//! ```text
//! local_file  regular files, positioned reads
//! folder      a folder that paths must not leave
//! ```

pub mod folder;
pub mod local_file;
