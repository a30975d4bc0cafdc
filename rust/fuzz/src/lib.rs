//! What the fuzz targets share. `docs/fuzzing.md` says what they assert and how they are run.
//!
//! | file | holds |
//! |---|---|
//! | `decode.rs` | one image through recio-jpeg, its time bounded |
//! | `turbojpeg.rs` | the same through libjpeg-turbo, opened at run time |
//! | `compare.rs` | the property that both give the same pixels |
//! | `dice.rs` | choices, drawn from the fuzzer's bytes |
//! | `mutate.rs` | a mutator that knows a JPEG's segments |
//! | `encoder/` | the fuzzer's bytes → a JPEG that is valid |

pub mod compare;
pub mod decode;
pub mod dice;
pub mod encoder;
pub mod mutate;
pub mod turbojpeg;
