//! A running loader: its files, threads and batches.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::dataset::shard::shard_range;
use crate::dataset::source::{Samples, Source, StoredSample};
use crate::error::{Error, Result};
use crate::loader::batch_memory::{buffer_pools, early_buffers};
use crate::loader::buffer_pool::{Batch, BufferPools};
use crate::loader::epoch::{EpochSpec, GlobalSlice, LastBatch, ShardPolicy, Sharding};
use crate::loader::epoch_order::EpochOrders;
use crate::loader::labels::Labels;
use crate::loader::lock::lock;
use crate::loader::masks::Masks;
use crate::loader::options::Options;
use crate::loader::position::Position;
use crate::loader::producer::BatchProducer;
use crate::loader::queue::{Next, Queue};
use crate::loader::read_ahead::{Bounds, ReadAhead};
use crate::loader::sample_task::{DataFingerprint, ImagePreview, SampleTask};
use crate::loader::skip_report::SkipReport;
use crate::loader::supplied_batches::SuppliedBatches;
use crate::loader::supply::Supplier;
use crate::loader::thread_counts::ThreadCounts;
use crate::loader::threads::Threads;
use crate::memory;
use crate::progress::Interrupt;
use crate::render::normalize::Element;

/// Time that a loader that is dropped waits for its threads. One that is still in a function of the
/// caller's then ends by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// Methods of a loader that do not depend on the type of its batches.
pub trait Loader: Send + Sync {
    /// Starts the threads, unless they are running. From then on, batches are made ahead.
    ///
    /// # Errors
    /// A thread cannot be started. Then none is running.
    fn start(&self) -> Result<()>;

    /// Reads the next sample in epoch order, as it is stored; none at the end of the epoch.
    ///
    /// Within a supplier this is the next sample of the batch. Otherwise it does not depend on
    /// batches, and the end is followed by the beginning of the same epoch.
    ///
    /// # Errors
    /// The sample cannot be read.
    fn next_sample(&self) -> Result<Option<StoredSample>>;

    /// Whether some supplied samples were not read by [`next_sample`](Self::next_sample), so that
    /// the position does not tell which ones follow.
    #[must_use]
    fn has_foreign_samples(&self) -> bool;

    /// Takes the errors of the samples skipped since the last call, each sample once, in their
    /// order.
    #[must_use]
    fn take_skipped(&self) -> Vec<Arc<Error>>;

    /// Begins the next epoch, from its first batch. Before the first batch of an epoch is asked
    /// for, this has no effect, unless the epoch has no batches.
    fn reset(&self);

    /// Begins the next epoch, and drops the samples left over from the present one.
    fn hard_reset(&self);

    /// Returns the position of the consumer: after the last batch that it received.
    #[must_use]
    fn position(&self) -> Position;

    /// Goes on from the position of a consumer of an equal loader, but for the shard that it reads;
    /// no batch is made again.
    ///
    /// # Errors
    /// These samples do not have the position; or it is of another shard, and that shard's position
    /// depends on its samples.
    fn go_to(&self, position: Position, part_index: usize) -> Result<()>;

    /// Goes to the beginning of an epoch, unless the consumer is within it.
    ///
    /// # Errors
    /// The number is too large.
    fn set_epoch(&self, epoch: u64) -> Result<()>;

    /// Stops making batches. Waiting for one is then an error.
    fn close(&self);

    /// Waits for at most this long until the threads have ended, after [`close`](Self::close);
    /// returns whether they have. Within one of them it returns at once.
    #[must_use]
    fn wait_for_threads(&self, timeout: Duration) -> bool;

    /// Stops waiting for the threads, now and when the loader is dropped; they end by themselves.
    fn abandon_threads(&self);

    /// Returns the number of batches of the present epoch; there are fewer if samples are skipped.
    #[must_use]
    fn batches(&self) -> usize;

    /// Returns the number of samples that batches may have: those of the shard.
    #[must_use]
    fn samples(&self) -> usize;

    /// Returns the number of identity records of face data sets, which are no samples.
    #[must_use]
    fn identities(&self) -> usize;

    /// Returns the number of record files whose records are those of an index beside them, although
    /// the caller did not name it.
    #[must_use]
    fn indexes_beside(&self) -> usize;

    /// Returns the samples of the present epoch in order, including those that are skipped.
    ///
    /// # Errors
    /// That of a sampler.
    fn epoch_order(&self) -> Result<Vec<usize>>;

    /// Returns the fingerprint of the samples of all shards, with their labels and masks.
    ///
    /// # Errors
    /// The files cannot be read.
    fn fingerprint(&self) -> Result<DataFingerprint>;

    /// Returns the layout of labels.
    #[must_use]
    fn labels(&self) -> &Labels;

    /// Returns what will be done to an image in an epoch, as far as it is known before the image is
    /// decoded.
    ///
    /// # Errors
    /// There is no such record, or it cannot be read.
    fn preview(&self, record: usize, epoch: u64) -> Result<ImagePreview>;
}

