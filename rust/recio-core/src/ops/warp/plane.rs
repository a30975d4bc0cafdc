//! Infinite source plane: the image's pixels, and the border value everywhere else.

use std::array::from_fn;

use crate::image::View;

/// An image surrounded by a border value.
pub(super) struct Plane<'a, const C: usize> {
    view: View<'a>,
    value: [u8; C],
}

/// `N`×`N` pixels, by rows.
pub(super) type Patch<'a, const C: usize, const N: usize> = [&'a [[u8; C]; N]; N];

impl<'a, const C: usize> Plane<'a, C> {
    /// Create a plane; the border has the first `C` values of `value`.
    pub(super) fn new(view: View<'a>, value: [u8; 4]) -> Self {
        Self {
            view,
            value: from_fn(|c| value[c]),
        }
    }

    /// Return the pixel in column `x` of row `y`.
    pub(super) fn pixel(&self, [x, y]: [i32; 2]) -> [u8; C] {
        // Negative coordinates become huge numbers.
        let (x, y) = (x as usize, y as usize);
        if x < self.view.width && y < self.view.height {
            self.view.row(y).as_chunks().0[x]
        } else {
            self.value
        }
    }

    /// Return the patch with `first` as its upper left pixel, if all of it is inside the image.
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

    /// Return the patch with `first` as its upper left pixel, pixel by pixel; `None` if all of it
    /// is border.
    pub(super) fn bordered<const N: usize>(&self, [x, y]: [i32; 2]) -> Option<[[[u8; C]; N]; N]> {
        let touches = |at: i32, side: usize| at > -(N as i32) && at < side as i32;
        if !touches(x, self.view.width) || !touches(y, self.view.height) {
            return None;
        }
        Some(from_fn(|down| {
            from_fn(|right| self.pixel([x + right as i32, y + down as i32]))
        }))
    }

    /// Return the border value.
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
    fn outside_the_image_is_the_border() {
        let pixels = [
            [0, 0],
            [2, 1],
            [-1, 0],
            [0, -1],
            [3, 0],
            [0, 2],
            [i32::MIN, i32::MAX],
        ];
        let values = pixels.map(|at| plane().pixel(at)[0]);
        assert_eq!(values, [1, 6, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn a_patch_is_entirely_inside_the_image() {
        assert_eq!(plane().patch([1, 0]), Some([&[[2], [3]], &[[5], [6]]]));
        for first in [[-1, 0], [0, -1], [2, 0], [0, 1]] {
            assert_eq!(plane().patch::<2>(first), None, "{first:?}");
        }
        assert_eq!(plane().patch::<4>([0, 0]), None);
    }

    #[test]
    fn a_bordered_patch_has_a_pixel_of_the_image() {
        assert_eq!(plane().bordered([2, 1]), Some([[[6], [9]], [[9], [9]]]));
        assert_eq!(plane().bordered([-1, -1]), Some([[[9], [9]], [[9], [1]]]));
        for first in [[-2, 0], [0, -2], [3, 0], [0, 2]] {
            assert_eq!(plane().bordered::<2>(first), None, "{first:?}");
        }
    }
}
