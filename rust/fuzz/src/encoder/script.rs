//! The scans: which components, which coefficients, which bits of them, in any order that is legal
//! (ITU-T T.81, G.1.1.1).

use super::frame::Frame;
use crate::fuzz_rng::Dice;

/// Coefficients, from the first, that must come whole: where these lack bits, libjpeg guesses.
const NEEDED: usize = 10;

/// One scan.
#[derive(Clone)]
pub(super) struct Scan {
    /// Places in the frame.
    pub(super) components: Vec<usize>,
    pub(super) first: usize,
    pub(super) last: usize,
    /// The bit that came last; 0: none.
    pub(super) high: usize,
    /// The lowest bit that comes now.
    pub(super) low: usize,
}

pub(super) fn draw(frame: &Frame, dice: &mut Dice<'_>) -> Vec<Scan> {
    let groups = groups(frame, dice);
    if frame.is_progressive() {
        return progressive(frame, groups, dice);
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

/// Parts the components, in any order, into scans; in a scan they stand as in the frame (B.2.3).
fn groups(frame: &Frame, dice: &mut Dice<'_>) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..frame.components.len()).collect();
    if frame.fit_together(&all) && !dice.one_in(3) {
        return vec![all];
    }
    let mut left = all;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    while !left.is_empty() {
        let component = left.remove(dice.below(left.len()));
        let joined = groups
            .last()
            .map(|group| [&group[..], &[component]].concat());
        match (joined, groups.last_mut()) {
            (Some(joined), Some(group)) if dice.one_in(2) && frame.fit_together(&joined) => {
                *group = joined;
            }
            _ => groups.push(vec![component]),
        }
    }
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups
}

/// Scans that must follow each other, the next one last, but need not do so at once.
type Track = Vec<Scan>;

fn progressive(frame: &Frame, groups: Vec<Vec<usize>>, dice: &mut Dice<'_>) -> Vec<Scan> {
    // Many bits or many bands, but no more than a hundred scans.
    let (most_low, most_bands) = match (dice.one_in(16), frame.components.len()) {
        (true, ..4) => (13, 1),
        (true, _) => (11, 1),
        (false, _) => (3, 4),
    };
    let mut tracks: Vec<Track> = Vec::new();
    for components in groups {
        tracks.push(track(&components, (0, 0), dice.between(0, most_low)));
    }
    for component in 0..frame.components.len() {
        for band in bands(dice.between(1, most_bands), dice) {
            let mut track = track(&[component], band, dice.between(0, most_low));
            if band.0 >= NEEDED && dice.one_in(8) {
                track.drain(..dice.between(1, track.len()));
            }
            tracks.push(track);
        }
    }
    shuffle(tracks, frame, dice)
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

/// Parts the AC coefficients.
fn bands(count: usize, dice: &mut Dice<'_>) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = (1..count).map(|_| dice.between(2, 63)).collect();
    starts.extend([1, 64]);
    starts.sort_unstable();
    starts.dedup();
    starts
        .windows(2)
        .map(|pair| (pair[0], pair[1] - 1))
        .collect()
}

/// One order of all scans, in which a component's first is of its DC coefficient.
fn shuffle(mut tracks: Vec<Track>, frame: &Frame, dice: &mut Dice<'_>) -> Vec<Scan> {
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
        let next = dice.below(open.len());
        if let Some(scan) = open[next].pop() {
            scan.components
                .iter()
                .for_each(|&component| is_begun[component] = true);
            scans.push(scan);
        }
    }
}
