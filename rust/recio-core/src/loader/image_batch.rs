//! One batch of encoded images that the caller has, rendered by threads of its own.
//!
//! Each image becomes the pixels that a loader with the same options makes of it, if the image has
//! the same number among the samples.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, Scope};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};

use crate::dataset::source::{Samples, Source};
use crate::error::{Error, Result};
use crate::loader::buffer::Buffer;
use crate::loader::lock::lock;
use crate::loader::options::Options;
use crate::loader::sample_task::SampleTask;
use crate::progress::Interrupt;
use crate::render::normalize::Element;

/// Interval between calls of the caller while it waits.
const TICK: Duration = Duration::from_millis(50);

/// Encoded images, and their numbers among the samples: with the seed, they determine the random
/// parameters.
#[derive(Debug)]
pub struct EncodedImages<'a, P> {
    /// The bytes of each image.
    pub payloads: &'a [P],
    /// As many numbers.
    pub ids: &'a [u64],
    /// The epoch.
    pub epoch: u64,
}

/// Renders images into a batch, one after another. Returns `None` if `on_wait` stops it, which is
/// called again and again meanwhile.
///
/// # Errors
/// The error of the first image that cannot be rendered, with its number among the payloads as that
/// of the record; options that contradict each other; a thread cannot be started; no memory.
///
/// # Panics
/// If there are not as many ids as payloads.
pub fn render_batch<T: Element, P: AsRef<[u8]> + Sync>(
    images: &EncodedImages<'_, P>,
    options: &Options,
    on_wait: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Option<Buffer<T>>> {
    assert_eq!(images.payloads.len(), images.ids.len(), "an id for each");
    options.check()?;
    let no_records = Source::Records {
        files: Vec::new(),
        indexes: Vec::new(),
    };
    let interrupt = &Interrupt::never();
    let samples = Samples::open(&no_records, options.label_type, None, interrupt)?;
    let task = SampleTask::<T>::new(samples, options, interrupt)?;
    let len = images.payloads.len().saturating_mul(task.slot_len());
    let mut data = Buffer::new(len)?;
    let work = Work {
        images,
        task: &task,
        slots: Mutex::new(data.chunks_exact_mut(task.slot_len()).enumerate()),
        end: AtomicUsize::new(images.payloads.len()),
        error: Mutex::default(),
    };
    let threads = options.threads.min(images.payloads.len());
    let flow = work.run(threads, on_wait)?;
    if let Some(error) = lock(&work.error).take() {
        return Err(error);
    }
    drop(work);
    Ok(flow.is_continue().then_some(data))
}

/// Images that are being rendered.
struct Work<'a, T: Element, P, S> {
    images: &'a EncodedImages<'a, P>,
    task: &'a SampleTask<T>,
    /// Numbers and memory of the images that no thread has taken.
    slots: Mutex<S>,
    /// Images from this one on are not needed.
    end: AtomicUsize,
    /// The error of image `end`.
    error: Mutex<Option<Error>>,
}

impl<'a, T, P, S> Work<'a, T, P, S>
where
    T: Element,
    P: AsRef<[u8]> + Sync,
    S: Iterator<Item = (usize, &'a mut [T])> + Send,
{
    /// Starts threads and waits for them.
    fn run(
        &self,
        threads: usize,
        on_wait: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        std::thread::scope(|scope| {
            let (alive, ended) = bounded::<()>(0);
            for thread in 0..threads {
                if let Err(cause) = self.start(scope, thread, alive.clone()) {
                    self.end.store(0, Ordering::Relaxed);
                    return Err(Error::thread(&cause));
                }
            }
            drop(alive);
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if on_wait().is_break() {
                    self.end.store(0, Ordering::Relaxed);
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        thread: usize,
        alive: crossbeam_channel::Sender<()>,
    ) -> std::io::Result<()> {
        let name = format!("recio-batch-{thread}");
        Builder::new().name(name).spawn_scoped(scope, move || {
            self.render(thread);
            drop(alive);
        })?;
        Ok(())
    }

    /// Renders images until all are taken or one has failed.
    fn render(&self, thread: usize) {
        let next = || lock(&self.slots).next();
        while let Some((number, slot)) = next() {
            if number >= self.end.load(Ordering::Relaxed) {
                return;
            }
            let (image, id) = (
                self.images.payloads[number].as_ref(),
                self.images.ids[number],
            );
            let origin = (self.images.epoch, id);
            if let Err(error) = self.task.fill_encoded(image, origin, thread, slot) {
                self.fail(number, error.at_record(number as u64));
            }
        }
    }

    /// Keeps the error of the first image that fails.
    fn fail(&self, number: usize, error: Error) {
        let mut first = lock(&self.error);
        if self.end.fetch_min(number, Ordering::Relaxed) > number {
            *first = Some(error);
        }
    }
}
