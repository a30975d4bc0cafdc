//! A running loader: its files, threads and batches.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rayon::ThreadPool;

use crate::boxes::Boxes;
use crate::dataset::source::{Fingerprint, Samples, Source};
use crate::error::{Error, Result};
use crate::loader::buffer_pool::{Batch, BufferPool, BufferPools, check_memory};
use crate::loader::epoch::{EpochSpec, ShardPolicy};
use crate::loader::labels::Labels;
use crate::loader::options::Options;
use crate::loader::position::Position;
use crate::loader::producer::BatchProducer;
use crate::loader::queue::{Next, Queue};
use crate::loader::sample_task::SampleTask;
use crate::loader::skip_report::SkipReport;
use crate::plan::Plan;
use crate::render::normalize::{Element, Gain};

/// Number of batches made at a time.
const PRODUCERS: usize = 2;

/// A running loader. Dropping it stops its threads and waits for them: at most as long as one image takes.
#[derive(Debug)]
pub struct ImageLoader<T: Element> {
    queue: Arc<Queue<T>>,
    buffers: BufferPools<T>,
    producer: Option<Arc<BatchProducer<T>>>,
    producers: Vec<JoinHandle<()>>,
    workers: Vec<JoinHandle<()>>,
    skip_report: Mutex<SkipReport>,
}

/// What will be done to an image.
#[derive(Debug)]
pub struct PlannedImage {
    /// Its plan.
    pub plan: Plan,
    /// Its contrast and illumination.
    pub gain: Gain,
    /// Its objects after the plan, if labels are objects.
    pub boxes: Option<Boxes>,
    /// Whether nothing follows the plan. If not, a function of the caller's follows.
    pub is_complete: bool,
}

impl<T: Element> ImageLoader<T> {
    /// Opens the files and starts the threads.
    ///
    /// # Errors
    /// Options that contradict each other, before any file is opened; then errors of opening and indexing the files.
    pub fn start(source: &Source, options: &Options) -> Result<Self> {
        options.check()?;
        let mut damage = Vec::new();
        let samples = Samples::open(source, options.skip_damaged.then_some(&mut damage))?;
        let task = SampleTask::new(samples, options)?;
        let spec = epoch_spec(&task, options)?;
        let buffers = buffer_pools(&task, options)?;
        let seed = options.shuffle.then_some(options.seed);
        let producer = BatchProducer::new(task, buffers.clone(), spec, seed, options.skip_damaged);
        let mut this = Self {
            queue: Arc::new(Queue::new(spec, options.prefetch)),
            buffers,
            producer: Some(Arc::new(producer)),
            producers: Vec::new(),
            workers: Vec::new(),
            skip_report: Mutex::new(SkipReport::new(damage)),
        };
        this.start_threads(options.threads)?;
        Ok(this)
    }

    fn start_threads(&mut self, threads: usize) -> Result<()> {
        let (pool, workers) = thread_pool(threads)?;
        (self.workers, self.producers) = (workers, Vec::new());
        let pool = Arc::new(pool);
        for _ in 0..PRODUCERS {
            let (queue, pool) = (Arc::clone(&self.queue), Arc::clone(&pool));
            let producer = Arc::clone(self.producer());
            self.producers.push(spawn("recio-producer".into(), move || {
                producer.run(&queue, &pool);
            })?);
        }
        Ok(())
    }

    /// Returns the next batch, waiting for it for at most this long.
    ///
    /// # Errors
    /// The error of the batch's first bad image. The next call returns the batch after it.
    pub fn next(&self, timeout: Duration) -> Result<Next<Batch<T>>> {
        if self.is_own_thread() {
            return Err(Error::argument(
                "a function that makes a batch asks its own iterator for one",
            ));
        }
        let (next, skipped) = self.queue.next(timeout)?;
        let reason = |sample| self.producer().skip_reason(sample);
        self.skip_report().add(&skipped, reason);
        Ok(match next {
            Next::Batch(batch) => Next::Batch(batch?),
            Next::End => Next::End,
            Next::Pending => Next::Pending,
        })
    }

    /// Takes the errors of the samples skipped since the last call, each sample once, in their order.
    #[must_use]
    pub fn take_skipped(&self) -> Vec<Arc<Error>> {
        self.skip_report().take()
    }

    /// Begins the next epoch, from its first batch. Before the first batch of an epoch is asked for, this has no effect,
    /// unless the epoch has no batches.
    pub fn reset(&self) {
        self.queue.reset(false);
    }

    /// Begins the next epoch, and drops the samples left over from the present one.
    pub fn hard_reset(&self) {
        self.queue.reset(true);
    }

