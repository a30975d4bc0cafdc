//! Color conversion without SIMD instructions.

/// Convert a constant to 16 fraction bits.
const fn fixed(value: f64) -> i32 {
    (value * 65536.0 + 0.5) as i32
}

const HALF: i32 = 1 << 15;

/// Convert one pixel from YCbCr to RGB.
#[inline]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((fixed(1.402) * cr + HALF) >> 16);
    let green = y + ((HALF - fixed(0.34414) * cb - fixed(0.71414) * cr) >> 16);
    let blue = y + ((fixed(1.772) * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

pub(super) fn ycc_to_rgb([y, cb, cr]: [&[u8]; 3], out: &mut [u8]) {
    let components = y.iter().zip(cb).zip(cr);
    for (pixel, ((&y, &cb), &cr)) in out.as_chunks_mut().0.iter_mut().zip(components) {
        *pixel = rgb(y, cb, cr);
    }
}

pub(super) fn ycck_to_cmyk([y, cb, cr, k]: [&[u8]; 4], out: &mut [u8]) {
    let components = y.iter().zip(cb).zip(cr).zip(k);
    for (pixel, (((&y, &cb), &cr), &k)) in out.as_chunks_mut().0.iter_mut().zip(components) {
        let [r, g, b] = rgb(y, cb, cr);
        *pixel = [!r, !g, !b, k];
    }
}

pub(super) fn rgb_to_gray([r, g, b]: [&[u8]; 3], out: &mut [u8]) {
    let components = r.iter().zip(g).zip(b);
    for (pixel, ((&r, &g), &b)) in out.iter_mut().zip(components) {
        let [r, g, b] = [r, g, b].map(i32::from);
        *pixel = ((fixed(0.299) * r + fixed(0.587) * g + fixed(0.114) * b + HALF) >> 16) as u8;
    }
}

pub(super) fn gray_to_rgb(gray: &[u8], out: &mut [u8]) {
    for (pixel, &sample) in out.as_chunks_mut::<3>().0.iter_mut().zip(gray) {
        *pixel = [sample; 3];
    }
}

pub(super) fn interleave(components: &[&[u8]], out: &mut [u8]) {
    for (x, pixel) in out.chunks_exact_mut(components.len()).enumerate() {
        for (sample, row) in pixel.iter_mut().zip(components) {
            *sample = row[x];
        }
    }
}
