//! Shards: contiguous ranges of a data set, one for each rank.

use std::ops::Range;

/// Record numbers of shard `part_index` of `num_parts`. Shards differ by at most one record.
#[must_use]
pub fn shard_range(records: usize, num_parts: usize, part_index: usize) -> Range<usize> {
    let border = |i: usize| (records as u128 * i as u128 / num_parts as u128) as usize;
    border(part_index)..border(part_index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_all_records_and_differ_by_at_most_one() {
        for (records, parts) in [(10, 3), (10, 4), (10, 10), (3, 5), (0, 2)] {
            let ranges: Vec<_> = (0..parts).map(|i| shard_range(records, parts, i)).collect();
            assert_eq!((ranges[0].start, ranges[parts - 1].end), (0, records));
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            let lens = ranges.iter().map(Range::len);
            assert!(lens.clone().max().unwrap() - lens.min().unwrap() <= 1);
        }
    }
}
