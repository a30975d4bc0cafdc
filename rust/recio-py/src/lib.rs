//! Python binding of recio-core: the module `recio._recio`.
//!
//! Every function converts Python objects to Rust values, releases the interpreter while it works
//! ([`Python::detach`](pyo3::Python::detach)), and converts the result back. One file per surface:
//!
//! | file | for |
//! |---|---|
//! | `record.rs`, `stream.rs` | `recio.recordio` |
//! | `image.rs` | `recio.image`: decode, encode, resize |
//! | `functional.rs` | `recio.image`: borders, rotation |
//! | `pipeline.rs`, `loader_options.rs` | `recio.io` |
//! | `hooks.rs` | `recio.image`: hooks of iterators |
//! | `sandboxed_folder.rs` | `recio.image`: image files of a list |
//! | `step.rs`, `render.rs` | augmenters of `recio.image` |
//! | `user_fn.rs`, `rng.rs` | user functions among the augmenters, and their random numbers |
//! | `sampler.rs` | `recio.samplers`, and samplers of iterators |
//! | `pack.rs` | `recio.im2rec` |
//! | `copy.rs` | `recio.files`: merge, split, shuffle |
//! | `shard.rs` | `recio.files`: shards |
//! | `inspect.rs` | `recio.files`: verify, repair, info |
//! | `atomic.rs` | `recio._atomic` |
//! | `text.rs` | `recio.io`: CSV and `LibSVM` files |
//! | `text_file.rs` | `recio._util`: opening files, text in messages |
//! | `location.rs` | locations of files, as Python passes them |
//! | `file_system.rs` | file systems of the caller's as stores |
//! | `progress.rs` | progress reports of long operations, and stopping them |
//! | `allocator.rs` | memory allocator with a reserve for small allocations |
//! | `python_call.rs` | attaching and calls of Python functions, also while the interpreter shuts down |
//! | `process_end.rs` | use of iterators while the process ends |
//! | `convert.rs` | NumPy arrays ⇄ images and views; limits |
//! | `errors.rs` | the only conversion of errors to exceptions |
//! | `fork_guard.rs` | check that objects are not used in a forked process |
//! | `array.rs` | Rust memory as NumPy arrays without a copy |
//! | `recycle.rs` | memory of dropped images, reused |
//! | `foreign_memory.rs` | the caller's memory for batches |
//!
//! `unsafe` is in `allocator.rs`, `array.rs`, `foreign_memory.rs` and `python_call.rs` only.
#![deny(unsafe_code)]

mod allocator;
mod array;
mod atomic;
mod batch;
mod convert;
mod copy;
mod errors;
mod file_system;
mod foreign_memory;
mod fork_guard;
mod functional;
mod hooks;
mod image;
mod inspect;
mod loader_options;
mod location;
mod pack;
mod pipeline;
mod process_end;
mod progress;
mod python_call;
mod record;
mod recycle;
mod render;
mod rng;
mod sampler;
mod sandboxed_folder;
mod shard;
mod step;
mod stream;
mod text;
mod text_file;
mod user_fn;

use pyo3::prelude::*;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator::new();

/// The native part of recio.
#[pymodule]
mod _recio {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::atomic::AtomicFile;
    #[pymodule_export]
    use crate::batch::render_batch;
    #[pymodule_export]
    use crate::copy::{merge_files, shuffle_file, split_file};
    #[pymodule_export]
    use crate::errors::{DecodeError, RecordError};
    #[pymodule_export]
    use crate::functional::{make_border, rotate};
    #[pymodule_export]
    use crate::image::{
        decode, decode_unchanged, encode_jpeg, encode_png, encode_png_16, resize, resize_float,
    };
    #[pymodule_export]
    use crate::inspect::{info_of_file, repair_file, verify_file};
    #[pymodule_export]
    use crate::location::RemotePath;
    #[pymodule_export]
    use crate::pack::PackList;
    #[pymodule_export]
    use crate::pipeline::ImagePipeline;
    #[pymodule_export]
    use crate::process_end::{begin_process_end, iterator_closed};
    #[pymodule_export]
    use crate::record::{Index, Reader, Writer, face_property, read_list, rebuild_index};
    #[pymodule_export]
    use crate::render::augment;
    #[pymodule_export]
    use crate::rng::Rng;
    #[pymodule_export]
    use crate::sampler::{
        balanced_order, permuted_order, weighted_order, weighted_order_without_replacement,
    };
    #[pymodule_export]
    use crate::sandboxed_folder::SandboxedFolder;
    #[pymodule_export]
    use crate::shard::{RecordFileOutput, crc32c, crc32c_of_bytes};
    #[pymodule_export]
    use crate::step::Step;
    #[pymodule_export]
    use crate::stream::{RecordStream, frame};
    #[pymodule_export]
    use crate::text::TextFiles;
    #[pymodule_export]
    use crate::text_file::{identify, open_append, open_regular, printable, remote_advice};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name in Python")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Create an array, so that NumPy's functions are looked up now: a later lookup interrupted by
    /// Ctrl-C would panic.
    #[pymodule_init]
    #[allow(clippy::unnecessary_wraps, reason = "PyO3 requires it")]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::ALLOCATOR.fill_reserve();
        numpy::PyArray1::<u8>::zeros(module.py(), 0, false);
        Ok(())
    }
}
