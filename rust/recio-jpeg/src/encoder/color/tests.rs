use super::*;

/// Return pseudo-random bytes.
fn noise(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn converted(level: SimdLevel, order: ChannelOrder, pixels: &[u8]) -> [Vec<u8>; 3] {
    let width = pixels.len() / order.channels();
    let mut rows = [(); 3].map(|()| vec![0; width.next_multiple_of(STEP)]);
    let [y, cb, cr] = &mut rows;
    convert_row(level, order, pixels, [y, cb, cr]);
    rows.map(|row| row[..width].to_vec())
}

#[test]
fn all_simd_levels_convert_to_the_same_samples() {
    for order in [ChannelOrder::Rgb, ChannelOrder::Bgr] {
        for width in (1..100).chain([2_000]) {
            let pixels = noise(3 * width, width as u32);
            let expected = converted(SimdLevel::SCALAR, order, &pixels);
            for level in SimdLevel::available() {
                assert_eq!(
                    converted(level, order, &pixels),
                    expected,
                    "{level:?}, {width}"
                );
            }
        }
        for extreme in 0..8_u8 {
            let pixel = [0, 1, 2].map(|bit| 255 * (extreme >> bit & 1));
            let pixels = pixel.repeat(3);
            let expected = converted(SimdLevel::SCALAR, order, &pixels);
            for level in SimdLevel::available() {
                assert_eq!(
                    converted(level, order, &pixels),
                    expected,
                    "{level:?}, {pixel:?}"
                );
            }
        }
    }
}

#[test]
fn conversion_matches_jfif() {
    let pixels = [0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255];
    let expected = [
        vec![0, 255, 76, 150, 29],
        vec![128, 128, 85, 44, 255],
        vec![128, 128, 255, 21, 107],
    ];
    assert_eq!(
        converted(SimdLevel::SCALAR, ChannelOrder::Rgb, &pixels),
        expected
    );
    let reversed: Vec<u8> = pixels.chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
    assert_eq!(
        converted(SimdLevel::SCALAR, ChannelOrder::Bgr, &reversed),
        expected
    );
}

#[test]
fn all_simd_levels_downsample_to_the_same_samples() {
    for width in [32, 64, 160] {
        let (upper, lower) = (noise(width, 1), noise(width, 2));
        let run = |level| {
            let (mut pairs, mut squares) = (vec![0; width / 2], vec![0; width / 2]);
            average_pairs(level, &upper, &mut pairs);
            average_squares(level, [&upper, &lower], &mut squares);
            [pairs, squares]
        };
        let expected = run(SimdLevel::SCALAR);
        for level in SimdLevel::available() {
            assert_eq!(run(level), expected, "{level:?}");
        }
    }
}

#[test]
fn averages_are_rounded_down_and_up_alternately() {
    let mut out = [0; 16];
    average_pairs(SimdLevel::SCALAR, &[1, 2].repeat(16), &mut out);
    assert_eq!(out[..4], [1, 2, 1, 2]);
    average_squares(SimdLevel::SCALAR, [&[2; 32], &[1; 32]], &mut out);
    assert_eq!(out[..4], [1, 2, 1, 2]);
    let upper = [1, 1, 2, 1].repeat(8);
    average_squares(SimdLevel::SCALAR, [&upper, &[1; 32]], &mut out);
    assert_eq!(out[..4], [1, 1, 1, 1]);
}
