//! Number of threads of each kind, and of the batches that they make at a time.

/// Batches of at most this many images are each made by one thread: handing an image to another
/// thread, and waiting for it, costs more than it saves.
const MAX_ALONE: usize = 8;
/// Images that are made in advance of the consumer, if they take at most [`MAX_AHEAD_BYTES`]: as
/// many small batches bridge the time that it needs between two of them.
const IMAGES_AHEAD: usize = 32;
const MAX_AHEAD_BYTES: usize = 64 << 20;
/// Where batches made in advance would take more than [`MAX_AHEAD_BYTES`], one buffer less is used,
/// and each worker makes one image of a batch before there is a buffer for it. Only where these are
/// at most this fraction of the batch: they are copied, and after them the workers have to wait.
const EARLY_FRACTION: usize = 16;

/// Number of threads of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadCounts {
    /// Threads that make the images of batches that producers share with them; none if each
    /// producer makes all images of its batches.
    pub(super) workers: usize,
    /// Threads that each make a batch at a time.
    pub(super) producers: usize,
    /// Batches that may be claimed and not delivered yet.
    pub(super) max_claimed: usize,
    /// Buffers for batches, with the consumer's, from which on a batch waits for one of them until
    /// the consumer asks for it.
    pub(super) max_buffers: usize,
    /// Images of a batch that are made while it waits for its buffer.
    pub(super) early_images: usize,
}

impl ThreadCounts {
    /// Counts for batches of `batch_size` images, of `batch_bytes` bytes: `threads` make images,
    /// and `prefetch` batches are made ahead.
    pub(super) fn new(
        (batch_size, batch_bytes): (usize, usize),
        threads: usize,
        prefetch: usize,
    ) -> Self {
        if batch_size <= MAX_ALONE {
            let ahead = IMAGES_AHEAD / batch_size;
            let ahead = ahead.min(MAX_AHEAD_BYTES / batch_bytes.max(1));
            return Self {
                workers: 0,
                producers: threads,
                max_claimed: prefetch.max(threads + ahead),
                max_buffers: usize::MAX,
                early_images: 0,
            };
        }
        let is_large = prefetch.saturating_mul(batch_bytes) > MAX_AHEAD_BYTES;
        let waits = is_large && threads * EARLY_FRACTION <= batch_size;
        // While one batch waits for its last images, the others keep the workers busy.
        let producers = 2.max(1 + threads.div_ceil(batch_size));
        Self {
            workers: threads,
            producers,
            max_claimed: match producers {
                2 => prefetch,
                producers => prefetch.max(producers),
            },
            max_buffers: if waits { prefetch.max(2) } else { usize::MAX },
            early_images: if waits { threads } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: usize = 600_000;

    fn counts(batch_size: usize, threads: usize, prefetch: usize) -> (usize, usize, usize) {
        let size = (batch_size, batch_size * IMAGE);
        let counts = ThreadCounts::new(size, threads, prefetch);
        (counts.workers, counts.producers, counts.max_claimed)
    }

    #[test]
    fn large_batches_are_shared_by_workers() {
        assert_eq!(counts(64, 2, 2), (2, 2, 2));
        assert_eq!(counts(64, 2, 1), (2, 2, 1));
        assert_eq!(counts(16, 64, 2), (64, 5, 5));
    }

    #[test]
    fn each_thread_makes_small_batches_alone() {
        assert_eq!(counts(1, 16, 2), (0, 16, 48));
        assert_eq!(counts(8, 2, 2), (0, 2, 6));
        assert_eq!(counts(1, 2, 99), (0, 2, 99));
    }

    #[test]
    fn large_batches_share_buffers_where_few_threads_make_them() {
        let counts = |size, threads, prefetch| {
            let counts = ThreadCounts::new((size, size * IMAGE), threads, prefetch);
            (counts.max_buffers, counts.early_images)
        };
        assert_eq!(counts(64, 2, 2), (2, 2));
        assert_eq!(counts(64, 4, 3), (3, 4));
        assert_eq!(counts(512, 8, 1), (2, 8));
        assert_eq!(counts(64, 5, 2), (usize::MAX, 0));
        assert_eq!(counts(32, 2, 2), (usize::MAX, 0));
    }

    #[test]
    fn large_images_are_not_made_far_ahead() {
        assert_eq!(ThreadCounts::new((1, 200 << 20), 4, 2).max_claimed, 4);
    }
}
