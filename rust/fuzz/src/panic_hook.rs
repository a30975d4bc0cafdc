//! Panic hook that distinguishes findings. recio catches panics of other crates' decoders and
//! returns errors, but libFuzzer's hook aborts at any panic. This hook lets panics of other crates
//! unwind (one that nothing catches is a finding, too) and aborts at all others.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};

/// Path fragments of other crates' files, and of the standard library, which panics on behalf of
/// its callers.
const OTHER_CRATES: [&str; 2] = ["/registry/", "/rustc/"];

/// Locations of reported panics of other crates.
static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Install the hook, once.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(hook)));
}

fn hook(panic: &PanicHookInfo<'_>) {
    let path = panic.location().map_or("", |location| location.file());
    if !OTHER_CRATES.iter().any(|other| path.contains(other)) {
        eprintln!("{panic}\n{}", Backtrace::force_capture());
        std::process::abort();
    }
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    if reported.insert(
        panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ) {
        eprintln!("caught, not a finding: {panic}");
    }
}
