//! A running loader: files, threads, batches.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::boxes::Boxes;
use crate::dataset::source::Samples;
use crate::error::{Error, Result};
use crate::loader::buffer_pool::{Batch, BufferPool, BufferPools, check_memory};
use crate::loader::epoch::EpochSpec;
use crate::loader::producer::BatchProducer;
use crate::loader::queue::{Given, Produced, Queue};
use crate::loader::sample_task::SampleTask;
use crate::loader::{Fingerprint, Options, Position, ShardPolicy, Source};
use crate::plan::Plan;
use crate::render::normalize::{Element, Gain};

/// How many batches are worked on at a time.
const PRODUCERS: usize = 2;

/// A running iterator. Dropping it stops its threads and waits for them: at most the time of one image.
#[derive(Debug)]
pub struct ImageLoader<T: Element> {
    queue: Arc<Queue<T>>,
    buffers: BufferPools<T>,
    producer: Option<Arc<BatchProducer<T>>>,
    producers: Vec<JoinHandle<()>>,
    workers: Vec<JoinHandle<()>>,
    told: Mutex<SkipReport>,
}

/// The damaged samples that were passed over for what the consumer has.
#[derive(Debug, Default)]
struct SkipReport {
    samples: HashSet<usize>,
    /// What is wrong with those that it has not asked about.
    new: Vec<Arc<Error>>,
}

/// What [`ImageLoader::next`] has to say.
#[derive(Debug)]
pub enum Next<T: Element> {
    /// The next batch of the epoch.
    Batch(Batch<T>),
    /// The epoch is over.
    End,
    /// Nothing is ready yet.
    Pending,
}

/// What will be done to an image.
#[derive(Debug)]
pub struct Planned {
    /// Its plan.
    pub plan: Plan,
    /// Its contrast and illumination.
    pub gain: Gain,
    /// Its objects as they will be, if labels are of objects.
    pub boxes: Option<Boxes>,
    /// Whether that is all; if not, a function of the caller's follows.
    pub is_whole: bool,
}

impl<T: Element> ImageLoader<T> {
    /// Opens the files and starts the threads.
    ///
    /// # Errors
    /// Options that make no sense, before any file is opened; then what opening and indexing the files finds.
    pub fn start(source: &Source, options: &Options) -> Result<Self> {
        options.check()?;
        let mut lost = Vec::new();
        let samples = Samples::open(source, options.skip_damaged.then_some(&mut lost))?;
        let task = SampleTask::new(samples, options)?;
        let spec = spec(&task, options)?;
        let samples = options.batch_size * task.slot_len();
        check_memory::<T>(samples, "samples")?;
        check_memory::<f32>(
            options.batch_size.saturating_mul(task.labels().width()),
            "labels",
        )?;
        let buffers = BufferPools {
            data: BufferPool::new(samples, options.prefetch + PRODUCERS),
            masks: mask_pool(&task, options)?,
        };
        let queue = Arc::new(Queue::new(spec, options.prefetch));
        let (pool, workers) = workers(options.threads)?;
        let seed = options.shuffle.then_some(options.seed);
        let skip = options.skip_damaged;
        let producer = Arc::new(BatchProducer::new(
            task,
            pool,
            buffers.clone(),
            spec,
            seed,
            skip,
        ));
        let mut this = Self {
            queue,
            buffers,
            producer: Some(Arc::clone(&producer)),
            producers: Vec::new(),
            workers,
            told: Mutex::new(SkipReport {
                new: lost.into_iter().map(Arc::new).collect(),
                ..SkipReport::default()
            }),
        };
        for _ in 0..PRODUCERS {
            let (producer, queue) = (Arc::clone(&producer), Arc::clone(&this.queue));
            this.producers.push(spawn("recio-producer".into(), move || {
                producer.run(&queue)
            })?);
        }
        Ok(this)
    }

    /// The next batch, waiting for it at most this long.
    ///
    /// # Errors
    /// What went wrong with the batch's first bad image. The batch after it can be had by asking again.
    pub fn next(&self, patience: Duration) -> Result<Next<T>> {
        if self.is_own_thread() {
            return Err(Error::argument(
                "a function that makes a batch asks its own iterator for one",
            ));
        }
        match self.queue.next(patience)? {
            Given::Pending => Ok(Next::Pending),
            Given::End(passed) => {
                self.tell(&passed);
                Ok(Next::End)
            }
            Given::Batch(Produced { batch, passed }) => {
                self.tell(&passed);
                batch.map(Next::Batch)
            }
        }
    }