/// A loader. Its threads start with [`start`](Loader::start) or the first batch. Dropping it stops
/// them and waits for them: as long as one image takes, but not longer than a few seconds.
#[derive(Debug)]
pub struct ImageLoader<T: Element> {
    queue: Arc<Queue<T>>,
    buffers: BufferPools<T>,
    producer: Option<Arc<BatchProducer<T>>>,
    read_ahead: Arc<ReadAhead>,
    threads: Threads,
    shards: Shards,
    part_index: usize,
    supplied: SuppliedBatches<T>,
    skip_report: Mutex<SkipReport>,
}

impl<T: Element> ImageLoader<T> {
    /// Opens the files.
    ///
    /// # Errors
    /// Options that contradict each other, before any file is opened; then errors of opening and
    /// indexing the files; `Interrupted`.
    pub fn open(source: &Source, options: &Options, interrupt: &Interrupt<'_>) -> Result<Self> {
        options.check()?;
        let mut damage = Vec::new();
        let samples = Samples::open(
            source,
            options.label_type,
            options.skip_damaged.then_some(&mut damage),
            interrupt,
        )?;
        let task = SampleTask::new(samples, options, interrupt)?;
        let shards = Shards::new(&task, options);
        let spec = shards.epoch_spec(options.part_index)?;
        let counts = thread_counts(&task, options);
        let buffers = buffer_pools(&task, options, counts)?;
        let early_buffers = early_buffers(&task, counts);
        let orders = EpochOrders::new(
            task.ordered_samples(),
            options.shuffle.then_some(options.seed),
            options.sampler.clone(),
        )?;
        let bounds = Bounds {
            threads: options.threads,
            max_records: options.read_ahead,
            max_bytes: options.read_ahead_bytes,
            is_sequential: !options.shuffle && options.sampler.is_none(),
        };
        let read_ahead = Arc::new(ReadAhead::new(bounds, &task.files()));
        let producer = BatchProducer::new(
            task,
            (buffers.clone(), early_buffers),
            (spec, orders),
            options.skip_damaged,
            Arc::clone(&read_ahead),
        );
        Ok(Self {
            queue: Arc::new(Queue::new(
                spec,
                counts.max_claimed,
                Arc::clone(&buffers.data),
            )),
            buffers,
            producer: Some(Arc::new(producer)),
            read_ahead,
            threads: Threads::new(counts),
            shards,
            part_index: options.part_index,
            supplied: SuppliedBatches::default(),
            skip_report: Mutex::new(SkipReport::new(damage)),
        })
    }

    /// Returns the next batch, waiting for it for at most this long.
    ///
    /// # Errors
    /// The error of the batch's first bad image. The next call returns the batch after it.
    pub fn next(&self, timeout: Duration) -> Result<Next<Batch<T>>> {
        if self.threads.is_current() {
            return Err(Error::argument(
                "a function that makes a batch asks its own iterator for one",
            ));
        }
        self.start()?;
        self.receive(timeout)
    }

    /// Makes the next batch of samples that `supplier` supplies, in this thread, and returns it.
    ///
    /// # Errors
    /// The first error of the supplier or of a sample for which none is skipped. The next call
    /// returns the batch after it.
    pub fn next_supplied(&self, supplier: &mut Supplier<'_>) -> Result<Next<Batch<T>>> {
        if self.shards.sharding == Sharding::Global {
            return Err(Error::argument(
                "next_sample, imdecode and read_image cannot be overridden with a sampler or shard='global': the \
                 batches of the other ranks depend on which samples are in this one; use shuffle and \
                 shard='contiguous'",
            ));
        }
        let _turn = self.supplied.turn()?;
        loop {
            match self.receive(Duration::ZERO)? {
                Next::Pending => {
                    let errors = self.supplied.make(self.producer(), &self.queue, supplier)?;
                    lock(&self.skip_report).extend(errors);
                }
                next => return Ok(next),
            }
        }
    }

    fn receive(&self, timeout: Duration) -> Result<Next<Batch<T>>> {
        let (next, skipped) = self.queue.next(timeout)?;
        let reason = |sample| self.producer().skip_reason(sample);
        lock(&self.skip_report).add(&skipped, reason);
        Ok(match next {
            Next::Batch(batch) => Next::Batch(batch?),
            Next::End => Next::End,
            Next::Pending => Next::Pending,
        })
    }

    fn producer(&self) -> &Arc<BatchProducer<T>> {
        self.producer
            .as_ref()
            .expect("it is there until the loader is dropped")
    }

    fn task(&self) -> &SampleTask<T> {
        self.producer().task()
    }
}

impl<T: Element> Loader for ImageLoader<T> {
    fn start(&self) -> Result<()> {
        let (queue, producer) = (Arc::clone(&self.queue), Arc::clone(self.producer()));
        self.threads
            .start(move |makers| producer.run(&queue, makers))
    }

    fn next_sample(&self) -> Result<Option<StoredSample>> {
        self.supplied.next_sample(self.producer())
    }

    fn has_foreign_samples(&self) -> bool {
        self.supplied.has_foreign()
    }

