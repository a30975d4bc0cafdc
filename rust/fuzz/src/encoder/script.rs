//! Random scan script: components, spectral selection and successive approximation in any valid
//! order (ITU-T T.81, G.1.1.1).

use super::frame::Frame;
use crate::fuzz_rng::FuzzRng;

/// Number of coefficients that must be complete; libjpeg's block smoothing estimates them
/// otherwise.
const SMOOTHED: usize = 10;

/// Scan.
#[derive(Clone)]
pub(super) struct Scan {
    /// Indices of components in the frame.
    pub(super) components: Vec<usize>,
    pub(super) first: usize,
    pub(super) last: usize,
    /// Lowest bit of the previous scan; 0 if there is none.
    pub(super) high: usize,
    /// Lowest bit of this scan.
    pub(super) low: usize,
}

pub(super) fn random(frame: &Frame, rng: &mut FuzzRng<'_>) -> Vec<Scan> {
    let groups = groups(frame, rng);
    if frame.is_progressive() {
        return progressive(frame, groups, rng);
    }
    let scan = |components| Scan {
        components,
        first: 0,
        last: 63,
        high: 0,
        low: 0,
    };
    groups.into_iter().map(scan).collect()
}

/// Split the components into scans, in any order. In a scan they are in the frame's order (B.2.3).
fn groups(frame: &Frame, rng: &mut FuzzRng<'_>) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..frame.components.len()).collect();
    if frame.fit_one_scan(&all) && !rng.one_in(3) {
        return vec![all];
    }
    let mut left = all;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    while !left.is_empty() {
        let component = left.remove(rng.below(left.len()));
        let joined = groups
            .last()
            .map(|group| [&group[..], &[component]].concat());
        match (joined, groups.last_mut()) {
            (Some(joined), Some(group)) if rng.one_in(2) && frame.fit_one_scan(&joined) => {
                *group = joined;
            }
            _ => groups.push(vec![component]),
        }
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups
}

/// Scans that must follow each other, in reverse order. Other scans may be in between.
type Track = Vec<Scan>;

fn progressive(frame: &Frame, groups: Vec<Vec<usize>>, rng: &mut FuzzRng<'_>) -> Vec<Scan> {
    // Either many bits or many bands, but at most a hundred scans.
    let (max_low, max_bands) = match (rng.one_in(16), frame.components.len()) {
        (true, ..4) => (13, 1),
        (true, _) => (11, 1),
        (false, _) => (3, 4),
    };
    let mut tracks: Vec<Track> = Vec::new();
    for components in groups {
        tracks.push(track(&components, (0, 0), rng.between(0, max_low)));
    }
    for component in 0..frame.components.len() {
        for band in bands(rng.between(1, max_bands), rng) {
            let mut track = track(&[component], band, rng.between(0, max_low));
            if band.0 >= SMOOTHED && rng.one_in(8) {
                track.drain(..rng.between(1, track.len()));
            }
            tracks.push(track);
        }
    }
    shuffle(tracks, frame, rng)
}

fn track(components: &[usize], (first, last): (usize, usize), low: usize) -> Track {
    let scan = |high, low| Scan {
        components: components.to_vec(),
        first,
        last,
        high,
        low,
    };
    let refining = (0..low).map(|low| scan(low + 1, low));
    refining.chain([scan(0, low)]).collect()
}

/// Split the AC coefficients into bands.
fn bands(count: usize, rng: &mut FuzzRng<'_>) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = (1..count).map(|_| rng.between(2, 63)).collect();
    starts.extend([1, 64]);
    starts.sort_unstable();
    starts.dedup();
    starts
        .windows(2)
        .map(|pair| (pair[0], pair[1] - 1))
        .collect()
}

/// Order all scans randomly. The first scan of each component has its DC coefficient.
fn shuffle(mut tracks: Vec<Track>, frame: &Frame, rng: &mut FuzzRng<'_>) -> Vec<Scan> {
    let mut is_begun = vec![false; frame.components.len()];
    let mut scans = Vec::new();
    loop {
        tracks.retain(|track| !track.is_empty());
        let is_open = |track: &&mut Track| {
            track
                .iter()
                .all(|scan| scan.first == 0 || is_begun[scan.components[0]])
        };
        let mut open: Vec<&mut Track> = tracks.iter_mut().filter(is_open).collect();
        if open.is_empty() {
            return scans;
        }
        let next = rng.below(open.len());
        if let Some(scan) = open[next].pop() {
            scan.components
                .iter()
                .for_each(|&component| is_begun[component] = true);
            scans.push(scan);
        }
    }
}