    /// What is wrong with the samples that were passed over for the batches so far, each once, in their order; and forgets it.
    #[must_use]
    pub fn take_damage(&self) -> Vec<Arc<Error>> {
        std::mem::take(&mut self.told().new)
    }

    /// Notes what is wrong with those of the samples that the consumer has not been told of.
    fn tell(&self, passed: &[usize]) {
        let mut told = self.told();
        for &sample in passed {
            if told.samples.insert(sample) {
                told.new.extend(self.producer().damage(sample));
            }
        }
    }

    fn told(&self) -> MutexGuard<'_, SkipReport> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a new epoch, from its first batch. Before the first batch of an epoch is asked for, this does nothing,
    /// unless the epoch has none.
    pub fn reset(&self) {
        self.queue.reset(false);
    }

    /// Begins a new epoch, and forgets the samples that are left over from this one.
    pub fn hard_reset(&self) {
        self.queue.reset(true);
    }

    /// Where the consumer is: behind the last batch that it was given.
    #[must_use]
    pub fn position(&self) -> Position {
        self.queue.position()
    }

    /// Goes on from where a consumer of an equal pipeline was, at once: nothing is made again.
    ///
    /// # Errors
    /// A position that these samples do not have.
    pub fn go_to(&self, position: Position) -> Result<()> {
        self.queue.go_to(position)
    }

    /// Stops making batches; for whoever waits for one that is an error.
    pub fn close(&self) {
        self.queue.close();
    }

    /// Batches of the present epoch; less, if damaged samples are passed over.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.queue.batches_of_epoch()
    }

    /// Samples of an epoch.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.producer().task().part().len()
    }

    /// What tells these samples from others.
    ///
    /// # Errors
    /// If the files cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        self.producer().task().fingerprint()
    }

    /// Labels a record.
    #[must_use]
    pub fn label_width(&self) -> usize {
        self.producer().task().labels().width()
    }

    /// The axes of a record's labels.
    #[must_use]
    pub fn label_shape(&self) -> &[usize] {
        self.producer().task().labels().shape()
    }

    /// Why records are left out: those of which a table of objects would be empty.
    #[must_use]
    pub fn left_out(&self) -> &[Error] {
        self.producer().task().labels().left_out()
    }

    /// What is done to an image in an epoch, as far as it is known before pixels are. For looking into: nothing is
    /// decoded.
    ///
    /// # Errors
    /// No such record; or what reading it finds.
    pub fn plan(&self, record: usize, epoch: u64) -> Result<Planned> {
        self.producer().task().plan(record, epoch)
    }

    fn is_own_thread(&self) -> bool {
        let here = std::thread::current().id();
        let mut own = self.producers.iter().chain(&self.workers);
        own.any(|thread| thread.thread().id() == here)
    }

    fn producer(&self) -> &BatchProducer<T> {
        self.producer
            .as_ref()
            .expect("it is there until the pipeline is dropped")
    }
}

/// How the part that is read is spec into batches.
fn spec<T: Element>(task: &SampleTask<T>, options: &Options) -> Result<EpochSpec> {
    let (own, all, parts) = (
        task.part().len(),
        task.samples_of_all_parts(),
        options.num_parts,
    );
    if own == 0 && all > 0 && options.shard_policy == ShardPolicy::Pad && parts > 1 {
        return Err(Error::argument(format!(
            "num_parts={parts}, but there are only {all} records: part {} has none to fill its batches with; use fewer parts, \
             or shard_policy=\"uneven\"",
            options.part_index
        )));
    }
    Ok(EpochSpec::of_part(
        own,
        (all, parts),
        options.shard_policy,
        options.batch_size,
        options.last_batch,
    ))
}

/// The memory of the batches' masks, if there are any.
fn mask_pool<T: Element>(
    task: &SampleTask<T>,
    options: &Options,
) -> Result<Option<Arc<BufferPool<u8>>>> {
    let Some(masks) = task.masks() else {
        return Ok(None);
    };
    let numbers = options.batch_size * masks.slot_len();
    check_memory::<u8>(numbers, "numbers of masks")?;
    Ok(Some(BufferPool::new(numbers, options.prefetch + PRODUCERS)))
}

/// A pool of this many threads, and the threads, so that they can be waited for.
fn workers(threads: usize) -> Result<(rayon::ThreadPool, Vec<JoinHandle<()>>)> {
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
            // A function of the caller's dropped it. Its threads end by themselves, after what they are at.
            return;
        }
        // The producers hold the pool; when they are gone, it is dropped, and then its threads end.
        for thread in self.producers.drain(..).chain(self.workers.drain(..)) {
            // A thread that panicked is gone too.
            drop(thread.join());
        }
    }
}
