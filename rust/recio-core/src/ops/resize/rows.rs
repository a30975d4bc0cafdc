//! Source rows that have been resampled horizontally, kept for as long as the output rows need them.

/// A few rows. An output row needs only consecutive source rows, so each has a slot: its number modulo the slots.
#[derive(Debug, Default)]
pub(super) struct Rows<T> {
    samples: Vec<T>,
    length: usize,
    /// The source row in each slot. They are a power of two.
    held: Vec<Option<usize>>,
}

impl<T: Copy + Default> Rows<T> {
    /// Forgets all rows; of the next ones, of this length, any `count` consecutive ones have room.
    pub(super) fn reset(&mut self, count: usize, length: usize) {
        let slots = count.next_power_of_two();
        self.length = length;
        self.samples.resize(slots * length, T::default());
        self.held.clear();
        self.held.resize(slots, None);
    }

    /// Makes the source row `row`, unless it is there.
    pub(super) fn ensure(&mut self, row: usize, make: impl FnOnce(&mut [T])) {
        let slot = self.slot(row);
        if self.held[slot] != Some(row) {
            make(&mut self.samples[slot * self.length..][..self.length]);
            self.held[slot] = Some(row);
        }
    }

    /// The source row `row`, which is there.
    pub(super) fn get(&self, row: usize) -> &[T] {
        let slot = self.slot(row);
        debug_assert_eq!(self.held[slot], Some(row));
        &self.samples[slot * self.length..][..self.length]
    }

    fn slot(&self, row: usize) -> usize {
        row & (self.held.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_made_once_until_its_slot_is_needed() {
        let mut rows = Rows::<u8>::default();
        rows.reset(2, 1);
        let mut made = 0;
        for row in [0, 1, 0, 1, 2, 1, 0] {
            rows.ensure(row, |samples| {
                samples[0] = row as u8;
                made += 1;
            });
            assert_eq!(rows.get(row), [row as u8]);
        }
        assert_eq!(made, 4);
    }

    #[test]
    fn a_reset_forgets() {
        let mut rows = Rows::<u8>::default();
        rows.reset(1, 1);
        rows.ensure(0, |samples| samples[0] = 7);
        rows.reset(1, 2);
        rows.ensure(0, |samples| samples.fill(9));
        assert_eq!(rows.get(0), [9, 9]);
    }
}
