//! Random number generator, seeded by (seed, epoch, sample).
//!
//! The seed depends on nothing else: neither on the thread nor on the numbers that other samples
//! used. So a batch is the same for any number of threads and any prefetch depth.
//!
//! The generator is `SplitMix64` (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
//! Generators, OOPSLA 2014): a counter and a mixing function. It is implemented here rather than
//! taken from a crate because its numbers are part of the interface: an update of a dependency must
//! not change anybody's batches.

/// Random number generator for one sample of one epoch.
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
}

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// Return the generator of a sample.
    #[must_use]
    pub fn new(seed: u64, epoch: u64, sample: u64) -> Self {
        let state = [seed, epoch, sample].iter().fold(0u64, |state, &part| {
            mix((state ^ part).wrapping_add(GOLDEN_GAMMA))
        });
        Self { state }
    }

    /// Return 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// Return a uniform random number from `[low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        low + (high - low) * unit
    }

    /// Return a uniform random integer from 0 to `n` − 1.
    ///
    /// (Lemire: Fast Random Integer Generation in an Interval, 2019.)
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let reject = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.bits()) * u128::from(n);
            if product as u64 >= reject {
                return (product >> 64) as u64;
            }
        }
    }

    /// Return true with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform(0.0, 1.0) < probability
    }

    /// Return a standard normal random number (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        // From (0, 1], so that its logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform(0.0, 1.0)).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform(0.0, 1.0)).cos()
    }

    /// Return a uniform random permutation of 0 to `n` − 1 (Fisher–Yates).
    #[must_use]
    pub fn permutation(&mut self, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, self.below(i as u64 + 1) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_part_of_the_interface() {
        let mut stream = Rng::new(1, 2, 3);
        assert_eq!(
            [stream.bits(), stream.bits()],
            [0x1258_8d80_9dce_88a7, 0xdd03_4ea7_d44e_8739]
        );
    }

    #[test]
    fn seed_epoch_and_sample_all_count() {
        let first = |seed, epoch, sample| Rng::new(seed, epoch, sample).bits();
        let all = [
            first(0, 0, 0),
            first(1, 0, 0),
            first(0, 1, 0),
            first(0, 0, 1),
            first(1, 1, 0),
            first(0, 1, 1),
        ];
        assert!((0..all.len()).all(|i| !all[..i].contains(&all[i])));
    }

    #[test]
    fn draws_are_spread_evenly() {
        let mut stream = Rng::new(0, 0, 0);
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|_| counts[stream.below(7) as usize] += 1);
        assert!(
            counts.iter().all(|&count| (9_600..10_400).contains(&count)),
            "{counts:?}"
        );
        let mean = (0..10_000).map(|_| stream.uniform(2.0, 4.0)).sum::<f64>() / 10_000.0;
        assert!((mean - 3.0).abs() < 0.03, "{mean}");
    }

    #[test]
    fn normal_numbers_have_mean_0_and_deviation_1() {
        let mut stream = Rng::new(0, 0, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let moment = |power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / 20_000.0;
        assert!(moment(1).abs() < 0.03, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.05, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.3, "{}", moment(4));
    }

    #[test]
    fn every_place_is_as_likely_for_every_number() {
        let mut counts = [[0u32; 5]; 5];
        for epoch in 0..10_000 {
            for (place, &number) in Rng::new(9, epoch, 0).permutation(5).iter().enumerate() {
                counts[place][number as usize] += 1;
            }
        }
        assert!(
            counts
                .iter()
                .flatten()
                .all(|count| (1_850..2_150).contains(count)),
            "{counts:?}"
        );
    }
}
