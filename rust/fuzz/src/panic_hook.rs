//! Which panics are findings. recio catches those of the `image` crate's decoders, and makes errors
//! of them; libFuzzer's hook ends the process at any. So another one is put in its place, that lets
//! the panics of other crates unwind to whoever catches them (if nobody does, that is a finding
//! too) and ends the process at all others.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};

/// Parts of the paths of other crates' files, and of the standard library's, which panics on behalf
/// of those that call it.
const OTHERS: [&str; 2] = ["/registry/", "/rustc/"];

/// Where others' panics were.
static MET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Puts the hook in place, once.
pub fn expect_others() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(hook)));
}

fn hook(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or("", |place| place.file());
    if !OTHERS.iter().any(|other| place.contains(other)) {
        eprintln!("{panic}\n{}", Backtrace::force_capture());
        std::process::abort();
    }
    let mut met = MET.lock().unwrap_or_else(PoisonError::into_inner);
    if met.insert(
        panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default(),
    ) {
        eprintln!("caught, and no finding: {panic}");
    }
}
