//! Random frame header: size, components, sampling factors, and the segments that determine the
//! color space.

use crate::fuzz_rng::FuzzRng;

/// Maximum number of blocks in an MCU of several components (ITU-T T.81, B.2.3).
pub(super) const MAX_MCU_BLOCKS: usize = 10;

/// Frame.
pub(super) struct Frame {
    /// SOF0, SOF1 or SOF2.
    pub(super) marker: u8,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    pub(super) has_jfif: bool,
    /// Transform of Adobe's segment, if there is one.
    pub(super) adobe: Option<u8>,
}

/// Component of a frame.
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
    pub(super) quantization: usize,
}

impl Frame {
    pub(super) fn random(rng: &mut FuzzRng<'_>) -> Self {
        let marker = rng.pick(&[0xc0, 0xc0, 0xc1, 0xc2, 0xc2, 0xc2]);
        let (width, height) = match rng.below(16) {
            0 => (rng.between(1, 400), rng.between(1, 16)),
            1..5 => (rng.between(1, 80), rng.between(1, 80)),
            _ => (rng.between(1, 35), rng.between(1, 35)),
        };
        let count = rng.pick(&[3, 3, 3, 3, 1, 4]);
        Self {
            marker,
            width,
            height,
            components: components(count, rng),
            has_jfif: rng.one_in(2),
            adobe: rng
                .one_in(3)
                .then(|| rng.pick(&[0, if count == 4 { 2 } else { 1 }])),
        }
    }

    pub(super) fn is_progressive(&self) -> bool {
        self.marker == 0xc2
    }

    pub(super) fn max_sampling(&self) -> (usize, usize) {
        let largest =
            |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        (largest(|c| c.horizontal), largest(|c| c.vertical))
    }

    /// Return the number of MCUs per row and the number of rows, for a scan of several components.
    pub(super) fn mcus(&self) -> (usize, usize) {
        let (h_max, v_max) = self.max_sampling();
        (
            self.width.div_ceil(8 * h_max),
            self.height.div_ceil(8 * v_max),
        )
    }

    /// Return the number of blocks per row and the number of rows, for a scan of this component
    /// alone.
    pub(super) fn blocks(&self, component: &Component) -> (usize, usize) {
        let (h_max, v_max) = self.max_sampling();
        (
            (self.width * component.horizontal)
                .div_ceil(h_max)
                .div_ceil(8),
            (self.height * component.vertical)
                .div_ceil(v_max)
                .div_ceil(8),
        )
    }

    /// Whether one scan can contain these components.
    pub(super) fn fit_one_scan(&self, components: &[usize]) -> bool {
        let blocks = components
            .iter()
            .map(|&i| self.components[i].horizontal * self.components[i].vertical);
        components.len() == 1 || blocks.sum::<usize>() <= MAX_MCU_BLOCKS
    }
}

fn components(count: usize, rng: &mut FuzzRng<'_>) -> Vec<Component> {
    let first_id = rng.pick(&[1, 1, 0, 200]);
    let is_rgb = count == 3 && rng.one_in(8);
    let sampling_factors = sampling_factors(count, rng);
    let components = sampling_factors
        .into_iter()
        .zip(0u8..)
        .map(|((horizontal, vertical), i)| Component {
            id: if is_rgb {
                b"RGB"[usize::from(i)]
            } else {
                first_id + i
            },
            horizontal,
            vertical,
            quantization: rng.below(4),
        });
    components.collect()
}

/// Return sampling factors. Each factor divides the maximum, as decoders require.
fn sampling_factors(count: usize, rng: &mut FuzzRng<'_>) -> Vec<(usize, usize)> {
    if count == 1 {
        return vec![(rng.between(1, 4), rng.between(1, 4))];
    }
    if rng.one_in(2) {
        let luma = rng.pick(&[(1, 1), (2, 1), (2, 2), (1, 2), (4, 1)]);
        let mut sampling_factors = vec![(1, 1); count];
        sampling_factors[0] = luma;
        // Black has the resolution of luma.
        sampling_factors
            .iter_mut()
            .skip(3)
            .for_each(|black| *black = luma);
        return sampling_factors;
    }
    let factors: [&[usize]; 4] = [&[1], &[1, 2], &[1, 3], &[1, 2, 4]];
    let (horizontal, vertical) = (rng.pick(&factors), rng.pick(&factors));
    (0..count)
        .map(|_| (rng.pick(horizontal), rng.pick(vertical)))
        .collect()
}
