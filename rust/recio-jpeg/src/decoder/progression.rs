//! Progress of a progressive image: which bits of its coefficients the scans have sent so far
//! (ITU-T T.81, G.1.1.1).

use crate::block::BLOCK_LEN;
use crate::frame::{Frame, MAX_COMPONENTS};
use crate::progressive::Band;
use crate::scan::Scan;

/// Number of coefficients that libjpeg's block smoothing estimates while they are incomplete.
pub(super) const SMOOTHED: usize = 10;

/// Lowest bit received of each coefficient of a component; `None` before its first scan.
type CoefficientBits = [Option<u32>; BLOCK_LEN];

/// Lowest bits received of the smoothed coefficients.
pub(super) type SmoothedBits = [Option<u32>; SMOOTHED];

/// Coefficients received so far, by component of the frame.
#[derive(Debug)]
pub(super) struct Progression {
    current: [CoefficientBits; MAX_COMPONENTS],
    /// The smoothed coefficients before the last scan of the component.
    previous: [SmoothedBits; MAX_COMPONENTS],
    scans: usize,
}

impl Progression {
    pub(super) fn new() -> Self {
        Self {
            current: [[None; BLOCK_LEN]; MAX_COMPONENTS],
            previous: [[None; SMOOTHED]; MAX_COMPONENTS],
            scans: 0,
        }
    }

    /// Record which coefficients a scan contains. Return whether it is in order.
    pub(super) fn update(&mut self, frame: &Frame, scan: &Scan) -> bool {
        let Band { ss, se, ah, al } = scan.band;
        let (band, before, al) = if frame.is_progressive {
            (ss..=se, (ah > 0).then_some(ah), al)
        } else {
            (0..=63, None, 0)
        };
        self.scans += 1;
        let mut is_in_order = true;
        for component in scan.components() {
            self.save(component.frame_index, ss);
            let bits = &mut self.current[component.frame_index];
            is_in_order &= bits[band.clone()].iter().all(|&bit| bit == before)
                && (ss == 0 || bits[0].is_some());
            bits[band.clone()].fill(Some(al));
        }
        is_in_order
    }

    /// Save the smoothed coefficients of a component before a scan, as libjpeg does.
    fn save(&mut self, component: usize, ss: usize) {
        for k in ss.min(1)..SMOOTHED {
            self.previous[component][k] = if self.scans > 1 {
                self.current[component][k]
            } else {
                Some(0)
            };
        }
    }

    /// Whether the first `count` coefficients of all components are complete.
    pub(super) fn is_complete_up_to(&self, frame: &Frame, count: usize) -> bool {
        let mut components = self.current[..frame.components().len()].iter();
        components.all(|bits| bits[..count].iter().all(|&bit| bit == Some(0)))
    }

    /// Return the smoothed coefficients of a component after the last scan and before it.
    pub(super) fn smoothed_bits(&self, component: usize) -> [SmoothedBits; 2] {
        let current = std::array::from_fn(|k| self.current[component][k]);
        if self.scans > 1 {
            [current, self.previous[component]]
        } else {
            [current, [None; SMOOTHED]]
        }
    }
}
