//! The frame: size, components, samplings, and the segments that say what colors mean.

use crate::fuzz_rng::Dice;

/// Blocks that an MCU of several components may have (ITU-T T.81, B.2.3).
pub(super) const MOST_UNITS: usize = 10;

/// The frame.
pub(super) struct Frame {
    /// SOF0, SOF1 or SOF2.
    pub(super) marker: u8,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    pub(super) has_jfif: bool,
    /// Adobe's transform, if there is its segment.
    pub(super) adobe: Option<u8>,
}

/// One component.
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) across: usize,
    pub(super) down: usize,
    pub(super) quantisation: usize,
}

impl Frame {
    pub(super) fn draw(dice: &mut Dice<'_>) -> Self {
        let marker = dice.pick(&[0xc0, 0xc0, 0xc1, 0xc2, 0xc2, 0xc2]);
        let (width, height) = match dice.below(16) {
            0 => (dice.between(1, 400), dice.between(1, 16)),
            1..5 => (dice.between(1, 80), dice.between(1, 80)),
            _ => (dice.between(1, 35), dice.between(1, 35)),
        };
        let count = dice.pick(&[3, 3, 3, 3, 1, 4]);
        Self {
            marker,
            width,
            height,
            components: components(count, dice),
            has_jfif: dice.one_in(2),
            adobe: dice
                .one_in(3)
                .then(|| dice.pick(&[0, if count == 4 { 2 } else { 1 }])),
        }
    }

    pub(super) fn is_progressive(&self) -> bool {
        self.marker == 0xc2
    }

    pub(super) fn sampling(&self) -> (usize, usize) {
        let largest =
            |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        (largest(|c| c.across), largest(|c| c.down))
    }

    /// MCUs of a scan of several components.
    pub(super) fn mcus(&self) -> (usize, usize) {
        let (across, down) = self.sampling();
        (
            self.width.div_ceil(8 * across),
            self.height.div_ceil(8 * down),
        )
    }

    /// Blocks of a scan of this component alone.
    pub(super) fn blocks(&self, component: &Component) -> (usize, usize) {
        let (across, down) = self.sampling();
        (
            (self.width * component.across).div_ceil(across).div_ceil(8),
            (self.height * component.down).div_ceil(down).div_ceil(8),
        )
    }

    /// Whether a scan may hold all of these components.
    pub(super) fn fit_together(&self, components: &[usize]) -> bool {
        let units = components
            .iter()
            .map(|&i| self.components[i].across * self.components[i].down);
        components.len() == 1 || units.sum::<usize>() <= MOST_UNITS
    }
}

fn components(count: usize, dice: &mut Dice<'_>) -> Vec<Component> {
    let first_id = dice.pick(&[1, 1, 0, 200]);
    let is_rgb = count == 3 && dice.one_in(8);
    let samplings = samplings(count, dice);
    let components = samplings
        .into_iter()
        .zip(0u8..)
        .map(|((across, down), i)| Component {
            id: if is_rgb {
                b"RGB"[usize::from(i)]
            } else {
                first_id + i
            },
            across,
            down,
            quantisation: dice.below(4),
        });
    components.collect()
}

/// Of several components, each factor divides the largest, as every decoder wants it.
fn samplings(count: usize, dice: &mut Dice<'_>) -> Vec<(usize, usize)> {
    if count == 1 {
        return vec![(dice.between(1, 4), dice.between(1, 4))];
    }
    if dice.one_in(2) {
        let luma = dice.pick(&[(1, 1), (2, 1), (2, 2), (1, 2), (4, 1)]);
        let mut samplings = vec![(1, 1); count];
        samplings[0] = luma;
        // Black is as sharp as luma.
        samplings.iter_mut().skip(3).for_each(|black| *black = luma);
        return samplings;
    }
    let factors: [&[usize]; 4] = [&[1], &[1, 2], &[1, 3], &[1, 2, 4]];
    let (across, down) = (dice.pick(&factors), dice.pick(&factors));
    (0..count)
        .map(|_| (dice.pick(across), dice.pick(down)))
        .collect()
}
