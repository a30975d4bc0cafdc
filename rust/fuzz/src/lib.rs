//! Shared code of the fuzz targets. `docs/fuzzing.md` describes the targets and how to run them.
//!
//! | file | content |
//! |---|---|
//! | `properties/` | properties of recio-core for any bytes; recio-core's tests use them too |
//! | `memory_file.rs` | a file in memory, for code that reads by path |
//! | `panic_hook.rs` | the distinction of panics that are findings |
//! | `decode.rs` | decoding of one image by recio-jpeg within a time limit |
//! | `turbojpeg.rs` | decoding by libjpeg-turbo, loaded at run time |
//! | `compare.rs` | comparison of the pixels of both |
//! | `fuzz_rng.rs` | random choices from the fuzzer's bytes |
//! | `mutate/` | mutators for JPEG segments and for frames of records |
//! | `encoder/` | encoder of valid JPEGs from the fuzzer's bytes |

pub mod compare;
pub mod decode;
pub mod encoder;
pub mod fuzz_rng;
pub mod memory_file;
pub mod mutate;
pub mod panic_hook;
pub mod properties;
pub mod turbojpeg;
