//! `recio._recio`: what Python sees of recio-core, and nothing else.
//!
//! Every function turns Python's objects into Rust's values, lets go of the interpreter while it works
//! ([`Python::detach`](pyo3::Python::detach)), and turns the result back. One file a surface:
//!
//! | file | for |
//! |---|---|
//! | `record.rs` | `recio.recordio` |
//! | `image.rs` | `recio.image` |
//! | `pipeline.rs` | `recio.io` |
//! | `sandboxed_folder.rs` | `recio.image`: files that a list names |
//! | `step.rs`, `render.rs` | the augmenters of `recio.image` |
//! | `user_fn.rs` | Python functions among the augmenters |
//! | `pack.rs` | `recio.im2rec` |
//! | `copy.rs` | `recio.files`: merge, split, shuffle |
//! | `inspect.rs` | `recio.files`: verify, repair, info |
//! | `atomic.rs` | `recio._staged` |
//! | `progress.rs` | progress reports of long operations, and stopping them |
//! | `errors.rs` | the one place where errors become exceptions |
//! | `fork_guard.rs` | what must not be used in a forked process |
//! | `array.rs` | the one place with `unsafe`: memory of Rust's as NumPy arrays |
#![deny(unsafe_code)]

mod array;
mod atomic;
mod copy;
mod errors;
mod fork_guard;
mod image;
mod inspect;
mod pack;
mod pipeline;
mod progress;
mod record;
mod render;
mod sandboxed_folder;
mod step;
mod user_fn;

use pyo3::prelude::*;

/// The native part of recio.
#[pymodule]
mod _recio {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::atomic::StagedFile;
    #[pymodule_export]
    use crate::copy::{merge_files, shuffle_file, split_file};
    #[pymodule_export]
    use crate::errors::{DecodeError, RecordError};
    #[pymodule_export]
    use crate::image::{
        decode, decode_unchanged, encode_jpeg, encode_png, encode_png_16, resize, resize_float,
    };
    #[pymodule_export]
    use crate::inspect::{info_of_file, repair_file, verify_file};
    #[pymodule_export]
    use crate::pack::{pack, packed_already};
    #[pymodule_export]
    use crate::pipeline::ImagePipeline;
    #[pymodule_export]
    use crate::record::{Index, Reader, Writer, rebuild_index};
    #[pymodule_export]
    use crate::render::augment;
    #[pymodule_export]
    use crate::sandboxed_folder::SandboxedFolder;
    #[pymodule_export]
    use crate::step::Step;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Makes an array, so that NumPy's functions are looked up now: where they are not found later, because Ctrl-C comes in
    /// between, nothing but a panic is left.
    #[pymodule_init]
    #[allow(clippy::unnecessary_wraps, reason = "PyO3 asks for it")]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        numpy::PyArray1::<u8>::zeros(module.py(), 0, false);
        Ok(())
    }
}
