//! The conversions in plain Rust.

/// A constant with 16 fraction bits.
const fn fixed(value: f64) -> i32 {
    (value * 65536.0 + 0.5) as i32
}

const HALF: i32 = 1 << 15;

/// R, G, B of one pixel.
#[inline]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((fixed(1.402) * cr + HALF) >> 16);
    let green = y + ((HALF - fixed(0.34414) * cb - fixed(0.71414) * cr) >> 16);
    let blue = y + ((fixed(1.772) * cb + HALF) >> 16);
    [red, green, blue].map(|level| level.clamp(0, 255) as u8)
}

pub(super) fn from_ycc([y, cb, cr]: [&[u8]; 3], out: &mut [u8]) {
    let components = y.iter().zip(cb).zip(cr);
    for (pixel, ((&y, &cb), &cr)) in out.as_chunks_mut().0.iter_mut().zip(components) {
        *pixel = rgb(y, cb, cr);
    }
}

pub(super) fn from_ycck([y, cb, cr, k]: [&[u8]; 4], out: &mut [u8]) {
    let components = y.iter().zip(cb).zip(cr).zip(k);
    for (pixel, (((&y, &cb), &cr), &k)) in out.as_chunks_mut().0.iter_mut().zip(components) {
        let [r, g, b] = rgb(y, cb, cr);
        *pixel = [!r, !g, !b, k];
    }
}

pub(super) fn luma([r, g, b]: [&[u8]; 3], out: &mut [u8]) {
    let components = r.iter().zip(g).zip(b);
    for (pixel, ((&r, &g), &b)) in out.iter_mut().zip(components) {
        let [r, g, b] = [r, g, b].map(i32::from);
        *pixel = ((fixed(0.299) * r + fixed(0.587) * g + fixed(0.114) * b + HALF) >> 16) as u8;
    }
}

pub(super) fn repeat(gray: &[u8], out: &mut [u8]) {
    for (pixel, &level) in out.as_chunks_mut::<3>().0.iter_mut().zip(gray) {
        *pixel = [level; 3];
    }
}

pub(super) fn interleave(components: &[&[u8]], out: &mut [u8]) {
    for (x, pixel) in out.chunks_exact_mut(components.len()).enumerate() {
        for (sample, row) in pixel.iter_mut().zip(components) {
            *sample = row[x];
        }
    }
}
