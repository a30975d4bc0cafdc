//! Values that belong to one process: each forked process makes its own.

use std::mem;
use std::process;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::error::Result;

/// Value that each process makes when it first needs it.
///
/// It has no lock: one that another thread holds during a fork is never released in the child. A
/// value of another process is never dropped, because sockets and epoll are shared with it: closing
/// them properly here would disturb the process that uses them.
#[derive(Debug)]
pub(super) struct PerProcess<T>(ArcSwapOption<(u32, T)>);

impl<T: Clone> PerProcess<T> {
    pub(super) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// Returns the value of this process. Threads that make it at the same time all get the first.
    pub(super) fn get_or_try_make(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        let current = self.0.load();
        if let Some(value) = of_this_process(current.as_deref()) {
            return Ok(value);
        }
        let made = Some(Arc::new((process::id(), make()?)));
        let previous = self.0.compare_and_swap(&current, made);
        mem::forget(current.clone());
        match of_this_process(previous.as_deref()) {
            Some(value) => Ok(value),
            None => Ok(self
                .0
                .load()
                .as_ref()
                .map(|value| value.1.clone())
                .expect("just stored")),
        }
    }
}

fn of_this_process<T: Clone>(value: Option<&(u32, T)>) -> Option<T> {
    value
        .filter(|value| value.0 == process::id())
        .map(|value| value.1.clone())
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let value = self.0.swap(None);
        if value.as_ref().is_some_and(|value| value.0 != process::id()) {
            mem::forget(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once() {
        let value = PerProcess::new();
        assert_eq!(value.get_or_try_make(|| Ok(1)).unwrap(), 1);
        assert_eq!(value.get_or_try_make(|| Ok(2)).unwrap(), 1);
    }

    #[test]
    fn a_value_of_another_process_is_replaced_and_not_dropped() {
        let other = Arc::new(());
        let value = PerProcess::new();
        value.0.store(Some(Arc::new((0, Arc::clone(&other)))));
        let mine = value.get_or_try_make(|| Ok(Arc::new(()))).unwrap();
        assert!(!Arc::ptr_eq(&mine, &other));
        assert_eq!(
            (Arc::strong_count(&mine), Arc::strong_count(&other)),
            (2, 2)
        );
        drop(value);
        assert_eq!(
            (Arc::strong_count(&mine), Arc::strong_count(&other)),
            (1, 2)
        );
    }
}
