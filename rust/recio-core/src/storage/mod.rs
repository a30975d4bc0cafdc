//! Storage: where bytes are read from.
//!
//! ```text
//! local_file        regular files, positioned reads
//! sandboxed_folder  files below a folder, which their paths must not leave
//! ```

pub mod local_file;
pub mod sandboxed_folder;
