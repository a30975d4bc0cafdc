//! The source as a plane without end: pixels where the picture is, the border's value everywhere else.

use std::array::from_fn;

use crate::image::View;

/// A picture and what surrounds it.
pub(super) struct Plane<'a, const C: usize> {
    view: View<'a>,
    value: [u8; C],
}

/// `N`×`N` pixels, by rows.
pub(super) type Patch<'a, const C: usize, const N: usize> = [&'a [[u8; C]; N]; N];

impl<'a, const C: usize> Plane<'a, C> {
    /// Takes the first `C` levels of `value`.
    pub(super) fn new(view: View<'a>, value: [u8; 4]) -> Self {
        Self {
            view,
            value: from_fn(|c| value[c]),
        }
    }

    /// The pixel in column `x` of row `y`.
    pub(super) fn pixel(&self, [x, y]: [i32; 2]) -> [u8; C] {
        // What lies to the left of the picture or above it becomes a huge number.
        let (x, y) = (x as usize, y as usize);
        if x < self.view.width && y < self.view.height {
            self.view.row(y).as_chunks().0[x]
        } else {
            self.value
        }
    }

    /// The pixels of which `first` is the left upper one, if the picture has them all.
    pub(super) fn patch<const N: usize>(&self, first: [i32; 2]) -> Option<Patch<'a, C, N>> {
        let [x, y] = first.map(|at| at as usize);
        let inside = |at: usize, side: usize| at < (side + 1).saturating_sub(N);
        if !inside(x, self.view.width) || !inside(y, self.view.height) {
            return None;
        }
        Some(from_fn(|down| {
            let samples = &self.view.row(y + down)[x * C..][..N * C];
            samples
                .as_chunks()
                .0
                .first_chunk()
                .expect("N × C samples are N pixels")
        }))
    }

    /// The pixels of which `first` is the left upper one, one by one; `None` if all are the border's.
    pub(super) fn bordered<const N: usize>(&self, [x, y]: [i32; 2]) -> Option<[[[u8; C]; N]; N]> {
        let touches = |at: i32, side: usize| at > -(N as i32) && at < side as i32;
        if !touches(x, self.view.width) || !touches(y, self.view.height) {
            return None;
        }
        Some(from_fn(|down| {
            from_fn(|along| self.pixel([x + along as i32, y + down as i32]))
        }))
    }

    /// The border's value.
    pub(super) fn value(&self) -> [u8; C] {
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXELS: [u8; 6] = [1, 2, 3, 4, 5, 6];

    /// 1 2 3 above 4 5 6.
    fn plane() -> Plane<'static, 1> {
        Plane::new(View::new(&PIXELS, 3, 2, 1), [9, 0, 0, 0])
    }

    #[test]
    fn outside_the_picture_is_the_border() {
        let pixels = [
            [0, 0],
            [2, 1],
            [-1, 0],
            [0, -1],
            [3, 0],
            [0, 2],
            [i32::MIN, i32::MAX],
        ];
        let levels = pixels.map(|at| plane().pixel(at)[0]);
        assert_eq!(levels, [1, 6, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn a_patch_lies_wholly_in_the_picture() {
        assert_eq!(plane().patch([1, 0]), Some([&[[2], [3]], &[[5], [6]]]));
        for first in [[-1, 0], [0, -1], [2, 0], [0, 1]] {
            assert_eq!(plane().patch::<2>(first), None, "{first:?}");
        }
        assert_eq!(plane().patch::<4>([0, 0]), None);
    }

    #[test]
    fn a_bordered_patch_has_a_pixel_of_the_picture() {
        assert_eq!(plane().bordered([2, 1]), Some([[[6], [9]], [[9], [9]]]));
        assert_eq!(plane().bordered([-1, -1]), Some([[[9], [9]], [[9], [1]]]));
        for first in [[-2, 0], [0, -2], [3, 0], [0, 2]] {
            assert_eq!(plane().bordered::<2>(first), None, "{first:?}");
        }
    }
}
