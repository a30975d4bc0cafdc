//! Panics of decoders as errors.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::error::{Error, Result};
use crate::memory;

thread_local! {
    /// Whether this thread runs a guarded decoder.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Run a decoder other than recio-jpeg, and convert a panic to an error: the decoders of other
/// crates may panic on hostile input. Nothing is printed; the panic hook of the process runs for
/// all other panics.
///
/// The only state that a panic leaves incomplete is pixels in a buffer, so it is safe to continue.
pub(super) fn guarded<T>(decode: impl FnOnce() -> Result<T>) -> Result<T> {
    silence_guarded_panics();
    let was_guarded = IS_GUARDED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(was_guarded);
    outcome.unwrap_or_else(|panic| {
        if let Some(error) = memory::error_of(&*panic) {
            return Err(error);
        }
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Error::image(format!(
            "the decoder panicked: {}",
            message.unwrap_or("it did not say why")
        )))
    })
}

fn silence_guarded_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // For a fuzzer, a panic of recio itself is a finding.
            if !IS_GUARDED.get() || cfg!(fuzzing) {
                hook(info);
            }
        }));
    });
}
