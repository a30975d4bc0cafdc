//! Source rows that have been resampled horizontally, kept for as long as the output rows need them.

/// Up to `N` rows. An output row needs at most `N` consecutive source rows, so each has a slot: its number modulo `N`.
#[derive(Debug)]
pub(super) struct Rows<T, const N: usize> {
    samples: Vec<T>,
    length: usize,
    /// The source row in each slot.
    held: [Option<usize>; N],
}

impl<T, const N: usize> Default for Rows<T, N> {
    fn default() -> Self {
        Self {
            samples: Vec::new(),
            length: 0,
            held: [None; N],
        }
    }
}

impl<T: Copy + Default, const N: usize> Rows<T, N> {
    /// Forgets all rows; the next ones have this length.
    pub(super) fn reset(&mut self, length: usize) {
        self.length = length;
        self.samples.resize(N * length, T::default());
        self.held = [None; N];
    }

    /// Makes the source row `row`, unless it is there.
    pub(super) fn ensure(&mut self, row: usize, make: impl FnOnce(&mut [T])) {
        let slot = row % N;
        if self.held[slot] != Some(row) {
            make(&mut self.samples[slot * self.length..][..self.length]);
            self.held[slot] = Some(row);
        }
    }

    /// The source row `row`, which is there.
    pub(super) fn get(&self, row: usize) -> &[T] {
        debug_assert_eq!(self.held[row % N], Some(row));
        &self.samples[row % N * self.length..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_made_once_until_its_slot_is_needed() {
        let mut rows = Rows::<u8, 2>::default();
        rows.reset(1);
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
        let mut rows = Rows::<u8, 1>::default();
        rows.reset(1);
        rows.ensure(0, |samples| samples[0] = 7);
        rows.reset(2);
        rows.ensure(0, |samples| samples.fill(9));
        assert_eq!(rows.get(0), [9, 9]);
    }
}
