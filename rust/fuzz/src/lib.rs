//! What the fuzz targets share. `docs/fuzzing.md` says what they assert and how they are run.
//!
//! | file | holds |
//! |---|---|
//! | `properties/` | what holds of recio-core, whatever bytes it is given; its own tests have these files too |
//! | `memory_file.rs` | a file in memory, for what is read by path |
//! | `panic_hook.rs` | which panics are findings |
//! | `decode.rs` | one image through recio-jpeg, its time bounded |
//! | `turbojpeg.rs` | the same through libjpeg-turbo, opened at run time |
//! | `compare.rs` | the property that both give the same pixels |
//! | `fuzz_rng.rs` | choices, drawn from the fuzzer's bytes |
//! | `mutate/` | mutators that know a JPEG's segments, and the parts of records |
//! | `encoder/` | the fuzzer's bytes → a JPEG that is valid |

pub mod compare;
pub mod decode;
pub mod encoder;
pub mod fuzz_rng;
pub mod memory_file;
pub mod mutate;
pub mod panic_hook;
pub mod properties;
pub mod turbojpeg;