    /// Returns the position of the consumer: after the last batch that it received.
    #[must_use]
    pub fn position(&self) -> Position {
        self.queue.position()
    }

    /// Goes on from the position of a consumer of an equal loader; no batch is made again.
    ///
    /// # Errors
    /// These samples do not have the position.
    pub fn go_to(&self, position: Position) -> Result<()> {
        self.queue.go_to(position)
    }

    /// Stops making batches. Waiting for one is then an error.
    pub fn close(&self) {
        self.queue.close();
    }

    /// Returns the number of batches of the present epoch; there are fewer if samples are skipped.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.queue.batches()
    }

    /// Returns the number of samples of an epoch.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.task().shard().len()
    }

    /// Returns the fingerprint of the samples of all shards.
    ///
    /// # Errors
    /// The files cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        self.task().fingerprint()
    }

    /// Returns the layout of labels.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        self.task().labels()
    }

    /// Returns what will be done to an image in an epoch, as far as it is known before the image is decoded.
    ///
    /// # Errors
    /// There is no such record, or it cannot be read.
    pub fn plan(&self, record: usize, epoch: u64) -> Result<PlannedImage> {
        self.task().plan(record, epoch)
    }

    fn is_own_thread(&self) -> bool {
        let current = std::thread::current().id();
        let mut threads = self.producers.iter().chain(&self.workers);
        threads.any(|thread| thread.thread().id() == current)
    }

    fn producer(&self) -> &Arc<BatchProducer<T>> {
        self.producer
            .as_ref()
            .expect("it is there until the loader is dropped")
    }

    fn task(&self) -> &SampleTask<T> {
        self.producer().task()
    }

    fn skip_report(&self) -> std::sync::MutexGuard<'_, SkipReport> {
        self.skip_report
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the epochs of the shard that is read.
fn epoch_spec<T: Element>(task: &SampleTask<T>, options: &Options) -> Result<EpochSpec> {
    let (samples, all) = (task.shard().len(), task.samples_of_all_shards());
    let Options {
        num_parts,
        part_index,
        shard_policy,
        ..
    } = *options;
    if samples == 0 && all > 0 && shard_policy == ShardPolicy::Pad && num_parts > 1 {
        return Err(Error::argument(format!(
            "num_parts={num_parts}, but there are only {all} records: part {part_index} has none to fill its batches with; \
             use fewer parts, or shard_policy=\"uneven\""
        )));
    }
    Ok(EpochSpec::of_shard(
        samples,
        (all, num_parts),
        shard_policy,
        options.batch_size,
        options.last_batch,
    ))
}

/// Returns pools for the memory of batches.
fn buffer_pools<T: Element>(task: &SampleTask<T>, options: &Options) -> Result<BufferPools<T>> {
    let Options {
        batch_size,
        prefetch,
        ..
    } = *options;
    let values = batch_size * task.slot_len();
    check_memory::<T>(values, "samples")?;
    check_memory::<f32>(batch_size.saturating_mul(task.labels().width()), "labels")?;
    let masks = match task.masks() {
        Some(masks) => {
            let values = batch_size * masks.slot_len();
            check_memory::<u8>(values, "numbers of masks")?;
            Some(BufferPool::new(values, prefetch + PRODUCERS))
        }
        None => None,
    };
    Ok(BufferPools {
        data: BufferPool::new(values, prefetch + PRODUCERS),
        masks,
    })
}

/// Returns a pool of threads, and the threads, so that they can be waited for.
fn thread_pool(threads: usize) -> Result<(ThreadPool, Vec<JoinHandle<()>>)> {
    let mut handles = Vec::new();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .spawn_handler(|thread| {
            let name = format!("recio-{}", thread.index());
            handles.push(
                std::thread::Builder::new()
                    .name(name)
                    .spawn(|| thread.run())?,
            );
            Ok(())
        })
        .build();
    let pool = pool.map_err(|error| Error::from(std::io::Error::other(error)))?;
    Ok((pool, handles))
}

fn spawn(name: String, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Ok(std::thread::Builder::new().name(name).spawn(work)?)
}

impl<T: Element> Drop for ImageLoader<T> {
    fn drop(&mut self) {
        self.queue.close();
        self.buffers.close();
        self.producer = None;
        if self.is_own_thread() {
            // Dropped by a function of the caller's: the threads end by themselves, after their present image.
            return;
        }
        // The producers hold the thread pool. When they have ended, it is dropped, and then its threads end.
        for thread in self.producers.drain(..).chain(self.workers.drain(..)) {
            // A thread that panicked has ended too.
            drop(thread.join());
        }
    }
}
