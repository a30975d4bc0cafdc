//! Which panics are findings. recio catches those of the `image` crate's decoders, and makes errors of them; libFuzzer's hook
//! ends the process at any. So another one is put in its place, that ends it where recio's own code panics, and lets the others
//! unwind to whoever catches them: if nobody does, that is a finding too.

use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, Once, PoisonError};

/// Parts of the paths of recio's files.
const OWN: [&str; 3] = ["recio-core", "recio-jpeg", "fuzz"];

/// Where others' panics were.
static MET: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Puts the hook in place, once.
pub fn expect_others() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(hook)));
}

fn hook(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or("", |place| place.file());
    if OWN.iter().any(|own| place.contains(own)) {
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
