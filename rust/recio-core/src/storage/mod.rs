//! Storage: where bytes are read from.
//!
//! ```text
//! regular           opening regular files only
//! local_file        regular files, positioned reads
//! sandboxed_folder  files below a folder, which their paths must not leave
//! inside            paths inside a folder, by whatever way they lead there
//! beneath           opening a file below a folder, whatever links are changed meanwhile
//! ```

#[cfg(unix)]
mod beneath;
mod inside;
pub mod local_file;
pub mod regular;
pub mod sandboxed_folder;