    fn take_skipped(&self) -> Vec<Arc<Error>> {
        lock(&self.skip_report).take()
    }

    fn reset(&self) {
        self.queue.reset(false);
        self.supplied.next_epoch();
    }

    fn hard_reset(&self) {
        self.queue.reset(true);
        self.supplied.next_epoch();
    }

    fn position(&self) -> Position {
        self.queue.position()
    }

    fn go_to(&self, position: Position, part_index: usize) -> Result<()> {
        let is_ours = part_index == self.part_index || self.shards.sharding == Sharding::Global;
        let position = if is_ours {
            position
        } else {
            let theirs = self.shards.epoch_spec(part_index)?;
            position.of_other_shard(&theirs, self.producer().spec())?
        };
        self.queue.go_to(position)?;
        self.supplied.clear();
        Ok(())
    }

    fn set_epoch(&self, epoch: u64) -> Result<()> {
        if self.queue.set_epoch(epoch)? {
            self.supplied.set_epoch(epoch);
        }
        Ok(())
    }

    fn close(&self) {
        self.queue.close();
        self.read_ahead.close();
        self.threads.stop_waits();
    }

    fn wait_for_threads(&self, timeout: Duration) -> bool {
        let begin = Instant::now();
        self.threads.wait(timeout)
            && self
                .read_ahead
                .wait(timeout.saturating_sub(begin.elapsed()))
    }

    fn abandon_threads(&self) {
        self.threads.abandon();
        self.read_ahead.abandon();
    }

    fn batches(&self) -> usize {
        self.queue.batches()
    }

    fn samples(&self) -> usize {
        match self.shards.sharding {
            Sharding::Contiguous => self.task().shard().len(),
            // In other epochs it has others.
            Sharding::Global => self.task().samples_of_all_shards(),
        }
    }

    fn identities(&self) -> usize {
        self.task().identities()
    }

    fn indexes_beside(&self) -> usize {
        self.task().indexes_beside()
    }

    fn epoch_order(&self) -> Result<Vec<usize>> {
        self.producer().order(self.position().epoch)
    }

    fn fingerprint(&self) -> Result<DataFingerprint> {
        self.task().fingerprint()
    }

    fn labels(&self) -> &Labels {
        self.task().labels()
    }

    fn preview(&self, record: usize, epoch: u64) -> Result<ImagePreview> {
        self.task().preview(record, epoch)
    }
}

/// The shards that the samples are divided into.
#[derive(Debug)]
struct Shards {
    /// Samples of all shards in an epoch.
    samples: usize,
    count: usize,
    sharding: Sharding,
    policy: ShardPolicy,
    batch_size: usize,
    last_batch: LastBatch,
}

impl Shards {
    fn new<T: Element>(task: &SampleTask<T>, options: &Options) -> Self {
        let sampler = options.sampler.as_ref();
        Self {
            samples: sampler.map_or_else(|| task.samples_of_all_shards(), |it| it.epoch_len()),
            count: options.num_parts,
            sharding: options.sharding,
            policy: options.shard_policy,
            batch_size: options.batch_size,
            last_batch: options.last_batch,
        }
    }

    /// Returns the epochs of a shard.
    fn epoch_spec(&self, index: usize) -> Result<EpochSpec> {
        let Self { samples, count, .. } = *self;
        if index >= count {
            return Err(Error::argument(format!(
                "part_index must be from 0 to {} with num_parts={count}, got {index}",
                count - 1
            )));
        }
        if self.sharding == Sharding::Global {
            let slice = GlobalSlice {
                ranks: count,
                rank: index,
            };
            return Ok(EpochSpec::of_global_batches(
                samples,
                slice,
                self.batch_size,
                self.last_batch,
            ));
        }
        let len = shard_range(samples, count, index).len();
        if len == 0 && samples > 0 && self.policy == ShardPolicy::Pad && count > 1 {
            return Err(Error::argument(format!(
                "num_parts={count}, but there are only {samples} records: part {index} has none to fill its batches \
                 with; use fewer parts, or shard_policy=\"uneven\""
            )));
        }
        Ok(EpochSpec::of_shard(
            len,
            (samples, count),
            self.policy,
            self.batch_size,
            self.last_batch,
        ))
    }
}

fn thread_counts<T: Element>(task: &SampleTask<T>, options: &Options) -> ThreadCounts {
    let masks = task.masks().map_or(0, Masks::slot_len);
    let image_bytes = task.slot_len().saturating_mul(size_of::<T>()) + masks;
    let batch_bytes = options.batch_size.saturating_mul(image_bytes);
    ThreadCounts::new(
        (options.batch_size, batch_bytes),
        options.threads,
        options.prefetch,
    )
}

impl<T: Element> Drop for ImageLoader<T> {
    fn drop(&mut self) {
        self.close();
        self.buffers.close();
        self.producer = None;
        // If a function of the caller's drops it, in one of the threads, they end by themselves,
        // after their present image.
        _ = self.wait_for_threads(PATIENCE);
        memory::trim();
    }
}
