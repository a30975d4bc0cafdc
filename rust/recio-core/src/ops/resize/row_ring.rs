//! Ring of horizontally resampled source rows, kept while output rows need them.

/// Ring of rows. An output row needs consecutive source rows, so a row has the slot of its number
/// modulo the slots.
#[derive(Debug, Default)]
pub(super) struct RowRing<T> {
    samples: Vec<T>,
    length: usize,
    /// Source row in each slot. The number of slots is a power of two.
    row_in_slot: Vec<Option<usize>>,
}

impl<T: Copy + Default> RowRing<T> {
    /// Clear the ring, and size it for any `count` consecutive rows of this length.
    pub(super) fn reset(&mut self, count: usize, length: usize) {
        let slots = count.next_power_of_two();
        self.length = length;
        self.samples.resize(slots * length, T::default());
        self.row_in_slot.clear();
        self.row_in_slot.resize(slots, None);
    }

    /// Compute the source row `row` unless the ring holds it.
    pub(super) fn ensure(&mut self, row: usize, compute: impl FnOnce(&mut [T])) {
        let slot = self.slot(row);
        if self.row_in_slot[slot] != Some(row) {
            compute(&mut self.samples[slot * self.length..][..self.length]);
            self.row_in_slot[slot] = Some(row);
        }
    }

    /// Return the source row `row`, which the ring must hold.
    pub(super) fn get(&self, row: usize) -> &[T] {
        let slot = self.slot(row);
        debug_assert_eq!(self.row_in_slot[slot], Some(row));
        &self.samples[slot * self.length..][..self.length]
    }

    fn slot(&self, row: usize) -> usize {
        row & (self.row_in_slot.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_computed_once_until_its_slot_is_reused() {
        let mut rows = RowRing::<u8>::default();
        rows.reset(2, 1);
        let mut computed = 0;
        for row in [0, 1, 0, 1, 2, 1, 0] {
            rows.ensure(row, |samples| {
                samples[0] = row as u8;
                computed += 1;
            });
            assert_eq!(rows.get(row), [row as u8]);
        }
        assert_eq!(computed, 4);
    }

    #[test]
    fn a_reset_clears_the_ring() {
        let mut rows = RowRing::<u8>::default();
        rows.reset(1, 1);
        rows.ensure(0, |samples| samples[0] = 7);
        rows.reset(1, 2);
        rows.ensure(0, |samples| samples.fill(9));
        assert_eq!(rows.get(0), [9, 9]);
    }
}
